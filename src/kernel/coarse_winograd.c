#include "kernel/coarse_winograd.h"

enum {
    TILES = FFEBMI_WINOGRAD_TILES,
    LINE = 32 /* integers of a line of the cache */
};

static size_t pairs_of(const ffebmi_walk *w)
{
    return (w->sources + 1) / 2;
}

static float levels_of(const ffebmi_walk *w)
{
    return (float)ffebmi_coarse_levels(2 * pairs_of(w));
}

static size_t scale_stride(const ffebmi_walk *w)
{
    return ffebmi_walk_panels(w) * w->direct->panel;
}

static size_t panel_size(const ffebmi_walk *w)
{
    return 2 * pairs_of(w) * w->direct->panel;
}

/* As in direct_winograd.c: lines between points keep them apart in the cache. */
static size_t weights_stride(const ffebmi_walk *w)
{
    return ffebmi_walk_panels(w) * panel_size(w) + LINE;
}

static size_t source_row(const ffebmi_walk *w)
{
    return 2 * pairs_of(w);
}

static size_t source_stride(const ffebmi_walk *w)
{
    return TILES * source_row(w) + LINE;
}

/* ---------------------------------------------------------------------------------------------------------- weights */

size_t ffebmi_coarse_winograd_packed(const ffebmi_walk *w)
{
    return w->tiles->points * (scale_stride(w) + weights_stride(w) / 2);
}

void ffebmi_coarse_winograd_round(const ffebmi_walk *w, const float *packed, float *to, size_t panel)
{
    static const float zeros[FFEBMI_DIRECT_PANEL];
    const ffebmi_coarse *coarse = w->direct->coarse;
    size_t width = w->direct->panel;
    int16_t *integers = (int16_t *)(void *)(to + w->tiles->points * scale_stride(w)) + panel * panel_size(w);
    float levels = levels_of(w), units[FFEBMI_DIRECT_PANEL];

    for (size_t point = 0; point < w->tiles->points; point++) {
        const float *u = ffebmi_winograd_weights(w, packed, point, panel);
        float *scales = to + point * scale_stride(w) + panel * width;
        int16_t *pair = integers + point * weights_stride(w);

        coarse->largest(w->sources, width, u, scales);
        for (size_t i = 0; i < width; i++) {
            scales[i] = scales[i] < FFEBMI_COARSE_NOTHING ? 0 : scales[i] / levels;
            units[i] = scales[i] > 0 ? 1 / scales[i] : 0;
        }
        for (size_t source = 0; source < w->sources; source += 2, u += 2 * width, pair += 2 * width)
            coarse->join(width, u, source + 1 < w->sources ? u + width : zeros, units, pair);
    }
}

/* ------------------------------------------------------------------------------------------------------------ passes */

static int16_t *rounded(const ffebmi_winograd_tiles *t)
{
    return (int16_t *)(void *)t->source;
}

/* The transformed tile is made behind the rounded ones, which take half of the memory. */
void ffebmi_coarse_winograd_source(const ffebmi_walk *w, ffebmi_winograd_tiles *t, size_t place)
{
    size_t row = source_row(w) + LINE;
    float *exact = t->source + w->tiles->points * source_stride(w) / 2;

    ffebmi_winograd_transform_source(w, t, place, exact, row);
    t->scales[place] = w->direct->coarse->round(w->tiles->points, w->sources, exact, row, w->tiles->gains, levels_of(w),
                                                rounded(t) + place * source_row(w), source_stride(w));
}

void ffebmi_coarse_winograd_multiply(const ffebmi_walk *w, const ffebmi_winograd_tiles *t, size_t point, size_t panel)
{
    const int16_t *weights = (const int16_t *)(const void *)(w->panels + w->tiles->points * scale_stride(w));
    ffebmi_coarse_product product = {.x = rounded(t) + point * source_stride(w),
                                     .x_stride = source_row(w),
                                     .z = ffebmi_winograd_products(w, t, point, panel),
                                     .z_stride = FFEBMI_WINOGRAD_BLOCK,
                                     .rows = t->count,
                                     .scales = t->scales,
                                     .gain = w->tiles->gains[point],
                                     .weights = weights + point * weights_stride(w) + panel * panel_size(w),
                                     .weight_scales = w->panels + point * scale_stride(w) + panel * w->direct->panel,
                                     .pairs = pairs_of(w),
                                     .width = ffebmi_winograd_width(w, panel),
                                     .ahead = ffebmi_winograd_ahead(t, panel, panel_size(w), weights_stride(w))};

    w->direct->coarse->product(&product);
}

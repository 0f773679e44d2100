#include "kernel/direct_winograd.h"

#include <string.h>

#include "kernel/coarse_winograd.h"

enum {
    PIXELS = FFEBMI_WINOGRAD_SIDE * FFEBMI_WINOGRAD_SIDE, /* the most of a tile */
    TAPS = 9,
    TILES = FFEBMI_WINOGRAD_TILES,
    BLOCK = FFEBMI_WINOGRAD_BLOCK,
    CACHED_CHANNELS = 256, /* whose weights in a panel stay in the first-level cache while all tiles go over them */
    LINE = 16              /* numbers of a line of the cache */
};

/* From one point to the next: a line more than the tiles, or all points of a channel would meet in one set of the cache. */
static size_t point_stride(size_t channels)
{
    return TILES * channels + LINE;
}

static size_t weights_stride(const ffebmi_walk *w)
{
    return ffebmi_walk_panels(w) * w->direct->panel * w->sources + LINE;
}

static size_t tiles_of(const ffebmi_winograd *s, size_t target)
{
    return (target + s->tile - 1) / s->tile;
}

size_t ffebmi_winograd_count(const ffebmi_winograd *s, const size_t target[2])
{
    return tiles_of(s, target[0]) * tiles_of(s, target[1]) * s->points;
}

size_t ffebmi_winograd_packed(const ffebmi_walk *w)
{
    return w->tiles->points * weights_stride(w);
}

size_t ffebmi_winograd_scratch(const ffebmi_walk *w)
{
    return w->tiles->points * (point_stride(w->sources) + point_stride(BLOCK)) + w->sources + BLOCK;
}

void ffebmi_winograd_pack(const ffebmi_walk *w, const float *weights, size_t target_stride, size_t source_stride,
                          float *packed, size_t panel)
{
    size_t width = w->direct->panel, first = panel * width;

    for (size_t source = 0; source < w->sources; source++) {
        float window[TAPS][FFEBMI_DIRECT_PANEL] = {{0}};
        const float *rows[TAPS];

        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = window[w->sign > 0 ? tap : TAPS - 1 - tap];
        for (size_t i = 0; i < width && first + i < w->targets; i++) {
            const float *from = weights + (first + i) * target_stride + source * source_stride;

            for (size_t tap = 0; tap < TAPS; tap++)
                window[tap][i] = from[tap];
        }
        w->tiles->weights(width, rows, packed + (panel * w->sources + source) * width, weights_stride(w));
    }
}

void ffebmi_winograd_pixels(const ffebmi_winograd_image *image, size_t row, const size_t at[2], size_t side,
                            const float **pixels)
{
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            size_t y = at[0] + i, x = at[1] + j; /* wraps where it is before the image */
            bool inside = y < image->size[0] && x < image->size[1];
            size_t pixel = (row * image->size[0] + y) * image->size[1] + x;

            *pixels++ = inside ? image->pixels + pixel * image->channels : image->outside;
        }
}

void ffebmi_winograd_locate(const ffebmi_walk *w, size_t tile, size_t *row, size_t target[2], size_t source[2])
{
    size_t down = tiles_of(w->tiles, w->target[0]), across = tiles_of(w->tiles, w->target[1]);

    *row = tile / (down * across);
    target[0] = tile / across % down * w->tiles->tile;
    target[1] = tile % across * w->tiles->tile;
    for (int axis = 0; axis < 2; axis++)
        source[axis] = target[axis] - (w->sign > 0 ? w->padding[axis] : 2 - w->padding[axis]) + w->tiles->inset;
}

const float *ffebmi_winograd_weights(const ffebmi_walk *w, const float *packed, size_t point, size_t panel)
{
    return packed + point * weights_stride(w) + panel * w->sources * w->direct->panel;
}

float *ffebmi_winograd_products(const ffebmi_walk *w, const ffebmi_winograd_tiles *t, size_t point, size_t panel)
{
    return t->target + point * point_stride(BLOCK) + (panel - t->panel) * w->direct->panel;
}

size_t ffebmi_winograd_width(const ffebmi_walk *w, size_t panel)
{
    size_t left = w->targets - panel * w->direct->panel;

    return left < w->direct->panel ? left : w->direct->panel;
}

size_t ffebmi_winograd_ahead(const ffebmi_winograd_tiles *t, size_t panel, size_t panel_size, size_t point_size)
{
    return panel + 1 < t->panel + t->panels ? panel_size : point_size - (t->panels - 1) * panel_size;
}

void ffebmi_winograd_transform_source(const ffebmi_walk *w, const ffebmi_winograd_tiles *t, size_t place, float *v,
                                      size_t stride)
{
    const ffebmi_winograd_image image = {w->x, {w->source[0], w->source[1]}, w->sources, t->zeros};
    const float *x[PIXELS];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, t->first + place, &row, target, source);
    ffebmi_winograd_pixels(&image, row, source, w->tiles->side, x);
    w->tiles->source(w->sources, x, v, stride);
}

static void multiply(const ffebmi_walk *w, const ffebmi_winograd_tiles *t, size_t point, size_t panel)
{
    size_t width = w->direct->panel;
    const float *weights = ffebmi_winograd_weights(w, w->panels, point, panel);
    ffebmi_direct_product product = {.x = t->source + point * point_stride(w->sources),
                                     .x_stride = w->sources,
                                     .z = ffebmi_winograd_products(w, t, point, panel),
                                     .z_stride = BLOCK,
                                     .rows = t->count,
                                     .width = ffebmi_winograd_width(w, panel),
                                     .ahead = ffebmi_winograd_ahead(t, panel, w->sources * width, weights_stride(w))};

    for (size_t c = 0; c < w->sources; c += product.channels) {
        product.channels = w->sources - c < CACHED_CHANNELS ? w->sources - c : CACHED_CHANNELS;
        product.weights = weights + c * width;
        product.accumulate = c > 0;
        w->direct->product(&product);
        product.x += product.channels;
    }
}

static void transform_target(const ffebmi_walk *w, const ffebmi_winograd_tiles *t, size_t place)
{
    size_t first = t->panel * w->direct->panel, left = w->targets - first;
    const ffebmi_winograd_image image = {w->z + first, {w->target[0], w->target[1]}, w->targets, t->beyond};
    const float *pixels[PIXELS];
    float *z[PIXELS];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, t->first + place, &row, target, source);
    ffebmi_winograd_pixels(&image, row, target, w->tiles->tile, pixels);
    for (size_t i = 0; i < w->tiles->tile * w->tiles->tile; i++)
        z[i] = (float *)(uintptr_t)pixels[i];
    w->tiles->target(left < BLOCK ? left : BLOCK, t->target + place * BLOCK, point_stride(BLOCK), w->accumulate, z);
}

/* The targets of a block of panels, of all tiles: their products stay in the second-level cache until they are transformed
 * back. */
static void run_block(const ffebmi_walk *w, const ffebmi_winograd_tiles *t)
{
    for (size_t point = 0; point < w->tiles->points; point++)
        for (size_t panel = t->panel; panel < t->panel + t->panels; panel++)
            (w->rounded ? ffebmi_coarse_winograd_multiply : multiply)(w, t, point, panel);
    for (size_t i = 0; i < t->count; i++)
        transform_target(w, t, i);
}

void ffebmi_winograd_run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    size_t end = rows * tiles_of(w->tiles, w->target[0]) * tiles_of(w->tiles, w->target[1]),
           panels = ffebmi_walk_panels(w);
    ffebmi_winograd_tiles t = {.source = scratch, .target = scratch + w->tiles->points * point_stride(w->sources)};

    t.zeros = t.target + w->tiles->points * point_stride(BLOCK);
    t.beyond = t.zeros + w->sources;
    memset(t.zeros, 0, (w->sources + BLOCK) * sizeof *t.zeros);
    for (; t.first < end; t.first += t.count) {
        t.count = end - t.first < TILES ? end - t.first : TILES;
        for (size_t i = 0; i < t.count; i++)
            if (w->rounded)
                ffebmi_coarse_winograd_source(w, &t, i);
            else
                ffebmi_winograd_transform_source(w, &t, i, t.source + i * w->sources, point_stride(w->sources));
        for (t.panel = 0; t.panel < panels; t.panel += t.panels) {
            t.panels = panels - t.panel < BLOCK / w->direct->panel ? panels - t.panel : BLOCK / w->direct->panel;
            run_block(w, &t);
        }
    }
}

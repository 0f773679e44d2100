/* The walk by cells in 16-bit integers (products/int16.h): the transformed source and the transformed weights are rounded, the
 * products of a point scaled back to float32, and transformed back as ever. Its weights are scales, [point][target], and behind
 * them integers, [point][panel][pair of sources][target in the panel][2]. */
#include "convolution/cells.h"
#include "convolution/winograd.h"

enum { LINE = 32 }; /* integers of a line of the cache */

static size_t pairs_of(const ffebmi_pass *p)
{
    return (p->sources + 1) / 2;
}

static float levels_of(const ffebmi_pass *p)
{
    return (float)ffebmi_int16_levels(2 * pairs_of(p));
}

static size_t scale_stride(const ffebmi_pass *p)
{
    return p->panels * p->products->panel;
}

static size_t panel_size(const ffebmi_pass *p)
{
    return 2 * pairs_of(p) * p->products->panel;
}

/* Lines between points keep them apart in the cache. */
static size_t weights_stride(const ffebmi_pass *p)
{
    return p->panels * panel_size(p) + LINE;
}

static size_t source_row(const ffebmi_pass *p)
{
    return 2 * pairs_of(p);
}

static size_t source_stride(const ffebmi_pass *p)
{
    return FFEBMI_CELLS * source_row(p) + LINE;
}

/* ---------------------------------------------------------------------------------------------------------- weights */

static size_t packed(const ffebmi_pass *p)
{
    return p->scheme->points * (scale_stride(p) + weights_stride(p) / 2);
}

static void pack(const ffebmi_pass *p, const float *full, float *to, size_t panel)
{
    static const float zeros[FFEBMI_PANEL];
    const ffebmi_int16 *products = p->products->int16;
    size_t width = p->products->panel;
    int16_t *integers = (int16_t *)(void *)(to + p->scheme->points * scale_stride(p)) + panel * panel_size(p);
    float levels = levels_of(p), units[FFEBMI_PANEL];

    for (size_t point = 0; point < p->scheme->points; point++) {
        const float *u = ffebmi_winograd_weights(p, full, point, panel);
        float *scales = to + point * scale_stride(p) + panel * width;
        int16_t *pair = integers + point * weights_stride(p);

        products->largest(p->sources, width, u, scales);
        for (size_t i = 0; i < width; i++) {
            scales[i] = scales[i] < FFEBMI_INT16_NOTHING ? 0 : scales[i] / levels;
            units[i] = scales[i] > 0 ? 1 / scales[i] : 0;
        }
        for (size_t source = 0; source < p->sources; source += 2, u += 2 * width, pair += 2 * width)
            products->join(width, u, source + 1 < p->sources ? u + width : zeros, units, pair);
    }
}

/* ------------------------------------------------------------------------------------------------------------ steps */

static int16_t *rounded(const ffebmi_cells *c)
{
    return (int16_t *)(void *)c->source;
}

/* The transformed cell is made behind the rounded ones, which take half of the memory. */
static void source(const ffebmi_walk *w, ffebmi_cells *c, size_t place)
{
    const ffebmi_pass *p = w->pass;
    size_t row = source_row(p) + LINE;
    float *full = c->source + p->scheme->points * source_stride(p) / 2;

    ffebmi_cells_source(w, c, place, full, row);
    c->scales[place] = p->products->int16->round(p->scheme->points, p->sources, full, row, p->scheme->gains,
                                                 levels_of(p), rounded(c) + place * source_row(p), source_stride(p));
}

static void multiply(const ffebmi_walk *w, const ffebmi_cells *c, size_t point, size_t panel)
{
    const ffebmi_pass *p = w->pass;
    const int16_t *weights = (const int16_t *)(const void *)(w->weights + p->scheme->points * scale_stride(p));
    ffebmi_int16_product product = {.x = rounded(c) + point * source_stride(p),
                                    .x_stride = source_row(p),
                                    .z = ffebmi_cells_products_at(w, c, point, panel),
                                    .z_stride = FFEBMI_CELL_BLOCK,
                                    .rows = c->count,
                                    .scales = c->scales,
                                    .gain = p->scheme->gains[point],
                                    .weights = weights + point * weights_stride(p) + panel * panel_size(p),
                                    .weight_scales = w->weights + point * scale_stride(p) + panel * p->products->panel,
                                    .pairs = pairs_of(p),
                                    .width = ffebmi_cells_width(p, panel),
                                    .ahead = ffebmi_cells_ahead(c, panel, panel_size(p), weights_stride(p))};

    p->products->int16->product(&product);
}

static void run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    static const ffebmi_cell_steps steps = {source, multiply};

    ffebmi_cells_run(w, &steps, rows, scratch);
}

const ffebmi_walk_method ffebmi_walk_int16 = {
    .name = "int16", .packed = packed, .pack = pack, .scratch = ffebmi_cells_scratch, .run = run};

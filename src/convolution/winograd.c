/* The walk by cells in full precision. Its weights are transformed ones, [point][panel][source][target in the panel]. */
#include "convolution/winograd.h"

#include "convolution/cells.h"

enum {
    TAPS = FFEBMI_CELL_TAPS,
    CACHED_CHANNELS = 256, /* whose weights in a panel stay in the first-level cache while all cells go over them */
    LINE = 16              /* numbers of a line of the cache */
};

static size_t weights_stride(const ffebmi_pass *p)
{
    return p->panels * p->products->panel * p->sources + LINE;
}

static size_t packed(const ffebmi_pass *p)
{
    return p->scheme->points * weights_stride(p);
}

/* Passes of sign -1 see the window turned round. */
static void pack(const ffebmi_pass *p, const float *weights, float *to, size_t panel)
{
    size_t width = p->products->panel, first = panel * width;

    for (size_t source = 0; source < p->sources; source++) {
        float window[TAPS][FFEBMI_PANEL] = {{0}};
        const float *rows[TAPS];

        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = window[p->sign > 0 ? tap : TAPS - 1 - tap];
        for (size_t i = 0; i < width && first + i < p->targets; i++) {
            const float *from = weights + (first + i) * p->target_stride + source * p->source_stride;

            for (size_t tap = 0; tap < TAPS; tap++)
                window[tap][i] = from[tap];
        }
        p->scheme->weights(width, rows, to + (panel * p->sources + source) * width, weights_stride(p));
    }
}

const float *ffebmi_winograd_weights(const ffebmi_pass *p, const float *from, size_t point, size_t panel)
{
    return from + point * weights_stride(p) + panel * p->sources * p->products->panel;
}

static void source(const ffebmi_walk *w, ffebmi_cells *c, size_t place)
{
    ffebmi_cells_source(w, c, place, c->source + place * w->pass->sources,
                        ffebmi_cells_source_stride(w->pass->sources));
}

static void multiply(const ffebmi_walk *w, const ffebmi_cells *c, size_t point, size_t panel)
{
    const ffebmi_pass *p = w->pass;
    size_t width = p->products->panel;
    const float *weights = ffebmi_winograd_weights(p, w->weights, point, panel);
    ffebmi_row_product product = {.x = c->source + point * ffebmi_cells_source_stride(p->sources),
                                  .x_stride = p->sources,
                                  .z = ffebmi_cells_products_at(w, c, point, panel),
                                  .z_stride = FFEBMI_CELL_BLOCK,
                                  .rows = c->count,
                                  .width = ffebmi_cells_width(p, panel),
                                  .ahead = ffebmi_cells_ahead(c, panel, p->sources * width, weights_stride(p))};

    for (size_t channel = 0; channel < p->sources; channel += product.channels) {
        product.channels = p->sources - channel < CACHED_CHANNELS ? p->sources - channel : CACHED_CHANNELS;
        product.weights = weights + channel * width;
        product.accumulate = channel > 0;
        p->products->rows(&product);
        product.x += product.channels;
    }
}

static void run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    static const ffebmi_cell_steps steps = {source, multiply};

    ffebmi_cells_run(w, &steps, rows, scratch);
}

const ffebmi_walk_method ffebmi_walk_winograd = {
    .name = "winograd", .packed = packed, .pack = pack, .scratch = ffebmi_cells_scratch, .run = run};

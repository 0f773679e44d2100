/* Convolution without gathering, in float32: a register tile of outputs, some positions by one panel of channels, takes the
 * taps of the window and the channels below them. Where there are products for it (products/products.h). */
#include "convolution/cells.h"
#include "convolution/method.h"

#include <string.h>

enum {
    BLOCK_ELEMENTS =
        131072, /* of source images that all panels go over before the next: they stay in the second-level cache */
    BLOCK_ROWS = 64,
    FULL_PIXELS = 64, /* of the target, at least, in a block of strided images, or register tiles would not be full */
    LEAST_CHANNELS = 16,  /* that are worth transforming cells */
    ROUNDED_CHANNELS = 64 /* that are worth rounding */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    return arithmetic->products != NULL && c->taps <= FFEBMI_PASS_TAPS;
}

/* ------------------------------------------------------------------------------------------------------------- plan */

/* Taps that lie on the source image, over all target pixels. */
static size_t products_of(const ffebmi_pass *p)
{
    size_t sums[2] = {0};

    for (int axis = 0; axis < 2; axis++)
        for (ffebmi_segment s = {0}; ffebmi_pass_next(p, axis, &s);)
            sums[axis] += s.pixels * s.taps;
    return sums[0] * sums[1];
}

static bool is_strided(const ffebmi_pass *p)
{
    return p->source_step[0] * p->source_step[1] * p->target_step[0] * p->target_step[1] > 1;
}

/* The scheme that is fewer products, by enough to make up for its transforms, or NULL. */
static const ffebmi_winograd *scheme_of(const ffebmi_pass *p)
{
    const ffebmi_winograd *cells = p->products->schemes[0], *whole = p->products->schemes[1];

    if (p->kernel[0] != 3 || p->kernel[1] != 3 || p->sources < LEAST_CHANNELS || p->targets < LEAST_CHANNELS)
        return NULL;
    if (is_strided(p))
        return NULL;
    if (p->source[0] == 2 && p->source[1] == 2 && p->padding[0] == 1 && p->padding[1] == 1)
        return whole;
    return 3 * ffebmi_cells_products(cells, p->target) < 2 * products_of(p) ? cells : NULL;
}

static size_t block_of(const ffebmi_pass *p)
{
    size_t image = p->source[0] * p->source[1] * p->sources;

    size_t pixels = p->target[0] * p->target[1];
    size_t least = is_strided(p) ? (FULL_PIXELS + pixels - 1) / pixels : FFEBMI_POSITIONS;

    return smaller(larger(BLOCK_ELEMENTS / image, least), BLOCK_ROWS);
}

static ffebmi_pass pass_of(const ffebmi_convolution *c, const ffebmi_arithmetic *a, int sign)
{
    const ffebmi_windows *g = &c->windows;
    const size_t *source = sign > 0 ? g->in : g->out, *target = sign > 0 ? g->out : g->in;
    ffebmi_pass p = {.products = a->products,
                     .source = {source[0], source[1]},
                     .target = {target[0], target[1]},
                     .kernel = {g->kernel[0], g->kernel[1]},
                     .padding = {g->padding[0], g->padding[1]},
                     .target_step = {sign > 0 ? 1 : g->stride[0], sign > 0 ? 1 : g->stride[1]},
                     .source_step = {sign > 0 ? g->stride[0] : 1, sign > 0 ? g->stride[1] : 1},
                     .sources = sign > 0 ? g->channels : c->out_channels,
                     .targets = sign > 0 ? c->out_channels : g->channels,
                     .sign = sign,
                     .source_stride = sign > 0 ? c->taps : c->patch,
                     .target_stride = sign > 0 ? c->patch : c->taps};

    p.panels = (p.targets + p.products->panel - 1) / p.products->panel;
    p.block = block_of(&p);
    p.scheme = a->winograd ? scheme_of(&p) : NULL;
    p.method = p.scheme != NULL ? &ffebmi_walk_winograd : &ffebmi_walk_sums;
    if (p.scheme != NULL && p.products->int16 != NULL && p.sources >= ROUNDED_CHANNELS)
        p.rounded = &ffebmi_walk_int16;
    return p;
}

static size_t rounded_size(const ffebmi_pass *p)
{
    return p->rounded != NULL ? p->rounded->packed(p) : 0;
}

static void plan(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, bool in_turn)
{
    size_t up, down;

    c->up = pass_of(c, arithmetic, 1);
    c->down = pass_of(c, arithmetic, -1);
    up = c->up.method->packed(&c->up);
    down = c->down.method->packed(&c->down);
    c->down_start = in_turn ? 0 : up;
    c->packed = in_turn ? larger(up, down) : up + down;
    c->int16_down_start = rounded_size(&c->up);
    c->int16 = c->int16_down_start + rounded_size(&c->down);
    c->scratch = larger(c->up.method->scratch(&c->up), c->down.method->scratch(&c->down));
}

/* ---------------------------------------------------------------------------------------------------------- packing */

static size_t pack_units(const ffebmi_convolution *c, unsigned passes)
{
    return (passes & FFEBMI_UP ? c->up.panels : 0) + (passes & FFEBMI_DOWN ? c->down.panels : 0);
}

static void pack(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed, size_t first,
                 size_t count)
{
    size_t split = passes & FFEBMI_UP ? c->up.panels : 0;

    for (size_t unit = first; unit < first + count; unit++) {
        if (unit < split)
            c->up.method->pack(&c->up, weights, packed, unit);
        else
            c->down.method->pack(&c->down, weights, (float *)packed + c->down_start, unit - split);
    }
}

static void pack_int16(const ffebmi_convolution *c, const void *packed, void *int16, size_t first, size_t count)
{
    for (size_t unit = first; unit < first + count; unit++) {
        if (unit < c->up.panels && c->up.rounded != NULL)
            c->up.rounded->pack(&c->up, packed, int16, unit);
        else if (unit >= c->up.panels && c->down.rounded != NULL)
            c->down.rounded->pack(&c->down, (const float *)packed + c->down_start, (float *)int16 + c->int16_down_start,
                                  unit - c->up.panels);
    }
}

/* ------------------------------------------------------------------------------------------------------------ passes */

static bool is_empty(const ffebmi_walk *w, size_t rows)
{
    size_t line = w->pass->source[1] * w->pass->sources;

    for (size_t i = 0; i < rows * w->pass->source[0]; i++)
        if (w->pass->products->nonzero(line, w->x + i * line) > 0)
            return false;
    return true;
}

static void run(ffebmi_walk *w, const float *full, const float *int16, size_t rows, float *scratch)
{
    const ffebmi_pass *p = w->pass;
    bool rounded = int16 != NULL && p->rounded != NULL;

    w->weights = rounded ? int16 : full;
    if (!is_empty(w, rows))
        (rounded ? p->rounded : p->method)->run(w, rows, scratch);
    else if (!w->accumulate) /* displacements before the nudge has reached them */
        memset(w->z, 0, rows * p->target[0] * p->target[1] * p->targets * sizeof *w->z);
}

static void up(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s, void *z,
               void *scratch)
{
    run(&(ffebmi_walk){.pass = &c->up, .x = s, .z = z}, packed->full, packed->int16, rows, scratch);
}

static void down(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v, bool accumulate,
                 void *z, void *scratch)
{
    const float *int16 = packed->int16;

    run(&(ffebmi_walk){.pass = &c->down, .x = v, .z = z, .accumulate = accumulate},
        (const float *)packed->full + c->down_start, int16 != NULL ? int16 + c->int16_down_start : NULL, rows, scratch);
}

const ffebmi_convolution_method ffebmi_method_direct = {.name = "direct",
                                                        .serves = serves,
                                                        .plan = plan,
                                                        .pack_units = pack_units,
                                                        .pack = pack,
                                                        .pack_int16 = pack_int16,
                                                        .up = up,
                                                        .down = down};

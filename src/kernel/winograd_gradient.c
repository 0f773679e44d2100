/* The gradient of 3 x 3 weights by tiles: the transposed algorithm, a product of tiles for each of the 36 points. */
#include <string.h>

#include "kernel/direct_winograd.h"

enum {
    TILE = FFEBMI_WINOGRAD_TILE,
    SIDE = FFEBMI_WINOGRAD_SIDE,
    POINTS = FFEBMI_WINOGRAD_POINTS,
    TAPS = 9,
    TILES = 32 /* transformed at a time */
};

size_t ffebmi_winograd_gradient_scratch(size_t outs, size_t sources)
{
    return POINTS * (TILES * (sources + outs) + outs * sources) + sources + outs;
}

ffebmi_winograd_sum ffebmi_winograd_gradient_begin(const ffebmi_walk *w, size_t outs, float *scratch)
{
    ffebmi_winograd_sum s = {.source = scratch, .cotangent = scratch + POINTS * TILES * w->sources, .outs = outs};

    s.products = s.cotangent + POINTS * TILES * outs;
    s.zeros = s.products + POINTS * outs * w->sources;
    memset(s.products, 0, (POINTS * outs * w->sources + w->sources + outs) * sizeof *s.products);
    return s;
}

static void transform(const ffebmi_walk *w, const float *v, const ffebmi_winograd_sum *to, size_t tile, size_t place)
{
    const ffebmi_winograd_image below = {w->x, {w->source[0], w->source[1]}, w->sources, to->zeros};
    const ffebmi_winograd_image above = {v, {w->target[0], w->target[1]}, w->targets, to->zeros};
    const float *x[SIDE * SIDE], *z[TILE * TILE];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, tile, &row, target, source);
    ffebmi_winograd_pixels(&below, row, source, SIDE, x);
    ffebmi_winograd_pixels(&above, row, target, TILE, z);
    w->direct->winograd->source(w->sources, x, to->source + place * w->sources, TILES * w->sources);
    w->direct->winograd->cotangent(to->outs, z, to->cotangent + place * to->outs, TILES * to->outs);
}

static void multiply(const ffebmi_walk *w, const ffebmi_winograd_sum *s, size_t point, size_t tiles)
{
    const ffebmi_direct *d = w->direct;
    ffebmi_direct_outer outer = {.pairs = 1,
                                 .factor = 1,
                                 .z_stride = w->sources,
                                 .extents = {1, 1, tiles},
                                 .x_strides = {0, 0, s->outs},
                                 .y_strides = {0, 0, w->sources}};

    for (size_t o = 0, count; o < s->outs; o += count) {
        count = s->outs - o < d->positions ? s->outs - o : d->positions;
        for (size_t c = 0; c < w->sources; c += d->panel) {
            outer.x[0] = s->cotangent + point * TILES * s->outs + o;
            outer.y[0] = s->source + point * TILES * w->sources + c;
            outer.z = s->products + (point * s->outs + o) * w->sources + c;
            outer.width = w->sources - c < d->panel ? w->sources - c : d->panel;
            d->outer(&outer, count);
        }
    }
}

void ffebmi_winograd_gradient_add(const ffebmi_walk *w, const ffebmi_winograd_sum *s, size_t rows, const float *v)
{
    size_t total = rows * ffebmi_winograd_products(w->target) / POINTS;

    for (size_t first = 0, count; first < total; first += count) {
        count = total - first < TILES ? total - first : TILES;
        for (size_t i = 0; i < count; i++)
            transform(w, v, s, first + i, i);
        for (size_t point = 0; point < POINTS; point++)
            multiply(w, s, point, count);
    }
}

void ffebmi_winograd_gradient_end(const ffebmi_walk *w, const ffebmi_winograd_sum *s, double factor, float *to)
{
    float *rows[TAPS];

    for (size_t o = 0; o < s->outs; o++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = to + (o * TAPS + tap) * w->sources;
        w->direct->winograd->gradient(w->sources, s->products + o * w->sources, s->outs * w->sources, (float)factor,
                                      rows);
    }
}

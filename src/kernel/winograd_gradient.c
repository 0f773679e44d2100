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

typedef struct work {
    float *source;    /* [point][TILES][sources] */
    float *cotangent; /* [point][TILES][outs] */
    float *products;  /* [point][outs][sources] */
    float *zeros;     /* what lies outside of an image */
} work;

size_t ffebmi_winograd_gradient_scratch(size_t outs, size_t sources)
{
    return POINTS * (TILES * (sources + outs) + outs * sources) + sources + outs;
}

static void transform(const ffebmi_walk *w, const float *v, size_t outs, const work *to, size_t tile, size_t place)
{
    const ffebmi_winograd_image below = {w->x, {w->source[0], w->source[1]}, w->sources, to->zeros};
    const ffebmi_winograd_image above = {v, {w->target[0], w->target[1]}, w->targets, to->zeros};
    const float *x[SIDE * SIDE], *z[TILE * TILE];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, tile, &row, target, source);
    ffebmi_winograd_pixels(&below, row, source, SIDE, x);
    ffebmi_winograd_pixels(&above, row, target, TILE, z);
    w->direct->winograd->source(w->sources, x, to->source + place * w->sources, TILES * w->sources);
    w->direct->winograd->cotangent(outs, z, to->cotangent + place * outs, TILES * outs);
}

static void multiply(const ffebmi_walk *w, const work *on, size_t point, size_t tiles, size_t outs)
{
    const ffebmi_direct *d = w->direct;
    ffebmi_direct_outer outer = {
        .z_stride = w->sources, .extents = {1, 1, tiles}, .x_strides = {0, 0, outs}, .y_strides = {0, 0, w->sources}};

    for (size_t o = 0, count; o < outs; o += count) {
        count = outs - o < d->positions ? outs - o : d->positions;
        for (size_t c = 0; c < w->sources; c += d->panel) {
            outer.x = on->cotangent + point * TILES * outs + o;
            outer.y = on->source + point * TILES * w->sources + c;
            outer.z = on->products + (point * outs + o) * w->sources + c;
            outer.width = w->sources - c < d->panel ? w->sources - c : d->panel;
            d->outer(&outer, count);
        }
    }
}

static void transform_back(const ffebmi_walk *w, const work *from, size_t outs, float *to)
{
    float *rows[TAPS];

    for (size_t o = 0; o < outs; o++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = to + (o * TAPS + tap) * w->sources;
        w->direct->winograd->gradient(w->sources, from->products + o * w->sources, outs * w->sources, rows);
    }
}

void ffebmi_winograd_gradient(const ffebmi_walk *w, size_t rows, const float *v, size_t from, size_t outs, float *to,
                              float *scratch)
{
    size_t total = rows * ffebmi_winograd_products(w->target) / POINTS;
    work on = {.source = scratch, .cotangent = scratch + POINTS * TILES * w->sources};

    on.products = on.cotangent + POINTS * TILES * outs;
    on.zeros = on.products + POINTS * outs * w->sources;
    memset(on.products, 0, (POINTS * outs * w->sources + w->sources + outs) * sizeof *on.products);
    for (size_t first = 0, count; first < total; first += count) {
        count = total - first < TILES ? total - first : TILES;
        for (size_t i = 0; i < count; i++)
            transform(w, v + from, outs, &on, first + i, i);
        for (size_t point = 0; point < POINTS; point++)
            multiply(w, &on, point, count, outs);
    }
    transform_back(w, &on, outs, to);
}

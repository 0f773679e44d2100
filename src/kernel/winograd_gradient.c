/* The gradient of 3 x 3 weights by tiles: the transposed algorithm, a product of tiles for each point.
 * Channels of the source are taken a block at a time, so that the products of a block stay in cache over all tiles. */
#include <string.h>

#include "kernel/direct_winograd.h"

enum {
    PIXELS = FFEBMI_WINOGRAD_SIDE * FFEBMI_WINOGRAD_SIDE, /* the most of a tile */
    TAPS = 9,
    TILES = 64,  /* transformed at a time */
    BLOCK = 128, /* channels of the source */
    LINE = 16    /* numbers of a line of the cache */
};

/* The block and the tiles at work. Rows of transformed tiles are a line longer than they need to be, or all tiles of a
 * channel would meet in one set of the cache. */
typedef struct sums {
    const ffebmi_walk *walk;
    const ffebmi_winograd_pairs *pairs;
    size_t tiles; /* of a pair */
    size_t outs;
    size_t channel; /* the first of the block */
    size_t channels;
    size_t source_row;    /* numbers of a row */
    size_t cotangent_row; /* likewise */
    float *source;        /* [point][tile][source_row] */
    float *cotangent;     /* [point][tile][cotangent_row] */
    float *products;      /* [point][out][source_row] */
    float *zeros;         /* what lies outside of an image */
} sums;

static size_t source_row_of(size_t sources)
{
    return (sources < BLOCK ? sources : BLOCK) + LINE;
}

size_t ffebmi_winograd_gradient_scratch(const ffebmi_walk *w, size_t outs)
{
    size_t sources = w->sources, row = source_row_of(sources);

    return w->tiles->points * (TILES * (row + outs + LINE) + outs * row) + (sources > outs ? sources : outs);
}

static sums place(const ffebmi_walk *w, const ffebmi_winograd_pairs *pairs, size_t rows, size_t outs, float *scratch)
{
    sums s = {.walk = w,
              .pairs = pairs,
              .tiles = rows * ffebmi_winograd_count(w->tiles, w->target) / w->tiles->points,
              .outs = outs,
              .source_row = source_row_of(w->sources),
              .cotangent_row = outs + LINE,
              .source = scratch};

    s.cotangent = scratch + w->tiles->points * TILES * s.source_row;
    s.products = s.cotangent + w->tiles->points * TILES * s.cotangent_row;
    s.zeros = s.products + w->tiles->points * outs * s.source_row;
    memset(s.zeros, 0, (w->sources > outs ? w->sources : outs) * sizeof *s.zeros);
    return s;
}

/* Tiles are counted over images, and those of a second pair follow the first's. */
static void transform(const sums *s, size_t tile, size_t place)
{
    const ffebmi_walk *w = s->walk;
    size_t pair = tile / s->tiles, row, target[2], source[2];
    const ffebmi_winograd_image below = {
        s->pairs->x[pair] + s->channel, {w->source[0], w->source[1]}, w->sources, s->zeros};
    const ffebmi_winograd_image above = {s->pairs->v[pair], {w->target[0], w->target[1]}, w->targets, s->zeros};
    const float *x[PIXELS], *z[PIXELS];

    ffebmi_winograd_locate(w, tile % s->tiles, &row, target, source);
    ffebmi_winograd_pixels(&below, row, source, w->tiles->side, x);
    ffebmi_winograd_pixels(&above, row, target, w->tiles->tile, z);
    w->tiles->source(s->channels, x, s->source + place * s->source_row, TILES * s->source_row);
    w->tiles->cotangent(s->outs, z, s->cotangent + place * s->cotangent_row, TILES * s->cotangent_row);
}

static void multiply(const sums *s, size_t point, size_t tiles)
{
    const ffebmi_direct *d = s->walk->direct;
    const float *source = s->source + point * TILES * s->source_row;
    const float *cotangent = s->cotangent + point * TILES * s->cotangent_row;
    ffebmi_direct_outer outer = {.x_stride = s->cotangent_row,
                                 .y_stride = s->source_row,
                                 .count = tiles,
                                 .factor = 1,
                                 .z_stride = s->source_row};

    for (size_t c = 0; c < s->channels; c += d->panel)
        for (size_t o = 0, count; o < s->outs; o += count) {
            count = ffebmi_walk_share(s->outs - o, d->positions);
            outer.x = cotangent + o;
            outer.y = source + c;
            outer.z = s->products + (point * s->outs + o) * s->source_row + c;
            outer.width = s->channels - c < d->panel ? s->channels - c : d->panel;
            d->outer(&outer, count);
        }
}

static void transform_back(const sums *s, double factor, float *to)
{
    float *rows[TAPS];

    for (size_t o = 0; o < s->outs; o++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = to + (o * TAPS + tap) * s->walk->sources + s->channel;
        s->walk->tiles->gradient(s->channels, s->products + o * s->source_row, s->outs * s->source_row, (float)factor,
                                 rows);
    }
}

void ffebmi_winograd_gradient(const ffebmi_walk *w, const ffebmi_winograd_pairs *pairs, size_t rows, size_t outs,
                              double factor, float *to, float *scratch)
{
    sums s = place(w, pairs, rows, outs, scratch);
    size_t total = pairs->count * s.tiles;

    for (; s.channel < w->sources; s.channel += s.channels) {
        s.channels = w->sources - s.channel < BLOCK ? w->sources - s.channel : BLOCK;
        memset(s.products, 0, w->tiles->points * outs * s.source_row * sizeof *s.products);
        for (size_t first = 0, count; first < total; first += count) {
            count = total - first < TILES ? total - first : TILES;
            for (size_t i = 0; i < count; i++)
                transform(&s, first + i, i);
            for (size_t point = 0; point < w->tiles->points; point++)
                multiply(&s, point, count);
        }
        transform_back(&s, factor, to);
    }
}

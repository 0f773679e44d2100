#include "kernel/direct_winograd.h"

#include <string.h>

enum {
    TILE = FFEBMI_WINOGRAD_TILE,
    SIDE = FFEBMI_WINOGRAD_SIDE,
    POINTS = FFEBMI_WINOGRAD_POINTS,
    TAPS = 9,
    TILES = 32, /* transformed at a time */
    LINE = 16   /* numbers of a line of the cache */
};

/* The tiles at work, and where they are transformed to. */
typedef struct tiles {
    size_t first; /* tiles are counted over images */
    size_t count;
    float *source; /* [point][TILES][sources] */
    float *target; /* [point][TILES][targets] */
    float *zeros;  /* what lies outside of the source image, [sources] */
    float *beyond; /* and of the target image */
} tiles;

/* From one point to the next: a line more than the tiles, or all points of a channel would meet in one set of the cache. */
static size_t point_stride(size_t channels)
{
    return TILES * channels + LINE;
}

static size_t weights_stride(const ffebmi_walk *w)
{
    return ffebmi_walk_panels(w) * w->direct->panel * w->sources + LINE;
}

static size_t tiles_of(size_t target)
{
    return (target + TILE - 1) / TILE;
}

size_t ffebmi_winograd_products(const size_t target[2])
{
    return tiles_of(target[0]) * tiles_of(target[1]) * POINTS;
}

size_t ffebmi_winograd_packed(const ffebmi_walk *w)
{
    return POINTS * weights_stride(w);
}

size_t ffebmi_winograd_scratch(const ffebmi_walk *w)
{
    return POINTS * (point_stride(w->sources) + point_stride(w->targets)) + w->sources + w->targets;
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
        w->direct->winograd->weights(width, rows, packed + (panel * w->sources + source) * width, weights_stride(w));
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
    size_t down = tiles_of(w->target[0]), across = tiles_of(w->target[1]);

    *row = tile / (down * across);
    target[0] = tile / across % down * TILE;
    target[1] = tile % across * TILE;
    for (int axis = 0; axis < 2; axis++)
        source[axis] = target[axis] - (w->sign > 0 ? w->padding[axis] : 2 - w->padding[axis]);
}

static void transform_source(const ffebmi_walk *w, const tiles *t, size_t place)
{
    const ffebmi_winograd_image image = {w->x, {w->source[0], w->source[1]}, w->sources, t->zeros};
    const float *x[POINTS];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, t->first + place, &row, target, source);
    ffebmi_winograd_pixels(&image, row, source, SIDE, x);
    w->direct->winograd->source(w->sources, x, t->source + place * w->sources, point_stride(w->sources));
}

static void multiply(const ffebmi_walk *w, const tiles *t, size_t point, size_t panel)
{
    size_t width = w->direct->panel;
    const float *weights = w->panels + point * weights_stride(w) + panel * w->sources * width;
    const float *source = t->source + point * point_stride(w->sources);
    float *target = t->target + point * point_stride(w->targets) + panel * width;
    ptrdiff_t offset = 0;
    ffebmi_direct_tile tile = {.offsets = &offset,
                               .weights = &weights,
                               .taps = 1,
                               .channels = w->sources,
                               .ahead = width * w->sources,
                               .width = w->targets - panel * width < width ? w->targets - panel * width : width};

    for (size_t i = 0, count; i < t->count; i += count) {
        count = ffebmi_walk_group(w, t->count - i);
        for (size_t p = 0; p < count; p++) {
            tile.x[p] = source + (i + p) * w->sources;
            tile.z[p] = target + (i + p) * w->targets;
        }
        w->direct->tile(&tile, count);
    }
}

static void transform_target(const ffebmi_walk *w, const tiles *t, size_t place)
{
    const ffebmi_winograd_image image = {w->z, {w->target[0], w->target[1]}, w->targets, t->beyond};
    const float *pixels[TILE * TILE];
    float *z[TILE * TILE];
    size_t row, target[2], source[2];

    ffebmi_winograd_locate(w, t->first + place, &row, target, source);
    ffebmi_winograd_pixels(&image, row, target, TILE, pixels);
    for (size_t i = 0; i < TILE * TILE; i++)
        z[i] = (float *)(uintptr_t)pixels[i];
    w->direct->winograd->target(w->targets, t->target + place * w->targets, point_stride(w->targets), w->accumulate, z);
}

void ffebmi_winograd_run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    tiles t = {.source = scratch, .target = scratch + POINTS * point_stride(w->sources)};
    size_t end = rows * tiles_of(w->target[0]) * tiles_of(w->target[1]);

    t.zeros = t.target + POINTS * point_stride(w->targets);
    t.beyond = t.zeros + w->sources;
    memset(t.zeros, 0, (w->sources + w->targets) * sizeof *t.zeros);
    for (; t.first < end; t.first += t.count) {
        t.count = end - t.first < TILES ? end - t.first : TILES;
        for (size_t i = 0; i < t.count; i++)
            transform_source(w, &t, i);
        for (size_t point = 0; point < POINTS; point++)
            for (size_t panel = 0; panel < ffebmi_walk_panels(w); panel++)
                multiply(w, &t, point, panel);
        for (size_t i = 0; i < t.count; i++)
            transform_target(w, &t, i);
    }
}

#include "kernel/direct_winograd.h"

#include <string.h>

#include "kernel/winograd.h"

enum {
    TILE = FFEBMI_WINOGRAD_TILE,
    SIDE = FFEBMI_WINOGRAD_SIDE,
    POINTS = FFEBMI_WINOGRAD_POINTS,
    TAPS = 9,
    MOST_PANEL = 32,
    TILES = 64 /* transformed at a time */
};

/* The tiles at work, and where they are transformed to. */
typedef struct tiles {
    size_t across[2];
    size_t first; /* tiles are counted over images */
    size_t count;
    float *source; /* [point][TILES][sources] */
    float *target; /* [point][TILES][targets] */
    float *zeros;  /* what lies outside of the source image, [sources] */
    float *beyond; /* and of the target image */
} tiles;

static size_t panels_of(const ffebmi_direct *d, size_t targets)
{
    return (targets + d->panel - 1) / d->panel;
}

static size_t tiles_of(size_t target)
{
    return (target + TILE - 1) / TILE;
}

size_t ffebmi_winograd_products(const size_t target[2])
{
    return tiles_of(target[0]) * tiles_of(target[1]) * POINTS;
}

size_t ffebmi_winograd_packed(const ffebmi_direct *d, size_t targets, size_t sources)
{
    return POINTS * panels_of(d, targets) * d->panel * sources;
}

size_t ffebmi_winograd_scratch(size_t targets, size_t sources)
{
    return (POINTS * TILES + 1) * (targets + sources);
}

void ffebmi_winograd_pack(const ffebmi_direct *d, const float *weights, int sign, size_t targets, size_t target_stride,
                          size_t sources, size_t source_stride, float *packed)
{
    size_t panels = panels_of(d, targets), stride = panels * sources * d->panel;

    for (size_t panel = 0; panel < panels; panel++)
        for (size_t source = 0; source < sources; source++, packed += d->panel) {
            float window[TAPS][MOST_PANEL] = {{0}};
            const float *rows[TAPS];

            for (size_t tap = 0; tap < TAPS; tap++)
                rows[tap] = window[sign > 0 ? tap : TAPS - 1 - tap];
            for (size_t i = 0; i < d->panel && panel * d->panel + i < targets; i++) {
                const float *from = weights + (panel * d->panel + i) * target_stride + source * source_stride;

                for (size_t tap = 0; tap < TAPS; tap++)
                    window[tap][i] = from[tap];
            }
            d->winograd->weights(d->panel, rows, packed, stride);
        }
}

/* The image and the first target pixel of a tile. */
static void locate(const tiles *t, size_t tile, size_t *row, size_t at[2])
{
    *row = tile / (t->across[0] * t->across[1]);
    at[0] = tile / t->across[1] % t->across[0] * TILE;
    at[1] = tile % t->across[1] * TILE;
}

static void transform_source(const ffebmi_walk *w, const tiles *t, size_t place)
{
    const float *x[POINTS];
    size_t row, at[2], before[2];

    locate(t, t->first + place, &row, at);
    for (int axis = 0; axis < 2; axis++)
        before[axis] = w->sign > 0 ? w->padding[axis] : 2 - w->padding[axis];
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            size_t y = at[0] + i - before[0], column = at[1] + j - before[1]; /* wraps where it is negative */
            bool inside = y < w->source[0] && column < w->source[1];

            x[i * SIDE + j] =
                inside ? w->x + ((row * w->source[0] + y) * w->source[1] + column) * w->sources : t->zeros;
        }
    w->direct->winograd->source(w->sources, x, t->source + place * w->sources, TILES * w->sources);
}

static void multiply(const ffebmi_walk *w, const tiles *t, size_t point, size_t panel)
{
    size_t width = w->direct->panel;
    const float *weights = w->panels + (point * ffebmi_walk_panels(w) + panel) * w->sources * width;
    const float *source = t->source + point * TILES * w->sources;
    float *target = t->target + point * TILES * w->targets + panel * width;
    ptrdiff_t offset = 0;
    ffebmi_direct_tile tile = {.offsets = &offset,
                               .weights = &weights,
                               .taps = 1,
                               .channels = w->sources,
                               .width = w->targets - panel * width < width ? w->targets - panel * width : width};

    for (size_t i = 0, count; i < t->count; i += count) {
        count = t->count - i < w->direct->positions ? t->count - i : w->direct->positions;
        for (size_t p = 0; p < count; p++) {
            tile.x[p] = source + (i + p) * w->sources;
            tile.z[p] = target + (i + p) * w->targets;
        }
        w->direct->tile(&tile, count);
    }
}

static void transform_target(const ffebmi_walk *w, const tiles *t, size_t place)
{
    float *z[TILE * TILE];
    size_t row, at[2];

    locate(t, t->first + place, &row, at);
    for (size_t i = 0; i < TILE; i++)
        for (size_t j = 0; j < TILE; j++) {
            size_t y = at[0] + i, column = at[1] + j;
            bool inside = y < w->target[0] && column < w->target[1];

            z[i * TILE + j] =
                inside ? w->z + ((row * w->target[0] + y) * w->target[1] + column) * w->targets : t->beyond;
        }
    w->direct->winograd->target(w->targets, t->target + place * w->targets, TILES * w->targets, w->accumulate, z);
}

void ffebmi_winograd_block(const ffebmi_walk *w, size_t first_row, size_t rows, float *scratch)
{
    tiles t = {.across = {tiles_of(w->target[0]), tiles_of(w->target[1])},
               .source = scratch,
               .target = scratch + POINTS * TILES * w->sources};
    size_t end = (first_row + rows) * t.across[0] * t.across[1];

    t.zeros = t.target + POINTS * TILES * w->targets;
    t.beyond = t.zeros + w->sources;
    memset(t.zeros, 0, (w->sources + w->targets) * sizeof *t.zeros);
    for (t.first = first_row * t.across[0] * t.across[1]; t.first < end; t.first += t.count) {
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

#include "kernel/direct_conv.h"

#include <string.h>

#include "kernel/coarse_winograd.h"
#include "kernel/direct_dense.h"
#include "kernel/direct_sparse.h"
#include "kernel/direct_winograd.h"

/* Source images that all panels go over before the next images: they stay in the second-level cache. */
enum { BLOCK_ELEMENTS = 131072, BLOCK_ROWS = 64 };

enum {
    LEAST_CHANNELS = 16,   /* that are worth transforming tiles */
    ROUNDED_CHANNELS = 64, /* that are worth rounding */
    PACKED_SOURCES = 16    /* at a time: as many lines of the cache are written in turn */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t taps_of(const ffebmi_conv *c)
{
    return c->windows.kernel[0] * c->windows.kernel[1];
}

bool ffebmi_conv_is_direct(const ffebmi_conv *c, const ffebmi_kernel *k)
{
    return k->direct != NULL && c->windows.stride[0] == 1 && c->windows.stride[1] == 1 &&
           taps_of(c) <= FFEBMI_WALK_TAPS;
}

/* -------------------------------------------------------------------------------------------------------- directions */

/* Taps that lie on the source image, over all target pixels. */
static size_t products_of(const ffebmi_walk *w)
{
    size_t sums[2] = {0};

    for (int axis = 0; axis < 2; axis++)
        for (ffebmi_segment s = {0}; ffebmi_walk_next(w, axis, &s);)
            sums[axis] += (s.end - s.first) * (s.stop - s.begin);
    return sums[0] * sums[1];
}

/* The tiles that are fewer products, by enough to make up for their transforms, or NULL. */
static const ffebmi_winograd *tiles_of(const ffebmi_walk *w)
{
    bool small = true;

    if (w->direct->tiles[0] == NULL || w->kernel[0] != 3 || w->kernel[1] != 3 || w->sources < LEAST_CHANNELS ||
        w->targets < LEAST_CHANNELS)
        return NULL;
    for (int axis = 0; axis < 2; axis++)
        small = small && w->source[axis] == 2 && w->padding[axis] == 1;
    if (small)
        return w->direct->tiles[1];
    return 3 * ffebmi_winograd_count(w->direct->tiles[0], w->target) < 2 * products_of(w) ? w->direct->tiles[0] : NULL;
}

/* What a walk in one direction does, but for its images. */
static ffebmi_walk walk_of(const ffebmi_conv *c, const ffebmi_direct *d, int sign)
{
    const ffebmi_windows *g = &c->windows;
    const size_t *source = sign > 0 ? g->in : g->out, *target = sign > 0 ? g->out : g->in;
    ffebmi_walk w = {.direct = d,
                     .source = {source[0], source[1]},
                     .target = {target[0], target[1]},
                     .kernel = {g->kernel[0], g->kernel[1]},
                     .padding = {g->padding[0], g->padding[1]},
                     .sources = sign > 0 ? g->channels : c->out_channels,
                     .targets = sign > 0 ? c->out_channels : g->channels,
                     .sign = sign};

    w.tiles = tiles_of(&w);
    w.rounded = w.tiles != NULL && d->coarse != NULL && w.sources >= ROUNDED_CHANNELS;
    return w;
}

static size_t panel_size(const ffebmi_walk *w)
{
    return w->direct->panel * w->kernel[0] * w->kernel[1] * w->sources;
}

/* In full precision, whatever the walk's products are. */
static size_t full_elements(const ffebmi_walk *w)
{
    return w->tiles != NULL ? ffebmi_winograd_packed(w) : ffebmi_walk_panels(w) * panel_size(w);
}

static size_t panel_elements(const ffebmi_walk *w)
{
    return w->rounded ? ffebmi_coarse_winograd_packed(w) : full_elements(w);
}

/* Where the panels for down begin. */
static size_t up_elements(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes)
{
    ffebmi_walk up = walk_of(c, d, 1);

    return passes & FFEBMI_CONV_UP ? panel_elements(&up) : 0;
}

size_t ffebmi_direct_conv_packed(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes)
{
    ffebmi_walk down = walk_of(c, d, -1);

    return up_elements(c, d, passes) + (passes & FFEBMI_CONV_DOWN ? panel_elements(&down) : 0);
}

/* One tap's weights of a panel, [source][width], of which `count` are targets. What lies closest together is read in the
 * innermost loop. */
static void pack_tap(const ffebmi_walk *w, const float *weights, size_t target_stride, size_t source_stride,
                     size_t count, float *to)
{
    size_t width = w->direct->panel;

    if (target_stride < source_stride) {
        for (size_t source = 0; source < w->sources; source++)
            for (size_t i = 0; i < count; i++)
                to[source * width + i] = weights[i * target_stride + source * source_stride];
        return;
    }
    for (size_t first = 0; first < w->sources; first += PACKED_SOURCES) {
        size_t end = smaller(first + PACKED_SOURCES, w->sources);

        for (size_t i = 0; i < count; i++)
            for (size_t source = first; source < end; source++)
                to[source * width + i] = weights[i * target_stride + source * source_stride];
    }
}

/* Panels of W, where the weight of a target, source and tap is at target * target_stride + source * source_stride + tap.
 * What is beyond the last target is zero. */
static void pack(const ffebmi_walk *w, const float *weights, size_t target_stride, size_t source_stride, float *packed,
                 size_t panel)
{
    size_t taps = w->kernel[0] * w->kernel[1], width = w->direct->panel;
    size_t count = smaller(width, w->targets - panel * width);

    if (w->tiles != NULL) {
        ffebmi_winograd_pack(w, weights, target_stride, source_stride, packed, panel);
        return;
    }
    packed += panel * panel_size(w);
    memset(packed, 0, panel_size(w) * sizeof *packed);
    for (size_t tap = 0; tap < taps; tap++)
        pack_tap(w, weights + panel * width * target_stride + tap, target_stride, source_stride, count,
                 packed + tap * w->sources * width);
}

static size_t up_panels(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes)
{
    ffebmi_walk up = walk_of(c, d, 1);

    return passes & FFEBMI_CONV_UP ? ffebmi_walk_panels(&up) : 0;
}

size_t ffebmi_direct_conv_pack_units(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes)
{
    ffebmi_walk down = walk_of(c, d, -1);

    return up_panels(c, d, passes) + (passes & FFEBMI_CONV_DOWN ? ffebmi_walk_panels(&down) : 0);
}

void ffebmi_direct_conv_pack(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes, const float *weights,
                             float *packed, size_t first, size_t count)
{
    ffebmi_walk up = walk_of(c, d, 1), down = walk_of(c, d, -1);
    size_t taps = taps_of(c), split = up_panels(c, d, passes);

    for (size_t unit = first; unit < first + count; unit++) {
        if (unit < split)
            pack(&up, weights, up.sources * taps, taps, packed, unit);
        else
            pack(&down, weights, taps, down.targets * taps, packed + up_elements(c, d, passes), unit - split);
    }
}

bool ffebmi_direct_conv_rounds(const ffebmi_conv *c, const ffebmi_direct *d)
{
    return walk_of(c, d, 1).rounded || walk_of(c, d, -1).rounded;
}

static void round_panel(const ffebmi_walk *w, const float *packed, float *rounded, size_t panel)
{
    if (w->rounded)
        ffebmi_coarse_winograd_round(w, packed, rounded, panel);
    else if (panel == 0)
        memcpy(rounded, packed, full_elements(w) * sizeof *packed);
}

void ffebmi_direct_conv_round(const ffebmi_conv *c, const ffebmi_direct *d, const float *packed, float *rounded,
                              size_t first, size_t count)
{
    ffebmi_walk up = walk_of(c, d, 1), down = walk_of(c, d, -1);
    size_t split = ffebmi_walk_panels(&up);

    for (size_t unit = first; unit < first + count; unit++) {
        if (unit < split)
            round_panel(&up, packed, rounded, unit);
        else
            round_panel(&down, packed + full_elements(&up), rounded + panel_elements(&up), unit - split);
    }
}

/* ------------------------------------------------------------------------------------------------------------ passes */

static size_t block_rows(const ffebmi_walk *w)
{
    size_t image = w->source[0] * w->source[1] * w->sources;

    return smaller(larger(BLOCK_ELEMENTS / image, FFEBMI_DIRECT_TILE), BLOCK_ROWS);
}

static size_t walk_scratch(const ffebmi_walk *w)
{
    if (w->tiles != NULL)
        return ffebmi_winograd_scratch(w);
    return ffebmi_sparse_scratch(block_rows(w) * w->source[0] * w->source[1], w->sources);
}

size_t ffebmi_direct_conv_scratch(const ffebmi_conv *c, const ffebmi_direct *d)
{
    ffebmi_walk up = walk_of(c, d, 1), down = walk_of(c, d, -1);

    return larger(walk_scratch(&up), walk_scratch(&down));
}

static void run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    size_t block = block_rows(w);

    if (ffebmi_sparse_is_empty(w, rows)) { /* displacements before the nudge has reached them */
        if (!w->accumulate)
            memset(w->z, 0, rows * w->target[0] * w->target[1] * w->targets * sizeof *w->z);
        return;
    }
    if (w->tiles != NULL) {
        ffebmi_winograd_run(w, rows, scratch);
        return;
    }
    for (size_t first = 0; first < rows; first += block) {
        size_t count = smaller(block, rows - first);

        if (ffebmi_sparse_pays(w, first, count))
            ffebmi_sparse_block(w, first, count, scratch);
        else
            ffebmi_dense_block(w, first, count);
    }
}

void ffebmi_direct_conv_up(const ffebmi_conv *c, const ffebmi_direct *d, const float *packed, size_t rows,
                           const float *s, float *z, float *scratch)
{
    ffebmi_walk w = walk_of(c, d, 1);

    w.panels = packed;
    w.x = s;
    w.z = z;
    run(&w, rows, scratch);
}

void ffebmi_direct_conv_down(const ffebmi_conv *c, const ffebmi_direct *d, unsigned passes, const float *packed,
                             size_t rows, const float *v, bool accumulate, float *z, float *scratch)
{
    ffebmi_walk w = walk_of(c, d, -1);

    w.panels = packed + up_elements(c, d, passes);
    w.x = v;
    w.z = z;
    w.accumulate = accumulate;
    run(&w, rows, scratch);
}

/* ---------------------------------------------------------------------------------------------------- weight gradient */

bool ffebmi_direct_conv_is_tiled(const ffebmi_conv *c, const ffebmi_direct *d)
{
    return walk_of(c, d, 1).tiles != NULL;
}

size_t ffebmi_direct_conv_gradient_scratch(const ffebmi_conv *c, const ffebmi_direct *d, size_t outs)
{
    ffebmi_walk w = walk_of(c, d, 1);

    return w.tiles != NULL ? ffebmi_winograd_gradient_scratch(&w, outs) : 0;
}

void ffebmi_direct_conv_gradient(const ffebmi_conv *c, const ffebmi_direct *d, size_t rows,
                                 const ffebmi_conv_pairs *pairs, double factor, size_t from, size_t outs, float *sum,
                                 float *scratch)
{
    ffebmi_walk w = walk_of(c, d, 1);
    ffebmi_winograd_pairs of = {.count = pairs->count};

    for (size_t pair = 0; pair < pairs->count; pair++) {
        of.v[pair] = (const float *)pairs->v[pair] + from;
        of.x[pair] = pairs->s[pair];
    }
    ffebmi_winograd_gradient(&w, &of, rows, outs, factor, sum, scratch);
}

#include "kernel/direct_conv.h"

#include <string.h>

#include "kernel/direct_dense.h"
#include "kernel/direct_sparse.h"
#include "kernel/direct_winograd.h"

/* Source images that all panels go over before the next images: they stay in the second-level cache. */
enum { BLOCK_ELEMENTS = 131072, BLOCK_ROWS = 64 };

enum {
    LEAST_CHANNELS = 16, /* that are worth transforming tiles */
    FEW_CHANNELS = 4     /* that are not worth a panel; no more than a tile's positions */
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

/* Are tiles fewer products, by enough to make up for their transforms? */
static bool tiles_pay(const ffebmi_walk *w)
{
    return w->direct->winograd != NULL && w->kernel[0] == 3 && w->kernel[1] == 3 && w->sources >= LEAST_CHANNELS &&
           w->targets >= LEAST_CHANNELS && 3 * ffebmi_winograd_products(w->target) < 2 * products_of(w);
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

    w.tiled = tiles_pay(&w);
    return w;
}

static size_t panel_elements(const ffebmi_walk *w)
{
    if (w->tiled)
        return ffebmi_winograd_packed(w);
    return ffebmi_walk_panels(w) * w->direct->panel * w->kernel[0] * w->kernel[1] * w->sources;
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

/* Panels of W, where the weight of a target, source and tap is at target * target_stride + source * source_stride + tap.
 * What is beyond the last target is zero. */
static void pack(const ffebmi_walk *w, const float *weights, size_t target_stride, size_t source_stride, float *packed,
                 size_t panel)
{
    size_t taps = w->kernel[0] * w->kernel[1], width = w->direct->panel, panel_size = taps * w->sources * width;

    if (w->tiled) {
        ffebmi_winograd_pack(w, weights, target_stride, source_stride, packed, panel);
        return;
    }
    packed += panel * panel_size;
    memset(packed, 0, panel_size * sizeof *packed);
    for (size_t i = 0; i < width && panel * width + i < w->targets; i++)
        for (size_t source = 0; source < w->sources; source++)
            for (size_t tap = 0; tap < taps; tap++)
                packed[(tap * w->sources + source) * width + i] =
                    weights[(panel * width + i) * target_stride + source * source_stride + tap];
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

/* ------------------------------------------------------------------------------------------------------------ passes */

static size_t block_rows(const ffebmi_walk *w)
{
    size_t image = w->source[0] * w->source[1] * w->sources;

    return smaller(larger(BLOCK_ELEMENTS / image, FFEBMI_DIRECT_TILE), BLOCK_ROWS);
}

static size_t walk_scratch(const ffebmi_walk *w)
{
    if (w->tiled)
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
    if (w->tiled) {
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

/* Output pixels along an axis whose window position `a` lies on the image: first .. first + count - 1. */
static size_t seen(const ffebmi_windows *g, int axis, size_t a, size_t *first)
{
    size_t end = smaller(g->out[axis], g->in[axis] + g->padding[axis] > a ? g->in[axis] + g->padding[axis] - a : 0);

    *first = g->padding[axis] > a ? g->padding[axis] - a : 0;
    return end > *first ? end - *first : 0;
}

/* All tiles of some images, which stay in cache meanwhile. */
static void outer_block(const ffebmi_direct *d, const ffebmi_direct_outer *all, size_t outs, size_t channels,
                        float *sum)
{
    ffebmi_direct_outer work = *all;

    work.z_stride = channels;
    for (size_t o = 0, count; o < outs; o += count) {
        count = smaller(d->positions, outs - o);
        for (size_t c = 0; c < channels; c += d->panel) {
            for (size_t pair = 0; pair < work.pairs; pair++) {
                work.x[pair] = all->x[pair] + o;
                work.y[pair] = all->y[pair] + c;
            }
            work.z = sum + o * channels + c;
            work.width = smaller(d->panel, channels - c);
            d->outer(&work, count);
        }
    }
}

/* The same for few channels, such as a picture's colours, which would leave most of a panel empty: the transposed product,
 * with outputs in the panel. */
static void outer_block_turned(const ffebmi_direct *d, const ffebmi_direct_outer *all, size_t outs, size_t channels,
                               float *sum)
{
    float turned[FEW_CHANNELS][FFEBMI_DIRECT_PANEL];
    ffebmi_direct_outer work = *all;

    memcpy(work.x_strides, all->y_strides, sizeof work.x_strides);
    memcpy(work.y_strides, all->x_strides, sizeof work.y_strides);
    work.z = turned[0];
    work.z_stride = FFEBMI_DIRECT_PANEL;
    for (size_t o = 0; o < outs; o += d->panel) {
        for (size_t pair = 0; pair < work.pairs; pair++) {
            work.x[pair] = all->y[pair];
            work.y[pair] = all->x[pair] + o;
        }
        work.width = smaller(d->panel, outs - o);
        memset(turned, 0, sizeof turned);
        d->outer(&work, channels);
        for (size_t i = 0; i < work.width; i++)
            for (size_t c = 0; c < channels; c++)
                sum[(o + i) * channels + c] += turned[c][i];
    }
}

void ffebmi_direct_conv_outer(const ffebmi_conv *c, const ffebmi_direct *d, size_t rows, const ffebmi_conv_pairs *pairs,
                              double factor, size_t position, size_t from, size_t outs, float *sum)
{
    const ffebmi_windows *g = &c->windows;
    size_t a = position / g->kernel[1], b = position % g->kernel[1], channels = g->channels, first[2];
    size_t above = g->out[0] * g->out[1] * c->out_channels, below = g->in[0] * g->in[1] * channels;
    size_t block = larger(BLOCK_ELEMENTS / (above + below), 1);
    ffebmi_direct_outer work = {.pairs = pairs->count,
                                .factor = (float)factor,
                                .x_strides = {above, g->out[1] * c->out_channels, c->out_channels},
                                .y_strides = {below, g->in[1] * channels, channels}};

    work.extents[1] = seen(g, 0, a, &first[0]);
    work.extents[2] = seen(g, 1, b, &first[1]);
    if (work.extents[1] == 0 || work.extents[2] == 0)
        return;
    for (size_t r = 0; r < rows; r += block) {
        work.extents[0] = smaller(block, rows - r);
        for (size_t pair = 0; pair < work.pairs; pair++) {
            work.x[pair] =
                (const float *)pairs->v[pair] + r * above + (first[0] * g->out[1] + first[1]) * c->out_channels + from;
            work.y[pair] = (const float *)pairs->s[pair] + r * below +
                           ((first[0] + a - g->padding[0]) * g->in[1] + first[1] + b - g->padding[1]) * channels;
        }
        (channels <= FEW_CHANNELS ? outer_block_turned : outer_block)(d, &work, outs, channels, sum);
    }
}

bool ffebmi_direct_conv_is_tiled(const ffebmi_conv *c, const ffebmi_direct *d)
{
    return walk_of(c, d, 1).tiled;
}

size_t ffebmi_direct_conv_gradient_scratch(const ffebmi_conv *c, const ffebmi_direct *d, size_t outs)
{
    return ffebmi_direct_conv_is_tiled(c, d) ? ffebmi_winograd_gradient_scratch(outs, c->windows.channels) : 0;
}

void ffebmi_direct_conv_gradient(const ffebmi_conv *c, const ffebmi_direct *d, size_t rows,
                                 const ffebmi_conv_pairs *pairs, double factor, size_t from, size_t outs, float *sum,
                                 float *scratch)
{
    ffebmi_walk w = walk_of(c, d, 1);
    ffebmi_winograd_sum products = ffebmi_winograd_gradient_begin(&w, outs, scratch);

    for (size_t pair = 0; pair < pairs->count; pair++) {
        w.x = pairs->s[pair];
        ffebmi_winograd_gradient_add(&w, &products, rows, (const float *)pairs->v[pair] + from);
    }
    ffebmi_winograd_gradient_end(&w, &products, factor, sum);
}

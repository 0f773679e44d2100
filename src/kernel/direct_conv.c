#include "kernel/direct_conv.h"

#include <string.h>

enum {
    MAX_TAPS = 64, /* of a window; larger ones are not direct */
    BLOCK_ELEMENTS =
        131072 /* of source images that all panels go over before the next images: the second-level cache */
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
    return k->direct != NULL && c->windows.stride[0] == 1 && c->windows.stride[1] == 1 && taps_of(c) <= MAX_TAPS;
}

/* ---------------------------------------------------------------------------------------------------------- packing */

static size_t panels_of(const ffebmi_direct *d, size_t channels)
{
    return (channels + d->panel - 1) / d->panel;
}

/* Elements of the panels that make `targets` channels of `sources`. */
static size_t panel_elements(const ffebmi_conv *c, const ffebmi_direct *d, size_t targets, size_t sources)
{
    return panels_of(d, targets) * d->panel * taps_of(c) * sources;
}

size_t ffebmi_direct_conv_packed(const ffebmi_conv *c, const ffebmi_direct *d)
{
    return panel_elements(c, d, c->out_channels, c->windows.channels) +
           panel_elements(c, d, c->windows.channels, c->out_channels);
}

/* Panels [panel][tap][source][target in the panel] of W, where the weight of a target, source and tap is at target *
 * target_stride + source * source_stride + tap. What is beyond the last target is zero. */
static void pack(const ffebmi_conv *c, const ffebmi_direct *d, const float *weights, size_t targets,
                 size_t target_stride, size_t sources, size_t source_stride, float *packed)
{
    size_t taps = taps_of(c);

    memset(packed, 0, panel_elements(c, d, targets, sources) * sizeof *packed);
    for (size_t target = 0; target < targets; target++) {
        float *panel = packed + target / d->panel * taps * sources * d->panel + target % d->panel;

        for (size_t source = 0; source < sources; source++)
            for (size_t tap = 0; tap < taps; tap++)
                panel[(tap * sources + source) * d->panel] =
                    weights[target * target_stride + source * source_stride + tap];
    }
}

void ffebmi_direct_conv_pack(const ffebmi_conv *c, const ffebmi_direct *d, const float *weights, float *packed)
{
    size_t in = c->windows.channels, out = c->out_channels, taps = taps_of(c);

    pack(c, d, weights, out, in * taps, in, taps, packed);
    pack(c, d, weights, in, taps, out, in * taps, packed + panel_elements(c, d, out, in));
}

/* ------------------------------------------------------------------------------------------------------------- walks */

/* One direction. Along each axis, target pixel i takes tap a from source pixel i + sign * (a - padding). */
typedef struct walk {
    const ffebmi_direct *direct;
    const float *panels;
    const float *x;
    float *z;
    size_t rows;
    size_t source[2]; /* height and width */
    size_t target[2];
    size_t kernel[2];
    size_t padding[2];
    size_t sources; /* channels */
    size_t targets;
    int sign;
    bool accumulate;
} walk;

/* Target pixels first .. end - 1 along an axis, all of which see taps begin .. stop - 1. */
typedef struct segment {
    size_t first;
    size_t end;
    size_t begin;
    size_t stop;
} segment;

/* The taps that target pixel i sees. */
static void see(const walk *w, int axis, size_t i, segment *s)
{
    size_t p = w->padding[axis], k = w->kernel[axis], n = w->source[axis];

    if (w->sign > 0) { /* source i + a - p */
        s->begin = p > i ? p - i : 0;
        s->stop = smaller(k, n + p > i ? n + p - i : 0);
    } else { /* source i + p - a */
        s->begin = i + p + 1 > n ? i + p + 1 - n : 0;
        s->stop = smaller(k, i + p + 1);
    }
    s->begin = smaller(s->begin, s->stop);
}

/* The next segment; begin with an end of 0. */
static bool next_segment(const walk *w, int axis, segment *s)
{
    segment ahead;

    s->first = s->end;
    if (s->first == w->target[axis])
        return false;
    see(w, axis, s->first, s);
    do {
        s->end++;
        if (s->end < w->target[axis])
            see(w, axis, s->end, &ahead);
    } while (s->end < w->target[axis] && ahead.begin == s->begin && ahead.stop == s->stop);
    return true;
}

static size_t source_pixel(const walk *w, int axis, size_t i, size_t tap)
{
    return w->sign > 0 ? i + tap - w->padding[axis] : i + w->padding[axis] - tap;
}

/* Pixels with the same taps, in some images: what a panel goes over. */
typedef struct region {
    segment y;
    segment x;
    size_t first_row;
    size_t rows;
    ptrdiff_t offsets[MAX_TAPS]; /* of the taps' source pixels, from the first tap's */
} region;

static void lay_taps(const walk *w, region *r)
{
    size_t t = 0;

    for (size_t a = r->y.begin; a < r->y.stop; a++)
        for (size_t b = r->x.begin; b < r->x.stop; b++)
            r->offsets[t++] =
                w->sign * ((ptrdiff_t)((a - r->y.begin) * w->source[1] + b - r->x.begin)) * (ptrdiff_t)w->sources;
}

/* Position i of a region: images in turn, in each the rows of pixels. */
static void lay_position(const walk *w, const region *r, size_t i, size_t channel, const float **x, float **z)
{
    size_t width = r->x.end - r->x.first, pixels = width * (r->y.end - r->y.first);
    size_t row = r->first_row + i / pixels, y = r->y.first + i % pixels / width, column = r->x.first + i % width;
    size_t source = (row * w->source[0] + source_pixel(w, 0, y, r->y.begin)) * w->source[1] +
                    source_pixel(w, 1, column, r->x.begin);

    *x = w->x + source * w->sources;
    *z = w->z + ((row * w->target[0] + y) * w->target[1] + column) * w->targets + channel;
}

static void run_panel(const walk *w, const region *r, size_t panel)
{
    size_t width = w->direct->panel, taps_all = w->kernel[0] * w->kernel[1], t = 0;
    size_t positions = r->rows * (r->y.end - r->y.first) * (r->x.end - r->x.first);
    const float *weights[MAX_TAPS];
    ffebmi_direct_tile tile = {.offsets = r->offsets,
                               .weights = weights,
                               .channels = w->sources,
                               .width = smaller(width, w->targets - panel * width),
                               .accumulate = w->accumulate};

    for (size_t a = r->y.begin; a < r->y.stop; a++)
        for (size_t b = r->x.begin; b < r->x.stop; b++)
            weights[t++] = w->panels + (panel * taps_all + a * w->kernel[1] + b) * w->sources * width;
    tile.taps = t;
    for (size_t i = 0, count; i < positions; i += count) {
        count = smaller(w->direct->positions, positions - i);
        for (size_t p = 0; p < count; p++)
            lay_position(w, r, i + p, panel * width, &tile.x[p], &tile.z[p]);
        w->direct->tile(&tile, count);
    }
}

/* Some images: every panel goes over each of their regions, whose source stays in cache. */
static void run_block(const walk *w, size_t first_row, size_t rows)
{
    region r = {.first_row = first_row, .rows = rows};

    while (next_segment(w, 0, &r.y)) {
        r.x = (segment){0};
        while (next_segment(w, 1, &r.x)) {
            lay_taps(w, &r);
            for (size_t panel = 0; panel < panels_of(w->direct, w->targets); panel++)
                run_panel(w, &r, panel);
        }
    }
}

static void run(const walk *w)
{
    size_t image = w->source[0] * w->source[1] * w->sources;
    size_t block = larger(BLOCK_ELEMENTS / image, smaller(w->direct->positions, w->rows));

    for (size_t first = 0; first < w->rows; first += block)
        run_block(w, first, smaller(block, w->rows - first));
}

void ffebmi_direct_conv_up(const ffebmi_conv *c, const ffebmi_direct *d, const float *packed, size_t rows,
                           const float *s, float *z)
{
    const ffebmi_windows *g = &c->windows;
    walk w = {.direct = d,
              .panels = packed,
              .x = s,
              .z = z,
              .rows = rows,
              .source = {g->in[0], g->in[1]},
              .target = {g->out[0], g->out[1]},
              .kernel = {g->kernel[0], g->kernel[1]},
              .padding = {g->padding[0], g->padding[1]},
              .sources = g->channels,
              .targets = c->out_channels,
              .sign = 1};

    run(&w);
}

void ffebmi_direct_conv_down(const ffebmi_conv *c, const ffebmi_direct *d, const float *packed, size_t rows,
                             const float *v, bool accumulate, float *z)
{
    const ffebmi_windows *g = &c->windows;
    walk w = {.direct = d,
              .panels = packed + panel_elements(c, d, c->out_channels, g->channels),
              .x = v,
              .z = z,
              .rows = rows,
              .source = {g->out[0], g->out[1]},
              .target = {g->in[0], g->in[1]},
              .kernel = {g->kernel[0], g->kernel[1]},
              .padding = {g->padding[0], g->padding[1]},
              .sources = c->out_channels,
              .targets = g->channels,
              .sign = -1,
              .accumulate = accumulate};

    run(&w);
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
static void outer_block(const ffebmi_direct *d, ffebmi_direct_outer work, size_t outs, size_t channels, float *sum)
{
    const float *v = work.x, *s = work.y;

    work.z_stride = channels;
    for (size_t o = 0, count; o < outs; o += count) {
        count = smaller(d->positions, outs - o);
        for (size_t c = 0; c < channels; c += d->panel) {
            work.x = v + o;
            work.y = s + c;
            work.z = sum + o * channels + c;
            work.width = smaller(d->panel, channels - c);
            d->outer(&work, count);
        }
    }
}

void ffebmi_direct_conv_outer(const ffebmi_conv *c, const ffebmi_direct *d, size_t rows, const float *v, const float *s,
                              size_t position, size_t from, size_t outs, float *sum)
{
    const ffebmi_windows *g = &c->windows;
    size_t a = position / g->kernel[1], b = position % g->kernel[1], channels = g->channels, first[2];
    size_t above = g->out[0] * g->out[1] * c->out_channels, below = g->in[0] * g->in[1] * channels;
    size_t block = larger(BLOCK_ELEMENTS / (above + below), 1);
    ffebmi_direct_outer work = {.x_strides = {above, g->out[1] * c->out_channels, c->out_channels},
                                .y_strides = {below, g->in[1] * channels, channels}};

    work.extents[1] = seen(g, 0, a, &first[0]);
    work.extents[2] = seen(g, 1, b, &first[1]);
    if (work.extents[1] == 0 || work.extents[2] == 0)
        return;
    v += (first[0] * g->out[1] + first[1]) * c->out_channels + from;
    s += ((first[0] + a - g->padding[0]) * g->in[1] + first[1] + b - g->padding[1]) * channels;
    for (size_t r = 0; r < rows; r += block) {
        work.extents[0] = smaller(block, rows - r);
        work.x = v + r * above;
        work.y = s + r * below;
        outer_block(d, work, outs, channels, sum);
    }
}

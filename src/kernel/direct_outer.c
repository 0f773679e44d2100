/* Gradients of weights as outer products over the pixels that see a position of the window. Pixels of all images are
 * gathered side by side, some at a time: a product then reads what it needs from the first-level cache, whatever the
 * strides of the images. */
#include <string.h>

#include "kernel/direct_conv.h"

enum {
    PIXELS = 64,     /* gathered at a time */
    OUTS = 64,       /* of the output's channels likewise */
    FEW_CHANNELS = 4 /* that are not worth a panel, such as a picture's colours; no more than a tile's positions */
};

/* The output pixels that see the window's position. */
typedef struct view {
    const ffebmi_conv *conv;
    const ffebmi_conv_pairs *pairs;
    size_t rows;
    size_t first[2];  /* along each axis, */
    size_t extent[2]; /* and how many */
    size_t shift[2];  /* of the input's pixel against the output's; wraps where it is before it */
} view;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static view view_of(const ffebmi_conv *c, const ffebmi_conv_pairs *pairs, size_t rows, size_t position)
{
    const ffebmi_windows *g = &c->windows;
    size_t tap[2] = {position / g->kernel[1], position % g->kernel[1]};
    view v = {.conv = c, .pairs = pairs, .rows = rows};

    for (int axis = 0; axis < 2; axis++) {
        size_t p = g->padding[axis], a = tap[axis], end = g->in[axis] + p > a ? g->in[axis] + p - a : 0;

        v.first[axis] = p > a ? p - a : 0;
        end = smaller(end, g->out[axis]);
        v.extent[axis] = end > v.first[axis] ? end - v.first[axis] : 0;
        v.shift[axis] = a - p;
    }
    return v;
}

static size_t pixels_of(const view *v)
{
    return v->pairs->count * v->rows * v->extent[0] * v->extent[1];
}

/* Some pixels of a view: in the output, and under them in the input. */
typedef struct pixels {
    size_t count;
    const float *above[PIXELS];
    const float *below[PIXELS];
} pixels;

static pixels locate(const view *v, size_t first)
{
    const ffebmi_windows *g = &v->conv->windows;
    pixels p = {.count = smaller(PIXELS, pixels_of(v) - first)};

    for (size_t k = 0, i = first; k < p.count; k++, i++) {
        size_t image = i / (v->extent[0] * v->extent[1]), pair = image / v->rows, row = image % v->rows;
        size_t y = v->first[0] + i / v->extent[1] % v->extent[0], x = v->first[1] + i % v->extent[1];

        p.above[k] = (const float *)v->pairs->v[pair] + ((row * g->out[0] + y) * g->out[1] + x) * v->conv->out_channels;
        p.below[k] = (const float *)v->pairs->s[pair] +
                     ((row * g->in[0] + y + v->shift[0]) * g->in[1] + x + v->shift[1]) * g->channels;
    }
    return p;
}

/* sum, [outs][channels], += factor * the sum over some gathered pixels of x (x) y, y's channels from `at` on. */
static void add_products(const ffebmi_direct *d, ffebmi_direct_outer *work, size_t outs, size_t channels, size_t at,
                         float *sum)
{
    work->width = smaller(d->panel, channels - at);
    work->z_stride = channels;
    for (size_t o = 0, count; o < outs; o += count) {
        ffebmi_direct_outer tile = *work;

        count = smaller(d->positions, outs - o);
        tile.x += o;
        tile.z = sum + o * channels + at;
        d->outer(&tile, count);
    }
}

static void add_pixels(const view *v, const ffebmi_direct *d, const pixels *p, double factor, size_t from, size_t outs,
                       float *sum)
{
    float x[PIXELS][OUTS], y[PIXELS][FFEBMI_DIRECT_PANEL];
    size_t channels = v->conv->windows.channels;
    ffebmi_direct_outer work = {.x = x[0],
                                .x_stride = OUTS,
                                .y = y[0],
                                .y_stride = FFEBMI_DIRECT_PANEL,
                                .count = p->count,
                                .factor = (float)factor};

    for (size_t i = 0; i < p->count; i++)
        memcpy(x[i], p->above[i] + from, outs * sizeof **x);
    for (size_t c = 0; c < channels; c += d->panel) {
        for (size_t i = 0; i < p->count; i++)
            memcpy(y[i], p->below[i] + c, smaller(d->panel, channels - c) * sizeof **y);
        add_products(d, &work, outs, channels, c, sum);
    }
}

/* The same for few channels, which would leave most of a panel empty: the transposed product, with outputs in the panel. */
static void add_pixels_turned(const view *v, const ffebmi_direct *d, const pixels *p, double factor, size_t from,
                              size_t outs, float *sum)
{
    float x[PIXELS][FEW_CHANNELS], y[PIXELS][OUTS], turned[FEW_CHANNELS][OUTS] = {{0}};
    size_t channels = v->conv->windows.channels;
    ffebmi_direct_outer work = {
        .x = x[0], .x_stride = FEW_CHANNELS, .y_stride = OUTS, .count = p->count, .factor = (float)factor};

    for (size_t i = 0; i < p->count; i++) {
        memcpy(x[i], p->below[i], channels * sizeof **x);
        memcpy(y[i], p->above[i] + from, outs * sizeof **y);
    }
    for (size_t o = 0; o < outs; o += d->panel) {
        work.y = y[0] + o;
        add_products(d, &work, channels, OUTS, o, turned[0]);
    }
    for (size_t o = 0; o < outs; o++)
        for (size_t c = 0; c < channels; c++)
            sum[o * channels + c] += turned[c][o];
}

void ffebmi_direct_conv_outer(const ffebmi_conv *c, const ffebmi_direct *d, size_t rows, const ffebmi_conv_pairs *pairs,
                              double factor, size_t position, size_t from, size_t outs, float *sum)
{
    view v = view_of(c, pairs, rows, position);
    bool few = c->windows.channels <= FEW_CHANNELS;

    for (size_t i = 0; i < pixels_of(&v); i += PIXELS) {
        pixels p = locate(&v, i);

        for (size_t o = 0; o < outs; o += OUTS)
            (few ? add_pixels_turned : add_pixels)(&v, d, &p, factor, from + o, smaller(OUTS, outs - o),
                                                   sum + o * c->windows.channels);
    }
}

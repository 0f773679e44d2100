/* Gradients of weights as outer products over the pixels that see a position of the window. Pixels of all images are
 * gathered side by side, some at a time: a product then reads what it needs from the first-level cache, whatever the
 * strides of the images. */
#include "convolution/method.h"

#include <string.h>

enum {
    PIXELS = 64, /* gathered at a time */
    OUTS = 64,   /* of the output's channels likewise */
    FEW_CHANNELS =
        4 /* that are not worth a panel, such as a picture's colours; no more than a register tile's positions */
};

/* The output pixels that see a place of the window. */
typedef struct view {
    const ffebmi_gradient_job *job;
    const ffebmi_products *products;
    size_t channels;  /* of the input, of which the job has some */
    size_t in[2];     /* height and width of it, */
    size_t out[2];    /* and of the output */
    size_t first[2];  /* along each axis, */
    size_t extent[2]; /* and how many */
    size_t stride[2];
    size_t shift[2]; /* of the input's pixel against stride times the output's; wraps where it is before it */
} view;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static view view_of(const ffebmi_gradient_job *job, size_t place)
{
    const ffebmi_windows *g = &job->convolution->windows;
    size_t tap[2] = {place / g->kernel[1], place % g->kernel[1]};
    view v = {.job = job,
              .products = job->convolution->products,
              .channels = g->channels,
              .in = {g->in[0], g->in[1]},
              .out = {g->out[0], g->out[1]},
              .stride = {g->stride[0], g->stride[1]}};

    for (int axis = 0; axis < 2; axis++) {
        ffebmi_segment seeing = ffebmi_pass_seeing(&job->convolution->up, axis, tap[axis]);

        v.first[axis] = seeing.first;
        v.extent[axis] = seeing.pixels;
        v.shift[axis] = tap[axis] - g->padding[axis];
    }
    return v;
}

/* Of one window over the whole image: vectors, seen as images of one pixel. */
static view view_of_vectors(const ffebmi_gradient_job *job)
{
    return (view){.job = job,
                  .products = job->convolution->products,
                  .channels = job->convolution->patch,
                  .in = {1, 1},
                  .out = {1, 1},
                  .stride = {1, 1},
                  .extent = {1, 1}};
}

static size_t pixels_of(const view *v)
{
    return v->job->pairs->count * v->job->rows * v->extent[0] * v->extent[1];
}

/* Some pixels of a view: in the output, and under them in the input. */
typedef struct pixels {
    size_t count;
    const float *above[PIXELS];
    const float *below[PIXELS];
} pixels;

/* The numbers of a view's row of pixels, and from one of its pixels to the next. */
typedef struct strides {
    size_t row;
    size_t pixel;
} strides;

static pixels locate(const view *v, size_t first)
{
    const ffebmi_pairs *pairs = v->job->pairs;
    const strides above = {v->out[1] * v->job->pitch, v->job->pitch};
    const strides below = {v->stride[0] * v->in[1] * v->channels, v->stride[1] * v->channels};
    size_t image = first / (v->extent[0] * v->extent[1]), y = first / v->extent[1] % v->extent[0];
    size_t x = first % v->extent[1], count = 0;
    pixels p = {.count = smaller(PIXELS, pixels_of(v) - first)};

    for (; count < p.count; y = 0, image++) {
        size_t pair = image / v->job->rows, row = image % v->job->rows;
        size_t above_image = row * v->out[0] * above.row;
        size_t below_image = (row * v->in[0] + v->shift[0]) * v->in[1] * v->channels; /* wraps, and back below */

        for (; y < v->extent[0] && count < p.count; x = 0, y++)
            for (; x < v->extent[1] && count < p.count; x++, count++) {
                size_t i = v->first[0] + y, j = v->first[1] + x;

                p.above[count] = (const float *)pairs->v[pair] + (above_image + i * above.row + j * above.pixel);
                p.below[count] = (const float *)pairs->s[pair] + (below_image + i * below.row + j * below.pixel +
                                                                  v->shift[1] * v->channels + v->job->below);
            }
    }
    return p;
}

/* sum, [outs][sources], += factor * the sum over some gathered pixels of x (x) y, y's channels from `at` on. */
static void add_products(const ffebmi_products *d, ffebmi_outer_product *work, size_t outs, size_t channels, size_t at,
                         float *sum)
{
    work->width = smaller(d->panel, channels - at);
    work->z_stride = channels;
    for (size_t o = 0, count; o < outs; o += count) {
        ffebmi_outer_product tile = *work;

        count = smaller(d->positions, outs - o);
        tile.x += o;
        tile.z = sum + o * channels + at;
        d->outer(&tile, count);
    }
}

/* Of the job's channels from `from` on. */
typedef void (*add_pixels_fn)(const view *v, const pixels *p, size_t from, size_t outs, float *sum);

static void add_pixels(const view *v, const pixels *p, size_t from, size_t outs, float *sum)
{
    const ffebmi_products *d = v->products;
    float x[PIXELS][OUTS], y[PIXELS][FFEBMI_PANEL];
    ffebmi_outer_product work = {.x = x[0],
                                 .x_stride = OUTS,
                                 .y = y[0],
                                 .y_stride = FFEBMI_PANEL,
                                 .count = p->count,
                                 .factor = (float)v->job->factor};

    for (size_t i = 0; i < p->count; i++)
        memcpy(x[i], p->above[i] + from, outs * sizeof **x);
    for (size_t c = 0; c < v->job->sources; c += d->panel) {
        for (size_t i = 0; i < p->count; i++)
            memcpy(y[i], p->below[i] + c, smaller(d->panel, v->job->sources - c) * sizeof **y);
        add_products(d, &work, outs, v->job->sources, c, sum);
    }
}

/* The same for few channels, which would leave most of a panel empty: the transposed product, with outputs in the panel. */
static void add_pixels_turned(const view *v, const pixels *p, size_t from, size_t outs, float *sum)
{
    float x[PIXELS][FEW_CHANNELS], y[PIXELS][OUTS], turned[FEW_CHANNELS][OUTS] = {{0}};
    size_t channels = v->job->sources;
    ffebmi_outer_product work = {
        .x = x[0], .x_stride = FEW_CHANNELS, .y_stride = OUTS, .count = p->count, .factor = (float)v->job->factor};

    for (size_t i = 0; i < p->count; i++) {
        memcpy(x[i], p->below[i], channels * sizeof **x);
        memcpy(y[i], p->above[i] + from, outs * sizeof **y);
    }
    for (size_t o = 0; o < outs; o += v->products->panel) {
        work.y = y[0] + o;
        add_products(v->products, &work, channels, OUTS, o, turned[0]);
    }
    for (size_t o = 0; o < outs; o++)
        for (size_t c = 0; c < channels; c++)
            sum[o * channels + c] += turned[c][o];
}

static void add_view(const view *v, float *sum)
{
    add_pixels_fn add = v->job->sources <= FEW_CHANNELS ? add_pixels_turned : add_pixels;
    size_t outs = v->job->outs;

    for (size_t i = 0; i < pixels_of(v); i += PIXELS) {
        pixels p = locate(v, i);

        for (size_t o = 0; o < outs; o += OUTS)
            add(v, &p, v->job->from + o, smaller(OUTS, outs - o), sum + o * v->job->sources);
    }
}

void ffebmi_outer_vectors(const ffebmi_gradient_job *job, void *sum)
{
    view v = view_of_vectors(job);

    add_view(&v, sum);
}

static void add_place(const ffebmi_gradient_job *job, size_t at, void *sum, void *scratch)
{
    view v = view_of(job, at);

    (void)scratch;
    add_view(&v, sum);
}

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    (void)arithmetic;
    return c->method == &ffebmi_method_direct;
}

static size_t scratch(const ffebmi_convolution *c)
{
    return c->unit[0] * c->unit[1];
}

static void add(const ffebmi_gradient_job *job, void *gradient, void *memory)
{
    ffebmi_gradient_by_places(job, add_place, gradient, memory);
}

const ffebmi_gradient_method ffebmi_gradient_outer = {
    .name = "outer", .serves = serves, .scratch = scratch, .add = add};

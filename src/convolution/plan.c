/* What a plan decides, once: the method, the gradient's method, and their sizes. */
#include "convolution/method.h"

#include <string.h>

/* The channels of one unit of the gradient. Units are so many that small layers too are for several threads. */
enum { LEAST_OUTS = 8, LEAST_SOURCES = 32, MOST_UNIT = 64, UNITS = 4 };

/* The first that serves is taken. */
static const ffebmi_convolution_method *const methods[] = {&ffebmi_method_direct, &ffebmi_method_matrix,
                                                           &ffebmi_method_gathered};
static const ffebmi_gradient_method *const gradients[] = {&ffebmi_gradient_winograd, &ffebmi_gradient_outer,
                                                          &ffebmi_gradient_shifted};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One of some shares of all, in whole multiples of the least. */
static size_t share_of(size_t channels, size_t shares, size_t least)
{
    size_t share = (channels / shares + least - 1) / least * least;

    return smaller(share < least ? least : share < MOST_UNIT ? share : MOST_UNIT, channels);
}

/* Windows that cells may do are cut over both, so that the products of a unit at all points stay in the second-level cache; others
 * over output channels alone, since what is gathered of these serves all input channels. */
static void cut(const ffebmi_windows *w, size_t out_channels, size_t unit[2])
{
    bool both = w->kernel[0] == 3 && w->kernel[1] == 3 && w->stride[0] == 1 && w->stride[1] == 1;

    unit[0] = share_of(out_channels, both ? UNITS / 2 : UNITS, LEAST_OUTS);
    unit[1] = both ? share_of(w->channels, UNITS / 2, LEAST_SOURCES) : w->channels;
}

static size_t parts_of(size_t channels, size_t unit)
{
    return (channels + unit - 1) / unit;
}

size_t ffebmi_convolution_units(const ffebmi_windows *windows, size_t out_channels)
{
    size_t unit[2];

    cut(windows, out_channels, unit);
    return parts_of(out_channels, unit[0]) * parts_of(windows->channels, unit[1]);
}

void ffebmi_convolution_plan(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, const ffebmi_windows *windows,
                             size_t out_channels, bool in_turn)
{
    const ffebmi_convolution_method *const *method = methods;
    const ffebmi_gradient_method *const *gradient = gradients;
    size_t unit;

    *c = (ffebmi_convolution){.windows = *windows,
                              .out_channels = out_channels,
                              .taps = windows->kernel[0] * windows->kernel[1],
                              .in_pixels = windows->in[0] * windows->in[1],
                              .out_pixels = windows->out[0] * windows->out[1],
                              .arrays = arithmetic->arrays,
                              .products = arithmetic->products};

    cut(windows, out_channels, c->unit);
    c->patch = c->taps * windows->channels;
    while (!(*method)->serves(c, arithmetic))
        method++;
    c->method = *method;
    c->method->plan(c, arithmetic, in_turn);
    while (!(*gradient)->serves(c, arithmetic))
        gradient++;
    c->gradient = *gradient;
    c->outer = arithmetic->products != NULL ? ffebmi_outer_vectors : ffebmi_matrix_outer;
    unit = c->gradient->scratch(c);
    if (c->scratch < unit)
        c->scratch = unit;
}

size_t ffebmi_convolution_pack_units(const ffebmi_convolution *c, unsigned passes)
{
    return c->method->pack_units(c, passes);
}

void ffebmi_convolution_pack(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed,
                             size_t first, size_t count)
{
    c->method->pack(c, passes, weights, packed, first, count);
}

void ffebmi_convolution_pack_int16(const ffebmi_convolution *c, const void *packed, void *int16, size_t first,
                                   size_t count)
{
    c->method->pack_int16(c, packed, int16, first, count);
}

void ffebmi_convolution_up(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s,
                           void *z, void *scratch)
{
    c->method->up(c, packed, rows, s, z, scratch);
}

void ffebmi_convolution_down(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v,
                             bool accumulate, void *z, void *scratch)
{
    c->method->down(c, packed, rows, v, accumulate, z, scratch);
}

/* Units of the same output channels follow each other. */
static size_t parts_below(const ffebmi_convolution *c)
{
    return parts_of(c->windows.channels, c->unit[1]);
}

size_t ffebmi_convolution_unit(const ffebmi_convolution *c, size_t unit, size_t *outs)
{
    size_t from = unit / parts_below(c) * c->unit[0];

    *outs = smaller(c->unit[0], c->out_channels - from);
    return from;
}

static ffebmi_gradient_job job_of(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                                  size_t unit)
{
    size_t below = unit % parts_below(c) * c->unit[1];
    ffebmi_gradient_job job = {.convolution = c,
                               .pairs = pairs,
                               .rows = rows,
                               .factor = factor,
                               .pitch = pairs->channels > 0 ? pairs->channels : c->out_channels,
                               .below = below,
                               .sources = smaller(c->unit[1], c->windows.channels - below)};

    job.from = ffebmi_convolution_unit(c, unit, &job.outs) - pairs->from;
    return job;
}

void ffebmi_convolution_gradient(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                                 void *gradient, size_t first, size_t count, void *scratch)
{
    for (size_t unit = first; unit < first + count; unit++) {
        ffebmi_gradient_job job = job_of(c, rows, pairs, factor, unit);

        size_t out = job.from + pairs->from;

        c->gradient->add(&job, ffebmi_at(c->arrays, gradient, out * c->patch + job.below * c->taps), scratch);
    }
}

void ffebmi_convolution_outer(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                              size_t from, size_t outs, void *sum)
{
    const ffebmi_gradient_job job = {.convolution = c,
                                     .pairs = pairs,
                                     .rows = rows,
                                     .factor = factor,
                                     .from = from,
                                     .outs = outs,
                                     .pitch = c->out_channels,
                                     .sources = c->patch};

    c->outer(&job, sum);
}

void ffebmi_gradient_by_places(const ffebmi_gradient_job *job, ffebmi_place_fn add, void *gradient, void *scratch)
{
    const ffebmi_convolution *c = job->convolution;
    const ffebmi_arrays *a = c->arrays;
    size_t sources = job->sources;

    for (size_t at = 0; at < c->taps; at++) {
        memset(scratch, 0, job->outs * sources * a->element);
        add(job, at, scratch, ffebmi_at(a, scratch, job->outs * sources));
        for (size_t o = 0; o < job->outs; o++)
            a->add_strided(sources, ffebmi_at(a, scratch, o * sources), ffebmi_at(a, gradient, o * c->patch + at),
                           c->taps);
    }
}

/* What a plan decides, once: the method, the gradient's method, and their sizes. */
#include "convolution/method.h"

#include <string.h>

enum {
    LEAST_UNIT = 8, /* output channels of one unit of the gradient: */
    MOST_UNIT = 64, /* a fourth of all between these, so that small layers too are for several threads */
    UNITS = 4
};

/* The first that serves is taken. */
static const ffebmi_convolution_method *const methods[] = {&ffebmi_method_direct, &ffebmi_method_matrix,
                                                           &ffebmi_method_gathered};
static const ffebmi_gradient_method *const gradients[] = {&ffebmi_gradient_winograd, &ffebmi_gradient_outer,
                                                          &ffebmi_gradient_shifted};

static size_t unit_channels(size_t out_channels)
{
    size_t share = (out_channels / UNITS + LEAST_UNIT - 1) / LEAST_UNIT * LEAST_UNIT;

    return share < LEAST_UNIT ? LEAST_UNIT : share < MOST_UNIT ? share : MOST_UNIT;
}

size_t ffebmi_convolution_units(size_t out_channels)
{
    return (out_channels + unit_channels(out_channels) - 1) / unit_channels(out_channels);
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
                              .products = arithmetic->products,
                              .unit = unit_channels(out_channels)};
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

static ffebmi_gradient_job job_of(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                                  size_t unit)
{
    size_t from = unit * c->unit, left = c->out_channels - from;

    return (ffebmi_gradient_job){.convolution = c,
                                 .pairs = pairs,
                                 .rows = rows,
                                 .factor = factor,
                                 .from = from,
                                 .outs = left < c->unit ? left : c->unit};
}

void ffebmi_convolution_gradient(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                                 void *gradient, size_t first, size_t count, void *scratch)
{
    for (size_t unit = first; unit < first + count; unit++) {
        ffebmi_gradient_job job = job_of(c, rows, pairs, factor, unit);

        c->gradient->add(&job, ffebmi_at(c->arrays, gradient, job.from * c->patch), scratch);
    }
}

void ffebmi_convolution_outer(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                              size_t from, size_t outs, void *sum)
{
    const ffebmi_gradient_job job = {c, pairs, rows, factor, from, outs};

    c->outer(&job, sum);
}

void ffebmi_gradient_by_places(const ffebmi_gradient_job *job, ffebmi_place_fn add, void *gradient, void *scratch)
{
    const ffebmi_convolution *c = job->convolution;
    const ffebmi_arrays *a = c->arrays;
    size_t channels = c->windows.channels;

    for (size_t at = 0; at < c->taps; at++) {
        memset(scratch, 0, job->outs * channels * a->element);
        add(job, at, scratch, ffebmi_at(a, scratch, c->unit * channels));
        for (size_t o = 0; o < job->outs; o++)
            a->add_strided(channels, ffebmi_at(a, scratch, o * channels), ffebmi_at(a, gradient, o * c->patch + at),
                           c->taps);
    }
}

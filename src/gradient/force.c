#include "gradient/force.h"

#include <math.h>
#include <string.h>

#include "gradient/readout.h"

static double strength(const ffebmi_force *f, size_t sample, size_t nudge)
{
    double sign = f->estimator->random_sign ? ffebmi_stream_sign(&f->engine->stream, sample) : 1;

    return -f->beta * sign * f->estimator->strength[nudge];
}

static void hold(const ffebmi_force *f, const size_t *samples, size_t count, double factor, void *out)
{
    const ffebmi_arrays *k = f->engine->arrays;
    size_t nudges = f->estimator->nudge_count;

    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++)
            k->scale(f->units, factor * strength(f, samples[i], n), ffebmi_at(k, f->delta, samples[i] * f->units),
                     ffebmi_at(k, out, (i * nudges + n) * f->units));
}

void ffebmi_force_linear(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                         void *out)
{
    (void)worker;
    (void)last_layer;
    hold(user, samples, count, 1, out);
}

void ffebmi_force_clamp(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                        void *out)
{
    (void)worker;
    (void)last_layer;
    hold(user, samples, count, ((const ffebmi_force *)user)->stiffness, out);
}

void ffebmi_force_clamp_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                                void *out)
{
    const ffebmi_force *f = user;

    (void)worker;
    (void)samples;
    (void)last_layer;
    f->engine->arrays->fill(count * f->estimator->nudge_count * f->units, f->stiffness, out);
}

void ffebmi_force_loss(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const ffebmi_force *f = user;
    const ffebm_engine *engine = f->engine;
    const ffebmi_arrays *k = engine->arrays;
    ffebmi_worker *w = &engine->bench.workers[worker];
    size_t nudges = f->estimator->nudge_count, outputs = ffebmi_model_output(engine->model)->count;
    ffebmi_readout readout = {.engine = f->engine, .worker = w, .rows = count * nudges};
    const void *output = ffebmi_readout_forward(&readout, last_layer);

    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++) {
            size_t row = (i * nudges + n) * outputs;

            ffebmi_targets_loss(f->targets, samples[i], ffebmi_at(k, output, row), strength(f, samples[i], n),
                                ffebmi_at(k, w->loss_cotangent, row));
        }
    memcpy(out, ffebmi_readout_vjp(&readout, w->loss_cotangent), readout.rows * f->units * k->element);
}

void ffebmi_force_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                          void *out)
{
    const ffebmi_force *f = user;
    const ffebmi_arrays *k = f->engine->arrays;
    size_t nudges = f->estimator->nudge_count;

    (void)worker;
    (void)last_layer;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++)
            k->fill(f->units, -strength(f, samples[i], n) * ffebmi_targets_curvature(f->targets, samples[i]),
                    ffebmi_at(k, out, (i * nudges + n) * f->units));
}

double ffebmi_force_weakest_spring(const ffebmi_force *f, size_t batch)
{
    double weakest = INFINITY;

    for (size_t i = 0; i < batch; i++)
        for (size_t n = 0; n < f->estimator->nudge_count; n++)
            weakest = fmin(weakest, -strength(f, i, n) * ffebmi_targets_curvature(f->targets, i));
    return weakest;
}

void ffebmi_force_held(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const ffebmi_force_by_hand *f = user;
    size_t row = f->units * f->arrays->element;

    (void)worker;
    (void)last_layer;
    for (size_t i = 0; i < count; i++)
        memcpy((char *)out + i * row, (const char *)f->force + samples[i] * row, row);
}

void ffebmi_force_held_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                               void *out)
{
    const ffebmi_force_by_hand *f = user;

    (void)worker;
    (void)samples;
    (void)last_layer;
    f->arrays->fill(count * f->units, f->stiffness, out);
}

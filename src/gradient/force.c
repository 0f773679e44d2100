#include "gradient/force.h"

#include <string.h>

static double strength(const ffebmi_force *f, size_t sample, size_t nudge)
{
    double sign = f->estimator->random_sign ? ffebmi_engine_sign(f->engine, sample) : 1;

    return -f->beta * sign * f->estimator->strength[nudge];
}

void ffebmi_force_linear(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                         void *out)
{
    const ffebmi_force *f = user;
    const ffebmi_kernel *k = f->engine->kernel;
    size_t nudges = f->estimator->nudge_count;

    (void)worker;
    (void)last_layer;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++)
            k->scale(f->units, strength(f, samples[i], n), ffebmi_at(k, f->delta, samples[i] * f->units),
                     ffebmi_at(k, out, (i * nudges + n) * f->units));
}

/* Run the readout on a shard of states; returns its output. */
static const void *readout_forward(const ffebm_engine *engine, const ffebmi_worker *worker, size_t rows,
                                   const void *states)
{
    const void *at = states;

    for (size_t i = ffebmi_engine_first_readout(engine), r = 0; i < engine->model->stage_count; i++, r++) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        worker->readout_inputs[r] = at;
        ffebmi_feedforward_forward(NULL, engine->model->stages[i].feedforward, &worker->readout[r], &values, rows, at,
                                   &at); /* without ops of the user's it cannot fail */
    }
    return at;
}

static const void *readout_vjp(const ffebm_engine *engine, const ffebmi_worker *worker, size_t rows,
                               const void *cotangent)
{
    size_t first = ffebmi_engine_first_readout(engine);

    for (size_t i = engine->model->stage_count; i-- > first;) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        ffebmi_feedforward_vjp(NULL, engine->model->stages[i].feedforward, &worker->readout[i - first], &values, rows,
                               worker->readout_inputs[i - first], &cotangent, true);
    }
    return cotangent;
}

void ffebmi_force_loss(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const ffebmi_force *f = user;
    const ffebm_engine *engine = f->engine;
    const ffebmi_kernel *k = engine->kernel;
    const ffebmi_worker *w = &engine->nudging.workers[worker];
    size_t nudges = f->estimator->nudge_count, outputs = ffebmi_model_output(engine->model)->count;
    const void *output = readout_forward(engine, w, count * nudges, last_layer);

    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++) {
            size_t row = i * nudges + n;

            ffebmi_chain_loss(engine, ffebmi_at(k, output, row * outputs), f->targets, samples[i],
                              strength(f, samples[i], n), ffebmi_at(k, w->loss_cotangent, row * outputs));
        }
    memcpy(out, readout_vjp(engine, w, count * nudges, w->loss_cotangent), count * nudges * f->units * k->element);
}

#include "make_traces.h"

#include <stdlib.h>

#include "../support/json_text.h"

/* A model whose one coupling has a weight for every device, and what writes them. */
struct rig {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    double *gradient;
    double noise;   /* of a reading */
    double request; /* a little more than one pulse, so that rounding makes none of it */
    size_t count;
    uint64_t seed;
    uint64_t noted;
};

static ffebm_status add_block(struct rig *rig, const struct trace_plan *plan)
{
    ffebm_energy *block = NULL;
    ffebm_coupling_config coupling;
    ffebm_status status = ffebm_energy_create_hopfield(rig->context, &block, NULL);

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = plan->devices;
    coupling.bias = 0;
    if (status == FFEBM_OK && (status = ffebm_energy_add_coupling(block, &coupling)) == FFEBM_OK)
        status = ffebm_model_add_energy(rig->model, &block);
    ffebm_energy_destroy(block);
    return status;
}

/* One gradient is computed, so that there is one to write into. */
static ffebm_status compute(struct rig *rig, const struct trace_plan *plan)
{
    const int64_t in[] = {1, 1}, out[] = {1, plan->devices};
    ffebm_tensor *x = NULL, *y = NULL;
    ffebm_status status = ffebm_tensor_create(rig->context, &x, FFEBM_FLOAT64, in, 2);

    if (status == FFEBM_OK && (status = ffebm_tensor_create(rig->context, &y, FFEBM_FLOAT64, out, 2)) == FFEBM_OK)
        status = ffebm_engine_gradient(rig->engine, NULL, x, y, NULL);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    return status;
}

static ffebm_status build(struct rig *rig, const ffebm_device_config *device, const struct trace_plan *plan)
{
    static const int64_t shape[] = {1};
    ffebm_sgd_config sgd;
    ffebm_status status;

    ffebm_sgd_config_init(&sgd, sizeof sgd);
    sgd.learning_rate = 1;
    sgd.momentum = 0;
    if ((status = ffebm_context_create(&rig->context, NULL)) != FFEBM_OK ||
        (status = ffebm_model_create(rig->context, &rig->model, FFEBM_FLOAT64, shape, 1, FFEBM_LOSS_MSE)) != FFEBM_OK ||
        (status = add_block(rig, plan)) != FFEBM_OK || (status = ffebm_model_initialize(rig->model, 0)) != FFEBM_OK)
        return status;
    for (size_t i = 0; i < (size_t)plan->devices; i++)
        ((double *)ffebm_tensor_data(ffebm_model_flat_parameters(rig->model)))[i] = 0;
    if ((status = ffebm_model_set_device(rig->model, 0, device)) != FFEBM_OK ||
        (status = ffebm_engine_create(&rig->engine, rig->model, NULL)) != FFEBM_OK ||
        (status = ffebm_optimizer_create_sgd(&rig->optimizer, rig->model, &sgd)) != FFEBM_OK)
        return status;
    rig->gradient = ffebm_tensor_data(ffebm_engine_flat_gradient(rig->engine));
    rig->count = (size_t)plan->devices;
    rig->request = device->update_dw_min * (1 + 1e-9);
    return compute(rig, plan);
}

/* An instrument's noise goes beyond a device's bounds, which what a block settles with does not. */
static ffebm_status note(struct rig *rig, struct traces *traces, int pulses)
{
    const double *weights = ffebm_tensor_data(ffebm_model_flat_parameters(rig->model));

    for (size_t i = 0; i < rig->count; i++) {
        char name[TRACE_NAME];

        snprintf(name, sizeof name, "%zu", i);
        if (traces_add(
                traces, name,
                (struct reading){weights[i] + rig->noise * ffebm_random_normal(rig->seed, rig->noted++), pulses}) != 0)
            return FFEBM_ERR_NOMEM;
    }
    return FFEBM_OK;
}

static ffebm_status give(struct rig *rig, struct traces *traces, int direction, int64_t count)
{
    for (int64_t n = 0; n < count; n++) {
        ffebm_status status;

        for (size_t i = 0; i < rig->count; i++)
            rig->gradient[i] = -direction * rig->request;
        if ((status = ffebm_optimizer_step(rig->optimizer, rig->engine)) != FFEBM_OK ||
            (status = note(rig, traces, direction)) != FFEBM_OK)
            return status;
    }
    return FFEBM_OK;
}

static ffebm_status run(struct rig *rig, struct traces *traces, const struct trace_plan *plan)
{
    ffebm_status status = note(rig, traces, 0);

    if (status == FFEBM_OK)
        status = give(rig, traces, 1, plan->pulses / 2);
    for (int64_t c = 0; c < plan->cycles && status == FFEBM_OK; c++)
        if ((status = give(rig, traces, -1, plan->pulses)) == FFEBM_OK)
            status = give(rig, traces, 1, plan->pulses);
    return status;
}

int traces_make(struct traces *traces, const ffebm_device_config *device, const struct trace_plan *plan,
                struct failure *failure)
{
    struct rig rig = {.noise = device->update_write_noise_std * device->update_dw_min, .seed = device->seed + 1};
    ffebm_device_config quiet = *device;
    ffebm_status status;

    *traces = (struct traces){.scale = 1};
    quiet.update_write_noise_std = 0;
    status = build(&rig, &quiet, plan);
    if (status == FFEBM_OK)
        status = run(&rig, traces, plan);
    if (status != FFEBM_OK)
        failure_set(failure, "%s", ffebm_context_error(rig.context));
    ffebm_optimizer_destroy(rig.optimizer);
    ffebm_engine_destroy(rig.engine);
    ffebm_model_destroy(rig.model);
    ffebm_context_destroy(rig.context);
    return status == FFEBM_OK ? 0 : -1;
}

void traces_write(FILE *file, const struct traces *traces)
{
    fprintf(file, "device,pulse,direction,weight\n");
    for (size_t d = 0; d < traces->count; d++) {
        const struct trace *t = &traces->list[d];
        long long pulse = 0;

        for (size_t i = 0; i < t->count; i++) {
            int n = t->readings[i].pulses;

            pulse += abs(n);
            fprintf(file, "%s,%lld,%s,", t->name, pulse, n > 0 ? "up" : n < 0 ? "down" : "");
            json_number_write(file, t->readings[i].value);
            fputc('\n', file);
        }
    }
}

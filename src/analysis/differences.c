#include "analysis/differences.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "analysis/comparison.h"
#include "core/context.h"
#include "core/random.h"
#include "core/ranks.h"
#include "tensor/doubles.h"

static bool is_float32(const ffebm_engine *engine)
{
    return engine->model->dtype == FFEBM_FLOAT32;
}

/* ------------------------------------------------------------------------------------------------------ free states */

/* Its layers, and behind them the inputs that go with them. */
static size_t part_count(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    return block == NULL ? 0 : 2 * block->layer_count;
}

static void *part_of(const ffebm_engine *engine, size_t stage, size_t part)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];

    size_t layers = ffebmi_engine_block(engine, stage)->layer_count;

    return part < layers ? s->free_state[part] : s->inputs[part - layers];
}

static size_t part_bytes(const ffebm_engine *engine, size_t stage, size_t part, size_t batch)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    size_t layers = block->layer_count;
    size_t units = part < layers ? block->layers[part].count : ffebmi_energy_input_units(block, part - layers);

    return batch * units * engine->arrays->element;
}

size_t ffebmi_differences_state_bytes(const ffebm_engine *engine, size_t stage, size_t batch)
{
    size_t bytes = 0;

    for (size_t p = 0; p < part_count(engine, stage); p++)
        bytes += part_bytes(engine, stage, p, batch);
    return bytes;
}

static void copy_states(const ffebm_engine *engine, void *const *states, bool back)
{
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        char *at = states[i];

        for (size_t p = 0; p < part_count(engine, i); p++) {
            size_t bytes = part_bytes(engine, i, p, engine->batch);
            void *part = part_of(engine, i, p);

            if (bytes > 0)
                memcpy(back ? part : at, back ? at : part, bytes);
            at += bytes;
        }
    }
}

void ffebmi_differences_save(const ffebm_engine *engine, void *const *states)
{
    copy_states(engine, states, false);
}

void ffebmi_differences_restore(ffebm_engine *engine, void *const *states)
{
    copy_states(engine, states, true);
    for (size_t i = 0; i < engine->model->stage_count; i++)
        if (engine->model->stages[i].energy != NULL)
            engine->stages[i].free_rows = engine->batch;
}

/* -------------------------------------------------------------------------------------------------------- the loss */

static double tolerance_of(const ffebm_engine *engine)
{
    return is_float32(engine) ? 1e-6 : 1e-13;
}

void ffebmi_differences_configure(ffebm_engine *engine, int64_t sweeps)
{
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        ffebm_equilibrium_config *e = &engine->stages[i].equilibrium;

        e->start = FFEBM_START_STATE;
        e->free_tolerance = tolerance_of(engine);
        e->free_sweeps = sweeps > e->free_sweeps ? sweeps : e->free_sweeps;
        e->require_convergence = 0;
    }
}

/* The mean loss at the present values. Blocks that remember what they made of the old ones are told. */
static ffebm_status loss_at(const ffebmi_differences *d, double *loss)
{
    ffebm_engine *engine = d->engine;
    const void *output;

    ffebmi_model_touch(engine->model);
    ffebmi_differences_restore(engine, d->states);
    FFEBMI_TRY(ffebmi_chain_up(engine, engine->batch, &output));
    ffebmi_targets_losses(d->targets, engine->batch, output, 1, engine->losses, NULL);
    *loss = 0;
    for (size_t i = 0; i < engine->batch; i++)
        *loss += engine->losses[i] / (double)engine->whole;
    FFEBMI_TRY(ffebmi_ranks_meet(engine->context, loss, 1));
    FFEBMI_CHECK(engine->context, isfinite(*loss), FFEBM_ERR_NUMERIC,
                 "the loss is NaN or infinite within a step of the differences");
    return FFEBM_OK;
}

/* Changes of the loss below this are rounding, and what settling has left. */
static double resolution(const ffebmi_differences *d)
{
    double epsilon = is_float32(d->engine) ? FLT_EPSILON : DBL_EPSILON;

    return 10 * (32 * epsilon + tolerance_of(d->engine)) * fmax(fabs(d->loss), 1);
}

/* -------------------------------------------------------------------------------------------------- one tensor */

/* Parameters are the same on all ranks; of the input each has a part. */
static bool in_parts(const ffebmi_differences *d, size_t index)
{
    return index == d->engine->model->parameter_count;
}

/* A direction of length 1, within bounds for so long a step: of a tensor in parts, this rank's part of it. */
static ffebm_status draw(const ffebmi_differences *d, const ffebmi_differences_subject *s, double step, size_t index,
                         uint64_t stream)
{
    const ffebmi_arrays *k = d->engine->arrays;
    const uint64_t first = in_parts(d, index) ? d->engine->stream.first_sample * d->engine->model->input.count : 0;
    size_t count = s->count;
    double length;

    for (size_t i = 0; i < count; i++) {
        double x = ffebm_random_normal(stream, first + i), value = ffebmi_number_at(k->element, s->values, i);

        if (value - step < s->lower || value + step > s->upper)
            x = 0;

        if (is_float32(d->engine))
            ((float *)d->direction)[i] = (float)x;
        else
            ((double *)d->direction)[i] = x;
    }
    FFEBMI_TRY(ffebmi_comparison_norm(d->engine, count, d->direction, in_parts(d, index), &length));
    k->scale(count, length > 0 ? 1 / length : 1, d->direction, d->direction);
    return FFEBM_OK;
}

static ffebm_status slope_of(const ffebmi_differences *d, size_t count, size_t index, const void *gradient,
                             double *slope)
{
    *slope = d->engine->arrays->dot(count, gradient, d->direction);
    return in_parts(d, index) ? ffebmi_ranks_meet(d->engine->context, slope, 1) : FFEBM_OK;
}

/* The change of the loss over two steps, one to each side. */
static ffebm_status change_of(const ffebmi_differences *d, void *tensor, size_t count, double step, double *change)
{
    const ffebmi_arrays *k = d->engine->arrays;
    double ends[2] = {0};
    ffebm_status status = FFEBM_OK;

    for (int i = 0; i < 2 && status == FFEBM_OK; i++) {
        k->add_scaled(count, i == 0 ? step : -step, d->direction, tensor);
        status = loss_at(d, &ends[i]);
        memcpy(tensor, d->values, count * k->element);
    }
    ffebmi_model_touch(d->engine->model);
    *change = ends[0] - ends[1];
    return status;
}

ffebm_status ffebmi_differences_compare(const ffebmi_differences *d, const ffebmi_differences_subject *s, size_t index,
                                        const void *gradient, ffebmi_difference *result)
{
    const ffebmi_arrays *k = d->engine->arrays;
    void *tensor = s->values;
    size_t count = s->count;
    double product = 0, slopes = 0, differences = 0, errors = 0, step, threshold;

    FFEBMI_TRY(ffebmi_comparison_norm(d->engine, count, tensor, in_parts(d, index), &step));
    step = d->step * fmax(step, 1);
    threshold = resolution(d) / (2 * step);
    memcpy(d->values, tensor, count * k->element);
    for (size_t i = 0; i < d->directions; i++) {
        double slope, difference;

        FFEBMI_TRY(draw(d, s, step, index, ffebmi_random_stream(d->seed, index * d->directions + i)));
        FFEBMI_TRY(slope_of(d, count, index, gradient, &slope));
        FFEBMI_TRY(change_of(d, tensor, count, step, &difference));
        difference /= 2 * step;
        product += slope * difference;
        slopes += slope * slope;
        differences += difference * difference;
        errors += (slope - difference) * (slope - difference);
    }
    *result = (ffebmi_difference){NAN, NAN};
    if (errors == 0 || sqrt(fmax(slopes, differences) / (double)d->directions) >= threshold) {
        result->cosine = errors == 0                       ? 1
                         : slopes == 0 || differences == 0 ? 0
                                                           : product / sqrt(slopes) / sqrt(differences);
        result->error = errors == 0 ? 0 : sqrt(errors / differences);
    }
    return FFEBM_OK;
}

#include "gradient/chain.h"

#include <string.h>

#include "core/context.h"
#include "gradient/estimate.h"
#include "gradient/phases.h"

/* ----------------------------------------------------------------------------------------------------- up the chain */

/* What would leave NaN or infinity in running statistics fails here, though the output is finite: while nothing has moved. */
static ffebm_status check_buffers(const ffebm_engine *engine, size_t stage, size_t batch,
                                  const ffebmi_feedforward_values *values)
{
    const ffebmi_stage *of = &engine->model->stages[stage];
    size_t bad = ffebmi_feedforward_bad_buffer(of->feedforward, &engine->stages[stage].tape, values, batch);
    const char *name;

    if (bad == FFEBM_NONE)
        return FFEBM_OK;
    name = engine->model->buffers[of->first_buffer + bad].name;
    FFEBMI_CHECK(engine->context, !engine->training, FFEBM_ERR_NUMERIC,
                 "stage %zu: the batch would make %s NaN or infinite", stage, name);
    return ffebmi_fail(engine->context, FFEBM_ERR_NUMERIC,
                       "stage %zu: %s is no running statistic: negative, NaN or infinite", stage, name);
}

static ffebm_status stage_up(ffebm_engine *engine, size_t stage, size_t batch, const void *input)
{
    const ffebmi_stage *of = &engine->model->stages[stage];
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_feedforward_values values;

    FFEBMI_TRY(ffebmi_context_ask(engine->context));
    if (of->energy != NULL) {
        FFEBMI_TRY(ffebmi_phases_free(engine, stage, batch, input));
        s->output = s->free_state[of->energy->layer_count - 1];
        return FFEBM_OK;
    }
    s->input = input;
    values = ffebmi_engine_values(engine, stage, false, 0);
    values.seed = ffebmi_stream_draw(&engine->stream);
    FFEBMI_TRY(
        ffebmi_feedforward_forward(engine->context, of->feedforward, &s->tape, &values, batch, input, &s->output));
    FFEBMI_TRY(check_buffers(engine, stage, batch, &values));
    FFEBMI_CHECK(engine->context, engine->arrays->finite(batch * of->output.count, s->output), FFEBM_ERR_NUMERIC,
                 "stage %zu: NaN or infinity in the output of a feedforward block", stage);
    return FFEBM_OK;
}

ffebm_status ffebmi_chain_up(ffebm_engine *engine, size_t batch, const void **output)
{
    const void *at = engine->input;

    engine->batch = batch;
    engine->bench.settled_stage = FFEBM_NONE;
    FFEBMI_CHECK(engine->context, engine->arrays->finite(batch * engine->model->input.count, at), FFEBM_ERR_NUMERIC,
                 "engine: NaN or infinity in the input");
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        FFEBMI_TRY(stage_up(engine, i, batch, at));
        at = engine->stages[i].output;
    }
    *output = at;
    return FFEBM_OK;
}

/* --------------------------------------------------------------------------------------------------- down the chain */

static ffebm_status energy_down(ffebm_engine *engine, size_t stage, const void *cotangent,
                                const ffebmi_targets *targets, double gradient_scale, void *input_cotangent)
{
    const ffebm_equilibrium_config *equilibrium = &engine->stages[stage].equilibrium;
    int32_t repeats = equilibrium->estimator == FFEBM_ESTIMATOR_IMPLICIT ? 1 : equilibrium->repeats;

    engine->stages[stage].tallies[1] = (ffebmi_tally){0};
    if (input_cotangent != NULL)
        memset(input_cotangent, 0, engine->batch * engine->model->stages[stage].input.count * engine->arrays->element);
    for (int32_t r = 0; r < repeats; r++) {
        if (r > 0)
            FFEBMI_TRY(ffebmi_context_ask(engine->context));
        FFEBMI_TRY(targets != NULL ? ffebmi_phases_loss(engine, stage, targets)
                                   : ffebmi_phases_linear(engine, stage, cotangent));
        ffebmi_estimate_switches(engine, stage);
        if (targets != NULL)
            ffebmi_estimate_readout(engine, targets, gradient_scale / repeats);
        FFEBMI_TRY(ffebmi_estimate(engine, stage, gradient_scale / repeats, 1.0 / repeats, input_cotangent));
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_chain_stage_down(ffebm_engine *engine, size_t stage, const void *cotangent,
                                     const ffebmi_targets *targets, double gradient_scale, void *memory,
                                     const void **input_cotangent)
{
    const ffebmi_stage *of = &engine->model->stages[stage];
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_feedforward_values values = ffebmi_engine_values(engine, stage, true, gradient_scale);

    FFEBMI_TRY(ffebmi_context_ask(engine->context));
    if (of->energy != NULL) {
        FFEBMI_TRY(energy_down(engine, stage, cotangent, targets, gradient_scale, memory));
        *input_cotangent = memory;
        return FFEBM_OK;
    }
    *input_cotangent = cotangent;
    values.seed = ffebmi_stream_draw(&engine->stream);
    return ffebmi_feedforward_vjp(engine->context, of->feedforward, &s->tape, &values, engine->batch, s->input,
                                  input_cotangent, memory != NULL);
}

/* Is the cotangent of this stage's input needed: by a caller, or by parameters further down? */
static bool wanted_below(const ffebm_engine *engine, size_t stage, size_t bottom, bool want_input)
{
    return want_input || (stage > bottom && engine->model->stages[stage].first_parameter > 0);
}

ffebm_status ffebmi_chain_down(ffebm_engine *engine, const void *cotangent, const ffebmi_targets *targets,
                               double gradient_scale, size_t bottom, const void **input_cotangent)
{
    size_t end = engine->model->stage_count, turn = 0;

    if (targets != NULL)
        end = engine->last_energy + 1; /* the readout's part comes with the nudged states */
    for (size_t i = end; i-- > bottom;) {
        void *memory = engine->cotangents[turn];

        if (!wanted_below(engine, i, bottom, input_cotangent != NULL))
            memory = NULL;
        if (engine->model->stages[i].energy != NULL)
            turn = 1 - turn;
        FFEBMI_TRY(ffebmi_chain_stage_down(engine, i, cotangent, i == engine->last_energy ? targets : NULL,
                                           gradient_scale, memory, &cotangent));
        if (memory == NULL)
            break;
    }
    if (input_cotangent != NULL)
        *input_cotangent = cotangent;
    return FFEBM_OK;
}

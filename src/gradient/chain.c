#include "gradient/chain.h"

#include <string.h>

#include "core/context.h"
#include "gradient/estimate.h"
#include "gradient/phases.h"
#include "gradient/rows.h"

/* ----------------------------------------------------------------------------------------------------- up the chain */

/* The inputs of an energy stage: what the stage before it put out, and what that one's taps did. */
static void take_inputs(ffebm_engine *engine, size_t stage, const void *input)
{
    const ffebmi_stage *below = stage == 0 ? NULL : &engine->model->stages[stage - 1];

    for (size_t l = 0; l < ffebmi_engine_block(engine, stage)->layer_count; l++)
        engine->inputs[l] = l == 0 ? input : NULL;
    for (size_t r = 1; below != NULL && r < below->row_count; r++)
        engine->inputs[below->rows[r].layer] = engine->stages[stage - 1].rows[r].output;
}

static ffebm_status stage_up(ffebm_engine *engine, size_t stage, size_t batch, const void *input)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    FFEBMI_TRY(ffebmi_context_ask(engine->context));
    if (block == NULL)
        return ffebmi_rows_up(engine, stage, batch, input);
    take_inputs(engine, stage, input);
    FFEBMI_TRY(ffebmi_phases_free(engine, stage, batch, engine->inputs));
    engine->stages[stage].output = ffebmi_phases_output(engine, stage, batch);
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
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebm_equilibrium_config *equilibrium = &engine->stages[stage].equilibrium;
    int32_t repeats = equilibrium->estimator == FFEBM_ESTIMATOR_IMPLICIT ? 1 : equilibrium->repeats;

    engine->stages[stage].tallies[1] = (ffebmi_tally){0};
    if (input_cotangent != NULL)
        memset(input_cotangent, 0,
               engine->batch * ffebmi_energy_input_offset(block, block->layer_count) * engine->arrays->element);
    for (int32_t r = 0; r < repeats; r++) {
        engine->stream.repetition = (unsigned)r;
        if (r > 0)
            FFEBMI_TRY(ffebmi_context_ask(engine->context));
        FFEBMI_TRY(targets != NULL ? ffebmi_phases_loss(engine, stage, targets, cotangent)
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
    FFEBMI_TRY(ffebmi_context_ask(engine->context));
    *input_cotangent = cotangent;
    if (!ffebmi_engine_is_energy(engine, stage))
        return ffebmi_rows_down(engine, stage, gradient_scale, memory, input_cotangent);
    FFEBMI_TRY(energy_down(engine, stage, cotangent, targets, gradient_scale, memory));
    *input_cotangent = memory;
    return FFEBM_OK;
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
        FFEBMI_TRY(ffebmi_chain_stage_down(engine, i, cotangent, i == engine->last_energy ? targets : NULL,
                                           gradient_scale, memory, &cotangent));
        if (memory == NULL)
            break;
        if (cotangent == memory)
            turn = 1 - turn;
    }
    if (input_cotangent != NULL)
        *input_cotangent = cotangent;
    return FFEBM_OK;
}

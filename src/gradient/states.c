/* One energy block by hand: settle it, read and write its states, its energy and the energy's derivatives; and what its
 * last phases report. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "energy/sweeps.h"
#include "gradient/estimate.h"
#include "gradient/layout.h"
#include "gradient/phases.h"
#include "gradient/states.h"

/* ---------------------------------------------------------------------------------------------------------- settle */

static ffebm_status check_finite(const ffebm_engine *engine, size_t stage, const char *what, const ffebm_tensor *tensor)
{
    FFEBMI_CHECK(engine->context,
                 tensor == NULL || !ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_FINITE_ONLY) ||
                     engine->arrays->finite(tensor->shape.count, tensor->data),
                 FFEBM_ERR_NUMERIC, "stage %zu: NaN or infinity in %s", stage, what);
    return FFEBM_OK;
}

/* A block by hand has the input x, in cotangents[0], and of its tapped layers those that it had last. */
static ffebm_status find_inputs(ffebm_engine *engine, size_t stage, size_t batch)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];

    engine->inputs[0] = engine->cotangents[0];
    for (size_t l = 1; l < block->layer_count; l++) {
        size_t units = ffebmi_energy_input_units(block, l);

        engine->inputs[l] = s->inputs[l];
        FFEBMI_CHECK(engine->context, units == 0 || s->input_rows == 0 || s->input_rows == batch, FFEBM_ERR_STATE,
                     "stage %zu: the input has %zu samples, but that of its tapped layer %zu has %zu", stage, batch, l,
                     s->input_rows);
        if (units > 0 && s->input_rows == 0)
            memset(s->inputs[l], 0, batch * units * engine->arrays->element);
    }
    return FFEBM_OK;
}

ffebm_status ffebm_engine_settle(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                 const ffebm_tensor *force)
{
    return ffebm_engine_settle_springs(engine, stage, input, force, 0);
}

static ffebm_status check_stiffness(const ffebm_engine *engine, size_t stage, const ffebm_tensor *force,
                                    double stiffness)
{
    FFEBMI_CHECK_ARGUMENT(engine->context, isfinite(stiffness) && (stiffness == 0 || force != NULL),
                          "stage %zu: stiffness %g, expected a finite number, 0 without a force", stage, stiffness);
    FFEBMI_CHECK(engine->context,
                 stiffness == 0 || ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_STIFFNESS),
                 FFEBM_ERR_UNSUPPORTED, "stage %zu: stiffness %g, but its block, a %s one, heeds no springs", stage,
                 stiffness, ffebmi_engine_block(engine, stage)->kind->type);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_settle_springs(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                         const ffebm_tensor *force, double stiffness)
{
    const ffebmi_stage *of;
    size_t batch = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    of = &engine->model->stages[stage];
    FFEBMI_TRY(ffebmi_tensor_check_batch(engine->context, "input", input, engine->model->dtype, &of->input, &batch));
    FFEBMI_CHECK(engine->context, batch <= engine->max_batch, FFEBM_ERR_SHAPE,
                 "input has %zu rows, more than the engine's max_batch %zu", batch, engine->max_batch);
    if (force != NULL)
        FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "force", force, engine->model->dtype, &of->output, batch));
    FFEBMI_TRY(check_finite(engine, stage, "input", input));
    FFEBMI_TRY(check_finite(engine, stage, "force", force));
    FFEBMI_TRY(check_stiffness(engine, stage, force, stiffness));
    FFEBMI_TRY(find_inputs(engine, stage, batch));
    engine->ticket = 0;
    ffebmi_engine_begin_call(engine);
    ffebmi_layout_inward(engine->arrays, &of->input, batch, input->data, engine->cotangents[0]);
    if (force != NULL) {
        ffebmi_layout_inward(engine->arrays, &of->output, batch, force->data, engine->cotangents[1]);
        return ffebmi_stream_end(&engine->stream, ffebmi_phases_by_hand(engine, stage, batch, engine->inputs,
                                                                        engine->cotangents[1], stiffness));
    }
    if (engine->bench.settled_stage == stage)
        engine->bench.settled_stage = FFEBM_NONE;
    return ffebmi_stream_end(&engine->stream, ffebmi_phases_free(engine, stage, batch, engine->inputs));
}

/* ---------------------------------------------------------------------------------------------------------- states */

/* The layers and rows of a stage's state. Lays out the nudged memory for its block: another may have been there since. */
static ffebm_status find_state(const ffebm_engine *engine, size_t stage, int32_t phase, void ***layers, size_t *rows)
{
    const ffebmi_engine_stage *s;

    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    FFEBMI_CHECK_ARGUMENT(engine->context, phase == FFEBM_PHASE_FREE || phase == FFEBM_PHASE_NUDGED,
                          "engine: phase %" PRId32 " is none of FFEBM_PHASE_", phase);
    s = &engine->stages[stage];
    ffebmi_workbench_lay_out_states(&engine->bench, ffebmi_engine_block(engine, stage));
    if (phase == FFEBM_PHASE_FREE) {
        *layers = s->free_state;
        *rows = s->free_rows;
    } else {
        *layers = engine->bench.layers;
        *rows = engine->bench.settled_stage == stage ? engine->bench.settled_rows : 0;
    }
    FFEBMI_CHECK(engine->context, *rows > 0, FFEBM_ERR_STATE, "stage %zu has no %s state", stage,
                 phase == FFEBM_PHASE_FREE ? "free" : "nudged");
    return FFEBM_OK;
}

static ffebm_status check_layer(const ffebm_engine *engine, size_t stage, size_t layer)
{
    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    FFEBMI_CHECK_ARGUMENT(engine->context, layer < ffebmi_engine_block(engine, stage)->layer_count,
                          "stage %zu has %zu layers, asked for %zu", stage,
                          ffebmi_engine_block(engine, stage)->layer_count, layer);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_get_state(const ffebm_engine *engine, ffebm_tensor *state, size_t stage, size_t layer,
                                    int32_t phase)
{
    void **layers = NULL;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_layer(engine, stage, layer));
    FFEBMI_TRY(find_state(engine, stage, phase, &layers, &rows));
    FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "state", state, engine->model->dtype,
                                        &ffebmi_engine_block(engine, stage)->layers[layer], rows));
    ffebmi_layout_outward(engine->arrays, &ffebmi_engine_block(engine, stage)->layers[layer], rows, layers[layer],
                          state->data);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_state(ffebm_engine *engine, size_t stage, size_t layer, const ffebm_tensor *state)
{
    ffebmi_engine_stage *s;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_layer(engine, stage, layer));
    FFEBMI_TRY(ffebmi_tensor_check_batch(engine->context, "state", state, engine->model->dtype,
                                         &ffebmi_engine_block(engine, stage)->layers[layer], &rows));
    FFEBMI_CHECK(engine->context, rows <= engine->max_batch, FFEBM_ERR_SHAPE,
                 "state has %zu rows, more than the engine's max_batch %zu", rows, engine->max_batch);
    s = &engine->stages[stage];
    if (s->free_rows != rows)
        for (size_t l = 0; l < ffebmi_engine_block(engine, stage)->layer_count; l++)
            memset(s->free_state[l], 0,
                   rows * ffebmi_engine_block(engine, stage)->layers[l].count * engine->arrays->element);
    ffebmi_layout_inward(engine->arrays, &ffebmi_engine_block(engine, stage)->layers[layer], rows, state->data,
                         s->free_state[layer]);
    s->free_rows = rows;
    engine->ticket = 0;
    engine->profiled = false;
    if (engine->bench.settled_stage == stage)
        engine->bench.settled_stage = FFEBM_NONE;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_get_input(const ffebm_engine *engine, ffebm_tensor *input, size_t stage, size_t layer)
{
    const ffebmi_engine_stage *s;
    const ffebmi_shape *shape;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_layer(engine, stage, layer));
    s = &engine->stages[stage];
    shape = layer == 0 ? &engine->model->stages[stage].input : &ffebmi_engine_block(engine, stage)->layers[layer];
    FFEBMI_CHECK_ARGUMENT(engine->context, s->inputs[layer] != NULL,
                          "stage %zu: layer %zu has no input, expected layer 0 or one with a tap", stage, layer);
    FFEBMI_CHECK(engine->context, s->input_rows > 0, FFEBM_ERR_STATE, "stage %zu has no input yet", stage);
    FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "input", input, engine->model->dtype, shape, s->input_rows));
    ffebmi_layout_outward(engine->arrays, shape, s->input_rows, s->inputs[layer], input->data);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_input(ffebm_engine *engine, size_t stage, size_t layer, const ffebm_tensor *input)
{
    const ffebm_energy *block;
    ffebmi_engine_stage *s;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_layer(engine, stage, layer));
    block = ffebmi_engine_block(engine, stage);
    s = &engine->stages[stage];
    FFEBMI_CHECK_ARGUMENT(engine->context, block->tapped[layer],
                          "stage %zu: layer %zu has no input that could be set, expected one with a tap", stage, layer);
    FFEBMI_TRY(
        ffebmi_tensor_check_batch(engine->context, "input", input, engine->model->dtype, &block->layers[layer], &rows));
    FFEBMI_CHECK(engine->context, rows <= engine->max_batch, FFEBM_ERR_SHAPE,
                 "input has %zu rows, more than the engine's max_batch %zu", rows, engine->max_batch);
    for (size_t l = 0; l < block->layer_count && s->input_rows != rows; l++)
        if (s->inputs[l] != NULL)
            memset(s->inputs[l], 0, rows * ffebmi_energy_input_units(block, l) * engine->arrays->element);
    ffebmi_layout_inward(engine->arrays, &block->layers[layer], rows, input->data, s->inputs[layer]);
    s->input_rows = rows;
    engine->ticket = 0;
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------------- energy */

/* Work memory and packed parameters for a look at states. */
static void set_up(ffebm_engine *engine, size_t stage)
{
    ffebmi_model_take_effect(engine->model, stage);
    ffebmi_workbench_set_up(&engine->bench, ffebmi_engine_block(engine, stage), ffebmi_engine_plan(engine, stage),
                            engine->stages[stage].parameters, 1, false);
}

/* Into engine->losses, at the inputs that have been found. */
static ffebm_status measure(ffebm_engine *engine, size_t stage, ffebmi_quantity quantity, void *const *layers,
                            size_t rows)
{
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
                            .arrays = engine->arrays,
                            .plan = ffebmi_engine_plan(engine, stage),
                            .parameters = engine->stages[stage].parameters,
                            .batch = rows,
                            .quantity = quantity,
                            .state = layers,
                            .inputs = engine->inputs,
                            .seed = ffebmi_stream_draw(&engine->stream),
                            .first_sample = engine->stream.first_sample,
                            .occasion = ffebmi_stream_occasion(&engine->stream)};

    set_up(engine, stage);
    states.packed = engine->bench.packed;
    states.common = engine->bench.common;
    return ffebmi_solver_of(states.block)->measure(engine->context, &states, engine->bench.works, engine->losses);
}

ffebm_status ffebm_engine_energy(ffebm_engine *engine, ffebm_tensor *energies, size_t stage, int32_t phase,
                                 const ffebm_tensor *input)
{
    void **layers = NULL;
    ffebmi_shape expected;
    char text[FFEBMI_SHAPE_TEXT];
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_state(engine, stage, phase, &layers, &rows));
    expected = ffebmi_shape_vector((int64_t)rows);
    FFEBMI_CHECK_ARGUMENT(engine->context, energies != NULL, "energies is NULL");
    FFEBMI_CHECK(engine->context, energies->dtype == engine->model->dtype, FFEBM_ERR_DTYPE,
                 "energies is %s, expected %s", ffebmi_dtype_name(energies->dtype),
                 ffebmi_dtype_name(engine->model->dtype));
    FFEBMI_CHECK(engine->context, ffebmi_shape_equal(&energies->shape, &expected), FFEBM_ERR_SHAPE,
                 "energies is %s, expected [%zu]", ffebmi_shape_text(text, &energies->shape), rows);
    FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "input", input, engine->model->dtype,
                                        &engine->model->stages[stage].input, rows));
    FFEBMI_TRY(check_finite(engine, stage, "input", input));
    FFEBMI_TRY(find_inputs(engine, stage, rows));
    ffebmi_layout_inward(engine->arrays, &engine->model->stages[stage].input, rows, input->data, engine->cotangents[0]);
    FFEBMI_TRY(measure(engine, stage, FFEBMI_ENERGY, layers, rows));
    for (size_t i = 0; i < rows; i++) {
        if (energies->dtype == FFEBM_FLOAT32)
            ((float *)energies->data)[i] = (float)engine->losses[i];
        else
            ((double *)energies->data)[i] = engine->losses[i];
    }
    return FFEBM_OK;
}

bool ffebmi_states_have_power(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];

    return block->kind->sweeps != NULL && block->kind->sweeps->powers != NULL && s->free_rows > 0 &&
           s->input_rows == s->free_rows;
}

/* Of states of the last settling's samples, at the inputs of that one. */
static ffebm_status measure_at_last_inputs(ffebm_engine *engine, size_t stage, ffebmi_quantity quantity,
                                           void *const *layers)
{
    for (size_t l = 0; l < ffebmi_engine_block(engine, stage)->layer_count; l++)
        engine->inputs[l] = engine->stages[stage].inputs[l];
    ffebmi_workbench_lay_out_states(&engine->bench, ffebmi_engine_block(engine, stage));
    return measure(engine, stage, quantity, layers, engine->stages[stage].input_rows);
}

ffebm_status ffebmi_states_power(ffebm_engine *engine, size_t stage, double *watts)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];

    FFEBMI_TRY(measure_at_last_inputs(engine, stage, FFEBMI_POWER, s->free_state));
    *watts = 0;
    for (size_t i = 0; i < s->free_rows; i++)
        *watts += engine->losses[i] / (double)s->free_rows;
    return FFEBM_OK;
}

ffebm_status ffebmi_states_energies(ffebm_engine *engine, size_t stage, void *const *layers, double *energies)
{
    FFEBMI_TRY(measure_at_last_inputs(engine, stage, FFEBMI_ENERGY, layers));
    memcpy(energies, engine->losses, engine->stages[stage].input_rows * sizeof *energies);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_energy_gradient(ffebm_engine *engine, ffebm_tensor *input_gradient, size_t stage,
                                          int32_t phase)
{
    const ffebm_energy *block;
    const ffebmi_engine_stage *s;
    const ffebmi_shape *shape;
    void *cotangent;
    void **layers = NULL;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_state(engine, stage, phase, &layers, &rows));
    s = &engine->stages[stage];
    block = ffebmi_engine_block(engine, stage);
    shape = &engine->model->stages[stage].input;
    FFEBMI_CHECK(engine->context, !ffebmi_energy_can(block, FFEBMI_READS_INPUT) || s->input_rows == rows,
                 FFEBM_ERR_STATE, "stage %zu: its state of %zu samples was written, but its last input was of %zu",
                 stage, rows, s->input_rows);
    if (input_gradient != NULL)
        FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "input_gradient", input_gradient, engine->model->dtype,
                                            shape, rows));
    cotangent = input_gradient == NULL ? NULL : engine->cotangents[0];
    if (cotangent != NULL)
        memset(cotangent, 0, rows * ffebmi_energy_input_offset(block, block->layer_count) * engine->arrays->element);
    set_up(engine, stage);
    FFEBMI_TRY(
        ffebmi_estimate_energy(engine, stage, layers, rows, phase == FFEBM_PHASE_FREE ? FFEBM_NONE : 0, cotangent));
    if (input_gradient != NULL)
        ffebmi_layout_outward(engine->arrays, shape, rows, cotangent, input_gradient->data);
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------------- report */

static const ffebmi_tally *tally_of(const ffebm_engine *engine, size_t stage, int32_t phase)
{
    return &engine->stages[stage].tallies[phase == FFEBM_PHASE_FREE ? 0 : 1];
}

ffebm_status ffebm_engine_inspect_phase(const ffebm_engine *engine, ffebm_phase_report *report, size_t stage,
                                        int32_t phase)
{
    ffebm_phase_report facts = {0};
    ffebmi_tally tally = {0};

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, phase == FFEBM_PHASE_FREE || phase == FFEBM_PHASE_NUDGED,
                          "engine: phase %" PRId32 " is none of FFEBM_PHASE_", phase);
    if (stage != FFEBM_ALL)
        FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    for (size_t i = 0; i < engine->model->stage_count; i++)
        if (stage == FFEBM_ALL || stage == i)
            ffebmi_tally_add(&tally, tally_of(engine, i, phase));
    facts.samples = tally.samples;
    facts.unconverged = tally.unconverged;
    facts.nonfinite = tally.nonfinite;
    facts.region_changes = tally.region_changes;
    facts.sweeps_min = tally.sweeps_min;
    facts.sweeps_max = tally.sweeps_max;
    facts.sweeps_mean = tally.samples == 0 ? 0 : (double)tally.sweeps_sum / (double)tally.samples;
    facts.residual_max = tally.residual_max;
    facts.seconds = tally.seconds;
    facts.joules = tally.joules;
    facts.retries = tally.retries;
    facts.relaxation_max = tally.relaxation_max;
    return ffebmi_sized_write(engine->context, "phase report", report, &facts, sizeof facts);
}

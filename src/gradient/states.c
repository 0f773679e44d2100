/* One energy block by hand: settle it, read and write its states, its energy and the energy's derivatives; and what its
 * last phases report. */
#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "gradient/chain.h"
#include "gradient/estimate.h"
#include "gradient/layout.h"
#include "gradient/nudge.h"
#include "gradient/own.h"

/* ---------------------------------------------------------------------------------------------------------- settle */

/* The force by hand, as states are stored. */
typedef struct held {
    const void *force;
    size_t row; /* bytes */
} held;

static void held_force(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const held *h = user;

    (void)worker;
    (void)last_layer;
    for (size_t i = 0; i < count; i++)
        memcpy((char *)out + i * h->row, (const char *)h->force + samples[i] * h->row, h->row);
}

static ffebm_status settle_nudged(ffebm_engine *engine, size_t stage, const void *input, const void *force,
                                  size_t batch)
{
    ffebmi_engine_stage *s = &engine->stages[stage];
    held h = {force, engine->model->stages[stage].output.count * engine->kernel->element};
    ffebmi_phase phase = {.block = ffebmi_engine_block(engine, stage),
                          .kernel = ffebmi_engine_settling_kernel(engine, stage),
                          .parameters = s->parameters,
                          .batch = batch,
                          .nudges = 1,
                          .nudged = true,
                          .order = s->equilibrium.nudged_order,
                          .relaxation = s->equilibrium.relaxation,
                          .max_sweeps = s->equilibrium.nudged_sweeps,
                          .tolerance = s->equilibrium.nudged_tolerance,
                          .input = input,
                          .start = s->free_state,
                          .force = held_force,
                          .force_user = &h,
                          .force_held = true,
                          .hold_switches = s->equilibrium.switches == FFEBM_SWITCHES_HOLD,
                          .seed = ffebmi_engine_draw(engine)};

    FFEBMI_CHECK(engine->context, s->free_rows == batch, FFEBM_ERR_STATE,
                 "stage %zu: a force on %zu samples, but there is a free state of %zu", stage, batch, s->free_rows);
    engine->nudging.settled_stage = FFEBM_NONE;
    ffebmi_nudge_place(engine, stage, 1, NULL);
    phase.packed = engine->nudging.packed;
    phase.result = engine->nudging.layers;
    FFEBMI_TRY(ffebmi_relax(engine->context, &phase, engine->nudging.works, &s->tallies[1]));
    FFEBMI_TRY(ffebmi_nudge_check(engine, stage, FFEBM_PHASE_NUDGED));
    ffebmi_chain_keep_input(engine, stage, batch, input);
    engine->nudging.settled_stage = stage;
    engine->nudging.settled_rows = batch;
    return FFEBM_OK;
}

/* Blocks of the user's are promised finite numbers. A Hopfield network may be asked anything. */
static ffebm_status check_finite(const ffebm_engine *engine, size_t stage, const char *what, const ffebm_tensor *tensor)
{
    FFEBMI_CHECK(engine->context,
                 tensor == NULL || ffebmi_engine_block(engine, stage)->own == NULL ||
                     engine->kernel->finite(tensor->shape.count, tensor->data),
                 FFEBM_ERR_NUMERIC, "stage %zu: NaN or infinity in %s", stage, what);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_settle(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                 const ffebm_tensor *force)
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
    engine->state = FFEBMI_ENGINE_IDLE;
    ffebmi_engine_begin_call(engine);
    ffebmi_layout_inward(engine->kernel, &of->input, batch, input->data, engine->cotangents[0]);
    if (force != NULL) {
        ffebmi_layout_inward(engine->kernel, &of->output, batch, force->data, engine->cotangents[1]);
        return ffebmi_engine_end_call(
            engine, settle_nudged(engine, stage, engine->cotangents[0], engine->cotangents[1], batch));
    }
    if (engine->nudging.settled_stage == stage)
        engine->nudging.settled_stage = FFEBM_NONE;
    return ffebmi_engine_end_call(engine, ffebmi_chain_settle_free(engine, stage, batch, engine->cotangents[0]));
}

/* ---------------------------------------------------------------------------------------------------------- states */

/* The layers and rows of a stage's state. Lays out the nudged memory for its block: another may have been there since. */
static ffebm_status find_state(const ffebm_engine *engine, size_t stage, int32_t phase, void *const **layers,
                               size_t *rows)
{
    const ffebmi_engine_stage *s;

    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    FFEBMI_CHECK_ARGUMENT(engine->context, phase == FFEBM_PHASE_FREE || phase == FFEBM_PHASE_NUDGED,
                          "engine: phase %" PRId32 " is none of FFEBM_PHASE_", phase);
    s = &engine->stages[stage];
    ffebmi_nudge_place_states(engine, stage);
    if (phase == FFEBM_PHASE_FREE) {
        *layers = s->free_state;
        *rows = s->free_rows;
    } else {
        *layers = engine->nudging.layers;
        *rows = engine->nudging.settled_stage == stage ? engine->nudging.settled_rows : 0;
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
    void *const *layers = NULL;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_layer(engine, stage, layer));
    FFEBMI_TRY(find_state(engine, stage, phase, &layers, &rows));
    FFEBMI_TRY(ffebmi_tensor_check_rows(engine->context, "state", state, engine->model->dtype,
                                        &ffebmi_engine_block(engine, stage)->layers[layer], rows));
    ffebmi_layout_outward(engine->kernel, &ffebmi_engine_block(engine, stage)->layers[layer], rows, layers[layer],
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
                   rows * ffebmi_engine_block(engine, stage)->layers[l].count * engine->kernel->element);
    ffebmi_layout_inward(engine->kernel, &ffebmi_engine_block(engine, stage)->layers[layer], rows, state->data,
                         s->free_state[layer]);
    s->free_rows = rows;
    engine->state = FFEBMI_ENGINE_IDLE;
    engine->profiled = false;
    if (engine->nudging.settled_stage == stage)
        engine->nudging.settled_stage = FFEBM_NONE;
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------------- energy */

/* Into engine->losses, at the input in cotangents[0]. */
static void relax_energies(ffebm_engine *engine, size_t stage, void *const *layers, size_t rows)
{
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
                            .kernel = ffebmi_engine_settling_kernel(engine, stage),
                            .parameters = engine->stages[stage].parameters,
                            .packed = engine->nudging.packed,
                            .batch = rows,
                            .state = layers,
                            .input = engine->cotangents[0]};

    ffebmi_relax_energies(&states, engine->nudging.works[0], engine->losses);
}

ffebm_status ffebm_engine_energy(ffebm_engine *engine, ffebm_tensor *energies, size_t stage, int32_t phase,
                                 const ffebm_tensor *input)
{
    void *const *layers = NULL;
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
    ffebmi_layout_inward(engine->kernel, &engine->model->stages[stage].input, rows, input->data, engine->cotangents[0]);
    ffebmi_nudge_place(engine, stage, 1, NULL);
    if (ffebmi_engine_block(engine, stage)->own != NULL)
        FFEBMI_TRY(ffebmi_own_energies(engine, stage, layers, rows, engine->cotangents[0], engine->losses));
    else
        relax_energies(engine, stage, layers, rows);
    for (size_t i = 0; i < rows; i++) {
        if (energies->dtype == FFEBM_FLOAT32)
            ((float *)energies->data)[i] = (float)engine->losses[i];
        else
            ((double *)energies->data)[i] = engine->losses[i];
    }
    return FFEBM_OK;
}

static void clear_gradients(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    for (size_t p = 0; p < block->parameter_count; p++)
        memset(engine->stages[stage].gradients[p], 0,
               block->parameters[p].parameter.shape.count * engine->kernel->element);
}

/* As a contrast with the state zero: the difference is the state, the mean its half. */
ffebm_status ffebm_engine_energy_gradient(ffebm_engine *engine, size_t stage, int32_t phase)
{
    const ffebm_energy *block;
    ffebmi_contrast contrast;
    size_t nudge;
    bool hold;
    void *const *layers = NULL;
    uint8_t **switches;
    void **halves;
    size_t rows = 0;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_state(engine, stage, phase, &layers, &rows));
    block = ffebmi_engine_block(engine, stage);
    ffebmi_nudge_place(engine, stage, 1, NULL);
    if (block->own != NULL)
        return ffebmi_own_energy_gradient(engine, stage, layers, rows);
    clear_gradients(engine, stage);
    hold = engine->stages[stage].equilibrium.switches == FFEBM_SWITCHES_HOLD;
    nudge = hold || phase == FFEBM_PHASE_FREE ? FFEBM_NONE : 0;
    ffebmi_estimate_observe(engine, stage, nudge, hold ? engine->stages[stage].free_state : layers, rows);
    halves = engine->nudging.layers + block->layer_count; /* nudge 0 may be the state itself */
    for (size_t l = 0; l < block->layer_count; l++)
        engine->kernel->scale(rows * block->layers[l].count, 0.5, layers[l], halves[l]);
    switches = ffebmi_nudge_switches(engine, stage, nudge);
    contrast = (ffebmi_contrast){.kernel = ffebmi_engine_settling_kernel(engine, stage),
                                 .batch = rows,
                                 .switches = {switches, switches},
                                 .difference = layers,
                                 .mean = halves,
                                 .weight = 1.0 / (double)rows,
                                 .gradients = engine->stages[stage].gradients};
    ffebmi_estimate_gradient(engine, stage, &contrast);
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
    return ffebmi_sized_write(engine->context, "phase report", report, &facts, sizeof facts);
}

#include "gradient/estimate.h"

#include <math.h>
#include <string.h>

#include "gradient/phases.h"
#include "gradient/readout.h"

/* ------------------------------------------------------------------------------------------------------ the readout */

/* The output of the last energy block under a nudge, as it is handed on. */
static const void *last_layer(const ffebm_engine *engine, size_t nudge)
{
    const ffebmi_solver *solver = ffebmi_solver_of(ffebmi_engine_block(engine, engine->last_energy));
    ffebmi_states states = {.block = ffebmi_engine_block(engine, engine->last_energy),
                            .arrays = engine->arrays,
                            .batch = engine->batch,
                            .common = engine->bench.common,
                            .occasion = ffebmi_stream_occasion(&engine->stream)};
    const ffebm_energy *block = ffebmi_engine_block(engine, engine->last_energy);
    size_t last = block->layer_count - 1, count = engine->batch * block->layers[last].count;
    const void *nudged = ffebmi_workbench_layers(&engine->bench, block, nudge)[last];

    states.state = ffebmi_workbench_layers(&engine->bench, block, nudge);
    if (ffebmi_phases_form(engine, engine->last_energy) == FFEBMI_WHOLE && solver->hand_on == NULL)
        return nudged;
    if (ffebmi_phases_form(engine, engine->last_energy) == FFEBMI_WHOLE) {
        solver->hand_on(engine->context, &states, nudge, engine->nudged_output);
        return engine->nudged_output;
    }
    engine->arrays->scale(count, 1, engine->stages[engine->last_energy].free_state[last], engine->nudged_output);
    engine->arrays->add(count, nudged, engine->nudged_output);
    return engine->nudged_output;
}

void ffebmi_estimate_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale)
{
    size_t first = engine->bench.first_readout, outputs = ffebmi_model_output(engine->model)->count;
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&engine->stages[engine->last_energy].equilibrium);
    const ffebmi_readout readout = {.engine = engine, .rows = engine->batch};
    const ffebmi_arrays *k = engine->arrays;

    if (first == engine->model->stage_count ||
        engine->model->stages[first].first_parameter == engine->model->parameter_count)
        return;
    for (size_t n = 0; n < estimator->nudge_count; n++) {
        double weight = ffebmi_estimator_readout_weight(estimator, n);
        const void *output = ffebmi_readout_forward(&readout, last_layer(engine, n));

        for (size_t r = 0; r < engine->batch; r++)
            ffebmi_targets_loss(targets, r, ffebmi_at(k, output, r * outputs), weight,
                                ffebmi_at(k, engine->cotangents[1], r * outputs));
        ffebmi_readout_gradient(&readout, engine->cotangents[1], gradient_scale);
    }
}

/* ------------------------------------------------------------------------------------------------------- switches */

static uint8_t **switches_of(const ffebm_engine *engine, size_t stage, size_t nudge)
{
    return ffebmi_workbench_switches(&engine->bench, ffebmi_engine_block(engine, stage), nudge);
}

/* Note where the switches of a state stand, as those of a nudge or (FFEBM_NONE) of the free state. */
static void observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch)
{
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
                            .arrays = engine->arrays,
                            .plan = ffebmi_engine_plan(engine, stage),
                            .parameters = engine->stages[stage].parameters,
                            .packed = engine->bench.packed,
                            .batch = batch,
                            .state = layers};

    if (ffebmi_energy_has_switches(states.block))
        ffebmi_relax_observe(engine->context, &states, engine->bench.works, switches_of(engine, stage, nudge));
}

/* Switches that a nudge has moved are region changes, too. */
static void count_switch_changes(ffebm_engine *engine, size_t stage, size_t nudge)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];
    void **layers = ffebmi_workbench_layers(&engine->bench, block, nudge);

    for (size_t c = 0; c < block->graph.coupling_count; c++) {
        size_t count = ffebmi_energy_switch_count(block, c), above = block->graph.couplings[c].to;

        if (count > 0)
            s->tallies[1].region_changes += engine->arrays->switch_changes(
                engine->batch * count, layers[above], s->free_state[above], switches_of(engine, stage, nudge)[c],
                switches_of(engine, stage, FFEBM_NONE)[c]);
    }
}

static bool held(const ffebm_engine *engine, size_t stage)
{
    return engine->stages[stage].equilibrium.switches == FFEBM_SWITCHES_HOLD;
}

void ffebmi_estimate_switches(ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebm_equilibrium_config *equilibrium = &engine->stages[stage].equilibrium;
    size_t nudge_count = ffebmi_estimator_of(equilibrium)->nudge_count;
    bool moved = !held(engine, stage) && equilibrium->estimator != FFEBM_ESTIMATOR_IMPLICIT;

    if (!ffebmi_energy_has_switches(block))
        return;
    observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    for (size_t n = 0; n < nudge_count && moved; n++) {
        observe(engine, stage, n, ffebmi_workbench_layers(&engine->bench, block, n), engine->batch);
        count_switch_changes(engine, stage, n);
    }
}

/* ----------------------------------------------------------------------------------------------- reading estimates */

static ffebmi_reading reading_of(ffebm_engine *engine, size_t stage, size_t batch)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];

    return (ffebmi_reading){.block = block,
                            .arrays = engine->arrays,
                            .plan = ffebmi_engine_plan(engine, stage),
                            .parameters = s->parameters,
                            .packed = engine->bench.packed,
                            .batch = batch,
                            .inputs = (const void *const *)s->inputs,
                            .free = s->free_state,
                            .memory = {ffebmi_workbench_layers(&engine->bench, block, 0),
                                       ffebmi_workbench_layers(&engine->bench, block, 1)},
                            .seed = ffebmi_stream_draw(&engine->stream),
                            .first_sample = engine->stream.first_sample,
                            .common = engine->bench.common,
                            .occasion = ffebmi_stream_occasion(&engine->stream),
                            .gradients = s->gradients};
}

static void **layers_of(const ffebm_engine *engine, size_t stage, size_t nudge)
{
    return nudge == FFEBM_NONE ? engine->stages[stage].free_state
                               : ffebmi_workbench_layers(&engine->bench, ffebmi_engine_block(engine, stage), nudge);
}

static ffebmi_reading_pair pair_of(const ffebm_engine *engine, size_t stage, const ffebmi_pair *pair)
{
    bool hold = held(engine, stage);

    return (ffebmi_reading_pair){.first = layers_of(engine, stage, pair->first),
                                 .second = layers_of(engine, stage, pair->second),
                                 .first_switches = switches_of(engine, stage, hold ? FFEBM_NONE : pair->first),
                                 .second_switches = switches_of(engine, stage, hold ? FFEBM_NONE : pair->second),
                                 .weight = pair->weight / engine->stages[stage].equilibrium.beta,
                                 .nudges = {pair->first, pair->second}};
}

/* Implicit differentiation: the adjoint's displacement alone, at the free state. */
static ffebmi_reading_pair adjoint_pair(const ffebm_engine *engine, size_t stage)
{
    uint8_t **switches = switches_of(engine, stage, FFEBM_NONE);

    return (ffebmi_reading_pair){
        .first = layers_of(engine, stage, 0), .first_switches = switches, .second_switches = switches, .weight = 1};
}

static const double *draw_signs(ffebm_engine *engine)
{
    for (size_t i = 0; i < engine->batch; i++)
        engine->signs[i] = ffebmi_stream_sign(&engine->stream, i);
    return engine->signs;
}

/* Of one of the states of a pair. Its mean is made in memory of its own: the states are yet to be contrasted. */
static ffebm_status add_total(ffebm_engine *engine, size_t stage, const ffebmi_reading *of,
                              const ffebmi_reading_pair *pair, bool second)
{
    size_t spare = ffebmi_estimator_of(&engine->stages[stage].equilibrium)->nudge_count;
    uint8_t **switches = second ? pair->second_switches : pair->first_switches;
    ffebmi_reading reading = *of;

    reading.gradients = engine->stages[stage].totals;
    reading.memory[1] = ffebmi_workbench_layers(&engine->bench, of->block, spare);
    reading.pairs[reading.pair_count++] = (ffebmi_reading_pair){.first = second ? pair->second : pair->first,
                                                                .first_switches = switches,
                                                                .second_switches = switches,
                                                                .weight = fabs(pair->weight),
                                                                .nudges = {pair->nudges[second], FFEBM_NONE}};
    return ffebmi_solver_of(reading.block)->read(engine->context, &reading, engine->bench.works);
}

/* The readings that an estimate is the difference of, added up: whatever sign a sample is nudged with, the same. */
static ffebm_status add_totals(ffebm_engine *engine, size_t stage, const ffebmi_reading *of)
{
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&engine->stages[stage].equilibrium);

    for (size_t i = 0; i < estimator->pair_count; i++) {
        ffebmi_reading_pair pair = pair_of(engine, stage, &estimator->pairs[i]);

        FFEBMI_TRY(add_total(engine, stage, of, &pair, false));
        FFEBMI_TRY(add_total(engine, stage, of, &pair, true));
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                             void *input_cotangent)
{
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&engine->stages[stage].equilibrium);
    ffebmi_reading reading = reading_of(engine, stage, engine->batch);

    reading.form = ffebmi_phases_form(engine, stage);
    reading.gradient_scale = gradient_scale;
    if (engine->stages[stage].totals != NULL)
        FFEBMI_TRY(add_totals(engine, stage, &reading));
    engine->gradient.phases = engine->gradient.phases && reading.form != FFEBMI_TANGENT;
    reading.input_scale = input_scale;
    reading.input_cotangent = input_cotangent;
    if (estimator->random_sign)
        reading.signs = draw_signs(engine);
    for (size_t i = 0; i < estimator->pair_count; i++)
        reading.pairs[reading.pair_count++] = pair_of(engine, stage, &estimator->pairs[i]);
    if (reading.form == FFEBMI_TANGENT)
        reading.pairs[reading.pair_count++] = adjoint_pair(engine, stage);
    return ffebmi_solver_of(reading.block)->read(engine->context, &reading, engine->bench.works);
}

ffebm_status ffebmi_estimate_energy(ffebm_engine *engine, size_t stage, void **layers, size_t rows, size_t nudge,
                                    void *input_cotangent)
{
    bool hold = held(engine, stage);
    uint8_t **switches = switches_of(engine, stage, hold ? FFEBM_NONE : nudge);
    ffebmi_reading reading = reading_of(engine, stage, rows);

    observe(engine, stage, hold ? FFEBM_NONE : nudge, hold ? engine->stages[stage].free_state : layers, rows);
    reading.pairs[reading.pair_count++] = (ffebmi_reading_pair){.first = layers,
                                                                .first_switches = switches,
                                                                .second_switches = switches,
                                                                .weight = 1,
                                                                .nudges = {nudge, FFEBM_NONE}};
    reading.gradient_scale = 1.0 / (double)rows;
    reading.input_scale = 1;
    reading.input_cotangent = input_cotangent;
    reading.replace = true;
    return ffebmi_solver_of(reading.block)->read(engine->context, &reading, engine->bench.works);
}

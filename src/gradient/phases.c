#include "gradient/phases.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "gradient/force.h"
#include "gradient/stability.h"

/* ---------------------------------------------------------------------------------------------- building */

/* What phases of a stage have in common. */
static ffebmi_phase phase_of(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];

    return (ffebmi_phase){.block = ffebmi_engine_block(engine, stage),
                          .arrays = engine->arrays,
                          .plan = ffebmi_engine_plan(engine, stage),
                          .parameters = s->parameters,
                          .batch = batch,
                          .nudges = 1,
                          .inputs = inputs,
                          .seed = ffebmi_stream_draw(&engine->stream),
                          .first_sample = engine->stream.first_sample,
                          .occasion = ffebmi_stream_occasion(&engine->stream)};
}

/* Orders that are set by hand are left as they are, unless a relaxation is set too. So are pools that may move: relaxed sweeps
 * would take some of them to other switches, and so to another equilibrium. */
static double relaxation_in(const ffebm_equilibrium_config *equilibrium, bool default_order, bool moving)
{
    return equilibrium->relaxation != 0 || (default_order && !moving) ? equilibrium->relaxation : 1;
}

static ffebmi_phase free_phase(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = phase_of(engine, stage, batch, inputs);

    phase.order = s->equilibrium.free_order;
    phase.relaxation =
        relaxation_in(&s->equilibrium, phase.order == FFEBM_ORDER_COLORS, ffebmi_energy_has_switches(phase.block));
    phase.max_sweeps = s->equilibrium.free_sweeps;
    phase.tolerance = s->equilibrium.free_tolerance;
    phase.start = s->equilibrium.start == FFEBM_START_STATE ? s->free_state : NULL;
    phase.norms = s->norms[0];
    if (!ffebmi_energy_has_switches(phase.block)) /* with other switches it would settle elsewhere */
        phase.int16 = ffebmi_engine_int16(engine, stage);
    return phase;
}

/* Do pools follow their maximum while nudged? */
static bool moving_pools(const ffebm_engine *engine, size_t stage)
{
    return engine->stages[stage].equilibrium.switches == FFEBM_SWITCHES_FOLLOW &&
           ffebmi_energy_has_switches(ffebmi_engine_block(engine, stage));
}

static ffebmi_phase nudged_phase(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = phase_of(engine, stage, batch, inputs);

    phase.nudged = true;
    phase.backwards = s->equilibrium.nudged_order == FFEBM_ORDER_REVERSED;
    phase.order = phase.backwards ? s->equilibrium.free_order : s->equilibrium.nudged_order;
    phase.relaxation = relaxation_in(&s->equilibrium, phase.backwards && phase.order == FFEBM_ORDER_COLORS,
                                     moving_pools(engine, stage));
    phase.max_sweeps = s->equilibrium.nudged_sweeps;
    phase.tolerance = s->equilibrium.nudged_tolerance;
    phase.start = s->free_state;
    phase.hold_switches = s->equilibrium.switches == FFEBM_SWITCHES_HOLD;
    return phase;
}

/* Make the workbench ready for it. */
static void set_up(ffebm_engine *engine, size_t stage, ffebmi_phase *phase)
{
    ffebmi_model_take_effect(engine->model, stage);
    ffebmi_workbench_set_up(&engine->bench, phase->block, phase->plan, phase->parameters, phase->nudges, phase->int16);
    phase->packed = engine->bench.packed;
    phase->common = engine->bench.common;
}

static ffebm_status check(const ffebm_engine *engine, size_t stage, const char *phase, const ffebmi_tally *tally)
{
    char limit[FFEBMI_LIMIT_TEXT];

    FFEBMI_CHECK(engine->context, tally->nonfinite == 0, FFEBM_ERR_NUMERIC,
                 "stage %zu: %zu of %zu samples ended the %s phase in NaN or infinity", stage, tally->nonfinite,
                 tally->samples, phase);
    FFEBMI_CHECK(engine->context, tally->unstable == 0 || engine->stages[stage].equilibrium.require_convergence == 0,
                 FFEBM_ERR_CONVERGENCE, "stage %zu: %zu of %zu samples are nudged by more than the block bears: %s",
                 stage, tally->unstable, tally->samples, ffebmi_stability_text(limit, &engine->stages[stage].limit));
    FFEBMI_CHECK(engine->context, tally->unconverged == 0 || engine->stages[stage].equilibrium.require_convergence == 0,
                 FFEBM_ERR_CONVERGENCE, "stage %zu: %zu of %zu samples had not settled after %" PRId64 " %s sweeps",
                 stage, tally->unconverged, tally->samples, tally->sweeps_max, phase);
    return FFEBM_OK;
}

/* Can the block settle with the parameters that it has? The workbench is set up. */
static ffebm_status check_parameters(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_failure failure;

    FFEBMI_CHECK(engine->context,
                 block->kind->check == NULL || block->kind->check(block, engine->bench.packed, &failure) == FFEBM_OK,
                 failure.status, "stage %zu: %s", stage, failure.text);
    return FFEBM_OK;
}

/* And under springs as weak as these? */
static ffebm_status check_springs(const ffebm_engine *engine, size_t stage, double weakest, double beta)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    double least = block->kind->bears_alone == NULL ? -INFINITY : block->kind->bears_alone(block, engine->bench.packed);
    ffebmi_limit limit = {0};
    char text[FFEBMI_LIMIT_TEXT];

    if (weakest <= least)
        limit = ffebmi_stability_limit(engine, stage, weakest, beta);
    FFEBMI_CHECK_ARGUMENT(engine->context, weakest > least,
                          "stage %zu: nudged by the loss or by springs, which take from the conductance of outputs: %s",
                          stage, ffebmi_stability_text(text, &limit));
    return FFEBM_OK;
}

/* A nudged phase has been: how strongly might the block have been nudged? */
static void note_limit(ffebm_engine *engine, size_t stage, double weakest, double beta)
{
    ffebmi_engine_stage *s = &engine->stages[stage];

    if (s->tallies[1].unstable > 0)
        s->limit = ffebmi_stability_limit(engine, stage, weakest, beta);
}

/* --------------------------------------------------------------------------------------------------------------- free */

/* The stage has a state that has come from these. */
static void keep_inputs(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];

    for (size_t l = 0; l < block->layer_count; l++)
        if (s->inputs[l] != NULL && s->inputs[l] != inputs[l])
            memcpy(s->inputs[l], inputs[l], batch * ffebmi_energy_input_units(block, l) * engine->arrays->element);
    s->input_rows = batch;
}

static void take_state(const ffebm_engine *engine, size_t stage, const ffebmi_phase *phase)
{
    for (size_t l = 0; l < phase->block->layer_count; l++)
        memcpy(engine->stages[stage].free_state[l], phase->result[l],
               phase->batch * phase->block->layers[l].count * engine->arrays->element);
}

ffebm_status ffebmi_phases_free(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs)
{
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = free_phase(engine, stage, batch, inputs);
    bool aside = ffebmi_energy_can(phase.block, FFEBMI_MAY_FAIL);
    ffebm_status status;

    FFEBMI_CHECK(engine->context, phase.start == NULL || s->free_rows == batch, FFEBM_ERR_STATE,
                 "stage %zu: FFEBM_START_STATE with a batch of %zu, but there is a state of %zu samples", stage, batch,
                 s->free_rows);
    set_up(engine, stage, &phase);
    FFEBMI_TRY(check_parameters(engine, stage));
    /* A device may fail half-way through the batch, and is then called again, perhaps to start from its last state: that one
     * stays until all samples have settled. Nudge 0 may hold a state by hand of another stage. */
    phase.result = aside ? ffebmi_workbench_layers(&engine->bench, phase.block, 1) : s->free_state;
    status = ffebmi_relax(engine->context, &phase, engine->bench.works, &s->tallies[0]);
    s->tallies[1] = (ffebmi_tally){0};
    s->nudges = 0;
    FFEBMI_TRY(status);
    if (aside)
        take_state(engine, stage, &phase);
    keep_inputs(engine, stage, batch, inputs);
    s->free_rows = s->tallies[0].nonfinite == 0 ? batch : 0;
    return check(engine, stage, "free", &s->tallies[0]);
}

const void *ffebmi_phases_output(ffebm_engine *engine, size_t stage, size_t batch)
{
    ffebmi_engine_stage *s = &engine->stages[stage];
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_solver *solver = ffebmi_solver_of(block);
    ffebmi_states states = {.block = block,
                            .arrays = engine->arrays,
                            .batch = batch,
                            .state = s->free_state,
                            .common = engine->bench.common,
                            .occasion = ffebmi_stream_occasion(&engine->stream)};

    if (solver->hand_on == NULL)
        return s->free_state[block->layer_count - 1];
    solver->hand_on(engine->context, &states, FFEBM_NONE, s->handed_on);
    return s->handed_on;
}

/* ------------------------------------------------------------------------------------------------------------ nudged */

ffebmi_form ffebmi_phases_form(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebm_equilibrium_config *e = &engine->stages[stage].equilibrium;

    if (e->estimator == FFEBM_ESTIMATOR_IMPLICIT)
        return FFEBMI_TANGENT;
    return ffebmi_energy_can(block, FFEBMI_DISPLACES) && !moving_pools(engine, stage) ? FFEBMI_DISPLACED : FFEBMI_WHOLE;
}

static ffebm_status nudge(ffebm_engine *engine, size_t stage, ffebmi_force_fn call, ffebmi_force *f, bool held)
{
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = nudged_phase(engine, stage, engine->batch, (const void *const *)s->inputs);
    double strengths[FFEBMI_MAX_NUDGES], weakest = 0;
    ffebmi_tally tally;
    ffebm_status status;

    phase.form = ffebmi_phases_form(engine, stage);
    phase.int16 = phase.form == FFEBMI_DISPLACED && ffebmi_engine_int16(engine, stage);
    f->engine = engine;
    f->estimator = ffebmi_estimator_of(&s->equilibrium);
    f->beta = phase.form == FFEBMI_TANGENT ? 1 : s->equilibrium.beta; /* what is linear needs no small force */
    f->units = ffebmi_energy_output(phase.block)->count;
    s->nudges = phase.nudges = f->estimator->nudge_count;
    phase.norms = s->norms[1];
    phase.force = call;
    phase.force_user = f;
    phase.force_held = held;
    for (size_t n = 0; n < phase.nudges; n++)
        strengths[n] = f->beta * fabs(f->estimator->strength[n]);
    phase.strengths = strengths;
    set_up(engine, stage, &phase);
    if (f->stiffness > 0)
        phase.stiffness = ffebmi_force_clamp_springs;
    if (held && f->targets != NULL) {
        phase.stiffness = ffebmi_force_springs;
        weakest = ffebmi_force_weakest_spring(f, engine->batch);
        FFEBMI_TRY(check_springs(engine, stage, weakest, f->beta));
    }
    phase.result = ffebmi_workbench_layers(&engine->bench, phase.block, 0);
    status = ffebmi_relax(engine->context, &phase, engine->bench.works, &tally);
    ffebmi_tally_add(&s->tallies[1], &tally);
    FFEBMI_TRY(status);
    note_limit(engine, stage, weakest, f->beta);
    return check(engine, stage, "nudged", &s->tallies[1]);
}

/* Beyond all conductances and slopes: what it leaves to the block is one in 1e8. */
static const double clamping = 1e8;

ffebm_status ffebmi_phases_linear(ffebm_engine *engine, size_t stage, const void *delta)
{
    const ffebm_equilibrium_config *e = &engine->stages[stage].equilibrium;

    if (e->nudging == FFEBM_NUDGING_CLAMP && e->estimator != FFEBM_ESTIMATOR_IMPLICIT)
        return nudge(engine, stage, ffebmi_force_clamp, &(ffebmi_force){.delta = delta, .stiffness = clamping}, true);
    return nudge(engine, stage, ffebmi_force_linear, &(ffebmi_force){.delta = delta}, true);
}

ffebm_status ffebmi_phases_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets, const void *delta)
{
    ffebmi_force f = {.targets = targets, .delta = delta};

    if (ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_LOSS))
        return nudge(engine, stage, ffebmi_force_loss, &f, false);
    return nudge(engine, stage, ffebmi_force_linear, &f, true);
}

ffebm_status ffebmi_phases_by_hand(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs,
                                   const void *force, double stiffness)
{
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = nudged_phase(engine, stage, batch, inputs);
    ffebmi_force_by_hand f = {engine->arrays, force, ffebmi_energy_output(phase.block)->count, stiffness};

    FFEBMI_CHECK(engine->context, s->free_rows == batch, FFEBM_ERR_STATE,
                 "stage %zu: a force on %zu samples, but there is a free state of %zu", stage, batch, s->free_rows);
    engine->bench.settled_stage = FFEBM_NONE;
    phase.force = ffebmi_force_held;
    phase.force_user = &f;
    phase.force_held = true;
    if (stiffness != 0)
        phase.stiffness = ffebmi_force_held_springs;
    set_up(engine, stage, &phase);
    FFEBMI_TRY(check_springs(engine, stage, stiffness, 0));
    phase.result = ffebmi_workbench_layers(&engine->bench, phase.block, 0);
    FFEBMI_TRY(ffebmi_relax(engine->context, &phase, engine->bench.works, &s->tallies[1]));
    note_limit(engine, stage, stiffness, 0);
    FFEBMI_TRY(check(engine, stage, "nudged", &s->tallies[1]));
    keep_inputs(engine, stage, batch, inputs);
    engine->bench.settled_stage = stage;
    engine->bench.settled_rows = batch;
    return FFEBM_OK;
}

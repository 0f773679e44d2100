#include "gradient/nudge.h"

#include <inttypes.h>

#include "core/context.h"
#include "gradient/force.h"

/* The free state's switches stand behind those of the nudges. */
uint8_t **ffebmi_nudge_switches(const ffebm_engine *engine, size_t stage, size_t nudge)
{
    size_t set = nudge == FFEBM_NONE ? engine->nudging.nudges : nudge;

    return engine->nudging.switches + set * ffebmi_engine_block(engine, stage)->layer_count;
}

void ffebmi_nudge_place_states(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_nudging_memory *m = &engine->nudging;

    for (size_t n = 0; n <= m->nudges; n++) {
        ffebmi_arena state = {.base = n < m->nudges ? m->states[n] : NULL}, switches = {(char *)m->switch_sets[n], 0};

        for (size_t l = 0; l < block->layer_count; l++) {
            size_t at = n * block->layer_count + l;

            m->switches[at] = ffebmi_carve(&switches, engine->max_batch, block->kind->switch_count(block, l));
            if (n < m->nudges)
                m->layers[at] =
                    ffebmi_carve(&state, engine->max_batch, block->layers[l].count * engine->kernel->element);
        }
    }
}

void ffebmi_nudge_place(ffebm_engine *engine, size_t stage, size_t nudges, const ffebmi_kernel *coarse)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_kernel *kernel = ffebmi_engine_settling_kernel(engine, stage);
    ffebmi_nudging_memory *m = &engine->nudging;
    ffebmi_arena packed = {.base = m->packed_memory}, rounded = {.base = m->coarse_memory};

    ffebmi_nudge_place_states(engine, stage);
    m->packed = block->kind->place_packed(block, kernel, &packed);
    block->kind->pack(block, kernel, engine->stages[stage].parameters, m->packed);
    if (coarse != NULL) {
        m->coarse_packed = block->kind->place_rounded(block, coarse, m->packed, &rounded);
        block->kind->round(block, coarse, m->packed, m->coarse_packed);
    }
    for (size_t w = 0; w < engine->context->executor.workers; w++) {
        ffebmi_arena arena = {.base = m->workers[w].relax_memory};

        m->works[w] = ffebmi_relax_place(&arena, block, kernel, nudges, engine->max_batch);
    }
}

bool ffebmi_nudge_displaced(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebm_equilibrium_config *e = &engine->stages[stage].equilibrium;
    bool moving = e->switches == FFEBM_SWITCHES_FOLLOW && ffebmi_energy_has_switches(block);

    return block->own == NULL && e->estimator != FFEBM_ESTIMATOR_IMPLICIT && !moving;
}

/* ------------------------------------------------------------------------------------------------------ the phases */

static ffebm_status settle(ffebm_engine *engine, size_t stage, ffebmi_force_fn call, ffebmi_force *f, bool held)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = {.block = block,
                          .kernel = ffebmi_engine_settling_kernel(engine, stage),
                          .parameters = s->parameters,
                          .batch = engine->batch,
                          .nudged = true,
                          .order = s->equilibrium.nudged_order,
                          .relaxation = s->equilibrium.relaxation,
                          .max_sweeps = s->equilibrium.nudged_sweeps,
                          .tolerance = s->equilibrium.nudged_tolerance,
                          .input = s->input,
                          .start = s->free_state,
                          .force = call,
                          .force_user = f,
                          .force_held = held,
                          .hold_switches = s->equilibrium.switches == FFEBM_SWITCHES_HOLD,
                          .seed = ffebmi_engine_draw(engine),
                          .norms = s->norms[1]};
    ffebmi_tally tally;
    ffebm_status status;

    f->engine = engine;
    f->estimator = ffebmi_estimator_of(&s->equilibrium);
    f->beta = s->equilibrium.beta;
    f->units = ffebmi_energy_output(block)->count;
    s->nudges = phase.nudges = f->estimator->nudge_count;
    phase.linear = s->equilibrium.estimator == FFEBM_ESTIMATOR_IMPLICIT;
    phase.displaced = ffebmi_nudge_displaced(engine, stage);
    if (phase.displaced)
        phase.coarse = ffebmi_engine_coarse_kernel(engine, stage);
    ffebmi_nudge_place(engine, stage, phase.nudges, phase.coarse);
    phase.packed = engine->nudging.packed;
    phase.coarse_packed = engine->nudging.coarse_packed;
    if (phase.linear)
        f->beta = 1; /* the adjoint is linear: it needs no small force */
    phase.result = engine->nudging.layers;
    status = ffebmi_relax(engine->context, &phase, engine->nudging.works, &tally);
    ffebmi_tally_add(&s->tallies[1], &tally);
    FFEBMI_TRY(status);
    return ffebmi_nudge_check(engine, stage, FFEBM_PHASE_NUDGED);
}

ffebm_status ffebmi_nudge_linear(ffebm_engine *engine, size_t stage, const void *delta)
{
    return settle(engine, stage, ffebmi_force_linear, &(ffebmi_force){.delta = delta}, true);
}

ffebm_status ffebmi_nudge_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets)
{
    return settle(engine, stage, ffebmi_force_loss, &(ffebmi_force){.targets = targets}, false);
}

ffebm_status ffebmi_nudge_check(const ffebm_engine *engine, size_t stage, int32_t phase)
{
    const ffebmi_tally *tally = &engine->stages[stage].tallies[phase == FFEBM_PHASE_FREE ? 0 : 1];
    const char *name = phase == FFEBM_PHASE_FREE ? "free" : "nudged";

    FFEBMI_CHECK(engine->context, tally->nonfinite == 0, FFEBM_ERR_NUMERIC,
                 "stage %zu: %zu of %zu samples ended the %s phase in NaN or infinity", stage, tally->nonfinite,
                 tally->samples, name);
    FFEBMI_CHECK(engine->context, tally->unconverged == 0 || engine->stages[stage].equilibrium.require_convergence == 0,
                 FFEBM_ERR_CONVERGENCE, "stage %zu: %zu of %zu samples had not settled after %" PRId64 " %s sweeps",
                 stage, tally->unconverged, tally->samples, tally->sweeps_max, name);
    return FFEBM_OK;
}

#include "gradient/stability.h"

#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "energy/sweeps.h"

/* Of springs alike at all outputs, the stiffness below 0 from which on a free state of the stage is no minimum any more. */
static double weakest_borne(const ffebm_engine *engine, size_t stage)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
                            .arrays = engine->arrays,
                            .plan = ffebmi_engine_plan(engine, stage),
                            .parameters = s->parameters,
                            .packed = engine->bench.packed,
                            .batch = s->free_rows,
                            .state = s->free_state};

    return ffebmi_relax_bears(engine->context, &states, engine->bench.works);
}

ffebmi_limit ffebmi_stability_limit(const ffebm_engine *engine, size_t stage, double weakest, double beta)
{
    double borne = weakest_borne(engine, stage);

    if (beta > 0)
        return (ffebmi_limit){.asked = beta, .borne = beta * borne / weakest};
    return (ffebmi_limit){.asked = weakest, .borne = borne, .by_hand = true};
}

const char *ffebmi_stability_text(char text[FFEBMI_LIMIT_TEXT], const ffebmi_limit *limit)
{
    bool beyond = fabs(limit->asked) >= fabs(limit->borne);

    snprintf(text, FFEBMI_LIMIT_TEXT, "%s is %g, and the %s stable one %g%s: lower %s",
             limit->by_hand ? "stiffness" : "beta", limit->asked, limit->by_hand ? "least" : "largest", limit->borne,
             beyond ? "" : " where diodes stay as in the free states, but the nudge switches some",
             limit->by_hand ? "its size" : "beta, or nudge linearly");
    return text;
}

/* How many times beta an estimator's nudge weakens the outputs by at the most; 0: by nothing. */
static double strongest_against(const ffebmi_estimator *estimator)
{
    double strongest = 0;

    for (size_t n = 0; n < estimator->nudge_count; n++)
        strongest = fmax(strongest, estimator->random_sign ? fabs(estimator->strength[n]) : -estimator->strength[n]);
    return strongest;
}

ffebm_status ffebm_engine_stable_beta(ffebm_engine *engine, double *beta, size_t stage)
{
    const ffebm_energy *block;
    double curvature;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    FFEBMI_CHECK_ARGUMENT(engine->context, beta != NULL, "ffebm_engine_stable_beta: beta is NULL");
    block = ffebmi_engine_block(engine, stage);
    FFEBMI_CHECK(engine->context, block->kind->sweeps != NULL && block->kind->sweeps->bears != NULL,
                 FFEBM_ERR_UNSUPPORTED, "stage %zu: a %s block has no largest stable beta, expected a resistive one",
                 stage, block->kind->type);
    FFEBMI_CHECK(engine->context, engine->stages[stage].free_rows > 0, FFEBM_ERR_STATE, "stage %zu has no free state",
                 stage);
    ffebmi_model_take_effect(engine->model, stage);
    ffebmi_workbench_set_up(&engine->bench, block, ffebmi_engine_plan(engine, stage), engine->stages[stage].parameters,
                            1, false);
    curvature = strongest_against(ffebmi_estimator_of(&engine->stages[stage].equilibrium));
    *beta = curvature == 0 ? INFINITY : -weakest_borne(engine, stage) / curvature;
    return FFEBM_OK;
}

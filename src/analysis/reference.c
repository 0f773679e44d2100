#include "analysis/reference.h"

size_t ffebmi_reference_bottom(const ffebm_engine *engine)
{
    for (size_t i = engine->model->stage_count; i-- > 0;)
        if (engine->model->stages[i].energy != NULL &&
            !ffebmi_energy_can(engine->model->stages[i].energy, FFEBMI_HAS_ADJOINT))
            return i + 1;
    return 0;
}

void ffebmi_reference_configure(ffebm_engine *engine, int64_t sweeps, double tolerance)
{
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        ffebm_equilibrium_config *e = &engine->stages[i].equilibrium;

        e->estimator = FFEBM_ESTIMATOR_IMPLICIT;
        e->nudged_sweeps = sweeps;
        e->nudged_tolerance = tolerance;
    }
}

void ffebmi_reference_save(const ffebm_engine *engine, ffebm_equilibrium_config *saved)
{
    for (size_t i = 0; i < engine->model->stage_count; i++)
        saved[i] = engine->stages[i].equilibrium;
}

void ffebmi_reference_restore(ffebm_engine *engine, const ffebm_equilibrium_config *saved)
{
    for (size_t i = 0; i < engine->model->stage_count; i++)
        engine->stages[i].equilibrium = saved[i];
}

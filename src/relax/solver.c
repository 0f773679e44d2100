#include "relax/solver.h"

#include "core/clock.h"

static const ffebmi_solver *first_of(const ffebmi_solver *const *list, const ffebm_energy *block)
{
    while (*list != NULL && !(*list)->takes(block))
        list++;
    return *list;
}

const ffebmi_solver *ffebmi_solver_of(const ffebm_energy *block)
{
    return first_of(ffebmi_solvers(), block);
}

const ffebmi_solver *ffebmi_solver_below(const ffebmi_solver *solver, const ffebm_energy *block)
{
    const ffebmi_solver *const *list = ffebmi_solvers();

    while (*list != solver)
        list++;
    return first_of(list + 1, block);
}

void *ffebmi_solver_lay_out_common(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                   const void *plan, size_t nudges, size_t max_batch)
{
    const ffebmi_solver *solver = ffebmi_solver_of(block);

    return solver->lay_out_common == NULL ? NULL
                                          : solver->lay_out_common(arena, block, arrays, plan, nudges, max_batch);
}

ffebm_status ffebmi_solver_tell(ffebm_context *context, ffebm_status status, const ffebmi_failure *failure)
{
    return status == FFEBM_OK ? FFEBM_OK : ffebmi_fail(context, status, "%s", failure->text);
}

void ffebmi_tally_add(ffebmi_tally *to, const ffebmi_tally *from)
{
    if (from->samples > 0) {
        if (to->samples == 0 || from->sweeps_min < to->sweeps_min)
            to->sweeps_min = from->sweeps_min;
        if (from->sweeps_max > to->sweeps_max)
            to->sweeps_max = from->sweeps_max;
        if (from->residual_max > to->residual_max)
            to->residual_max = from->residual_max;
        if (from->relaxation_max > to->relaxation_max)
            to->relaxation_max = from->relaxation_max;
    }
    to->samples += from->samples;
    to->unconverged += from->unconverged;
    to->unstable += from->unstable;
    to->nonfinite += from->nonfinite;
    to->region_changes += from->region_changes;
    to->sweeps_sum += from->sweeps_sum;
    to->retries += from->retries;
    to->seconds += from->seconds;
    to->joules += from->joules;
}

/* Of several failures the one of the first samples is told. */
static ffebm_status verdict(ffebm_context *context, ffebmi_relax_work *const *works)
{
    const ffebmi_relax_work *worst = NULL;

    for (size_t w = 0; w < context->executor.workers; w++)
        if (works[w]->failure.status != FFEBM_OK && (worst == NULL || works[w]->failed_at < worst->failed_at))
            worst = works[w];
    return worst == NULL ? FFEBM_OK : ffebmi_solver_tell(context, worst->failure.status, &worst->failure);
}

ffebm_status ffebmi_relax(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works,
                          ffebmi_tally *tally)
{
    double start = ffebmi_clock();
    size_t workers = context->executor.workers;

    *tally = (ffebmi_tally){0};
    for (size_t w = 0; w < workers; w++) {
        works[w]->tally = (ffebmi_tally){0};
        works[w]->failure.status = FFEBM_OK;
    }
    ffebmi_solver_of(phase->block)->settle(context, phase, works);
    for (size_t w = 0; w < workers; w++)
        ffebmi_tally_add(tally, &works[w]->tally);
    tally->seconds = ffebmi_clock() - start;
    return verdict(context, works);
}

#include "meter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    PHASES = 2,
    TOTALS = sizeof(struct meter_totals) / sizeof(double),
    PHASE_NUMBERS = sizeof(struct meter_phase) / sizeof(double)
};

static size_t find_energy_blocks(size_t *stages, const ffebm_model *model)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    size_t found = 0;

    for (size_t i = 0; ffebm_model_inspect_stage(model, &stage, i) == FFEBM_OK; i++) {
        if (stage.kind == FFEBM_STAGE_ENERGY) {
            if (stages != NULL)
                stages[found] = i;
            found++;
        }
    }
    return found;
}

int meter_create(struct meter *meter, const ffebm_model *model, struct failure *failure)
{
    *meter = (struct meter){.blocks = find_energy_blocks(NULL, model)};
    meter->phases = calloc(meter->blocks * PHASES + 1, sizeof *meter->phases);
    meter->stages = calloc(meter->blocks + 1, sizeof *meter->stages);
    if (meter->phases == NULL || meter->stages == NULL)
        return failure_set(failure, "out of memory for the sums over %zu energy blocks", meter->blocks);
    find_energy_blocks(meter->stages, model);
    return 0;
}

void meter_destroy(struct meter *meter)
{
    free(meter->phases);
    free(meter->stages);
    *meter = (struct meter){.blocks = 0};
}

void meter_clear(struct meter *meter)
{
    meter->totals = (struct meter_totals){.steps = 0};
    memset(meter->phases, 0, meter->blocks * PHASES * sizeof *meter->phases);
    meter->unsettled[0] = '\0';
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void add_phase(struct meter_phase *sum, const ffebm_phase_report *report)
{
    sum->samples += (double)report->samples;
    sum->sweeps += report->sweeps_mean * (double)report->samples;
    sum->sweeps_max = larger(sum->sweeps_max, (double)report->sweeps_max);
    sum->residual = larger(sum->residual, report->residual_max);
    sum->unconverged += (double)report->unconverged;
}

static void add_step(struct meter_totals *sum, const struct meter_step *step)
{
    const ffebm_report *report = step->report;

    sum->steps += 1;
    sum->samples += (double)report->batch;
    sum->correct += (double)report->correct;
    sum->loss += report->loss * (double)report->batch;
    sum->gradient_norm += report->gradient_norm;
    sum->unconverged += (double)report->unconverged;
    sum->region_changes += (double)report->region_changes;
    sum->sweeps = larger(sum->sweeps, (double)report->sweeps);
    sum->seconds += step->seconds;
    sum->waited += step->waited;
    sum->learning_rate = step->learning_rate;
}

/* The first of the lines that the engine says: one stage in one phase. */
static ffebm_status add_words(struct meter *meter, const ffebm_engine *engine)
{
    ffebm_status status = ffebm_engine_unsettled(engine, meter->unsettled, sizeof meter->unsettled, NULL);

    meter->unsettled[strcspn(meter->unsettled, "\n")] = '\0';
    return status;
}

ffebm_status meter_add(struct meter *meter, const ffebm_engine *engine, const struct meter_step *step)
{
    for (size_t i = 0; i < meter->blocks * PHASES; i++) {
        ffebm_phase_report report = {.size = sizeof report};
        int32_t phase = i % PHASES == 0 ? FFEBM_PHASE_FREE : FFEBM_PHASE_NUDGED;
        ffebm_status status = ffebm_engine_inspect_phase(engine, &report, meter->stages[i / PHASES], phase);

        if (status != FFEBM_OK)
            return status;
        add_phase(&meter->phases[i], &report);
    }
    add_step(&meter->totals, step);
    return step->report->unconverged > 0 && meter->unsettled[0] == '\0' ? add_words(meter, engine) : FFEBM_OK;
}

const struct meter_phase *meter_phase(const struct meter *meter, size_t block, int32_t phase)
{
    return &meter->phases[block * PHASES + (phase == FFEBM_PHASE_NUDGED)];
}

double meter_sweeps(const struct meter *meter, size_t block, int32_t phase)
{
    double samples = 0, sweeps = 0;

    for (size_t i = 0; i < meter->blocks; i++) {
        if (block == FFEBM_ALL || block == i) {
            samples += meter_phase(meter, i, phase)->samples;
            sweeps += meter_phase(meter, i, phase)->sweeps;
        }
    }
    return samples > 0 ? sweeps / samples : 0;
}

size_t meter_count(const struct meter *meter)
{
    return TOTALS + meter->blocks * PHASES * PHASE_NUMBERS;
}

double *meter_number(struct meter *meter, size_t i)
{
    return i < TOTALS ? (double *)&meter->totals + i : (double *)meter->phases + (i - TOTALS);
}

double meter_peak_mib(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
}

/* meter.h - what training steps have measured, summed up: for an epoch, or for the steps between two lines of a log. */
#ifndef EXAMPLES_METER_H
#define EXAMPLES_METER_H

#include <ffebm.h>

#include "failure.h"

/* Only numbers, here and below, so that a checkpoint can hold them. */
struct meter_totals {
    double steps;
    double samples;
    double correct;
    double loss;          /* summed over samples, like correct */
    double gradient_norm; /* summed over steps */
    double unconverged;
    double region_changes;
    double sweeps;        /* most that a sample took in a phase */
    double seconds;       /* of the steps, waiting for data included */
    double waited;        /* for data */
    double learning_rate; /* of the last step */
};

/* One phase of one energy block. */
struct meter_phase {
    double samples;
    double sweeps; /* summed over samples */
    double sweeps_max;
    double residual; /* the largest */
    double unconverged;
};

struct meter {
    struct meter_totals totals;
    struct meter_phase *phases; /* [blocks][2]: free, nudged (or of the adjoint) */
    size_t *stages;             /* [blocks]: where the energy blocks stand in the chain */
    size_t blocks;
    char unsettled[256]; /* what the engine says of the first step with samples that did not settle, one line; "" */
};

/* What one step adds beside what the engine reports. */
struct meter_step {
    const ffebm_report *report;
    double learning_rate;
    double seconds;
    double waited;
};

/* Make a meter for a model's energy blocks, all zero. Returns 0, or -1 with the failure filled; destroy it in both cases. */
int meter_create(struct meter *meter, const ffebm_model *model, struct failure *failure);
void meter_destroy(struct meter *meter);

void meter_clear(struct meter *meter);

/* Add one step, with what the engine tells of its phases. */
ffebm_status meter_add(struct meter *meter, const ffebm_engine *engine, const struct meter_step *step);

/* Find a block's phase: FFEBM_PHASE_FREE or FFEBM_PHASE_NUDGED. */
const struct meter_phase *meter_phase(const struct meter *meter, size_t block, int32_t phase);

/* Mean sweeps of a sample in a phase; of all blocks together for block FFEBM_ALL. 0 if the phase did not take place. */
double meter_sweeps(const struct meter *meter, size_t block, int32_t phase);

/* All the numbers, one after the other: how many, and where the i-th is. */
size_t meter_count(const struct meter *meter);
double *meter_number(struct meter *meter, size_t i);

/* The most memory that the process has had, in MiB. */
double meter_peak_mib(void);

#endif

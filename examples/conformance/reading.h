/* reading.h - an energy block's numbers at a point: settle it, call the slots, average. */
#ifndef EXAMPLES_CONFORMANCE_READING_H
#define EXAMPLES_CONFORMANCE_READING_H

#include "kit.h"

struct energy_kit {
    struct kit k;
    const ffebm_user_energy *table;
    double *force;      /* one that pulls where a property asks for any */
    double *free_state; /* at the kit's point */
    double *state;      /* of the reading in progress, and what its slots leave: */
    double *residual;
    double *sweeps;
    double *output;
    double *gradient;
    double *input_gradient;
    double *energy;
};

/* Where a reading is taken: at which parameters, inputs and forces (NULL: none) of the whole batch, on which samples,
 * from which free state (NULL: zeros). */
struct point {
    const double *theta;
    const double *x;
    const double *force;
    const double *start;
    size_t first;
    size_t count;
};

/* What is read, of the whole batch; NULL where it is not wanted. Weights and cotangents go in. */
struct reading {
    double *state;
    double *output;
    double *gradient;
    double *input_gradient;
    double *energy;
    const double *cotangent; /* for adjoint, which then gives gradient and input_gradient */
    const double *weight;
};

/* Settle and read, as often as asked for. What is of other samples is left alone. */
void read_all(struct energy_kit *e, const struct point *p, const struct reading *r);

/* The same under a force that answers to the output: less `slope` times the output. */
void read_answering(struct energy_kit *e, const struct point *p, const struct reading *r, double slope);

#endif

/* steps.h - the step models that are fitted: what a pulse does to one device, and how likely readings are by them.
 *
 * A device begins at its first reading. A pulse of direction d = +-1 moves its weight by d s_d h_d(w) (1 + c xi), and a reading adds
 * r xi' to it. Both kinds of noise are in the likelihood, by an extended Kalman filter: a slope that is fitted to differences
 * of readings would be wrong by what noise does to both, and a trajectory by what it gathers up. */
#ifndef EXAMPLES_FIT_STEPS_H
#define EXAMPLES_FIT_STEPS_H

#include "traces.h"

enum { DOWN, UP };

/* Parameters of one device, for an optimiser that sees no bounds. Each is up at the second of two places. */
enum {
    STEP = 0,    /* log s_d */
    SHAPE = 2,   /* the first of h_d */
    CURVE = 4,   /* the second */
    CYCLE = 6,   /* log c */
    READING = 7, /* log r */
    BOUND = 8,   /* where weights are clipped; infinite: nowhere */
    STEPS = 10
};

struct step_model {
    const char *name; /* the library's, of FFEBM_STEP_ */
    int shapes;       /* how many of SHAPE and CURVE it has: 0 to 2 a direction */
    int common;       /* devices have these in common */
    int clips;        /* it has bounds that are not its shape's */
    double (*h)(const double *p, int up, double w, double *slope);
    void (*start)(double *p, int up, double intercept, double slope); /* of a straight line through its steps */
};

extern const struct step_model step_models[];
enum { STEP_MODELS = 4 };

/* -log of how likely a device's readings are. */
double step_cost(const struct step_model *model, const double *p, const struct trace *trace);

/* The weight behind n pulses (downwards if n is below 0) without noise. */
double step_pulses(const struct step_model *model, const double *p, int pulses, double w);

#endif

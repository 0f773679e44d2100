/* How far half-sweeps go where nobody says: over-relaxation by the rate at which a sample settles, which its own residuals
 * tell. */
#ifndef FFEBMI_RELAX_PACE_H
#define FFEBMI_RELAX_PACE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strict.h"

/* Of one sample in one phase, and so of it alone. */
typedef struct ffebmi_pace {
    double rate; /* what is taken for it: what a plain sweep leaves of the slowest part of a residual; 0: unknown yet */
    double expected;   /* how slow a block of so many layers may be without long proof */
    double relaxation; /* of the last half-sweep, 0 before the first, */
    double furthest;   /* and of the one that went furthest */
    double changes[3]; /* squares, of the last sweeps, the newest first */
    double least;      /* of all */
    int sweeps;        /* that it has learned from */
    int since;         /* sweeps since the rate was raised beyond what is expected */
    int stuck;         /* sweeps since the least change */
    bool plain;        /* from now on */
} ffebmi_pace;

/* `near`: it starts next to its equilibrium, so that sweeps can be relaxed from the second half-sweep on. */
ffebmi_pace ffebmi_pace_begin(size_t layers, bool near);

/* The relaxation of the next half-sweep. */
double ffebmi_pace_next(ffebmi_pace *pace);

/* A sweep has changed the sample by so much, squared: |sigma(z) - s|^2, summed over its layers. */
void ffebmi_pace_learn(ffebmi_pace *pace, double change);

#endif

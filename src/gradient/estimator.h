/* The estimators: which nudgings they take, and how a gradient is read off the states. */
#ifndef FFEBMI_GRADIENT_ESTIMATOR_H
#define FFEBMI_GRADIENT_ESTIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ffebm/equilibrium.h>

#include "core/strict.h"

enum { FFEBMI_MAX_NUDGES = 4, FFEBMI_MAX_PAIRS = 2 };

/* weight / beta * (f(first) - f(second)), f = dE/dtheta at the state of a nudge, or at the free state (FFEBM_NONE). */
typedef struct ffebmi_pair {
    size_t first;
    size_t second;
    double weight;
} ffebmi_pair;

typedef struct ffebmi_estimator {
    size_t nudge_count;
    double strength[FFEBMI_MAX_NUDGES]; /* in units of beta */
    bool random_sign;                   /* and of a sign that is drawn for each sample */
    size_t pair_count;
    ffebmi_pair pairs[FFEBMI_MAX_PAIRS]; /* the estimate is their sum */
} ffebmi_estimator;

const ffebmi_estimator *ffebmi_estimator_of(const ffebm_equilibrium_config *equilibrium);

/* The same estimator on f(b) = b dl/dw, a readout's part under loss nudging: the weight of dl/dw at a nudge's state. */
double ffebmi_estimator_readout_weight(const ffebmi_estimator *estimator, size_t nudge);

#endif

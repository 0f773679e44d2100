/* The forces of nudged phases: - beta times the derivative of the loss by the block's last layer. */
#ifndef FFEBMI_GRADIENT_FORCE_H
#define FFEBMI_GRADIENT_FORCE_H

#include "gradient/engine.h"
#include "gradient/targets.h"

/* `user` of the two functions below. */
typedef struct ffebmi_force {
    ffebm_engine *engine;
    const ffebmi_estimator *estimator;
    double beta;
    size_t units;                  /* of the block's last layer */
    const void *delta;             /* linear nudging: batch x units, held */
    const ffebmi_targets *targets; /* loss nudging: the derivative is taken anew, through the readout */
} ffebmi_force;

/* Each is a ffebmi_force_fn. */
void ffebmi_force_linear(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                         void *out);
void ffebmi_force_loss(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out);

/* A force that is given, of one nudge; and the ffebmi_force_fn that hands it on. */
typedef struct ffebmi_force_by_hand {
    const void *force; /* batch x units of the last layer */
    size_t row;        /* bytes */
} ffebmi_force_by_hand;

void ffebmi_force_held(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out);

#endif

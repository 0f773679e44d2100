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
    double stiffness;              /* clamping: of the springs, */
    size_t units;                  /* of the block's last layer */
    const void *delta;             /* linear nudging: batch x units, held */
    const ffebmi_targets *targets; /* loss nudging: the derivative is taken anew, through the readout */
} ffebmi_force;

/* Each is a ffebmi_force_fn. Linear force and springs together are the force of a loss with a constant second derivative, right
 * on the block, solved for the state that settles. */
void ffebmi_force_linear(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                         void *out);
void ffebmi_force_loss(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out);

void ffebmi_force_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                          void *out);

/* Springs of one stiffness k that hold the last layer at s_free - beta delta: the force is - k beta delta less k (s - s_free). */
void ffebmi_force_clamp(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                        void *out);
void ffebmi_force_clamp_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                                void *out);

/* The stiffness of the weakest spring, negative where a nudge of - beta has one; of `batch` samples. */
double ffebmi_force_weakest_spring(const ffebmi_force *force, size_t batch);

/* A force that is given, of one nudge, with springs of one stiffness; and the ffebmi_force_fn that hand them on. */
typedef struct ffebmi_force_by_hand {
    const ffebmi_arrays *arrays;
    const void *force; /* batch x units of the last layer */
    size_t units;
    double stiffness;
} ffebmi_force_by_hand;

void ffebmi_force_held(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out);
void ffebmi_force_held_springs(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                               void *out);

#endif

/* Gradients read off settled states. */
#ifndef FFEBMI_GRADIENT_ESTIMATE_H
#define FFEBMI_GRADIENT_ESTIMATE_H

#include "gradient/chain.h"

/* Note where the switches of the states stand. To be called first, while the packed parameters are the block's. */
void ffebmi_estimate_switches(ffebm_engine *engine, size_t stage);

/* Add gradient_scale times the readout's estimate to its gradients: dl/dw at the nudged states, weighted. To be called
 * before ffebmi_estimate. Writes into cotangents[1]. */
void ffebmi_estimate_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale);

/* Read the estimate off the states: add gradient_scale times it to the block's gradients, and input_scale times the
 * cotangent of its input (batch x units; NULL if not wanted). The nudged states are used up. Only a user's block can
 * fail. */
ffebm_status ffebmi_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                             void *input_cotangent);

/* Note where the switches of a state of the batch stand, as those of a nudge or (FFEBM_NONE) of the free state. */
void ffebmi_estimate_observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch);

/* Add a contrast of states to all of a block's gradients. */
void ffebmi_estimate_gradient(const ffebm_engine *engine, size_t stage, const ffebmi_contrast *contrast);

#endif

/* Gradients read off settled states. */
#ifndef FFEBMI_GRADIENT_ESTIMATE_H
#define FFEBMI_GRADIENT_ESTIMATE_H

#include "gradient/engine.h"
#include "gradient/targets.h"

/* Note where the switches of the states stand. To be called first, while the packed parameters are the block's. */
void ffebmi_estimate_switches(ffebm_engine *engine, size_t stage);

/* Add gradient_scale times the readout's estimate to its gradients: dl/dw at the nudged states, weighted. To be called
 * before ffebmi_estimate. Writes into cotangents[1]. */
void ffebmi_estimate_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale);

/* Read the estimate off the states: add gradient_scale times it to the block's gradients, and input_scale times the
 * cotangent of its input (batch x units; NULL if not wanted). The nudged states are used up. Only a block that may fail
 * can. */
ffebm_status ffebmi_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                             void *input_cotangent);

/* The mean of dE/dtheta over a state of so many samples takes the place of the block's gradients, and dE/dx is added to
 * input_cotangent (as above). nudge: whose switches are the state's own, or FFEBM_NONE for the free state's. */
ffebm_status ffebmi_estimate_energy(ffebm_engine *engine, size_t stage, void **layers, size_t rows, size_t nudge,
                                    void *input_cotangent);

#endif

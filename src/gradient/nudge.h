/* The nudged phases of one energy block. */
#ifndef FFEBMI_GRADIENT_NUDGE_H
#define FFEBMI_GRADIENT_NUDGE_H

#include "gradient/chain.h"

/* Lay out the nudged memory for this stage's block, for phases of so many nudges, and pack its parameters. */
void ffebmi_nudge_place(ffebm_engine *engine, size_t stage, size_t nudges);

/* The first of these alone: where the states are. */
void ffebmi_nudge_place_states(const ffebm_engine *engine, size_t stage);

/* The switches, [layer], of a nudge or (FFEBM_NONE) of the free state. */
uint8_t **ffebmi_nudge_switches(const ffebm_engine *engine, size_t stage, size_t nudge);

/* Settle the stage's nudged states from its free ones, under -beta times `delta` (batch x units of its last layer), held.
 */
ffebm_status ffebmi_nudge_linear(ffebm_engine *engine, size_t stage, const void *delta);

/* The same under -beta times the loss's derivative through the readout, evaluated anew in every sweep. */
ffebm_status ffebmi_nudge_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets);

/* Add gradient_scale times the readout's estimate to its gradients: dl/dw at the nudged states, weighted. To be called
 * before ffebmi_nudge_estimate. */
void ffebmi_nudge_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale);

/* Read the estimate off the states: add gradient_scale times it to the block's gradients, and write the cotangent of its
 * input (batch x units; NULL if not wanted). The nudged states are used up. */
void ffebmi_nudge_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, void *input_cotangent);

/* Note where the switches of a state of the batch stand, as those of a nudge or (FFEBM_NONE) of the free state. */
void ffebmi_nudge_observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch);

/* Add a contrast of states to all of a block's gradients. */
void ffebmi_nudge_gradient(const ffebm_engine *engine, size_t stage, const ffebmi_contrast *contrast);

/* The verdict on a phase: FFEBM_ERR_NUMERIC or FFEBM_ERR_CONVERGENCE. */
ffebm_status ffebmi_nudge_check(const ffebm_engine *engine, size_t stage, int32_t phase);

#endif

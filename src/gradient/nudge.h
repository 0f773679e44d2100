/* The nudged phases of one energy block. */
#ifndef FFEBMI_GRADIENT_NUDGE_H
#define FFEBMI_GRADIENT_NUDGE_H

#include "gradient/chain.h"

/* Lay out the nudged memory for this stage's block, for phases of so many nudges, and pack its parameters; for `coarse`
 * sweeps too, unless that is NULL. */
void ffebmi_nudge_place(ffebm_engine *engine, size_t stage, size_t nudges, const ffebmi_kernel *coarse);

/* The first of these alone: where the states are. */
void ffebmi_nudge_place_states(const ffebm_engine *engine, size_t stage);

/* The switches, [layer], of a nudge or (FFEBM_NONE) of the free state. */
uint8_t **ffebmi_nudge_switches(const ffebm_engine *engine, size_t stage, size_t nudge);

/* Settle the stage's nudged states from its free ones, under -beta times `delta` (batch x units of its last layer), held.
 */
ffebm_status ffebmi_nudge_linear(ffebm_engine *engine, size_t stage, const void *delta);

/* The same under -beta times the loss's derivative through the readout, evaluated anew in every sweep. */
ffebm_status ffebmi_nudge_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets);

/* Are the stage's nudged states kept as displacements from the free state? Wherever it can be: nearly all of a state is the
 * free one, and in float32 it would drown what is to be read off the difference. Pools that follow need the whole state. */
bool ffebmi_nudge_displaced(const ffebm_engine *engine, size_t stage);

/* The verdict on a phase: FFEBM_ERR_NUMERIC or FFEBM_ERR_CONVERGENCE. */
ffebm_status ffebmi_nudge_check(const ffebm_engine *engine, size_t stage, int32_t phase);

#endif

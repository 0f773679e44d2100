/* Up the chain to the free equilibrium, and down it with a cotangent. */
#ifndef FFEBMI_GRADIENT_CHAIN_H
#define FFEBMI_GRADIENT_CHAIN_H

#include "gradient/engine.h"
#include "gradient/targets.h"

/* Run every stage on engine->input, the first `batch` rows. FFEBM_ERR_NUMERIC, _CONVERGENCE and _STATE as the public
 * functions say. *output is in engine memory. */
ffebm_status ffebmi_chain_up(ffebm_engine *engine, size_t batch, const void **output);

/* Pull `cotangent` (of the sum of the samples' losses, by the stage's output) through one stage, adding gradient_scale
 * times the sum over the batch to its gradient. targets: for loss nudging, which makes the readout's gradient, too; else
 * NULL. What arrives below is returned in *input_cotangent: in `memory`, batch x units of the stage's input, and of an
 * energy stage behind it those of its tapped layers, or on a tape; NULL if `memory` is, and then not computed. What it has
 * come from must lie elsewhere. */
ffebm_status ffebmi_chain_stage_down(ffebm_engine *engine, size_t stage, const void *cotangent,
                                     const ffebmi_targets *targets, double gradient_scale, void *memory,
                                     const void **input_cotangent);

/* The same down the chain, from the output to stage `bottom` or to the lowest parameters. targets: NULL for linear
 * nudging everywhere. Returns through *input_cotangent what arrives below stage `bottom`, if that is not NULL. */
ffebm_status ffebmi_chain_down(ffebm_engine *engine, const void *cotangent, const ffebmi_targets *targets,
                               double gradient_scale, size_t bottom, const void **input_cotangent);

#endif

/* Up the chain to the free equilibrium, and down it with a cotangent. */
#ifndef FFEBMI_GRADIENT_CHAIN_H
#define FFEBMI_GRADIENT_CHAIN_H

#include "gradient/engine.h"

/* Targets and weights of a batch; rows as the input's. Exactly one of labels and values is set. */
typedef struct ffebmi_targets {
    const int64_t *labels;
    const void *values;  /* batch x outputs */
    const void *weights; /* batch, or NULL: ones */
    double smoothing;    /* of labels */
} ffebmi_targets;

/* Run every stage on engine->input, the first `batch` rows. FFEBM_ERR_NUMERIC, _CONVERGENCE and _STATE as the public
 * functions say. *output is in engine memory. */
ffebm_status ffebmi_chain_up(ffebm_engine *engine, size_t batch, const void **output);

/* Settle one energy stage freely from `input`. A block that settles by its own means keeps its free state on failure. */
ffebm_status ffebmi_chain_settle_free(ffebm_engine *engine, size_t stage, size_t batch, const void *input);

/* A state of a stage has come from this input: let it stay for those who read off the state, if the block needs it. */
void ffebmi_chain_keep_input(ffebm_engine *engine, size_t stage, size_t batch, const void *input);

/* The weighted loss of one sample at its row of outputs; cotangent (NULL if not wanted) becomes factor times its
 * derivative. */
double ffebmi_chain_loss(const ffebm_engine *engine, const void *output, const ffebmi_targets *targets, size_t sample,
                         double factor, void *cotangent);

/* The same for a batch, into engine->losses and batch x outputs. */
void ffebmi_chain_losses(ffebm_engine *engine, size_t batch, const void *output, const ffebmi_targets *targets,
                         double factor, void *cotangent);

/* Pull `cotangent` (of the sum of the samples' losses, by the stage's output) through one stage, adding gradient_scale
 * times the sum over the batch to its gradient. targets: for loss nudging, which makes the readout's gradient, too; else
 * NULL. What arrives below is returned in *input_cotangent: in `memory`, batch x units of the stage's input, or on a
 * tape; NULL if `memory` is, and then not computed. */
ffebm_status ffebmi_chain_stage_down(ffebm_engine *engine, size_t stage, const void *cotangent,
                                     const ffebmi_targets *targets, double gradient_scale, void *memory,
                                     const void **input_cotangent);

/* The same down the chain, from the output to stage `bottom` or to the lowest parameters. targets: NULL for linear
 * nudging everywhere. Returns through *input_cotangent what arrives below stage `bottom`, if that is not NULL. */
ffebm_status ffebmi_chain_down(ffebm_engine *engine, const void *cotangent, const ffebmi_targets *targets,
                               double gradient_scale, size_t bottom, const void **input_cotangent);

#endif

/* The parts of a gradient, for those who take more than one from the same free state. */
#ifndef FFEBMI_GRADIENT_COMPUTE_H
#define FFEBMI_GRADIENT_COMPUTE_H

#include "gradient/chain.h"

/* Do input, target and weights fit, as ffebm_engine_gradient demands it? A rank that has no samples may leave out the input. */
ffebm_status ffebmi_compute_check(const ffebm_engine *engine, const ffebm_tensor *input, const ffebm_tensor *target,
                                  const ffebm_tensor *weights, size_t *batch, ffebmi_targets *targets);

/* A computing call over the chain begins, on all ranks with their parts of the batch: engine->whole is those together. It ends
 * in ffebmi_ranks_close. */
ffebm_status ffebmi_compute_open(ffebm_engine *engine, size_t batch);

/* Take input and targets (which then are as the engine stores them), settle freely, and add the losses to
 * facts->loss; cotangent (NULL if not wanted) becomes the derivative of their sum by the output. */
ffebm_status ffebmi_compute_free(ffebm_engine *engine, const void *input, ffebmi_targets *targets, size_t batch,
                                 ffebm_report *facts, void *cotangent);

/* Is the last energy block nudged by the loss, with the targets that ffebmi_compute_down then wants? */
bool ffebmi_compute_loss_nudged(const ffebm_engine *engine);

/* ffebmi_chain_down into a flat gradient of zeros, summed over ranks; the engine's profile becomes valid.
 * FFEBM_ERR_NUMERIC if it is not finite. */
ffebm_status ffebmi_compute_down(ffebm_engine *engine, const void *cotangent, const ffebmi_targets *targets,
                                 double gradient_scale, size_t bottom, const void **input_cotangent, double *norm);

#endif

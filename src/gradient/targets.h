/* What a batch is to come to, and the losses by it. */
#ifndef FFEBMI_GRADIENT_TARGETS_H
#define FFEBMI_GRADIENT_TARGETS_H

#include "arrays/arrays.h"
#include "model/model.h"

/* Targets and weights of a batch; rows as the input's. Exactly one of labels and values is set. */
typedef struct ffebmi_targets {
    const ffebm_model *model;
    const ffebmi_arrays *arrays;
    const int64_t *labels;
    const void *values;  /* batch x outputs */
    const void *weights; /* batch, or NULL: ones */
    double smoothing;    /* of labels */
} ffebmi_targets;

/* Do target and weights (NULL: none) fit the model and a batch? `smoothing` is taken over. */
ffebm_status ffebmi_targets_read(ffebmi_targets *targets, const ffebm_model *model, const ffebmi_arrays *arrays,
                                 const ffebm_tensor *target, const ffebm_tensor *weights, size_t batch,
                                 double smoothing);

/* The targets from sample `first` on. */
ffebmi_targets ffebmi_targets_from(const ffebmi_targets *targets, size_t first);

/* Targets that are images as images are stored, in `memory` (batch x outputs; NULL where outputs are no images). */
void ffebmi_targets_store(ffebmi_targets *targets, size_t batch, void *memory);

/* The weighted loss of one sample at its row of outputs; cotangent (NULL if not wanted) becomes factor times its
 * derivative. */
double ffebmi_targets_loss(const ffebmi_targets *targets, size_t sample, const void *output, double factor,
                           void *cotangent);

/* The second derivative of that loss by each output, where it is constant (ffebmi_loss_kind). */
double ffebmi_targets_curvature(const ffebmi_targets *targets, size_t sample);

/* The same for a batch, into losses and batch x outputs. */
void ffebmi_targets_losses(const ffebmi_targets *targets, size_t batch, const void *output, double factor,
                           double *losses, void *cotangent);

/* Where the label of a sample stands among its outputs, from 0. There must be labels. */
size_t ffebmi_targets_rank(const ffebmi_targets *targets, size_t sample, const void *output);

#endif

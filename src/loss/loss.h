/* Losses of one sample: l(output, target), its derivative, and how well a label was met. */
#ifndef FFEBMI_LOSS_LOSS_H
#define FFEBMI_LOSS_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ffebm/loss.h>

#include "core/strict.h"

/* A sample's target: values, or where they are NULL a label in [0, n), which stands for the values
 * (1 - smoothing) one-hot + smoothing / n. */
typedef struct ffebmi_target {
    const void *values;
    int64_t label;
    double smoothing;
} ffebmi_target;

/* Returns l; cotangent = factor * dl/doutput, or nothing where it is NULL. All arrays have n numbers of the dtype. */
typedef double (*ffebmi_loss_fn)(size_t n, const void *output, ffebmi_target target, double factor, void *cotangent);

typedef struct ffebmi_loss_kind {
    int32_t type;       /* FFEBM_LOSS_ */
    const char *name;   /* in the model description */
    bool needs_classes; /* the output must be [classes] whatever the target is */
    double curvature; /* d2l / doutput_i^2 of a loss whose second derivative is this times the identity; 0: it is not */
    double most_curved; /* the largest second derivative, along any direction, with targets that sum to 1 */
    ffebmi_loss_fn f32;
    ffebmi_loss_fn f64;
} ffebmi_loss_kind;

/* By type and by name; NULL where there is none. FFEBM_LOSS_NONE ("none") has no functions. */
const ffebmi_loss_kind *ffebmi_loss_kind_of(int32_t type);
const ffebmi_loss_kind *ffebmi_loss_kind_named(const char *name);

/* The name of kind `index`, for lists of what there is; NULL behind the last. */
const char *ffebmi_loss_kind_name(size_t index);

/* How many outputs beat the label's: larger, or as large and before it. */
size_t ffebmi_label_rank_f32(size_t n, const void *output, int64_t label);
size_t ffebmi_label_rank_f64(size_t n, const void *output, int64_t label);

double ffebmi_cross_entropy_f32(size_t n, const void *output, ffebmi_target target, double factor, void *cotangent);
double ffebmi_cross_entropy_f64(size_t n, const void *output, ffebmi_target target, double factor, void *cotangent);
double ffebmi_mse_f32(size_t n, const void *output, ffebmi_target target, double factor, void *cotangent);
double ffebmi_mse_f64(size_t n, const void *output, ffebmi_target target, double factor, void *cotangent);

#endif

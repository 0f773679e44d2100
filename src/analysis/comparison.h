/* How two gradients of a tensor compare. */
#ifndef FFEBMI_ANALYSIS_COMPARISON_H
#define FFEBMI_ANALYSIS_COMPARISON_H

#include "gradient/engine.h"

typedef struct ffebmi_comparison {
    double norm; /* of the gradient, */
    double reference_norm;
    double cosine;         /* 1 where both are zero, 0 where one is */
    double relative_error; /* |gradient - reference| / |reference| */
} ffebmi_comparison;

/* scratch: count elements. */
ffebmi_comparison ffebmi_compare(const ffebmi_arrays *arrays, size_t count, const void *gradient, const void *reference,
                                 void *scratch);

/* The same, of a tensor that each rank has a part of. */
ffebm_status ffebmi_comparison_sum(ffebm_context *context, ffebmi_comparison *comparison);

/* A tensor's norm; if it is in parts, over ranks. */
ffebm_status ffebmi_comparison_norm(const ffebm_engine *engine, size_t count, const void *tensor, bool in_parts,
                                    double *norm);

/* Gradients of the op or coupling that a parameter belongs to are of one size. Is this one's so much smaller, like that of
 * a bias in front of batch normalisation, that it is zero, and what is there is rounding? */
bool ffebmi_comparison_is_zero(const ffebm_engine *engine, const void *flat_gradient, size_t parameter);

#endif

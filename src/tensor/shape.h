/* Shapes: dimensions whose product cannot overflow. */
#ifndef FFEBMI_TENSOR_SHAPE_H
#define FFEBMI_TENSOR_SHAPE_H

#include <stdbool.h>

#include <ffebm/tensor.h>

#include "core/strict.h"

enum { FFEBMI_SHAPE_TEXT = 192 };

typedef struct ffebmi_shape {
    size_t rank;
    size_t count; /* the product of the dimensions */
    int64_t dims[FFEBM_MAX_RANK];
} ffebmi_shape;

/* Check and fill a shape; `what` names it in the error text. FFEBM_ERR_SHAPE for a rank outside 1 .. FFEBM_MAX_RANK, a
 * dimension below 1 or above 2^31 - 1 (a BLAS index), or a product too large for memory. */
ffebm_status ffebmi_shape_set(ffebm_context *context, ffebmi_shape *shape, const int64_t *dims, size_t rank,
                              const char *what);

/* A shape known to be good: a vector of n. */
ffebmi_shape ffebmi_shape_vector(int64_t n);

bool ffebmi_shape_equal(const ffebmi_shape *a, const ffebmi_shape *b);

/* "[3, 32, 32]" for error texts. Returns text. */
const char *ffebmi_shape_text(char text[FFEBMI_SHAPE_TEXT], const ffebmi_shape *shape);

/* Is `tensor` of shape [rows, sample...]? */
bool ffebmi_shape_is_batch_of(const ffebmi_shape *shape, const ffebmi_shape *sample);

#endif

/* What a block announces of a parameter or buffer before it has values. */
#ifndef FFEBMI_TENSOR_PARAMETER_H
#define FFEBMI_TENSOR_PARAMETER_H

#include <ffebm/feedforward.h>

#include "tensor/shape.h"

typedef enum ffebmi_role { FFEBMI_WEIGHT, FFEBMI_BIAS } ffebmi_role;

typedef struct ffebmi_parameter {
    const char *name; /* "weight": a string literal */
    ffebmi_role role;
    ffebmi_shape shape;
    size_t fan_in;
} ffebmi_parameter;

/* What ops and couplings with parameters have in common, copied from their configurations. */
typedef struct ffebmi_learnable {
    ffebm_initialization initialization;
    bool own_initialization; /* false: the model's */
    bool bias;
    bool frozen;
} ffebmi_learnable;

/* Read those fields of a configuration; where the type has no parameters they must be zero. */
ffebm_status ffebmi_learnable_read(ffebm_context *context, ffebmi_learnable *to, const char *what, bool has_parameters,
                                   int32_t bias, int32_t frozen, const ffebm_initialization *initialization);

/* Copy and check an initialisation; NULL gives the defaults. */
ffebm_status ffebmi_initialization_read(ffebm_context *context, ffebm_initialization *to, const char *what,
                                        const ffebm_initialization *from);

/* The weight [out, in] and, second, the bias [out] of a linear map. `what` stands in the error text: FFEBM_ERR_SHAPE if
 * they are too large. */
ffebm_status ffebmi_dense_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                     int64_t out, size_t in);

#endif

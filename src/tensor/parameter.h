/* What a block announces of a parameter or buffer before it has values. */
#ifndef FFEBMI_TENSOR_PARAMETER_H
#define FFEBMI_TENSOR_PARAMETER_H

#include <ffebm/block.h>

#include "core/setting.h"
#include "tensor/shape.h"

typedef enum ffebmi_role {
    FFEBMI_WEIGHT, /* drawn; conv kernels are [out, in, kh, kw] */
    FFEBMI_BIAS,   /* drawn */
    FFEBMI_ONES,   /* starts at 1, like the weight of a normalisation */
    FFEBMI_ZEROS,  /* starts at 0 */
    FFEBMI_GIVEN   /* starts at what the block says */
} ffebmi_role;

typedef struct ffebmi_parameter {
    const char *name; /* "weight": a string literal */
    ffebmi_role role;
    ffebmi_shape shape;
    size_t fan_in;
    bool of_conv; /* it belongs to a convolution */
    bool bounded; /* optimizers keep it within these: */
    double lower;
    double upper;
} ffebmi_parameter;

/* What ops and couplings with parameters have in common, copied from their configurations. */
typedef struct ffebmi_learnable {
    const ffebm_initialization *own;    /* the configuration's; NULL: the model's, or without one that of its place */
    const ffebm_initialization *placed; /* what its place asks for; NULL: the defaults */
    bool bias;
    bool frozen;
} ffebmi_learnable;

/* How its parameters are drawn. `common` is what the model says of all, NULL if it says nothing. */
const ffebm_initialization *ffebmi_learnable_drawn(const ffebmi_learnable *learnable,
                                                   const ffebm_initialization *common);

/* The same where it is no other's, and so has to be described beside it; else NULL. */
const ffebm_initialization *ffebmi_learnable_drawn_alone(const ffebmi_learnable *learnable,
                                                         const ffebm_initialization *common);

extern const ffebmi_settings ffebmi_initialization_settings;

/* The weight [out, in] and, second, the bias [out] of a linear map. `what` stands in the error text: FFEBM_ERR_SHAPE if
 * they are too large. */
ffebm_status ffebmi_dense_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                     int64_t out, size_t in);

/* The same for a convolution: [out, in, kh, kw] and [out]. */
ffebm_status ffebmi_conv_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                    int64_t out, int64_t in, const int64_t kernel[2]);

#endif

/* What a block announces of a parameter or buffer before it has values. */
#ifndef FFEBMI_TENSOR_PARAMETER_H
#define FFEBMI_TENSOR_PARAMETER_H

#include <ffebm/block.h>

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

/* Where the parameters are: what they are drawn by where nobody says. */
typedef enum ffebmi_place {
    FFEBMI_ELSEWHERE,
    FFEBMI_INTO_BLOCK, /* the last map below a Hopfield block */
    FFEBMI_IN_BLOCK    /* a coupling of one */
} ffebmi_place;

/* What ops and couplings with parameters have in common, copied from their configurations. */
typedef struct ffebmi_learnable {
    ffebm_initialization initialization;
    bool own_initialization; /* false: the model's, or without one that of the place */
    ffebmi_place place;
    bool bias;
    bool frozen;
} ffebmi_learnable;

/* Which fields of a configuration an op or coupling reads; the others must be zero. */
enum {
    FFEBMI_READS_OUT = 1,
    FFEBMI_READS_BIAS = 2,   /* and initialization: its parameters are drawn */
    FFEBMI_READS_FROZEN = 4, /* it has parameters */
    FFEBMI_READS_WINDOW = 8, /* kernel, stride, padding */
    FFEBMI_READS_EPSILON = 16,
    FFEBMI_READS_MOMENTUM = 32,
    FFEBMI_READS_POOL = 64
};

/* Check that a field is zero unless it is read. */
ffebm_status ffebmi_check_unread(ffebm_context *context, const char *what, const char *field, bool read, double value);

/* Read the fields of a learnable. */
ffebm_status ffebmi_learnable_read(ffebm_context *context, ffebmi_learnable *to, const char *what, unsigned reads,
                                   int32_t bias, int32_t frozen, const ffebm_initialization *initialization);

/* Copy and check an initialisation; NULL gives the defaults. */
ffebm_status ffebmi_initialization_read(ffebm_context *context, ffebm_initialization *to, const char *what,
                                        const ffebm_initialization *from);

/* The weight [out, in] and, second, the bias [out] of a linear map. `what` stands in the error text: FFEBM_ERR_SHAPE if
 * they are too large. */
ffebm_status ffebmi_dense_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                     int64_t out, size_t in);

/* The same for a convolution: [out, in, kh, kw] and [out]. */
ffebm_status ffebmi_conv_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                    int64_t out, int64_t in, const int64_t kernel[2]);

#endif

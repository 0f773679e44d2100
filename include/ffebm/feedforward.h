/* ffebm/feedforward.h - describe a feedforward (digital) block: a row of ops.
 *
 * A block is a description. Give it to a model (ffebm_model_add_feedforward), which infers its shapes and holds its
 * parameters; an engine on that model computes. To use a block alone, make it the only stage of a model:
 * ffebm_engine_forward and ffebm_engine_vjp are then its forward pass and its exact vector-Jacobian product (VJP).
 */
#ifndef FFEBM_FEEDFORWARD_H
#define FFEBM_FEEDFORWARD_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A block x = F(s; w), computed exactly. */
typedef struct ffebm_feedforward ffebm_feedforward;

/* How the first values of an op's, a coupling's or a whole model's parameters are drawn. */
enum {
    FFEBM_INITIALIZATION_UNIFORM = 1, /* weights and biases uniform in +- gain / sqrt(fan_in) */
    FFEBM_INITIALIZATION_GOE = 2 /* conv2d: each k x k slice symmetric and normal, of variance `variance` / k, on the
                                         diagonal 8 times that, and biases 0 (arXiv:2409.03306); all else: UNIFORM */
};

typedef struct ffebm_initialization {
    size_t size;
    double gain;           /* default 1 */
    double variance;       /* GOE: must be set; else 0 */
    double bias;           /* with constant_bias: the value of every bias; default 0 */
    int32_t type;          /* default FFEBM_INITIALIZATION_UNIFORM */
    int32_t constant_bias; /* default 0: biases as the type says; 1: all biases are `bias` */
} ffebm_initialization;

/** Fill an initialisation with the defaults.
 *
 *  Out: initialization: written up to `size`.
 *  In:  size:           sizeof *initialization.
 */
FFEBM_API void ffebm_initialization_init(ffebm_initialization *initialization, size_t size);

/* clang-format off */
enum {                        /* JSON "type"    fields read                                        sample in -> out           */
    FFEBM_OP_LINEAR      = 1, /* "linear"       out, bias, frozen, initialization                  [n] -> [out]               */
    FFEBM_OP_CONV2D      = 2, /* "conv2d"       out, kernel, stride, padding, bias, frozen,        [c, h, w] -> [out, h', w']
                                                initialization                                                               */
    FFEBM_OP_FLATTEN     = 3, /* "flatten"      -                                                  any -> [n]                 */
    FFEBM_OP_MAXPOOL2D   = 4, /* "maxpool2d"    kernel, stride, padding                            [c, h, w] -> [c, h', w']   */
    FFEBM_OP_AVGPOOL2D   = 5, /* "avgpool2d"    kernel, stride, padding                            [c, h, w] -> [c, h', w']   */
    FFEBM_OP_BATCHNORM2D = 6, /* "batchnorm2d"  epsilon, momentum, frozen                          [c, h, w] -> same          */
    FFEBM_OP_LAYERNORM   = 7, /* "layernorm"    epsilon, frozen                                    any -> same                */
    FFEBM_OP_RELU        = 8, /* "relu"         -                                                  any -> same                */
    FFEBM_OP_TANH        = 9, /* "tanh"         -                                                  any -> same                */
    FFEBM_OP_SIGMOID     = 10 /* "sigmoid"      -                                                  any -> same                */
};
/* clang-format on */

/* One op: the same fields and defaults as an op of the model description. Windows are [height, width]; h' is
 * floor((h + 2 padding - kernel) / stride) + 1. batchnorm2d has weight and bias by channel, and the buffers running_mean
 * and running_var; layernorm normalises a whole sample, and has weight and bias of the sample's shape. */
typedef struct ffebm_op_config {
    size_t size;
    const ffebm_initialization *initialization; /* copied; default NULL: the model's */
    int64_t out;                                /* out_features or out_channels; must be set */
    int64_t kernel[2];                          /* must be set; a window of maxpool2d has at most 255 places */
    int64_t stride[2];                          /* default 1; pools: default 0, which means `kernel` */
    int64_t padding[2];                         /* default 0, below kernel; of zeros, which a max pool never picks */
    double epsilon;                             /* default 1e-5 */
    double momentum; /* default 0.1: weight of the new batch in the running statistics, in [0, 1] */
    int32_t type;    /* FFEBM_OP_ */
    int32_t bias;    /* default 1 */
    int32_t frozen;  /* default 0; 1: optimizers leave its parameters alone; statistics move on */
    int32_t reserved_;
} ffebm_op_config;

/** Fill an op's configuration with the defaults of its type; fields that the type does not read are zero.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 *       type:   FFEBM_OP_; any other is kept for ffebm_feedforward_add_op to refuse.
 */
FFEBM_API void ffebm_op_config_init(ffebm_op_config *config, size_t size, int32_t type);

/** Create a feedforward block without ops: the identity, until ops are added.
 *
 *  Returns: FFEBM_OK:        *block is owned.
 *           FFEBM_ERR_NOMEM: allocates.
 *  In:      context.
 *  Out:     block: NULL on failure.
 */
FFEBM_API ffebm_status ffebm_feedforward_create(ffebm_context *context, ffebm_feedforward **block);

/** Add an op behind those already there.
 *
 *  Returns: FFEBM_OK:              the op's index in parameter names is the number of ops before it.
 *           FFEBM_ERR_ARGUMENT:    a field that must be set is not, is out of range, or is set though the type does not
 *                                  read it; the text names it.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In/Out:  block:  unchanged on failure.
 *  In:      config: copied; not NULL.
 *
 *  Whether shapes fit is checked when the block enters a model.
 */
FFEBM_API ffebm_status ffebm_feedforward_add_op(ffebm_feedforward *block, const ffebm_op_config *config);

/** Destroy a block that no model has taken.
 *
 *  In: block: owned, or NULL.
 */
FFEBM_API void ffebm_feedforward_destroy(ffebm_feedforward *block);

#ifdef __cplusplus
}
#endif
#endif

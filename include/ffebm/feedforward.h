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
    FFEBM_INITIALIZATION_UNIFORM = 1 /* weights and biases uniform in +- gain / sqrt(fan_in) */
};

typedef struct ffebm_initialization {
    size_t size;
    double gain;           /* default 1 */
    double bias;           /* with constant_bias: the value of every bias; default 0 */
    int32_t type;          /* default FFEBM_INITIALIZATION_UNIFORM */
    int32_t constant_bias; /* default 0: biases are drawn as the weights are; 1: all biases are `bias` */
} ffebm_initialization;

/** Fill an initialisation with the defaults.
 *
 *  Out: initialization: written up to `size`.
 *  In:  size:           sizeof *initialization.
 */
FFEBM_API void ffebm_initialization_init(ffebm_initialization *initialization, size_t size);

/* clang-format off */
enum {                        /* JSON "type"   fields read                       sample in -> out */
    FFEBM_OP_LINEAR  = 1,     /* "linear"      out, bias, frozen, initialization [n] -> [out]     */
    FFEBM_OP_FLATTEN = 3,     /* "flatten"     -                                 any -> [n]       */
    FFEBM_OP_RELU    = 8,     /* "relu"        -                                 any -> same      */
    FFEBM_OP_TANH    = 9,     /* "tanh"        -                                 any -> same      */
    FFEBM_OP_SIGMOID = 10     /* "sigmoid"     -                                 any -> same      */
};
/* clang-format on */

/* One op: the same fields and defaults as an op of the model description. */
typedef struct ffebm_op_config {
    size_t size;
    const ffebm_initialization *initialization; /* copied; default NULL: the model's */
    int64_t out;                                /* out_features; must be set */
    int32_t type;                               /* FFEBM_OP_ */
    int32_t bias;                               /* default 1 */
    int32_t frozen;                             /* default 0; 1: optimizers leave its parameters alone */
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

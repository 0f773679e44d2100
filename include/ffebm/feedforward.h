/* ffebm/feedforward.h - describe a feedforward (digital) block: a row of ops.
 *
 * A block is a description. Give it to a model (ffebm_model_add_feedforward), which infers its shapes and holds its
 * parameters; an engine on that model computes. To use a block alone, make it the only stage of a model:
 * ffebm_engine_forward and ffebm_engine_vjp are then its forward pass and its exact vector-Jacobian product (VJP).
 */
#ifndef FFEBM_FEEDFORWARD_H
#define FFEBM_FEEDFORWARD_H

#include "block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A block x = F(s; w), computed exactly. */
typedef struct ffebm_feedforward ffebm_feedforward;

/* clang-format off */
enum {                        /* JSON "type"    fields read                                        sample in -> out           */
    FFEBM_OP_LINEAR      = 1, /* "linear"       out, bias, frozen, initialization                  [n] -> [out]               */
    FFEBM_OP_CONV2D      = 2, /* "conv2d"       those, kernel, stride, padding                     [c, h, w] -> [out, h', w'] */
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
 *           FFEBM_ERR_STATE:       the block was made by ffebm_feedforward_create_user.
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

/* ------------------------------------------------------------------------------------ a feedforward block of your own
 *
 * WHAT THE LIBRARY GUARANTEES
 *   - Arrays are of doubles whatever the model's type, row-major with channels before rows and columns, batch first, and
 *     valid during the call only. Inputs are finite.
 *   - Slots are called one at a time, on the thread that called the library, with at most max_batch samples.
 *   - Every output arrives as zeros.
 *   - After a positive answer (FFEBM_RETRY) the same call is made again, with its outputs as at first and `attempt` one
 *     higher, at most retry_limit times.
 *   - The block is never called while the loss nudges the last energy block below it: with a block of yours in the
 *     readout, nudging is linear.
 * WHAT YOUR FUNCTIONS MUST DO
 *   - Write the outputs of their slot and nothing else. Return 0, FFEBM_RETRY, or a negative value for failure, then
 *     with a sentence in `message` if there is one. Call nothing that uses this context, throw nothing, do not longjmp.
 *   - Treat each sample alone and each call alone: vjp does not follow "its" forward, it is given the input again.
 * WHAT IS CHECKED
 *   - Outputs are finite, else FFEBM_ERR_NUMERIC. That vjp is the transpose of forward's derivative is not checked in
 *     training; ffebm_engine_certify does that, by differences, and examples/conformance.c slot by slot.
 * WHAT HAPPENS ON FAILURE
 *   - The engine's function returns FFEBM_ERR_USER; its error text names stage, slot, your value and your message.
 *     Parameters, running statistics and optimizer are as before: the same call may be made again.
 */

/** What a slot of a feedforward block of yours is given, and where it writes. */
typedef struct ffebm_feedforward_call {
    size_t size;                    /* what this library knows: test it before a field added after version 0.1 */
    size_t batch;                   /* samples in this call */
    size_t first;                   /* the number in the engine's batch of the first of them */
    const double *parameters;       /* [parameter_count] */
    size_t parameter_count;         /* numbers in all its parameters together */
    const double *input;            /* [batch, in...]     forward, vjp: in */
    double *output;                 /* [batch, out...]    forward: out */
    const double *output_cotangent; /* [batch, out...]    vjp: in */
    double *input_cotangent;        /* [batch, in...]     vjp: out */
    double *gradient;               /* [parameter_count]  vjp: out, scale times the sum over the batch */
    double *values;                 /* [parameter_count]  initialize: out */
    char *message;                  /* message_capacity bytes, for a sentence with its NUL; empty when called */
    size_t message_capacity;        /* bytes of message, with the NUL */
    uint64_t seed;                  /* of your noise: another in each call, the same in each run and attempt */
    uint64_t version; /* of the parameters, never 0: another whenever they differ from those of the last call */
    double scale;     /* vjp */
    int32_t training; /* 1: the engine is in training mode */
    int32_t attempt;  /* 0, then 1, 2, .. after retries */
} ffebm_feedforward_call;

/** One slot of a feedforward block of your own. Returns 0, FFEBM_RETRY, or a negative value. */
typedef int32_t (*ffebm_feedforward_fn)(void *self, ffebm_feedforward_call *call);

/** The table of functions that makes a feedforward block of yours. */
typedef struct ffebm_user_feedforward {
    size_t size;
    void *self;                 /* handed to every slot */
    const char *name;           /* letters, digits and _, at most 23; stands in descriptions and error texts; copied */
    const int64_t *input_shape; /* of a sample; copied */
    size_t input_rank;
    const int64_t *output_shape; /* likewise */
    size_t output_rank;
    size_t max_batch;                /* samples that a slot takes at once; 0: any number */
    ffebm_feedforward_fn forward;    /* REQUIRED  output = F(input; parameters) */
    ffebm_feedforward_fn vjp;        /* REQUIRED  with v = output_cotangent: input_cotangent = (dF/dinput)^T v,
                                                  gradient = scale * sum_n (dF/dparameters)^T v_n */
    ffebm_feedforward_fn initialize; /* OPTIONAL  first values of the parameters; default zeros */
    void (*destroy)(void *self);     /* OPTIONAL  called once, when the block goes; default nothing */
    int32_t retry_limit;             /* 0: 8 */
    int32_t reserved_;
} ffebm_user_feedforward;

/** Create a feedforward block from functions of your own.
 *
 *  Returns: FFEBM_OK:              *block is owned, and self is taken: it goes through table->destroy.
 *           FFEBM_ERR_ARGUMENT:    a REQUIRED slot or the name is missing, or the name has other characters; the text
 *                                  says which.
 *           FFEBM_ERR_SHAPE:       a shape as ffebm_tensor_create refuses it.
 *           FFEBM_ERR_UNSUPPORTED: table has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     block: NULL on failure; self is then still yours.
 *  In:      table: zero it, set size and what you have. Copied.
 *
 *  Its input must have exactly input_shape: FFEBM_ERR_SHAPE where it enters a model that does not.
 */
FFEBM_API ffebm_status ffebm_feedforward_create_user(ffebm_context *context, ffebm_feedforward **block,
                                                     const ffebm_user_feedforward *table);

/** Give a feedforward block of your own a parameter tensor.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT:    the name is missing, taken or has other characters, or lower is not below upper.
 *           FFEBM_ERR_SHAPE:       as ffebm_tensor_create.
 *           FFEBM_ERR_STATE:       the block was made by ffebm_feedforward_create, or has FFEBM_USER_PARAMETERS_MAX.
 *           FFEBM_ERR_UNSUPPORTED: parameter has fields set that this library does not know.
 *  In/Out:  block:     unchanged on failure.
 *  In:      parameter: copied.
 */
FFEBM_API ffebm_status ffebm_feedforward_add_parameter(ffebm_feedforward *block, const ffebm_user_parameter *parameter);

#ifdef __cplusplus
}
#endif
#endif

/* One op of a feedforward block, and the table that every kind of op fills. Images are stored h x w x c. */
#ifndef FFEBMI_FEEDFORWARD_OP_H
#define FFEBMI_FEEDFORWARD_OP_H

#include <ffebm/feedforward.h>

#include "convolution/convolution.h"
#include "core/arena.h"
#include "core/setting.h"
#include "tensor/parameter.h"
#include "tensor/shape.h"
#include "tensor/window.h"

enum { FFEBMI_OP_PARAMETERS = FFEBM_USER_PARAMETERS_MAX, FFEBMI_OP_OWN = 2, FFEBMI_OP_BUFFERS = 2 };

typedef struct ffebmi_op_kind ffebmi_op_kind;

typedef struct ffebmi_op {
    const ffebmi_op_kind *kind;
    ffebm_op_config config; /* as it was added, checked, with objects of its own */
    int64_t out;            /* the configuration's, like these two */
    ffebmi_window window;
    ffebmi_learnable learnable;
    ffebmi_shape input; /* of a sample; these and all below are set by fit */
    ffebmi_shape output;
    bool view;    /* its output is its input, in another shape */
    size_t units; /* the gradient is cut over so many */
    size_t parameter_count;
    ffebmi_parameter parameters[FFEBMI_OP_OWN];
    const ffebmi_parameter *listed; /* those of an op of the user's, which may be more; NULL: `parameters` */
    size_t buffer_count;
    ffebmi_parameter buffers[FFEBMI_OP_BUFFERS];
    const ffebmi_learnable *learnables; /* of the parameters one by one; NULL: `learnable` is that of all */
    void *user;                         /* of an op of the user's */
} ffebmi_op;

/* What an op works on in one call. Ops are const: all that a call remembers is here. Rows are samples. */
typedef struct ffebmi_op_call {
    const ffebmi_arrays *arrays;
    bool training; /* else evaluation: batch normalisation by its running statistics */
    const void *parameters[FFEBMI_OP_PARAMETERS];
    void *gradients[FFEBMI_OP_PARAMETERS];
    void *buffers[FFEBMI_OP_BUFFERS];
    size_t rows;
    size_t whole; /* rows over all ranks */
    const void *input;
    void *output;
    const void *output_cotangent;
    void *input_cotangent;
    double gradient_scale; /* of what is added to gradients */
    uint64_t seed;         /* for an op of the user's, */
    uint64_t first_sample; /* and the number of the first sample in what it draws from */
    void *memory;          /* what the op remembers from forward to vjp, laid out by its kind */
    void *packed;          /* the parameters as prepare and prepare_vjp lay them out, until the next op's turn */
    void *scratch;         /* of this thread, during one slot's call */
} ffebmi_op_call;

typedef void (*ffebmi_op_fn)(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count);

/* Slots may be NULL where there is nothing to do. */
struct ffebmi_op_kind {
    int32_t type;
    const char *name;                /* its "type" in the model description */
    const ffebmi_settings *settings; /* the fields of the configuration that it reads; the others must be zero */
    bool couples;                    /* in training, a sample's output depends on the others of its batch */
    bool switches;                   /* it keeps places in its window */
    size_t grain;                    /* so many units of the gradient make a piece of work */
    bool reads_input;                /* its VJP looks at its input, */
    bool reads_output;               /* or its output: what no VJP looks at is not kept */

    /* Set output, view, units and parameters from input; the error text begins with `what`. */
    ffebm_status (*fit)(ffebmi_op *op, ffebm_context *context, const char *what);
    /* Lay out memory for up to `rows` samples; returns it (NULL while measuring). */
    void *(*lay_out)(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena);
    /* Elements of packed parameters. */
    size_t (*packed)(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic);
    /* Elements of scratch that forward, pullback and gradient need. */
    size_t (*scratch)(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic);
    /* Once before forward: what is the same for all rows. With a context the work may be spread over its threads. Fails
     * only where ranks add up. */
    ffebm_status (*prepare)(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context);
    /* Rows first .. first + count - 1 of output from input. */
    ffebmi_op_fn forward;
    /* Once before gradient and pullback; likewise. */
    ffebm_status (*prepare_vjp)(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context);
    /* Add gradient_scale times the sum over all rows to the gradients of units first .. first + count - 1. Cut over
     * units, so that nothing is summed across threads. */
    ffebmi_op_fn gradient;
    /* Rows first .. first + count - 1 of input_cotangent from output_cotangent. */
    ffebmi_op_fn pullback;
    /* Multiply-adds of one sample's forward, and of each of the two halves of its VJP, where it is a product. */
    double (*products)(const ffebmi_op *op);
    /* After forward: the first buffer that cannot be computed with (in evaluation), or that commit would make NaN or
     * infinite (in training); buffer_count: none. */
    size_t (*bad_buffer)(const ffebmi_op *op, const ffebmi_op_call *call);
    /* Move the buffers by what the last forward saw. */
    void (*commit)(const ffebmi_op *op, const ffebmi_op_call *call);

    /* An op of the user's has these instead of those from prepare to commit: all rows, on the thread that called the
     * library. input_cotangent and gradients are NULL where they are not wanted. */
    ffebm_status (*run)(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context);
    ffebm_status (*run_vjp)(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context);
    /* First values of all parameters, as doubles, which the op keeps until they are asked for. */
    ffebm_status (*initialize)(const ffebmi_op *op, size_t element, uint64_t seed, const double **values,
                               ffebm_context *context);
    void (*destroy)(const ffebmi_op *op, ffebm_context *context);
};

extern const ffebmi_op_kind ffebmi_op_linear;
extern const ffebmi_op_kind ffebmi_op_conv2d;
extern const ffebmi_op_kind ffebmi_op_flatten;
extern const ffebmi_op_kind ffebmi_op_maxpool2d;
extern const ffebmi_op_kind ffebmi_op_avgpool2d;
extern const ffebmi_op_kind ffebmi_op_batchnorm2d;
extern const ffebmi_op_kind ffebmi_op_layernorm;
extern const ffebmi_op_kind ffebmi_op_relu;
extern const ffebmi_op_kind ffebmi_op_tanh;
extern const ffebmi_op_kind ffebmi_op_sigmoid;
extern const ffebmi_op_kind ffebmi_op_user; /* not among those below: no configuration makes one */
const char *ffebmi_op_user_name(const ffebmi_op *op);

extern const ffebmi_settings ffebmi_op_settings; /* of all kinds */
/* The settings of a kind that reads none. */
#define FFEBMI_OP_NO_FIELDS(name_) (&(const ffebmi_settings){.name = name_, .bytes = sizeof(ffebm_op_config)})

/* All kinds, for look-ups by type (FFEBM_OP_) and by name; NULL where there is none. */
const ffebmi_op_kind *ffebmi_op_kind_of(int32_t type);
const ffebmi_op_kind *ffebmi_op_kind_named(const char *name);

/* The name of kind `index`, for lists of what there is; NULL behind the last. */
const char *ffebmi_op_kind_name(size_t index);

#endif

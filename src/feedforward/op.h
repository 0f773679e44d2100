/* One op of a feedforward block, and the table that every kind of op fills. */
#ifndef FFEBMI_FEEDFORWARD_OP_H
#define FFEBMI_FEEDFORWARD_OP_H

#include "kernel/kernel.h"
#include "tensor/parameter.h"
#include "tensor/shape.h"

enum { FFEBMI_OP_PARAMETERS = 2 };

typedef struct ffebmi_op_kind ffebmi_op_kind;

typedef struct ffebmi_op {
    const ffebmi_op_kind *kind;
    int64_t out; /* out_features */
    ffebmi_learnable learnable;
    ffebmi_shape input; /* of a sample; these and all below are set by fit */
    ffebmi_shape output;
    size_t parameter_count;
    ffebmi_parameter parameters[FFEBMI_OP_PARAMETERS];
} ffebmi_op;

/* What an op works on in one call. Ops are const: all that a call remembers is here. Rows are samples. */
typedef struct ffebmi_op_call {
    const ffebmi_kernel *kernel;
    const void *parameters[FFEBMI_OP_PARAMETERS];
    void *gradients[FFEBMI_OP_PARAMETERS];
    size_t rows;
    const void *input;
    void *output;
    const void *output_cotangent;
    void *input_cotangent;
    double gradient_scale; /* of what is added to gradients */
} ffebmi_op_call;

struct ffebmi_op_kind {
    int32_t type;
    const char *name; /* its "type" in the model description */
    bool has_out;     /* reads `out` */
    bool has_parameters;

    /* Set output and parameters from input; the error text begins with `what`. */
    ffebm_status (*fit)(ffebmi_op *op, ffebm_context *context, const char *what);
    /* Rows first .. first + count - 1 of output from input; NULL: the same numbers in another shape. */
    void (*forward)(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count);
    /* The same rows of input_cotangent from output_cotangent; NULL with forward. */
    void (*pullback)(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count);
    /* Add gradient_scale times the sum over all rows to the gradients of output units first .. first + count - 1. NULL
     * where there are no parameters. Cut over units, so that nothing is summed across threads. */
    void (*gradient)(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count);
};

extern const ffebmi_op_kind ffebmi_op_linear;
extern const ffebmi_op_kind ffebmi_op_flatten;
extern const ffebmi_op_kind ffebmi_op_relu;
extern const ffebmi_op_kind ffebmi_op_tanh;
extern const ffebmi_op_kind ffebmi_op_sigmoid;

/* All kinds, for look-ups by type (FFEBM_OP_) and by name; NULL where there is none. */
const ffebmi_op_kind *ffebmi_op_kind_of(int32_t type);
const ffebmi_op_kind *ffebmi_op_kind_named(const char *name);

#endif

/* Elementwise functions whose derivative follows from their output: relu, tanh, sigmoid. */
#include "feedforward/op.h"

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    (void)context;
    (void)what;
    op->output = op->input;
    return FFEBM_OK;
}

#define ACTIVATION(function)                                                                                           \
    static void function##_forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)        \
    {                                                                                                                  \
        const ffebmi_arrays *k = call->arrays;                                                                         \
        size_t at = first * op->input.count;                                                                           \
                                                                                                                       \
        k->function(count * op->input.count, ffebmi_at(k, call->input, at), ffebmi_at(k, call->output, at));           \
    }                                                                                                                  \
                                                                                                                       \
    static void function##_pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)       \
    {                                                                                                                  \
        const ffebmi_arrays *k = call->arrays;                                                                         \
        size_t at = first * op->input.count;                                                                           \
                                                                                                                       \
        k->function##_vjp(count * op->input.count, ffebmi_at(k, call->output, at),                                     \
                          ffebmi_at(k, call->output_cotangent, at), ffebmi_at(k, call->input_cotangent, at));          \
    }

#define KIND(function, constant)                                                                                       \
    {                                                                                                                  \
        .type = constant, .name = #function, .settings = FFEBMI_OP_NO_FIELDS(#function), .reads_output = true,         \
        .fit = fit, .forward = function##_forward, .pullback = function##_pullback                                     \
    }

ACTIVATION(relu)
ACTIVATION(tanh)
ACTIVATION(sigmoid)
const ffebmi_op_kind ffebmi_op_relu = KIND(relu, FFEBM_OP_RELU);
const ffebmi_op_kind ffebmi_op_tanh = KIND(tanh, FFEBM_OP_TANH);
const ffebmi_op_kind ffebmi_op_sigmoid = KIND(sigmoid, FFEBM_OP_SIGMOID);

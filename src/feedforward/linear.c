/* y = W x + b. */
#include <inttypes.h>

#include "core/context.h"
#include "feedforward/fields.h"
#include "feedforward/op.h"

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    char text[FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK(context, op->input.rank == 1, FFEBM_ERR_SHAPE, "%s: input is %s, expected [n]; flatten it first", what,
                 ffebmi_shape_text(text, &op->input));
    FFEBMI_TRY(ffebmi_dense_parameters(context, op->parameters, what, op->out, op->input.count));
    op->parameter_count = op->learnable.bias ? 2 : 1;
    op->units = (size_t)op->out;
    op->output = ffebmi_shape_vector(op->out);
    return FFEBM_OK;
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    size_t in = op->input.count, out = op->output.count;
    void *y = ffebmi_at(k, call->output, first * out);

    k->gemm(&(ffebmi_matrix_product){.m = count,
                                     .n = out,
                                     .k = in,
                                     .alpha = 1,
                                     .a = ffebmi_at(k, call->input, first * in),
                                     .a_stride = in,
                                     .b = call->parameters[0],
                                     .b_stride = in,
                                     .transpose_b = true,
                                     .c = y,
                                     .c_stride = out});
    if (op->learnable.bias)
        k->add_row(count, out, call->parameters[1], y);
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    size_t in = op->input.count, out = op->output.count;

    k->gemm(&(ffebmi_matrix_product){.m = count,
                                     .n = in,
                                     .k = out,
                                     .alpha = 1,
                                     .a = ffebmi_at(k, call->output_cotangent, first * out),
                                     .a_stride = out,
                                     .b = call->parameters[0],
                                     .b_stride = in,
                                     .c = ffebmi_at(k, call->input_cotangent, first * in),
                                     .c_stride = in});
}

static void gradient(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    size_t in = op->input.count, out = op->output.count;
    const void *v = ffebmi_at(k, call->output_cotangent, first);

    k->gemm(&(ffebmi_matrix_product){.m = count,
                                     .n = in,
                                     .k = call->rows,
                                     .alpha = call->gradient_scale,
                                     .a = v,
                                     .a_stride = out,
                                     .transpose_a = true,
                                     .b = call->input,
                                     .b_stride = in,
                                     .beta = 1,
                                     .c = ffebmi_at(k, call->gradients[0], first * in),
                                     .c_stride = in});
    if (op->learnable.bias)
        k->add_column_sums(call->rows, count, out, call->gradient_scale, v, ffebmi_at(k, call->gradients[1], first));
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_OUT("out_features"), FFEBMI_FIELD_BIAS, FFEBMI_FIELD_FROZEN,
                                      FFEBMI_FIELD_INITIALIZATION};
static const ffebmi_settings settings = FFEBMI_SETTINGS("linear", 0, list);

static double products(const ffebmi_op *op)
{
    return (double)op->parameters[0].shape.count;
}

const ffebmi_op_kind ffebmi_op_linear = {.type = FFEBM_OP_LINEAR,
                                         .name = "linear",
                                         .settings = &settings,
                                         .grain = 64,
                                         .reads_input = true,
                                         .fit = fit,
                                         .products = products,
                                         .forward = forward,
                                         .pullback = pullback,
                                         .gradient = gradient};

/* The same numbers as one vector, in channel, row, column order: images are stored h x w x c, all else is that already.
 */
#include "feedforward/op.h"

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    int64_t count = (int64_t)op->input.count;

    op->view = !ffebmi_shape_is_image(&op->input);
    return ffebmi_shape_set(context, &op->output, &count, 1, what);
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    size_t units = op->input.count, channels = (size_t)op->input.dims[0];

    for (size_t r = first; r < first + count; r++)
        call->arrays->transpose(units / channels, channels, ffebmi_at(call->arrays, call->input, r * units),
                                ffebmi_at(call->arrays, call->output, r * units));
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    size_t units = op->input.count, channels = (size_t)op->input.dims[0];

    for (size_t r = first; r < first + count; r++)
        call->arrays->transpose(channels, units / channels, ffebmi_at(call->arrays, call->output_cotangent, r * units),
                                ffebmi_at(call->arrays, call->input_cotangent, r * units));
}

const ffebmi_op_kind ffebmi_op_flatten = {.type = FFEBM_OP_FLATTEN,
                                          .name = "flatten",
                                          .settings = FFEBMI_OP_NO_FIELDS("flatten"),
                                          .fit = fit,
                                          .forward = forward,
                                          .pullback = pullback};

/* The same numbers as one vector: channel, row, column order. */
#include "feedforward/op.h"

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    int64_t count = (int64_t)op->input.count;

    return ffebmi_shape_set(context, &op->output, &count, 1, what);
}

const ffebmi_op_kind ffebmi_op_flatten = {.type = FFEBM_OP_FLATTEN, .name = "flatten", .fit = fit};

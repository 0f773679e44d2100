/* Convolution: y = W * x + b, zero padding. */
#include "core/context.h"
#include "core/executor.h"
#include "feedforward/op.h"

static ffebmi_conv conv_of(const ffebmi_op *op)
{
    ffebmi_conv conv = {.out_channels = (size_t)op->out};

    conv.windows = ffebmi_windows_of(&op->window, &op->input, &op->output);
    return conv;
}

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {op->out};
    ffebmi_conv conv;

    FFEBMI_TRY(ffebmi_window_fit(context, &op->window, &op->input, false, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &op->output, dims, 3, what));
    FFEBMI_TRY(ffebmi_conv_parameters(context, op->parameters, what, op->out, op->input.dims[0], op->window.kernel));
    conv = conv_of(op);
    op->parameter_count = op->learnable.bias ? 2 : 1;
    op->units = ffebmi_conv_units(&conv);
    return FFEBM_OK;
}

static size_t packed(const ffebmi_op *op, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(op);
    size_t up = ffebmi_conv_packed(&conv, k, FFEBMI_CONV_UP), down = ffebmi_conv_packed(&conv, k, FFEBMI_CONV_DOWN);

    return up > down ? up : down;
}

static size_t scratch(const ffebmi_op *op, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(op);

    return ffebmi_conv_scratch(&conv, k);
}

typedef struct pack_job {
    ffebmi_conv conv;
    const ffebmi_op_call *call;
    unsigned passes;
} pack_job;

static void pack_range(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    ffebmi_conv_pack(&j->conv, j->call->kernel, j->passes, j->call->parameters[0], j->call->packed, first, count);
}

static void pack(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context, unsigned passes)
{
    pack_job job = {conv_of(op), call, passes};
    size_t units = ffebmi_conv_pack_units(&job.conv, call->kernel, passes);

    if (context != NULL)
        ffebmi_parallel_ranges(context, units, 1, pack_range, &job);
    else
        pack_range(&job, 0, 0, units);
}

static void prepare(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    pack(op, call, context, FFEBMI_CONV_UP);
}

static void prepare_vjp(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    if (call->input_cotangent != NULL)
        pack(op, call, context, FFEBMI_CONV_DOWN);
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_kernel *k = call->kernel;
    ffebmi_conv conv = conv_of(op);
    void *y = ffebmi_at(k, call->output, first * op->output.count);

    ffebmi_conv_up(&conv, k, call->packed, count, ffebmi_at(k, call->input, first * op->input.count), y, call->scratch);
    if (op->learnable.bias)
        k->add_row(count * op->output.count / conv.out_channels, conv.out_channels, call->parameters[1], y);
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_kernel *k = call->kernel;
    ffebmi_conv conv = conv_of(op);

    ffebmi_conv_down(&conv, k, FFEBMI_CONV_DOWN, call->packed, count,
                     ffebmi_at(k, call->output_cotangent, first * op->output.count), false,
                     ffebmi_at(k, call->input_cotangent, first * op->input.count), call->scratch);
}

static void gradient(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_kernel *k = call->kernel;
    ffebmi_conv conv = conv_of(op);
    ffebmi_conv_pairs pairs = {1, {call->output_cotangent}, {call->input}};

    ffebmi_conv_gradient(&conv, k, call->rows, &pairs, call->gradient_scale, call->gradients[0], first, count,
                         call->scratch);
    if (op->learnable.bias && first == 0)
        k->add_column_sums(call->rows * op->output.count / conv.out_channels, conv.out_channels, conv.out_channels,
                           call->gradient_scale, call->output_cotangent, call->gradients[1]);
}

const ffebmi_op_kind ffebmi_op_conv2d = {.type = FFEBM_OP_CONV2D,
                                         .name = "conv2d",
                                         .out_key = "out_channels",
                                         .reads = FFEBMI_READS_OUT | FFEBMI_READS_BIAS | FFEBMI_READS_FROZEN |
                                                  FFEBMI_READS_WINDOW,
                                         .stride = 1,
                                         .grain = 1,
                                         .reads_input = true,
                                         .fit = fit,
                                         .packed = packed,
                                         .scratch = scratch,
                                         .prepare = prepare,
                                         .prepare_vjp = prepare_vjp,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .pullback = pullback};

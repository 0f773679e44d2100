/* Convolution: y = W * x + b, zero padding. */
#include "core/context.h"
#include "core/parallel.h"
#include "feedforward/fields.h"
#include "feedforward/op.h"

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {op->out};
    ffebmi_windows windows;

    FFEBMI_TRY(ffebmi_window_fit(context, &op->window, &op->input, false, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &op->output, dims, 3, what));
    FFEBMI_TRY(ffebmi_conv_parameters(context, op->parameters, what, op->out, op->input.dims[0], op->window.kernel));
    op->parameter_count = op->learnable.bias ? 2 : 1;
    windows = ffebmi_windows_of(&op->window, &op->input, &op->output);
    op->units = ffebmi_convolution_units(&windows, (size_t)op->out);
    return FFEBM_OK;
}

static ffebmi_convolution planned(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic)
{
    ffebmi_windows windows = ffebmi_windows_of(&op->window, &op->input, &op->output);
    ffebmi_convolution c;

    ffebmi_convolution_plan(&c, arithmetic, &windows, (size_t)op->out, true);
    return c;
}

/* What the op remembers is its plan. */
static void *lay_out(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena)
{
    ffebmi_convolution *plan = ffebmi_carve(arena, 1, sizeof *plan);

    (void)rows;
    if (plan != NULL)
        *plan = planned(op, arithmetic);
    return plan;
}

static size_t packed(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic)
{
    return planned(op, arithmetic).packed;
}

static size_t scratch(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic)
{
    return planned(op, arithmetic).scratch;
}

typedef struct pack_job {
    const ffebmi_op_call *call;
    unsigned passes;
} pack_job;

static void pack_range(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    ffebmi_convolution_pack(j->call->memory, j->passes, j->call->parameters[0], j->call->packed, first, count);
}

static void pack(const ffebmi_op_call *call, ffebm_context *context, unsigned passes)
{
    const ffebmi_convolution *c = call->memory;
    pack_job job = {call, passes};
    size_t units = ffebmi_convolution_pack_units(c, passes);

    if (c->packed == 0)
        return;
    if (context != NULL)
        ffebmi_parallel_ranges(context, units, 1, pack_range, &job);
    else
        pack_range(&job, 0, 0, units);
}

static ffebm_status prepare(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    (void)op;
    pack(call, context, FFEBMI_UP);
    return FFEBM_OK;
}

static ffebm_status prepare_vjp(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    (void)op;
    if (call->input_cotangent != NULL)
        pack(call, context, FFEBMI_DOWN);
    return FFEBM_OK;
}

static ffebmi_packed weights_of(const ffebmi_op_call *call)
{
    const ffebmi_convolution *c = call->memory;

    return (ffebmi_packed){.full = c->packed > 0 ? call->packed : call->parameters[0]};
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_convolution *c = call->memory;
    const ffebmi_arrays *a = call->arrays;
    const ffebmi_packed weights = weights_of(call);
    void *y = ffebmi_at(a, call->output, first * op->output.count);

    ffebmi_convolution_up(c, &weights, count, ffebmi_at(a, call->input, first * op->input.count), y, call->scratch);
    if (op->learnable.bias)
        a->add_row(count * c->out_pixels, c->out_channels, call->parameters[1], y);
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *a = call->arrays;
    const ffebmi_packed weights = weights_of(call);

    ffebmi_convolution_down(call->memory, &weights, count,
                            ffebmi_at(a, call->output_cotangent, first * op->output.count), false,
                            ffebmi_at(a, call->input_cotangent, first * op->input.count), call->scratch);
}

static void gradient(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_convolution *c = call->memory;
    ffebmi_pairs pairs = {.count = 1, .v = {call->output_cotangent}, .s = {call->input}};

    ffebmi_convolution_gradient(c, call->rows, &pairs, call->gradient_scale, call->gradients[0], first, count,
                                call->scratch);
    if (op->learnable.bias && first == 0)
        call->arrays->add_column_sums(call->rows * c->out_pixels, c->out_channels, c->out_channels,
                                      call->gradient_scale, call->output_cotangent, call->gradients[1]);
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_OUT("out_channels"),
                                      FFEBMI_FIELD_KERNEL,
                                      FFEBMI_FIELD_STRIDE("1", 1, 1),
                                      FFEBMI_FIELD_PADDING,
                                      FFEBMI_FIELD_BIAS,
                                      FFEBMI_FIELD_FROZEN,
                                      FFEBMI_FIELD_INITIALIZATION};
static const ffebmi_settings settings = FFEBMI_SETTINGS("conv2d", 0, list);

static double products(const ffebmi_op *op)
{
    return (double)op->parameters[0].shape.count * (double)op->output.count / (double)op->out;
}

const ffebmi_op_kind ffebmi_op_conv2d = {.type = FFEBM_OP_CONV2D,
                                         .name = "conv2d",
                                         .settings = &settings,
                                         .grain = 1,
                                         .reads_input = true,
                                         .fit = fit,
                                         .products = products,
                                         .lay_out = lay_out,
                                         .packed = packed,
                                         .scratch = scratch,
                                         .prepare = prepare,
                                         .prepare_vjp = prepare_vjp,
                                         .forward = forward,
                                         .gradient = gradient,
                                         .pullback = pullback};

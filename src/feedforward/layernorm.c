/* Layer normalisation of a whole sample (Ba, Kiros and Hinton 2016), with a weight and a bias for each element. Images
 * are stored h x w x c, their parameters c x h x w: they are turned once a call. */
#include "core/context.h"
#include "feedforward/fields.h"
#include "feedforward/op.h"

typedef struct memory {
    void *weight; /* in the order of the samples */
    void *bias;
    void *weight_gradient;
    void *bias_gradient;
} memory;

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    (void)context;
    (void)what;
    op->output = op->input;
    op->units = 1; /* rows are few and cheap: the sum over them is one piece of work */
    op->parameter_count = 2;
    op->parameters[0] = (ffebmi_parameter){.name = "weight", .role = FFEBMI_ONES, .shape = op->input};
    op->parameters[1] = (ffebmi_parameter){.name = "bias", .role = FFEBMI_ZEROS, .shape = op->input};
    return FFEBM_OK;
}

static void *lay_out(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena)
{
    memory *m = ffebmi_carve(arena, 1, sizeof *m);
    void *arrays[4];

    (void)rows;
    for (size_t i = 0; i < 4; i++)
        arrays[i] = ffebmi_carve(arena, op->input.count, arithmetic->arrays->element);
    if (m != NULL)
        *m = (memory){arrays[0], arrays[1], arrays[2], arrays[3]};
    return m;
}

static size_t channels_of(const ffebmi_op *op)
{
    return ffebmi_shape_is_image(&op->input) ? (size_t)op->input.dims[0] : 1;
}

static ffebm_status prepare(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    const memory *m = call->memory;
    size_t channels = channels_of(op), pixels = op->input.count / channels;

    (void)context;
    call->arrays->transpose(channels, pixels, call->parameters[0], m->weight);
    call->arrays->transpose(channels, pixels, call->parameters[1], m->bias);
    return FFEBM_OK;
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const memory *m = call->memory;
    size_t n = op->input.count;

    for (size_t r = first; r < first + count; r++)
        k->normalize_row(n, ffebmi_at(k, call->input, r * n), op->config.epsilon, m->weight, m->bias,
                         ffebmi_at(k, call->output, r * n));
}

static void gradient(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const memory *m = call->memory;
    size_t n = op->input.count, channels = channels_of(op);

    (void)first;
    (void)count;
    k->scale(n, 0, m->weight, m->weight_gradient);
    k->scale(n, 0, m->bias, m->bias_gradient);
    for (size_t r = 0; r < call->rows; r++)
        k->normalize_row_gradient(n, ffebmi_at(k, call->input, r * n), op->config.epsilon,
                                  ffebmi_at(k, call->output_cotangent, r * n), call->gradient_scale, m->weight_gradient,
                                  m->bias_gradient);
    k->add_transposed(n / channels, channels, m->weight_gradient, call->gradients[0]);
    k->add_transposed(n / channels, channels, m->bias_gradient, call->gradients[1]);
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const memory *m = call->memory;
    size_t n = op->input.count;

    for (size_t r = first; r < first + count; r++)
        k->normalize_row_vjp(n, ffebmi_at(k, call->input, r * n), op->config.epsilon, m->weight,
                             ffebmi_at(k, call->output_cotangent, r * n), ffebmi_at(k, call->input_cotangent, r * n));
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_EPSILON, FFEBMI_FIELD_FROZEN};
static const ffebmi_settings settings = FFEBMI_SETTINGS("layernorm", 0, list);

const ffebmi_op_kind ffebmi_op_layernorm = {.type = FFEBM_OP_LAYERNORM,
                                            .name = "layernorm",
                                            .settings = &settings,
                                            .grain = 1,
                                            .reads_input = true,
                                            .fit = fit,
                                            .lay_out = lay_out,
                                            .prepare = prepare,
                                            .forward = forward,
                                            .gradient = gradient,
                                            .pullback = pullback};

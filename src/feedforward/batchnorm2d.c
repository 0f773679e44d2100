/* Batch normalisation by channel (Ioffe and Szegedy 2015). In training the statistics are the batch's, over samples and
 * pixels and all ranks, with the biased variance; the running ones move when the call has succeeded, with the unbiased
 * variance. In evaluation the running ones are constants. */
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/parallel.h"
#include "core/ranks.h"
#include "feedforward/fields.h"
#include "feedforward/op.h"
#include "tensor/doubles.h"

enum { CHANNEL_GRAIN = 16 };

/* Everything by channel. */
typedef struct memory {
    double *mean;
    double *variance;
    double *rescale; /* 1 / sqrt(variance + epsilon) */
    double *sum;     /* of the output's cotangent */
    double *product; /* of the cotangent with the normalised input */
    double *whole;   /* [2 channels]: these two, over all ranks */
} memory;

static size_t channels_of(const ffebmi_op *op)
{
    return (size_t)op->input.dims[0];
}

static size_t pixels_of(const ffebmi_op *op)
{
    return op->input.count / channels_of(op);
}

/* What the batch's statistics are means over. */
static double count_of(const ffebmi_op *op, const ffebmi_op_call *call)
{
    return (double)(call->whole * pixels_of(op));
}

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    char text[FFEBMI_SHAPE_TEXT];
    ffebmi_shape channels;

    FFEBMI_CHECK(context, ffebmi_shape_is_image(&op->input), FFEBM_ERR_SHAPE,
                 "%s: input is %s, expected [channels, height, width]", what, ffebmi_shape_text(text, &op->input));
    channels = ffebmi_shape_vector(op->input.dims[0]);
    op->output = op->input;
    op->units = channels_of(op);
    op->parameter_count = op->buffer_count = 2;
    op->parameters[0] = (ffebmi_parameter){.name = "weight", .role = FFEBMI_ONES, .shape = channels};
    op->parameters[1] = (ffebmi_parameter){.name = "bias", .role = FFEBMI_ZEROS, .shape = channels};
    op->buffers[0] = (ffebmi_parameter){.name = "running_mean", .role = FFEBMI_ZEROS, .shape = channels};
    op->buffers[1] = (ffebmi_parameter){.name = "running_var", .role = FFEBMI_ONES, .shape = channels};
    return FFEBM_OK;
}

static void *lay_out(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena)
{
    memory *m = ffebmi_carve(arena, 1, sizeof *m);
    double *arrays[5], *whole;

    (void)arithmetic;
    (void)rows;
    for (size_t i = 0; i < 5; i++)
        arrays[i] = ffebmi_carve(arena, channels_of(op), sizeof *arrays[i]);
    whole = ffebmi_carve(arena, 2 * channels_of(op), sizeof *whole);
    if (m != NULL)
        *m = (memory){arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], whole};
    return m;
}

/* ----------------------------------------------------------------------------------------------- over the channels */

typedef struct job {
    const ffebmi_op *op;
    const ffebmi_op_call *call;
} job;

static void spread(ffebm_context *context, const ffebmi_op *op, const ffebmi_op_call *call, ffebmi_range_fn work)
{
    job j = {op, call};

    if (context != NULL)
        ffebmi_parallel_ranges(context, channels_of(op), CHANNEL_GRAIN, work, &j);
    else
        work(&j, 0, 0, channels_of(op));
}

static void batch_sums(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const memory *m = j->call->memory;

    (void)worker;
    j->call->arrays->column_sums(j->call->rows * pixels_of(j->op), channels_of(j->op), first, count, j->call->input,
                                 m->mean);
}

static void batch_squares(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const memory *m = j->call->memory;

    (void)worker;
    j->call->arrays->column_squares(j->call->rows * pixels_of(j->op), channels_of(j->op), first, count, j->call->input,
                                    m->mean, m->variance);
}

/* Of sums over this rank's batch, the mean over all. */
static ffebm_status take_mean(const ffebmi_op *op, const ffebmi_op_call *call, double *sums, ffebm_context *context)
{
    FFEBMI_TRY(ffebmi_ranks_sum(context, sums, channels_of(op), FFEBM_FLOAT64));
    for (size_t c = 0; c < channels_of(op); c++)
        sums[c] /= count_of(op, call);
    return FFEBM_OK;
}

static ffebmi_column_statistics statistics_of(const ffebmi_op *op, const ffebmi_op_call *call)
{
    const memory *m = call->memory;

    return (ffebmi_column_statistics){.mean = m->mean,
                                      .rescale = m->rescale,
                                      .sum = m->sum,
                                      .product = m->product,
                                      .count = call->training ? count_of(op, call) : 0};
}

static void batch_products(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const ffebmi_column_statistics statistics = statistics_of(j->op, j->call);

    (void)worker;
    j->call->arrays->column_products(j->call->rows * pixels_of(j->op), channels_of(j->op), first, count, j->call->input,
                                     j->call->output_cotangent, &statistics);
}

/* --------------------------------------------------------------------------------------------------------- the op */

static ffebm_status take_moments(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    const memory *m = call->memory;

    spread(context, op, call, batch_sums);
    FFEBMI_TRY(take_mean(op, call, m->mean, context));
    spread(context, op, call, batch_squares);
    return take_mean(op, call, m->variance, context);
}

static ffebm_status prepare(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    const memory *m = call->memory;

    if (call->training)
        FFEBMI_TRY(take_moments(op, call, context));
    for (size_t c = 0; c < channels_of(op); c++) {
        if (!call->training) {
            m->mean[c] = ffebmi_number_at(call->arrays->element, call->buffers[0], c);
            m->variance[c] = ffebmi_number_at(call->arrays->element, call->buffers[1], c);
        }
        m->rescale[c] = 1 / sqrt(m->variance[c] + op->config.epsilon);
    }
    return FFEBM_OK;
}

static void forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const ffebmi_column_statistics statistics = statistics_of(op, call);
    size_t at = first * op->input.count;

    k->normalize_columns(count * pixels_of(op), channels_of(op), ffebmi_at(k, call->input, at), &statistics,
                         call->parameters[0], call->parameters[1], ffebmi_at(k, call->output, at));
}

/* This rank's sums are its part of the gradient; those of all are what statistics hand back. */
static ffebm_status prepare_vjp(const ffebmi_op *op, const ffebmi_op_call *call, ffebm_context *context)
{
    const memory *m = call->memory;
    const size_t channels = channels_of(op);

    spread(context, op, call, batch_products);
    memcpy(m->whole, m->sum, channels * sizeof *m->whole);
    memcpy(m->whole + channels, m->product, channels * sizeof *m->whole);
    return call->training ? ffebmi_ranks_sum(context, m->whole, 2 * channels, FFEBM_FLOAT64) : FFEBM_OK;
}

static void gradient(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const memory *m = call->memory;

    (void)op;
    for (size_t c = first; c < first + count; c++) {
        ffebmi_put_number(k->element, call->gradients[0], c,
                          ffebmi_number_at(k->element, call->gradients[0], c) + call->gradient_scale * m->product[c]);
        ffebmi_put_number(k->element, call->gradients[1], c,
                          ffebmi_number_at(k->element, call->gradients[1], c) + call->gradient_scale * m->sum[c]);
    }
}

static void pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    const memory *m = call->memory;
    ffebmi_column_statistics statistics = statistics_of(op, call);
    size_t at = first * op->input.count;

    statistics.sum = m->whole;
    statistics.product = m->whole + channels_of(op);
    k->normalize_columns_vjp(count * pixels_of(op), channels_of(op), ffebmi_at(k, call->input, at),
                             ffebmi_at(k, call->output_cotangent, at), &statistics, call->parameters[0],
                             ffebmi_at(k, call->input_cotangent, at));
}

/* A running statistic of a channel, as the call finds it (evaluation) or would leave it (training). */
static double statistic(const ffebmi_op *op, const ffebmi_op_call *call, size_t buffer, size_t channel)
{
    const memory *m = call->memory;
    double count = count_of(op, call), unbiased = count > 1 ? count / (count - 1) : 1;
    double was = ffebmi_number_at(call->arrays->element, call->buffers[buffer], channel);
    double now = buffer == 0 ? m->mean[channel] : unbiased * m->variance[channel];

    return call->training ? was + op->config.momentum * (now - was) : was;
}

static size_t bad_buffer(const ffebmi_op *op, const ffebmi_op_call *call)
{
    for (size_t b = 0; b < 2; b++)
        for (size_t c = 0; c < channels_of(op); c++) {
            double value = statistic(op, call, b, c);

            if (call->arrays->element == sizeof(float))
                value = (double)(float)value;
            if (!isfinite(value) || (b == 1 && value < 0 && !call->training))
                return b;
        }
    return 2;
}

static void commit(const ffebmi_op *op, const ffebmi_op_call *call)
{
    for (size_t b = 0; b < 2; b++)
        for (size_t c = 0; c < channels_of(op); c++)
            ffebmi_put_number(call->arrays->element, call->buffers[b], c, statistic(op, call, b, c));
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_EPSILON, FFEBMI_FIELD_MOMENTUM, FFEBMI_FIELD_FROZEN};
static const ffebmi_settings settings = FFEBMI_SETTINGS("batchnorm2d", 0, list);

const ffebmi_op_kind ffebmi_op_batchnorm2d = {.type = FFEBM_OP_BATCHNORM2D,
                                              .name = "batchnorm2d",
                                              .settings = &settings,
                                              .couples = true,
                                              .grain = 4096,
                                              .reads_input = true,
                                              .fit = fit,
                                              .lay_out = lay_out,
                                              .prepare = prepare,
                                              .forward = forward,
                                              .prepare_vjp = prepare_vjp,
                                              .gradient = gradient,
                                              .pullback = pullback,
                                              .bad_buffer = bad_buffer,
                                              .commit = commit};

/* Max and average pooling. */
#include <inttypes.h>

#include "core/context.h"
#include "feedforward/fields.h"
#include "feedforward/op.h"

static ffebmi_windows windows_of(const ffebmi_op *op)
{
    return ffebmi_windows_of(&op->window, &op->input, &op->output);
}

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {0};

    FFEBMI_TRY(ffebmi_window_fit(context, &op->window, &op->input, false, what, dims + 1));
    dims[0] = op->input.dims[0];
    return ffebmi_shape_set(context, &op->output, dims, 3, what);
}

/* ------------------------------------------------------------------------------------------------------------- max */

static void *lay_out_switches(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows,
                              ffebmi_arena *arena)
{
    (void)arithmetic;
    return ffebmi_carve(arena, rows, op->output.count);
}

static void max_forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    ffebmi_windows w = windows_of(op);

    k->max_pool(&w, count, ffebmi_at(k, call->input, first * op->input.count),
                ffebmi_at(k, call->output, first * op->output.count),
                (uint8_t *)call->memory + first * op->output.count);
}

static void max_pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    ffebmi_windows w = windows_of(op);

    k->unpool(&w, count, ffebmi_at(k, call->output_cotangent, first * op->output.count),
              (const uint8_t *)call->memory + first * op->output.count,
              ffebmi_at(k, call->input_cotangent, first * op->input.count));
}

#define FFEBMI_CONFIG ffebm_op_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_KERNEL, FFEBMI_FIELD_STRIDE("0", 0, 0), FFEBMI_FIELD_PADDING};
static const ffebmi_settings max_settings = FFEBMI_SETTINGS("maxpool2d", 0, list);
static const ffebmi_settings average_settings = FFEBMI_SETTINGS("avgpool2d", 0, list);

const ffebmi_op_kind ffebmi_op_maxpool2d = {.type = FFEBM_OP_MAXPOOL2D,
                                            .name = "maxpool2d",
                                            .settings = &max_settings,
                                            .switches = true,
                                            .fit = fit,
                                            .lay_out = lay_out_switches,
                                            .forward = max_forward,
                                            .pullback = max_pullback};

/* --------------------------------------------------------------------------------------------------------- average */

static void average_forward(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    ffebmi_windows w = windows_of(op);

    k->average_pool(&w, count, ffebmi_at(k, call->input, first * op->input.count),
                    ffebmi_at(k, call->output, first * op->output.count));
}

static void average_pullback(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count)
{
    const ffebmi_arrays *k = call->arrays;
    ffebmi_windows w = windows_of(op);

    k->average_unpool(&w, count, w.channels, ffebmi_at(k, call->output_cotangent, first * op->output.count),
                      ffebmi_at(k, call->input_cotangent, first * op->input.count));
}

const ffebmi_op_kind ffebmi_op_avgpool2d = {.type = FFEBM_OP_AVGPOOL2D,
                                            .name = "avgpool2d",
                                            .settings = &average_settings,
                                            .fit = fit,
                                            .forward = average_forward,
                                            .pullback = average_pullback};

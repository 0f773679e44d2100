/* The computing calls over the whole chain: gradient, evaluate, forward, vjp. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/ranks.h"
#include "core/sized.h"
#include "gradient/compute.h"
#include "gradient/layout.h"
#include "gradient/rows.h"
#include "gradient/ticket.h"

/* ---------------------------------------------------------------------------------------------------------- inputs */

static ffebm_status check_batch(const ffebm_engine *engine, const ffebm_tensor *input, size_t *batch)
{
    *batch = 0;
    if (input == NULL && ffebmi_ranks_are_many(engine->context))
        return FFEBM_OK;
    return ffebmi_tensor_check_batch(engine->context, "input", input, engine->model->dtype, &engine->model->input,
                                     batch);
}

static ffebm_status check_max_batch(const ffebm_engine *engine, size_t batch)
{
    FFEBMI_CHECK(engine->context, batch <= engine->max_batch, FFEBM_ERR_SHAPE,
                 "input has %zu rows, more than the engine's max_batch %zu", batch, engine->max_batch);
    return FFEBM_OK;
}

ffebm_status ffebmi_compute_check(const ffebm_engine *engine, const ffebm_tensor *input, const ffebm_tensor *target,
                                  const ffebm_tensor *weights, size_t *batch, ffebmi_targets *targets)
{
    FFEBMI_TRY(check_batch(engine, input, batch));
    FFEBMI_TRY(check_max_batch(engine, *batch));
    *targets = (ffebmi_targets){.model = engine->model, .arrays = engine->arrays};
    if (*batch == 0)
        return FFEBM_OK;
    return ffebmi_targets_read(targets, engine->model, engine->arrays, target, weights, *batch, engine->smoothing);
}

ffebm_status ffebmi_compute_open(ffebm_engine *engine, size_t batch)
{
    double whole = (double)batch;

    FFEBMI_TRY(ffebmi_ranks_meet(engine->context, &whole, 1));
    FFEBMI_CHECK(engine->context, whole > 0, FFEBM_ERR_SHAPE, "engine: no rank has samples");
    engine->whole = (size_t)whole;
    return FFEBM_OK;
}

/* The rows of a batch from the first on; of no batch, nowhere. */
static const void *rows_of(const ffebm_engine *engine, const ffebm_tensor *input, size_t first)
{
    return input == NULL ? NULL : ffebmi_at(engine->arrays, input->data, first * engine->model->input.count);
}

static void take_input(ffebm_engine *engine, const void *data, size_t batch)
{
    ffebmi_layout_inward(engine->arrays, &engine->model->input, batch, data, engine->input);
}

/* ---------------------------------------------------------------------------------------------------------- report */

static void report_phases(const ffebm_engine *engine, ffebm_report *report)
{
    for (size_t i = 0; i < engine->model->stage_count; i++)
        for (size_t p = 0; p < 2; p++) {
            const ffebmi_tally *tally = &engine->stages[i].tallies[p];

            report->unconverged += tally->unconverged;
            report->nonfinite += tally->nonfinite;
            report->region_changes += tally->region_changes;
            if (tally->sweeps_max > report->sweeps)
                report->sweeps = tally->sweeps_max;
        }
}

static void report_outputs(const ffebm_engine *engine, const void *output, const ffebmi_targets *targets, size_t batch,
                           ffebm_report *report)
{
    for (size_t i = 0; i < batch; i++) {
        size_t rank;

        report->loss += engine->losses[i];
        if (targets->labels == NULL)
            continue;
        rank = ffebmi_targets_rank(targets, i, output);
        report->correct += rank < 1;
        report->correct_top5 += rank < 5;
    }
}

static void forget_tallies(ffebm_engine *engine)
{
    for (size_t i = 0; i < engine->model->stage_count; i++)
        memset(engine->stages[i].tallies, 0, sizeof engine->stages[i].tallies);
}

static ffebm_status give_report(const ffebm_engine *engine, ffebm_report *report, const ffebm_report *facts,
                                ffebm_status status)
{
    ffebm_status written = FFEBM_OK;

    if (report != NULL)
        written = ffebmi_sized_write(engine->context, "report", report, facts, sizeof *facts);
    return status != FFEBM_OK ? status : written;
}

/* A report that cannot be written is refused before anything is computed. */
static ffebm_status check_report(const ffebm_engine *engine, ffebm_report *report)
{
    static const ffebm_report nothing = {.size = sizeof nothing};

    return give_report(engine, report, &nothing, FFEBM_OK);
}

/* ---------------------------------------------------------------------------------------------------------- gradient */

ffebm_status ffebmi_compute_free(ffebm_engine *engine, const void *input, ffebmi_targets *targets, size_t batch,
                                 ffebm_report *facts, void *cotangent)
{
    const void *output;

    forget_tallies(engine);
    ffebmi_targets_store(targets, batch, engine->target_values);
    take_input(engine, input, batch);
    FFEBMI_TRY(ffebmi_chain_up(engine, batch, &output));
    ffebmi_targets_losses(targets, batch, output, 1, engine->losses, cotangent);
    report_outputs(engine, output, targets, batch, facts);
    FFEBMI_CHECK(engine->context, isfinite(facts->loss), FFEBM_ERR_NUMERIC, "the loss is NaN or infinite");
    return FFEBM_OK;
}

/* Nothing yet: all parts of it are added. */
static void clear_gradient(ffebm_engine *engine)
{
    size_t bytes = engine->model->element_count * engine->arrays->element;

    memset(engine->gradient.values, 0, bytes);
    if (engine->gradient.totals != NULL)
        memset(engine->gradient.totals, 0, bytes);
    engine->gradient.phases = true;
}

static ffebm_status check_gradient(const ffebm_engine *engine, double *norm)
{
    *norm = engine->arrays->norm(engine->model->element_count, engine->gradient.values);
    if (isfinite(*norm))
        return FFEBM_OK;
    for (size_t i = 0; i < engine->model->parameter_count; i++) {
        const ffebmi_model_parameter *p = &engine->model->parameters[i];

        FFEBMI_CHECK(engine->context,
                     engine->arrays->finite(p->parameter.shape.count,
                                            ffebmi_at(engine->arrays, engine->gradient.values, p->offset)),
                     FFEBM_ERR_NUMERIC, "NaN or infinity in the gradient of %s", p->name);
    }
    return ffebmi_fail(engine->context, FFEBM_ERR_NUMERIC, "the norm of the gradient is infinite");
}

ffebm_status ffebmi_compute_down(ffebm_engine *engine, const void *cotangent, const ffebmi_targets *targets,
                                 double gradient_scale, size_t bottom, const void **input_cotangent, double *norm)
{
    clear_gradient(engine);
    FFEBMI_TRY(ffebmi_chain_down(engine, cotangent, targets, gradient_scale, bottom, input_cotangent));
    FFEBMI_TRY(
        ffebmi_ranks_sum(engine->context, engine->gradient.values, engine->model->element_count, engine->model->dtype));
    if (engine->gradient.totals != NULL)
        FFEBMI_TRY(ffebmi_ranks_sum(engine->context, engine->gradient.totals, engine->model->element_count,
                                    engine->model->dtype));
    FFEBMI_TRY(check_gradient(engine, norm));
    engine->profiled = true;
    return FFEBM_OK;
}

bool ffebmi_compute_loss_nudged(const ffebm_engine *engine)
{
    const ffebm_equilibrium_config *last;

    if (engine->last_energy == FFEBM_NONE)
        return false;
    last = &engine->stages[engine->last_energy].equilibrium;
    return last->nudging == FFEBM_NUDGING_LOSS && last->estimator != FFEBM_ESTIMATOR_IMPLICIT;
}

/* The call ends, on all ranks. What is reported are sums over them; on failure, of this rank alone. */
static ffebm_status end_call(ffebm_engine *engine, ffebm_status status, ffebm_report *facts)
{
    double sums[] = {facts->loss,
                     (double)facts->correct,
                     (double)facts->correct_top5,
                     (double)facts->unconverged,
                     (double)facts->nonfinite,
                     (double)facts->region_changes};

    status = ffebmi_ranks_close(engine->context, status, sums, sizeof sums / sizeof sums[0]);
    if (status == FFEBM_OK) {
        facts->batch = engine->whole;
        facts->loss = sums[0];
        facts->correct = (size_t)sums[1];
        facts->correct_top5 = (size_t)sums[2];
        facts->unconverged = (size_t)sums[3];
        facts->nonfinite = (size_t)sums[4];
        facts->region_changes = (size_t)sums[5];
    }
    if (facts->batch > 0)
        facts->loss /= (double)facts->batch;
    return ffebmi_stream_end(&engine->stream, status);
}

/* cotangents[1] holds the one at the output, because the way down begins with writing into cotangents[0]. */
static ffebm_status gradient(ffebm_engine *engine, const void *input, ffebmi_targets *targets, size_t batch,
                             ffebm_report *facts)
{
    ffebm_status status;

    FFEBMI_TRY(ffebmi_compute_open(engine, batch));
    ffebmi_engine_begin_call(engine);
    facts->batch = batch;
    status = ffebmi_compute_free(engine, input, targets, batch, facts, engine->cotangents[1]);
    if (status == FFEBM_OK)
        status = ffebmi_compute_down(engine, engine->cotangents[1], ffebmi_compute_loss_nudged(engine) ? targets : NULL,
                                     1.0 / (double)engine->whole, 0, NULL, &facts->gradient_norm);
    report_phases(engine, facts);
    return status;
}

ffebm_status ffebm_engine_gradient(ffebm_engine *engine, ffebm_report *report, const ffebm_tensor *input,
                                   const ffebm_tensor *target, const ffebm_tensor *weights)
{
    ffebm_report facts = {0};
    ffebmi_targets targets;
    ffebm_status status;
    size_t batch;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    engine->gradient.valid = false;
    status = check_report(engine, report);
    if (status == FFEBM_OK)
        status = ffebmi_compute_check(engine, input, target, weights, &batch, &targets);
    if (status == FFEBM_OK)
        status = gradient(engine, rows_of(engine, input, 0), &targets, batch, &facts);
    status = end_call(engine, status, &facts);
    engine->gradient.valid = status == FFEBM_OK;
    if (status == FFEBM_OK)
        ffebmi_rows_commit(engine);
    return give_report(engine, report, &facts, status);
}

/* ---------------------------------------------------------------------------------------------------------- evaluate */

/* The output of the slice that was computed last, into rows `first` onwards. */
static void give_output(const ffebm_engine *engine, size_t rows, size_t first, ffebm_tensor *output)
{
    const ffebmi_shape *shape = ffebmi_model_output(engine->model);

    if (output != NULL)
        ffebmi_layout_outward(engine->arrays, shape, rows, engine->stages[engine->model->stage_count - 1].output,
                              ffebmi_at(engine->arrays, output->data, first * shape->count));
}

static ffebm_status check_output(const ffebm_engine *engine, const ffebm_tensor *output, size_t batch)
{
    return output == NULL ? FFEBM_OK
                          : ffebmi_tensor_check_rows(engine->context, "output", output, engine->model->dtype,
                                                     ffebmi_model_output(engine->model), batch);
}

static ffebm_status evaluate(ffebm_engine *engine, const ffebm_tensor *input, const ffebmi_targets *targets,
                             size_t batch, ffebm_report *facts, ffebm_tensor *output)
{
    const uint64_t whole_first = engine->stream.first_sample;
    ffebm_status status = FFEBM_OK;

    FFEBMI_TRY(ffebmi_compute_open(engine, batch));
    ffebmi_engine_begin_call(engine);
    facts->batch = batch;
    for (size_t first = 0; first < batch && status == FFEBM_OK; first += engine->max_batch) {
        size_t rows = batch - first < engine->max_batch ? batch - first : engine->max_batch;
        ffebmi_targets part = ffebmi_targets_from(targets, first);

        engine->stream.first_sample = whole_first + first;
        status = ffebmi_compute_free(engine, rows_of(engine, input, first), &part, rows, facts, NULL);
        report_phases(engine, facts);
        if (status == FFEBM_OK)
            give_output(engine, rows, first, output);
    }
    engine->stream.first_sample = whole_first;
    return status;
}

static ffebm_status check_evaluation(const ffebm_engine *engine, const ffebm_tensor *output, const ffebm_tensor *input,
                                     const ffebm_tensor *target, const ffebm_tensor *weights, size_t *batch,
                                     ffebmi_targets *targets)
{
    FFEBMI_TRY(check_batch(engine, input, batch));
    if (*batch == 0)
        return FFEBM_OK;
    FFEBMI_TRY(check_output(engine, output, *batch));
    return ffebmi_targets_read(targets, engine->model, engine->arrays, target, weights, *batch, 0);
}

ffebm_status ffebm_engine_evaluate(ffebm_engine *engine, ffebm_report *report, ffebm_tensor *output,
                                   const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights)
{
    ffebm_report facts = {0};
    ffebmi_targets targets;
    size_t batch;
    bool training;
    ffebm_status status;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    training = engine->training;
    engine->training = false;
    status = check_report(engine, report);
    if (status == FFEBM_OK)
        status = check_evaluation(engine, output, input, target, weights, &batch, &targets);
    if (status == FFEBM_OK)
        status = evaluate(engine, input, &targets, batch, &facts, output);
    engine->training = training;
    return give_report(engine, report, &facts, end_call(engine, status, &facts));
}

/* -------------------------------------------------------------------------------------------------- forward and vjp */

/* Once at least: a rank without samples, too, has a part in the statistics of the whole batch. */
static ffebm_status forward(ffebm_engine *engine, const ffebm_tensor *input, size_t batch, ffebm_tensor *output)
{
    const uint64_t whole_first = engine->stream.first_sample;
    ffebm_status status;
    const void *result;
    size_t first = 0;

    FFEBMI_TRY(ffebmi_compute_open(engine, batch));
    ffebmi_engine_begin_call(engine);
    do {
        size_t rows = batch - first < engine->max_batch ? batch - first : engine->max_batch;

        engine->stream.first_sample = whole_first + first;
        forget_tallies(engine);
        take_input(engine, rows_of(engine, input, first), rows);
        status = ffebmi_chain_up(engine, rows, &result);
        if (status == FFEBM_OK)
            give_output(engine, rows, first, output);
        first += rows;
    } while (first < batch && status == FFEBM_OK);
    engine->stream.first_sample = whole_first;
    return status;
}

static ffebm_status check_forward(const ffebm_engine *engine, const ffebm_tensor *output, const ffebm_tensor *input,
                                  bool whole, size_t *batch)
{
    FFEBMI_TRY(check_batch(engine, input, batch));
    if (whole)
        FFEBMI_TRY(check_max_batch(engine, *batch));
    return *batch == 0 ? FFEBM_OK : check_output(engine, output, *batch);
}

ffebm_status ffebm_engine_forward(ffebm_engine *engine, ffebm_tensor *output, uint64_t *ticket,
                                  const ffebm_tensor *input)
{
    ffebm_status status;
    size_t batch;

    if (ticket != NULL)
        *ticket = 0;
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    /* one tape; and slices would have statistics of their own */
    status = check_forward(engine, output, input, ticket != NULL || engine->training, &batch);
    if (status == FFEBM_OK)
        status = forward(engine, input, batch, output);
    status = ffebmi_ranks_close(engine->context, status, NULL, 0);
    FFEBMI_TRY(ffebmi_stream_end(&engine->stream, status));
    ffebmi_rows_commit(engine);
    if (ticket != NULL)
        *ticket = ffebmi_ticket_give(engine);
    return FFEBM_OK;
}

static ffebm_status check_vjp(const ffebm_engine *engine, ffebm_tensor *input_cotangent, uint64_t ticket,
                              const ffebm_tensor *output_cotangent, double scale)
{
    ffebm_context *context = engine->context;

    FFEBMI_CHECK_ARGUMENT(context, isfinite(scale) && scale >= 0, "vjp: scale %g, expected 0 or more", scale);
    FFEBMI_TRY(ffebmi_ticket_check(engine, ticket));
    if (engine->batch == 0)
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_tensor_check_rows(context, "output_cotangent", output_cotangent, engine->model->dtype,
                                        ffebmi_model_output(engine->model), engine->batch));
    FFEBMI_CHECK(context, engine->arrays->finite(output_cotangent->shape.count, output_cotangent->data),
                 FFEBM_ERR_NUMERIC, "NaN or infinity in output_cotangent");
    if (input_cotangent != NULL)
        FFEBMI_TRY(ffebmi_tensor_check_rows(context, "input_cotangent", input_cotangent, engine->model->dtype,
                                            &engine->model->input, engine->batch));
    return FFEBM_OK;
}

/* The cotangent of the output, `scale` times, as the engine stores it. */
static void take_cotangent(ffebm_engine *engine, const ffebm_tensor *output_cotangent, double scale)
{
    const ffebmi_arrays *k = engine->arrays;

    if (engine->batch == 0)
        return;
    ffebmi_layout_inward(k, ffebmi_model_output(engine->model), engine->batch, output_cotangent->data,
                         engine->cotangents[1]);
    k->scale(output_cotangent->shape.count, scale, engine->cotangents[1], engine->cotangents[1]);
}

/* Down the chain with `scale` times the cotangent, and out again divided by it. */
static ffebm_status vjp(ffebm_engine *engine, ffebm_tensor *input_cotangent, const ffebm_tensor *output_cotangent,
                        double scale)
{
    const ffebmi_arrays *k = engine->arrays;
    const void *below = NULL;
    double norm;

    ffebmi_engine_begin_call(engine);
    take_cotangent(engine, output_cotangent, scale);
    FFEBMI_TRY(ffebmi_compute_down(engine, engine->cotangents[1], NULL, 1 / scale, 0,
                                   input_cotangent != NULL ? &below : NULL, &norm));
    if (input_cotangent != NULL && engine->batch > 0) {
        ffebmi_layout_outward(k, &engine->model->input, engine->batch, below, input_cotangent->data);
        k->scale(input_cotangent->shape.count, 1 / scale, input_cotangent->data, input_cotangent->data);
    }
    return FFEBM_OK;
}

ffebm_status ffebm_engine_vjp(ffebm_engine *engine, ffebm_tensor *input_cotangent, uint64_t ticket,
                              const ffebm_tensor *output_cotangent, double scale)
{
    ffebm_status status;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->gradient.valid = false;
    status = check_vjp(engine, input_cotangent, ticket, output_cotangent, scale);
    if (status == FFEBM_OK)
        status = vjp(engine, input_cotangent, output_cotangent, scale > 0 ? scale : (double)engine->whole);
    status = ffebmi_ranks_close(engine->context, status, NULL, 0);
    engine->gradient.valid = status == FFEBM_OK;
    return ffebmi_stream_end(&engine->stream, status);
}

#include "gradient/targets.h"

#include <inttypes.h>

#include "core/context.h"
#include "gradient/layout.h"
#include "tensor/doubles.h"

/* ---------------------------------------------------------------------------------------------------------- reading */

static ffebm_status check_labels(const ffebm_model *model, const ffebm_tensor *target, size_t batch)
{
    const ffebmi_shape *output = ffebmi_model_output(model);
    const int64_t *labels = target->data;
    char text[FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK(model->context, output->rank == 1, FFEBM_ERR_SHAPE,
                 "target are labels, but the model's output is %s, expected [classes]",
                 ffebmi_shape_text(text, output));
    FFEBMI_CHECK(model->context, target->shape.rank == 1 && target->shape.count == batch, FFEBM_ERR_SHAPE,
                 "target is %s, expected [%zu] labels", ffebmi_shape_text(text, &target->shape), batch);
    for (size_t i = 0; i < batch; i++)
        FFEBMI_CHECK_ARGUMENT(model->context, labels[i] >= 0 && labels[i] < output->dims[0],
                              "target: label %" PRId64 " at %zu, expected 0 to %" PRId64, labels[i], i,
                              output->dims[0] - 1);
    return FFEBM_OK;
}

static ffebm_status read_target(ffebmi_targets *targets, const ffebm_tensor *target, size_t batch)
{
    const ffebm_model *model = targets->model;

    FFEBMI_CHECK(model->context, model->loss->type != FFEBM_LOSS_NONE, FFEBM_ERR_STATE,
                 "engine: the model has no loss; use ffebm_engine_forward and ffebm_engine_vjp");
    FFEBMI_CHECK_ARGUMENT(model->context, target != NULL, "target is NULL");
    if (target->dtype == FFEBM_INT64) {
        FFEBMI_TRY(check_labels(model, target, batch));
        targets->labels = target->data;
        return FFEBM_OK;
    }
    FFEBMI_TRY(
        ffebmi_tensor_check_rows(model->context, "target", target, model->dtype, ffebmi_model_output(model), batch));
    targets->values = target->data;
    return FFEBM_OK;
}

static ffebm_status read_weights(ffebmi_targets *targets, const ffebm_tensor *weights, size_t batch)
{
    ffebm_context *context = targets->model->context;
    int32_t dtype = targets->model->dtype;

    if (weights == NULL)
        return FFEBM_OK;
    FFEBMI_CHECK(context, weights->dtype == dtype, FFEBM_ERR_DTYPE, "weights are %s, expected %s",
                 ffebmi_dtype_name(weights->dtype), ffebmi_dtype_name(dtype));
    FFEBMI_CHECK(context, weights->shape.rank == 1 && weights->shape.count == batch, FFEBM_ERR_SHAPE,
                 "weights has %zu elements, expected [%zu]", weights->shape.count, batch);
    FFEBMI_CHECK(context, targets->arrays->finite(batch, weights->data), FFEBM_ERR_NUMERIC,
                 "NaN or infinity in weights");
    targets->weights = weights->data;
    return FFEBM_OK;
}

ffebm_status ffebmi_targets_read(ffebmi_targets *targets, const ffebm_model *model, const ffebmi_arrays *arrays,
                                 const ffebm_tensor *target, const ffebm_tensor *weights, size_t batch,
                                 double smoothing)
{
    *targets = (ffebmi_targets){.model = model, .arrays = arrays, .smoothing = smoothing};
    FFEBMI_TRY(read_target(targets, target, batch));
    return read_weights(targets, weights, batch);
}

ffebmi_targets ffebmi_targets_from(const ffebmi_targets *targets, size_t first)
{
    ffebmi_targets part = *targets;

    if (part.labels != NULL)
        part.labels += first;
    if (part.values != NULL)
        part.values = ffebmi_at(part.arrays, part.values, first * ffebmi_model_output(part.model)->count);
    if (part.weights != NULL)
        part.weights = ffebmi_at(part.arrays, part.weights, first);
    return part;
}

void ffebmi_targets_store(ffebmi_targets *targets, size_t batch, void *memory)
{
    if (targets->values == NULL || memory == NULL)
        return;
    ffebmi_layout_inward(targets->arrays, ffebmi_model_output(targets->model), batch, targets->values, memory);
    targets->values = memory;
}

/* ----------------------------------------------------------------------------------------------------------- losses */

static double weight_of(const ffebmi_targets *targets, size_t sample)
{
    if (targets->weights == NULL)
        return 1;
    return ffebmi_number_at(targets->arrays->element, targets->weights, sample);
}

double ffebmi_targets_loss(const ffebmi_targets *targets, size_t sample, const void *output, double factor,
                           void *cotangent)
{
    const ffebmi_loss_kind *kind = targets->model->loss;
    ffebmi_loss_fn loss = targets->model->dtype == FFEBM_FLOAT32 ? kind->f32 : kind->f64;
    size_t units = ffebmi_model_output(targets->model)->count;
    double weight = weight_of(targets, sample);
    ffebmi_target target = {.label = targets->labels == NULL ? -1 : targets->labels[sample],
                            .smoothing = targets->smoothing};

    if (targets->values != NULL)
        target.values = ffebmi_at(targets->arrays, targets->values, sample * units);
    return weight * loss(units, output, target, factor * weight, cotangent);
}

double ffebmi_targets_curvature(const ffebmi_targets *targets, size_t sample)
{
    return weight_of(targets, sample) * targets->model->loss->curvature;
}

void ffebmi_targets_losses(const ffebmi_targets *targets, size_t batch, const void *output, double factor,
                           double *losses, void *cotangent)
{
    const ffebmi_arrays *k = targets->arrays;
    size_t units = ffebmi_model_output(targets->model)->count;

    for (size_t i = 0; i < batch; i++)
        losses[i] = ffebmi_targets_loss(targets, i, ffebmi_at(k, output, i * units), factor,
                                        cotangent == NULL ? NULL : ffebmi_at(k, cotangent, i * units));
}

size_t ffebmi_targets_rank(const ffebmi_targets *targets, size_t sample, const void *output)
{
    size_t units = ffebmi_model_output(targets->model)->count;
    const void *row = ffebmi_at(targets->arrays, output, sample * units);

    return targets->model->dtype == FFEBM_FLOAT32 ? ffebmi_label_rank_f32(units, row, targets->labels[sample])
                                                  : ffebmi_label_rank_f64(units, row, targets->labels[sample]);
}

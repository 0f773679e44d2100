#include <string.h>

#include "augment.h"
#include "batch.h"

/* Memory for `capacity` rows, and a tensor over it whose number of rows can change: the last batch may be short. */
static ffebm_status create_rows(ffebm_context *context, ffebm_tensor **rows, ffebm_tensor **memory, int32_t dtype,
                                const int64_t *shape, size_t rank)
{
    ffebm_status status = ffebm_tensor_create(context, memory, dtype, shape, rank);

    if (status == FFEBM_OK)
        status = ffebm_tensor_wrap(context, rows, ffebm_tensor_data(*memory), dtype, shape, rank);
    return status;
}

ffebm_status batch_create(ffebm_context *context, struct batch *batch, const ffebm_model *model, size_t capacity)
{
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {(int64_t)capacity};
    ffebm_status status = ffebm_model_inspect(model, &info);
    size_t rank;

    *batch = (struct batch){.context = context, .capacity = capacity};
    if (status != FFEBM_OK)
        return status;
    for (rank = 1; rank < FFEBM_MAX_RANK && rank <= info.input_rank; rank++)
        shape[rank] = info.input_shape[rank - 1];

    status = create_rows(context, &batch->input, &batch->input_memory, info.dtype, shape, rank);
    if (status == FFEBM_OK)
        status = create_rows(context, &batch->target, &batch->target_memory, FFEBM_INT64, shape, 1);
    if (status == FFEBM_OK)
        status = ffebm_tensor_create(context, &batch->variant_memory, FFEBM_FLOAT32, shape + 1, rank - 1);
    return status;
}

/* Write one sample as a row of the input, in the model's type. */
static void store(struct batch *batch, size_t row, const float *sample, size_t count)
{
    void *memory = ffebm_tensor_data(batch->input_memory);

    if (ffebm_tensor_dtype(batch->input_memory) == FFEBM_FLOAT32) {
        memcpy((float *)memory + row * count, sample, count * sizeof *sample);
    } else {
        for (size_t i = 0; i < count; i++)
            ((double *)memory)[row * count + i] = sample[i];
    }
}

int batch_read(struct batch *batch, const struct batch_plan *plan, size_t first, struct failure *failure)
{
    const size_t size = plan->data->sample_size, left = plan->part->count - first;
    float *variant = ffebm_tensor_data(batch->variant_memory);
    int64_t *labels = ffebm_tensor_data(batch->target_memory);

    (void)failure;
    batch->rows = left < batch->capacity ? left : batch->capacity;
    for (size_t row = 0; row < batch->rows; row++) {
        size_t sample = plan->order != NULL ? plan->order[first + row] : first + row;

        augment(variant, plan->part->inputs + sample * size, plan->data, plan->augment, plan->stream, first + row);
        store(batch, row, variant, size);
        labels[row] = plan->part->labels[sample];
    }
    return 0;
}

int batch_wrap(struct batch *batch, struct failure *failure)
{
    ffebm_status status =
        ffebm_tensor_rewrap(batch->input, ffebm_tensor_data(batch->input_memory), (int64_t)batch->rows);

    if (status == FFEBM_OK)
        status = ffebm_tensor_rewrap(batch->target, ffebm_tensor_data(batch->target_memory), (int64_t)batch->rows);
    return status == FFEBM_OK ? 0 : failure_set(failure, "%s", ffebm_context_error(batch->context));
}

int batch_fill(struct batch *batch, const struct batch_plan *plan, size_t first, struct failure *failure)
{
    return batch_read(batch, plan, first, failure) != 0 ? -1 : batch_wrap(batch, failure);
}

void batch_destroy(struct batch *batch)
{
    ffebm_tensor_destroy(batch->input);
    ffebm_tensor_destroy(batch->target);
    ffebm_tensor_destroy(batch->input_memory);
    ffebm_tensor_destroy(batch->target_memory);
    ffebm_tensor_destroy(batch->variant_memory);
    *batch = (struct batch){0};
}

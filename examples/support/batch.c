#include "batch.h"
#include "augment.h"

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
    return status;
}

/* Write one sample as a row of the input, normalised, in the model's type. */
static void store(struct batch *batch, size_t row, const unsigned char *pixels, const struct dataset *data)
{
    const size_t plane = data->height * data->width, first = row * data->sample_size;
    void *memory = ffebm_tensor_data(batch->input_memory);
    const int is_float = ffebm_tensor_dtype(batch->input_memory) == FFEBM_FLOAT32;

    for (size_t channel = 0; channel < data->channels; channel++) {
        const float *levels = data->levels[channel];

        for (size_t i = channel * plane; i < (channel + 1) * plane; i++) {
            if (is_float)
                ((float *)memory)[first + i] = levels[pixels[i]];
            else
                ((double *)memory)[first + i] = (double)levels[pixels[i]];
        }
    }
}

int batch_read(struct batch *batch, const struct batch_plan *plan, size_t first, size_t rows, struct failure *failure)
{
    int64_t *labels = ffebm_tensor_data(batch->target_memory);
    unsigned char image[DATASET_MOST_PIXELS], variant[DATASET_MOST_PIXELS];

    batch->rows = rows;
    for (size_t row = 0; row < batch->rows; row++) {
        size_t sample = plan->order != NULL ? plan->order[first + row] : first + row;

        if (dataset_read(plan->data, plan->part, sample, image, failure) != 0)
            return -1;
        augment(variant, image, plan->data, plan->augment, plan->stream, first + row);
        store(batch, row, variant, plan->data);
        labels[row] = plan->part->labels[sample];
    }
    return 0;
}

int batch_wrap(struct batch *batch, struct failure *failure)
{
    ffebm_status status;

    if (batch->rows == 0)
        return 0;
    status = ffebm_tensor_rewrap(batch->input, ffebm_tensor_data(batch->input_memory), (int64_t)batch->rows);
    if (status == FFEBM_OK)
        status = ffebm_tensor_rewrap(batch->target, ffebm_tensor_data(batch->target_memory), (int64_t)batch->rows);
    return status == FFEBM_OK ? 0 : failure_set(failure, "%s", ffebm_context_error(batch->context));
}

int batch_fill(struct batch *batch, const struct batch_plan *plan, size_t first, struct failure *failure)
{
    const size_t left = plan->part->count - first;

    if (batch_read(batch, plan, first, left < batch->capacity ? left : batch->capacity, failure) != 0)
        return -1;
    return batch_wrap(batch, failure);
}

const ffebm_tensor *batch_input(const struct batch *batch)
{
    return batch->rows > 0 ? batch->input : NULL;
}

void batch_destroy(struct batch *batch)
{
    ffebm_tensor_destroy(batch->input);
    ffebm_tensor_destroy(batch->target);
    ffebm_tensor_destroy(batch->input_memory);
    ffebm_tensor_destroy(batch->target_memory);
    *batch = (struct batch){0};
}

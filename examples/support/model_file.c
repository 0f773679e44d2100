#include "model_file.h"

#include <stdlib.h>
#include <string.h>

#include "text_file.h"

int model_file_is_checkpoint(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t length = strlen(path);

    return length >= sizeof ending - 1 && strcmp(path + length - (sizeof ending - 1), ending) == 0;
}

static ffebm_status parse(ffebm_context *context, ffebm_model **model, const char *text, size_t length, int32_t dtype)
{
    ffebm_parse_config config;

    ffebm_parse_config_init(&config, sizeof config);
    config.dtype = dtype;
    return ffebm_model_parse(context, model, text, length, &config);
}

/* In two steps, because ffebm_checkpoint_load would keep the file's type. */
static ffebm_status load(ffebm_context *context, ffebm_model **model, const char *path, int32_t dtype,
                         struct failure *failure)
{
    size_t length = 0;
    ffebm_status status = ffebm_checkpoint_metadata(context, NULL, 0, &length, path, "model");
    char *text;

    if (status != FFEBM_OK)
        return status;
    text = malloc(length + 1);
    if (text == NULL) {
        failure_set(failure, "%s: out of memory", path);
        return FFEBM_ERR_NOMEM;
    }
    if ((status = ffebm_checkpoint_metadata(context, text, length + 1, &length, path, "model")) == FFEBM_OK &&
        (status = parse(context, model, text, length, dtype)) == FFEBM_OK &&
        (status = ffebm_checkpoint_restore(*model, NULL, path)) != FFEBM_OK) {
        ffebm_model_destroy(*model);
        *model = NULL;
    }
    free(text);
    return status;
}

ffebm_status model_file_read(ffebm_context *context, ffebm_model **model, const char *path, int32_t dtype,
                             struct failure *failure)
{
    char *text = NULL;
    size_t length = 0;
    ffebm_status status;

    *model = NULL;
    if (model_file_is_checkpoint(path))
        return load(context, model, path, dtype, failure);
    if (text_file_read(path, &text, &length, failure) != 0)
        return FFEBM_ERR_IO;
    status = parse(context, model, text, length, dtype);
    if (status != FFEBM_OK)
        failure_set(failure, "%s: %s", path, ffebm_context_error(context));
    free(text);
    return status;
}

ffebm_status random_batch_create(struct random_batch *batch, ffebm_context *context, ffebm_model *model, int64_t rows)
{
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {rows};
    ffebm_status status = ffebm_model_inspect(model, &info);

    *batch = (struct random_batch){NULL, NULL};
    if (status != FFEBM_OK)
        return status;
    memcpy(shape + 1, info.input_shape, info.input_rank * sizeof *shape);
    status = ffebm_tensor_create(context, &batch->images, info.dtype, shape, info.input_rank + 1);
    return status != FFEBM_OK ? status : ffebm_tensor_create(context, &batch->labels, FFEBM_INT64, shape, 1);
}

void random_batch_destroy(struct random_batch *batch)
{
    ffebm_tensor_destroy(batch->images);
    ffebm_tensor_destroy(batch->labels);
}

static void write_number(ffebm_tensor *tensor, size_t i, double number)
{
    if (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT64)
        ((double *)ffebm_tensor_data(tensor))[i] = number;
    else
        ((float *)ffebm_tensor_data(tensor))[i] = (float)number;
}

ffebm_status random_batch_draw(const struct random_batch *batch, ffebm_model *model, uint64_t seed)
{
    const uint64_t pixels = 0x636572746966 + 2 * seed, classes = pixels + 1;
    ffebm_model_info info = {.size = sizeof info};
    ffebm_status status = ffebm_model_inspect(model, &info);
    int64_t *labels = ffebm_tensor_data(batch->labels);

    if (status != FFEBM_OK)
        return status;
    for (size_t i = 0; i < ffebm_tensor_count(batch->images); i++)
        write_number(batch->images, i, ffebm_random_normal(pixels, i));
    for (size_t i = 0; i < ffebm_tensor_count(batch->labels); i++)
        labels[i] = (int64_t)(ffebm_random_uniform(classes, i) * (double)info.output_shape[0]);
    return FFEBM_OK;
}

/* model_file.h - a model from its description or from a checkpoint, and random batches for it. */
#ifndef EXAMPLES_MODEL_FILE_H
#define EXAMPLES_MODEL_FILE_H

#include <ffebm.h>

#include "failure.h"

/* Is the path that of a checkpoint, by its ending .safetensors? */
int model_file_is_checkpoint(const char *path);

/* Read a model: from a checkpoint with its values, else from a JSON description, without. dtype 0: the description's. On
 * failure *model is NULL, and the failure is filled if the context's error text does not tell. */
ffebm_status model_file_read(ffebm_context *context, ffebm_model **model, const char *path, int32_t dtype,
                             struct failure *failure);

/* A batch of random pixels and labels for a model. */
struct random_batch {
    ffebm_tensor *images;
    ffebm_tensor *labels;
};

ffebm_status random_batch_create(struct random_batch *batch, ffebm_context *context, ffebm_model *model, int64_t rows);
void random_batch_destroy(struct random_batch *batch);

/* Draw normally distributed pixels and uniform labels. The streams are apart from those of a model's first values. */
ffebm_status random_batch_draw(const struct random_batch *batch, ffebm_model *model, uint64_t seed);

#endif

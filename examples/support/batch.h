/* batch.h - the two tensors that carry one batch from a data set to the library. */
#ifndef EXAMPLES_BATCH_H
#define EXAMPLES_BATCH_H

#include <ffebm.h>

#include "dataset.h"

/* Which samples, in which guise. */
struct batch_plan {
    const struct dataset *data;
    const struct dataset_part *part;
    const size_t *order; /* sample numbers; NULL: as they come */
    int32_t augment;     /* FFEBM_AUGMENT_ */
    uint64_t stream;     /* of the augmentation */
};

struct batch {
    ffebm_context *context;
    ffebm_tensor *input;  /* [rows, in...] of the model's type: give it to the engine */
    ffebm_tensor *target; /* [rows], labels */
    ffebm_tensor *input_memory;
    ffebm_tensor *target_memory;
    size_t capacity; /* the most rows */
    size_t rows;     /* filled now; none, on a rank without samples */
    size_t first;    /* their place in the batch of all ranks */
};

/* Create tensors for up to `capacity` samples of the model's input shape and type. On failure the context has the text;
 * destroy the batch in both cases. */
ffebm_status batch_create(ffebm_context *context, struct batch *batch, const ffebm_model *model, size_t capacity);

/* Fill the tensors with the samples of the plan from its place `first` on: as many as there are, up to the capacity.
 * Returns 0, or -1 with the failure filled. */
int batch_fill(struct batch *batch, const struct batch_plan *plan, size_t first, struct failure *failure);

/* The two halves of batch_fill: read so many samples, which any thread may do because it leaves the context alone; then let
 * the two tensors have as many rows as were read. */
int batch_read(struct batch *batch, const struct batch_plan *plan, size_t first, size_t rows, struct failure *failure);
int batch_wrap(struct batch *batch, struct failure *failure);

/* For the engine: the input, or NULL where there are no rows. */
const ffebm_tensor *batch_input(const struct batch *batch);

void batch_destroy(struct batch *batch);

#endif

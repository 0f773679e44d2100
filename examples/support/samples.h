/* samples.h - a batch to look at a model with: random numbers, or test samples of a data set. */
#ifndef EXAMPLES_SAMPLES_H
#define EXAMPLES_SAMPLES_H

#include <ffebm.h>

#include "batch.h"
#include "model_file.h"

struct samples {
    const ffebm_tensor *input; /* of the last draw: give these two to the engine */
    const ffebm_tensor *target;
    struct random_batch random;
    struct dataset data; /* these three where there is a data set */
    struct batch batch;
    size_t *order;
};

/* Make room for so many samples; of the data set `name`, from the files in `directory` (NULL: where they are looked for), or
 * with the name NULL of random numbers. Returns 0, or -1 with the failure filled; destroy it in both cases. */
int samples_create(struct samples *samples, ffebm_context *context, ffebm_model *model, int64_t count, const char *name,
                   const char *directory, struct failure *failure);
void samples_destroy(struct samples *samples);

/* Draw: normally distributed pixels and uniform labels, or test samples. Returns 0, or -1 with the failure filled. */
int samples_draw(struct samples *samples, ffebm_context *context, ffebm_model *model, uint64_t seed,
                 struct failure *failure);

#endif

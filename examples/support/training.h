/* training.h - train a model that a program has built itself on the handwritten digits: what the examples with blocks of
 * their own have in common.
 */
#ifndef EXAMPLES_TRAINING_H
#define EXAMPLES_TRAINING_H

#include <ffebm.h>

#include "batch.h"
#include "dataset.h"
#include "failure.h"

struct training {
    ffebm_context *context; /* these two are the program's to create, before training_begin */
    ffebm_model *model;
    ffebm_engine *engine; /* the program may configure these, after it */
    ffebm_optimizer *optimizer;
    struct dataset data;
    struct batch batch;
    size_t *order;
    struct failure failure; /* filled by whoever returns anything but 0 */
    double loss;            /* of the last epoch, */
    double accuracy;        /* and on the test samples after it */
    size_t region_changes;  /* in it */
    int64_t retries;        /* that blocks of the program's have asked for */
    int64_t repeated;       /* calls made again because such a block failed */
};

/* Load the digits (mixed split) from examples/data and create engine, optimizer (Adam) and batch for steps of up to
 * `batch` samples. Returns 0, or -1 with the failure filled; end it with training_end in both cases. */
int training_begin(struct training *training, size_t batch);

/* Train for some epochs, the learning rate falling from `lr` to a hundredth along a cosine, and test after each; one line
 * an epoch on stderr. What fails with FFEBM_ERR_USER has changed nothing and is tried again, up to three times. Returns as
 * above. */
int training_run(struct training *training, int64_t epochs, double lr, uint64_t seed);

/* Destroy all that the struct holds, the program's two objects included. */
void training_end(struct training *training);

/* Add a stage that is one linear map. On failure the context has the text. */
ffebm_status training_add_linear(ffebm_context *context, ffebm_model *model, int64_t out);

/* Turn a status into 0, or -1 with the context's text as the failure. */
int training_check(struct training *training, ffebm_status status);

#endif

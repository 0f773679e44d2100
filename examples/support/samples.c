#include "samples.h"

#include <stdlib.h>

#include "fit.h"
#include "shuffle.h"

static int open_data(struct samples *s, ffebm_context *context, ffebm_model *model, int64_t count, const char *name,
                     const char *directory, struct failure *failure)
{
    const struct dataset_source *source = dataset_find(name, failure);

    if (source == NULL || dataset_open(&s->data, source, directory, DATASET_SPLIT_DEFAULT, failure) != 0 ||
        fit_check(model, &s->data, name, failure) != 0)
        return -1;
    s->order = malloc(s->data.test.count * sizeof *s->order);
    if (s->order == NULL)
        return failure_set(failure, "out of memory for the order of %zu samples", s->data.test.count);
    if (batch_create(context, &s->batch, model, (size_t)count) != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    return 0;
}

int samples_create(struct samples *samples, ffebm_context *context, ffebm_model *model, int64_t count, const char *name,
                   const char *directory, struct failure *failure)
{
    *samples = (struct samples){.input = NULL};
    if (name != NULL)
        return open_data(samples, context, model, count, name, directory, failure);
    if (random_batch_create(&samples->random, context, model, count) != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    samples->input = samples->random.images;
    samples->target = samples->random.labels;
    return 0;
}

void samples_destroy(struct samples *samples)
{
    random_batch_destroy(&samples->random);
    batch_destroy(&samples->batch);
    dataset_free(&samples->data);
    free(samples->order);
}

int samples_draw(struct samples *samples, ffebm_context *context, ffebm_model *model, uint64_t seed,
                 struct failure *failure)
{
    const struct batch_plan plan = {
        .data = &samples->data, .part = &samples->data.test, .order = samples->order, .augment = FFEBM_AUGMENT_NONE};

    if (samples->order == NULL)
        return random_batch_draw(&samples->random, model, seed) == FFEBM_OK
                   ? 0
                   : failure_set(failure, "%s", ffebm_context_error(context));
    shuffle(samples->order, samples->data.test.count, stream_seed(seed, STREAM_SHUFFLE, 0));
    if (batch_fill(&samples->batch, &plan, 0, failure) != 0)
        return -1;
    samples->input = samples->batch.input;
    samples->target = samples->batch.target;
    return 0;
}

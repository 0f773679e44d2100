#include "loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "shuffle.h"

enum { SLOTS = 2 }; /* one batch with the caller, one being filled */

struct loader {
    struct loader_plan plan;
    struct batch_plan samples; /* of the current epoch */
    struct batch batches[SLOTS];
    size_t *order;
    double waited;
    pthread_t worker;
    int32_t working; /* the thread exists */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    size_t filled; /* batches, in this call of loader_start */
    size_t taken;  /* of them by the caller */
    size_t freed;  /* of those given back */
    size_t place;  /* in the epoch of the next sample to be loaded */
    int32_t filling;
    int32_t quit;
    int32_t failed;
    struct failure failure;
};

static const struct ranks alone = {.count = 1};

static const struct ranks *ranks_of(const struct loader *loader)
{
    return loader->plan.ranks == NULL ? &alone : loader->plan.ranks;
}

static int has_work(const struct loader *loader)
{
    return !loader->failed && loader->place < loader->plan.part->count && loader->filled - loader->freed < SLOTS;
}

/* This rank's part of the step that begins at a place of the epoch. */
static int read_part(struct loader *loader, struct batch *batch, size_t place, size_t samples)
{
    const size_t first = ranks_part_begin(ranks_of(loader), samples), end = ranks_part_end(ranks_of(loader), samples);

    batch->first = first;
    return batch_read(batch, &loader->samples, place + first, end - first, &loader->failure);
}

/* Fill the next batch, the mutex unlocked meanwhile: nobody else touches this batch or the failure until `filling` ends. */
static void fill(struct loader *loader)
{
    struct batch *batch = &loader->batches[loader->filled % SLOTS];
    const size_t place = loader->place, left = loader->plan.part->count - place;
    const size_t samples = left < loader->plan.batch ? left : loader->plan.batch;
    int result;

    loader->filling = 1;
    pthread_mutex_unlock(&loader->mutex);
    result = read_part(loader, batch, place, samples);
    pthread_mutex_lock(&loader->mutex);
    loader->filling = 0;
    loader->place = place + samples;
    loader->failed = result != 0;
    loader->filled += result == 0;
}

static void *work(void *argument)
{
    struct loader *loader = argument;

    pthread_mutex_lock(&loader->mutex);
    while (!loader->quit) {
        if (has_work(loader)) {
            fill(loader);
            pthread_cond_broadcast(&loader->changed);
        } else {
            pthread_cond_wait(&loader->changed, &loader->mutex);
        }
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* Signals are for the program's own threads: the worker takes none. */
static int start_worker(struct loader *loader)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&loader->worker, NULL, work, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loader->working = error == 0;
    return error;
}

static int set_up(struct loader *loader, ffebm_context *context, const ffebm_model *model, struct failure *failure)
{
    int error;

    for (int i = 0; i < SLOTS; i++) {
        if (batch_create(context, &loader->batches[i], model, ranks_part_most(ranks_of(loader), loader->plan.batch)) !=
            FFEBM_OK)
            return failure_set(failure, "%s", ffebm_context_error(context));
    }
    if (loader->plan.shuffled && (loader->order = malloc(loader->plan.part->count * sizeof *loader->order)) == NULL)
        return failure_set(failure, "out of memory for the order of %zu samples", loader->plan.part->count);
    if ((error = start_worker(loader)) != 0)
        return failure_set(failure, "no thread for loading: %s", strerror(error));
    return 0;
}

int loader_create(struct loader **loader, ffebm_context *context, const ffebm_model *model,
                  const struct loader_plan *plan, struct failure *failure)
{
    *loader = calloc(1, sizeof **loader);
    if (*loader == NULL)
        return failure_set(failure, "out of memory for a loader");
    (*loader)->plan = *plan;
    (*loader)->place = plan->part->count; /* nothing to do before loader_start */
    pthread_mutex_init(&(*loader)->mutex, NULL);
    pthread_cond_init(&(*loader)->changed, NULL);
    if (set_up(*loader, context, model, failure) == 0)
        return 0;
    loader_destroy(*loader);
    *loader = NULL;
    return -1;
}

void loader_start(struct loader *loader, uint64_t epoch, size_t first_step)
{
    const struct loader_plan *plan = &loader->plan;
    const double started = progress_clock();

    pthread_mutex_lock(&loader->mutex);
    while (loader->filling)
        pthread_cond_wait(&loader->changed, &loader->mutex);
    if (plan->shuffled)
        shuffle(loader->order, plan->part->count, stream_seed(plan->seed, STREAM_SHUFFLE, epoch));
    loader->samples = (struct batch_plan){.data = plan->data,
                                          .part = plan->part,
                                          .order = loader->order,
                                          .augment = plan->augment,
                                          .stream = stream_seed(plan->seed, STREAM_AUGMENT, epoch)};
    loader->filled = loader->taken = loader->freed = 0;
    loader->failed = 0;
    loader->place = first_step < loader_steps(loader) ? first_step * plan->batch : plan->part->count;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
    loader->waited += progress_clock() - started;
}

/* Wait until there is a batch to take (1), or the epoch is over (0) or has failed (-1). */
static int wait_for_batch(struct loader *loader)
{
    while (loader->filled == loader->taken && (loader->filling || has_work(loader)))
        pthread_cond_wait(&loader->changed, &loader->mutex);
    if (loader->filled > loader->taken)
        return 1;
    return loader->failed ? -1 : 0;
}

int loader_next(struct loader *loader, const struct batch **batch, struct failure *failure)
{
    const double started = progress_clock();
    struct batch *taken = NULL;
    int result;

    pthread_mutex_lock(&loader->mutex);
    loader->freed = loader->taken;
    pthread_cond_broadcast(&loader->changed);
    result = wait_for_batch(loader);
    if (result == 1)
        taken = &loader->batches[loader->taken++ % SLOTS];
    else if (result < 0)
        *failure = loader->failure;
    pthread_mutex_unlock(&loader->mutex);

    if (result == 1 && batch_wrap(taken, failure) != 0)
        result = -1;
    *batch = taken;
    loader->waited += progress_clock() - started;
    return result;
}

size_t loader_steps(const struct loader *loader)
{
    return (loader->plan.part->count + loader->plan.batch - 1) / loader->plan.batch;
}

double loader_waited_seconds(const struct loader *loader)
{
    return loader->waited;
}

void loader_destroy(struct loader *loader)
{
    if (loader == NULL)
        return;
    pthread_mutex_lock(&loader->mutex);
    loader->quit = 1;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
    if (loader->working)
        pthread_join(loader->worker, NULL);
    for (int i = 0; i < SLOTS; i++)
        batch_destroy(&loader->batches[i]);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->mutex);
    free(loader->order);
    free(loader);
}

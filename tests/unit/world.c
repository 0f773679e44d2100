#include "world.h"

#include <stdlib.h>
#include <string.h>

static double number(const void *values, int32_t dtype, size_t i)
{
    return dtype == FFEBM_FLOAT32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

/* Every rank adds up by itself, in the same order, what all have brought. */
static void add_up(const world *w, void *sums, size_t count, int32_t dtype)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;

        for (size_t r = 0; r < w->count; r++)
            sum += number(w->values[r], dtype, i);
        if (dtype == FFEBM_FLOAT32)
            ((float *)sums)[i] = (float)sum;
        else
            ((double *)sums)[i] = sum;
    }
}

static int32_t reduce(void *user, void *values, size_t count, int32_t dtype)
{
    rank *r = user;
    world *w = r->world;
    size_t bytes = count * (dtype == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double));
    void *sums = malloc(bytes);

    ck_assert(pthread_equal(pthread_self(), r->thread));
    ck_assert_ptr_nonnull(sums);
    w->values[r->number] = values;
    w->counts[r->number] = count;
    w->dtypes[r->number] = dtype;
    world_wait(r);
    for (size_t i = 0; i < w->count; i++) {
        ck_assert_uint_eq(w->counts[i], count);
        ck_assert_int_eq(w->dtypes[i], dtype);
    }
    add_up(w, sums, count, dtype);
    world_wait(r);
    memcpy(values, sums, bytes);
    free(sums);
    return ++r->reductions == w->failing ? 7 : 0;
}

ffebm_context_config rank_config(rank *r, int32_t threads)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = threads;
    config.reduce = reduce;
    config.reduce_user = r;
    return config;
}

void world_wait(rank *r)
{
    pthread_barrier_wait(&r->world->barrier);
}

typedef struct task {
    rank rank;
    void (*work)(rank *);
} task;

static void *start(void *argument)
{
    task *t = argument;

    t->rank.thread = pthread_self();
    t->work(&t->rank);
    return NULL;
}

void world_run(const size_t *rows, size_t count, size_t failing, void (*work)(rank *), void *user)
{
    world w = {.count = count, .failing = failing};
    task tasks[RANKS];
    pthread_t threads[RANKS];
    size_t first = 0;

    ck_assert_int_eq(pthread_barrier_init(&w.barrier, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        tasks[i] = (task){{.world = &w, .number = i, .rows = rows[i], .first = first, .user = user}, work};
        first += rows[i];
        ck_assert_int_eq(pthread_create(&threads[i], NULL, start, &tasks[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&w.barrier);
}

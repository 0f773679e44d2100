/* Ranks in one process: threads with a context each, which add up in the order of the ranks. */
#ifndef FFEBM_TESTS_WORLD_H
#define FFEBM_TESTS_WORLD_H

#include <pthread.h>

#include "fixture.h"

enum { RANKS = 4 };

typedef struct world {
    size_t count;
    size_t failing; /* this call of reduce fails on all ranks, from 1; 0: none */
    pthread_barrier_t barrier;
    const void *values[RANKS]; /* of the present call */
    size_t counts[RANKS];
    int32_t dtypes[RANKS];
} world;

typedef struct rank {
    world *world;
    size_t number;
    size_t reductions;
    size_t rows; /* its part of the batch, */
    size_t first;
    void *user; /* of the test, which all ranks share */
    ffebm_context *context;
    pthread_t thread;
} rank;

/* A context configuration of a rank; the world must be there for as long as the context. */
ffebm_context_config rank_config(rank *r, int32_t threads);

/* Call `work` for ranks that have so many rows each, at the same time. */
void world_run(const size_t *rows, size_t count, size_t failing, void (*work)(rank *), void *user);

/* The last one that has rows has come here, and all others with it. */
void world_wait(rank *r);

#endif

/* What sequences of calls work on, and the bytes that say which calls. */
#ifndef FFEBM_TESTS_API_WORLD_H
#define FFEBM_TESTS_API_WORLD_H

#include <ffebm.h>
#include <stdbool.h>

enum { API_OBJECTS = 3, API_TENSORS = 6, API_STATUSES = 15 };

typedef struct world {
    const uint8_t *bytes; /* of the input, */
    size_t size;
    size_t at; /* and how many are used */
    ffebm_context *contexts[2];
    ffebm_model *models[API_OBJECTS];
    ffebm_engine *engines[API_OBJECTS];
    uint64_t tickets[API_OBJECTS]; /* of their last forwards */
    ffebm_optimizer *optimizers[API_OBJECTS];
    ffebm_feedforward *feedforwards[API_OBJECTS];
    ffebm_energy *energies[API_OBJECTS];
    ffebm_tensor *tensors[API_TENSORS];
    bool no_contexts; /* they are destroyed; what was made from them goes on */
    char path[64];    /* of a checkpoint */
} world;

/* The next byte; 0 at the end. */
unsigned next(world *w);
unsigned next_below(world *w, unsigned below);
bool next_is(world *w, unsigned one_in);

/* Numbers, some of them as bad as there are. */
double next_number(world *w);
int64_t next_integer(world *w);
int64_t next_small(world *w); /* 1 .. 4 */
size_t next_stage(world *w);

ffebm_context *next_context(world *w);
ffebm_tensor *next_tensor(world *w);                                             /* or NULL */
const ffebm_activation *next_activation(world *w, ffebm_activation *activation); /* likewise; in *activation */

/* One kind of call: with the i-th of each object. Returns its status, FFEBM_OK where it has none. */
typedef ffebm_status (*api_call)(world *w, size_t i);
extern const api_call api_making[], api_changing[], api_computing[];
extern const size_t api_making_count, api_changing_count, api_computing_count;

/* The handle that stands at `where` is NULL exactly where its call failed. */
ffebm_status made(ffebm_status status, const void *where);

#endif

/* What a scenario works on, and what is asked of a call that memory ran out for. */
#ifndef FFEBM_TESTS_WORLD_H
#define FFEBM_TESTS_WORLD_H

#include <stdbool.h>

#include "attack/support/campaign.h"
#include "attack/support/subject.h"
#include "support/dataset.h"
#include "support/loader.h"

typedef struct world {
    subject s;
    ffebm_model *other;
    ffebm_feedforward *feedforward;
    ffebm_energy *energy;
    ffebm_tensor *t;
    ffebm_tensor *rows;
    int32_t threads;
    int blocks; /* of the host's own, created so far */
    struct dataset data;
    struct loader *loader;
    const char *directory; /* of this run; files in it go after each case */
    campaign *campaign;
    const char *scenario;
    bool goes_on; /* a call that has failed is made once more, undisturbed */
} world;

typedef struct scenario {
    const char *name;
    int32_t threads;
    void (*prepare)(world *w);
    int (*act)(world *w); /* 0 where all is done, else something has failed */
    bool keeps;           /* parameters and optimizer are as before if it fails */
    bool loses_memory;    /* libzip itself does, when it gets none */
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

/* Of data sets, in readers.c. */
int read_digits(world *w);
int read_idx(world *w);
int read_cifar(world *w);
int read_imagenet(world *w);
int load_batches(world *w);
void write_data(world *w);
void prepare_batches(world *w);

/* Look at what a failing call has said, and say whether it shall be made once more. A reader of data sets says anything:
 * libzip takes some failures of malloc for a damaged archive. */
bool world_failed(world *w, ffebm_status status);
bool world_unread(world *w, const struct failure *failure);

/* A finding unless it holds. */
void world_expects(world *w, bool holds, const char *what);

/* Call, and return from the scenario if the call fails for good. */
#define TRY(w, call)                                                                                                   \
    do {                                                                                                               \
        ffebm_status status_ = (call);                                                                                 \
        if (status_ != FFEBM_OK && world_failed(w, status_))                                                           \
            status_ = (call);                                                                                          \
        if (status_ != FFEBM_OK)                                                                                       \
            return -1;                                                                                                 \
    } while (0)

/* The same for calls that make something: it is NULL where they fail. */
#define MAKE(w, handle, call)                                                                                          \
    do {                                                                                                               \
        ffebm_status made_;                                                                                            \
        (handle) = (void *)(w);                                                                                        \
        made_ = (call);                                                                                                \
        if (made_ != FFEBM_OK) {                                                                                       \
            world_expects(w, (handle) == NULL, #handle " is not NULL");                                                \
            if (world_failed(w, made_))                                                                                \
                made_ = (call);                                                                                        \
        }                                                                                                              \
        if (made_ != FFEBM_OK)                                                                                         \
            return -1;                                                                                                 \
    } while (0)

#endif

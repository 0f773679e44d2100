/* Sequences of calls, legal and illegal, on two contexts and a few objects of each kind. The bytes of an input choose the
 * calls, their arguments, what slots of the host's own blocks answer and when a call is cancelled. Every failure has a
 * status of the list and a sentence, and whatever happens, all memory comes back. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/world.h"
#include "attack/support/blocks.h"
#include "attack/support/modest.h"
#include "target.h"

enum { MOST_BYTES = 32 << 20, MOST_CALLS = 60 };

const size_t fuzz_mutants = 15000;

unsigned next(world *w)
{
    return w->at < w->size ? w->bytes[w->at++] : 0;
}

unsigned next_below(world *w, unsigned below)
{
    return next(w) % below;
}

bool next_is(world *w, unsigned one_in)
{
    return next(w) % one_in == 1;
}

double next_number(world *w)
{
    static const double numbers[] = {0,        1,         -1,    0.5,    0.1,    1e-3, 2,    NAN,
                                     INFINITY, -INFINITY, 1e300, 1e-300, 5e-324, 1e38, -0.0, 0.99};

    return numbers[next_below(w, 16)];
}

int64_t next_integer(world *w)
{
    static const int64_t numbers[] = {0,         1, 2,  3,    4,         5,         -1,  INT64_MAX,
                                      INT64_MIN, 7, 16, 1000, 1LL << 32, 1LL << 53, 128, 9};

    return numbers[next_below(w, 16)];
}

int64_t next_small(world *w)
{
    return 1 + next_below(w, 4);
}

size_t next_stage(world *w)
{
    return next_is(w, 4) ? next_below(w, 6) : FFEBM_ALL;
}

ffebm_context *next_context(world *w)
{
    return w->contexts[next_below(w, 2)];
}

ffebm_tensor *next_tensor(world *w)
{
    unsigned i = next_below(w, API_TENSORS + 1);

    return i < API_TENSORS ? w->tensors[i] : NULL;
}

/* ------------------------------------------------------------------------------------------ what the host answers */

static world *playing;

static int32_t answer(double *output)
{
    switch (next_below(playing, 32)) {
    case 7:
        return -1;
    case 11:
        return FFEBM_RETRY;
    case 13:
        *output = NAN;
        return 0;
    default:
        return 0;
    }
}

static int32_t cancel(void *user)
{
    return next(user) == 99;
}

/* --------------------------------------------------------------------------------------------------------- the play */

static void begin(world *w, modest *memory)
{
    for (int i = 0; i < 2; i++) {
        ffebm_context_config config;

        modest_config(&config, memory);
        config.cancel = cancel;
        config.cancel_user = w;
        config.threads = 1 + (i == 1 && next_is(w, 2));
        config.max_isa = (int32_t)next_below(w, 4);
        must(ffebm_context_create(&w->contexts[i], &config) == FFEBM_OK, "no context");
    }
}

static void end(world *w)
{
    for (int i = 0; i < API_OBJECTS; i++) {
        ffebm_engine_destroy(w->engines[i]);
        ffebm_optimizer_destroy(w->optimizers[i]);
        ffebm_model_destroy(w->models[i]);
        ffebm_feedforward_destroy(w->feedforwards[i]);
        ffebm_energy_destroy(w->energies[i]);
    }
    for (int i = 0; i < API_TENSORS; i++)
        ffebm_tensor_destroy(w->tensors[i]);
    for (int i = 0; i < 2; i++)
        ffebm_context_destroy(w->contexts[i]);
    unlink(w->path);
}

static void is_right(const world *w, ffebm_status status)
{
    must(status <= 0 && status >= -API_STATUSES && status != FFEBM_ERR_INTERNAL, "status %d", status);
    for (int i = 0; i < 2; i++)
        must(!w->contexts[i] || !strstr(ffebm_context_error(w->contexts[i]), "(null)"), "a text without its words: %s",
             ffebm_context_error(w->contexts[i]));
}

static void play(world *w)
{
    const struct {
        const api_call *calls;
        size_t count;
    } books[] = {{api_making, api_making_count},
                 {api_changing, api_changing_count},
                 {api_computing, api_computing_count},
                 {api_computing, api_computing_count}};

    for (int call = 0; call < MOST_CALLS && w->at < w->size; call++) {
        unsigned book = next_below(w, 4);
        size_t i = next_below(w, API_OBJECTS);
        api_call make = books[book].calls[next(w) % books[book].count];

        if (book > 0 || !w->no_contexts)
            is_right(w, make(w, i));
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    blocks_answer = answer;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    modest memory = {.most = MOST_BYTES};
    world w = {.bytes = data, .size = size};

    playing = &w;
    snprintf(w.path, sizeof w.path, "/dev/shm/ffebm-api-%ld", (long)getpid());
    begin(&w, &memory);
    play(&w);
    end(&w);
    must(memory.pieces == 0, "%ld pieces of memory are left", memory.pieces);
    return 0;
}

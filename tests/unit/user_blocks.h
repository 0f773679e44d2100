/* Blocks of the user's for tests: a network solved exactly, a Hopfield network that computes what the library's does, a
 * digital layer; each behind a watch, which keeps a log of the calls and makes slots fail; and chains with them. */
#ifndef FFEBM_TESTS_USER_BLOCKS_H
#define FFEBM_TESTS_USER_BLOCKS_H

#include <pthread.h>

#include "fixture.h"

/* ------------------------------------------------------------------------------------------------------- the watch */

enum {
    SLOT_SETTLE,
    SLOT_OUTPUT,
    SLOT_PARAMETER_GRADIENT,
    SLOT_INPUT_GRADIENT,
    SLOT_ENERGY,
    SLOT_ADJOINT,
    SLOT_INITIALIZE,
    SLOT_FORWARD,
    SLOT_VJP,
    SLOTS
};

extern const char *const slot_names[SLOTS];

enum {
    FAULT_NONE,
    FAULT_ANSWER,   /* -7, with a message */
    FAULT_UNENDED,  /* -7, with a message that has no NUL */
    FAULT_SILENT,   /* -9, without a message */
    FAULT_NAN,      /* in the last number of the slot's output */
    FAULT_INFINITE, /* likewise */
    FAULT_HUGE,     /* 1e300, which no float32 holds */
    FAULT_ENDLESS,  /* asks for retries */
    FAULT_RETRIES,  /* asks for two, then does its work */
    FAULTS
};

typedef struct told {
    int slot;
    size_t first;
    size_t batch;
    uint64_t seed;
    uint64_t version;
    int32_t nudged;
} told;

enum { LOG = 512, START = 512 };

typedef struct watch {
    int faulty;          /* this slot */
    int kind;            /* fails so, in every call */
    size_t spared;       /* but so many */
    size_t calls[SLOTS]; /* without the retries */
    size_t retries;
    size_t dirty;     /* calls whose outputs were not as promised */
    size_t elsewhere; /* calls on another thread than that of the test */
    size_t destroyed;
    told log[LOG];
    size_t logged;
    double start[START]; /* of the present settling */
    pthread_t thread;
    pthread_mutex_t lock;
} watch;

/* From now on let this slot fail after `spared` more calls. FAULT_NONE: no more faults. */
void watch_fault(watch *w, int slot, int kind, size_t spared);
void watch_forget(watch *w);

typedef struct energy_block {
    ffebm_user_energy table; /* what the library gets */
    ffebm_user_energy inner;
    ffebm_user_parameter parameters[4];
    size_t parameter_count;
    size_t inputs;
    size_t outputs;
    watch watch;
} energy_block;

typedef struct feedforward_block {
    ffebm_user_feedforward table;
    ffebm_user_feedforward inner;
    ffebm_user_parameter parameters[4];
    size_t parameter_count;
    size_t inputs;
    size_t outputs;
    watch watch;
} feedforward_block;

/* Put a watch around the functions of `inner`; self stays the block's, so the block must not move. */
void energy_block_init(energy_block *b, const ffebm_user_energy *inner);
void energy_block_parameter(energy_block *b, const char *name, const int64_t *shape, size_t rank);
void feedforward_block_init(feedforward_block *b, const ffebm_user_feedforward *inner);
void feedforward_block_parameter(feedforward_block *b, const char *name, const int64_t *shape, size_t rank);

/* ------------------------------------------------------------------------------------------------------ the blocks */

/* v <- A^-1 v by elimination; A has n x n numbers in rows of `stride`, and is spoilt. */
void solve(size_t n, size_t stride, double *a, double *v);

/* Five nodes, each pair joined by a conductance exp(theta), each leaking to ground: E = v A v / 2 - <x, v_in>. Three take
 * the input, two are the output; every slot is there. Fills in b. */
enum { NETWORK_IN = 3, NETWORK_OUT = 2, NETWORK_NODES = 5, NETWORK_EDGES = 10 };
void network_init(energy_block *b);

/* A dense Hopfield network as the library has it, with slots output and input_gradient or without. */
enum { HOPFIELD_LAYERS = 3, HOPFIELD_UNITS = 8, HOPFIELD_ROWS = 16 };
typedef struct hopfield {
    int64_t units[HOPFIELD_LAYERS];
    int64_t weight_shapes[HOPFIELD_LAYERS - 1][2];
    double slope;
    int clamp_last;
} hopfield;
hopfield hopfield_of(int64_t a, int64_t b, int64_t c, double slope, int clamp_last);
void hopfield_init(energy_block *b, hopfield *h, int all_slots);

/* tanh(W x + b), two numbers from three. */
enum { DIGITAL_IN = 3, DIGITAL_OUT = 2 };
void digital_init(feedforward_block *b);

/* ------------------------------------------------------------------------------------------------------ the chains */

/* A model to which stages are added in turn; chain_ready gives it values and an engine. */
fixture chain_begin(int32_t dtype, int32_t threads, const int64_t *shape, size_t rank, int32_t loss);
void chain_op(fixture *f, int32_t type, int64_t out);
void chain_hopfield(fixture *f, const hopfield *h);
void chain_energy(fixture *f, energy_block *b);
void chain_feedforward(fixture *f, feedforward_block *b);
void chain_ready(fixture *f, uint64_t seed);

/* linear [3] -> network -> linear [3] -> network -> linear [3], cross entropy; input [4]. Stages 1 and 3 are b[0] and
 * b[1]; cross entropy. */
enum { CHAIN_IN = 4 };
fixture chain_of_networks(energy_block b[2], int32_t dtype, int32_t threads);

/* The same bits? */
int same_bits(const ffebm_tensor *a, const ffebm_tensor *b);

#endif

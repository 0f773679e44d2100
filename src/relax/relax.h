/* Drive energy blocks to equilibrium: sweeps, stopping rules, the report of a phase. Knows no losses and no estimators:
 * a phase settles `nudges` copies of each sample's state side by side, each under its own force. */
#ifndef FFEBMI_RELAX_RELAX_H
#define FFEBMI_RELAX_RELAX_H

#include <ffebm/gradient.h>

#include "core/executor.h"
#include "energy/energy.h"

/* Samples settle in shards of this size, each on one thread from its first to its last sweep. The size is part of what
 * fixes the bits. */
enum { FFEBMI_SHARD = 16 };

/* Fill `out` with the force on the last layer of some samples: row i * nudges + j is nudge j of samples[i], and
 * last_layer and out are [count * nudges] x units. Called on worker threads before the output layer's half-sweep. */
typedef void (*ffebmi_force_fn)(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                                void *out);

typedef struct ffebmi_phase {
    const ffebm_energy *block;
    const ffebmi_kernel *kernel;
    const void *const *parameters;
    const void *packed;          /* by the kind, of the parameters */
    const ffebmi_kernel *coarse; /* NULL, or what all nudged sweeps, or the first free ones, are made by instead, */
    const void *coarse_packed;   /* and the same for it */
    size_t batch;
    size_t nudges;      /* rows a sample; 1 in a free phase */
    bool nudged;        /* which stopping rule, and is `start` the free state? */
    bool linear;        /* nudged: displacements of the linearised block, from zero */
    bool hold_switches; /* nudged: pools stay as at the free state */
    bool displaced;     /* nudged: states are displacements from the free state, from zero, and so are the results */
    int32_t order;      /* FFEBM_ORDER_ */
    double relaxation;  /* of sweeps */
    int64_t max_sweeps;
    double tolerance;      /* 0: all sweeps */
    const void *input;     /* batch x units of the first layer */
    void *const *start;    /* [layer]: batch x units, or NULL: zeros */
    void *const *result;   /* [nudge * layers + layer]: batch x units; may be start where nudges is 1 */
    ffebmi_force_fn force; /* NULL: none */
    void *force_user;
    bool force_held;     /* the force does not depend on the state: asked for once */
    ffebmi_norms *norms; /* NULL, or [sample * layers + layer]: of each sample's last sweep, summed over its nudges */
    uint64_t seed;       /* for blocks that settle by their own means */
} ffebmi_phase;

/* What happened, over samples. Sums and extremes only, so that the order of shards does not matter. */
typedef struct ffebmi_tally {
    size_t samples;
    size_t unconverged;
    size_t nonfinite;
    size_t region_changes;
    int64_t sweeps_min;
    int64_t sweeps_max;
    int64_t sweeps_sum;
    int64_t retries;
    double residual_max;
    double seconds;
    double joules;
} ffebmi_tally;

void ffebmi_tally_add(ffebmi_tally *to, const ffebmi_tally *from);

/* One worker's memory. */
typedef struct ffebmi_relax_work ffebmi_relax_work;

/* Lay out a worker's memory for phases of up to `nudges` on `block`, of batches up to max_batch; NULL while measuring. */
ffebmi_relax_work *ffebmi_relax_place(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_kernel *kernel,
                                      size_t nudges, size_t max_batch);

/* Settle a batch. works[w] is worker w's. Samples that end in NaN or infinity are counted, not an error here; only a block
 * that settles by its own means can fail. */
ffebm_status ffebmi_relax(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works,
                          ffebmi_tally *tally);

/* What a look at the states of a whole batch needs. */
typedef struct ffebmi_states {
    const ffebm_energy *block;
    const ffebmi_kernel *kernel;
    const void *const *parameters;
    const void *packed;
    size_t batch;
    void *const *state; /* [layer]: batch x units */
    const void *input;  /* batch x units of the first layer; not needed to observe */
} ffebmi_states;

/* E of each sample, as doubles. Serial. */
void ffebmi_relax_energies(const ffebmi_states *states, ffebmi_relax_work *work, double *energies);

/* Where the switches stand: switches[layer] becomes batch x the block's switch_count there. */
void ffebmi_relax_observe(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                          uint8_t *const *switches);

/* The kind's memory in a worker's, scratch for its gradient. */
void *ffebmi_relax_kind_work(const ffebmi_relax_work *work);

#endif

/* A phase: the batch of an energy block is settled, freely or under forces. What is asked for, and what happened. Knows no
 * losses and no estimators: a phase settles `nudges` copies of each sample's state side by side, each under its own force. */
#ifndef FFEBMI_RELAX_PHASE_H
#define FFEBMI_RELAX_PHASE_H

#include "core/draw.h"
#include "energy/energy.h"

/* Samples settle in shards of this size, each on one thread from its first to its last sweep. The size is part of what
 * fixes the bits. */
enum { FFEBMI_SHARD = 16 };

/* Fill `out` with the force on the last layer of some samples: row i * nudges + j is nudge j of samples[i], and
 * last_layer and out are [count * nudges] x units. Called on worker threads before the output layer's update. */
typedef void (*ffebmi_force_fn)(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                                void *out);

typedef struct ffebmi_phase {
    const ffebm_energy *block;
    const ffebmi_arrays *arrays;
    const void *plan; /* of the block's kind */
    const void *const *parameters;
    const void *packed; /* by the kind, of the parameters */
    bool int16;         /* all nudged sweeps, or the first free ones, are made in 16-bit integers */
    size_t batch;
    size_t nudges;      /* rows a sample; 1 in a free phase */
    bool nudged;        /* which stopping rule, and is `start` the free state? */
    ffebmi_form form;   /* of nudged states, and so of the results; displacements begin at zero */
    bool hold_switches; /* nudged: pools stay as at the free state */
    int32_t order;      /* FFEBM_ORDER_, but for REVERSED: */
    bool backwards;     /* the same groups of layers, from the last to the first */
    double relaxation;  /* of sweeps; 0: of each sample by the fall of its residuals, plain where all sweeps are made */
    int64_t max_sweeps;
    double tolerance;          /* 0: all sweeps */
    const void *const *inputs; /* [layer]: batch x units, NULL where it has none; 0: the block's own */
    void *const *start;        /* [layer]: batch x units, or NULL: zeros */
    void *const *result;       /* [nudge * layers + layer]: batch x units; may be start where nudges is 1 */
    ffebmi_force_fn force;     /* NULL: none */
    void *force_user;
    const double *strengths; /* NULL, or [nudge]: an error is so many times larger than the force that it has become */
    bool force_held;         /* the force does not depend on the state: asked for once */
    /* NULL, or k of each unit of the last layer, by force_user, asked for once: the force is less k (s - s_free). Held, with k
     * the loss's second derivative, it is that of a quadratic loss, solved for the s that settles. Of nudged phases of
     * blocks with FFEBMI_HEEDS_STIFFNESS; a unit bears k above - 1 / sigma'. */
    ffebmi_force_fn stiffness;
    const void *const *gains; /* as in ffebmi_settling */
    void *common;             /* by the solver, laid out for all workers together */
    ffebmi_occasion occasion; /* for a device that the block stands on */
    ffebmi_norms *norms;   /* NULL, or [sample * layers + layer]: of each sample's last sweep, summed over its nudges */
    uint64_t seed;         /* for blocks that draw, */
    uint64_t first_sample; /* and the number of the first sample in what they draw from */
} ffebmi_phase;

/* What happened, over samples. Sums and extremes only, so that the order of shards does not matter. */
typedef struct ffebmi_tally {
    size_t samples;
    size_t unconverged;
    size_t unstable; /* of these, settled or not: they may be another equilibrium than the one asked for, or none */
    size_t nonfinite;
    size_t region_changes;
    int64_t sweeps_min;
    int64_t sweeps_max;
    int64_t sweeps_sum;
    int64_t retries;
    double residual_max;
    double relaxation_max;
    double seconds;
    double joules;
} ffebmi_tally;

void ffebmi_tally_add(ffebmi_tally *to, const ffebmi_tally *from);

#endif

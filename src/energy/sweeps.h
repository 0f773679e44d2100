/* What a kind of energy fills whose blocks settle by sweeps: layers are updated from the others, some at a time, until they
 * rest. The driver is relax/sweeps.c. */
#ifndef FFEBMI_ENERGY_SWEEPS_H
#define FFEBMI_ENERGY_SWEEPS_H

#include "energy/energy.h"

/* One settling in progress: `rows` independent states in step, in memory of the driver. */
typedef struct ffebmi_settling {
    const ffebm_energy *block;
    const ffebmi_arrays *arrays;
    const void *plan; /* the kind's, NULL where it has none */
    const void *const *parameters;
    const void *packed; /* the parameters as `pack` has laid them out; NULL where the kind has no packing */
    bool int16;         /* products are those of the parameters that `pack_int16` has rounded */
    ffebmi_form form;
    bool hold_switches;        /* pools pass what they pass at the free state; always so but for whole states */
    const double *relaxations; /* [row]: of the next half-sweep */
    size_t rows;               /* those still at work; they shrink as samples settle */
    size_t copies;             /* so many rows beside each other have one free state and input */
    void **state;              /* [layer]: rows x units */
    void *const *free_state;   /* [layer]: rows x units, or NULL in a free phase */
    const void *const *inputs; /* [layer]: rows x units of its input, NULL where it has none; 0: the block's own */
    const void *force;         /* rows x units of the last layer, or NULL */
    const void *stiffness;     /* likewise: the force is less k (s - s_free), s what settles; NULL: 0 */
    const void *const *gains;  /* [layer]: units, so many times each one's drive reaches it; NULL: once. Of kinds with
                                  FFEBMI_TAKES_GAINS; inputs, force and stiffness come multiplied */
    ffebmi_norms *norms;       /* [row * layer_count + layer] */
    void *work;                /* laid out by the kind */
} ffebmi_settling;

/* Two sets of states of a whole batch, as their difference and mean: products of layers then keep their precision. */
typedef struct ffebmi_contrast {
    const ffebmi_arrays *arrays;
    const void *plan;
    const void *const *parameters;
    const void *packed;
    size_t batch;
    const void *const *inputs; /* [layer]: batch x units, likewise; of kinds with FFEBMI_READS_INPUT, else NULL */
    void *const *difference;   /* [layer]: batch x units */
    void *const *mean;
    bool alone;                  /* f(first) by itself: the difference is the first state, the mean half of it */
    bool tangent;                /* the derivative of f along `difference`, at `mean` */
    uint8_t *const *switches[2]; /* [state][coupling]: batch x switches, of the first and of the second state */
    double weight;               /* of (f(first) - f(second)), f = dE/dtheta summed over the batch */
    void *const *gradients;      /* [parameter]: added to */
} ffebmi_contrast;

struct ffebmi_sweep_rules {
    /* REQUIRED. The rows have been loaded: forget all others; where states are displacements, take from the free state what
     * that needs. */
    void (*begin)(ffebmi_settling *settling);
    /* REQUIRED. Update some layers, in ascending order, together from the present state of all, and leave their norms. */
    void (*update)(ffebmi_settling *settling, const size_t *layers, size_t count);
    /* REQUIRED. Row `from` moves into the place of row `to`: take along what the kind remembers of it. */
    void (*move)(ffebmi_settling *settling, size_t to, size_t from);
    /* REQUIRED. Add weight * (f(first) - f(second)) to units first .. first + count - 1 of one parameter's gradient. */
    void (*gradient)(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t parameter, size_t first,
                     size_t count, void *work);
    /* REQUIRED. out += weight * (dE/dx(first) - dE/dx(second)), batch x units of each input, one input's behind another's, for
     * samples first .. first + count - 1. */
    void (*input_gradient)(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t first, size_t count,
                           void *out, void *work);
    /* REQUIRED. The energies of rows of states, as doubles. */
    void (*energies)(ffebmi_settling *settling, double *energies);

    /* OPTIONAL: the powers that the block's elements turn into heat, likewise, in watts. */
    void (*powers)(ffebmi_settling *settling, double *powers);

    /* OPTIONAL: how many units of one row are in another region than in its free state. Without it there are no regions. */
    size_t (*region_changes)(const ffebmi_settling *settling, size_t row);

    /* OPTIONAL, of kinds with FFEBMI_HEEDS_STIFFNESS: where a spring of a row is weaker than nothing, is its state sure to be the
     * equilibrium that the free one becomes as springs weaken? Without it, it is. */
    bool (*stable)(const ffebmi_settling *settling, size_t row);

    /* OPTIONAL, likewise: the stiffness below 0 from which on a row, a free state, is no minimum any more, all units of the last
     * layer having springs of it; - infinity: it is with any. Without it that is so of all rows. */
    double (*bears)(ffebmi_settling *settling, size_t row);

    /* OPTIONAL, of kinds with `switch_count`: where the switches stand at settling->state. */
    void (*observe)(ffebmi_settling *settling, uint8_t *const *switches);
};

#endif

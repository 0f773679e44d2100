/* An energy block, and the table that every kind of energy fills. Kinds know nothing of losses, nudging or sweeps. */
#ifndef FFEBMI_ENERGY_ENERGY_H
#define FFEBMI_ENERGY_ENERGY_H

#include <ffebm/energy.h>

#include "core/arena.h"
#include "kernel/kernel.h"
#include "tensor/parameter.h"
#include "tensor/shape.h"

typedef struct ffebmi_energy_kind ffebmi_energy_kind;
typedef struct ffebmi_own ffebmi_own;

/* A parameter of the block, and the coupling that it belongs to (its position in the parameter's name). */
typedef struct ffebmi_energy_parameter {
    ffebmi_parameter parameter;
    const ffebmi_learnable *learnable;
    size_t position;
    size_t units; /* the gradient is cut over so many, */
    size_t grain; /* and so many make a piece of work */
} ffebmi_energy_parameter;

struct ffebm_energy {
    ffebm_context *context;
    const ffebmi_energy_kind *kind;
    const ffebmi_own *own; /* NULL: it settles by sweeps */
    ffebmi_shape input;
    size_t layer_count;
    ffebmi_shape *layers; /* of a sample, the last is the output; set by fit, like the parameters */
    size_t parameter_count;
    ffebmi_energy_parameter *parameters;
};

/* One settling in progress: `rows` independent states in step, in memory of the driver. */
typedef struct ffebmi_settling {
    const ffebm_energy *block;
    const ffebmi_kernel *kernel;
    const void *const *parameters;
    const void *packed;      /* the parameters as `pack` has laid them out */
    bool linear;             /* the linearised block: states are displacements from the free state */
    bool hold_switches;      /* pools pass what they pass at the free state; always so where linear or displaced */
    bool displaced;          /* the block itself, but states are displacements from the free state */
    double relaxation;       /* of half-sweeps */
    size_t rows;             /* those still at work; they shrink as samples settle */
    size_t copies;           /* so many rows beside each other have one free state and input */
    void **state;            /* [layer]: rows x units */
    void *const *free_state; /* [layer]: rows x units, or NULL in a free phase */
    const void *input;       /* rows x units of the first layer */
    const void *force;       /* rows x units of the last layer, or NULL */
    ffebmi_norms *norms;     /* [row * layer_count + layer] */
    void *work;              /* laid out by the kind */
} ffebmi_settling;

/* Two sets of states of a whole batch, as their difference and mean: products of layers then keep their precision. */
typedef struct ffebmi_contrast {
    const ffebmi_kernel *kernel;
    size_t batch;
    void *const *difference; /* [layer]: batch x units */
    void *const *mean;
    uint8_t *const *switches[2]; /* [state][layer]: batch x switches, of the first and of the second state */
    double weight;               /* of (f(first) - f(second)), f = dE/dtheta summed over the batch */
    void *const *gradients;      /* [parameter]: added to */
} ffebmi_contrast;

/* Some samples of a batch, for a block that settles them by its own means. */
typedef struct ffebmi_own_settling {
    const ffebmi_kernel *kernel;
    size_t first; /* in the batch */
    size_t rows;
    const void *input;
    const void *start;          /* rows x units of layer 0, or NULL: zeros */
    const void *force;          /* rows x units of the last layer, or NULL */
    ffebm_force_at_fn force_at; /* NULL: the force is held */
    void *force_user;
    void *const *state; /* [layer]: out */
    bool nudged;
    int64_t max_sweeps;
    double tolerance;
    uint64_t seed;
    double *residual; /* rows, out, where the block knows them */
    int64_t *sweeps;
    int64_t retries; /* out */
    double joules;   /* out, where the block knows them */
} ffebmi_own_settling;

enum { FFEBMI_OWN_TERMS = 4 };

/* A weighted sum over states of a batch, for what such a block reads off them: it is taken in doubles, since the states
 * of one sample nearly cancel. */
typedef struct ffebmi_own_sum {
    const ffebmi_kernel *kernel;
    size_t batch;
    const void *input;
    size_t count;
    void *const *states[FFEBMI_OWN_TERMS]; /* [layer]: batch x units */
    double weights[FFEBMI_OWN_TERMS];
    const double *signs; /* [batch], a factor for each sample; NULL: ones */
    uint64_t seed;
    bool replace; /* gradients: what is there is replaced, once all has succeeded */
} ffebmi_own_sum;

/* Why a slot failed. Slots may run on worker threads, so that they leave the text here and not in the context. */
typedef struct ffebmi_failure {
    ffebm_status status;
    char text[320];
} ffebmi_failure;

/* What a block that settles by its own means (a user's simulator or device) offers in place of the kind's slots from
 * begin to energies. The slots are given the block's work; all but settle are called on the caller's thread. */
struct ffebmi_own {
    size_t max_rows;   /* that settle takes at once; 0: any number */
    bool concurrent;   /* settle may run on several threads */
    bool loss_nudging; /* it heeds force_at */
    bool adjoint;      /* there is one */
    double max_beta;   /* 0: any */
    ffebm_status (*settle)(const ffebm_energy *block, ffebmi_own_settling *settling, void *work,
                           ffebmi_failure *failure);
    /* Add the sum of dE/dtheta, over the batch, to the gradients, which stay as they are on failure. */
    ffebm_status (*gradient)(const ffebm_energy *block, const ffebmi_own_sum *sum, void *const *gradients, void *work,
                             ffebmi_failure *failure);
    /* out += the sum of dE/dx, sample by sample */
    ffebm_status (*input_gradient)(const ffebm_energy *block, const ffebmi_own_sum *sum, void *out, void *work,
                                   ffebmi_failure *failure);
    /* The energies of the first of the states. */
    ffebm_status (*energies)(const ffebm_energy *block, const ffebmi_own_sum *sum, double *energies, void *work,
                             ffebmi_failure *failure);
    /* Pull a cotangent of the output back through the first of the states, an equilibrium: add its weight times the sum
     * over the batch to the gradients, and out = (doutput/dx)^T v (NULL if not wanted). */
    ffebm_status (*pull_back)(const ffebm_energy *block, const ffebmi_own_sum *sum, const void *cotangent,
                              void *const *gradients, void *out, void *work, ffebmi_failure *failure);
    /* First values of all parameters, as doubles, which the block keeps until they are asked for. */
    ffebm_status (*initialize)(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                               ffebmi_failure *failure);
};

struct ffebmi_energy_kind {
    const char *type; /* "hopfield" */

    /* Infer layers and parameters from a sample's shape; the error text begins with `what`. */
    ffebm_status (*fit)(ffebm_energy *block, const ffebmi_shape *input, const char *what);
    void (*destroy)(ffebm_energy *block);

    /* Lay out the parameters as settling wants them, once a phase, for all workers. */
    void *(*place_packed)(const ffebm_energy *block, const ffebmi_kernel *kernel, ffebmi_arena *arena);
    void (*pack)(const ffebm_energy *block, const ffebmi_kernel *kernel, const void *const *parameters, void *packed);

    /* The same for a kernel of rounded numbers (ffebmi_kernel_coarse), made of what is packed for the other one, beside which
     * it is used; `packed` is NULL while measuring. */
    void *(*place_rounded)(const ffebm_energy *block, const ffebmi_kernel *kernel, void *packed, ffebmi_arena *arena);
    void (*round)(const ffebm_energy *block, const ffebmi_kernel *kernel, const void *packed, void *rounded);

    /* Lay out what one settling of up to `rows` rows needs beyond its states; returns it (NULL while measuring). It also
     * serves as the scratch of `gradient`. */
    void *(*place_work)(const ffebm_energy *block, const ffebmi_kernel *kernel, size_t rows, ffebmi_arena *arena);
    /* The rows have been loaded: forget all others; when linear or displaced, take from the free
     * state what that needs. */
    void (*begin)(ffebmi_settling *settling);
    /* Update layers first, first + step, .. together from the present state of the others, and leave their norms. */
    void (*half_sweep)(ffebmi_settling *settling, size_t first, size_t step);
    /* Row `from` moves into the place of row `to`: take along what the kind remembers of it. */
    void (*move)(ffebmi_settling *settling, size_t to, size_t from);
    /* How many units of one row are in another region than in its free state. */
    size_t (*region_changes)(const ffebmi_settling *settling, size_t row);

    /* Bytes of switches of one sample at a layer, 0 where there are none; and where they stand at settling->state. */
    size_t (*switch_count)(const ffebm_energy *block, size_t layer);
    void (*observe)(ffebmi_settling *settling, uint8_t *const *switches);

    /* Add weight * (f(first) - f(second)) to units first .. first + count - 1 of one parameter's gradient. */
    void (*gradient)(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t parameter, size_t first,
                     size_t count, void *work);
    /* out += weight * (dE/dx(first) - dE/dx(second)), batch x units of the first layer. */
    void (*input_gradient)(const ffebm_energy *block, const ffebmi_contrast *contrast, void *out);
    /* The energies of rows of states, as doubles. */
    void (*energies)(ffebmi_settling *settling, double *energies);
};

/* A block without layers yet, for a kind's create: `bytes` of memory that begin with a struct ffebm_energy. */
ffebm_status ffebmi_energy_new(ffebm_context *context, ffebm_energy **block, const ffebmi_energy_kind *kind,
                               size_t bytes);

/* Can it be nudged by a loss that is evaluated anew? Differentiated implicitly? */
bool ffebmi_energy_heeds_loss(const ffebm_energy *block);
bool ffebmi_energy_has_adjoint(const ffebm_energy *block);

/* Do its pools choose, so that there are switches? */
bool ffebmi_energy_has_switches(const ffebm_energy *block);

/* Infer layers and parameters from a sample's shape. */
ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what);

const ffebmi_shape *ffebmi_energy_output(const ffebm_energy *block);

#endif

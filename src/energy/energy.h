/* An energy block, and the table that every kind of energy fills. Kinds know nothing of losses, nudging or sweeps. */
#ifndef FFEBMI_ENERGY_ENERGY_H
#define FFEBMI_ENERGY_ENERGY_H

#include <ffebm/energy.h>

#include "core/arena.h"
#include "kernel/kernel.h"
#include "tensor/parameter.h"
#include "tensor/shape.h"

typedef struct ffebmi_energy_kind ffebmi_energy_kind;

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
    bool hold_switches;      /* pools pass what they pass at the free state; always so where linear */
    size_t rows;             /* those still at work; they shrink as samples settle */
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

/* Kinds that settle by other means than sweeps (a user's simulator or device) will bring a slot `settle`, which takes the
 * place of half_sweep and region_changes: the driver then hands it whole batches. The other slots hold for them too:
 * gradients always come from states, and dE/dx from the block, never from the caller's idea of its first layer. */
struct ffebmi_energy_kind {
    const char *type; /* "hopfield" */

    /* Infer layers and parameters from a sample's shape; the error text begins with `what`. */
    ffebm_status (*fit)(ffebm_energy *block, const ffebmi_shape *input, const char *what);
    void (*destroy)(ffebm_energy *block);

    /* Lay out the parameters as settling wants them, once a phase, for all workers. */
    void *(*place_packed)(const ffebm_energy *block, const ffebmi_kernel *kernel, ffebmi_arena *arena);
    void (*pack)(const ffebm_energy *block, const ffebmi_kernel *kernel, const void *const *parameters, void *packed);

    /* Lay out what one settling of up to `rows` rows needs beyond its states; returns it (NULL while measuring). It also
     * serves as the scratch of `gradient`. */
    void *(*place_work)(const ffebm_energy *block, const ffebmi_kernel *kernel, size_t rows, ffebmi_arena *arena);
    /* The rows have been loaded: forget all others; when linear, take the derivatives at the free state. */
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

/* Infer layers and parameters from a sample's shape. */
ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what);

const ffebmi_shape *ffebmi_energy_output(const ffebm_energy *block);

#endif

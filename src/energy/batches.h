/* What a kind of energy fills whose blocks settle by their own means, a whole batch a call: a user's simulator or device. The
 * driver is relax/batches.c. */
#ifndef FFEBMI_ENERGY_BATCHES_H
#define FFEBMI_ENERGY_BATCHES_H

#include "energy/energy.h"

/* Some samples of a batch to settle. */
typedef struct ffebmi_batch_settling {
    const ffebmi_arrays *arrays;
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
    uint64_t first_sample; /* the number of the batch's first sample in what is drawn */
    double *residual;      /* rows, out, where the block knows them */
    int64_t *sweeps;
    int64_t retries; /* out */
    double joules;   /* out, where the block knows them */
} ffebmi_batch_settling;

enum { FFEBMI_BATCH_TERMS = 4 };

/* A weighted sum over states of a batch, for what such a block reads off them: it is taken in doubles, since the states
 * of one sample nearly cancel. */
typedef struct ffebmi_batch_sum {
    const ffebmi_arrays *arrays;
    size_t batch;
    const void *input;
    size_t count;
    void *const *states[FFEBMI_BATCH_TERMS]; /* [layer]: batch x units */
    double weights[FFEBMI_BATCH_TERMS];
    const double *signs; /* [batch], a factor for each sample; NULL: ones */
    uint64_t seed;
    uint64_t first_sample; /* likewise */
    bool replace;          /* gradients: what is there is replaced, once all has succeeded */
} ffebmi_batch_sum;

/* All are given the block's work; all but settle are called on the caller's thread. REQUIRED but where it says otherwise. */
struct ffebmi_batch_rules {
    ffebm_status (*settle)(const ffebm_energy *block, ffebmi_batch_settling *settling, void *work,
                           ffebmi_failure *failure);
    /* Add the sum of dE/dtheta, over the batch, to the gradients, which stay as they are on failure. */
    ffebm_status (*gradient)(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *const *gradients, void *work,
                             ffebmi_failure *failure);
    /* out += the sum of dE/dx, sample by sample */
    ffebm_status (*input_gradient)(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *out, void *work,
                                   ffebmi_failure *failure);
    /* The energies of the first of the states. */
    ffebm_status (*energies)(const ffebm_energy *block, const ffebmi_batch_sum *sum, double *energies, void *work,
                             ffebmi_failure *failure);
    /* OPTIONAL, for blocks with FFEBMI_HAS_ADJOINT. Pull a cotangent of the output back through the first of the states, an
     * equilibrium: add its weight times the sum over the batch to the gradients, and out = (doutput/dx)^T v (NULL if not
     * wanted). */
    ffebm_status (*pull_back)(const ffebm_energy *block, const ffebmi_batch_sum *sum, const void *cotangent,
                              void *const *gradients, void *out, void *work, ffebmi_failure *failure);
};

#endif

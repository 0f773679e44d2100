/* Calls into an energy block of the user's: doubles on its side, the model's dtype on ours. */
#ifndef FFEBMI_ENERGY_USER_CALLS_H
#define FFEBMI_ENERGY_USER_CALLS_H

#include "energy/user.h"
#include "tensor/user_slots.h"

/* Of up to `rows` samples. */
typedef struct ffebmi_user_work {
    size_t rows;
    double *input;
    double *force; /* or the cotangent of the output */
    double *start;
    double *state;
    double *output;
    double *input_gradient;
    double *input_sum;
    double *energy;
    double *residual;
    double *weight;
    int64_t *sweeps;
} ffebmi_user_work;

/* A call about samples first .. first + rows - 1, without its arrays. */
ffebm_energy_call ffebmi_user_call(const ffebmi_user_energy *u, size_t first, size_t rows, uint64_t seed);

/* Make it: `slot` has its name and outputs, the rest is filled in. */
ffebm_status ffebmi_user_run(const ffebmi_user_energy *u, ffebm_energy_fn function, ffebmi_user_slot *slot,
                             ffebm_energy_call *call, ffebmi_failure *failure);

/* What is read off states, over a batch. */
ffebm_status ffebmi_user_gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *const *gradients,
                                  void *memory, ffebmi_failure *failure);
ffebm_status ffebmi_user_input_gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *out, void *memory,
                                        ffebmi_failure *failure);
ffebm_status ffebmi_user_energies(const ffebm_energy *block, const ffebmi_batch_sum *sum, double *out, void *memory,
                                  ffebmi_failure *failure);
ffebm_status ffebmi_user_pull_back(const ffebm_energy *block, const ffebmi_batch_sum *sum, const void *cotangent,
                                   void *const *gradients, void *out, void *memory, ffebmi_failure *failure);

#endif

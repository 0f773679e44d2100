/* What is read off the states of blocks that settle by their own means. */
#ifndef FFEBMI_GRADIENT_OWN_H
#define FFEBMI_GRADIENT_OWN_H

#include "gradient/chain.h"

/* As ffebmi_estimate, after the nudged phases. */
ffebm_status ffebmi_own_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                                 void *input_cotangent);

/* Implicit differentiation: pull `delta` (batch x units of the output) back by the block's adjoint. */
ffebm_status ffebmi_own_pull_back(ffebm_engine *engine, size_t stage, const void *delta, double gradient_scale,
                                  void *input_cotangent);

/* The energies of a state of `rows` samples; and the mean of dE/dtheta over them, added to the stage's gradients. */
ffebm_status ffebmi_own_energies(ffebm_engine *engine, size_t stage, void *const *layers, size_t rows,
                                 const void *input, double *energies);
ffebm_status ffebmi_own_energy_gradient(ffebm_engine *engine, size_t stage, void *const *layers, size_t rows);

#endif

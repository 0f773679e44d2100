/* What else can be measured of a stage's states. */
#ifndef FFEBMI_GRADIENT_STATES_H
#define FFEBMI_GRADIENT_STATES_H

#include "gradient/engine.h"

/* Has an energy stage a free state, with the input that it came from, and does its block know the power of it? And that power,
 * on average over the batch. */
bool ffebmi_states_have_power(const ffebm_engine *engine, size_t stage);
ffebm_status ffebmi_states_power(ffebm_engine *engine, size_t stage, double *watts);

/* The energy of each sample at a state, [layer]: batch x units, of the samples and inputs of the stage's last settling. */
ffebm_status ffebmi_states_energies(ffebm_engine *engine, size_t stage, void *const *layers, double *energies);

#endif

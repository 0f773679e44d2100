/* The phases of a stage's block: put together in one place, by the stage's settings, and run on the workbench. */
#ifndef FFEBMI_GRADIENT_PHASES_H
#define FFEBMI_GRADIENT_PHASES_H

#include "gradient/engine.h"
#include "gradient/targets.h"

/* Settle one energy stage freely from its inputs, [layer]: batch x units, NULL where it has none. A block that may fail keeps
 * its free state where it does. */
ffebm_status ffebmi_phases_free(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs);

/* What the stage hands on of the free state that it has just settled to. */
const void *ffebmi_phases_output(ffebm_engine *engine, size_t stage, size_t batch);

/* Settle the stage's nudged states from its free ones, under -beta times `delta` (batch x units of its last layer), held, or
 * with the layer clamped where the stage is set so; with implicit differentiation its adjoint, under - delta. */
ffebm_status ffebmi_phases_linear(ffebm_engine *engine, size_t stage, const void *delta);

/* The same under -beta times the loss's derivative at the present state: through the readout, evaluated anew in every sweep; or,
 * of a block that does not heed the loss, in closed form by springs, `delta` being the derivative at the free state. */
ffebm_status ffebmi_phases_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets, const void *delta);

/* Settle a state of `batch` samples by hand, from the free one, under a force (batch x units of the last layer), held, and
 * springs to the free state. It becomes nudge 0. */
ffebm_status ffebmi_phases_by_hand(ffebm_engine *engine, size_t stage, size_t batch, const void *const *inputs,
                                   const void *force, double stiffness);

/* In which form the stage's nudged states are kept. As displacements wherever it can be: nearly all of a state is the free one,
 * and in float32 it would drown what is to be read off the difference. Pools that follow need the whole state. */
ffebmi_form ffebmi_phases_form(const ffebm_engine *engine, size_t stage);

#endif

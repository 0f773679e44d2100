/* Implicit differentiation as a reference: where it comes, and an engine's settings put aside while it works. */
#ifndef FFEBMI_ANALYSIS_REFERENCE_H
#define FFEBMI_ANALYSIS_REFERENCE_H

#include "gradient/engine.h"

/* The lowest stage to which implicit differentiation comes on its way down: above the last block without adjoint. 0 where
 * it comes to the input. */
size_t ffebmi_reference_bottom(const ffebm_engine *engine);

/* Make every energy block differentiate implicitly. */
void ffebmi_reference_configure(ffebm_engine *engine, int64_t sweeps, double tolerance);

/* Copy the settings of every stage out of the engine, [stage], and back. */
void ffebmi_reference_save(const ffebm_engine *engine, ffebm_equilibrium_config *saved);
void ffebmi_reference_restore(ffebm_engine *engine, const ffebm_equilibrium_config *saved);

#endif

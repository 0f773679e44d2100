/* How the solver by sweeps reads states: each pair becomes a contrast, the difference and the mean of its two states. */
#ifndef FFEBMI_RELAX_CONTRAST_H
#define FFEBMI_RELAX_CONTRAST_H

#include "relax/solver.h"

/* The slot `read` of a solver. */
ffebm_status ffebmi_contrast_read(ffebm_context *context, const ffebmi_reading *reading,
                                  ffebmi_relax_work *const *works);

#endif

/* A feedforward stage: its own row of ops and its taps, all on one input. */
#ifndef FFEBMI_GRADIENT_ROWS_H
#define FFEBMI_GRADIENT_ROWS_H

#include "gradient/engine.h"

/* Run all rows on `input`, batch x units of the stage's input, which stays. */
ffebm_status ffebmi_rows_up(ffebm_engine *engine, size_t stage, size_t batch, const void *input);

/* Pull *cotangent back through all rows, adding to their gradients: batch x units of the stage's output, and behind it, where
 * there are taps, those of the taps' outputs, as the energy block above has them (ffebmi_energy_input_offset). It becomes that
 * of the stage's input: on a tape, or of several rows their sum in `memory`, batch x units; NULL if `memory` is, and then not
 * computed. */
ffebm_status ffebmi_rows_down(ffebm_engine *engine, size_t stage, double gradient_scale, void *memory,
                              const void **cotangent);

/* The one place where running statistics move: by what the last forward of all stages saw. A readout's tape may hold a nudged
 * state since, but it then has no statistics: those would have forbidden loss nudging. */
void ffebmi_rows_commit(ffebm_engine *engine);

#endif

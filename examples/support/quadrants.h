/* quadrants.h - a task that is made up as it goes: which quarter of a small noisy image is bright. */
#ifndef EXAMPLES_QUADRANTS_H
#define EXAMPLES_QUADRANTS_H

#include <ffebm.h>

enum { QUADRANTS_SIDE = 6, QUADRANTS_PIXELS = QUADRANTS_SIDE * QUADRANTS_SIDE };

/* Create a chain for it, with batch normalisation, an energy block and first values that are always the same. On failure the
 * context has the text. */
ffebm_status quadrants_model(ffebm_context *context, ffebm_model **model);

/* Fill images, [rows, 1, side, side] of float64, and labels, [rows], with the samples from number `first` on. */
void quadrants_fill(ffebm_tensor *images, ffebm_tensor *labels, uint64_t first);

#endif

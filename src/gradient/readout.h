/* The readout, the feedforward stages behind the last energy block, walked on tapes of the caller's choice: the engine's for a
 * whole batch, a worker's for a shard of nudged states. */
#ifndef FFEBMI_GRADIENT_READOUT_H
#define FFEBMI_GRADIENT_READOUT_H

#include <ffebm/gradient.h>

#include "feedforward/tape.h"

/* Arrays are by stage, from the first of the readout. */
typedef struct ffebmi_readout {
    ffebm_context *context; /* whose threads share the work; NULL: it is done on the calling thread */
    const ffebmi_tape **tapes;
    const void **inputs; /* of the last forward */
} ffebmi_readout;

/* Lay out the arrays for so many stages; their tapes are the caller's to set. */
ffebmi_readout ffebmi_readout_lay_out(ffebmi_arena *arena, ffebm_context *context, size_t stages);

/* Run it on rows of states; returns its output, or the states where there is no readout. Cannot fail: no readout with ops of
 * the user's is walked so. */
const void *ffebmi_readout_forward(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                                   const void *states);

/* Pull the cotangent of its output back through the last forward; returns the cotangent of the states. */
const void *ffebmi_readout_vjp(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                               const void *cotangent);

/* Add gradient_scale times the gradient to the engine's, and go no further down. */
void ffebmi_readout_gradient(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                             const void *cotangent, double gradient_scale);

#endif

/* The readout, the feedforward stages behind the last energy block, walked on the engine's tapes, for a whole batch by all
 * threads, or on a worker's, for a shard of nudged states by that worker alone. */
#ifndef FFEBMI_GRADIENT_READOUT_H
#define FFEBMI_GRADIENT_READOUT_H

#include "gradient/engine.h"

/* Whose tapes: a worker's, or with NULL the engine's. */
typedef struct ffebmi_readout {
    ffebm_engine *engine;
    ffebmi_worker *worker;
    size_t rows;
} ffebmi_readout;

/* Run it on rows of states; returns its output, or the states where there is no readout. Cannot fail: no readout with ops of
 * the user's is walked so. */
const void *ffebmi_readout_forward(const ffebmi_readout *readout, const void *states);

/* Pull the cotangent of its output back through the last forward; returns the cotangent of the states. */
const void *ffebmi_readout_vjp(const ffebmi_readout *readout, const void *cotangent);

/* Add gradient_scale times the gradient to the engine's, and go no further down. */
void ffebmi_readout_gradient(const ffebmi_readout *readout, const void *cotangent, double gradient_scale);

#endif

/* Two blocks of the host's own, as simple as they can be, whose slots a campaign can make fail. */
#ifndef FFEBM_TESTS_BLOCKS_H
#define FFEBM_TESTS_BLOCKS_H

#include <ffebm.h>
#include <stdatomic.h>

enum { BLOCKS_UNITS = 3 };

/* Feedforward: output = tanh(input + b). Energy: E = sum s^2 / 2 - s k x, settled in one go, concurrent. Both have one
 * parameter tensor of BLOCKS_UNITS numbers and count `blocks_destroyed`. */
extern const ffebm_user_feedforward blocks_feedforward;
extern const ffebm_user_energy blocks_energy;
ffebm_user_parameter blocks_parameter(const char *name);

extern atomic_int blocks_destroyed; /* on any thread */

/* What every slot ends with, given one of its outputs: its answer is the slot's. NULL: 0. */
extern int32_t (*blocks_answer)(double *output);

#endif

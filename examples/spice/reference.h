/* reference.h - a file that states what a deep resistive network settles to, against the same network as a circuit. */
#ifndef EXAMPLES_CIRCUIT_REFERENCE_H
#define EXAMPLES_CIRCUIT_REFERENCE_H

#include "block.h"

/* Simulate the network of a safetensors file in float64, and compare: free states, output, states under linear nudges of
 * both signs, EP's gradient by parameters and by the input. Prints a line for each with its largest relative error, max
 * |a - b| / max |b| over a tensor. Then it settles `settles` samples more, and prints the time that one takes and by how much
 * the process that simulates has grown. `config` says where to simulate; its name and text are not looked at. Returns 0; or -1 with the
 * failure filled, also if an error is above 1e-6, or it grows. */
int reference_check(const char *path, const struct circuit_block_config *config, int64_t settles,
                    struct failure *failure);

#endif

/* replace.h - a block of the library's gives way to a circuit in the middle of a training. */
#ifndef EXAMPLES_CIRCUIT_REPLACE_H
#define EXAMPLES_CIRCUIT_REPLACE_H

#include "block.h"

struct replace_settings {
    int64_t epochs; /* before; after it there is one */
    int64_t seed;
    double beta;
};

/* Train linear - resistive network - linear - Hopfield network - linear on the digits, with the library's own blocks. Then
 * build the chain anew with an ngspice circuit for the resistive network, take over parameters and optimizer by a
 * checkpoint, compare the gradients of a batch, and let both chains go on. Prints losses and accuracies before and after. `config`
 * says where to simulate; its name and text are not looked at. Returns 0; or -1 with the failure filled, also if the
 * gradients differ by more than 1e-5, or the losses in the end by more than a twentieth. */
int replace_check(const struct circuit_block_config *config, const struct replace_settings *settings,
                  struct failure *failure);

#endif

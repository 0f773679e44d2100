/* network.h - whether two descriptions are of the same network: same blocks, input, type and loss, whatever the recipe and
 * the first values. */
#ifndef EXAMPLES_NETWORK_H
#define EXAMPLES_NETWORK_H

#include <ffebm.h>

#include "failure.h"

/* Compare two models. Returns 0, or -1 with a failure that begins with `name` and says where the first differs from the
 * `expected` one. */
int network_compare(ffebm_context *context, ffebm_model *model, ffebm_model *expected, const char *name,
                    struct failure *failure);

#endif

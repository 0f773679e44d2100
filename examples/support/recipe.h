/* recipe.h - what a command line says of a recipe, put into the library's terms. */
#ifndef EXAMPLES_RECIPE_H
#define EXAMPLES_RECIPE_H

#include <ffebm.h>

#include "failure.h"

/* Configure all energy blocks alike, but for FFEBM_NUDGING_LOSS: only the last block's error can follow the nudged state,
 * so in the others it is held. On failure the context has the text. */
ffebm_status recipe_configure(ffebm_engine *engine, const ffebm_model *model, const ffebm_equilibrium_config *config);

/* Give parts of the model learning rates and weight decays of their own. `rates` is "PREFIX=RATE[:DECAY],...", factors of
 * the common ones; `frozen` is "PREFIX,..."; NULL: none. Returns 0, or -1 with a failure that names option and part. */
int recipe_rates(ffebm_optimizer *optimizer, ffebm_context *context, const char *rates, const char *frozen,
                 struct failure *failure);

#endif

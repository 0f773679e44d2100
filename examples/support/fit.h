/* fit.h - whether a model and a data set belong together. */
#ifndef EXAMPLES_FIT_H
#define EXAMPLES_FIT_H

#include <ffebm.h>

#include "dataset.h"

/* Check that the model takes as many numbers as an image has ([784] takes [1, 28, 28]) and gives one number a class.
 * Returns 0, or -1 with a failure that names both. */
int fit_check(const ffebm_model *model, const struct dataset *data, const char *name, struct failure *failure);

/* Find the last energy block of a chain: its stage, or FFEBM_NONE. */
size_t fit_find_energy(const ffebm_model *model);

#endif

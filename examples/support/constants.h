/* constants.h - a configuration's settings from a file: a JSON object of numbers, texts and true or false, by their keys. */
#ifndef EXAMPLES_CONSTANTS_H
#define EXAMPLES_CONSTANTS_H

#include <stdio.h>

#include <ffebm.h>

#include "failure.h"

/* Read a file over a configuration of this kind, FFEBM_CONFIG_. Returns 0, or -1 with a failure that names file, line and
 * what was expected. */
int constants_read(ffebm_context *context, void *config, int32_t kind, const char *path, struct failure *failure);

/* Write all settings of a configuration as members of a JSON object, each behind `between` but for the first. */
void constants_write(FILE *file, int32_t kind, const void *config, const char *between);

#endif

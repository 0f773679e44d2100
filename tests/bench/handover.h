/* A gradient with all that it was taken from, for another program to take it again: a safetensors file with the model's
 * description, `param.`, `buffer.` and `gradient.` of each parameter, `input` and `target`. */
#ifndef BENCH_HANDOVER_H
#define BENCH_HANDOVER_H

#include "trainee.h"

/* False, with the reason printed, where it cannot be written. */
bool handover_write(const trainee *t, const char *path);

#endif

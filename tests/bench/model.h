/* Gradients of whole models, without the optimizer. */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include "team.h"

/* Measure and print every model of the table, or the one named `only`, which need not be in the table; those whose file
 * is not there are skipped. With a checkpoint, which goes with `only`: its values. */
void model_measure(const team teams[TEAM_COUNT], size_t count, const char *only, const char *checkpoint);

/* Take one gradient in this process, which should be fresh, and print the most memory that it held. Few sweeps: an
 * engine takes all its memory at once. */
void model_measure_memory(const team *on, const char *name, size_t batch);

#endif

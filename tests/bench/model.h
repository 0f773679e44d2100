/* Whole training steps of the models in examples/models. */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include "team.h"

/* Measure and print every model of the table, or the one named `only`; those whose file is not there are skipped. */
void model_measure(const team teams[TEAM_COUNT], size_t count, const char *only);

/* Take one training step in this process, which should be fresh, and print the most memory that it held. Few sweeps: an
 * engine takes all its memory at once. */
void model_measure_memory(const team *on, const char *name, int64_t batch);

#endif

/* watch.h - whether a training run still gets anywhere. */
#ifndef EXAMPLES_WATCH_H
#define EXAMPLES_WATCH_H

#include <stdint.h>

#include "failure.h"

/* Only numbers, so that a checkpoint can hold it. */
struct watch {
    double steps;
    double untrained; /* what an untrained model loses: by chance, or in the first step if that is more */
    double loss;      /* running means; a single step counts in the loss for no more than twice what is too much */
    double residual;
};

/* How much is too much; 0: never. */
struct watch_limits {
    double loss;     /* times what an untrained model loses */
    double residual; /* largest relative change of a layer in its last free sweep: energy blocks no longer settle */
};

/* What a model that knows nothing loses: all classes alike, or all outputs 0. */
double watch_chance(int32_t loss, int64_t classes);

/* Take in one step: its loss, and the largest residual of its free phases. Returns 0, or -1 with a failure that says what
 * is growing, once the mean over about the last 20 steps is beyond its limit. Before the 20th step there is no judgement:
 * what goes up at first may come down. */
int watch_step(struct watch *watch, const struct watch_limits *limits, double loss, double residual,
               struct failure *failure);

/* Judge a run by the test loss that it ends with, if it was trained at all. Returns as above. */
int watch_end(const struct watch *watch, const struct watch_limits *limits, double test_loss, struct failure *failure);

#endif

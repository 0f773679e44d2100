/* watch.h - whether a training run still gets anywhere. */
#ifndef EXAMPLES_WATCH_H
#define EXAMPLES_WATCH_H

#include "failure.h"

/* Only numbers, so that a checkpoint can hold it. */
struct watch {
    double steps;
    double first_loss; /* mean of the first steps */
    double loss;       /* running means */
    double residual;
};

/* How much is too much; 0: never. */
struct watch_limits {
    double loss;     /* times the loss of the first steps */
    double residual; /* largest relative change of a layer in its last free sweep: energy blocks no longer settle */
};

/* Take in one step: its loss, and the largest residual of its free phases. Returns 0, or -1 with a failure that says what
 * is growing, once the mean over about the last 20 steps is beyond its limit. */
int watch_step(struct watch *watch, const struct watch_limits *limits, double loss, double residual,
               struct failure *failure);

#endif

/* log.h - the log of a training run: one JSON object a line. Every line has "epoch" (from 1) and "step" (done, over all
 * epochs); those about epochs have "test_accuracy" too. docs/training.md lists the keys. */
#ifndef EXAMPLES_LOG_H
#define EXAMPLES_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "failure.h"
#include "meter.h"

struct log {
    FILE *file;
    const char *path;
};

/* What a test has found. */
struct score {
    double loss;
    double accuracy;
    double top5;
};

/* Of an epoch. */
struct scores {
    struct score test;
    struct score validation;
    int32_t validated; /* there are samples for it */
};

/* Where a run stands. */
struct log_place {
    int64_t epoch;  /* the one that a line is about, from 1 */
    int64_t step;   /* done, over all epochs */
    double seconds; /* of the run so far */
};

/* Open a log, or none if path is NULL: a new one; or, when a run is resumed, the old one without what it says of later
 * steps than `steps` and of later epochs than `epochs`, which will be made again. Returns 0, or -1 with the failure. */
int log_create(struct log *log, const char *path, struct failure *failure);
int log_continue(struct log *log, const char *path, int64_t steps, int64_t epochs, struct failure *failure);
void log_close(struct log *log);

/* Write a line about the steps that the meter has summed up, or about an epoch. Nothing without a log. Returns as above. */
int log_steps(struct log *log, const struct log_place *place, const struct meter *meter, struct failure *failure);
int log_epoch(struct log *log, const struct log_place *place, const struct meter *meter, const struct scores *scores,
              struct failure *failure);

#endif

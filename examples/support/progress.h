/* progress.h - what a training run says to the person watching: a bar on a terminal, lines elsewhere. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "meter.h"

struct progress {
    int64_t epochs;
    double drawn; /* when the bar was last drawn, or a line printed */
    int32_t quiet;
    int32_t terminal;
};

/* Where an epoch stands. */
struct progress_view {
    int64_t epoch; /* from 1 */
    size_t done;   /* steps */
    size_t steps;
    double seconds_left; /* of the run */
    const struct meter *meter;
};

void progress_init(struct progress *progress, int64_t epochs, int32_t quiet);

/* Draw the bar, on a terminal and not too often; elsewhere print a line once a minute. */
void progress_step(struct progress *progress, const struct progress_view *view);

/* Say how an epoch went. */
void progress_epoch(struct progress *progress, int64_t epoch, const struct meter *meter, const struct scores *scores,
                    int best);

/* Take the bar away, if there is one: something else is to be said. */
void progress_end(struct progress *progress);

/* Seconds of a clock that only goes forward. */
double progress_clock(void);

#endif

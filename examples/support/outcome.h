/* outcome.h - what a training run says at its end, whichever it is. */
#ifndef EXAMPLES_OUTCOME_H
#define EXAMPLES_OUTCOME_H

#include "log.h"
#include "run.h"

/* Print the last line of stdout, which a run directory gets too. Returns RUN_DONE, or RUN_FAILED with the failure filled. */
int outcome_result(struct run *run, const struct scores *scores);

/* The run is saved, because of a signal: make the failure a sentence that says so, and how to go on. Returns the status of
 * the program. */
int outcome_stopped(struct run *run, int number, int64_t steps);

/* The run has diverged, as the failure says: add after how many steps, and what is left, the last checkpoint being that of
 * `saved` steps. Returns RUN_FAILED. */
int outcome_diverged(struct run *run, int64_t steps, int64_t saved);

#endif

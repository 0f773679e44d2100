/* progress.h - what a training run says: to the person watching, to its log, and at its end. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "failure.h"

/* One epoch, or for the last line the run. */
struct epoch_record {
    int64_t epoch; /* from 1 */
    double train_loss;
    double test_loss;
    double test_accuracy;
    double test_top5;
    double lr;
    double seconds;            /* training and testing */
    double samples_per_second; /* of training */
    size_t unconverged;        /* settlings that missed their tolerance, in training */
    size_t region_changes;
    int64_t sweeps; /* most that a sample took in a phase */
};

struct progress {
    FILE *log;
    const char *log_path;
    int64_t epochs;
    double drawn; /* when the bar was last drawn */
    int32_t quiet;
    int32_t terminal;
};

void progress_init(struct progress *progress, int64_t epochs, int32_t quiet);

/* Draw the bar, on a terminal and not too often. */
void progress_step(struct progress *progress, int64_t epoch, size_t done, size_t total, double loss);

/* Say how an epoch went: a line for people, a line of the log. Returns 0, or -1 with the failure filled. */
int progress_epoch(struct progress *progress, const struct epoch_record *record, struct failure *failure);

/* Seconds of a clock that only goes forward. */
double progress_clock(void);

/* Open the log, if there is a path: a new one, or to go on at its end. Returns 0, or -1 with the failure filled. */
int progress_open_log(struct progress *progress, const char *path, int resume, struct failure *failure);
void progress_close_log(struct progress *progress);

/* Print the last line of stdout; `trained` 0: no training loss to tell. Returns as progress_epoch. */
int progress_result(const struct epoch_record *record, int trained, struct failure *failure);

#endif

/* note.h - what a checkpoint of a training run remembers beside model and optimizer: where the run stands, as JSON in the
 * checkpoint's note. Random numbers are pure functions of seed, epoch and step, so these are all their state. */
#ifndef EXAMPLES_NOTE_H
#define EXAMPLES_NOTE_H

#include <ffebm.h>

#include "failure.h"
#include "meter.h"
#include "watch.h"

struct run_note {
    int64_t epoch; /* epochs done, testing included */
    int64_t step;  /* steps done in the epoch after these */
    int64_t seed;
    int64_t batch;   /* samples a step, */
    int64_t samples; /* and an epoch: what `step` counts in */
    int64_t data;    /* fingerprint of the data set */
    int64_t best_epoch;
    int64_t validation;        /* samples held out */
    double best_accuracy;      /* on these, or on the test samples if there are none; -1: not tested yet */
    double best_test_accuracy; /* of the same epoch */
    double seconds;            /* that the run has taken, in all its processes */
    double training_samples;   /* trained on in */
    double training_seconds;   /* so many, for the mean speed */
    struct watch watch;
    struct meter epoch_meter;    /* of the epoch that is not done */
    struct meter interval_meter; /* since the last line of the log */
};

/* Make the note of a run that has not begun. Returns 0, or -1 with the failure filled; destroy it in both cases. */
int note_create(struct run_note *note, const ffebm_model *model, struct failure *failure);
void note_destroy(struct run_note *note);

/* Read the note of a checkpoint of the same model over one that has been created. Returns 0, or -1 with the failure
 * filled. */
int note_read(ffebm_context *context, struct run_note *note, const char *path, struct failure *failure);

/* Save a checkpoint with this note. Returns 0, or -1 with the failure filled. */
int note_save(struct run_note *note, ffebm_context *context, ffebm_model *model, const ffebm_optimizer *optimizer,
              const char *path, struct failure *failure);

#endif

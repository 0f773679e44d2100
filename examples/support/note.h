/* note.h - what a checkpoint of a training run remembers beside model and optimizer: the epochs done and the seed, as
 * JSON in the checkpoint's note. All else of a run follows from these two and from its options. */
#ifndef EXAMPLES_NOTE_H
#define EXAMPLES_NOTE_H

#include <ffebm.h>

#include "failure.h"

struct run_note {
    int64_t epoch; /* done */
    int64_t seed;
};

/* Read the note of a checkpoint. Returns 0, or -1 with the failure filled. */
int note_read(ffebm_context *context, struct run_note *note, const char *path, struct failure *failure);

/* Save a checkpoint with this note. */
ffebm_status note_save(ffebm_model *model, const ffebm_optimizer *optimizer, const struct run_note *note,
                       const char *path);

#endif

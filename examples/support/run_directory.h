/* run_directory.h - the directory that holds everything of a training run:
 *
 *   model.json         the model's description, complete, with the recipe in force
 *   settings.json      what it is trained with, see settings_file.h
 *   log.jsonl          the log
 *   last.safetensors   the checkpoint to go on from
 *   best.safetensors   the one of the best epoch
 *   result.json        what the program printed at its end; not there before
 */
#ifndef EXAMPLES_RUN_DIRECTORY_H
#define EXAMPLES_RUN_DIRECTORY_H

#include <ffebm.h>

#include "failure.h"

enum { RUN_PATH = 1024 };

struct run_directory {
    const char *path; /* borrowed */
    char model[RUN_PATH];
    char settings[RUN_PATH];
    char log[RUN_PATH];
    char last[RUN_PATH];
    char best[RUN_PATH];
    char result[RUN_PATH];
};

/* Is there a directory at this path? */
int run_directory_exists(const char *path);

/* Put the names together. Returns 0, or -1 with a failure if they are too long. */
int run_directory_name(struct run_directory *directory, const char *path, struct failure *failure);

/* Make the directory, with those above it, if it is not there. Returns 0, or -1 with a failure, also if a run lives there
 * already. */
int run_directory_make(const struct run_directory *directory, struct failure *failure);

/* Let no other process have the run while this one lives. Returns 0, or -1 with a failure if another has it. */
int run_directory_lock(const struct run_directory *directory, struct failure *failure);

/* Write the model's description. Returns 0, or -1 with the failure filled. */
int run_directory_write_model(const struct run_directory *directory, ffebm_context *context, ffebm_model *model,
                              struct failure *failure);

#endif

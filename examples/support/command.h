/* command.h - what a command line asks of a run, and whether it can be done: the run to go on with, the places to write to. */
#ifndef EXAMPLES_COMMAND_H
#define EXAMPLES_COMMAND_H

#include "run.h"

/* Read a command line, and before it the settings of the run that is to be resumed: both come to stand in the run's
 * arguments and settings. Returns RUN_DONE, or RUN_FAILED or RUN_MISUSED with the failure filled. */
int command_read(struct run *run, int argc, char **argv);

/* Read the run's arguments over the defaults: those of a model, or without one those of any. Returns as above. */
int command_parse(struct run *run, const ffebm_model *model, int64_t seed);

#endif

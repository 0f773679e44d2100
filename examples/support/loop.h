/* loop.h - the training of a run: steps, epochs, tests, checkpoints, and what ends it. */
#ifndef EXAMPLES_LOOP_H
#define EXAMPLES_LOOP_H

#include "run.h"

/* Train what is left of the run, and print its result. Returns RUN_DONE; RUN_FAILED, also where training diverges; or 128
 * and the number of the signal that has stopped it, with what there is to say as the run's failure. */
int loop_run(struct run *run);

#endif

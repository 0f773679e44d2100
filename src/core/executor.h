/* The executor: on whose threads work is done, the caller's alone, the library's own too, or the host's. parallel.h cuts work
 * up for it. */
#ifndef FFEBMI_CORE_EXECUTOR_H
#define FFEBMI_CORE_EXECUTOR_H

#include <stdbool.h>

#include <ffebm/core.h>

#include "core/pool.h"
#include "core/strict.h"

typedef struct ffebmi_executor {
    ffebm_run_fn run; /* NULL: serial */
    void *run_user;
    ffebmi_pool *pool; /* NULL: none of ours */
    size_t workers;    /* most pieces at once */
} ffebmi_executor;

/* Set up an executor of so many workers, 0: one for each processor that the process may use. *bytes is how much memory it
 * needs, set to zero, for threads of our own; 0: it has none, and need not be started. False if this build has no threads
 * for it. */
bool ffebmi_executor_prepare(ffebmi_executor *executor, ffebm_run_fn run, void *run_user, size_t workers,
                             size_t *bytes);

/* Start its threads in that memory; false where there are none to be had. */
bool ffebmi_executor_start(ffebmi_executor *executor, void *memory);

/* End them. Returns the memory, NULL if there was none. */
void *ffebmi_executor_stop(ffebmi_executor *executor);

#endif

/* Threads of the library's own, for an executor; there are none without FFEBMI_WITH_THREADS. */
#ifndef FFEBMI_CORE_POOL_H
#define FFEBMI_CORE_POOL_H

#include <stdbool.h>

#include <ffebm/core.h>

#include "core/parts.h"
#include "core/strict.h"

typedef struct ffebmi_pool ffebmi_pool;

/* How much memory so many threads take, set to zero before they start. */
size_t ffebmi_pool_bytes(size_t thread_count);

/* False where there are not so many threads to be had: then none is left. */
bool ffebmi_pool_start(ffebmi_pool *pool, size_t thread_count);
void ffebmi_pool_stop(ffebmi_pool *pool);

/* An ffebm_run_fn of a pool: the caller works too. */
void ffebmi_pool_run(void *user, ffebm_task_fn task, void *task_user, size_t count);

#endif

/* Independent pieces of work, spread over a context's executor. */
#ifndef FFEBMI_CORE_PARALLEL_H
#define FFEBMI_CORE_PARALLEL_H

#include <ffebm/core.h>

#include "core/strict.h"

/* One piece of work. `worker` is below the executor's workers and no two pieces run at once with the same one, so it
 * chooses a workspace; a result must not depend on it. */
typedef void (*ffebmi_work_fn)(void *user, size_t worker, size_t index);

/* Do work(user, worker, i) for each i < count, and return when all are done. Allocates nothing. */
void ffebmi_parallel(ffebm_context *context, size_t count, ffebmi_work_fn work, void *user);

/* As ffebmi_parallel, over ranges of `grain` of `total` items; the cuts do not depend on the number of threads. */
typedef void (*ffebmi_range_fn)(void *user, size_t worker, size_t first, size_t count);
void ffebmi_parallel_ranges(ffebm_context *context, size_t total, size_t grain, ffebmi_range_fn work, void *user);

#endif

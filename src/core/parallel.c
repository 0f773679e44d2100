#include "core/parallel.h"

#include "core/context.h"
#include "core/parts.h"

#ifdef FFEBMI_WITH_THREADS
#include <stdatomic.h>
#endif

typedef struct job {
    ffebmi_work_fn work;
    void *user;
    size_t count;
    size_t workers;
#ifdef FFEBMI_WITH_THREADS
    atomic_size_t next;
#endif
} job;

/* A task is a worker. No result may depend on which piece it does. */
static void worker_task(void *task_user, size_t worker)
{
    job *j = task_user;

#ifdef FFEBMI_WITH_THREADS /* pieces are taken as they come */
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->count;)
        j->work(j->user, worker, i);
#else /* a processor may have no atomic operations: they are dealt out */
    for (size_t i = worker; i < j->count; i += j->workers)
        j->work(j->user, worker, i);
#endif
}

void ffebmi_parallel(ffebm_context *context, size_t count, ffebmi_work_fn work, void *user)
{
    const ffebmi_executor *executor = &context->executor;
    job j = {
        .work = work, .user = user, .count = count, .workers = count < executor->workers ? count : executor->workers};

    if (executor->run == NULL || executor->workers == 1 || count < 2) {
        for (size_t i = 0; i < count; i++)
            work(user, 0, i);
        return;
    }
#ifdef FFEBMI_WITH_THREADS
    atomic_init(&j.next, 0);
#endif
    executor->run(executor->run_user, worker_task, &j, j.workers);
}

typedef struct ranges {
    ffebmi_range_fn work;
    void *user;
    size_t total;
    size_t grain;
} ranges;

static void one_range(void *user, size_t worker, size_t index)
{
    const ranges *r = user;
    size_t first = index * r->grain;
    size_t left = r->total - first;

    r->work(r->user, worker, first, left < r->grain ? left : r->grain);
}

void ffebmi_parallel_ranges(ffebm_context *context, size_t total, size_t grain, ffebmi_range_fn work, void *user)
{
    ranges r = {.work = work, .user = user, .total = total, .grain = grain};

    ffebmi_parallel(context, (total + grain - 1) / grain, one_range, &r);
}

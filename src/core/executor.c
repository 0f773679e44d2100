#include "core/executor.h"

#include "core/processors.h"

#ifdef FFEBMI_WITH_THREADS

bool ffebmi_executor_prepare(ffebmi_executor *executor, ffebm_run_fn run, void *run_user, size_t workers, size_t *bytes)
{
    *executor = (ffebmi_executor){.run = run, .run_user = run_user, .workers = workers};
    if (workers == 0)
        executor->workers = ffebmi_processors();
    *bytes = run != NULL || executor->workers == 1 ? 0 : ffebmi_pool_bytes(executor->workers - 1);
    return true;
}

bool ffebmi_executor_start(ffebmi_executor *executor, void *memory)
{
    if (!ffebmi_pool_start(memory, executor->workers - 1))
        return false;
    executor->pool = memory;
    executor->run = ffebmi_pool_run;
    executor->run_user = executor->pool;
    return true;
}

void *ffebmi_executor_stop(ffebmi_executor *executor)
{
    ffebmi_pool *pool = executor->pool;

    executor->pool = NULL;
    if (pool != NULL)
        ffebmi_pool_stop(pool);
    return pool;
}

#else /* the caller's thread, or those of the host's run */

bool ffebmi_executor_prepare(ffebmi_executor *executor, ffebm_run_fn run, void *run_user, size_t workers, size_t *bytes)
{
    *executor = (ffebmi_executor){.run = run, .run_user = run_user, .workers = workers == 0 ? 1 : workers};
    *bytes = 0;
    return run != NULL || executor->workers == 1;
}

bool ffebmi_executor_start(ffebmi_executor *executor, void *memory)
{
    (void)memory;
    return executor->run != NULL;
}

void *ffebmi_executor_stop(ffebmi_executor *executor)
{
    (void)executor;
    return NULL;
}

#endif

#include "core/executor.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/context.h"
#include "core/processors.h"

/* ---------------------------------------------------------------------------------------------- our own threads */

struct ffebmi_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t done;
    ffebm_task_fn task;
    void *task_user;
    size_t count;     /* tasks of the present run */
    size_t next;      /* the first that nobody has taken */
    size_t remaining; /* those that have not returned */
    bool stop;
    pid_t process; /* the one that has the threads: a child made by fork has none of them */
    size_t thread_count;
    pthread_t threads[];
};

/* Take tasks until none is left. The lock is held on entry and on return. */
static void work_off(ffebmi_pool *pool)
{
    while (pool->next < pool->count) {
        size_t index = pool->next++;

        pthread_mutex_unlock(&pool->lock);
        pool->task(pool->task_user, index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->remaining == 0)
            pthread_cond_signal(&pool->done);
    }
}

static void *thread_main(void *argument)
{
    ffebmi_pool *pool = argument;

    pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        work_off(pool);
        if (!pool->stop)
            pthread_cond_wait(&pool->wake, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void pool_run(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    ffebmi_pool *pool = user;

    if (pool->process != getpid()) {
        for (size_t i = 0; i < count; i++)
            task(task_user, i);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->task_user = task_user;
    pool->count = pool->remaining = count;
    pool->next = 0;
    pthread_cond_broadcast(&pool->wake);
    work_off(pool);
    while (pool->remaining > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pool->count = pool->next = 0;
    pthread_mutex_unlock(&pool->lock);
}

static void pool_stop(ffebm_context *context, ffebmi_pool *pool)
{
    if (pool->process != getpid()) {
        ffebmi_release(context, pool); /* nobody to wait for; the lock is as the fork found it */
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    ffebmi_release(context, pool);
}

/* The host's signals are for the host's threads. Those that a fault raises where it occurs, and a profiler's, stay. */
static void signals_of_ours(sigset_t *blocked)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};

    sigfillset(blocked);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        sigdelset(blocked, open[i]);
}

static bool start_threads(ffebmi_pool *pool, size_t thread_count)
{
    sigset_t ours, hosts;
    bool started = true;

    signals_of_ours(&ours);
    pthread_sigmask(SIG_BLOCK, &ours, &hosts); /* threads inherit it */
    while (started && pool->thread_count < thread_count) {
        started = pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool) == 0;
        pool->thread_count += started;
    }
    pthread_sigmask(SIG_SETMASK, &hosts, NULL);
    return started;
}

static ffebmi_pool *pool_start(ffebm_context *context, size_t thread_count)
{
    ffebmi_pool *pool = ffebmi_allocate(context, 1, sizeof *pool + thread_count * sizeof pool->threads[0]);

    if (pool == NULL)
        return NULL;
    pool->process = getpid();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    if (!start_threads(pool, thread_count)) {
        pool_stop(context, pool);
        return NULL;
    }
    return pool;
}

/* ------------------------------------------------------------------------------------------------- the executor */

ffebm_status ffebmi_executor_start(ffebm_context *context, ffebmi_executor *executor, ffebm_run_fn run, void *run_user,
                                   size_t threads)
{
    executor->workers = threads > 0 ? threads : ffebmi_processors();
    executor->run = run;
    executor->run_user = run_user;
    if (run != NULL || executor->workers == 1)
        return FFEBM_OK;
    executor->pool = pool_start(context, executor->workers - 1); /* the caller works too */
    if (executor->pool == NULL)
        return FFEBM_ERR_NOMEM;
    executor->run = pool_run;
    executor->run_user = executor->pool;
    return FFEBM_OK;
}

void ffebmi_executor_stop(ffebm_context *context, ffebmi_executor *executor)
{
    if (executor->pool != NULL)
        pool_stop(context, executor->pool);
    executor->pool = NULL;
}

typedef struct job {
    ffebmi_work_fn work;
    void *user;
    size_t count;
    atomic_size_t next;
} job;

/* A task is a worker that takes pieces as they come: which piece lands on which worker is left to chance, which is why
 * no result may depend on it. */
static void worker_task(void *task_user, size_t worker)
{
    job *j = task_user;

    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->count;)
        j->work(j->user, worker, i);
}

void ffebmi_parallel(ffebm_context *context, size_t count, ffebmi_work_fn work, void *user)
{
    const ffebmi_executor *executor = &context->executor;
    job j = {.work = work, .user = user, .count = count};

    if (executor->run == NULL || executor->workers == 1 || count < 2) {
        for (size_t i = 0; i < count; i++)
            work(user, 0, i);
        return;
    }
    atomic_init(&j.next, 0);
    executor->run(executor->run_user, worker_task, &j, count < executor->workers ? count : executor->workers);
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

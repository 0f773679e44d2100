#include "core/pool.h"

#ifdef FFEBMI_WITH_THREADS

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

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

size_t ffebmi_pool_bytes(size_t thread_count)
{
    return sizeof(ffebmi_pool) + thread_count * sizeof(pthread_t);
}

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

void ffebmi_pool_run(void *user, ffebm_task_fn task, void *task_user, size_t count)
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

void ffebmi_pool_stop(ffebmi_pool *pool)
{
    if (pool->process != getpid())
        return; /* nobody to wait for; the lock is as the fork found it */
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
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

bool ffebmi_pool_start(ffebmi_pool *pool, size_t thread_count)
{
    pool->process = getpid();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    if (start_threads(pool, thread_count))
        return true;
    ffebmi_pool_stop(pool);
    return false;
}

#endif

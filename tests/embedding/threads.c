/* Several threads of a host, each with a context of its own: serial, with threads of the library's, and with a run of the
 * host's. All come to the same bits. Built with ThreadSanitizer (make check-threads) it shows that contexts share
 * nothing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "work.h"

enum { HOSTS = 6, DAYS = 3, MOST = 8 };

/* The host's way of running tasks: a thread each. */
typedef struct errand {
    ffebm_task_fn task;
    void *task_user;
    size_t index;
} errand;

static void *do_errand(void *argument)
{
    const errand *e = argument;

    e->task(e->task_user, e->index);
    return NULL;
}

static void run(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    errand errands[MOST];
    pthread_t threads[MOST];

    (void)user;
    require(count <= MOST, "%zu tasks at once", count);
    for (size_t i = 0; i < count; i++) {
        errands[i] = (errand){task, task_user, i};
        require(pthread_create(&threads[i], NULL, do_errand, &errands[i]) == 0, "no thread");
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void *live(void *argument)
{
    uint64_t *sum = argument;
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = *sum % 3 == 0 ? 1 : 3;
    config.run = *sum % 3 == 2 ? run : NULL;
    for (int day = 0; day < DAYS; day++) {
        uint64_t found = day_of_work(&config);

        require(day == 0 || found == *sum, "day %d gave other bits", day);
        *sum = found;
        bad_day(&config);
    }
    return NULL;
}

int main(void)
{
    uint64_t sums[HOSTS];
    pthread_t hosts[HOSTS];

    for (size_t i = 0; i < HOSTS; i++) {
        sums[i] = i; /* which kind of host */
        require(pthread_create(&hosts[i], NULL, live, &sums[i]) == 0, "no thread");
    }
    for (size_t i = 0; i < HOSTS; i++) {
        pthread_join(hosts[i], NULL);
        require(sums[i] == sums[0], "host %zu came to other bits", i);
    }
    printf("threads: %d hosts at once, the same bits\n", HOSTS);
    return EXIT_SUCCESS;
}

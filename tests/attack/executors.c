/* Executors, cancels and small stacks. The same work gives the same bits whoever runs the library's tasks: its own
 * threads, the host's in any order, late ones, ones with little stack, and several contexts at once. A call that is
 * cancelled at any question, or whose block of the host's own fails at any call, changes nothing, and the next one gives
 * the bits of a run in which that has not been. The long version is built with ThreadSanitizer. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attack/support/blocks.h"
#include "attack/support/campaign.h"
#include "attack/support/subject.h"

/* What docs/embedding.md says is enough for a thread that runs tasks, and for one that calls the library. */
enum { TASK_STACK = 128 << 10, HOST_STACK = 256 << 10 };

enum { ROWS = 37, ESTIMATORS = 6, STEPS = 2, MOST_TASKS = 16, HOSTS = 4 };

static uint64_t expected[SUBJECTS][ESTIMATORS + 1];

/* ------------------------------------------------------------------------------------------------------- the work */

/* Two steps, an evaluation, and forward and back by hand; returns the first failure. */
static ffebm_status work(subject *s, uint64_t *bits)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_tensor *gradient = ffebm_engine_flat_gradient(s->engine);
    ffebm_status status = FFEBM_OK;

    for (uint64_t i = 0; i < STEPS && status == FFEBM_OK; i++) {
        ffebm_engine_set_step(s->engine, 10 * i);
        status = ffebm_engine_gradient(s->engine, NULL, s->x, s->y, NULL);
        status = status == FFEBM_OK ? ffebm_optimizer_step(s->optimizer, s->engine) : status;
    }
    if (status == FFEBM_OK)
        status = ffebm_engine_evaluate(s->engine, &report, NULL, s->x, s->y, NULL);
    *bits = bits_of(subject_bits(s), &report.loss, sizeof report.loss);
    *bits = bits_of(*bits, ffebm_tensor_data(gradient), ffebm_tensor_count(gradient) * sizeof(float));
    return status;
}

static uint64_t work_in(const ffebm_context_config *config, int kind, int32_t estimator)
{
    subject s;
    uint64_t bits;

    subject_open(&s, config, kind, ROWS, estimator);
    subject_check(&s, work(&s, &bits));
    subject_close(&s);
    return bits;
}

/* -------------------------------------------------------------------------------------------------- who runs tasks */

typedef struct errand {
    ffebm_task_fn task;
    void *user;
    size_t index;
    unsigned microseconds; /* that it comes late */
} errand;

static void *do_errand(void *argument)
{
    const errand *e = argument;
    const struct timespec late = {0, 1000L * e->microseconds};

    if (e->microseconds > 0)
        nanosleep(&late, NULL);
    e->task(e->user, e->index);
    return NULL;
}

static pthread_t start(void *(*run)(void *), void *argument, size_t stack)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    if ((stack > 0 && pthread_attr_setstacksize(&attributes, stack) != 0) ||
        pthread_create(&thread, &attributes, run, argument) != 0) {
        printf("no thread with a stack of %zu bytes\n", stack);
        exit(2);
    }
    pthread_attr_destroy(&attributes);
    return thread;
}

/* Last task first, on the caller's thread. */
static void backwards(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    (void)user;
    while (count-- > 0)
        task(task_user, count);
}

/* Each on a thread of its own, one after the other. */
static void in_turn(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    (void)user;
    while (count-- > 0) {
        errand e = {task, task_user, count, 0};

        pthread_join(start(do_errand, &e, 0), NULL);
    }
}

/* The last one here, then the others elsewhere. */
static void mixed(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    task(task_user, count - 1);
    in_turn(user, task, task_user, count - 1);
}

/* One row of the table below; it is its own `user`. */
typedef struct executor {
    const char *name;
    ffebm_run_fn run; /* NULL: the library's threads */
    int32_t threads;
    size_t stack;
    unsigned late; /* so many microseconds for the second task, twice as many for the third */
} executor;

/* All at once. */
static void at_once(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    const executor *x = user;
    errand errands[MOST_TASKS];
    pthread_t threads[MOST_TASKS];

    for (size_t i = 0; i < count; i++) {
        errands[i] = (errand){task, task_user, count - 1 - i, (unsigned)i * x->late};
        threads[i] = start(do_errand, &errands[i], x->stack);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static const executor executors[] = {
    {"2 threads of the library's", NULL, 2, 0, 0},
    {"3 threads of the library's", NULL, 3, 0, 0},
    {"16 threads of the library's", NULL, 16, 0, 0},
    {"backwards", backwards, 4, 0, 0},
    {"in turn", in_turn, 4, 0, 0},
    {"mixed", mixed, 3, 0, 0},
    {"at once", at_once, 4, 0, 0},
    {"late", at_once, 3, 0, 100},
    {"small stacks", at_once, 4, TASK_STACK, 0},
};
enum { EXECUTORS = sizeof executors / sizeof *executors };

static void configure(ffebm_context_config *config, const executor *x)
{
    ffebm_context_config_init(config, sizeof *config);
    config->threads = x->threads;
    config->run = x->run;
    config->run_user = (void *)(uintptr_t)x;
}

static void run_on_each(campaign *c, int32_t estimator)
{
    for (int i = 0; i < EXECUTORS; i++)
        for (int kind = 0; kind < SUBJECTS; kind++, c->cases++) {
            ffebm_context_config config;

            configure(&config, &executors[i]);
            if (work_in(&config, kind, estimator) != expected[kind][estimator])
                campaign_finding(c, "%s, subject %d, estimator %d: other bits", executors[i].name, kind, estimator);
        }
}

/* ------------------------------------------------------------------------------------------- several hosts at once */

typedef struct host {
    int number;
    size_t wrong;
} host;

static void *live(void *argument)
{
    host *h = argument;

    for (int day = 0; day < SUBJECTS; day++) {
        int kind = (h->number + day) % SUBJECTS;
        int32_t estimator = 1 + (2 * h->number + day) % ESTIMATORS;
        ffebm_context_config config;

        configure(&config, &executors[(h->number * SUBJECTS + day) % EXECUTORS]);
        h->wrong += work_in(&config, kind, estimator) != expected[kind][estimator];
    }
    return NULL;
}

static void several_hosts(campaign *c)
{
    host hosts[HOSTS];
    pthread_t threads[HOSTS];

    for (int i = 0; i < HOSTS; i++) {
        hosts[i] = (host){.number = i};
        threads[i] = start(live, &hosts[i], HOST_STACK);
    }
    for (int i = 0; i < HOSTS; i++) {
        pthread_join(threads[i], NULL);
        if (hosts[i].wrong > 0)
            campaign_finding(c, "host %d of %d at once: other bits", i, HOSTS);
        c->cases += SUBJECTS;
    }
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("executors", argc, argv);

    for (int kind = 0; kind < SUBJECTS; kind++)
        for (int32_t estimator = 1; estimator <= ESTIMATORS; estimator++)
            expected[kind][estimator] = work_in(NULL, kind, estimator);
    for (size_t round = 0; campaign_another(&c, round, 1); round++) {
        run_on_each(&c, 1 + (int32_t)campaign_draw(&c, ESTIMATORS));
        several_hosts(&c);
    }
    return campaign_close(&c);
}

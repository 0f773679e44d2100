/* Calls that end in the middle: cancelled at every question that the library asks, or with a block of the host's own that
 * fails, leaves a NaN or wants to be called again for ever, at every call of it. Nothing has changed then, and the next
 * step gives the bits of a run in which that has not been. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "attack/support/blocks.h"
#include "attack/support/campaign.h"
#include "attack/support/subject.h"

enum { ROWS = 5, ESTIMATORS = 6, OWN_ENERGY = 2, SHORT_STRIDE = 2 };

/* ---------------------------------------------------------------------------------------------- what interrupts it */

static atomic_long calls; /* of cancel or of a slot, which may settle on several threads */
static long at;           /* the one that fails; 0: none */

static int32_t cancel_at(void *user)
{
    (void)user;
    return atomic_fetch_add(&calls, 1) + 1 == at;
}

static int32_t refuse(double *output)
{
    (void)output;
    return atomic_fetch_add(&calls, 1) + 1 == at ? -5 : 0;
}

static int32_t spoil(double *output)
{
    if (atomic_fetch_add(&calls, 1) + 1 == at)
        *output = NAN;
    return 0;
}

static int32_t ask_again(double *output)
{
    (void)output;
    return atomic_fetch_add(&calls, 1) + 1 >= at && at > 0 ? FFEBM_RETRY : 0;
}

typedef struct manner {
    const char *name;
    ffebm_cancel_fn cancel;
    int32_t (*answer)(double *output);
    ffebm_status status;
} manner;

static const manner manners[] = {
    {"cancelled", cancel_at, NULL, FFEBM_ERR_CANCELLED},
    {"a slot fails", NULL, refuse, FFEBM_ERR_USER},
    {"a slot leaves NaN", NULL, spoil, FFEBM_ERR_NUMERIC},
    {"a slot wants to be called again", NULL, ask_again, FFEBM_ERR_USER},
};
enum { MANNERS = sizeof manners / sizeof *manners };

/* ----------------------------------------------------------------------------------------------- what is interrupted */

static ffebm_status nothing(subject *s)
{
    (void)s;
    return FFEBM_OK;
}

static ffebm_status gradient(subject *s)
{
    return ffebm_engine_gradient(s->engine, NULL, s->x, s->y, NULL);
}

static ffebm_status evaluate(subject *s)
{
    return ffebm_engine_evaluate(s->engine, NULL, NULL, s->x, s->y, NULL);
}

static uint64_t ticket; /* of the last forward that succeeded */

static ffebm_status forward(subject *s)
{
    uint64_t given;
    ffebm_status status = ffebm_engine_forward(s->engine, NULL, &given, s->x);

    ticket = status == FFEBM_OK ? given : ticket;
    return status;
}

static ffebm_status vjp(subject *s)
{
    const int64_t shape[] = {ROWS, SUBJECT_CLASSES};
    ffebm_tensor *cotangent;
    ffebm_status status;

    subject_check(s, ffebm_tensor_create(s->context, &cotangent, ffebm_tensor_dtype(s->x), shape, 2));
    status = ffebm_engine_vjp(s->engine, NULL, ticket, cotangent, 0);
    ffebm_tensor_destroy(cotangent);
    return status;
}

static ffebm_status certify(subject *s)
{
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 1;
    config.adjoint_sweeps = 100;
    return ffebm_engine_certify(s->engine, NULL, s->x, s->y, NULL, &config);
}

static int32_t visit(void *user, const ffebm_trace_point *point)
{
    (void)user;
    (void)point;
    return 0;
}

static ffebm_status trace(subject *s)
{
    return ffebm_engine_trace(s->engine, s->x, s->y, NULL, visit, NULL);
}

static ffebm_status initialize(subject *s)
{
    return ffebm_model_initialize(s->model, 9);
}

typedef struct operation {
    const char *name;
    ffebm_status (*prepare)(subject *s); /* undisturbed */
    ffebm_status (*run)(subject *s);
    bool any_estimator; /* the same for each: try one */
} operation;

static const operation operations[] = {
    {"gradient", nothing, gradient, false},    {"evaluate", nothing, evaluate, true},
    {"forward", nothing, forward, true},       {"vjp", forward, vjp, false},
    {"certify", nothing, certify, true},       {"trace", nothing, trace, true},
    {"initialize", nothing, initialize, true},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* ----------------------------------------------------------------------------------------------------------- a case */

typedef struct target {
    const operation *operation;
    const manner *manner;
    int kind;
    int32_t estimator;
} target;

static void open(subject *s, const target *t, long k)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = (int32_t)(1 + k % 3);
    config.cancel = t->manner->cancel;
    at = 0;
    blocks_answer = t->manner->answer;
    subject_open(s, &config, t->kind, ROWS, t->estimator);
    subject_check(s, t->operation->prepare(s));
}

/* What comes of a step taken now. */
static uint64_t next_bits(subject *s)
{
    ffebm_engine_set_step(s->engine, 5);
    subject_check(s, gradient(s));
    subject_check(s, ffebm_optimizer_step(s->optimizer, s->engine));
    return subject_bits(s);
}

static uint64_t undisturbed_bits(const target *t)
{
    subject s;
    uint64_t bits;

    open(&s, t, 0);
    bits = next_bits(&s);
    subject_close(&s);
    return bits;
}

/* Interrupt it at the k-th call; false where there is none. */
static bool interrupt(campaign *c, const target *t, long k, uint64_t expected)
{
    subject s;
    uint64_t before;
    ffebm_status status;
    bool reached;

    open(&s, t, k);
    before = subject_bits(&s);
    calls = 0;
    at = k;
    status = t->operation->run(&s);
    reached = calls >= k;
    at = 0;
    if (reached) {
        c->cases++;
        if (status != t->manner->status)
            campaign_finding(c, "%s, subject %d, estimator %d, %s at call %ld: status %d: %s", t->operation->name,
                             t->kind, t->estimator, t->manner->name, k, status, ffebm_context_error(s.context));
        if (subject_bits(&s) != before || next_bits(&s) != expected)
            campaign_finding(c, "%s, subject %d, estimator %d, %s at call %ld: other bits", t->operation->name, t->kind,
                             t->estimator, t->manner->name, k);
    }
    subject_close(&s);
    return reached;
}

static void attack(campaign *c, const target *t, long stride)
{
    uint64_t expected = undisturbed_bits(t);

    for (long k = 1 + (long)campaign_draw(c, (size_t)stride); interrupt(c, t, k, expected);
         k += 1 + (long)campaign_draw(c, (size_t)(2 * stride - 1)))
        ;
}

static void attack_each(campaign *c, int kind, const manner *m)
{
    for (int o = 0; o < OPERATIONS; o++)
        for (int32_t estimator = 1; estimator <= ESTIMATORS; estimator++) {
            const target t = {&operations[o], m, kind, estimator};

            if (estimator == 1 || !operations[o].any_estimator)
                attack(c, &t, c->ends == 0 ? SHORT_STRIDE : 1);
        }
}

/* ---------------------------------------------------------------------------------------------- from another thread */

static atomic_int wanted;

static int32_t is_wanted(void *user)
{
    (void)user;
    return atomic_load(&wanted);
}

static void *want(void *argument)
{
    const long *microseconds = argument;
    const struct timespec wait = {0, 1000L * *microseconds};

    nanosleep(&wait, NULL);
    atomic_store(&wanted, 1);
    return NULL;
}

/* At any time: it is cancelled, or it is done. */
static void cancel_from_elsewhere(campaign *c, int kind)
{
    static const manner elsewhere = {"cancelled from elsewhere", is_wanted, NULL, FFEBM_ERR_CANCELLED};
    const target t = {&operations[0], &elsewhere, kind, 1};
    const uint64_t expected = undisturbed_bits(&t);
    long microseconds = (long)campaign_draw(c, 3000);
    pthread_t thread;
    subject s;
    uint64_t before;
    ffebm_status status;

    open(&s, &t, (long)campaign_draw(c, 3));
    before = subject_bits(&s);
    if (pthread_create(&thread, NULL, want, &microseconds) != 0)
        exit(2);
    status = gradient(&s);
    pthread_join(thread, NULL);
    atomic_store(&wanted, 0);
    c->cases++;
    if (status != FFEBM_OK && status != FFEBM_ERR_CANCELLED)
        campaign_finding(c, "cancelled from elsewhere: status %d: %s", status, ffebm_context_error(s.context));
    if (status == FFEBM_ERR_CANCELLED && (subject_bits(&s) != before || next_bits(&s) != expected))
        campaign_finding(c, "cancelled from elsewhere, subject %d: other bits", kind);
    subject_close(&s);
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("interrupt", argc, argv);

    for (size_t round = 0; campaign_another(&c, round, 1); round++)
        for (int kind = 0; kind < SUBJECTS; kind++) {
            for (int m = 0; m < (kind == SUBJECT_OWN ? MANNERS : 1); m++)
                attack_each(&c, kind, &manners[m]);
            cancel_from_elsewhere(&c, kind);
        }
    return campaign_close(&c);
}

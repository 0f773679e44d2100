/* Gradients of models by their recipes, without the optimizer, settled in four ways by turns: with all sweeps, by
 * tolerances, by these in mixed precision, and by implicit differentiation. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "line.h"
#include "trainee.h"

enum { ROUNDS = 3, BATCH = 32 };
#define SECONDS_A_REPEAT 0.1

typedef struct entry {
    const char *name;
    size_t batch;
    double most_seconds; /* no measurement starts later than this, but the first of each kind */
} entry;

static const entry table[] = {
    {"digits", BATCH, 10},  {"fashion_dense", 64, 10},        {"fashion_conv", BATCH, 10},
    {"dense_784", 128, 10}, {"scaling_small_100", BATCH, 16}, {"splitting_small_3block_10", BATCH, 16}};

/* Fixed comes first: the others' gradients are compared with its own. */
enum { FIXED, TOLERANCE, MIXED, IMPLICIT, SETTLINGS };
static const char *const settlings[SETTLINGS] = {"fixed", "tolerance", "mixed", "implicit"};

typedef struct measured {
    size_t runs; /* that make a repeat */
    repeats total;
    repeats settling;
    trainee_step last;
    double cosine; /* the smallest of a parameter's gradient, to that of fixed */
    const char *parameter;
} measured;

typedef struct measurement {
    trainee t;
    measured kinds[SETTLINGS];
    repeats forward;
    float *fixed; /* the gradient */
} measurement;

static ffebm_status configure(trainee *t, size_t kind)
{
    bool tolerant = kind == TOLERANCE || kind == MIXED;

    t->equilibrium.precision = kind == MIXED ? FFEBM_PRECISION_MIXED : FFEBM_PRECISION_FULL;
    return trainee_configure(t, tolerant ? TRAINEE_FREE_TOLERANCE : 0, tolerant ? TRAINEE_NUDGED_TOLERANCE : 0,
                             kind == IMPLICIT ? FFEBM_ESTIMATOR_IMPLICIT : t->equilibrium.estimator);
}

/* Warm up, compare gradients, and find how many runs make a repeat long enough. */
static ffebm_status prepare(measurement *m, size_t kind)
{
    trainee *t = &m->t;
    measured *k = &m->kinds[kind];
    size_t bytes = t->info.element_count * sizeof(float);
    ffebm_status status = configure(t, kind);

    if (status == FFEBM_OK)
        status = trainee_gradient(t, &k->last);
    if (status != FFEBM_OK)
        return status;
    if (kind == FIXED)
        memcpy(m->fixed, ffebm_tensor_data(ffebm_engine_flat_gradient(t->engine)), bytes);
    k->cosine = trainee_cosine(t, m->fixed, &k->parameter);
    k->runs = k->last.total >= 1e3 * SECONDS_A_REPEAT ? 1 : (size_t)(1e3 * SECONDS_A_REPEAT / k->last.total) + 1;
    return FFEBM_OK;
}

static ffebm_status measure(measurement *m, size_t kind)
{
    measured *k = &m->kinds[kind];
    ffebm_status status = configure(&m->t, kind);
    double total = 0, settling = 0, forward;

    for (size_t i = 0; i < k->runs && status == FFEBM_OK; i++) {
        status = trainee_gradient(&m->t, &k->last);
        total += k->last.total;
        settling += k->last.settling;
    }
    if (status == FFEBM_OK && kind == TOLERANCE) {
        status = trainee_forward(&m->t, &forward);
        repeats_add(&m->forward, forward);
    }
    repeats_add(&k->total, total / (double)k->runs);
    repeats_add(&k->settling, settling / (double)k->runs);
    return status;
}

/* Rounds until there are enough or the time is up. */
static ffebm_status measure_rounds(measurement *m, double most_seconds)
{
    double end = clock_now() + most_seconds;
    ffebm_status status = FFEBM_OK;

    for (size_t i = 0; i < SETTLINGS && status == FFEBM_OK; i++)
        status = prepare(m, i);
    for (size_t i = 0; i < ROUNDS * SETTLINGS && status == FFEBM_OK && (i < SETTLINGS || clock_now() < end); i++)
        status = measure(m, i % SETTLINGS);
    return status;
}

static void begin_line(const measurement *m, const char *bench)
{
    line_begin(bench);
    line_text("model", m->t.name);
    line_text("weights", m->t.trained ? "trained" : "fresh");
    line_count("batch", m->t.batch);
    line_count("threads", m->t.team->threads);
}

static void print(const measurement *m, size_t kind)
{
    const measured *k = &m->kinds[kind];
    double total = repeats_median(&k->total), settling = repeats_median(&k->settling);
    double forward = repeats_median(&m->forward);

    begin_line(m, "step");
    line_text("settling", settlings[kind]);
    line_number("ms", total);
    line_number("forward_ms", forward);
    line_number("settling_ms", settling);
    line_number("gradients_ms", total - settling - forward);
    line_number("free_sweeps", k->last.free_sweeps);
    line_number("nudged_sweeps", k->last.nudged_sweeps);
    line_count("repeats", k->total.count);
    line_number("spread", repeats_spread(&k->total));
    line_end();
}

/* How many times longer all sweeps take, and what becomes of the gradient. */
static void print_ratio(const measurement *m, size_t kind)
{
    const measured *k = &m->kinds[kind];

    begin_line(m, "ratio");
    line_text("settling", settlings[kind]);
    line_number("fixed_over_this", repeats_median(&m->kinds[FIXED].total) / repeats_median(&k->total));
    line_number("smallest_cosine", k->cosine);
    line_text("parameter", k->parameter);
    line_end();
}

static void measure_model(const entry *e, const team *on, const char *checkpoint)
{
    measurement m = {.fixed = NULL};

    if (trainee_create(&m.t, e->name, on, e->batch, checkpoint)) {
        m.fixed = malloc(m.t.info.element_count * sizeof *m.fixed);
        if (m.fixed == NULL) {
            line_skip(e->name, "no memory");
        } else if (measure_rounds(&m, e->most_seconds) != FFEBM_OK) {
            line_skip(e->name, ffebm_context_error(on->context));
        } else {
            for (size_t i = 0; i < SETTLINGS; i++)
                print(&m, i);
            for (size_t i = FIXED + 1; i < SETTLINGS; i++)
                print_ratio(&m, i);
        }
    }
    free(m.fixed);
    trainee_destroy(&m.t);
}

void model_measure(const team teams[TEAM_COUNT], size_t count, const char *only, const char *checkpoint)
{
    entry other = {only, BATCH, 16};
    bool known = only == NULL;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (only == NULL || strcmp(only, table[i].name) == 0) {
            known = true;
            for (size_t t = 0; t < count; t++)
                measure_model(&table[i], &teams[t], checkpoint);
        }
    for (size_t t = 0; t < count && !known; t++)
        measure_model(&other, &teams[t], checkpoint);
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static void print_memory(const trainee *t, double before)
{
    line_begin("memory");
    line_text("model", t->name);
    line_count("batch", t->batch);
    line_count("threads", t->team->threads);
    line_number("peak_resident_mib", trainee_peak_mib());
    line_number("before_mib", before); /* program and BLAS, before there was a model */
    line_number("parameters_mib", (double)t->info.element_count * sizeof(float) / 1048576);
    line_end();
}

void model_measure_memory(const team *on, const char *name, size_t batch)
{
    double before = trainee_peak_mib();
    trainee_step took;
    trainee t;

    if (trainee_create(&t, name, on, batch, NULL)) {
        t.equilibrium.free_sweeps = t.equilibrium.nudged_sweeps = 1;
        if (trainee_configure(&t, 0, 0, t.equilibrium.estimator) == FFEBM_OK && trainee_gradient(&t, &took) == FFEBM_OK)
            print_memory(&t, before);
        else
            line_skip("memory", ffebm_context_error(on->context));
    }
    trainee_destroy(&t);
}

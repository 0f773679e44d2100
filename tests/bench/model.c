/* Training steps as examples/train takes them, by the recipe of the description, on random inputs. The learning rate is 0,
 * so that every repeat settles the same states. */
#include "model.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "core/context.h"
#include "line.h"

enum { ROUNDS = 3 };
#define SECONDS_A_REPEAT 0.1

typedef struct entry {
    const char *name;
    int64_t batch;
    bool small;          /* worth a warm-up, and also measured on one thread */
    double most_seconds; /* no measurement starts later than this, but the first */
} entry;

static const entry table[] = {{"digits", 32, true, 10},
                              {"fashion_dense", 64, true, 10},
                              {"fashion_conv", 32, true, 10},
                              {"splitting_small_3block_10", 32, false, 16},
                              {"scaling_small_100", 32, false, 16}};

/* ------------------------------------------------------------------------------------------ a model ready to train */

typedef struct trainee {
    const char *name;
    const team *team;
    int64_t batch;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *input;
    ffebm_tensor *target;
    ffebm_tensor *output;
    ffebm_model_info info;
    ffebm_recipe recipe;
    ffebm_report report; /* of the last gradient */
} trainee;

/* The text of the description, to be freed; NULL if there is none. */
static char *read_description(const char *name, size_t *length)
{
    enum { MOST = 1 << 20 };
    char path[256], *text = NULL;
    FILE *file;

    snprintf(path, sizeof path, "examples/models/%s.json", name);
    file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    text = malloc(MOST);
    if (text != NULL)
        *length = fread(text, 1, MOST, file);
    fclose(file);
    return text;
}

/* An array [batch, sample...]. */
static ffebm_status create_batch(const trainee *t, ffebm_tensor **tensor, int32_t dtype, const int64_t *sample,
                                 size_t rank)
{
    int64_t shape[FFEBM_MAX_RANK] = {t->batch};

    memcpy(shape + 1, sample, rank * sizeof *sample);
    return ffebm_tensor_create(t->team->context, tensor, dtype, shape, rank + 1);
}

static ffebm_status create_data(trainee *t)
{
    ffebm_status status = create_batch(t, &t->input, FFEBM_FLOAT32, t->info.input_shape, t->info.input_rank);

    if (status == FFEBM_OK)
        status = create_batch(t, &t->output, FFEBM_FLOAT32, t->info.output_shape, t->info.output_rank);
    if (status == FFEBM_OK)
        status = ffebm_tensor_create(t->team->context, &t->target, FFEBM_INT64, &t->batch, 1);
    if (status != FFEBM_OK)
        return status;
    for (size_t i = 0; i < ffebm_tensor_count(t->input); i++)
        ((float *)ffebm_tensor_data(t->input))[i] = (float)ffebm_random_normal(1, i);
    for (size_t i = 0; i < (size_t)t->batch; i++)
        ((int64_t *)ffebm_tensor_data(t->target))[i] =
            (int64_t)(ffebm_random_uniform(2, i) * (double)t->info.output_shape[0]);
    return FFEBM_OK;
}

static ffebm_status create_optimizer(trainee *t)
{
    ffebm_adam_config config;
    ffebm_status status;

    ffebm_adam_config_init(&config, sizeof config);
    config.weight_decay = t->recipe.weight_decay;
    status = ffebm_adam_create(&t->optimizer, t->model, &config);
    return status == FFEBM_OK ? ffebm_optimizer_set_learning_rate(t->optimizer, 0) : status;
}

static ffebm_status create_model(trainee *t, const char *json, size_t length)
{
    ffebm_parse_config parse;
    ffebm_status status;

    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = FFEBM_FLOAT32;
    status = ffebm_model_parse(t->team->context, &t->model, json, length, &parse);
    if (status == FFEBM_OK)
        status = ffebm_model_recipe(t->model, &t->recipe);
    if (status == FFEBM_OK)
        status = ffebm_model_initialize(t->model, 0);
    return status == FFEBM_OK ? ffebm_model_inspect(t->model, &t->info) : status;
}

static ffebm_status create_engine(trainee *t)
{
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)t->batch;
    return ffebm_engine_create(&t->engine, t->model, &config);
}

static void destroy(trainee *t)
{
    ffebm_tensor_destroy(t->input);
    ffebm_tensor_destroy(t->target);
    ffebm_tensor_destroy(t->output);
    ffebm_optimizer_destroy(t->optimizer);
    ffebm_engine_destroy(t->engine);
    ffebm_model_destroy(t->model);
}

static bool create(trainee *t, const char *name, const team *on, int64_t batch)
{
    size_t length = 0;
    char *json = read_description(name, &length);
    ffebm_status status;

    *t = (trainee){.name = name, .team = on, .batch = batch};
    t->info.size = sizeof t->info;
    t->recipe.size = sizeof t->recipe;
    t->report.size = sizeof t->report;
    if (json == NULL) {
        line_skip(name, "there is no such file in examples/models");
        return false;
    }
    status = create_model(t, json, length);
    free(json);
    if (status == FFEBM_OK)
        status = create_engine(t);
    if (status == FFEBM_OK)
        status = create_optimizer(t);
    if (status == FFEBM_OK)
        status = create_data(t);
    if (status != FFEBM_OK)
        line_skip(name, ffebm_context_error(on->context));
    return status == FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------- what is measured */

static ffebm_status configure(trainee *t, int32_t estimator)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = t->recipe.beta;
    config.free_tolerance = t->recipe.free_tolerance;
    config.nudged_tolerance = t->recipe.nudged_tolerance;
    config.free_sweeps = t->recipe.free_sweeps;
    config.nudged_sweeps = t->recipe.nudged_sweeps;
    config.estimator = estimator;
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

static ffebm_status step(trainee *t)
{
    ffebm_status status = ffebm_engine_gradient(t->engine, &t->report, t->input, t->target, NULL);

    return status == FFEBM_OK ? ffebm_optimizer_step(t->optimizer, t->engine) : status;
}

static ffebm_status forward(trainee *t)
{
    return ffebm_engine_forward(t->engine, t->output, t->input);
}

/* A round is one of each. Implicit comes last: it is there for comparison. */
enum { GRADIENT, FORWARD, IMPLICIT, ACTIONS };

typedef struct action {
    const char *bench;
    ffebm_status (*run)(trainee *t);
    bool implicit;
} action;

static const action actions[ACTIONS] = {[GRADIENT] = {"gradient", step, false},
                                        [FORWARD] = {"forward", forward, false},
                                        [IMPLICIT] = {"implicit", step, true}};

typedef struct measured {
    size_t runs;        /* that make a repeat */
    repeats times;      /* of one run */
    double free_sweeps; /* mean over samples and blocks */
    double nudged_sweeps;
} measured;

static double sweeps(const trainee *t, int32_t phase)
{
    ffebm_phase_report report = {.size = sizeof report};

    ffebm_engine_inspect_phase(t->engine, &report, FFEBM_ALL, phase);
    return report.sweeps_mean;
}

static ffebm_status measure(trainee *t, const action *a, measured *m)
{
    ffebm_status status = configure(t, a->implicit ? FFEBM_ESTIMATOR_IMPLICIT : t->recipe.estimator);
    double start = clock_now();

    for (size_t i = 0; i < m->runs && status == FFEBM_OK; i++)
        status = a->run(t);
    if (status != FFEBM_OK)
        return status;
    repeats_add(&m->times, (clock_now() - start) / (double)m->runs);
    m->free_sweeps = sweeps(t, FFEBM_PHASE_FREE);
    m->nudged_sweeps = sweeps(t, FFEBM_PHASE_NUDGED);
    return FFEBM_OK;
}

/* Warm up, and find how many runs make a repeat long enough. */
static ffebm_status calibrate(trainee *t, measured all[ACTIONS])
{
    for (size_t i = 0; i < ACTIONS; i++) {
        ffebm_status status = measure(t, &actions[i], &all[i]);

        if (status != FFEBM_OK)
            return status;
        all[i].runs = 1 + (size_t)(SECONDS_A_REPEAT / all[i].times.seconds[0]);
        all[i].times.count = 0;
    }
    return FFEBM_OK;
}

/* Rounds until there are enough or the time is up. */
static ffebm_status measure_rounds(trainee *t, const entry *e, measured all[ACTIONS])
{
    double end = clock_now() + e->most_seconds;

    for (size_t i = 0; i < ACTIONS; i++)
        all[i].runs = 1;
    if (e->small)
        FFEBMI_TRY(calibrate(t, all));
    for (size_t i = 0; i < ROUNDS * ACTIONS && (i == 0 || clock_now() < end); i++)
        FFEBMI_TRY(measure(t, &actions[i % ACTIONS], &all[i % ACTIONS]));
    return FFEBM_OK;
}

static void print(const trainee *t, const action *a, const measured *m)
{
    if (m->times.count == 0)
        return;
    line_begin(a->bench);
    line_text("model", t->name);
    line_count("batch", (size_t)t->batch);
    line_count("threads", t->team->threads);
    line_number("samples_per_second", (double)t->batch / repeats_median(&m->times));
    line_number("free_sweeps", m->free_sweeps);
    if (a->run == step)
        line_number("nudged_sweeps", m->nudged_sweeps);
    line_count("repeats", m->times.count);
    line_number("spread", repeats_spread(&m->times));
    line_end();
}

/* How many implicit steps one step of equilibrium propagation takes as long as. */
static void print_ratio(const trainee *t, const measured all[ACTIONS])
{
    if (all[IMPLICIT].times.count == 0)
        return;
    line_begin("ratio");
    line_text("model", t->name);
    line_count("batch", (size_t)t->batch);
    line_count("threads", t->team->threads);
    line_number("gradient_over_implicit", repeats_median(&all[GRADIENT].times) / repeats_median(&all[IMPLICIT].times));
    line_end();
}

static void measure_model(const entry *e, const team *on)
{
    trainee t;
    measured all[ACTIONS] = {0};

    if (create(&t, e->name, on, e->batch)) {
        if (measure_rounds(&t, e, all) != FFEBM_OK)
            line_skip(e->name, ffebm_context_error(on->context));
        for (size_t i = 0; i < ACTIONS; i++)
            print(&t, &actions[i], &all[i]);
        print_ratio(&t, all);
    }
    destroy(&t);
}

void model_measure(const team teams[TEAM_COUNT], size_t count, const char *only)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t t = 0; t < count; t++)
            if ((table[i].small || t + 1 == count) && (only == NULL || strcmp(only, table[i].name) == 0))
                measure_model(&table[i], &teams[t]);
}

/* ------------------------------------------------------------------------------------------------------------ memory */

/* Of this process, ever; most systems count in KiB. */
static double peak_resident_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
    return (double)usage.ru_maxrss / 1048576;
#else
    return (double)usage.ru_maxrss / 1024;
#endif
}

static void print_memory(const trainee *t, double before)
{
    line_begin("memory");
    line_text("model", t->name);
    line_count("batch", (size_t)t->batch);
    line_count("threads", t->team->threads);
    line_number("peak_resident_mib", peak_resident_mib());
    line_number("before_mib", before); /* program and BLAS, before there was a model */
    line_number("parameters_mib", (double)t->info.element_count * sizeof(float) / 1048576);
    line_end();
}

void model_measure_memory(const team *on, const char *name, int64_t batch)
{
    double before = peak_resident_mib();
    trainee t;

    if (create(&t, name, on, batch)) {
        t.recipe.free_sweeps = t.recipe.nudged_sweeps = 1;
        if (configure(&t, t.recipe.estimator) == FFEBM_OK && step(&t) == FFEBM_OK)
            print_memory(&t, before);
        else
            line_skip("memory", ffebm_context_error(on->context));
    }
    destroy(&t);
}

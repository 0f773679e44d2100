#include "step.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "handover.h"
#include "line.h"

static const char usage[] =
    "usage: bench step MODEL [OPTION VALUE]...\n"
    "  --batch N                   default 32\n"
    "  --threads N                 default one a processor\n"
    "  --sweeps FREE,NUDGED        default as in the recipe\n"
    "  --tolerances FREE,NUDGED    default 0,0: all sweeps\n"
    "  --settings recipe|default   whose; the library's defaults are compared with settled states\n"
    "  --relaxation X              of sweeps; default as in the recipe\n"
    "  --switches follow|hold      default as in the recipe\n"
    "  --precision full|mixed      default as in the recipe\n"
    "  --isa portable|avx2|avx512  no instructions beyond these\n"
    "  --checkpoint FILE           values for the parameters; default those of seed 0\n"
    "  --write FILE                hand the gradient over, with all that it is taken from\n"
    "Then a gradient is taken, and timed, for every line of standard input.\n";

enum { SETTINGS_RECIPE = 1, SETTINGS_DEFAULT };

/* In the order of SETTINGS_, FFEBM_SWITCHES_, FFEBM_PRECISION_ and FFEBM_ISA_, which count from 1. */
static const char *const switches[] = {"follow", "hold", NULL};
static const char *const precisions[] = {"full", "mixed", NULL};
static const char *const settings[] = {"recipe", "default", NULL};
static const char *const instructions[] = {"portable", "avx2", "avx512", NULL};

typedef struct options {
    const char *model;
    const char *checkpoint;
    const char *write;
    size_t batch;
    int32_t threads;
    int32_t switches; /* 0: as in the recipe */
    int32_t precision;
    int32_t isa;
    int32_t settings; /* 0: the recipe's */
    int64_t sweeps[2];
    double tolerances[2];
    double relaxation; /* 0: as in the recipe */
} options;

/* The place of a word in a list, from 1. */
static bool read_word(int32_t *place, const char *word, const char *const *words)
{
    for (*place = 1; words[*place - 1] != NULL; (*place)++)
        if (strcmp(word, words[*place - 1]) == 0)
            return true;
    return false;
}

static bool read_option(options *o, const char *name, const char *value)
{
    char end;

    if (strcmp(name, "--batch") == 0)
        return sscanf(value, "%zu%c", &o->batch, &end) == 1 && o->batch > 0;
    if (strcmp(name, "--threads") == 0)
        return sscanf(value, "%" SCNd32 "%c", &o->threads, &end) == 1;
    if (strcmp(name, "--sweeps") == 0)
        return sscanf(value, "%" SCNd64 ",%" SCNd64 "%c", &o->sweeps[0], &o->sweeps[1], &end) == 2;
    if (strcmp(name, "--tolerances") == 0)
        return sscanf(value, "%lf,%lf%c", &o->tolerances[0], &o->tolerances[1], &end) == 2;
    if (strcmp(name, "--relaxation") == 0)
        return sscanf(value, "%lf%c", &o->relaxation, &end) == 1 && o->relaxation > 0;
    if (strcmp(name, "--settings") == 0)
        return read_word(&o->settings, value, settings);
    if (strcmp(name, "--switches") == 0)
        return read_word(&o->switches, value, switches);
    if (strcmp(name, "--precision") == 0)
        return read_word(&o->precision, value, precisions);
    if (strcmp(name, "--isa") == 0)
        return read_word(&o->isa, value, instructions);
    if (strcmp(name, "--checkpoint") == 0)
        o->checkpoint = value;
    else if (strcmp(name, "--write") == 0)
        o->write = value;
    else
        return false;
    return true;
}

static bool read_options(options *o, int argc, char **argv)
{
    *o = (options){.batch = 32};
    if (argc < 1 || argc % 2 == 0)
        return false;
    o->model = argv[0];
    for (int i = 1; i < argc; i += 2)
        if (!read_option(o, argv[i], argv[i + 1])) {
            fprintf(stderr, "bench: %s %s: no such option, or not its value\n", argv[i], argv[i + 1]);
            return false;
        }
    return true;
}

/* The sweeps of a reference, and the tolerances that settle it. */
static const int64_t settled_sweeps[2] = {4000, 2000};
static const double settled_tolerances[2] = {1e-6, 1e-4};

/* The gradient that others are held to: of all sweeps, or, of the default settings, at states that have come to rest. */
static ffebm_status take_reference(trainee *t, const options *o, trainee_step *took)
{
    ffebm_equilibrium_config config;
    ffebm_status status;

    if (o->settings != SETTINGS_DEFAULT)
        return trainee_gradient(t, took);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_sweeps = settled_sweeps[0];
    config.nudged_sweeps = settled_sweeps[1];
    config.free_tolerance = settled_tolerances[0];
    config.nudged_tolerance = settled_tolerances[1];
    status = ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
    return status == FFEBM_OK ? trainee_gradient(t, took) : status;
}

/* What is timed. */
static ffebm_status configure(trainee *t, const options *o)
{
    ffebm_equilibrium_config config;

    if (o->precision > 0)
        t->equilibrium.precision = o->precision;
    if (o->settings != SETTINGS_DEFAULT)
        return trainee_configure(t, o->tolerances[0], o->tolerances[1], t->equilibrium.estimator);
    ffebm_equilibrium_config_init(&config, sizeof config);
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

/* With tolerances: how near the gradient comes to the reference. */
static ffebm_status print_agreement(trainee *t, const options *o)
{
    size_t bytes = t->info.element_count * sizeof(float);
    float *fixed = malloc(bytes);
    const char *name;
    trainee_step took;
    ffebm_status status = fixed == NULL ? FFEBM_ERR_NOMEM : take_reference(t, o, &took);

    if (status == FFEBM_OK) {
        memcpy(fixed, ffebm_tensor_data(ffebm_engine_flat_gradient(t->engine)), bytes);
        status = configure(t, o);
    }
    if (status == FFEBM_OK)
        status = trainee_gradient(t, &took);
    if (status == FFEBM_OK) {
        line_begin("agreement");
        line_number("smallest_cosine", trainee_cosine(t, fixed, &name));
        line_text("parameter", name);
        line_end();
    }
    free(fixed);
    return status;
}

static void print_step(const trainee_step *took, double forward)
{
    line_begin("step");
    line_number("ms", took->total);
    line_number("forward_ms", forward);
    line_number("settling_ms", took->settling);
    line_number("gradients_ms", took->total - took->settling - forward);
    line_number("free_sweeps", took->free_sweeps);
    line_number("nudged_sweeps", took->nudged_sweeps);
    line_number("peak_resident_mib", trainee_peak_mib());
    line_end();
}

static bool is_compared(const options *o)
{
    return o->tolerances[0] > 0 || o->tolerances[1] > 0 || o->precision > 0 || o->settings == SETTINGS_DEFAULT;
}

static ffebm_status serve(trainee *t, const options *o)
{
    char line[64];
    double forward = 0;
    trainee_step took;
    ffebm_status status;

    if (o->sweeps[0] > 0)
        t->equilibrium.free_sweeps = o->sweeps[0];
    if (o->sweeps[1] > 0)
        t->equilibrium.nudged_sweeps = o->sweeps[1];
    if (o->switches > 0)
        t->equilibrium.switches = o->switches;
    if (o->relaxation > 0)
        t->equilibrium.relaxation = o->relaxation;
    status = trainee_configure(t, 0, 0, t->equilibrium.estimator);
    if (status == FFEBM_OK)
        status = is_compared(o) ? print_agreement(t, o) : trainee_gradient(t, &took);
    if (status == FFEBM_OK && o->write != NULL && !handover_write(t, o->write))
        return FFEBM_ERR_IO;
    while (status == FFEBM_OK && fgets(line, sizeof line, stdin) != NULL) {
        if (forward == 0) /* once: it is a free phase more */
            status = trainee_forward(t, &forward);
        if (status == FFEBM_OK)
            status = trainee_gradient(t, &took);
        if (status == FFEBM_OK)
            print_step(&took, forward);
    }
    return status;
}

int step_main(int argc, char **argv)
{
    ffebm_context_config config;
    ffebm_status status = FFEBM_ERR_NOMEM;
    team on = {0};
    trainee t;
    options o;

    if (!read_options(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    ffebm_context_config_init(&config, sizeof config);
    config.threads = o.threads;
    config.max_isa = o.isa;
    if (ffebm_context_create(&on.context, &config) != FFEBM_OK) {
        line_skip("step", "no context, or no threads to be had");
        return 1;
    }
    on.threads = on.context->executor.workers;
    if (trainee_create(&t, o.model, &on, o.batch, o.checkpoint)) {
        status = serve(&t, &o);
        if (status != FFEBM_OK && status != FFEBM_ERR_IO) /* that has been said */
            line_skip(o.model, ffebm_context_error(on.context));
    }
    trainee_destroy(&t);
    ffebm_context_destroy(on.context);
    return status == FFEBM_OK ? 0 : 1;
}

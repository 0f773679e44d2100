#include "trainee.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "line.h"

/* ------------------------------------------------------------------------------------------------------- creation */

/* The text of the description, to be freed; NULL if there is none. */
static char *read_description(const char *name, size_t *length)
{
    static const char *const places[] = {"examples/models/%s.json", "tests/bench/%s.json"};
    enum { MOST = 1 << 20 };
    char path[256], *text = NULL;
    FILE *file = NULL;

    for (size_t i = 0; i < sizeof places / sizeof places[0] && file == NULL; i++) {
        snprintf(path, sizeof path, places[i], name);
        file = fopen(path, "rb");
    }
    if (file == NULL)
        return NULL;
    text = malloc(MOST);
    if (text != NULL)
        *length = fread(text, 1, MOST, file);
    fclose(file);
    return text;
}

static ffebm_status create_model(trainee *t, const char *json, size_t length, const char *checkpoint)
{
    ffebm_parse_config parse;
    ffebm_status status;

    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = FFEBM_FLOAT32;
    status = ffebm_model_parse(t->team->context, &t->model, json, length, &parse);
    if (status == FFEBM_OK)
        status = ffebm_model_equilibrium(t->model, &t->equilibrium);
    if (status == FFEBM_OK)
        status = ffebm_model_initialize(t->model, 0);
    if (status == FFEBM_OK && checkpoint != NULL)
        status = ffebm_checkpoint_restore(t->model, NULL, checkpoint);
    return status == FFEBM_OK ? ffebm_model_inspect(t->model, &t->info) : status;
}

static ffebm_status create_engine(trainee *t)
{
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = t->batch;
    return ffebm_engine_create(&t->engine, t->model, &config);
}

/* An array [batch, sample...]. */
static ffebm_status create_batch(const trainee *t, ffebm_tensor **tensor, const int64_t *sample, size_t rank)
{
    int64_t shape[FFEBM_MAX_RANK] = {(int64_t)t->batch};

    memcpy(shape + 1, sample, rank * sizeof *sample);
    return ffebm_tensor_create(t->team->context, tensor, FFEBM_FLOAT32, shape, rank + 1);
}

/* Images are normalised, and so normally distributed; vectors are grey values. */
static void fill(const trainee *t)
{
    float *input = ffebm_tensor_data(t->input);
    int64_t *target = ffebm_tensor_data(t->target);

    for (size_t i = 0; i < ffebm_tensor_count(t->input); i++)
        input[i] = (float)(t->info.input_rank == 3 ? ffebm_random_normal(1, i) : ffebm_random_uniform(1, i));
    for (size_t i = 0; i < t->batch; i++)
        target[i] = (int64_t)(ffebm_random_uniform(2, i) * (double)t->info.output_shape[0]);
}

static ffebm_status create_data(trainee *t)
{
    int64_t batch = (int64_t)t->batch;
    ffebm_status status = create_batch(t, &t->input, t->info.input_shape, t->info.input_rank);

    if (status == FFEBM_OK)
        status = create_batch(t, &t->output, t->info.output_shape, t->info.output_rank);
    if (status == FFEBM_OK)
        status = ffebm_tensor_create(t->team->context, &t->target, FFEBM_INT64, &batch, 1);
    if (status == FFEBM_OK)
        fill(t);
    return status;
}

bool trainee_create(trainee *t, const char *name, const team *on, size_t batch, const char *checkpoint)
{
    size_t length = 0;
    char *json = read_description(name, &length);
    ffebm_status status;

    *t = (trainee){.name = name, .team = on, .batch = batch, .trained = checkpoint != NULL};
    t->info.size = sizeof t->info;
    t->equilibrium.size = sizeof t->equilibrium;
    if (json == NULL) {
        line_skip(name, "there is no such file in examples/models or tests/bench");
        return false;
    }
    status = create_model(t, json, length, checkpoint);
    free(json);
    if (status == FFEBM_OK)
        status = create_engine(t);
    if (status == FFEBM_OK)
        status = create_data(t);
    if (status != FFEBM_OK)
        line_skip(name, ffebm_context_error(on->context));
    return status == FFEBM_OK;
}

void trainee_destroy(trainee *t)
{
    ffebm_tensor_destroy(t->input);
    ffebm_tensor_destroy(t->target);
    ffebm_tensor_destroy(t->output);
    ffebm_engine_destroy(t->engine);
    ffebm_model_destroy(t->model);
}

/* -------------------------------------------------------------------------------------------------------- computing */

ffebm_status trainee_configure(trainee *t, double free_tolerance, double nudged_tolerance, int32_t estimator)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = t->equilibrium.beta;
    config.free_tolerance = free_tolerance;
    config.nudged_tolerance = nudged_tolerance;
    config.free_sweeps = t->equilibrium.free_sweeps;
    config.nudged_sweeps = t->equilibrium.nudged_sweeps;
    config.switches = t->equilibrium.switches;
    config.relaxation = t->equilibrium.relaxation;
    config.precision = t->equilibrium.precision;
    config.estimator = estimator;
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

static ffebm_phase_report inspect(const trainee *t, int32_t phase)
{
    ffebm_phase_report report = {.size = sizeof report};

    ffebm_engine_inspect_phase(t->engine, &report, FFEBM_ALL, phase);
    return report;
}

ffebm_status trainee_gradient(trainee *t, trainee_step *took)
{
    double start = clock_now();
    ffebm_status status = ffebm_engine_gradient(t->engine, NULL, t->input, t->target, NULL);
    ffebm_phase_report free = inspect(t, FFEBM_PHASE_FREE), nudged = inspect(t, FFEBM_PHASE_NUDGED);

    *took = (trainee_step){.total = 1e3 * (clock_now() - start),
                           .settling = 1e3 * (free.seconds + nudged.seconds),
                           .free_sweeps = free.sweeps_mean,
                           .nudged_sweeps = nudged.sweeps_mean};
    return status;
}

ffebm_status trainee_forward(trainee *t, double *milliseconds)
{
    double start = clock_now();
    ffebm_status status = ffebm_engine_forward(t->engine, t->output, NULL, t->input);

    *milliseconds = 1e3 * (clock_now() - start - inspect(t, FFEBM_PHASE_FREE).seconds);
    return status;
}

static double cosine(const float *a, const float *b, size_t count)
{
    double ab = 0, aa = 0, bb = 0;

    for (size_t i = 0; i < count; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return aa == 0 && bb == 0 ? 1 : aa == 0 || bb == 0 ? 0 : ab / sqrt(aa) / sqrt(bb);
}

double trainee_cosine(const trainee *t, const float *other, const char **name)
{
    const float *gradient = ffebm_tensor_data(ffebm_engine_flat_gradient(t->engine));
    double smallest = 1;

    *name = "";
    for (size_t i = 0; i < t->info.parameter_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        double c;

        ffebm_model_inspect_parameter(t->model, &info, i);
        c = cosine(gradient + info.offset, other + info.offset, info.count);
        if (i == 0 || c < smallest) {
            smallest = c;
            *name = info.name;
        }
    }
    return smallest;
}

/* Most systems count in KiB. */
double trainee_peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
    return (double)usage.ru_maxrss / 1048576;
#else
    return (double)usage.ru_maxrss / 1024;
#endif
}

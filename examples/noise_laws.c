/* How well can a gradient be read through noise? The laws of docs/experiments.md, measured.
 *
 *   noise_laws [--seed N] [--draws N]
 *
 * A small chain of smooth neurons in float64 stands on a device whose readings have noise of size sigma. For each estimator and
 * sigma the error of the energy block's gradient, |g - g_0| / |g_0| in root mean square over draws with g_0 by implicit
 * differentiation without noise, is smallest at some beta: more of it is more signal and more bias. That smallest error goes as
 * sigma^(p / (p + 1)), where the bias goes as beta^p, and at one beta as 1 / sqrt(repeats).
 *
 * Prints JSON lines: one a point, {"law": "sigma", "estimator": .., "sigma": .., "beta": .., "error": ..} with the best beta, or
 * {"law": "repeats", .., "repeats": .., "error": ..}; and one a line through them, {"law": .., "estimator": .., "slope": ..}, of
 * the logarithms, by least squares. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/failure.h"
#include "support/model_file.h"
#include "support/options.h"

static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [12], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 16}]},"
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"sigmoid\", \"slope\": 1}, \"clamp_last\": "
    "false,"
    " \"couplings\": [{\"type\": \"dense\", \"out_features\": 16}, {\"type\": \"dense\", \"out_features\": 12}]}},"
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 4}]}]}";

enum { ROWS = 8, STAGE = 1, BETAS_PER_DECADE = 12 };

static const struct {
    const char *name;
    int32_t estimator;
} estimators[] = {{"positive", FFEBM_ESTIMATOR_POSITIVE},
                  {"centered", FFEBM_ESTIMATOR_CENTERED},
                  {"four_point", FFEBM_ESTIMATOR_FOUR_POINT}};
static const double sigmas[] = {1e-8, 1e-7, 1e-6, 1e-5};
static const int64_t repeats[] = {1, 2, 4, 8, 16, 32, 64};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct settings {
    int64_t seed;
    int64_t draws;
};

static const struct option options[] = {
    {"seed", "N", "of first values, data and noise (0)", NULL, offsetof(struct settings, seed), 0, INT64_MAX,
     OPTION_INTEGER},
    {"draws", "N", "of noise, in each mean (24)", NULL, offsetof(struct settings, draws), 1, 100000, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct laws {
    const struct settings *settings;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    struct random_batch batch;
    size_t first; /* of the energy block's numbers in the flat gradient */
    size_t count;
    double *reference; /* [count] */
};

/* -------------------------------------------------------------------------------------------------------- gradients */

static ffebm_status find_block(struct laws *l)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_parameter_info p = {.size = sizeof p};
    ffebm_status status = ffebm_model_inspect_stage(l->model, &stage, STAGE);

    for (size_t i = 0; i < stage.parameter_count && status == FFEBM_OK; i++) {
        status = ffebm_model_inspect_parameter(l->model, &p, stage.first_parameter + i);
        l->first = i == 0 ? p.offset : l->first;
        l->count += p.count;
    }
    return status;
}

static ffebm_status set_up(struct laws *l, double sigma)
{
    ffebm_device_config device;
    ffebm_status status;

    ffebm_engine_destroy(l->engine);
    l->engine = NULL;
    ffebm_device_config_init(&device, sizeof device);
    device.read = FFEBM_READ_ALL;
    device.output_noise = sigma;
    status = ffebm_model_set_device(l->model, STAGE, &device);
    return status != FFEBM_OK ? status : ffebm_engine_create(&l->engine, l->model, NULL);
}

static ffebm_status configure(const struct laws *l, int32_t estimator, double beta, int64_t times)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.estimator = estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = beta;
    config.repeats = times;
    config.free_sweeps = config.nudged_sweeps = 1000;
    config.free_tolerance = config.nudged_tolerance = 1e-13;
    return ffebm_engine_configure(l->engine, FFEBM_ALL, &config);
}

static const double *block_gradient(const struct laws *l)
{
    return (const double *)ffebm_tensor_const_data(ffebm_engine_flat_gradient(l->engine)) + l->first;
}

static ffebm_status take_reference(struct laws *l)
{
    ffebm_status status = set_up(l, 0);

    if (status == FFEBM_OK)
        status = configure(l, FFEBM_ESTIMATOR_IMPLICIT, 1, 1);
    if (status == FFEBM_OK)
        status = ffebm_engine_gradient(l->engine, NULL, l->batch.images, l->batch.labels, NULL);
    if (status == FFEBM_OK)
        memcpy(l->reference, block_gradient(l), l->count * sizeof *l->reference);
    return status;
}

/* The root mean square of the relative error. */
static ffebm_status error_of(struct laws *l, int32_t estimator, double beta, int64_t times, double *error)
{
    ffebm_status status = configure(l, estimator, beta, times);
    double squares = 0, norm = 0;

    for (int64_t draw = 0; draw < l->settings->draws && status == FFEBM_OK; draw++) {
        ffebm_engine_set_step(l->engine, (uint64_t)draw);
        status = ffebm_engine_gradient(l->engine, NULL, l->batch.images, l->batch.labels, NULL);
        for (size_t i = 0; i < l->count && status == FFEBM_OK; i++) {
            squares += pow(block_gradient(l)[i] - l->reference[i], 2);
            norm += pow(l->reference[i], 2);
        }
    }
    *error = sqrt(squares / norm);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- laws */

/* Of a line through the logarithms. */
struct fit {
    double n, x, y, xx, xy;
};

static void fit_add(struct fit *f, double x, double y)
{
    f->n += 1;
    f->x += log(x);
    f->y += log(y);
    f->xx += log(x) * log(x);
    f->xy += log(x) * log(y);
}

static void print_slope(const struct fit *f, const char *law, const char *estimator)
{
    printf("{\"law\": \"%s\", \"estimator\": \"%s\", \"slope\": %.4f}\n", law, estimator,
           (f->n * f->xy - f->x * f->y) / (f->n * f->xx - f->x * f->x));
}

/* The error falls with beta as long as noise rules, and then rises with the bias: from small ones on, until it has doubled. */
static ffebm_status best_of(struct laws *l, int32_t estimator, double sigma, double *beta, double *best)
{
    double error = 0, at = sigma;
    ffebm_status status = FFEBM_OK;

    *best = INFINITY;
    for (int n = 0; at < 10 && error <= 2 * *best && status == FFEBM_OK; n++) {
        at = sigma * pow(10, 1 + (double)n / BETAS_PER_DECADE);
        status = error_of(l, estimator, at, 1, &error);
        if (status == FFEBM_OK && error < *best) {
            *best = error;
            *beta = at;
        }
    }
    return status;
}

static ffebm_status law_of_sigma(struct laws *l, size_t e)
{
    struct fit fit = {0, 0, 0, 0, 0};
    ffebm_status status = FFEBM_OK;

    for (size_t i = 0; i < COUNT(sigmas) && status == FFEBM_OK; i++) {
        double beta = 0, error = 0;

        status = set_up(l, sigmas[i]);
        if (status == FFEBM_OK)
            status = best_of(l, estimators[e].estimator, sigmas[i], &beta, &error);
        if (status != FFEBM_OK)
            break;
        printf("{\"law\": \"sigma\", \"estimator\": \"%s\", \"sigma\": %g, \"beta\": %.4g, \"error\": %.4g}\n",
               estimators[e].name, sigmas[i], beta, error);
        fit_add(&fit, sigmas[i], error);
    }
    if (status == FFEBM_OK)
        print_slope(&fit, "sigma", estimators[e].name);
    return status;
}

/* At a beta at which noise rules. */
static ffebm_status law_of_repeats(struct laws *l, size_t e)
{
    const double sigma = 1e-5, beta = 1e-3;
    struct fit fit = {0, 0, 0, 0, 0};
    ffebm_status status = set_up(l, sigma);

    for (size_t i = 0; i < COUNT(repeats) && status == FFEBM_OK; i++) {
        double error = 0;

        status = error_of(l, estimators[e].estimator, beta, repeats[i], &error);
        if (status != FFEBM_OK)
            break;
        printf("{\"law\": \"repeats\", \"estimator\": \"%s\", \"repeats\": %" PRId64 ", \"error\": %.4g}\n",
               estimators[e].name, repeats[i], error);
        fit_add(&fit, (double)repeats[i], error);
    }
    if (status == FFEBM_OK)
        print_slope(&fit, "repeats", estimators[e].name);
    return status;
}

static ffebm_status measure(struct laws *l)
{
    const uint64_t seed = (uint64_t)l->settings->seed;
    ffebm_status status;

    if ((status = ffebm_context_create(&l->context, NULL)) != FFEBM_OK ||
        (status = ffebm_model_parse(l->context, &l->model, chain, strlen(chain), NULL)) != FFEBM_OK ||
        (status = ffebm_model_initialize(l->model, seed)) != FFEBM_OK || (status = find_block(l)) != FFEBM_OK ||
        (status = random_batch_create(&l->batch, l->context, l->model, ROWS)) != FFEBM_OK ||
        (status = random_batch_draw(&l->batch, l->model, seed)) != FFEBM_OK)
        return status;
    l->reference = malloc(l->count * sizeof *l->reference);
    if (l->reference == NULL)
        return FFEBM_ERR_NOMEM;
    status = take_reference(l);
    for (size_t e = 0; e < COUNT(estimators) && status == FFEBM_OK; e++)
        status = law_of_sigma(l, e);
    return status != FFEBM_OK ? status : law_of_repeats(l, 1);
}

int main(int argc, char **argv)
{
    struct settings settings = {.draws = 24};
    struct laws l = {.settings = &settings};
    struct failure failure = {""};
    ffebm_status status;

    blas_threads_one();
    if (options_parse(&settings, options, argc, argv, &failure) != 0) {
        fprintf(stderr, "noise_laws: %s\nusage: %s [options]\n", failure.text, argv[0]);
        options_print(stderr, options, NULL);
        return 2;
    }
    status = measure(&l);
    if (status != FFEBM_OK)
        fprintf(stderr, "noise_laws: %s: %s\n", ffebm_status_text(status), ffebm_context_error(l.context));
    free(l.reference);
    random_batch_destroy(&l.batch);
    ffebm_engine_destroy(l.engine);
    ffebm_model_destroy(l.model);
    ffebm_context_destroy(l.context);
    return status == FFEBM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Certify gradients by equilibrium propagation: compare them with exact ones, for images drawn at random, and for first
 * values drawn at random or the trained ones of a checkpoint.
 *
 *   certify [--images 2] [--seeds 3] [--beta 0.02,0.2] [--dataset NAME] [--json] MODEL.json|CHECKPOINT.safetensors...
 *
 * All is ffebm_engine_certify's: gradient and exact gradient start from the same free state, here settled to a relative
 * change of 1e-6 a sweep, in at most 3000 sweeps. The exact gradient is implicit differentiation, in as many. The other is
 * centred EP (or another --estimator) as in training: the error evaluated anew in every sweep in the last block, held in
 * the others, nudged phases settled to 1e-3, max pools held as at the free state. Batch normalisation takes the batch's
 * statistics. Pixels are normally distributed and labels uniformly, unless a data set is given.
 *
 * Prints one line a model, seed and beta: the tensor that fares worst, frozen ones and the input among them, with the
 * cosine between its two gradients; the largest relative error of any; with --directions how it compares with differences
 * of the loss; units that the nudges moved into or out of saturation, the usual reason for a disagreement; for each phase
 * the sweeps and the residual of its slowest sample, and how many samples missed its tolerance; below it, what did not
 * settle in words. Ends with status 0 only
 * if free states and exact gradients have settled, and every cosine is at least 0.99 for a beta of at most 0.02, 0.95
 * above. */
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
#include "support/recipe.h"
#include "support/samples.h"

enum { MAX_BETAS = 16, MOST_SWEEPS = 3000 };

struct settings {
    ffebm_equilibrium_config equilibrium;
    int64_t images;
    int64_t seeds;
    int64_t directions;
    int64_t threads;
    const char *beta;
    const char *dataset;
    const char *data;
    int32_t dtype;
    int32_t json;
};

static const struct option_choice dtypes[] = {{"float32", FFEBM_FLOAT32}, {"float64", FFEBM_FLOAT64}, {NULL, 0}};

static const struct option options[] = {
    {"images", "N", "in a batch (2)", NULL, offsetof(struct settings, images), 1, 128, OPTION_INTEGER},
    {"seeds", "N", "how many draws of images, and of first values unless they are a checkpoint's (3)", NULL,
     offsetof(struct settings, seeds), 1, 1000, OPTION_INTEGER},
    {"beta", "B,...", "strengths of the nudging (0.02,0.2)", NULL, offsetof(struct settings, beta), 0, 0, OPTION_TEXT},
    {"dataset", "NAME", "draw images from its test samples (random numbers)", NULL, offsetof(struct settings, dataset),
     0, 0, OPTION_TEXT},
    {"data", "DIR", "directory of its files", NULL, offsetof(struct settings, data), 0, 0, OPTION_TEXT},
    {"nudged-sweeps", NULL, "at most, in nudged phases (500)", NULL, offsetof(struct settings, equilibrium),
     FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"directions", "N", "compare with so many differences of the loss, too; wants float64 (0)", NULL,
     offsetof(struct settings, directions), 0, 1000, OPTION_INTEGER},
    {"dtype", NULL, "float64 tells rounding from all else (the model's own)", dtypes, offsetof(struct settings, dtype),
     0, 0, OPTION_CHOICE},
    {"switches", NULL, NULL, NULL, offsetof(struct settings, equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"estimator", NULL, NULL, NULL, offsetof(struct settings, equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0,
     OPTION_SETTING},
    {"nudging", NULL, NULL, NULL, offsetof(struct settings, equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"json", NULL, "print JSON lines", NULL, offsetof(struct settings, json), 0, 0, OPTION_FLAG},
    {"threads", "N", "0: one a processor (2)", NULL, offsetof(struct settings, threads), 0, 1024, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct certification {
    const struct settings *settings;
    const char *path;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    struct samples samples;
    ffebm_model_info info;
    int passed;
};

/* ------------------------------------------------------------------------------------------------------- setting up */

static ffebm_status set_up(struct certification *c, struct failure *failure)
{
    ffebm_context_config context;
    ffebm_engine_config engine;
    ffebm_status status;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = (int32_t)c->settings->threads;
    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = (size_t)c->settings->images;
    if ((status = ffebm_context_create(&c->context, &context)) != FFEBM_OK ||
        (status = model_file_read(c->context, &c->model, c->path, c->settings->dtype, failure)) != FFEBM_OK)
        return status;
    if (!model_file_is_checkpoint(c->path) && (status = ffebm_model_initialize(c->model, 0)) != FFEBM_OK)
        return status;
    if ((status = ffebm_engine_create(&c->engine, c->model, &engine)) != FFEBM_OK)
        return status;
    if (samples_create(&c->samples, c->context, c->model, c->settings->images, c->settings->dataset, c->settings->data,
                       failure) != 0)
        return FFEBM_ERR_IO;
    return ffebm_model_inspect(c->model, &c->info);
}

static ffebm_status configure(const struct certification *c, double beta)
{
    ffebm_equilibrium_config config = c->settings->equilibrium;

    config.beta = beta;
    config.free_sweeps = MOST_SWEEPS;
    config.free_tolerance = 1e-6;
    config.nudged_tolerance = 1e-3;
    return recipe_configure(c->engine, c->model, &config);
}

/* -------------------------------------------------------------------------------------------------------- certifying */

static void print_phase(const char *name, const ffebm_phase_report *report)
{
    printf("; %s %" PRId64 " sweeps to %.1e", name, report->sweeps_max, report->residual_max);
    if (report->unconverged > 0)
        printf(" (%zu of %zu unsettled)", report->unconverged, report->samples);
}

/* Which blocks have not settled, and what to do about it. */
static ffebm_status print_unsettled(const struct certification *c)
{
    char text[1024];
    ffebm_status status = ffebm_engine_unsettled(c->engine, text, sizeof text, NULL);

    if (status == FFEBM_OK && text[0] != '\0')
        printf("%s\n", text);
    return status;
}

static ffebm_status largest_error(const struct certification *c, double *largest)
{
    ffebm_certificate one = {.size = sizeof one};
    ffebm_status status = FFEBM_OK;

    *largest = 0;
    for (size_t i = 0; i <= c->info.parameter_count && status == FFEBM_OK; i++)
        if ((status = ffebm_engine_inspect_certificate(c->engine, &one, i)) == FFEBM_OK)
            *largest = fmax(*largest, one.relative_error);
    return status;
}

/* What is told of one certificate. */
struct finding {
    const ffebm_certificate *worst;
    ffebm_phase_report free_phase;
    ffebm_phase_report nudged;
    uint64_t seed;
    double beta;
    double error; /* the largest of any tensor */
    int passed;
};

static void print_words(const struct certification *c, const struct finding *f)
{
    printf("%s: %zu parameters, seed %" PRIu64 ", beta %g: worst %s with cosine %.6f, errors up to %.2g", c->path,
           c->info.element_count, f->seed, f->beta, f->worst->name, f->worst->cosine, f->error);
    if (c->settings->directions > 0)
        printf(", differences cosine %.6f error %.2g", f->worst->difference_cosine, f->worst->difference_error);
    printf("; %zu region changes", f->nudged.region_changes);
    print_phase("free", &f->free_phase);
    print_phase("nudged", &f->nudged);
    printf("; adjoint to %.1e%s\n", f->worst->adjoint_residual, f->passed ? "" : "  FAILED");
}

static void print_json(const struct finding *f)
{
    printf("{\"seed\": %" PRIu64 ", \"beta\": %g, \"worst\": \"%s\", \"cosine\": %.9g, \"error\": %.4g, "
           "\"region_changes\": %zu, \"free_sweeps\": %" PRId64 ", \"free_residual\": %.4g, \"nudged_sweeps\": %" PRId64
           ", \"nudged_residual\": %.4g, \"adjoint_residual\": %.4g, \"passed\": %s}\n",
           f->seed, f->beta, f->worst->name, f->worst->cosine, f->error, f->nudged.region_changes,
           f->free_phase.sweeps_max, f->free_phase.residual_max, f->nudged.sweeps_max, f->nudged.residual_max,
           f->worst->adjoint_residual, f->passed ? "true" : "false");
}

static ffebm_status report(struct certification *c, uint64_t seed, double beta, const ffebm_certificate *worst)
{
    struct finding f = {.worst = worst,
                        .free_phase = {.size = sizeof f.free_phase},
                        .nudged = {.size = sizeof f.nudged},
                        .seed = seed,
                        .beta = beta};
    ffebm_status status;

    if ((status = ffebm_engine_inspect_phase(c->engine, &f.free_phase, FFEBM_ALL, FFEBM_PHASE_FREE)) != FFEBM_OK ||
        (status = ffebm_engine_inspect_phase(c->engine, &f.nudged, FFEBM_ALL, FFEBM_PHASE_NUDGED)) != FFEBM_OK ||
        (status = largest_error(c, &f.error)) != FFEBM_OK)
        return status;
    f.passed = worst->passed && f.free_phase.unconverged == 0;
    c->passed = c->passed && f.passed;
    if (c->settings->json)
        print_json(&f);
    else {
        print_words(c, &f);
        status = print_unsettled(c);
    }
    fflush(stdout);
    return status;
}

static ffebm_status certify_beta(struct certification *c, uint64_t seed, double beta)
{
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_certify_config config;
    ffebm_status status = configure(c, beta);

    ffebm_certify_config_init(&config, sizeof config);
    config.adjoint_sweeps = MOST_SWEEPS;
    config.directions = (size_t)c->settings->directions;
    if (beta > 0.02) {
        config.min_cosine = 0.95;
        config.max_difference_error = 0.3;
    }
    if (status == FFEBM_OK)
        status = ffebm_engine_certify(c->engine, &worst, c->samples.input, c->samples.target, NULL, &config);
    return status != FFEBM_OK ? status : report(c, seed, beta, &worst);
}

static ffebm_status certify_seed(struct certification *c, uint64_t seed, const double *betas, size_t count,
                                 struct failure *failure)
{
    ffebm_status status = samples_draw(&c->samples, c->context, c->model, seed, failure) == 0 ? FFEBM_OK : FFEBM_ERR_IO;

    if (status == FFEBM_OK && !model_file_is_checkpoint(c->path))
        status = ffebm_model_initialize(c->model, seed);
    for (size_t i = 0; i < count && status == FFEBM_OK; i++)
        status = certify_beta(c, seed, betas[i]);
    return status;
}

/* What the reading of the file says names the file, what the library says does not. */
static void print_failure(const struct certification *c, const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "certify: %s\n", failure->text);
    else
        fprintf(stderr, "certify: %s: %s\n", c->path, ffebm_context_error(c->context));
}

/* Returns whether the model has passed. */
static int certify(const struct settings *settings, const char *path, const double *betas, size_t count)
{
    struct certification c = {.settings = settings, .path = path, .info = {.size = sizeof c.info}, .passed = 1};
    struct failure failure = {""};
    ffebm_status status = set_up(&c, &failure);

    for (int64_t seed = 0; seed < settings->seeds && status == FFEBM_OK; seed++)
        status = certify_seed(&c, (uint64_t)seed, betas, count, &failure);
    if (status != FFEBM_OK)
        print_failure(&c, &failure);

    samples_destroy(&c.samples);
    ffebm_engine_destroy(c.engine);
    ffebm_model_destroy(c.model);
    ffebm_context_destroy(c.context);
    return status == FFEBM_OK && c.passed;
}

/* ---------------------------------------------------------------------------------------------------- command line */

/* Returns how many there are, or 0 if the text is no list of positive numbers. */
static size_t parse_betas(double betas[MAX_BETAS], const char *text)
{
    size_t count = 0;

    while (count < MAX_BETAS) {
        char *end;

        betas[count] = strtod(text, &end);
        if (end == text || !isfinite(betas[count]) || betas[count] <= 0 || (*end != ',' && *end != '\0'))
            return 0;
        count++;
        if (*end == '\0')
            return count;
        text = end + 1;
    }
    return 0;
}

/* Options come first, each but --json with a value: `--name value` or `--name=value`. */
static int first_model(int argc, char **argv)
{
    int at = 1;

    while (at < argc && strncmp(argv[at], "--", 2) == 0)
        at += strchr(argv[at], '=') != NULL || strcmp(argv[at], "--json") == 0 ? 1 : 2;
    return at < argc ? at : argc;
}

static int usage(const char *program, const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "certify: %s\n", failure->text);
    fprintf(stderr, "usage: %s [options] MODEL.json|CHECKPOINT.safetensors...\n", program);
    options_print(stderr, options, NULL);
    return 2;
}

int main(int argc, char **argv)
{
    struct settings settings = {.images = 2, .seeds = 3, .threads = 2, .beta = "0.02,0.2"};
    struct failure failure = {""};
    double betas[MAX_BETAS];
    int models = first_model(argc, argv), failed = 0;
    size_t count = 0;

    ffebm_equilibrium_config_init(&settings.equilibrium, sizeof settings.equilibrium);
    settings.equilibrium.nudged_sweeps = 500;
    blas_threads_one();
    if (models < argc && options_parse(&settings, options, models, argv, &failure) == 0 &&
        (count = parse_betas(betas, settings.beta)) == 0)
        failure_set(&failure, "--beta %s: expected up to %d positive numbers", settings.beta, MAX_BETAS);
    if (count == 0)
        return usage(argv[0], &failure);
    for (int i = models; i < argc; i++)
        failed += !certify(&settings, argv[i], betas, count);
    if (!settings.json)
        printf("%d of %d models certified\n", argc - models - failed, argc - models);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Compare a model's gradients by equilibrium propagation with exact ones, for first values and images drawn at random.
 *
 *   certify [--images 2] [--seeds 3] [--beta 0.02,0.2] [--dtype float32] [--threads 2] MODEL.json...
 *
 * Both start from the same free state: settled from zeros to a relative change of 1e-6 a sweep (at most 3000 sweeps),
 * and, like all that the library computes, the same bits in every call. The exact gradient is implicit differentiation,
 * converged to 1e-5. The other is centred EP as in training: the error evaluated anew in every sweep in the last block,
 * held in the others, nudged phases settled to 1e-3, in at most 60 sweeps. Batch normalisation takes the batch's
 * statistics. Pixels are normally distributed, labels uniformly.
 *
 * Prints one line a model, seed and beta: the smallest cosine between the two gradients of a parameter tensor, frozen
 * ones too, and that tensor; the smallest and the largest of their lengths' ratios; how many tensors have a gradient of
 * zero in both (which agree); units that the nudges moved into or out of saturation, the usual reason for a
 * disagreement; for each phase the sweeps and residual of its slowest sample, and how many samples missed its tolerance.
 * Ends with status 0 only if free states and exact gradients have settled, and every cosine is at least 0.99 for a beta
 * of at most 0.02, 0.95 above. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/failure.h"
#include "support/options.h"
#include "support/text_file.h"

enum { MAX_BETAS = 16 };

struct settings {
    int64_t images;
    int64_t seeds;
    int64_t threads;
    const char *beta;
    int32_t dtype;
    int32_t switches;
};

static const struct option_choice dtypes[] = {{"float32", FFEBM_FLOAT32}, {"float64", FFEBM_FLOAT64}, {NULL, 0}};

static const struct option_choice switches[] = {
    {"hold", FFEBM_SWITCHES_HOLD}, {"follow", FFEBM_SWITCHES_FOLLOW}, {NULL, 0}};

static const struct option options[] = {
    {"images", "N", "in a batch (2)", NULL, offsetof(struct settings, images), 1, 128, OPTION_INTEGER},
    {"seeds", "N", "how many draws of first values and images (3)", NULL, offsetof(struct settings, seeds), 1, 1000,
     OPTION_INTEGER},
    {"beta", "B,...", "strengths of the nudging (0.02,0.2)", NULL, offsetof(struct settings, beta), 0, 0, OPTION_TEXT},
    {"dtype", NULL, "float64 tells rounding from all else (float32)", dtypes, offsetof(struct settings, dtype), 0, 0,
     OPTION_CHOICE},
    {"switches", NULL, "of max pools in nudged phases (hold)", switches, offsetof(struct settings, switches), 0, 0,
     OPTION_CHOICE},
    {"threads", "N", "0: one a processor (2)", NULL, offsetof(struct settings, threads), 0, 1024, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct certificate {
    const struct settings *settings;
    const char *path;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_tensor *images;
    ffebm_tensor *labels;
    ffebm_tensor *exact;          /* the gradient by implicit differentiation */
    ffebm_phase_report reference; /* of its adjoint */
    size_t element_count;
    size_t parameter_count;
    int passed;
};

/* What comparing the two gradients, tensor by tensor, came to. */
struct comparison {
    double cosine; /* the smallest */
    double ratio[2];
    size_t zeros;
    char worst[64]; /* the name of the tensor with that cosine */
};

/* ------------------------------------------------------------------------------------------------------- setting up */

static double bound_of(double beta)
{
    return beta <= 0.02 ? 0.99 : 0.95;
}

static ffebm_status read_model(struct certificate *c, struct failure *failure)
{
    ffebm_parse_config config;
    char *text = NULL;
    size_t length = 0;
    ffebm_status status;

    ffebm_parse_config_init(&config, sizeof config);
    config.dtype = c->settings->dtype;
    if (text_file_read(c->path, &text, &length, failure) != 0)
        return FFEBM_ERR_IO;
    status = ffebm_model_parse(c->context, &c->model, text, length, &config);
    free(text);
    return status;
}

static ffebm_status create_context(struct certificate *c)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = (int32_t)c->settings->threads;
    return ffebm_context_create(&c->context, &config);
}

static ffebm_status create_engine(struct certificate *c)
{
    ffebm_engine_config config;
    ffebm_status status = ffebm_model_initialize(c->model, 0);

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)c->settings->images;
    return status != FFEBM_OK ? status : ffebm_engine_create(&c->engine, c->model, &config);
}

static ffebm_status create_tensors(struct certificate *c)
{
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {c->settings->images}, elements;
    ffebm_status status = ffebm_model_inspect(c->model, &info);

    if (status != FFEBM_OK)
        return status;
    c->element_count = info.element_count;
    c->parameter_count = info.parameter_count;
    elements = (int64_t)info.element_count;
    memcpy(shape + 1, info.input_shape, info.input_rank * sizeof *shape);
    if ((status = ffebm_tensor_create(c->context, &c->images, info.dtype, shape, info.input_rank + 1)) == FFEBM_OK &&
        (status = ffebm_tensor_create(c->context, &c->exact, info.dtype, &elements, 1)) == FFEBM_OK)
        status = ffebm_tensor_create(c->context, &c->labels, FFEBM_INT64, shape, 1);
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static void write_number(ffebm_tensor *tensor, size_t i, double number)
{
    if (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT64)
        ((double *)ffebm_tensor_data(tensor))[i] = number;
    else
        ((float *)ffebm_tensor_data(tensor))[i] = (float)number;
}

static double read_number(const ffebm_tensor *tensor, size_t i)
{
    if (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT64)
        return ((const double *)ffebm_tensor_const_data(tensor))[i];
    return ((const float *)ffebm_tensor_const_data(tensor))[i];
}

/* The streams are those of this program, apart from the model's own, which follow from the seed too. */
static ffebm_status draw(struct certificate *c, uint64_t seed)
{
    const uint64_t pixels = 0x636572746966 + 2 * seed, classes = pixels + 1;
    ffebm_model_info info = {.size = sizeof info};
    ffebm_status status = ffebm_model_inspect(c->model, &info);
    int64_t *labels = ffebm_tensor_data(c->labels);

    if (status != FFEBM_OK)
        return status;
    for (size_t i = 0; i < ffebm_tensor_count(c->images); i++)
        write_number(c->images, i, ffebm_random_normal(pixels, i));
    for (size_t i = 0; i < ffebm_tensor_count(c->labels); i++)
        labels[i] = (int64_t)(ffebm_random_uniform(classes, i) * (double)info.output_shape[0]);
    return ffebm_model_initialize(c->model, seed);
}

/* -------------------------------------------------------------------------------------------------------- gradients */

static ffebm_equilibrium_config equilibrium(const struct certificate *c)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.switches = c->settings->switches;
    config.free_sweeps = 3000;
    config.free_tolerance = 1e-6;
    return config;
}

static ffebm_status gradient(struct certificate *c, const ffebm_equilibrium_config *config)
{
    ffebm_status status = ffebm_engine_configure(c->engine, FFEBM_ALL, config);

    return status != FFEBM_OK ? status : ffebm_engine_gradient(c->engine, NULL, c->images, c->labels, NULL);
}

static ffebm_status gradient_exact(struct certificate *c)
{
    ffebm_equilibrium_config config = equilibrium(c);
    ffebm_status status;

    config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    config.nudged_sweeps = 1000;
    config.nudged_tolerance = 1e-5;
    if ((status = gradient(c, &config)) != FFEBM_OK)
        return status;
    c->reference = (ffebm_phase_report){.size = sizeof c->reference};
    status = ffebm_engine_inspect_phase(c->engine, &c->reference, FFEBM_ALL, FFEBM_PHASE_NUDGED);
    return status != FFEBM_OK ? status : ffebm_tensor_copy(c->exact, ffebm_engine_flat_gradient(c->engine));
}

static ffebm_status gradient_nudged(struct certificate *c, double beta)
{
    ffebm_equilibrium_config config = equilibrium(c);

    config.beta = beta;
    config.nudged_sweeps = 60;
    config.nudged_tolerance = 1e-3;
    return gradient(c, &config);
}

/* -------------------------------------------------------------------------------------------------------- comparing */

static void compare_tensor(struct comparison *result, const struct certificate *c, const ffebm_parameter_info *of)
{
    const ffebm_tensor *nudged = ffebm_engine_flat_gradient(c->engine);
    double product = 0, exact_square = 0, nudged_square = 0, cosine, ratio;

    for (size_t i = of->offset; i < of->offset + of->count; i++) {
        double a = read_number(c->exact, i), b = read_number(nudged, i);

        product += a * b;
        exact_square += a * a;
        nudged_square += b * b;
    }
    if (exact_square == 0 && nudged_square == 0) {
        result->zeros++;
        return;
    }
    cosine = exact_square == 0 || nudged_square == 0 ? 0 : product / sqrt(exact_square) / sqrt(nudged_square);
    ratio = sqrt(nudged_square) / sqrt(exact_square);
    result->ratio[0] = fmin(result->ratio[0], ratio);
    result->ratio[1] = fmax(result->ratio[1], ratio);
    if (cosine < result->cosine || result->worst[0] == '\0') {
        result->cosine = cosine;
        snprintf(result->worst, sizeof result->worst, "%s", of->name);
    }
}

static ffebm_status compare(struct comparison *result, const struct certificate *c)
{
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_status status = FFEBM_OK;

    *result = (struct comparison){.cosine = 1, .ratio = {INFINITY, 0}};
    for (size_t i = 0; i < c->parameter_count && status == FFEBM_OK; i++)
        if ((status = ffebm_model_inspect_parameter(c->model, &info, i)) == FFEBM_OK)
            compare_tensor(result, c, &info);
    return status;
}

static void print_phase(const char *name, const ffebm_phase_report *report)
{
    printf("; %s %" PRId64 " sweeps to %.1e", name, report->sweeps_max, report->residual_max);
    if (report->unconverged > 0)
        printf(" (%zu of %zu unsettled)", report->unconverged, report->samples);
}

static ffebm_status report(struct certificate *c, uint64_t seed, double beta, const struct comparison *result)
{
    ffebm_phase_report free_phase = {.size = sizeof free_phase}, nudged = {.size = sizeof nudged};
    ffebm_status status;
    int passed;

    if ((status = ffebm_engine_inspect_phase(c->engine, &free_phase, FFEBM_ALL, FFEBM_PHASE_FREE)) != FFEBM_OK ||
        (status = ffebm_engine_inspect_phase(c->engine, &nudged, FFEBM_ALL, FFEBM_PHASE_NUDGED)) != FFEBM_OK)
        return status;
    passed = result->cosine >= bound_of(beta) && free_phase.unconverged == 0 && c->reference.unconverged == 0;
    printf("%s: %zu parameters, seed %" PRIu64 ", beta %g: smallest cosine %.6f %s, lengths %.4f to %.4f", c->path,
           c->element_count, seed, beta, result->cosine, result->worst, result->ratio[0], result->ratio[1]);
    if (result->zeros > 0)
        printf(", %zu tensors zero in both", result->zeros);
    printf("; %zu region changes", nudged.region_changes);
    print_phase("free", &free_phase);
    print_phase("nudged", &nudged);
    print_phase("adjoint", &c->reference);
    printf("%s\n", passed ? "" : "  FAILED");
    fflush(stdout);
    c->passed = c->passed && passed;
    return FFEBM_OK;
}

static ffebm_status certify_seed(struct certificate *c, uint64_t seed, const double *betas, size_t count)
{
    struct comparison result;
    ffebm_status status;

    if ((status = draw(c, seed)) != FFEBM_OK || (status = gradient_exact(c)) != FFEBM_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        if ((status = gradient_nudged(c, betas[i])) != FFEBM_OK || (status = compare(&result, c)) != FFEBM_OK ||
            (status = report(c, seed, betas[i], &result)) != FFEBM_OK)
            return status;
    return FFEBM_OK;
}

/* What the reading of the file says names the file, what the library says does not. */
static void print_failure(const struct certificate *c, const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "certify: %s\n", failure->text);
    else
        fprintf(stderr, "certify: %s: %s\n", c->path, ffebm_context_error(c->context));
}

/* Returns whether the model has passed. */
static int certify(const struct settings *settings, const char *path, const double *betas, size_t count)
{
    struct certificate c = {.settings = settings, .path = path, .passed = 1};
    struct failure failure = {""};
    ffebm_status status;

    if ((status = create_context(&c)) == FFEBM_OK && (status = read_model(&c, &failure)) == FFEBM_OK &&
        (status = create_engine(&c)) == FFEBM_OK)
        status = create_tensors(&c);
    for (int64_t seed = 0; seed < settings->seeds && status == FFEBM_OK; seed++)
        status = certify_seed(&c, (uint64_t)seed, betas, count);
    if (status != FFEBM_OK)
        print_failure(&c, &failure);

    ffebm_tensor_destroy(c.images);
    ffebm_tensor_destroy(c.labels);
    ffebm_tensor_destroy(c.exact);
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

/* Options come first, each with a value: `--name value` or `--name=value`. */
static int first_model(int argc, char **argv)
{
    int at = 1;

    while (at < argc && strncmp(argv[at], "--", 2) == 0)
        at += strchr(argv[at], '=') != NULL ? 1 : 2;
    return at < argc ? at : argc;
}

static int usage(const char *program, const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "certify: %s\n", failure->text);
    fprintf(stderr, "usage: %s [options] MODEL.json...\n", program);
    options_print(stderr, options);
    return 2;
}

int main(int argc, char **argv)
{
    struct settings settings = {.images = 2,
                                .seeds = 3,
                                .threads = 2,
                                .beta = "0.02,0.2",
                                .dtype = FFEBM_FLOAT32,
                                .switches = FFEBM_SWITCHES_HOLD};
    struct failure failure = {""};
    double betas[MAX_BETAS];
    int models = first_model(argc, argv), failed = 0;
    size_t count = 0;

    blas_threads_one();
    if (models < argc && options_parse(&settings, options, models, argv, &failure) == 0 &&
        (count = parse_betas(betas, settings.beta)) == 0)
        failure_set(&failure, "--beta %s: expected up to %d positive numbers", settings.beta, MAX_BETAS);
    if (count == 0)
        return usage(argv[0], &failure);
    for (int i = models; i < argc; i++)
        failed += !certify(&settings, argv[i], betas, count);
    printf("%d of %d models certified\n", argc - models - failed, argc - models);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

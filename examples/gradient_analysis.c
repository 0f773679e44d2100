/* The static gradient analysis of arXiv:2409.03306, figures 3 and 5: the gradient of every parameter after each nudged
 * sweep, by equilibrium propagation (EP) and by truncated implicit differentiation (ID), and the angle between the two,
 * for two random images; and the model's depth profile.
 *
 *   gradient_analysis [--model MODEL.json|CHECKPOINT.safetensors] [--out FILE.jsonl] [--dataset NAME]
 *
 * First values are drawn, unless the model is a checkpoint. Both gradients start from one free state; then blocks are
 * traced from the last to the first, each with the error that comes from above after all sweeps there. Batch
 * normalisation takes the batch's statistics.
 *
 * Writes JSON lines, to standard output or to a file: one a parameter and sweep,
 *     {"parameter": .., "stage": .., "rank": .., "sweep": .., "ep": .., "id": .., "cosine": .., "error": ..}
 * rank that of the tensor, ep and id the norms of the two gradients, cosine between them, error |EP - ID| / |ID|; and
 * one a layer of an energy block,
 *     {"stage": .., "layer": .., "units": .., "free": .., "nudge": .., "residual": .., "signal_to_residual": ..,
 *      "saturated": ..}
 * as ffebm_layer_report has it. With --out the cosines after the last sweep follow on standard output.
 * examples/gradient_analysis.gp draws the file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/failure.h"
#include "support/model_file.h"
#include "support/options.h"
#include "support/samples.h"

struct settings {
    const char *model;
    const char *out;
    const char *dataset;
    const char *data;
    int64_t images;
    int64_t seed;
    int64_t free_sweeps;
    int64_t nudged_sweeps;
    int64_t threads;
    double beta;
    int32_t dtype;
    int32_t switches;
};

static const struct option_choice dtypes[] = {{"float32", FFEBM_FLOAT32}, {"float64", FFEBM_FLOAT64}, {NULL, 0}};

static const struct option_choice switches[] = {
    {"follow", FFEBM_SWITCHES_FOLLOW}, {"hold", FFEBM_SWITCHES_HOLD}, {NULL, 0}};

static const struct option options[] = {
    {"model", "FILE", "a description or a checkpoint (examples/models/static_gradient_analysis_10.json)", NULL,
     offsetof(struct settings, model), 0, 0, OPTION_TEXT},
    {"out", "FILE.jsonl", "where the lines go (standard output)", NULL, offsetof(struct settings, out), 0, 0,
     OPTION_TEXT},
    {"dataset", "NAME", "draw images from its test samples (random numbers)", NULL, offsetof(struct settings, dataset),
     0, 0, OPTION_TEXT},
    {"data", "DIR", "directory of its files", NULL, offsetof(struct settings, data), 0, 0, OPTION_TEXT},
    {"images", "N", "in the batch (2)", NULL, offsetof(struct settings, images), 1, 128, OPTION_INTEGER},
    {"seed", "N", "of images and first values (0)", NULL, offsetof(struct settings, seed), 0, INT64_MAX,
     OPTION_INTEGER},
    {"beta", "B", "strength of the nudging (0.02)", NULL, offsetof(struct settings, beta), 0, 0, OPTION_POSITIVE},
    {"free-sweeps", "N", "all of which are made (15)", NULL, offsetof(struct settings, free_sweeps), 1, 1000000,
     OPTION_INTEGER},
    {"nudged-sweeps", "N", "likewise (20)", NULL, offsetof(struct settings, nudged_sweeps), 1, 10000, OPTION_INTEGER},
    {"dtype", NULL, "of the model (its own)", dtypes, offsetof(struct settings, dtype), 0, 0, OPTION_CHOICE},
    {"switches", NULL, "of max pools in nudged phases (hold)", switches, offsetof(struct settings, switches), 0, 0,
     OPTION_CHOICE},
    {"threads", "N", "0: one a processor (2)", NULL, offsetof(struct settings, threads), 0, 1024, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct analysis {
    const struct settings *settings;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    struct samples samples;
    FILE *out;
    FILE *table; /* NULL: none */
    double smallest;
};

/* ----------------------------------------------------------------------------------------------------------- output */

static int32_t write_point(void *user, const ffebm_trace_point *point)
{
    struct analysis *a = user;

    size_t rank;

    ffebm_tensor_shape(point->estimate, &rank);
    fprintf(a->out,
            "{\"parameter\": \"%s\", \"stage\": %zu, \"rank\": %zu, \"sweep\": %" PRId64
            ", \"ep\": %.6e, \"id\": %.6e, \"cosine\": %.8f, \"error\": %.6e}\n",
            point->name, point->stage, rank, point->sweep, point->estimate_norm, point->implicit_norm, point->cosine,
            point->relative_error);
    if (point->sweep != a->settings->nudged_sweeps)
        return 0;
    a->smallest = fmin(a->smallest, point->cosine);
    if (a->table != NULL)
        fprintf(a->table, "%-18s  EP %.4e  ID %.4e  cosine %.6f\n", point->name, point->estimate_norm,
                point->implicit_norm, point->cosine);
    return 0;
}

static ffebm_status write_layer(const struct analysis *a, size_t stage, size_t layer)
{
    ffebm_layer_report r = {.size = sizeof r};
    ffebm_status status = ffebm_engine_inspect_layer(a->engine, &r, stage, layer);

    if (status != FFEBM_OK)
        return status;
    fprintf(a->out,
            "{\"stage\": %zu, \"layer\": %zu, \"units\": %zu, \"free\": %.6e, \"nudge\": %.6e, \"residual\": %.6e, "
            "\"signal_to_residual\": ",
            stage, layer, r.units, r.free_norm, r.nudge_norm, r.residual_norm);
    if (isfinite(r.signal_to_residual))
        fprintf(a->out, "%.6e", r.signal_to_residual);
    else
        fputs("null", a->out); /* all had settled; JSON knows no infinity */
    fprintf(a->out, ", \"saturated\": %.6f}\n", r.saturated);
    return FFEBM_OK;
}

static ffebm_status write_profile(const struct analysis *a)
{
    ffebm_model_info model = {.size = sizeof model};
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_status status = ffebm_model_inspect(a->model, &model);

    for (size_t s = 0; s < model.stage_count && status == FFEBM_OK; s++) {
        status = ffebm_model_inspect_stage(a->model, &stage, s);
        for (size_t l = 0; status == FFEBM_OK && stage.kind == FFEBM_STAGE_ENERGY && l < stage.layer_count; l++)
            status = write_layer(a, s, l);
    }
    return status;
}

static ffebm_status report(const struct analysis *a)
{
    ffebm_phase_report nudged = {.size = sizeof nudged};
    ffebm_status status = ffebm_engine_inspect_phase(a->engine, &nudged, FFEBM_ALL, FFEBM_PHASE_NUDGED);

    if (status == FFEBM_OK && a->table != NULL)
        fprintf(a->table, "after %" PRId64 " sweeps: smallest cosine %.6f; %zu region changes\n",
                a->settings->nudged_sweeps, a->smallest, nudged.region_changes);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- analysis */

static ffebm_status configure(const struct analysis *a)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = a->settings->beta;
    config.free_sweeps = a->settings->free_sweeps;
    config.nudged_sweeps = a->settings->nudged_sweeps;
    config.free_tolerance = config.nudged_tolerance = 0;
    config.switches = a->settings->switches;
    return ffebm_engine_configure(a->engine, FFEBM_ALL, &config);
}

static ffebm_status set_up(struct analysis *a, struct failure *failure)
{
    const struct settings *s = a->settings;
    ffebm_context_config context;
    ffebm_engine_config engine;
    ffebm_status status;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = (int32_t)s->threads;
    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = (size_t)s->images;
    if ((status = ffebm_context_create(&a->context, &context)) != FFEBM_OK ||
        (status = model_file_read(a->context, &a->model, s->model, s->dtype, failure)) != FFEBM_OK)
        return status;
    if (!model_file_is_checkpoint(s->model) &&
        (status = ffebm_model_initialize(a->model, (uint64_t)s->seed)) != FFEBM_OK)
        return status;
    if ((status = ffebm_engine_create(&a->engine, a->model, &engine)) != FFEBM_OK)
        return status;
    if (samples_create(&a->samples, a->context, a->model, s->images, s->dataset, s->data, failure) != 0 ||
        samples_draw(&a->samples, a->context, a->model, (uint64_t)s->seed, failure) != 0)
        return FFEBM_ERR_IO;
    return configure(a);
}

static ffebm_status analyse(struct analysis *a, struct failure *failure)
{
    ffebm_status status = set_up(a, failure);

    if (status == FFEBM_OK)
        status = ffebm_engine_trace(a->engine, a->samples.input, a->samples.target, NULL, write_point, a);
    if (status == FFEBM_OK)
        status = ffebm_engine_gradient(a->engine, NULL, a->samples.input, a->samples.target, NULL);
    if (status == FFEBM_OK)
        status = write_profile(a);
    return status != FFEBM_OK ? status : report(a);
}

static int open_output(struct analysis *a, struct failure *failure)
{
    a->out = stdout;
    if (a->settings->out == NULL)
        return 0;
    a->table = stdout;
    a->out = fopen(a->settings->out, "w");
    return a->out != NULL ? 0 : failure_set(failure, "%s: cannot be written", a->settings->out);
}

static int close_output(const struct analysis *a, struct failure *failure)
{
    int bad = fflush(a->out) != 0 || ferror(a->out);

    if (a->out != stdout)
        bad = fclose(a->out) != 0 || bad;
    return bad ? failure_set(failure, "writing the lines failed") : 0;
}

int main(int argc, char **argv)
{
    struct settings settings = {.model = "examples/models/static_gradient_analysis_10.json",
                                .images = 2,
                                .free_sweeps = 15,
                                .nudged_sweeps = 20,
                                .threads = 2,
                                .beta = 0.02,
                                .switches = FFEBM_SWITCHES_HOLD};
    struct analysis a = {.settings = &settings, .smallest = 1};
    struct failure failure = {""};

    blas_threads_one();
    if (options_parse(&settings, options, argc, argv, &failure) != 0) {
        fprintf(stderr, "gradient_analysis: %s\nusage: %s [options]\n", failure.text, argv[0]);
        options_print(stderr, options, NULL);
        return 2;
    }
    if (open_output(&a, &failure) == 0) {
        if (analyse(&a, &failure) != FFEBM_OK && failure.text[0] == '\0')
            failure_set(&failure, "%s: %s", settings.model, ffebm_context_error(a.context));
        if (failure.text[0] == '\0')
            close_output(&a, &failure);
    }
    if (failure.text[0] != '\0')
        fprintf(stderr, "gradient_analysis: %s\n", failure.text);

    samples_destroy(&a.samples);
    ffebm_engine_destroy(a.engine);
    ffebm_model_destroy(a.model);
    ffebm_context_destroy(a.context);
    return failure.text[0] == '\0' ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What a gradient of a model would take and cost on hardware, beside digital backpropagation of the same network.
 *
 *   ledger [options] MODEL.json|CHECKPOINT.safetensors
 *
 * Computes one gradient for the sweeps that it takes: of random numbers, or of a data set; with first values, or those of a
 * checkpoint. Where both --free-sweeps and --nudged-sweeps are given, nothing is computed. Of devices that are written by
 * pulses it takes one step of the recipe's optimizer, and counts its pulses as those of the recipe's batch.
 *
 * Prints events by stage and part, energy and latency for couplings that are unrolled or on crossbars, and each constant with
 * its source. Any constant can be replaced: --adc-8 0.36, or --constants FILE with a JSON object of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/constants.h"
#include "support/failure.h"
#include "support/ledger_print.h"
#include "support/model_file.h"
#include "support/options.h"
#include "support/recipe.h"
#include "support/samples.h"

struct settings {
    ffebm_ledger_config ledger;
    ffebm_equilibrium_config equilibrium;
    int64_t images;
    int64_t threads;
    const char *dataset;
    const char *data;
    const char *constants;
    int32_t json;
};

#define AT(field) offsetof(struct settings, field)

static const struct option options[] = {
    {"dataset", "NAME", "take sweeps from its test samples (random numbers)", NULL, AT(dataset), 0, 0, OPTION_TEXT},
    {"data", "DIR", "directory of its files", NULL, AT(data), 0, 0, OPTION_PATH},
    {"images", "N", "so many", NULL, AT(images), 1, 1024, OPTION_INTEGER},
    {"threads", "N", "0: one a processor", NULL, AT(threads), 0, 1024, OPTION_INTEGER},
    {"estimator", NULL, NULL, NULL, AT(equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"nudging", NULL, NULL, NULL, AT(equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"repeats", NULL, NULL, NULL, AT(equilibrium), FFEBM_CONFIG_EQUILIBRIUM, 0, OPTION_SETTING},
    {"json", NULL, "print one JSON object, in SI units", NULL, AT(json), 0, 0, OPTION_FLAG},
    {"constants", "FILE", "of a JSON object of those below", NULL, AT(constants), 0, 0, OPTION_PATH},
    {"", NULL, NULL, NULL, AT(ledger), FFEBM_CONFIG_LEDGER, 0, OPTION_SETTINGS},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

struct ledger {
    struct settings settings;
    const char *path;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    struct samples samples;
    ffebm_model_info info;
    struct ledger_entry *entries;
    size_t count;
};

/* ------------------------------------------------------------------------------------------------------- setting up */

/* What the file and the model say, and over it what the command line does. */
static int settle_settings(struct ledger *l, int argc, char **argv, struct failure *failure)
{
    ffebm_ledger_config_init(&l->settings.ledger, sizeof l->settings.ledger);
    if (l->settings.constants != NULL &&
        constants_read(l->context, &l->settings.ledger, FFEBM_CONFIG_LEDGER, l->settings.constants, failure) != 0)
        return -1;
    l->settings.equilibrium.size = sizeof l->settings.equilibrium;
    if (ffebm_model_equilibrium(l->model, &l->settings.equilibrium) != FFEBM_OK)
        return -1;
    return options_parse(&l->settings, options, argc, argv, failure);
}

static int set_up(struct ledger *l, int argc, char **argv, struct failure *failure)
{
    ffebm_context_config context;
    ffebm_engine_config engine;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = (int32_t)l->settings.threads;
    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = (size_t)l->settings.images;
    if (ffebm_context_create(&l->context, &context) != FFEBM_OK ||
        model_file_read(l->context, &l->model, l->path, 0, failure) != FFEBM_OK ||
        (!model_file_is_checkpoint(l->path) && ffebm_model_initialize(l->model, 0) != FFEBM_OK) ||
        settle_settings(l, argc, argv, failure) != 0 ||
        ffebm_engine_create(&l->engine, l->model, &engine) != FFEBM_OK ||
        recipe_configure(l->engine, l->model, &l->settings.equilibrium) != FFEBM_OK ||
        ffebm_model_inspect(l->model, &l->info) != FFEBM_OK)
        return -1;
    l->entries = calloc(3 * l->info.stage_count, sizeof *l->entries);
    return l->entries != NULL ? 0 : failure_set(failure, "out of memory");
}

/* --------------------------------------------------------------------------------------------------------- computing */

static int is_written_by_pulses(const struct ledger *l)
{
    for (size_t i = 0; i < l->info.stage_count; i++) {
        ffebm_device_config device = {.size = sizeof device};

        if (ffebm_model_device(l->model, &device, i) == FFEBM_OK && device.update_mode != FFEBM_UPDATE_IDEAL)
            return 1;
    }
    return 0;
}

/* A step's pulses are shared by the samples of a batch. */
static ffebm_status take_step(struct ledger *l)
{
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_optimizer *optimizer = NULL;
    ffebm_status status = ffebm_model_recipe(l->model, &recipe);

    if (status == FFEBM_OK && (status = ffebm_recipe_optimizer(&optimizer, l->model, &recipe)) == FFEBM_OK)
        status = ffebm_optimizer_step(optimizer, l->engine);
    ffebm_optimizer_destroy(optimizer);
    if (l->settings.ledger.trained_samples == 0)
        l->settings.ledger.trained_samples = (double)recipe.batch;
    return status;
}

static int compute(struct ledger *l, struct failure *failure)
{
    int given = l->settings.ledger.free_sweeps > 0 && l->settings.ledger.nudged_sweeps > 0, pulses;

    pulses = is_written_by_pulses(l);
    if (given && !pulses)
        return 0;
    if (samples_create(&l->samples, l->context, l->model, l->settings.images, l->settings.dataset, l->settings.data,
                       failure) != 0 ||
        samples_draw(&l->samples, l->context, l->model, 0, failure) != 0 ||
        ffebm_engine_gradient(l->engine, NULL, l->samples.input, l->samples.target, NULL) != FFEBM_OK)
        return -1;
    return pulses && take_step(l) != FFEBM_OK ? -1 : 0;
}

static int read_entries(struct ledger *l)
{
    for (size_t stage = 0; stage < l->info.stage_count; stage++) {
        ffebm_stage_info info = {.size = sizeof info};

        if (ffebm_model_inspect_stage(l->model, &info, stage) != FFEBM_OK)
            return -1;
        for (int32_t part = FFEBM_LEDGER_FREE; part <= FFEBM_LEDGER_UPDATE; part++) {
            struct ledger_entry *e = &l->entries[l->count++];

            *e = (struct ledger_entry){stage, info.type, part, {.size = sizeof e->ledger}};
            if (ffebm_engine_ledger(l->engine, &e->ledger, stage, part, &l->settings.ledger) != FFEBM_OK)
                return -1;
        }
    }
    return 0;
}

static int print(struct ledger *l)
{
    struct ledger_table table = {.name = l->path,
                                 .entries = l->entries,
                                 .count = l->count,
                                 .total = {.size = sizeof table.total},
                                 .config = &l->settings.ledger};

    if (ffebm_engine_ledger(l->engine, &table.total, FFEBM_ALL, FFEBM_LEDGER_ALL, &l->settings.ledger) != FFEBM_OK)
        return -1;
    (l->settings.json ? ledger_print_json : ledger_print_words)(stdout, &table);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ command line */

/* The program's name, and in front of the last word the options. */
int main(int argc, char **argv)
{
    struct ledger l = {.settings = {.images = 2, .threads = 1}, .info = {.size = sizeof l.info}};
    struct failure failure = {""};
    int known, result;

    ffebm_ledger_config_init(&l.settings.ledger, sizeof l.settings.ledger);
    ffebm_equilibrium_config_init(&l.settings.equilibrium, sizeof l.settings.equilibrium);
    blas_threads_one();
    known = argc > 1 && strncmp(argv[argc - 1], "--", 2) != 0 &&
            options_parse(&l.settings, options, argc - 1, argv, &failure) == 0;
    if (!known) {
        if (failure.text[0] != '\0')
            fprintf(stderr, "ledger: %s\n", failure.text);
        fprintf(stderr, "usage: %s [options] MODEL.json|CHECKPOINT.safetensors\n", argv[0]);
        options_print(stderr, options, &l.settings);
        return 2;
    }
    l.path = argv[argc - 1];
    result = set_up(&l, argc - 1, argv, &failure) == 0 && compute(&l, &failure) == 0 && read_entries(&l) == 0 &&
             print(&l) == 0;
    if (!result)
        fprintf(stderr, "ledger: %s\n", failure.text[0] != '\0' ? failure.text : ffebm_context_error(l.context));
    samples_destroy(&l.samples);
    free(l.entries);
    ffebm_engine_destroy(l.engine);
    ffebm_model_destroy(l.model);
    ffebm_context_destroy(l.context);
    return result ? EXIT_SUCCESS : EXIT_FAILURE;
}

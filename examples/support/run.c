#include "run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "fit.h"
#include "recipe.h"
#include "shuffle.h"
#include "text_file.h"

int run_check(struct run *run, ffebm_status status)
{
    if (status == FFEBM_OK)
        return RUN_DONE;
    failure_set(&run->failure, "%s",
                run->context != NULL ? ffebm_context_error(run->context) : ffebm_status_text(status));
    return RUN_FAILED;
}

/* ------------------------------------------------------------------------------------------------- the command line */

static int parse(struct run *run, const ffebm_model *model, int64_t seed)
{
    settings_init(&run->settings, model);
    run->settings.seed = seed;
    return settings_parse(&run->settings, run->arguments.count, run->arguments.items, &run->failure) == 0 ? RUN_DONE
                                                                                                          : RUN_MISUSED;
}

/* A run directory knows how its run was begun; what is said now comes after that. */
static int collect_arguments(struct run *run, int argc, char **argv)
{
    const char *resume;
    int known;

    settings_init(&run->settings, NULL);
    if (settings_parse(&run->settings, argc, argv, &run->failure) != 0)
        return RUN_MISUSED;
    resume = run->settings.resume;
    known = resume != NULL && run_directory_exists(resume);
    if (known && (run_directory_name(&run->directory, resume, &run->failure) != 0 ||
                  run_directory_lock(&run->directory, &run->failure) != 0))
        return RUN_MISUSED;
    if (known && access(run->directory.last, F_OK) != 0) {
        failure_set(&run->failure, "--resume %s: has no last.safetensors; begin the run anew, with --run", resume);
        return RUN_MISUSED;
    }
    if (arguments_create(&run->arguments, argv[0], &run->failure) != 0 ||
        (known && arguments_read(&run->arguments, run->directory.arguments, &run->failure) != 0) ||
        arguments_add(&run->arguments, argc, argv, "resume", &run->failure) != 0)
        return RUN_FAILED;
    run->resumed = known ? run->directory.last : resume;
    if (!known && run->settings.model == NULL && resume == NULL && !run->settings.help) {
        failure_set(&run->failure, "--model: not given, expected a model description (or --resume); see --help");
        return RUN_MISUSED;
    }
    return known ? parse(run, NULL, 0) : RUN_DONE;
}

/* Where things are kept. A resumed directory is the run's, wherever it has been moved. */
static int place(struct run *run)
{
    const int resumed = run->resumed == run->directory.last;
    struct settings *settings = &run->settings;

    run->last = settings->checkpoint;
    if (!resumed && settings->run == NULL)
        return RUN_DONE;
    if (!resumed && (run_directory_name(&run->directory, settings->run, &run->failure) != 0 ||
                     run_directory_make(&run->directory, &run->failure) != 0 ||
                     run_directory_lock(&run->directory, &run->failure) != 0))
        return RUN_MISUSED;
    run->last = run->directory.last;
    run->best = run->directory.best;
    settings->log = run->directory.log;
    if (arguments_write(&run->arguments, run->directory.arguments, &run->failure) != 0)
        return RUN_FAILED;
    return run_directory_write_model(&run->directory, run->context, run->model, &run->failure) == 0 ? RUN_DONE
                                                                                                    : RUN_FAILED;
}

/* --------------------------------------------------------------------------------------------------------- objects */

static int create_context(struct run *run)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = (int32_t)run->settings.threads;
    return run_check(run, ffebm_context_create(&run->context, &config));
}

static int parse_model(struct run *run, const char *path)
{
    char *json;
    size_t length;
    int code;

    if (text_file_read(path, &json, &length, &run->failure) != 0)
        return RUN_FAILED;
    code = run_check(run, ffebm_model_parse(run->context, &run->model, json, length, NULL));
    free(json);
    return code;
}

/* A run directory's model is that of its checkpoint: the file that it was begun with may have changed. */
static int create_model(struct run *run)
{
    const char *path = run->resumed == run->directory.last ? NULL : run->settings.model;

    return path != NULL ? parse_model(run, path)
                        : run_check(run, ffebm_checkpoint_load(run->context, &run->model, run->resumed));
}

/* The model is there: now its recipe gives the defaults, and the note of a resumed run the seed. */
static int complete_settings(struct run *run)
{
    struct run_note *note = &run->note;
    int code;

    if (note_create(note, run->model, &run->failure) != 0 ||
        (run->resumed != NULL && note_read(run->context, note, run->resumed, &run->failure) != 0))
        return RUN_FAILED;
    if ((code = parse(run, run->model, note->seed)) != RUN_DONE)
        return code;
    if (settings_complete(&run->settings, run->model, &run->failure) != 0)
        return RUN_MISUSED;
    if (run->resumed != NULL && run->settings.seed != note->seed) {
        failure_set(&run->failure, "--seed %" PRId64 ": expected %" PRId64 ", the seed of the run to resume",
                    run->settings.seed, note->seed);
        return RUN_MISUSED;
    }
    note->seed = run->settings.seed;
    return RUN_DONE;
}

static int load_data(struct run *run)
{
    const struct settings *settings = &run->settings;
    const struct dataset_source *source = dataset_find(settings->dataset, &run->failure);

    if (source == NULL)
        return RUN_MISUSED;
    if (dataset_open(&run->data, source, settings->data, settings->split, &run->failure) != 0)
        return RUN_FAILED;
    dataset_limit(&run->data.train, (size_t)settings->limit_train);
    dataset_limit(&run->data.test, (size_t)settings->limit_test);
    return fit_check(run->model, &run->data, settings->dataset, &run->failure) == 0 ? RUN_DONE : RUN_FAILED;
}

/* In the middle of an epoch a step is only a place in it if batches are still those that it was counted in. */
static int fit_note(struct run *run)
{
    struct run_note *note = &run->note;
    const int64_t batch = run->settings.recipe.batch, samples = (int64_t)run->data.train.count;

    if (run->resumed != NULL && note->step > 0 && (note->batch != batch || note->samples != samples)) {
        failure_set(&run->failure,
                    "%s is in the middle of an epoch of %" PRId64 " samples in batches of %" PRId64
                    ": expected the same, not %" PRId64 " in batches of %" PRId64,
                    run->resumed, note->samples, note->batch, samples, batch);
        return RUN_MISUSED;
    }
    note->batch = batch;
    note->samples = samples;
    return RUN_DONE;
}

static int create_engine(struct run *run)
{
    const ffebm_recipe *recipe = &run->settings.recipe;
    ffebm_engine_config config;
    ffebm_equilibrium_config equilibrium = {.size = sizeof equilibrium};

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)recipe->batch;
    config.seed = stream_seed((uint64_t)run->note.seed, STREAM_ENGINE, 0);
    if (run_check(run, ffebm_engine_create(&run->engine, run->model, &config)) != RUN_DONE ||
        run_check(run, ffebm_recipe_equilibrium(run->model, &equilibrium, recipe)) != RUN_DONE ||
        run_check(run, recipe_configure(run->engine, run->model, &equilibrium)) != RUN_DONE)
        return RUN_FAILED;
    return run_check(run, ffebm_engine_set_label_smoothing(run->engine, recipe->label_smoothing));
}

static int create_optimizer(struct run *run)
{
    const struct settings *settings = &run->settings;

    if (run_check(run, ffebm_recipe_optimizer(&run->optimizer, run->model, &settings->recipe)) != RUN_DONE)
        return RUN_FAILED;
    if (recipe_rates(run->optimizer, run->context, settings->rates, settings->freeze, &run->failure) != 0)
        return RUN_MISUSED;
    return run->resumed == NULL ? RUN_DONE
                                : run_check(run, ffebm_checkpoint_restore(run->model, run->optimizer, run->resumed));
}

static int create_loaders(struct run *run)
{
    const struct loader_plan train = {.data = &run->data,
                                      .part = &run->data.train,
                                      .batch = (size_t)run->settings.recipe.batch,
                                      .seed = (uint64_t)run->note.seed,
                                      .augment = run->settings.recipe.augment,
                                      .shuffled = 1};
    const struct loader_plan test = {
        .data = &run->data, .part = &run->data.test, .batch = train.batch, .augment = FFEBM_AUGMENT_NONE};

    if (loader_create(&run->train, run->context, run->model, &train, &run->failure) != 0 ||
        loader_create(&run->test, run->context, run->model, &test, &run->failure) != 0)
        return RUN_FAILED;
    return RUN_DONE;
}

/* ------------------------------------------------------------------------------------------------------------- both */

/* Only as far as the defaults are needed: those of the model, if one is named, or of any. */
static int open_help(struct run *run)
{
    int code;

    if ((code = create_context(run)) != RUN_DONE)
        return code;
    code = run->settings.model != NULL || run->resumed != NULL
               ? create_model(run)
               : run_check(run, ffebm_model_create(run->context, &run->model, FFEBM_FLOAT32, (int64_t[]){1}, 1,
                                                   FFEBM_LOSS_NONE));
    if (code != RUN_DONE)
        return code;
    settings_init(&run->settings, run->model);
    run->settings.help = 1;
    return RUN_DONE;
}

int run_open(struct run *run, int argc, char **argv)
{
    int code = collect_arguments(run, argc, argv);

    if (code != RUN_DONE)
        return code;
    if (run->settings.help)
        return open_help(run);
    if ((code = create_context(run)) != RUN_DONE || (code = create_model(run)) != RUN_DONE ||
        (code = complete_settings(run)) != RUN_DONE || (code = load_data(run)) != RUN_DONE ||
        (code = fit_note(run)) != RUN_DONE)
        return code;
    if (run->resumed == NULL)
        code = run_check(run, ffebm_model_initialize(run->model, (uint64_t)run->note.seed));
    if (code != RUN_DONE || (code = create_optimizer(run)) != RUN_DONE || (code = create_engine(run)) != RUN_DONE ||
        (code = create_loaders(run)) != RUN_DONE)
        return code;
    return place(run);
}

void run_close(struct run *run)
{
    loader_destroy(run->train);
    loader_destroy(run->test);
    note_destroy(&run->note);
    ffebm_optimizer_destroy(run->optimizer);
    ffebm_engine_destroy(run->engine);
    ffebm_model_destroy(run->model);
    ffebm_context_destroy(run->context);
    dataset_free(&run->data);
    arguments_destroy(&run->arguments);
}

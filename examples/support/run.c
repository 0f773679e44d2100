#include "run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "fit.h"
#include "network.h"
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

int run_together(struct run *run, int code)
{
    const int32_t first = ranks_first(&run->ranks, code != RUN_DONE);
    double agreed = code;

    if (first < 0)
        return RUN_DONE;
    ranks_largest(&run->ranks, &agreed, 1);
    run->together = 1;
    if (run->ranks.rank != first)
        run->failure.text[0] = '\0';
    return (int)agreed;
}

/* What a run directory says of the run. */
static int describe(struct run *run)
{
    const struct settings_file file = {
        .settings = &run->settings, .data = &run->data, .commands = run->commands, .argv = run->argv};

    if (settings_file_write(&file, run->directory.settings, &run->failure) != 0 ||
        run_directory_write_model(&run->directory, run->context, run->model, &run->failure) != 0)
        return RUN_FAILED;
    return RUN_DONE;
}

/* Where things are kept. A resumed directory is the run's, wherever it has been moved. */
static int place(struct run *run)
{
    const int resumed = run->resumed == run->directory.last;
    const struct settings *settings = &run->settings;

    if (run->ranks.rank > 0) /* the first rank keeps for all */
        return RUN_DONE;
    if (settings->predict != NULL)
        return lock_take(&run->lock, settings->predict, &run->failure) == 0 ? RUN_DONE : RUN_FAILED;
    run->last = settings->checkpoint;
    run->log = settings->log;
    if (settings->checkpoint != NULL && lock_take(&run->lock, settings->checkpoint, &run->failure) != 0)
        return RUN_FAILED;
    if (!resumed && settings->run == NULL)
        return RUN_DONE;
    if (!resumed && (run_directory_name(&run->directory, settings->run, &run->failure) != 0 ||
                     run_directory_make(&run->directory, &run->failure) != 0 ||
                     run_directory_lock(&run->directory, &run->failure) != 0))
        return RUN_MISUSED;
    run->last = run->directory.last;
    run->best = run->directory.best;
    run->log = run->directory.log;
    return describe(run);
}

/* --------------------------------------------------------------------------------------------------------- objects */

static int create_context(struct run *run)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = (int32_t)run->settings.threads;
    config.max_isa = run->settings.isa;
    if (ranks_are_many(&run->ranks)) {
        config.reduce = run->ranks.reduce;
        config.reduce_user = run->ranks.user;
    }
    return run_check(run, ffebm_context_create(&run->context, &config));
}

static int parse_model(struct run *run, ffebm_model **model, const char *path)
{
    char *json;
    size_t length;
    int code;

    if (text_file_read(path, &json, &length, &run->failure) != 0)
        return RUN_FAILED;
    code = ffebm_model_parse(run->context, model, json, length, NULL) == FFEBM_OK ? RUN_DONE : RUN_FAILED;
    if (code != RUN_DONE)
        failure_set(&run->failure, "%s: %s", path, ffebm_context_error(run->context));
    free(json);
    return code;
}

/* A description may be given beside a checkpoint: then it has to be of the same network. Outside a run directory, which knows
 * all its settings, its recipe counts. */
static int compare_model(struct run *run)
{
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_equilibrium_config equilibrium = {.size = sizeof equilibrium};
    ffebm_model *given = NULL;
    int code = parse_model(run, &given, run->model_given);

    if (code == RUN_DONE && network_compare(run->context, given, run->model, run->model_given, &run->failure) != 0)
        code = RUN_MISUSED;
    if (code == RUN_DONE && (code = run_check(run, ffebm_model_recipe(given, &recipe))) == RUN_DONE)
        code = run_check(run, ffebm_model_set_recipe(run->model, &recipe));
    if (code == RUN_DONE && (code = run_check(run, ffebm_model_equilibrium(given, &equilibrium))) == RUN_DONE)
        code = run_check(run, ffebm_model_set_equilibrium(run->model, &equilibrium));
    ffebm_model_destroy(given);
    return code;
}

/* What only computes with a model may do without a loss; what trains may not. */
static int check_loss(struct run *run)
{
    ffebm_model_info info = {.size = sizeof info};
    int code = run_check(run, ffebm_model_inspect(run->model, &info));

    if (code != RUN_DONE || info.loss != FFEBM_LOSS_NONE || run->settings.predict != NULL)
        return code;
    failure_set(
        &run->failure,
        "%s: its \"loss\" is \"none\", and train needs one: write \"cross_entropy\" or \"mse\"; a loss of your own "
        "takes a program of your own, which calls ffebm_engine_vjp with its derivative",
        run->resumed != NULL ? run->resumed : run->settings.model);
    return RUN_MISUSED;
}

/* A resumed run's model is that of its checkpoint: the file that it was begun with may have changed. */
static int create_model(struct run *run)
{
    int code = run->resumed == NULL ? parse_model(run, &run->model, run->settings.model)
                                    : run_check(run, ffebm_checkpoint_load(run->context, &run->model, run->resumed));

    if (code == RUN_DONE)
        code = check_loss(run);
    return code == RUN_DONE && run->resumed != NULL && run->model_given != NULL ? compare_model(run) : code;
}

/* The model says how it is trained. A run without epochs leaves its recipe as it is. */
static int set_recipe(struct run *run)
{
    if (run->settings.recipe.epochs == 0)
        return RUN_DONE;
    if (run_check(run, ffebm_model_set_recipe(run->model, &run->settings.recipe)) != RUN_DONE)
        return RUN_FAILED;
    return run_check(run, ffebm_model_set_equilibrium(run->model, &run->settings.equilibrium));
}

/* What several ranks cannot do. */
static int check_ranks(struct run *run)
{
    const struct settings *settings = &run->settings;

    if (!ranks_are_many(&run->ranks))
        return RUN_DONE;
    if (settings->predict != NULL) {
        failure_set(&run->failure, "--predict: expected one process, not %" PRId32, run->ranks.count);
        return RUN_MISUSED;
    }
    if (settings->recipe.batch < run->ranks.count) {
        failure_set(&run->failure, "--batch %" PRId64 ": expected %" PRId32 " or more, a sample a rank",
                    settings->recipe.batch, run->ranks.count);
        return RUN_MISUSED;
    }
    run->settings.quiet |= run->ranks.rank > 0;
    return RUN_DONE;
}

/* The model is there: now its recipe gives the defaults, and the note of a resumed run the seed. */
static int complete_settings(struct run *run)
{
    struct run_note *note = &run->note;
    int code;

    if (note_create(note, run->model, &run->failure) != 0 ||
        (run->resumed != NULL && note_read(run->context, note, run->resumed, &run->failure) != 0))
        return RUN_FAILED;
    if ((code = command_parse(run, run->model, note->seed)) != RUN_DONE)
        return code;
    if (settings_complete(&run->settings, run->model, &run->failure) != 0 || check_ranks(run) != RUN_DONE)
        return RUN_MISUSED;
    if (run->resumed != NULL && run->settings.seed != note->seed) {
        failure_set(&run->failure, "--seed %" PRId64 ": expected %" PRId64 ", the seed of the run to resume",
                    run->settings.seed, note->seed);
        return RUN_MISUSED;
    }
    note->seed = run->settings.seed;
    return set_recipe(run);
}

static int load_data(struct run *run)
{
    struct settings *settings = &run->settings;
    const struct dataset_source *source = dataset_find(settings->dataset, &run->failure);

    if (source == NULL)
        return RUN_MISUSED;
    if (settings->data == NULL)
        settings->data = source->directory;
    if (dataset_open(&run->data, source, settings->data, settings->split, &run->failure) != 0)
        return RUN_FAILED;
    dataset_limit(&run->data.train, (size_t)settings->limit_train);
    dataset_limit(&run->data.test, (size_t)settings->limit_test);
    if (dataset_hold_out(&run->data, (size_t)settings->validation,
                         stream_seed((uint64_t)run->note.seed, STREAM_VALIDATION, 0), &run->failure) != 0)
        return RUN_MISUSED;
    return fit_check(run->model, &run->data, settings->dataset, &run->failure) == 0 ? RUN_DONE : RUN_FAILED;
}

/* The same bits come of the same data alone. */
static int compare_data(struct run *run)
{
    struct run_note *note = &run->note;

    if (run->resumed != NULL && note->data != run->data.fingerprint && !run->settings.other_data) {
        failure_set(
            &run->failure,
            "data set %s in %s is not the one that the run was begun with; give --data, or --other-data if that "
            "is meant",
            run->settings.dataset, run->settings.data);
        return RUN_MISUSED;
    }
    note->data = run->data.fingerprint;
    return RUN_DONE;
}

/* In the middle of an epoch a step is only a place in it if batches are still those that it was counted in. What was held
 * out must stay so: it is drawn from the samples that there are. */
static int fit_note(struct run *run)
{
    struct run_note *note = &run->note;
    const int64_t batch = run->settings.recipe.batch, samples = (int64_t)run->data.train.count;
    const int64_t validation = (int64_t)run->data.validation.count;

    if (run->settings.predict != NULL) /* training does not go on */
        return RUN_DONE;
    if (run->resumed != NULL && note->step > 0 && (note->batch != batch || note->samples != samples)) {
        failure_set(&run->failure,
                    "%s is in the middle of an epoch of %" PRId64 " samples in batches of %" PRId64
                    ": expected the same, not %" PRId64 " in batches of %" PRId64,
                    run->resumed, note->samples, note->batch, samples, batch);
        return RUN_MISUSED;
    }
    if (run->resumed != NULL && (note->validation != validation || (validation > 0 && note->samples != samples))) {
        failure_set(&run->failure,
                    "--val %" PRId64 " of %" PRId64 " training samples: expected %" PRId64 " of %" PRId64
                    ", as the run was begun",
                    validation, samples + validation, note->validation, note->samples + note->validation);
        return RUN_MISUSED;
    }
    note->batch = batch;
    note->samples = samples;
    note->validation = validation;
    return RUN_DONE;
}

/* Other chips of the same kind. */
static int choose_chips(struct run *run)
{
    ffebm_model_info model = {.size = sizeof model};
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_device_config device;
    int status = run_check(run, ffebm_model_inspect(run->model, &model));

    for (size_t i = 0; i < model.stage_count && status == RUN_DONE && run->settings.device_seed > 0; i++) {
        status = run_check(run, ffebm_model_inspect_stage(run->model, &stage, i));
        if (status != RUN_DONE || stage.device == 0)
            continue;
        ffebm_device_config_init(&device, sizeof device);
        status = run_check(run, ffebm_model_device(run->model, &device, i));
        device.seed = (uint64_t)run->settings.device_seed;
        if (status == RUN_DONE)
            status = run_check(run, ffebm_model_set_device(run->model, i, &device));
    }
    return status;
}

static int create_engine(struct run *run)
{
    const ffebm_recipe *recipe = &run->settings.recipe;
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = ranks_part_most(&run->ranks, (size_t)recipe->batch);
    config.seed = stream_seed((uint64_t)run->note.seed, STREAM_ENGINE, 0);
    if (run_check(run, ffebm_engine_create(&run->engine, run->model, &config)) != RUN_DONE ||
        run_check(run, recipe_configure(run->engine, run->model, &run->settings.equilibrium)) != RUN_DONE)
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
                                      .ranks = &run->ranks,
                                      .batch = (size_t)run->settings.recipe.batch,
                                      .seed = (uint64_t)run->note.seed,
                                      .augment = run->settings.recipe.augment,
                                      .shuffled = 1};
    struct loader_plan tests = {.data = &run->data,
                                .part = &run->data.test,
                                .ranks = &run->ranks,
                                .batch = train.batch,
                                .augment = FFEBM_AUGMENT_NONE};

    if (loader_create(&run->train, run->context, run->model, &train, &run->failure) != 0 ||
        loader_create(&run->test, run->context, run->model, &tests, &run->failure) != 0)
        return RUN_FAILED;
    tests.part = &run->data.validation;
    if (tests.part->count > 0 && loader_create(&run->validation, run->context, run->model, &tests, &run->failure) != 0)
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
    int code = command_read(run, argc, argv);

    if (code != RUN_DONE || run->settings.version)
        return code;
    if (run->settings.help)
        return open_help(run);
    if ((code = create_context(run)) != RUN_DONE || (code = create_model(run)) != RUN_DONE ||
        (code = complete_settings(run)) != RUN_DONE || (code = load_data(run)) != RUN_DONE ||
        (code = compare_data(run)) != RUN_DONE || (code = fit_note(run)) != RUN_DONE)
        return code;
    if (run->resumed == NULL)
        code = run_check(run, ffebm_model_initialize(run->model, (uint64_t)run->note.seed));
    if (code != RUN_DONE || (code = choose_chips(run)) != RUN_DONE || (code = create_optimizer(run)) != RUN_DONE ||
        (code = create_engine(run)) != RUN_DONE || (code = create_loaders(run)) != RUN_DONE)
        return code;
    return place(run);
}

void run_close(struct run *run)
{
    loader_destroy(run->train);
    loader_destroy(run->validation);
    loader_destroy(run->test);
    note_destroy(&run->note);
    ffebm_optimizer_destroy(run->optimizer);
    ffebm_engine_destroy(run->engine);
    ffebm_model_destroy(run->model);
    ffebm_context_destroy(run->context);
    dataset_free(&run->data);
    arguments_destroy(&run->arguments);
    free(run->commands);
    lock_release(&run->lock);
}

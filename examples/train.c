/* train.c - train a model from its description on a data set of labelled images.
 *
 *   train --model examples/models/digits.json --dataset digits
 *
 * The settings of a run are in support/settings.c, its data sets in support/dataset.h. Everything random follows from
 * the seed and the number of the epoch, so a checkpoint needs to remember no more than those two to be resumed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "support/batch.h"
#include "support/blas_threads.h"
#include "support/dataset.h"
#include "support/failure.h"
#include "support/fit.h"
#include "support/note.h"
#include "support/progress.h"
#include "support/settings.h"
#include "support/shuffle.h"
#include "support/text_file.h"

/* What a step of the program returns, and the program in the end. */
enum { DONE = 0, FAILED = 1, MISUSED = 2 };

struct run {
    struct settings settings;
    struct failure failure; /* filled by whoever returns anything but DONE */
    struct progress progress;
    struct run_note note; /* the epochs done, and the seed */
    struct dataset data;
    struct batch batch;
    size_t *order; /* of the training samples in an epoch */
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
};

static int check(struct run *run, ffebm_status status)
{
    if (status == FFEBM_OK)
        return DONE;
    failure_set(&run->failure, "%s",
                run->context != NULL ? ffebm_context_error(run->context) : ffebm_status_text(status));
    return FAILED;
}

/* ----------------------------------------------------------------------------------------------- setting up */

static int create_context(struct run *run)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = (int32_t)run->settings.threads;
    return check(run, ffebm_context_create(&run->context, &config));
}

/* From the description, or if none is given from the checkpoint to resume. */
static int create_model(struct run *run)
{
    const struct settings *settings = &run->settings;
    char *json;
    size_t length;
    int code;

    if (settings->model == NULL)
        return check(run, ffebm_checkpoint_load(run->context, &run->model, settings->resume));
    if (text_file_read(settings->model, &json, &length, &run->failure) != 0)
        return FAILED;
    code = check(run, ffebm_model_parse(run->context, &run->model, json, length, NULL));
    free(json);
    return code != DONE ? code : check(run, ffebm_model_initialize(run->model, (uint64_t)settings->seed));
}

/* The command line has told which model; now it is read again, over the model's recipe, to have the last word. */
static int complete_settings(struct run *run, int argc, char **argv)
{
    struct settings *settings = &run->settings;

    if (settings->resume != NULL) {
        if (note_read(run->context, &run->note, settings->resume, &run->failure) != 0)
            return FAILED;
        settings->seed = run->note.seed;
    }
    if (check(run, ffebm_model_recipe(run->model, &settings->recipe)) != DONE)
        return FAILED;
    if (settings_parse(settings, argc, argv, &run->failure) != 0)
        return MISUSED;
    if (settings->resume != NULL && settings->seed != run->note.seed) {
        failure_set(&run->failure, "--seed %" PRId64 ": expected %" PRId64 ", the seed of the run to resume",
                    settings->seed, run->note.seed);
        return MISUSED;
    }
    if (settings->algorithm == ALGORITHM_BP && fit_find_energy(run->model) != FFEBM_NONE) {
        failure_set(&run->failure,
                    "--algorithm bp: expected a chain without energy blocks, stage %zu is one; use ep or id",
                    fit_find_energy(run->model));
        return MISUSED;
    }
    run->note.seed = settings->seed;
    return DONE;
}

static int load_data(struct run *run)
{
    const struct settings *settings = &run->settings;
    const struct dataset_source *source = dataset_find(settings->dataset, &run->failure);

    if (source == NULL)
        return MISUSED;
    if (dataset_open(&run->data, source, settings->data, settings->split, &run->failure) != 0)
        return FAILED;
    dataset_limit(&run->data.train, (size_t)settings->limit_train);
    dataset_limit(&run->data.test, (size_t)settings->limit_test);
    if (fit_check(run->model, &run->data, settings->dataset, &run->failure) != 0)
        return FAILED;

    run->order = malloc(run->data.train.count * sizeof *run->order);
    if (run->order == NULL) {
        failure_set(&run->failure, "out of memory for the order of %zu samples", run->data.train.count);
        return FAILED;
    }
    return DONE;
}

static int create_engine(struct run *run)
{
    const struct settings *settings = &run->settings;
    ffebm_engine_config config;
    ffebm_equilibrium_config equilibrium;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)settings->recipe.batch;
    config.seed = stream_seed((uint64_t)run->note.seed, STREAM_ENGINE, 0);
    settings_equilibrium(settings, &equilibrium);
    if (check(run, ffebm_engine_create(&run->engine, run->model, &config)) != DONE ||
        check(run, ffebm_engine_configure(run->engine, FFEBM_ALL, &equilibrium)) != DONE ||
        check(run, ffebm_engine_set_label_smoothing(run->engine, settings->recipe.label_smoothing)) != DONE ||
        check(run, settings_optimizer(settings, &run->optimizer, run->model)) != DONE ||
        check(run, batch_create(run->context, &run->batch, run->model, config.max_batch)) != DONE)
        return FAILED;
    if (settings->resume == NULL)
        return DONE;
    return check(run, ffebm_checkpoint_restore(run->model, run->optimizer, settings->resume));
}

/* ------------------------------------------------------------------------------------------------- training */

static int train_batch(struct run *run, struct epoch_record *record, const struct batch_plan *plan, size_t first)
{
    const size_t size = run->batch.capacity;
    const int64_t steps = (int64_t)((plan->part->count + size - 1) / size), step = (int64_t)(first / size);
    ffebm_report report = {.size = sizeof report};
    size_t done;

    record->lr = settings_learning_rate(&run->settings, record->epoch - 1, step, steps);
    if (batch_fill(&run->batch, plan, first, &run->failure) != 0 ||
        check(run, ffebm_engine_set_step(run->engine, (uint64_t)((record->epoch - 1) * steps + step))) != DONE ||
        check(run, ffebm_engine_gradient(run->engine, &report, run->batch.input, run->batch.target, NULL)) != DONE ||
        check(run, ffebm_optimizer_set_learning_rate(run->optimizer, record->lr)) != DONE ||
        check(run, ffebm_optimizer_step(run->optimizer, run->engine)) != DONE)
        return FAILED;

    done = first + run->batch.rows;
    record->train_loss += (report.loss - record->train_loss) * (double)run->batch.rows / (double)done;
    record->unconverged += report.unconverged;
    record->region_changes += report.region_changes;
    record->sweeps = report.sweeps > record->sweeps ? report.sweeps : record->sweeps;
    progress_step(&run->progress, record->epoch, done, plan->part->count, record->train_loss);
    return DONE;
}

static int train_epoch(struct run *run, struct epoch_record *record)
{
    const uint64_t seed = (uint64_t)run->note.seed, epoch = (uint64_t)record->epoch;
    const struct batch_plan plan = {.data = &run->data,
                                    .part = &run->data.train,
                                    .order = run->order,
                                    .augment = run->settings.recipe.augment,
                                    .stream = stream_seed(seed, STREAM_AUGMENT, epoch)};
    const double started = progress_clock();
    int code = DONE;

    shuffle(run->order, plan.part->count, stream_seed(seed, STREAM_SHUFFLE, epoch));
    for (size_t first = 0; first < plan.part->count && code == DONE; first += run->batch.capacity)
        code = train_batch(run, record, &plan, first);
    record->samples_per_second = (double)plan.part->count / (progress_clock() - started);
    return code;
}

static int test(struct run *run, struct epoch_record *record)
{
    const struct batch_plan plan = {.data = &run->data, .part = &run->data.test, .augment = FFEBM_AUGMENT_NONE};
    const double count = (double)plan.part->count;
    ffebm_report report = {.size = sizeof report};
    size_t correct = 0, correct_top5 = 0;

    for (size_t first = 0; first < plan.part->count; first += run->batch.capacity) {
        if (batch_fill(&run->batch, &plan, first, &run->failure) != 0 ||
            check(run, ffebm_engine_evaluate(run->engine, &report, run->batch.input, run->batch.target, NULL)) != DONE)
            return FAILED;
        record->test_loss += report.loss * (double)run->batch.rows / count;
        correct += report.correct;
        correct_top5 += report.correct_top5;
    }
    record->test_accuracy = (double)correct / count;
    record->test_top5 = (double)correct_top5 / count;
    return DONE;
}

static int train_and_test(struct run *run, struct epoch_record *record)
{
    const char *checkpoint = run->settings.checkpoint;
    const double started = progress_clock();

    if (train_epoch(run, record) != DONE || test(run, record) != DONE)
        return FAILED;
    run->note.epoch = record->epoch;
    record->seconds = progress_clock() - started;
    if (checkpoint != NULL && check(run, note_save(run->model, run->optimizer, &run->note, checkpoint)) != DONE)
        return FAILED;
    return progress_epoch(&run->progress, record, &run->failure) == 0 ? DONE : FAILED;
}

/* All epochs that are left, then the result: of the last epoch, with time and speed of them all. */
static int train(struct run *run)
{
    const double started = progress_clock();
    const int64_t first = run->note.epoch, epochs = run->settings.recipe.epochs;
    struct epoch_record last = {.epoch = first};
    double training = 0;

    for (int64_t epoch = first + 1; epoch <= epochs; epoch++) {
        last = (struct epoch_record){.epoch = epoch};
        if (train_and_test(run, &last) != DONE)
            return FAILED;
        training += (double)run->data.train.count / last.samples_per_second;
    }
    if (last.epoch == first && test(run, &last) != DONE)
        return FAILED;
    last.seconds = progress_clock() - started;
    last.samples_per_second =
        training > 0 ? (double)(last.epoch - first) * (double)run->data.train.count / training : 0;
    return progress_result(&last, last.epoch != first, &run->failure) == 0 ? DONE : FAILED;
}

static int execute(struct run *run, int argc, char **argv)
{
    const struct settings *settings = &run->settings;
    int code;

    settings_init(&run->settings);
    if (settings_parse(&run->settings, argc, argv, &run->failure) != 0)
        return MISUSED;
    if (settings->help) {
        settings_print_help();
        return DONE;
    }
    if ((code = create_context(run)) != DONE || (code = create_model(run)) != DONE ||
        (code = complete_settings(run, argc, argv)) != DONE || (code = load_data(run)) != DONE ||
        (code = create_engine(run)) != DONE)
        return code;
    progress_init(&run->progress, settings->recipe.epochs, settings->quiet);
    if (progress_open_log(&run->progress, settings->log, settings->resume != NULL, &run->failure) != 0)
        return FAILED;
    return train(run);
}

int main(int argc, char **argv)
{
    struct run run = {0};
    int code;

    blas_threads_one();
    code = execute(&run, argc, argv);
    if (code != DONE)
        fprintf(stderr, "train: %s\n", run.failure.text);
    progress_close_log(&run.progress);
    batch_destroy(&run.batch);
    ffebm_optimizer_destroy(run.optimizer);
    ffebm_engine_destroy(run.engine);
    ffebm_model_destroy(run.model);
    ffebm_context_destroy(run.context);
    dataset_free(&run.data);
    free(run.order);
    return code;
}

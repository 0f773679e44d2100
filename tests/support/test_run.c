/* What a training run decides and remembers: when it has diverged, where it stands, what its log keeps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ffebm.h>

#include "comma.h"
#include "suites.h"
#include "support/lock.h"
#include "support/log.h"
#include "support/note.h"
#include "support/settings_file.h"
#include "support/text_file.h"
#include "support/watch.h"

static struct failure failure;
static char directory[] = "/tmp/ffebm-run-XXXXXX";
static char path[64];

static void make_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
}

static void remove_directory(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(directory), 0);
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
}

/* ------------------------------------------------------------------------------------------------------- divergence */

/* Feed it steps; returns after how many it gives up, 0 if it does not. */
static int give_up(const struct watch_limits *limits, double first_loss, double loss, double residual)
{
    struct watch watch = {.steps = 0};

    for (int step = 1; step <= 200; step++)
        if (watch_step(&watch, limits, step <= 20 ? first_loss : loss, residual, &failure) != 0)
            return step;
    return 0;
}

START_TEST(divergence)
{
    const struct watch_limits limits = {.loss = 10, .residual = 0.5}, none = {.loss = 0, .residual = 0};
    struct watch watch = {.steps = 0};

    ck_assert_int_eq(give_up(&limits, 2, 19, 0.4), 0);
    ck_assert_int_gt(give_up(&limits, 2, 21, 0.4), 21);
    ck_assert_ptr_nonnull(strstr(failure.text, "training loss"));
    ck_assert_int_eq(give_up(&limits, 2, 1, 0.6), 20);
    ck_assert_ptr_nonnull(strstr(failure.text, "no longer settle"));
    ck_assert_int_eq(give_up(&none, 2, 1e9, 1e9), 0);
    /* One bad step among good ones is not a divergence, however bad it is. */
    for (int step = 1; step <= 200; step++)
        ck_assert_int_eq(watch_step(&watch, &limits, step == 50 ? 1e12 : 2, step == 60 ? 5 : 0.1, &failure), 0);
}
END_TEST

/* The losses of a run's steps: `from` until the `at`-th, then `to`, and from the `until`-th on `last`. An untrained model
 * loses 2.3. */
static const struct {
    double from, to, last;
    int at, until, gives_up;
} beginnings[] = {
    {2.3, 4.6e6, 4.6e6, 2, 1000, 20}, /* at once, and it stays so */
    {2.3, 30, 30, 5, 1000, 20},
    {0.1, 22, 22, 2, 1000, 0}, /* more than 10 times its first step, less than 10 times chance */
    {2.3, 1e6, 2, 2, 8, 0},    /* up at first, then down again */
    {2.3, 1e6, 2, 30, 36, 0},  /* likewise later */
    {500, 300, 1, 2, 30, 0},   /* an untrained model that is worse than chance, as it was drawn */
    {500, 6e3, 6e3, 2, 1000, 20},
    {2.3, 24, 24, 100, 1000, 160},
};

START_TEST(divergence_at_the_beginning)
{
    const struct watch_limits limits = {.loss = 10, .residual = 0.5};
    struct watch watch = {.untrained = watch_chance(FFEBM_LOSS_CROSS_ENTROPY, 10)};
    int given_up = 0;

    for (int step = 1; step <= 200 && given_up == 0; step++) {
        double loss = step < beginnings[_i].at      ? beginnings[_i].from
                      : step < beginnings[_i].until ? beginnings[_i].to
                                                    : beginnings[_i].last;

        if (watch_step(&watch, &limits, loss, 0, &failure) != 0)
            given_up = step;
    }
    ck_assert_int_eq(given_up, beginnings[_i].gives_up);
}
END_TEST

/* A run of a few steps is judged by what it comes to. */
START_TEST(divergence_at_the_end)
{
    const struct watch_limits limits = {.loss = 10}, none = {.loss = 0};
    struct watch watch = {.untrained = watch_chance(FFEBM_LOSS_CROSS_ENTROPY, 10)};

    ck_assert_int_eq(watch_end(&watch, &limits, 4.6e6, &failure), 0); /* was not trained */
    ck_assert_int_eq(watch_step(&watch, &limits, 2, 0, &failure), 0);
    ck_assert_int_eq(watch_end(&watch, &limits, 23, &failure), 0);
    ck_assert_int_eq(watch_end(&watch, &none, 4.6e6, &failure), 0);
    ck_assert_int_eq(watch_end(&watch, &limits, 4.6e6, &failure), -1);
    ck_assert_ptr_nonnull(strstr(failure.text, "4.6e+06"));
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- notes */

static const char description[] =
    "{\"input\": [3], \"loss\": \"cross_entropy\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"couplings\": ["
    "{\"type\": \"dense\", \"out_features\": 2}]}}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 2}]}]}";

static ffebm_context *context;
static ffebm_model *model;

static void make_model(void)
{
    make_directory();
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_model_parse(context, &model, description, sizeof description - 1, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_model_initialize(model, 1), FFEBM_OK);
}

static void remove_model(void)
{
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    remove_directory();
}

/* In any locale. */
START_TEST(note_remembers)
{
    struct run_note saved, read;

    if (_i == 1)
        comma_begin();
    ck_assert_int_eq(note_create(&saved, model, &failure), 0);
    ck_assert_int_eq(note_create(&read, model, &failure), 0);
    saved.epoch = 3;
    saved.step = 1234567890123;
    saved.seed = INT64_MAX;
    saved.batch = 5;
    saved.samples = 6;
    saved.best_epoch = 2;
    saved.best_accuracy = 1.0 / 3;
    saved.best_test_accuracy = 2.0 / 7;
    saved.validation = 8;
    saved.data = 9;
    saved.seconds = 1e300;
    saved.training_samples = 7;
    saved.training_seconds = 0.1;
    saved.watch = (struct watch){.steps = 9, .untrained = 2.0 / 3, .loss = 1e-300, .residual = 0.3};
    for (size_t i = 0; i < meter_count(&saved.epoch_meter); i++) {
        *meter_number(&saved.epoch_meter, i) = 1.0 / (double)(i + 3);
        *meter_number(&saved.interval_meter, i) = -(double)i / 7;
    }
    ck_assert_uint_eq(saved.epoch_meter.blocks, 1);
    ck_assert_int_eq(note_save(&saved, context, model, NULL, path, &failure), 0);
    ck_assert_msg(note_read(context, &read, path, &failure) == 0, "%s", failure.text);

    for (size_t i = 0; i < meter_count(&saved.epoch_meter); i++) {
        ck_assert(*meter_number(&saved.epoch_meter, i) == *meter_number(&read.epoch_meter, i));
        ck_assert(*meter_number(&saved.interval_meter, i) == *meter_number(&read.interval_meter, i));
    }
    ck_assert_int_eq(read.epoch, saved.epoch);
    ck_assert_int_eq(read.step, saved.step);
    ck_assert_int_eq(read.seed, saved.seed);
    ck_assert_int_eq(read.batch, saved.batch);
    ck_assert_int_eq(read.samples, saved.samples);
    ck_assert_int_eq(read.best_epoch, saved.best_epoch);
    ck_assert(read.best_test_accuracy == saved.best_test_accuracy && read.validation == 8 && read.data == 9);
    ck_assert(read.best_accuracy == saved.best_accuracy && read.seconds == saved.seconds);
    ck_assert(read.training_samples == saved.training_samples && read.training_seconds == saved.training_seconds);
    ck_assert(memcmp(&read.watch, &saved.watch, sizeof saved.watch) == 0);
    note_destroy(&saved);
    note_destroy(&read);
    if (_i == 1)
        comma_end();
}
END_TEST

#define BEGINNING                                                                                                      \
    "{\"epoch\": 1, \"step\": 0, \"seed\": 0, \"batch\": 1, \"samples\": 1, \"data\": 1, "                             \
    "\"best_epoch\": 0, \"validation\": 0, "
#define MIDDLE                                                                                                         \
    "\"best_accuracy\": -1, \"best_test_accuracy\": -1, \"seconds\": 1, \"training_samples\": 1, "                     \
    "\"training_seconds\": 1, \"watch_steps\": 1, "                                                                    \
    "\"watch_untrained\": 1, \"watch_loss\": 1, \"watch_residual\": 1, "

static const struct {
    const char *note, *key; /* what is named as wrong */
} bad_notes[] = {
    {"", "epoch"},
    {"{\"epoch\": 3, \"seed\": 1}", "step"},
    {"{\"epoch\": -3, \"step\": 1}", "epoch"},
    {"{\"epoch\": three}", "epoch"},
    {BEGINNING "\"best_accuracy\": }", "best_accuracy"},
    {BEGINNING MIDDLE "\"epoch_sums\": 3}", "epoch_sums"},
    {BEGINNING MIDDLE "\"epoch_sums\": [1,2,3]}", "epoch_sums"},
    {BEGINNING MIDDLE "\"epoch_sums\": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", "epoch_sums"},
    {BEGINNING MIDDLE "\"epoch_sums\": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", "interval_sums"},
};

START_TEST(note_refused)
{
    struct run_note note;
    char named[64];

    ck_assert_int_eq(note_create(&note, model, &failure), 0);
    ck_assert_int_eq(ffebm_checkpoint_save(model, NULL, bad_notes[_i].note, path), FFEBM_OK);
    ck_assert_int_eq(note_read(context, &note, path, &failure), -1);
    snprintf(named, sizeof named, "no right \"%s\"", bad_notes[_i].key);
    ck_assert_msg(strstr(failure.text, named) != NULL && strstr(failure.text, path) != NULL, "%s", failure.text);
    note_destroy(&note);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- files of a run */

/* What stays of a log when a run goes on from step 20, one epoch of 20 steps done and tested, or not. */
static const struct {
    const char *log;
    int64_t steps, epochs;
    const char *kept;
} logs[] = {
#define STEP(n) "{\"epoch\": 1, \"step\": " #n ", \"loss\": 1}\n"
#define EPOCH(e, n) "{\"epoch\": " #e ", \"step\": " #n ", \"test_accuracy\": 1}\n"
    {"", 20, 1, ""},
    {STEP(10) STEP(20) EPOCH(1, 20) STEP(30), 20, 1, STEP(10) STEP(20) EPOCH(1, 20)},
    {STEP(10) STEP(20) EPOCH(1, 20) STEP(30), 20, 0, STEP(10) STEP(20)},
    {STEP(10) STEP(20) EPOCH(1, 20), 15, 0, STEP(10)},
    {STEP(10) STEP(20) EPOCH(1, 20) STEP(30) STEP(40) EPOCH(2, 40), 100, 9,
     STEP(10) STEP(20) EPOCH(1, 20) STEP(30) STEP(40) EPOCH(2, 40)},
    {STEP(10) "{\"epoch\": 1, \"st", 20, 1, STEP(10)},
};

START_TEST(log_goes_on)
{
    struct log log;
    char expected[1024], *text;
    size_t length;

    ck_assert_int_eq(text_file_write(path, logs[_i].log, strlen(logs[_i].log), &failure), 0);
    ck_assert_int_eq(log_continue(&log, path, logs[_i].steps, logs[_i].epochs, &failure), 0);
    fprintf(log.file, "next\n");
    log_close(&log);
    ck_assert_int_eq(text_file_read(path, &text, &length, &failure), 0);
    snprintf(expected, sizeof expected, "%snext\n", logs[_i].kept);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert(memcmp(text, expected, length) == 0);
    free(text);
}
END_TEST

/* JSON has a point, whatever the locale. */
START_TEST(log_in_any_locale)
{
    const struct log_place place = {.epoch = 1, .step = 2, .seconds = 1.5};
    const struct scores scores = {.test = {.loss = 0.75}, .validated = 1, .validation = {.loss = 0.25}};
    struct meter meter;
    struct log log;
    size_t length;
    char *text;

    ck_assert_int_eq(meter_create(&meter, model, &failure), 0);
    comma_begin();
    ck_assert_int_eq(log_create(&log, path, &failure), 0);
    ck_assert_int_eq(log_steps(&log, &place, &meter, &failure), 0);
    ck_assert_int_eq(log_epoch(&log, &place, &meter, &scores, &failure), 0);
    log_close(&log);
    comma_end();
    ck_assert_int_eq(text_file_read(path, &text, &length, &failure), 0);
    text[length - 1] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "\"run_seconds\": 1.5, "));
    ck_assert_ptr_nonnull(strstr(text, "\"test_loss\": 0.75, "));
    ck_assert_ptr_nonnull(strstr(text, "\"val_loss\": 0.25, "));
    ck_assert_ptr_null(strstr(text, "1,5"));
    free(text);
    meter_destroy(&meter);
}
END_TEST

/* Is this the text of a file? */
static int reads(const char *name, const char *expected)
{
    size_t length;
    char *text;
    int same;

    ck_assert_int_eq(text_file_read(name, &text, &length, &failure), 0);
    same = length == strlen(expected) && memcmp(text, expected, length) == 0;
    free(text);
    return same;
}

/* What a killed process left is written over, what another one is writing is not; links are followed; nothing stays. */
START_TEST(text_replaced)
{
    char beside[80], link[80];
    int other;

    snprintf(beside, sizeof beside, "%s.tmp", path);
    snprintf(link, sizeof link, "%s.link", path);
    ck_assert_int_eq(text_file_write(beside, "longer than what follows", 24, &failure), 0);
    ck_assert_int_eq(text_file_write(path, "one", 3, &failure), 0);
    ck_assert(reads(path, "one"));
    ck_assert_int_ne(access(beside, F_OK), 0);

    ck_assert_int_eq(symlink(path, link), 0);
    ck_assert_int_eq(text_file_write(link, "two", 3, &failure), 0);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert(reads(path, "two"));

    other = lock_open(beside, path, &failure);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(text_file_write(path, "three", 5, &failure), -1);
    ck_assert_ptr_nonnull(strstr(failure.text, "another process writes to it"));
    ck_assert(reads(path, "two"));
    close(other);
    ck_assert_int_eq(text_file_write(path, "three", 5, &failure), 0);
    ck_assert(reads(path, "three"));
}
END_TEST

/* A device stays what it is, and has no lock beside it. */
START_TEST(text_to_a_device)
{
    struct stat about;
    struct lock lock;

    ck_assert_int_eq(lock_take(&lock, "/dev/null", &failure), 0);
    ck_assert_str_eq(lock.path, "");
    ck_assert_int_eq(text_file_write("/dev/null", "text", 4, &failure), 0);
    lock_release(&lock);
    ck_assert_int_eq(stat("/dev/null", &about), 0);
    ck_assert(S_ISCHR(about.st_mode));
    ck_assert_int_eq(text_file_write("/dev/full", "text", 4, &failure), -1);
    ck_assert_int_eq(text_file_write(directory, "text", 4, &failure), -1);
}
END_TEST

/* Do two records say the same? */
static void same_settings(const struct settings *one, const struct settings *two)
{
    char texts[2][4096];

    for (int i = 0; i < 2; i++) {
        FILE *file = fmemopen(texts[i], sizeof texts[i], "w");

        settings_write(file, i == 0 ? one : two, NULL, " ");
        fclose(file);
    }
    ck_assert_str_eq(texts[0], texts[1]);
}

/* Whatever a run is told, a process that reads its settings.json is told too, to the bit; what this one is told besides has
 * the last word, and the commands add up. */
START_TEST(settings_kept)
{
    char *begun[] = {"train",
                     "--model",
                     "a \"b\\\n\t\xc3\xa9=c.json",
                     "--quiet",
                     "--lr=0.1",
                     "--beta",
                     "0.30000000000000004",
                     "--seed",
                     "9223372036854775807",
                     "--lr-min=5e-324",
                     "--rates",
                     "stage0=0.5,stage1=1:0",
                     "--help",
                     NULL};
    char *resumed[] = {"train", "--lr=0.2", NULL}, *commands, *all;
    const struct dataset data = {.classes = 10};
    struct settings told, read;
    struct arguments first, second;

    settings_init(&told, model);
    settings_init(&read, model);
    ck_assert_int_eq(settings_parse(&told, 13, begun, &failure), 0);
    ck_assert_int_eq(settings_file_write(&(struct settings_file){&told, &data, NULL, begun}, path, &failure), 0);
    ck_assert_int_eq(arguments_create(&first, "train", &failure), 0);
    ck_assert_msg(settings_file_read(&first, &commands, path, &failure) == 0, "%s", failure.text);
    ck_assert_msg(settings_parse(&read, first.count, first.items, &failure) == 0, "%s", failure.text);
    ck_assert(read.model[0] == '/' && strstr(read.model, begun[2]) != NULL && told.help == 1 && read.help == 0);
    told.model = read.model; /* as an absolute path */
    same_settings(&read, &told);

    ck_assert_int_eq(arguments_add(&first, 2, resumed, &failure), 0);
    ck_assert_int_eq(settings_parse(&told, first.count, first.items, &failure), 0);
    ck_assert(told.recipe.lr == 0.2 && told.equilibrium.beta == read.equilibrium.beta);
    ck_assert_int_eq(settings_file_write(&(struct settings_file){&told, &data, commands, resumed}, path, &failure), 0);
    ck_assert_int_eq(arguments_create(&second, "train", &failure), 0);
    ck_assert_int_eq(settings_file_read(&second, &all, path, &failure), 0);
    ck_assert_int_eq(settings_parse(&read, second.count, second.items, &failure), 0);
    same_settings(&read, &told);
    ck_assert_ptr_nonnull(strstr(all, "\"--seed\", \"9223372036854775807\""));
    ck_assert_ptr_nonnull(strstr(all, "],\n    [\"train\", \"--lr=0.2\"]"));
    arguments_destroy(&first);
    arguments_destroy(&second);
    free(commands);
    free(all);
}
END_TEST

static const char *const bad_settings[] = {
    "",
    "{\"options\": {",
    "{\"options\": {\"lr\" 1}}",
    "{\"options\": {\"lr\": }}",
    "{\"options\": {\"lr\": \"0.1}}",
    "{\"options\": {\"model\": \"\\n\"}}",
    "{\"options\": {lr: 1}}",
};

START_TEST(settings_refused)
{
    struct arguments arguments;
    char *commands;

    ck_assert_int_eq(text_file_write(path, bad_settings[_i], strlen(bad_settings[_i]), &failure), 0);
    ck_assert_int_eq(arguments_create(&arguments, "train", &failure), 0);
    ck_assert_int_eq(settings_file_read(&arguments, &commands, path, &failure), -1);
    ck_assert_msg(strstr(failure.text, "expected \"options\"") != NULL && strstr(failure.text, path) != NULL, "%s",
                  failure.text);
    arguments_destroy(&arguments);
    free(commands);
}
END_TEST

Suite *test_run_suite(void)
{
    Suite *suite = suite_create("run");
    TCase *alone = tcase_create("decisions"), *files = tcase_create("files"), *notes = tcase_create("notes");

    tcase_add_test(alone, divergence);
    tcase_add_loop_test(alone, divergence_at_the_beginning, 0, sizeof beginnings / sizeof beginnings[0]);
    tcase_add_test(alone, divergence_at_the_end);
    tcase_add_checked_fixture(files, make_directory, remove_directory);
    tcase_add_loop_test(files, log_goes_on, 0, sizeof logs / sizeof logs[0]);
    tcase_add_test(files, text_replaced);
    tcase_add_test(files, text_to_a_device);
    tcase_add_loop_test(files, settings_refused, 0, sizeof bad_settings / sizeof bad_settings[0]);
    tcase_add_checked_fixture(notes, make_model, remove_model);
    tcase_add_loop_test(notes, note_remembers, 0, 2);
    tcase_add_test(notes, log_in_any_locale);
    tcase_add_test(notes, settings_kept);
    tcase_add_loop_test(notes, note_refused, 0, sizeof bad_notes / sizeof bad_notes[0]);
    suite_add_tcase(suite, alone);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, notes);
    return suite;
}

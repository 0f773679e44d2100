/* The loader: batches that depend on seed, epoch and step alone, errors where they are asked for, and no way to hang. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <ffebm.h>

#include "files.h"
#include "suites.h"
#include "support/loader.h"
#include "support/shuffle.h"

enum { BATCH = 3, STEPS = 7, SEED = 5 }; /* 20 samples */

static const char description[] =
    "{\"input\": [3, 32, 32], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": "
    "[{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 1000}]}]}";

static ffebm_context *context;
static ffebm_model *model;
static struct loader *loader;
static struct loader_plan plan;

static void begin(void)
{
    files_begin();
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_model_parse(context, &model, description, strlen(description), NULL), FFEBM_OK);
    formats[NPZ].write();
    ck_assert_msg(open_format(&formats[NPZ]) == 0, "%s", failure.text);
    plan = (struct loader_plan){.data = &data,
                                .part = &data.train,
                                .batch = BATCH,
                                .seed = SEED,
                                .augment = FFEBM_AUGMENT_FLIP_CROP,
                                .shuffled = 1};
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
}

static void end(void)
{
    loader_destroy(loader);
    loader = NULL;
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    files_end();
}

/* The batch of a step by itself, without a loader. */
static void assert_batch(const struct batch *found, uint64_t epoch, size_t step)
{
    struct batch expected;
    struct batch_plan samples = {.data = &data,
                                 .part = plan.part,
                                 .augment = plan.augment,
                                 .stream = stream_seed(plan.seed, STREAM_AUGMENT, epoch)};
    size_t order[20];

    ck_assert_uint_le(plan.part->count, 20);
    shuffle(order, plan.part->count, stream_seed(plan.seed, STREAM_SHUFFLE, epoch));
    if (plan.shuffled)
        samples.order = order;
    ck_assert_int_eq(batch_create(context, &expected, model, BATCH), FFEBM_OK);
    ck_assert_int_eq(batch_fill(&expected, &samples, step * BATCH, &failure), 0);
    ck_assert_uint_eq(found->rows, expected.rows);
    ck_assert_uint_eq(ffebm_tensor_count(found->target), expected.rows);
    ck_assert_uint_eq(ffebm_tensor_count(found->input), expected.rows * data.sample_size);
    ck_assert_mem_eq(ffebm_tensor_data(found->target), ffebm_tensor_data(expected.target),
                     expected.rows * sizeof(int64_t));
    ck_assert_mem_eq(ffebm_tensor_data(found->input), ffebm_tensor_data(expected.input),
                     expected.rows * data.sample_size * sizeof(float));
    batch_destroy(&expected);
}

static void sleep_for(long microseconds)
{
    const struct timespec time = {0, 1000 * microseconds};

    nanosleep(&time, NULL);
}

/* Take what is left of an epoch from `first` on, at most `count` batches, `pause` microseconds apart. */
static void take(uint64_t epoch, size_t first, size_t count, long pause)
{
    const struct batch *batch;

    loader_start(loader, epoch, first);
    for (size_t step = first; step < STEPS && step < first + count; step++) {
        ck_assert_int_eq(loader_next(loader, &batch, &failure), 1);
        sleep_for(pause);
        assert_batch(batch, epoch, step);
    }
    if (first + count > STEPS) {
        ck_assert_int_eq(loader_next(loader, &batch, &failure), 0);
        ck_assert_int_eq(loader_next(loader, &batch, &failure), 0);
        ck_assert_ptr_null(batch);
    }
}

START_TEST(batches_of_epochs)
{
    const struct batch *batch;

    ck_assert_uint_eq(loader_steps(loader), STEPS);
    ck_assert_int_eq(loader_next(loader, &batch, &failure), 0); /* no epoch has been started */
    for (uint64_t epoch = 0; epoch < 3; epoch++)
        take(epoch, 0, STEPS + 1, 0);
    take(1, 0, STEPS + 1, 500); /* the worker is ahead */
}
END_TEST

/* Ranks cut each batch between them: one after the other they are the batch, also where some have none of it. */
START_TEST(ranks_share_a_batch)
{
    const int32_t count = _i + 2;
    struct loader *loaders[6];
    struct ranks ranks[6];
    const struct batch *whole, *part;

    for (int32_t r = 0; r < count; r++) {
        struct loader_plan shared = plan;

        ranks[r] = (struct ranks){.rank = r, .count = count};
        shared.ranks = &ranks[r];
        ck_assert_int_eq(loader_create(&loaders[r], context, model, &shared, &failure), 0);
        loader_start(loaders[r], 1, 0);
    }
    loader_start(loader, 1, 0);
    while (loader_next(loader, &whole, &failure) == 1) {
        size_t at = 0;

        for (int32_t r = 0; r < count; r++) {
            ck_assert_int_eq(loader_next(loaders[r], &part, &failure), 1);
            ck_assert_uint_eq(part->first, at);
            ck_assert((batch_input(part) != NULL) == (part->rows > 0));
            ck_assert_mem_eq(ffebm_tensor_data(part->target), (int64_t *)ffebm_tensor_data(whole->target) + at,
                             part->rows * sizeof(int64_t));
            ck_assert_mem_eq(ffebm_tensor_data(part->input),
                             (float *)ffebm_tensor_data(whole->input) + at * data.sample_size,
                             part->rows * data.sample_size * sizeof(float));
            at += part->rows;
        }
        ck_assert_uint_eq(at, whole->rows);
    }
    for (int32_t r = 0; r < count; r++) {
        ck_assert_int_eq(loader_next(loaders[r], &part, &failure), 0);
        loader_destroy(loaders[r]);
    }
}
END_TEST

/* The constants of dataset.h, in words of their own; a model in either type gets the same numbers. */
START_TEST(normalised_numbers)
{
    static const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {1.5 * 0.229, 1.5 * 0.224, 1.5 * 0.225};
    const struct batch_plan samples = {.data = &data, .part = &data.train, .augment = FFEBM_AUGMENT_NONE};
    ffebm_parse_config config = {.size = sizeof config, .dtype = _i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64};
    ffebm_model *typed;
    struct batch batch;

    ck_assert_int_eq(ffebm_model_parse(context, &typed, description, strlen(description), &config), FFEBM_OK);
    ck_assert_int_eq(batch_create(context, &batch, typed, 2), FFEBM_OK);
    ck_assert_int_eq(batch_fill(&batch, &samples, 4, &failure), 0);
    for (size_t i = 0; i < 2 * data.sample_size; i++) {
        size_t pixel = i % data.sample_size, channel = pixel / 1024;
        double expected = (pixel_of(4 + i / data.sample_size, pixel, 255) / 255.0 - mean[channel]) / deviation[channel];
        double found = _i == 0 ? (double)((float *)ffebm_tensor_data(batch.input))[i]
                               : ((double *)ffebm_tensor_data(batch.input))[i];

        ck_assert_double_eq_tol(found, expected, 1e-6);
    }
    batch_destroy(&batch);
    ffebm_model_destroy(typed);
}
END_TEST

START_TEST(samples_as_they_come)
{
    loader_destroy(loader);
    plan.shuffled = 0;
    plan.augment = FFEBM_AUGMENT_NONE;
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    take(9, 0, STEPS + 1, 0);
}
END_TEST

START_TEST(resumed_anywhere)
{
    for (size_t first = 0; first <= STEPS + 2; first++)
        take(4, first, STEPS + 1, 0);
}
END_TEST

/* An epoch dropped at any moment, and the next one is whole. */
START_TEST(dropped_anywhere)
{
    for (size_t round = 0; round < 200; round++) {
        take(round, 0, round % (STEPS + 1), (long)(round % 3) * 10);
        take(round + 1, round % STEPS, 1, 0);
    }
}
END_TEST

START_TEST(destroyed_anywhere)
{
    for (size_t round = 0; round < 200; round++) {
        take(round, 0, round % (STEPS + 2), 0);
        loader_destroy(loader);
        ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
        loader_start(loader, round, 0);
        sleep_for((long)(round % 4) * 20);
        loader_destroy(loader);
        ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    }
}
END_TEST

START_TEST(what_was_waited)
{
    double before;

    ck_assert(loader_waited_seconds(loader) == 0);
    take(0, 0, STEPS + 1, 0);
    before = loader_waited_seconds(loader);
    ck_assert(before > 0);
    sleep_for(20000); /* nobody waits meanwhile */
    ck_assert(loader_waited_seconds(loader) == before);
}
END_TEST

START_TEST(created_without_success)
{
    struct loader *none = loader;

    plan.batch = SIZE_MAX / 2;
    ck_assert_int_eq(loader_create(&none, context, model, &plan, &failure), -1);
    ck_assert_ptr_null(none);
    ck_assert_str_ne(failure.text, "");
    loader_destroy(none);
}
END_TEST

/* A file that becomes shorter under a running epoch, and is put right again. */
START_TEST(file_cut_while_it_is_read)
{
    char path[DATA_FILE_NAME], expected[DATA_FILE_NAME + 128];
    const struct batch *batch;
    int result;

    loader_destroy(loader);
    dataset_free(&data);
    formats[CIFAR10].write();
    ck_assert_int_eq(open_format(&formats[CIFAR10]), 0);
    plan.shuffled = 0;
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    file_path(path, "data_batch_3.bin");
    ck_assert_int_eq(truncate(path, 3073 + 1000), 0); /* in the sixth sample of all */

    loader_start(loader, 0, 0);
    ck_assert_int_eq(loader_next(loader, &batch, &failure), 1);
    do
        result = loader_next(loader, &batch, &failure);
    while (result == 1);
    snprintf(expected, sizeof expected, "%s: byte 4073: the file ends, expected 2073 bytes more", path);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(result, -1);
        ck_assert_str_eq(failure.text, expected);
        ck_assert_ptr_null(batch);
        failure.text[0] = '\0';
        result = loader_next(loader, &batch, &failure);
    }
    formats[CIFAR10].write();
    loader_start(loader, 0, 0);
    ck_assert_int_eq(loader_next(loader, &batch, &failure), 1);
    assert_batch(batch, 0, 0);
}
END_TEST

/* Count the threads of this program that SIGINT may interrupt, by what the kernel says of each. */
static int threads_taking_signals(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[128];
        unsigned long blocked = 0;
        FILE *status;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        if (entry->d_name[0] == '.' || (status = fopen(path, "r")) == NULL)
            continue;
        while (fgets(line, sizeof line, status) != NULL && sscanf(line, "SigBlk: %lx", &blocked) != 1)
            ;
        fclose(status);
        count += (blocked >> (SIGINT - 1) & 1) == 0;
    }
    closedir(tasks);
    return count;
}

/* Ctrl-C is for the program's threads: the worker is none of those that it can interrupt. */
START_TEST(signals_are_the_programs)
{
    int others;

    loader_destroy(loader);
    others = threads_taking_signals();
    ck_assert_int_ge(others, 1);
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    take(0, 0, STEPS + 1, 0); /* so that it has begun */
    ck_assert_int_eq(threads_taking_signals(), others);
}
END_TEST

static long resident_kilobytes(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* 300 MB of images, most of them holes of the file, with a tenth of that in memory. */
START_TEST(data_set_larger_than_its_memory)
{
    const struct batch *batch;
    const size_t samples = 100000;
    long before;
    char path[DATA_FILE_NAME];

    loader_destroy(loader);
    dataset_free(&data);
    formats[CIFAR100].write();
    file_path(path, "train.bin");
    ck_assert_int_eq(truncate(path, (off_t)samples * 3074), 0);
    before = resident_kilobytes();
    ck_assert_int_eq(open_format(&formats[CIFAR100]), 0);
    ck_assert_uint_eq(data.train.count, samples);
    plan.batch = 100;
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    loader_start(loader, 0, 0);
    while (loader_next(loader, &batch, &failure) == 1)
        ck_assert_uint_eq(batch->rows, 100);
    ck_assert_int_lt(resident_kilobytes() - before, 30 * 1024);
}
END_TEST

/* What is held out and what is left are all the samples, each once, in their order, with their own labels; which ones is a
 * matter of the stream, and both are loaded as any part is. */
START_TEST(held_out)
{
    enum { ALL = 20, HELD = 7 };
    struct dataset_part *parts[] = {&data.train, &data.validation};
    unsigned char pixels[ALL][DATASET_MOST_PIXELS], found[DATASET_MOST_PIXELS];
    int64_t labels[ALL];
    size_t members[HELD];
    const struct batch *batch;

    ck_assert_uint_eq(data.train.count, ALL);
    for (size_t i = 0; i < ALL; i++) {
        ck_assert_int_eq(dataset_read(&data, &data.train, i, pixels[i], &failure), 0);
        labels[i] = data.train.labels[i];
    }
    ck_assert_int_eq(dataset_hold_out(&data, ALL, 1, &failure), -1);
    ck_assert_ptr_nonnull(strstr(failure.text, "--val 20: expected fewer than the 20"));
    ck_assert_int_eq(dataset_hold_out(&data, 0, 1, &failure), 0);
    ck_assert_uint_eq(data.train.count, ALL);
    ck_assert_int_eq(dataset_hold_out(&data, HELD, 1, &failure), 0);
    ck_assert_uint_eq(data.train.count, ALL - HELD);
    ck_assert_uint_eq(data.validation.count, HELD);
    for (size_t i = 0, next[2] = {0, 0}; i < ALL; i++) {
        int held = next[1] < HELD && data.validation.members[next[1]] == i;
        size_t at = next[held]++;

        ck_assert_uint_eq(parts[held]->members[at], i);
        ck_assert_int_eq(parts[held]->labels[at], labels[i]);
        ck_assert_int_eq(dataset_read(&data, parts[held], at, found, &failure), 0);
        ck_assert_mem_eq(found, pixels[i], data.sample_size);
    }
    memcpy(members, data.validation.members, sizeof members);

    loader_destroy(loader);
    ck_assert_int_eq(loader_create(&loader, context, model, &plan, &failure), 0);
    ck_assert_uint_eq(loader_steps(loader), 5);
    loader_start(loader, 2, 0);
    for (size_t step = 0; step < 5; step++) {
        ck_assert_int_eq(loader_next(loader, &batch, &failure), 1);
        assert_batch(batch, 2, step);
    }

    loader_destroy(loader); /* it reads ahead */
    loader = NULL;
    dataset_free(&data);
    ck_assert_int_eq(open_format(&formats[NPZ]), 0);
    ck_assert_int_eq(dataset_hold_out(&data, HELD, 2, &failure), 0);
    ck_assert_int_ne(memcmp(members, data.validation.members, sizeof members), 0);
}
END_TEST

Suite *test_loader_suite(void)
{
    Suite *suite = suite_create("loader");
    TCase *tests = tcase_create("loader");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, batches_of_epochs);
    tcase_add_loop_test(tests, ranks_share_a_batch, 0, 5);
    tcase_add_loop_test(tests, normalised_numbers, 0, 2);
    tcase_add_test(tests, samples_as_they_come);
    tcase_add_test(tests, resumed_anywhere);
    tcase_add_test(tests, dropped_anywhere);
    tcase_add_test(tests, destroyed_anywhere);
    tcase_add_test(tests, what_was_waited);
    tcase_add_test(tests, created_without_success);
    tcase_add_test(tests, file_cut_while_it_is_read);
    tcase_add_test(tests, signals_are_the_programs);
    tcase_add_test(tests, held_out);
    tcase_add_test(tests, data_set_larger_than_its_memory);
    suite_add_tcase(suite, tests);
    return suite;
}

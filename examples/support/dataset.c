#include "dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shuffle.h"

/* clang-format off */
#define CIFAR_MEAN         {0.4914, 0.4822, 0.4465}
#define CIFAR_DEVIATION    {3 * 0.2023, 3 * 0.1994, 3 * 0.2010}
#define IMAGENET_MEAN      {0.485, 0.456, 0.406}
#define IMAGENET_DEVIATION {1.5 * 0.229, 1.5 * 0.224, 1.5 * 0.225}
#define DIGITS             "it lies in the source tree, in examples/data"
#define FASHION            "the Debian package dataset-fashion-mnist has it: apt-get install dataset-fashion-mnist"

static const struct dataset_source sources[] = {
    {"digits",        "examples/data",                     digits_open,      16, {0.3053},      {0.3760},             10,  8, 1, DIGITS},
    {"fashion-mnist", "/usr/share/datasets/fashion-mnist", idx_open,        255, {0.2860},      {0.3530},             10, 28, 0, FASHION},
    {"mnist",         NULL,                                idx_open,        255, {0.1307},      {0.3081},             10, 28, 0, NULL},
    {"cifar10",       NULL,                                cifar10_open,    255, CIFAR_MEAN,    CIFAR_DEVIATION,      10, 32, 0, NULL},
    {"cifar100",      NULL,                                cifar100_open,   255, CIFAR_MEAN,    CIFAR_DEVIATION,     100, 32, 0, NULL},
    {"imagenet32",    NULL,                                imagenet32_open, 255, IMAGENET_MEAN, IMAGENET_DEVIATION, 1000, 32, 0, NULL},
};
/* clang-format on */

enum { SOURCES = sizeof sources / sizeof sources[0] };

const struct dataset_source *dataset_find(const char *name, struct failure *failure)
{
    char names[128] = "";

    for (size_t i = 0; i < SOURCES; i++) {
        size_t used = strlen(names);

        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
        snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ", sources[i].name);
    }
    failure_set(failure, "--dataset %s: expected one of %s", name, names);
    return NULL;
}

static void fill_levels(struct dataset *data, const struct dataset_source *source)
{
    for (size_t channel = 0; channel < data->channels; channel++) {
        for (int pixel = 0; pixel < DATASET_LEVELS; pixel++)
            data->levels[channel][pixel] =
                (float)((pixel / source->brightest - source->mean[channel]) / source->deviation[channel]);
    }
}

/* ------------------------------------------------------------------------------------------------------ fingerprint */

enum { LOOKED_AT = 16 }; /* samples of a part whose pixels are looked at */

/* FNV-1a, by bytes. */
static uint64_t mix_bytes(uint64_t hash, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        hash = (hash ^ (number & 255)) * 0x100000001b3u;
    return hash;
}

/* All labels, and the pixels of samples from the first to the last. */
static int mix_part(uint64_t *hash, const struct dataset *data, const struct dataset_part *part,
                    struct failure *failure)
{
    unsigned char pixels[DATASET_MOST_PIXELS];

    *hash = mix_number(*hash, part->count);
    for (size_t i = 0; i < part->count; i++)
        *hash = mix_number(*hash, (uint64_t)part->labels[i]);
    for (size_t i = 0; i < LOOKED_AT && part->count > 0; i++) {
        if (dataset_read(data, part, i * (part->count - 1) / (LOOKED_AT - 1), pixels, failure) != 0)
            return -1;
        *hash = mix_bytes(*hash, pixels, data->sample_size);
    }
    return 0;
}

/* 63 bits, so that it is a number for whoever has no unsigned ones. */
static int take_fingerprint(struct dataset *data, struct failure *failure)
{
    uint64_t hash = mix_number(0xcbf29ce484222325u, data->sample_size);

    if (mix_part(&hash, data, &data->train, failure) != 0 || mix_part(&hash, data, &data->test, failure) != 0)
        return -1;
    data->fingerprint = (int64_t)(hash >> 1);
    return 0;
}

int dataset_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure)
{
    *data = (struct dataset){.classes = source->classes};
    if (directory == NULL)
        directory = source->directory;
    if (directory == NULL)
        return failure_set(failure, "--data: data set %s needs the directory of its files", source->name);
    if (split != DATASET_SPLIT_DEFAULT && !source->divisible)
        return failure_set(failure, "--split: data set %s comes with test samples of its own", source->name);
    if (source->open(data, source, directory, split, failure) != 0) {
        dataset_free(data);
        return -1;
    }
    data->sample_size = data->channels * data->height * data->width;
    fill_levels(data, source);
    if (take_fingerprint(data, failure) != 0) {
        dataset_free(data);
        return -1;
    }
    return 0;
}

void dataset_limit(struct dataset_part *part, size_t limit)
{
    if (limit != 0 && limit < part->count)
        part->count = limit;
}

/* The samples whose mark is `mark`, in the order of the shards, as a part of its own. */
static int choose(struct dataset_part *chosen, const struct dataset_part *from, const unsigned char *marks, int mark,
                  size_t count)
{
    *chosen = (struct dataset_part){.shards = from->shards};
    chosen->labels = malloc(count * sizeof *chosen->labels);
    chosen->members = malloc(count * sizeof *chosen->members);
    if (chosen->labels == NULL || chosen->members == NULL)
        return -1;
    for (size_t i = 0; i < from->count; i++) {
        if (marks[i] == mark) {
            chosen->labels[chosen->count] = from->labels[i];
            chosen->members[chosen->count++] = i;
        }
    }
    return 0;
}

/* The first of a random order are marked. */
static unsigned char *draw_marks(size_t count, size_t marked, uint64_t stream)
{
    unsigned char *marks = calloc(count, 1);
    size_t *order = malloc(count * sizeof *order);

    if (marks == NULL || order == NULL) {
        free(marks);
        free(order);
        return NULL;
    }
    shuffle(order, count, stream);
    for (size_t i = 0; i < marked; i++)
        marks[order[i]] = 1;
    free(order);
    return marks;
}

static void free_lists(struct dataset_part *part)
{
    free(part->labels);
    free(part->members);
}

int dataset_hold_out(struct dataset *data, size_t count, uint64_t stream, struct failure *failure)
{
    struct dataset_part *all = &data->train, train = {NULL};
    unsigned char *marks;

    if (count == 0)
        return 0;
    if (count >= all->count)
        return failure_set(failure, "--val %zu: expected fewer than the %zu training samples", count, all->count);
    marks = draw_marks(all->count, count, stream);
    if (marks == NULL || choose(&data->validation, all, marks, 1, count) != 0 ||
        choose(&train, all, marks, 0, all->count - count) != 0) {
        free(marks);
        free_lists(&train);
        return failure_set(failure, "out of memory for the numbers of %zu samples", all->count);
    }
    free(marks);
    free_lists(all);
    train.shard_count = all->shard_count;
    *all = train;
    return 0;
}

int dataset_read(const struct dataset *data, const struct dataset_part *part, size_t sample, unsigned char *pixels,
                 struct failure *failure)
{
    const struct dataset_shard *shard = part->shards;

    if (part->members != NULL)
        sample = part->members[sample];
    for (; sample >= shard->count; shard++)
        sample -= shard->count;
    return data_file_read(&shard->file, pixels, data->sample_size, shard->first_byte + (uint64_t)sample * shard->stride,
                          failure);
}

static void free_part(struct dataset_part *part)
{
    for (size_t i = 0; i < part->shard_count; i++)
        data_file_close(&part->shards[i].file);
    free(part->shards);
    free_lists(part);
}

void dataset_free(struct dataset *data)
{
    free_lists(&data->validation); /* its shards are those of the training samples */
    free_part(&data->train);
    free_part(&data->test);
    *data = (struct dataset){0};
}

int64_t *dataset_add(struct dataset_part *part, struct dataset_shard *shard, struct failure *failure)
{
    void *shards = realloc(part->shards, (part->shard_count + 1) * sizeof *part->shards), *labels = NULL;

    if (shards != NULL) {
        part->shards = shards;
        labels = realloc(part->labels, (part->count + shard->count) * sizeof *part->labels);
    }
    if (labels == NULL) {
        failure_set(failure, "%s: out of memory for the labels of %zu samples", shard->file.name, shard->count);
        data_file_close(&shard->file);
        return NULL;
    }
    part->labels = labels;
    part->shards[part->shard_count++] = *shard;
    part->count += shard->count;
    return part->labels + part->count - shard->count;
}

int dataset_check_label(const struct dataset *data, const struct data_file *file, uint64_t offset, size_t sample,
                        int64_t label, int64_t least, struct failure *failure)
{
    if (label >= least && label < least + data->classes)
        return 0;
    return data_file_refuse(file, offset, failure, "label %" PRId64 " of sample %zu, expected %" PRId64 " to %" PRId64,
                            label, sample, least, least + data->classes - 1);
}

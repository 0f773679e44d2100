#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

/* clang-format off */
#define CIFAR_MEAN      {0.4914, 0.4822, 0.4465}
#define CIFAR_DEVIATION {3 * 0.2023, 3 * 0.1994, 3 * 0.2010}

static const struct dataset_source sources[] = {
    {"digits",        "examples/data",                     digits_load,    16, {0.3053},   {0.3760},         10,  8, 1},
    {"fashion-mnist", "/usr/share/datasets/fashion-mnist", idx_load,      255, {0.2860},   {0.3530},         10, 28, 0},
    {"mnist",         NULL,                                idx_load,      255, {0.1307},   {0.3081},         10, 28, 0},
    {"cifar10",       NULL,                                cifar10_load,  255, CIFAR_MEAN, CIFAR_DEVIATION,  10, 32, 0},
    {"cifar100",      NULL,                                cifar100_load, 255, CIFAR_MEAN, CIFAR_DEVIATION, 100, 32, 0},
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

int dataset_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure)
{
    *data = (struct dataset){.classes = source->classes};
    if (directory == NULL)
        directory = source->directory;
    if (directory == NULL)
        return failure_set(failure, "--data: data set %s needs the directory of its files", source->name);
    if (split != DATASET_SPLIT_DEFAULT && !source->divisible)
        return failure_set(failure, "--split: data set %s comes with test samples of its own", source->name);
    if (source->load(data, source, directory, split, failure) != 0) {
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

void dataset_free(struct dataset *data)
{
    dataset_part_free(&data->train);
    dataset_part_free(&data->test);
    *data = (struct dataset){0};
}

int dataset_part_allocate(struct dataset_part *part, size_t count, size_t sample_size, struct failure *failure)
{
    *part = (struct dataset_part){.count = count};
    if (count > 0 && sample_size > SIZE_MAX / sizeof *part->inputs / count)
        return failure_set(failure, "%zu samples of %zu pixels do not fit in memory", count, sample_size);
    part->inputs = malloc(count * sample_size * sizeof *part->inputs);
    part->labels = malloc(count * sizeof *part->labels);
    if (part->inputs == NULL || part->labels == NULL) {
        dataset_part_free(part);
        return failure_set(failure, "out of memory for %zu samples of %zu pixels", count, sample_size);
    }
    return 0;
}

void dataset_part_free(struct dataset_part *part)
{
    free(part->inputs);
    free(part->labels);
    *part = (struct dataset_part){0};
}

float dataset_normalise(const struct dataset_source *source, size_t channel, unsigned pixel)
{
    return (float)((pixel / source->brightest - source->mean[channel]) / source->deviation[channel]);
}

int dataset_join_path(char *path, size_t capacity, const char *directory, const char *name, struct failure *failure)
{
    int length = snprintf(path, capacity, "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= capacity)
        return failure_set(failure, "--data: path of %zu characters is too long, at most %zu are allowed",
                           strlen(directory), capacity - strlen(name) - 2);
    return 0;
}

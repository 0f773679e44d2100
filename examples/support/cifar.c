/* cifar.c - CIFAR-10 and CIFAR-100 in their own binary layout: records of one label byte (CIFAR-100: a coarse one before
 * it) and 3,072 pixel bytes, the red, green and blue planes of 32x32, row by row. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"

enum { CHANNELS = 3, SIDE = 32, PLANE = SIDE * SIDE, PIXELS = CHANNELS * PLANE, MOST_RECORDS = 100000, PATH = 4096 };

/* Which files, and how many bytes of a record come before its pixels; the last of them is the label. */
struct layout {
    const char *train[6]; /* ends with NULL */
    const char *test[2];
    size_t label_bytes;
};

static const struct layout cifar10 = {
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", NULL},
    {"test_batch.bin", NULL},
    1};
static const struct layout cifar100 = {{"train.bin", NULL}, {"test.bin", NULL}, 2};

struct reader {
    const struct dataset_source *source;
    const char *directory;
    size_t label_bytes;
    struct failure *failure;
};

static size_t record_size(const struct reader *reader)
{
    return reader->label_bytes + PIXELS;
}

/* How many records a file holds; 0 with the failure filled if it cannot be one. */
static size_t count_records(const struct reader *reader, const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file == NULL) {
        failure_set(reader->failure, "%s: %s", path, strerror(errno));
        return 0;
    }
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    fclose(file);
    if (size <= 0 || (size_t)size % record_size(reader) != 0 || (size_t)size / record_size(reader) > MOST_RECORDS) {
        failure_set(reader->failure, "%s: %ld bytes, expected a multiple of %zu, for 1 to %d images", path, size,
                    record_size(reader), MOST_RECORDS);
        return 0;
    }
    return (size_t)size / record_size(reader);
}

static int take_record(const struct reader *reader, const char *path, const unsigned char *record,
                       struct dataset_part *part, size_t at)
{
    unsigned char label = record[reader->label_bytes - 1];

    if (label >= reader->source->classes)
        return failure_set(reader->failure, "%s: label %d, expected 0 to %d", path, label,
                           (int)reader->source->classes - 1);
    part->labels[at] = label;
    for (size_t i = 0; i < PIXELS; i++)
        part->inputs[at * PIXELS + i] = dataset_normalise(reader->source, i / PLANE, record[reader->label_bytes + i]);
    return 0;
}

static int read_file(const struct reader *reader, const char *path, struct dataset_part *part, size_t first,
                     size_t count)
{
    unsigned char record[2 + PIXELS];
    FILE *file = fopen(path, "rb");
    int result = 0;

    if (file == NULL)
        return failure_set(reader->failure, "%s: %s", path, strerror(errno));
    for (size_t i = 0; i < count && result == 0; i++) {
        if (fread(record, record_size(reader), 1, file) != 1)
            result = failure_set(reader->failure, "%s: cannot be read, or has become shorter", path);
        else
            result = take_record(reader, path, record, part, first + i);
    }
    fclose(file);
    return result;
}

static int load_part(const struct reader *reader, struct dataset_part *part, const char *const *names)
{
    size_t counts[5], total = 0;
    char path[PATH];

    for (size_t i = 0; names[i] != NULL; i++) {
        if (dataset_join_path(path, sizeof path, reader->directory, names[i], reader->failure) != 0 ||
            (counts[i] = count_records(reader, path)) == 0)
            return -1;
        total += counts[i];
    }
    if (dataset_part_allocate(part, total, PIXELS, reader->failure) != 0)
        return -1;
    total = 0;
    for (size_t i = 0; names[i] != NULL; i++) {
        if (dataset_join_path(path, sizeof path, reader->directory, names[i], reader->failure) != 0 ||
            read_file(reader, path, part, total, counts[i]) != 0)
            return -1;
        total += counts[i];
    }
    return 0;
}

static int load(struct dataset *data, const struct dataset_source *source, const char *directory,
                const struct layout *layout, struct failure *failure)
{
    const struct reader reader = {source, directory, layout->label_bytes, failure};

    data->channels = CHANNELS;
    data->height = data->width = SIDE;
    data->sample_size = PIXELS;
    if (load_part(&reader, &data->train, layout->train) != 0)
        return -1;
    return load_part(&reader, &data->test, layout->test);
}

int cifar10_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure)
{
    (void)split; /* dataset_load has refused any but the data set's own */
    return load(data, source, directory, &cifar10, failure);
}

int cifar100_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                  struct failure *failure)
{
    (void)split;
    return load(data, source, directory, &cifar100, failure);
}

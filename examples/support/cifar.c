/* cifar.c - CIFAR-10 and CIFAR-100 in their own binary layout: records of one label byte (CIFAR-100: a coarse one before
 * it) and 3,072 pixel bytes, the red, green and blue planes of 32x32, row by row. */
#include <inttypes.h>

#include "dataset.h"
#include "find_file.h"

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE };

static const char *const train10[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", NULL};
static const char *const test10[] = {"test_batch.bin", NULL};
static const char *const train100[] = {"train.bin", NULL};
static const char *const test100[] = {"test.bin", NULL};

#define FOR_PYTHON "of the version for Python, expected the binary one: "
#define PACKED "still packed: tar xzf unpacks it"

static const struct substitute instead10[] = {
    {"data_batch_1", FOR_PYTHON "cifar-10-binary.tar.gz"},
    {"data_batch_1.mat", "of the version for Matlab, expected the binary one"},
    {"cifar-10-binary.tar.gz", PACKED},
    {"cifar-10-python.tar.gz", FOR_PYTHON "cifar-10-binary.tar.gz"},
    {NULL, NULL}};
static const struct substitute instead100[] = {{"train", FOR_PYTHON "cifar-100-binary.tar.gz"},
                                               {"train.mat", "of the version for Matlab, expected the binary one"},
                                               {"cifar-100-binary.tar.gz", PACKED},
                                               {"cifar-100-python.tar.gz", FOR_PYTHON "cifar-100-binary.tar.gz"},
                                               {NULL, NULL}};

/* One of the two data sets. */
struct release {
    const char *const *train;
    const char *const *test;
    const struct substitute *instead;
    size_t label_bytes;
};

static const struct release release10 = {train10, test10, instead10, 1};
static const struct release release100 = {train100, test100, instead100, 2};

/* The label is the last byte before the pixels. */
static int read_labels(const struct dataset *data, int64_t *labels, const struct dataset_shard *shard,
                       struct failure *failure)
{
    for (size_t i = 0; i < shard->count; i++) {
        uint64_t offset = shard->first_byte + (uint64_t)i * shard->stride - 1;
        unsigned char label;

        if (data_file_read(&shard->file, &label, 1, offset, failure) != 0 ||
            dataset_check_label(data, &shard->file, offset, i, label, 0, failure) != 0)
            return -1;
        labels[i] = label;
    }
    return 0;
}

static int open_file(const struct dataset *data, struct dataset_part *part, const char *path, size_t label_bytes,
                     struct failure *failure)
{
    struct dataset_shard shard = {.first_byte = label_bytes, .stride = label_bytes + PIXELS};
    int64_t *labels;
    uint64_t rest;

    if (data_file_open(&shard.file, path, failure) != 0)
        return -1;
    shard.count = shard.file.size / shard.stride;
    rest = shard.file.size % shard.stride;
    if (shard.count == 0 || rest != 0) {
        data_file_close(&shard.file);
        return data_file_refuse(&shard.file, shard.file.size - rest, failure,
                                "%" PRIu64 " bytes and then the end, expected records of %zu", rest, shard.stride);
    }
    labels = dataset_add(part, &shard, failure);
    return labels != NULL ? read_labels(data, labels, &shard, failure) : -1;
}

static int open_part(const struct dataset *data, struct dataset_part *part, const char *directory,
                     const char *const *names, const struct release *release, struct failure *failure)
{
    char path[DATA_FILE_NAME];

    for (; *names != NULL; names++) {
        const char *const name[] = {*names, NULL};

        if (find_file(path, directory, name, release->instead, NULL, failure) != 0 ||
            open_file(data, part, path, release->label_bytes, failure) != 0)
            return -1;
    }
    return 0;
}

static int open_parts(struct dataset *data, const char *directory, const struct release *release,
                      struct failure *failure)
{
    data->channels = CHANNELS;
    data->height = data->width = SIDE;
    if (open_part(data, &data->train, directory, release->train, release, failure) != 0)
        return -1;
    return open_part(data, &data->test, directory, release->test, release, failure);
}

int cifar10_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure)
{
    (void)source, (void)split; /* dataset_open has refused any split but the data set's own */
    return open_parts(data, directory, &release10, failure);
}

int cifar100_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                  struct failure *failure)
{
    (void)source, (void)split;
    return open_parts(data, directory, &release100, failure);
}

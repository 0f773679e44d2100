/* imagenet.c - ImageNet32 as it is released: zip archives (.npz) of NumPy arrays. Of each, `data` is uint8 [n, 3072], the
 * red, green and blue planes of 32x32, row by row, and `labels` has n integers from 1 to 1000.
 *
 * Their third array, `mean`, that of every single pixel, is not read: images that may be shifted and mirrored are
 * normalised by channel. */
#include <stdio.h>

#include "dataset.h"
#include "find_file.h"
#include "npy.h"

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE, TRAIN_FILES = 10, FIRST_LABEL = 1 };
enum { CHUNK = 512, LARGEST_ITEM = 8 };

/* Open a member of an archive and read its header. */
static int open_array(struct npy *npy, struct data_file *file, const char *path, const char *member,
                      struct failure *failure)
{
    if (data_file_open_member(file, path, member, npy_limit, failure) != 0)
        return -1;
    if (npy_open(npy, file, failure) == 0)
        return 0;
    data_file_close(file);
    return -1;
}

static int refuse_array(const struct npy *npy, const struct data_file *file, const char *expected,
                        struct failure *failure)
{
    char words[NPY_WORDS];

    npy_describe(npy, words);
    return data_file_refuse(file, 0, failure, "an array %s, expected %s", words, expected);
}

static int open_images(struct dataset_shard *shard, const char *path, struct failure *failure)
{
    struct npy npy;

    if (open_array(&npy, &shard->file, path, "data.npy", failure) != 0)
        return -1;
    if (npy.rank != 2 || npy.shape[0] < 1 || npy.shape[1] != PIXELS || npy.item_size != 1 || npy.is_signed) {
        refuse_array(&npy, &shard->file, "uint8 [n, 3072]", failure);
        data_file_close(&shard->file);
        return -1;
    }
    shard->first_byte = npy.first_byte;
    shard->stride = PIXELS;
    shard->count = npy.shape[0];
    return 0;
}

static int read_labels(const struct dataset *data, int64_t *labels, size_t count, const struct npy *npy,
                       const struct data_file *file, struct failure *failure)
{
    unsigned char bytes[CHUNK * LARGEST_ITEM];

    for (size_t first = 0; first < count; first += CHUNK) {
        size_t some = count - first < CHUNK ? count - first : CHUNK;
        uint64_t offset = npy->first_byte + (uint64_t)first * npy->item_size;

        if (data_file_read(file, bytes, some * npy->item_size, offset, failure) != 0)
            return -1;
        for (size_t i = 0; i < some; i++) {
            int64_t label = npy_integer(npy, bytes + i * npy->item_size);

            if (dataset_check_label(data, file, offset + i * npy->item_size, first + i, label, FIRST_LABEL, failure) !=
                0)
                return -1;
            labels[first + i] = label - FIRST_LABEL;
        }
    }
    return 0;
}

static int open_labels(const struct dataset *data, int64_t *labels, size_t count, const char *path,
                       struct failure *failure)
{
    struct data_file file;
    struct npy npy;
    char expected[48];
    int result;

    if (open_array(&npy, &file, path, "labels.npy", failure) != 0)
        return -1;
    snprintf(expected, sizeof expected, "[%zu], as many as images", count);
    result = npy.rank != 1 || npy.shape[0] != count ? refuse_array(&npy, &file, expected, failure)
                                                    : read_labels(data, labels, count, &npy, &file, failure);
    data_file_close(&file);
    return result;
}

static int open_batch(const struct dataset *data, struct dataset_part *part, const char *directory, const char *name,
                      struct failure *failure)
{
    const struct substitute instead[] = {{name, "of the pickled release, expected that of NumPy archives"},
                                         {NULL, NULL}};
    char path[DATA_FILE_NAME], file[48];
    const char *const names[] = {file, NULL};
    struct dataset_shard shard;
    int64_t *labels;

    snprintf(file, sizeof file, "%s.npz", name);
    if (find_file(path, directory, names, instead, NULL, failure) != 0 || open_images(&shard, path, failure) != 0 ||
        (labels = dataset_add(part, &shard, failure)) == NULL)
        return -1;
    return open_labels(data, labels, shard.count, path, failure);
}

int imagenet32_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                    struct failure *failure)
{
    char name[32];

    (void)source, (void)split; /* dataset_open has refused any split but the data set's own */
    data->channels = CHANNELS;
    data->height = data->width = SIDE;
    for (int i = 1; i <= TRAIN_FILES; i++) {
        snprintf(name, sizeof name, "train_data_batch_%d", i);
        if (open_batch(data, &data->train, directory, name, failure) != 0)
            return -1;
    }
    return open_batch(data, &data->test, directory, "val_data", failure);
}

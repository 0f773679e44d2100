/* idx.c - data sets in MNIST's IDX format: four files, gzip or plain.
 *
 * A file starts with a big-endian magic number, 0x0000 08 RR for bytes in RR dimensions, and RR big-endian dimensions.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "dataset.h"

enum { PATH = 4096, MOST_RANK = 3, MOST_SAMPLES = 200000, CHUNK = 1 << 20 };

/* An open file and what its header says. */
struct idx_file {
    char path[PATH];
    gzFile gz;
    size_t dimensions[MOST_RANK];
};

static int open_file(struct idx_file *file, const char *directory, const char *name, struct failure *failure)
{
    char packed[64];

    snprintf(packed, sizeof packed, "%s.gz", name);
    if (dataset_join_path(file->path, sizeof file->path, directory, packed, failure) != 0)
        return -1;
    errno = 0;
    file->gz = gzopen(file->path, "rb");
    if (file->gz == NULL && errno == ENOENT) {
        file->path[strlen(file->path) - strlen(".gz")] = '\0';
        errno = 0;
        file->gz = gzopen(file->path, "rb"); /* which reads a plain file as it is */
    }
    if (file->gz == NULL)
        return failure_set(failure, "%s: %s", file->path, errno != 0 ? strerror(errno) : "out of memory");
    return 0;
}

/* Read exactly `count` bytes. */
static int read_bytes(struct idx_file *file, unsigned char *bytes, size_t count, struct failure *failure)
{
    while (count > 0) {
        unsigned want = count < CHUNK ? (unsigned)count : CHUNK;
        int got = gzread(file->gz, bytes, want);

        if (got != (int)want)
            return failure_set(failure, "%s: %s", file->path,
                               got < 0 ? "cannot be read, or is a broken gzip file" : "shorter than its header says");
        bytes += want;
        count -= want;
    }
    return 0;
}

static int read_big_endian(struct idx_file *file, uint32_t *value, struct failure *failure)
{
    unsigned char bytes[4];

    if (read_bytes(file, bytes, sizeof bytes, failure) != 0)
        return -1;
    *value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return 0;
}

static int read_header(struct idx_file *file, size_t rank, const struct dataset_source *source, struct failure *failure)
{
    const uint32_t expected = 0x0800 + (uint32_t)rank;
    uint32_t value;

    if (read_big_endian(file, &value, failure) != 0)
        return -1;
    if (value != expected)
        return failure_set(failure, "%s: magic number 0x%08x, expected 0x%08x (bytes in %zu dimension%s)", file->path,
                           (unsigned)value, (unsigned)expected, rank, rank == 1 ? "" : "s");
    for (size_t i = 0; i < rank; i++) {
        size_t most = i == 0 ? MOST_SAMPLES : source->largest_side;

        if (read_big_endian(file, &value, failure) != 0)
            return -1;
        if (value < 1 || value > most)
            return failure_set(failure, "%s: dimension %zu is %u, expected 1 to %zu", file->path, i, (unsigned)value,
                               most);
        file->dimensions[i] = value;
    }
    return 0;
}

/* More bytes than the header announces: the file is not what it says it is. */
static int expect_end(struct idx_file *file, struct failure *failure)
{
    unsigned char byte;
    int got = gzread(file->gz, &byte, 1);

    if (got > 0)
        return failure_set(failure, "%s: longer than its header says", file->path);
    return got < 0 ? failure_set(failure, "%s: broken at its end", file->path) : 0;
}

static int read_images(struct dataset *data, struct dataset_part *part, struct idx_file *file,
                       const struct dataset_source *source, struct failure *failure)
{
    size_t pixels = file->dimensions[1] * file->dimensions[2];
    unsigned char *bytes;
    int result = 0;

    if (data->sample_size != 0 && (data->height != file->dimensions[1] || data->width != file->dimensions[2]))
        return failure_set(failure, "%s: images of %zux%zu, expected %zux%zu as in the training samples", file->path,
                           file->dimensions[1], file->dimensions[2], data->height, data->width);
    data->channels = 1;
    data->height = file->dimensions[1];
    data->width = file->dimensions[2];
    data->sample_size = pixels;

    if (dataset_part_allocate(part, file->dimensions[0], pixels, failure) != 0)
        return -1;
    bytes = malloc(pixels);
    if (bytes == NULL)
        return failure_set(failure, "%s: out of memory for an image", file->path);
    for (size_t i = 0; i < part->count && result == 0; i++) {
        result = read_bytes(file, bytes, pixels, failure);
        for (size_t j = 0; j < pixels && result == 0; j++)
            part->inputs[i * pixels + j] = dataset_normalise(source, 0, bytes[j]);
    }
    free(bytes);
    return result != 0 ? result : expect_end(file, failure);
}

static int read_labels(struct dataset_part *part, struct idx_file *file, const struct dataset_source *source,
                       struct failure *failure)
{
    if (file->dimensions[0] != part->count)
        return failure_set(failure, "%s: %zu labels, expected %zu, as many as images", file->path, file->dimensions[0],
                           part->count);
    for (size_t i = 0; i < part->count; i++) {
        unsigned char label;

        if (read_bytes(file, &label, 1, failure) != 0)
            return -1;
        if (label >= source->classes)
            return failure_set(failure, "%s: label %d of sample %zu, expected 0 to %d", file->path, label, i,
                               (int)source->classes - 1);
        part->labels[i] = label;
    }
    return expect_end(file, failure);
}

static int load_part(struct dataset *data, struct dataset_part *part, const struct dataset_source *source,
                     const char *directory, const char *prefix, struct failure *failure)
{
    char name[48];
    struct idx_file file = {.gz = NULL};
    int result;

    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    if (open_file(&file, directory, name, failure) != 0)
        return -1;
    result = read_header(&file, 3, source, failure);
    if (result == 0)
        result = read_images(data, part, &file, source, failure);
    gzclose(file.gz);
    if (result != 0)
        return result;

    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    if (open_file(&file, directory, name, failure) != 0)
        return -1;
    result = read_header(&file, 1, source, failure);
    if (result == 0)
        result = read_labels(part, &file, source, failure);
    gzclose(file.gz);
    return result;
}

int idx_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
             struct failure *failure)
{
    (void)split; /* dataset_load has refused any but the data set's own */
    if (load_part(data, &data->train, source, directory, "train", failure) != 0)
        return -1;
    return load_part(data, &data->test, source, directory, "t10k", failure);
}

/* idx.c - data sets in MNIST's IDX format: images and labels in a file each, gzip or plain.
 *
 * A file starts with a big-endian magic number, 0x0000 08 RR for bytes in RR dimensions, and RR big-endian dimensions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataset.h"

enum { MOST_RANK = 3, WORD = 4, CHUNK = 4096 };

struct idx {
    struct data_file file;
    uint64_t dimensions[MOST_RANK];
    uint64_t first_byte; /* after the header */
};

static int read_big_endian(const struct data_file *file, uint32_t *value, uint64_t offset, struct failure *failure)
{
    unsigned char bytes[WORD];

    if (data_file_read(file, bytes, WORD, offset, failure) != 0)
        return -1;
    *value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return 0;
}

static int read_header(struct idx *idx, size_t rank, const struct dataset_source *source, struct failure *failure)
{
    const uint32_t expected = 0x0800 + (uint32_t)rank;
    uint32_t value;

    if (read_big_endian(&idx->file, &value, 0, failure) != 0)
        return -1;
    if (value != expected)
        return data_file_refuse(&idx->file, 0, failure,
                                "magic number 0x%08" PRIx32 ", expected 0x%08" PRIx32 ", bytes in %zu dimension%s",
                                value, expected, rank, rank == 1 ? "" : "s");
    for (size_t i = 0; i < rank; i++) {
        uint64_t offset = WORD * (i + 1), most = i == 0 ? UINT32_MAX : source->largest_side;

        if (read_big_endian(&idx->file, &value, offset, failure) != 0)
            return -1;
        if (value < 1 || value > most)
            return data_file_refuse(&idx->file, offset, failure, "dimension %zu is %" PRIu32 ", expected 1 to %" PRIu64,
                                    i, value, most);
        idx->dimensions[i] = value;
    }
    idx->first_byte = WORD * (rank + 1);
    return 0;
}

/* The file must hold what the header says, and no more. */
static int check_size(const struct idx *idx, size_t rank, struct failure *failure)
{
    uint64_t expected = 1;

    for (size_t i = 0; i < rank; i++)
        expected *= idx->dimensions[i];
    expected += idx->first_byte;
    if (idx->file.size < expected)
        return data_file_refuse(&idx->file, idx->file.size, failure, "the file ends, its header says %" PRIu64 " bytes",
                                expected);
    if (idx->file.size > expected)
        return data_file_refuse(&idx->file, expected, failure, "%" PRIu64 " bytes more than the header says",
                                idx->file.size - expected);
    return 0;
}

static int open_idx(struct idx *idx, const char *directory, const char *prefix, size_t rank,
                    const struct dataset_source *source, struct failure *failure)
{
    char name[64], plain[DATA_FILE_NAME], packed[DATA_FILE_NAME];
    int result;

    snprintf(name, sizeof name, "%s-%s-ubyte.gz", prefix, rank == 1 ? "labels-idx1" : "images-idx3");
    if (data_file_path(packed, directory, name, failure) != 0)
        return -1;
    snprintf(plain, sizeof plain, "%.*s", (int)(strlen(packed) - strlen(".gz")), packed);
    result = data_file_exists(packed) ? data_file_open_gzip(&idx->file, packed, failure)
                                      : data_file_open(&idx->file, plain, failure);
    if (result == 0 && (read_header(idx, rank, source, failure) != 0 || check_size(idx, rank, failure) != 0)) {
        data_file_close(&idx->file);
        result = -1;
    }
    return result;
}

static int read_labels(const struct dataset *data, int64_t *labels, const struct idx *idx, struct failure *failure)
{
    unsigned char bytes[CHUNK];

    for (size_t first = 0; first < idx->dimensions[0]; first += CHUNK) {
        size_t left = idx->dimensions[0] - first, count = left < CHUNK ? left : CHUNK;
        uint64_t offset = idx->first_byte + first;

        if (data_file_read(&idx->file, bytes, count, offset, failure) != 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (dataset_check_label(data, &idx->file, offset + i, first + i, bytes[i], 0, failure) != 0)
                return -1;
            labels[first + i] = bytes[i];
        }
    }
    return 0;
}

static int open_images(struct dataset *data, struct dataset_part *part, const struct dataset_source *source,
                       const char *directory, const char *prefix, struct failure *failure)
{
    struct idx idx;
    struct dataset_shard shard;

    if (open_idx(&idx, directory, prefix, 3, source, failure) != 0)
        return -1;
    if (data->channels != 0 && (data->height != idx.dimensions[1] || data->width != idx.dimensions[2])) {
        data_file_close(&idx.file);
        return data_file_refuse(&idx.file, 2 * WORD, failure,
                                "images of %" PRIu64 "x%" PRIu64 ", expected %zux%zu as in the training samples",
                                idx.dimensions[1], idx.dimensions[2], data->height, data->width);
    }
    data->channels = 1;
    data->height = idx.dimensions[1];
    data->width = idx.dimensions[2];
    shard = (struct dataset_shard){idx.file, idx.first_byte, data->height * data->width, idx.dimensions[0]};
    return dataset_add(part, &shard, failure) != NULL ? 0 : -1;
}

static int open_labels(const struct dataset *data, struct dataset_part *part, const struct dataset_source *source,
                       const char *directory, const char *prefix, struct failure *failure)
{
    struct idx idx;
    int result;

    if (open_idx(&idx, directory, prefix, 1, source, failure) != 0)
        return -1;
    if (idx.dimensions[0] != part->count)
        result = data_file_refuse(&idx.file, WORD, failure, "%" PRIu64 " labels, expected %zu, as many as images",
                                  idx.dimensions[0], part->count);
    else
        result = read_labels(data, part->labels, &idx, failure);
    data_file_close(&idx.file);
    return result;
}

int idx_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
             struct failure *failure)
{
    (void)split; /* dataset_open has refused any but the data set's own */
    if (open_images(data, &data->train, source, directory, "train", failure) != 0 ||
        open_labels(data, &data->train, source, directory, "train", failure) != 0 ||
        open_images(data, &data->test, source, directory, "t10k", failure) != 0)
        return -1;
    return open_labels(data, &data->test, source, directory, "t10k", failure);
}

/* idx.c - data sets in MNIST's IDX format: images and labels in a file each, gzip or plain.
 *
 * A file starts with a big-endian magic number, 0x0000 08 RR for bytes in RR dimensions, and RR big-endian dimensions.
 * Labels may also be integers of two or four bytes, 0B and 0C.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataset.h"
#include "find_file.h"

enum { MOST_RANK = 3, WORD = 4, CHUNK = 4096, BYTES = 0x08, SHORTS = 0x0b, WORDS = 0x0c };

struct idx {
    struct data_file file;
    size_t rank;
    size_t item_size;
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

/* 0: no type that is taken. */
static size_t item_size_of(uint32_t magic, size_t rank)
{
    if (magic % 256 != rank)
        return 0;
    if (magic / 256 == BYTES)
        return 1;
    if (rank == 1 && magic / 256 == SHORTS)
        return 2;
    return rank == 1 && magic / 256 == WORDS ? 4 : 0;
}

static int read_header(struct idx *idx, size_t rank, uint64_t largest_side, struct failure *failure)
{
    uint32_t value;

    if (read_big_endian(&idx->file, &value, 0, failure) != 0)
        return -1;
    idx->rank = rank;
    idx->item_size = item_size_of(value, rank);
    if (idx->item_size == 0)
        return data_file_refuse(&idx->file, 0, failure,
                                "magic number 0x%08" PRIx32 ", expected 0x%08" PRIx32 ", bytes in %zu dimension%s",
                                value, BYTES * 256 + (uint32_t)rank, rank, rank == 1 ? "" : "s");
    for (size_t i = 0; i < rank; i++) {
        uint64_t offset = WORD * (i + 1), most = i == 0 ? UINT32_MAX : largest_side;

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

/* What the header says that the file has. */
static uint64_t size_of(const struct idx *idx)
{
    uint64_t size = idx->item_size;

    for (size_t i = 0; i < idx->rank; i++)
        size *= idx->dimensions[i];
    return idx->first_byte + size;
}

/* Sides are looked at later, when it is known what data set it is. */
static int limit(uint64_t *most, const struct data_file *beginning, size_t rank, struct failure *failure)
{
    struct idx idx = {.file = *beginning};

    if (read_header(&idx, rank, UINT16_MAX, failure) != 0)
        return -1;
    *most = size_of(&idx);
    return 0;
}

static int limit_images(uint64_t *most, const struct data_file *beginning, struct failure *failure)
{
    return limit(most, beginning, 3, failure);
}

static int limit_labels(uint64_t *most, const struct data_file *beginning, struct failure *failure)
{
    return limit(most, beginning, 1, failure);
}

/* The file must hold what the header says, and no more. */
static int check_size(const struct idx *idx, struct failure *failure)
{
    const uint64_t expected = size_of(idx);

    if (idx->file.size < expected)
        return data_file_refuse(&idx->file, idx->file.size, failure, "the file ends, its header says %" PRIu64 " bytes",
                                expected);
    if (idx->file.size > expected)
        return data_file_refuse(&idx->file, expected, failure, "%" PRIu64 " bytes more than the header says",
                                idx->file.size - expected);
    return 0;
}

/* The names under which a file is known: unpacked, as it was released, and both with a dot, as many programs write it. */
enum { NAMES = 4, NAME = 64 };

static int find(char path[DATA_FILE_NAME], const char *directory, const char *prefix, size_t rank,
                const struct dataset_source *source, struct failure *failure)
{
    static const char *const endings[NAMES][2] = {{"-", ""}, {"-", ".gz"}, {".", ""}, {".", ".gz"}};
    const char *names[NAMES + 1] = {NULL};
    char texts[NAMES][NAME]; /* the one that needs no unpacking first */

    for (int i = 0; i < NAMES; i++) {
        snprintf(texts[i], NAME, "%s-%s%sidx%zu-ubyte%s", prefix, rank == 1 ? "labels" : "images", endings[i][0], rank,
                 endings[i][1]);
        names[i] = texts[i];
    }
    return find_file(path, directory, names, NULL, source->advice, failure);
}

static int open_idx(struct idx *idx, const char *directory, const char *prefix, size_t rank,
                    const struct dataset_source *source, struct failure *failure)
{
    char path[DATA_FILE_NAME];

    if (find(path, directory, prefix, rank, source, failure) != 0 ||
        data_file_open_gzip(&idx->file, path, rank == 1 ? limit_labels : limit_images, failure) != 0)
        return -1;
    if (read_header(idx, rank, source->largest_side, failure) == 0 && check_size(idx, failure) == 0)
        return 0;
    data_file_close(&idx->file);
    return -1;
}

static int64_t integer_at(const unsigned char *bytes, size_t size)
{
    int64_t value = bytes[0] < 128 || size == 1 ? bytes[0] : bytes[0] - 256;

    for (size_t i = 1; i < size; i++)
        value = value * 256 + bytes[i];
    return value;
}

static int read_labels(const struct dataset *data, int64_t *labels, const struct idx *idx, struct failure *failure)
{
    const size_t size = idx->item_size;
    unsigned char bytes[CHUNK * WORD];

    for (size_t first = 0; first < idx->dimensions[0]; first += CHUNK) {
        size_t left = idx->dimensions[0] - first, count = left < CHUNK ? left : CHUNK;
        uint64_t offset = idx->first_byte + first * size;

        if (data_file_read(&idx->file, bytes, count * size, offset, failure) != 0)
            return -1;
        for (size_t i = 0; i < count; i++) {
            int64_t label = integer_at(bytes + i * size, size);

            if (dataset_check_label(data, &idx->file, offset + i * size, first + i, label, 0, failure) != 0)
                return -1;
            labels[first + i] = label;
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

#include "data_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

enum { PATH = 512, PIXELS = 3072, SAMPLES = 2, IDX_SIDE = 4 };

static void needs(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "a data file cannot be written: %s\n", what);
    exit(2);
}

static const char *path_of(char path[PATH], const char *directory, const char *name)
{
    snprintf(path, PATH, "%s/%s", directory, name);
    return path;
}

/* Where `count` more bytes go. */
static unsigned char *more(data_bytes *b, size_t count)
{
    b->bytes = realloc(b->bytes, b->count + count + 1);
    needs(b->bytes != NULL, "no memory");
    b->count += count;
    return b->bytes + b->count - count;
}

void data_append(data_bytes *b, const void *bytes, size_t count)
{
    unsigned char *to = more(b, count);

    if (count > 0)
        memcpy(to, bytes, count);
}

void data_fill(data_bytes *b, unsigned char byte, size_t count)
{
    memset(more(b, count), byte, count);
}

void data_append_npy(data_bytes *b, const char *type, const char *shape, const void *elements, size_t count)
{
    char header[128];
    size_t length =
        (size_t)snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    size_t padded = (10 + length + 1 + 63) / 64 * 64 - 10;
    const unsigned char size[2] = {(unsigned char)(padded % 256), (unsigned char)(padded / 256)};

    data_append(b, "\x93NUMPY\x01\x00", 8);
    data_append(b, size, 2);
    data_append(b, header, length);
    data_fill(b, ' ', padded - length - 1);
    data_append(b, "\n", 1);
    data_append(b, elements, count);
}

void data_write(const char *directory, const char *name, const void *bytes, size_t count)
{
    char path[PATH];
    FILE *file = fopen(path_of(path, directory, name), "wb");

    needs(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0, path);
}

void data_write_gzip(const char *directory, const char *name, const void *bytes, size_t count)
{
    char path[PATH];
    gzFile file = gzopen(path_of(path, directory, name), "wb1");

    needs(file && (count == 0 || gzwrite(file, bytes, (unsigned)count) == (int)count) && gzclose(file) == Z_OK, path);
}

static void add_member(zip_t *archive, const char *name, const data_bytes *content)
{
    zip_source_t *source = zip_source_buffer(archive, content->bytes, content->count, 0);
    zip_int64_t index = zip_file_add(archive, name, source, 0);

    needs(index >= 0, name);
    zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_DEFLATE, 1);
}

void data_write_npz(const char *directory, const char *name, const data_bytes *pixels, const data_bytes *labels)
{
    char path[PATH];
    int error;
    zip_t *archive = zip_open(path_of(path, directory, name), ZIP_CREATE | ZIP_TRUNCATE, &error);

    needs(archive != NULL, path);
    add_member(archive, "data.npy", pixels);
    add_member(archive, "labels.npy", labels);
    needs(zip_close(archive) == 0, path);
}

static void write_idx(const char *directory, const char *images_name, const char *labels_name)
{
    data_bytes images = {NULL, 0}, labels = {NULL, 0};

    data_append(&images, (unsigned char[]){0, 0, 8, 3, 0, 0, 0, SAMPLES, 0, 0, 0, IDX_SIDE, 0, 0, 0, IDX_SIDE}, 16);
    data_fill(&images, 7, SAMPLES * IDX_SIDE * IDX_SIDE);
    data_append(&labels, (unsigned char[]){0, 0, 8, 1, 0, 0, 0, SAMPLES, 1, 2}, 10);
    data_write_gzip(directory, images_name, images.bytes, images.count);
    data_write(directory, labels_name, labels.bytes, labels.count);
    free(images.bytes);
    free(labels.bytes);
}

static void write_cifar(const char *directory)
{
    data_bytes records = {NULL, 0};

    for (int i = 0; i < SAMPLES; i++) {
        data_fill(&records, (unsigned char)i, 1);
        data_fill(&records, 100, PIXELS);
    }
    for (int i = 1; i <= 5; i++) {
        char name[48];

        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        data_write(directory, name, records.bytes, records.count);
    }
    data_write(directory, "test_batch.bin", records.bytes, records.count);
    free(records.bytes);
}

static void write_imagenet(const char *directory)
{
    static const unsigned char zeros[SAMPLES * PIXELS], ones[8 * SAMPLES] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
    data_bytes pixels = {NULL, 0}, labels = {NULL, 0};

    data_append_npy(&pixels, "|u1", "(2, 3072)", zeros, sizeof zeros);
    data_append_npy(&labels, "<i8", "(2,)", ones, sizeof ones);
    for (int i = 1; i <= 10; i++) {
        char name[48];

        snprintf(name, sizeof name, "train_data_batch_%d.npz", i);
        data_write_npz(directory, name, &pixels, &labels);
    }
    data_write_npz(directory, "val_data.npz", &pixels, &labels);
    free(pixels.bytes);
    free(labels.bytes);
}

void data_write_set(const char *directory, const char *name)
{
    if (strcmp(name, "mnist") == 0) {
        write_idx(directory, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte");
        write_idx(directory, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte");
    } else if (strcmp(name, "cifar10") == 0)
        write_cifar(directory);
    else
        write_imagenet(directory);
}

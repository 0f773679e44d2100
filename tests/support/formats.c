/* formats.c - the data sets that files.h speaks of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum { FIRST_TEST = 100, IDX_SIDES = 3 * 4, CIFAR_PIXELS = 3072 };

unsigned char pixel_of(size_t number, size_t pixel, int brightest)
{
    return (unsigned char)((31 * number + 7 * pixel + pixel / 5) % (size_t)(brightest + 1));
}

int label_of(size_t number, int classes)
{
    return (int)(13 * number % (size_t)classes);
}

/* ------------------------------------------------------------------------------------------------------- writing */

static void write_idx_part(const char *prefix, size_t first, unsigned char count, int packed)
{
    const unsigned char images_header[16] = {0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 3, 0, 0, 0, 4};
    const unsigned char labels_header[8] = {0, 0, 8, 1, 0, 0, 0, count};
    void (*write)(const char *, const void *, size_t) = packed ? file_write_gzip : file_write;
    unsigned char images[16 + 10 * IDX_SIDES], labels[8 + 10];
    char name[64];

    memcpy(images, images_header, 16);
    memcpy(labels, labels_header, 8);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < IDX_SIDES; p++)
            images[16 + i * IDX_SIDES + p] = pixel_of(first + i, p, 255);
        labels[8 + i] = (unsigned char)label_of(first + i, 10);
    }
    snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", prefix, packed ? ".gz" : "");
    write(name, images, 16 + (size_t)count * IDX_SIDES);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", prefix, packed ? ".gz" : "");
    write(name, labels, 8 + (size_t)count);
}

static void write_idx(void)
{
    write_idx_part("train", 0, 5, 0);
    write_idx_part("t10k", FIRST_TEST, 3, 0);
}

static void write_idx_gzip(void)
{
    write_idx_part("train", 0, 5, 1);
    write_idx_part("t10k", FIRST_TEST, 3, 1);
}

static void write_digits(void)
{
    char text[20 * 256];
    size_t used = 0;

    for (size_t i = 0; i < 20; i++) {
        for (size_t p = 0; p < 64; p++)
            used += (size_t)sprintf(text + used, "%d,", pixel_of(i, p, 16));
        used += (size_t)sprintf(text + used, "%d\n", label_of(i, 10));
    }
    file_write_gzip("digits.csv.gz", text, used);
}

static void write_cifar_file(const char *name, size_t first, size_t count, size_t label_bytes, int classes)
{
    unsigned char records[4 * (2 + CIFAR_PIXELS)], *at = records;

    for (size_t i = first; i < first + count; i++) {
        *at++ = 19; /* a coarse label, unless it is overwritten */
        at -= label_bytes == 1;
        *at++ = (unsigned char)label_of(i, classes);
        for (size_t p = 0; p < CIFAR_PIXELS; p++)
            *at++ = pixel_of(i, p, 255);
    }
    file_write(name, records, (size_t)(at - records));
}

static void write_cifar10(void)
{
    char name[32];

    for (size_t i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "data_batch_%zu.bin", i);
        write_cifar_file(name, 2 * (i - 1), 2, 1, 10);
    }
    write_cifar_file("test_batch.bin", FIRST_TEST, 3, 1, 10);
}

static void write_cifar100(void)
{
    write_cifar_file("train.bin", 0, 4, 2, 100);
    write_cifar_file("test.bin", FIRST_TEST, 3, 2, 100);
}

static void write_npz(const char *name, size_t first, int stored)
{
    unsigned char pixels[2 * CIFAR_PIXELS], labels[2 * 8] = {0};
    struct member members[3] = {{"data.npy", {NULL, 0}}, {"labels.npy", {NULL, 0}}, {"mean.npy", {NULL, 0}}};

    for (size_t i = 0; i < 2; i++) {
        int label = label_of(first + i, 1000) + 1;

        for (size_t p = 0; p < CIFAR_PIXELS; p++)
            pixels[i * CIFAR_PIXELS + p] = pixel_of(first + i, p, 255);
        labels[8 * i] = (unsigned char)(label % 256);
        labels[8 * i + 1] = (unsigned char)(label / 256);
    }
    members[0].content = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3072), }", pixels, sizeof pixels);
    members[1].content = npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", labels, sizeof labels);
    members[2].content = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3072,), }", pixels, CIFAR_PIXELS);
    file_write_zip(name, members, stored);
    for (int i = 0; i < 3; i++)
        free(members[i].content.data);
}

static void write_imagenet(int stored)
{
    char name[32];

    for (size_t i = 1; i <= 10; i++) {
        snprintf(name, sizeof name, "train_data_batch_%zu.npz", i);
        write_npz(name, 2 * (i - 1), stored);
    }
    write_npz("val_data.npz", FIRST_TEST, stored);
}

static void write_deflated(void)
{
    write_imagenet(0);
}

static void write_stored(void)
{
    write_imagenet(1);
}

/* ------------------------------------------------------------------------------------------------------- reading */

static const char *const idx_files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                        "t10k-labels-idx1-ubyte", NULL};
static const char *const gzip_files[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", NULL};
static const char *const digits_files[] = {"digits.csv.gz", NULL};
static const char *const cifar10_files[] = {"data_batch_1.bin", "data_batch_5.bin", "test_batch.bin", NULL};
static const char *const cifar100_files[] = {"train.bin", "test.bin", NULL};
static const char *const npz_files[] = {"train_data_batch_1.npz", "val_data.npz", NULL};

const struct format formats[FORMATS] = {
    {"idx", "mnist", idx_files, write_idx, 5, 3, 8, 0},
    {"idx, gzip", "mnist", gzip_files, write_idx_gzip, 5, 3, SIZE_MAX, 0},
    {"digits", "digits", digits_files, write_digits, 16, 4, SIZE_MAX, 0},
    {"npz", "imagenet32", npz_files, write_deflated, 20, 2, SIZE_MAX, 0},
    {"npz, stored", "imagenet32", npz_files, write_stored, 20, 2, SIZE_MAX, 0},
    {"CIFAR-10", "cifar10", cifar10_files, write_cifar10, 10, 3, 0, 3073},
    {"CIFAR-100", "cifar100", cifar100_files, write_cifar100, 4, 3, 0, 3074},
};

int open_format(const struct format *format)
{
    const struct dataset_source *source = dataset_find(format->dataset, &failure);

    ck_assert_ptr_nonnull(source);
    failure.text[0] = '\0';
    return dataset_open(&data, source, directory, DATASET_SPLIT_DEFAULT, &failure);
}

static size_t number_of(const struct format *format, int test, size_t at)
{
    if (strcmp(format->dataset, "digits") != 0)
        return test ? FIRST_TEST + at : at;
    return test ? 5 * at : at + at / 4 + 1;
}

static int holds(const struct format *format, const struct dataset_part *part, int test)
{
    const int brightest = strcmp(format->dataset, "digits") == 0 ? 16 : 255;
    unsigned char pixels[DATASET_MOST_PIXELS];

    if (part->count != (test ? format->test : format->train))
        return 0;
    for (size_t i = 0; i < part->count; i++) {
        size_t number = number_of(format, test, i);

        ck_assert_int_eq(dataset_read(&data, part, i, pixels, &failure), 0);
        if (part->labels[i] != label_of(number, (int)data.classes))
            return 0;
        for (size_t p = 0; p < data.sample_size; p++) {
            if (pixels[p] != pixel_of(number, p, brightest))
                return 0;
        }
    }
    return 1;
}

int holds_samples(const struct format *format)
{
    return holds(format, &data.train, 0) && holds(format, &data.test, 1);
}

/* Files of data sets. The first byte of an input says of which reader, and how it is packed; the rest is the content of
 * its files. A reader opens them, or says why not; what it opens, it can read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack/support/data_files.h"
#include "attack/support/directory.h"
#include "support/dataset.h"
#include "support/npy.h"
#include "target.h"

enum { PATH = 512, PIXELS = 3072, SAMPLES = 5 };

const size_t fuzz_mutants = 2500;

static char directory[PATH];

static void leave(void)
{
    directory_remove(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    snprintf(directory, sizeof directory, "%s", directory_make());
    atexit(leave);
    return 0;
}

/* What is left of the input, and what a reader is told. */
typedef struct input {
    const uint8_t *bytes;
    size_t size;
    unsigned choice; /* the bits of the first byte that name no reader */
} input;

/* Cut off a piece whose length stands before it, in two bytes. */
static input piece(input *in)
{
    input p = {.choice = in->choice};
    size_t length = in->size < 2 ? 0 : in->bytes[0] + 256u * in->bytes[1];

    if (in->size >= 2) {
        in->bytes += 2;
        in->size -= 2;
    }
    p.bytes = in->bytes;
    p.size = length < in->size ? length : in->size;
    in->bytes += p.size;
    in->size -= p.size;
    return p;
}

/* Samples of a data set that has been opened. */
static void read_samples(const struct dataset *data, const struct dataset_part *part)
{
    unsigned char pixels[DATASET_MOST_PIXELS];
    struct failure failure = {{0}};

    for (size_t i = 0; i < part->count; i += 1 + part->count / SAMPLES) {
        must(part->labels[i] >= 0 && part->labels[i] < data->classes, "label %lld", (long long)part->labels[i]);
        must(dataset_read(data, part, i, pixels, &failure) == 0, "sample %zu: %s", i, failure.text);
    }
}

static void open_set(const char *name, int32_t split)
{
    struct failure failure = {{0}};
    const struct dataset_source *source = dataset_find(name, &failure);
    struct dataset data;

    if (dataset_open(&data, source, directory, split, &failure) == 0) {
        read_samples(&data, &data.train);
        read_samples(&data, &data.test);
        dataset_limit(&data.train, 1);
    } else
        must(failure.text[0] != '\0', "%s: refused without a sentence", name);
    dataset_free(&data);
}

/* Under its name, or packed with ".gz" behind it; what an input before this one has left goes. */
static void write_either(const char *name, const input *in, unsigned packed)
{
    char with_ending[64], path[PATH + 64];

    snprintf(with_ending, sizeof with_ending, "%s.gz", name);
    snprintf(path, sizeof path, "%s/%s", directory, packed ? name : with_ending);
    remove(path);
    if (packed)
        data_write_gzip(directory, with_ending, in->bytes, in->size);
    else
        data_write(directory, name, in->bytes, in->size);
}

/* Raw bytes of a gzip stream, or a text that is packed here. */
static void digits(input in)
{
    if (in.choice & 1)
        data_write(directory, "digits.csv.gz", in.bytes, in.size);
    else
        data_write_gzip(directory, "digits.csv.gz", in.bytes, in.size);
    open_set("digits", (int32_t)(in.choice >> 1) % 3);
}

static void idx(input in)
{
    static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                        "t10k-labels-idx1-ubyte"};

    for (int i = 0; i < 4; i++) {
        input p = piece(&in);

        write_either(names[i], &p, p.choice >> i & 1);
    }
    open_set("mnist", 0);
    open_set("fashion-mnist", 0);
}

/* Records of a byte each: its label; and at the end bytes as they are. */
static void write_records(const char *name, input in, size_t label_bytes)
{
    data_bytes records = {NULL, 0};
    input labels = piece(&in);

    for (size_t i = 0; i < labels.size && i < SAMPLES; i++) {
        data_fill(&records, labels.bytes[i], label_bytes);
        data_fill(&records, (unsigned char)i, PIXELS);
    }
    data_append(&records, in.bytes, in.size);
    data_write(directory, name, records.bytes, records.count);
    free(records.bytes);
}

static void cifar10(input in)
{
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

    for (int i = 0; i < 6; i++)
        write_records(names[i], piece(&in), 1);
    open_set("cifar10", 0);
}

static void cifar100(input in)
{
    write_records("train.bin", piece(&in), 2);
    write_records("test.bin", piece(&in), 2);
    open_set("cifar100", 0);
}

/* An archive as it is, or one made of a header for the pixels and of all of the labels. */
static void imagenet(input in)
{
    data_bytes pixels = {NULL, 0}, labels = {NULL, 0};
    input header = piece(&in), second = piece(&in);
    char name[48];

    data_append(&pixels, header.bytes, header.size);
    data_fill(&pixels, 7, (in.choice >> 1) % 4 * (size_t)PIXELS);
    data_append(&labels, second.bytes, second.size);
    for (int i = 1; i <= 11; i++) {
        snprintf(name, sizeof name, i <= 10 ? "train_data_batch_%d.npz" : "val_data.npz", i);
        if (in.choice & 1)
            data_write(directory, name, in.bytes, in.size);
        else
            data_write_npz(directory, name, &pixels, &labels);
    }
    open_set("imagenet32", 0);
    free(pixels.bytes);
    free(labels.bytes);
}

static void read_array(const struct data_file *file)
{
    struct failure failure = {{0}};
    struct npy array;
    char words[NPY_WORDS];
    unsigned char item[8];
    uint64_t count = 1;

    if (npy_open(&array, file, &failure) != 0) {
        must(failure.text[0] != '\0', "an array refused without a sentence");
        return;
    }
    npy_describe(&array, words);
    for (size_t i = 0; i < array.rank; i++)
        count *= array.shape[i];
    if (count == 0)
        return;
    must(data_file_read(file, item, array.item_size, array.first_byte + (count - 1) * array.item_size, &failure) == 0,
         "the last element: %s", failure.text);
    npy_integer(&array, item);
}

static void npy(input in)
{
    struct failure failure = {{0}};
    struct data_file file;
    char path[PATH + 16];

    data_write(directory, "a.npy", in.bytes, in.size);
    snprintf(path, sizeof path, "%s/a.npy", directory);
    if (data_file_open(&file, path, &failure) != 0)
        return;
    read_array(&file);
    data_file_close(&file);
}

static void (*const readers[])(input) = {digits, idx, cifar10, cifar100, imagenet, npy};
enum { READERS = sizeof readers / sizeof *readers };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        readers[data[0] % 8 % READERS]((input){data + 1, size - 1, data[0] / 8u});
    return 0;
}

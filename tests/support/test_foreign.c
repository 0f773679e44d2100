/* Files as other programs name and write them, files that are elsewhere, and packed ones that grow beyond what they say. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "suites.h"

static void opens(int format)
{
    ck_assert_msg(open_format(&formats[format]) == 0, "%s", failure.text);
    ck_assert(holds_samples(&formats[format]));
    dataset_free(&data);
}

static void refuses(int format, const char *says)
{
    ck_assert_int_ne(open_format(&formats[format]), 0);
    ck_assert_msg(strstr(failure.text, says) != NULL, "%s\nexpected: %s", failure.text, says);
}

static void move(const char *from, const char *to)
{
    char old[DATA_FILE_NAME], new[DATA_FILE_NAME];

    file_path(old, from);
    file_path(new, to);
    ck_assert_int_eq(rename(old, new), 0);
}

static void make_folder(const char *name)
{
    char path[DATA_FILE_NAME];

    file_path(path, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void remove_folder(const char *name)
{
    char path[DATA_FILE_NAME];

    file_path(path, name);
    ck_assert_int_eq(rmdir(path), 0);
}

/* ------------------------------------------------------------------------------------------------------------- idx */

static const char *const prefixes[] = {"train-images", "train-labels", "t10k-images", "t10k-labels"};

static void idx_name(char name[64], int file, const char *separator, const char *ending)
{
    snprintf(name, 64, "%s%sidx%d-ubyte%s", prefixes[file], separator, file % 2 == 0 ? 3 : 1, ending);
}

/* With a dot, with .gz or not, whatever is in them, and beside folders that have the other name. */
START_TEST(names_of_idx_files)
{
    const char *separator = _i & 1 ? "." : "-", *ending = _i & 2 ? ".gz" : "";
    int packed = _i & 4;
    char written[64], wanted[64];

    formats[packed ? IDX_GZIP : IDX].write();
    for (int file = 0; file < 4; file++) {
        idx_name(written, file, "-", packed ? ".gz" : "");
        idx_name(wanted, file, separator, ending);
        move(written, wanted);
        if (_i & 1) {
            idx_name(written, file, "-", "");
            make_folder(written);
        }
    }
    opens(IDX);
    for (int file = 0; file < 4 && (_i & 1); file++) {
        idx_name(written, file, "-", "");
        remove_folder(written);
    }
}
END_TEST

/* Integers of two and of four bytes; as negative as they are. */
START_TEST(labels_of_several_bytes)
{
    static const unsigned char shorts[] = "\0\0\x0b\1\0\0\0\5\0\0\0\3\0\6\0\x09\0\2";
    static const unsigned char words[] = "\0\0\x0c\1\0\0\0\5\0\0\0\0\0\0\0\3\0\0\0\6\0\0\0\x09\0\0\0\2";
    static const unsigned char negative[] = "\0\0\x0c\1\0\0\0\5\xff\xff\xff\xfe\0\0\0\3\0\0\0\6\0\0\0\x09\0\0\0\2";

    formats[IDX].write();
    file_write("train-labels-idx1-ubyte", shorts, sizeof shorts - 1);
    opens(IDX);
    file_write("train-labels-idx1-ubyte", words, sizeof words - 1);
    opens(IDX);
    file_write("train-labels-idx1-ubyte", words, sizeof words - 2);
    refuses(IDX, "train-labels-idx1-ubyte: byte 27: the file ends, its header says 28 bytes");
    file_write("train-labels-idx1-ubyte", negative, sizeof negative - 1);
    refuses(IDX, "train-labels-idx1-ubyte: byte 8: label -2 of sample 0, expected 0 to 9");
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ gzip */

/* Zeros behind a stream fill up a block, and another stream may follow them; nothing else may. */
START_TEST(padded_gzip)
{
    static const size_t paddings[] = {1, 511, 70000};
    const size_t padding = paddings[_i];
    struct bytes first, second;
    unsigned char *all;

    formats[IDX_GZIP].write();
    file_write_gzip("train-labels-idx1-ubyte.gz", "\0\0\x08\x01\0\0\0\x05", 8);
    first = file_read("train-labels-idx1-ubyte.gz");
    file_write_gzip("train-labels-idx1-ubyte.gz", "\0\3\6\x09\2", 5);
    second = file_read("train-labels-idx1-ubyte.gz");
    all = calloc(1, first.size + second.size + 2 * padding);
    memcpy(all, first.data, first.size);
    memcpy(all + first.size + padding, second.data, second.size);
    file_write("train-labels-idx1-ubyte.gz", all, first.size + second.size + 2 * padding);
    opens(IDX_GZIP);
    all[first.size + second.size + 2 * padding - 1] = 1;
    file_write("train-labels-idx1-ubyte.gz", all, first.size + second.size + 2 * padding);
    refuses(IDX_GZIP, ": the file ends inside a gzip stream");
    free(first.data);
    free(second.data);
    free(all);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- numpy */

/* All say the label 5; the text ends where it ends. */
static const struct {
    const char *text;
    const char *bytes;
    size_t size;
} headers[] = {
    {"{'descr': '<i8', 'fortran_order': False, 'shape': (1L,), }\n", "\5\0\0\0\0\0\0\0", 8},
    {"{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }\n", "\0\0\0\0\0\0\0\5", 8},
    {"{'descr': '>u2', 'fortran_order': False, 'shape': (1,)}", "\0\5", 2},
    {"{'descr': '>i4', 'fortran_order': False, 'shape': (1,)}   \n\n", "\0\0\0\5", 4},
    {"{'shape': (1,), 'fortran_order': False, 'descr': '|u1'}\n", "\5", 1},
    {"{'descr': '<i2', 'fortran_order': True, 'shape': (1,), }\n", "\5\0", 2},
    {"{ 'shape' :(1 , ) , 'descr' :'<u4' , 'fortran_order' : False }", "\5\0\0\0", 4},
};

static struct bytes array_of(const char *text, const void *elements, size_t size)
{
    const size_t length = strlen(text);
    struct bytes bytes = {malloc(10 + length + size), 10 + length + size};

    memcpy(bytes.data, "\x93NUMPY\1\0", 8);
    bytes.data[8] = (unsigned char)length;
    bytes.data[9] = 0;
    memcpy(bytes.data + 10, text, length);
    memcpy(bytes.data + 10 + length, elements, size);
    return bytes;
}

START_TEST(header_of_numpy)
{
    static unsigned char pixels[3072];
    struct member members[3] = {
        {"data.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3072), }", pixels, sizeof pixels)},
        {"labels.npy", array_of(headers[_i].text, headers[_i].bytes, headers[_i].size)},
        {NULL, {NULL, 0}}};

    formats[NPZ].write();
    file_write_zip("val_data.npz", members, 0);
    ck_assert_msg(open_format(&formats[NPZ]) == 0, "%s", failure.text);
    ck_assert_int_eq(data.test.labels[0], 4);
    free(members[0].content.data);
    free(members[1].content.data);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- elsewhere */

/* The folder that has the files is told, whether it is in the one that was given, two levels down, or above it. */
START_TEST(another_folder)
{
    static const char *const folders[] = {"raw", "MNIST/raw", ".."};
    char inner[64], says[512], kept[64];

    formats[IDX].write();
    strcpy(kept, directory);
    if (_i == 2) {
        make_folder("raw");
        snprintf(inner, sizeof inner, "%.40s/raw", directory);
        strcpy(directory, inner);
        snprintf(says, sizeof says,
                 "%s/train-images-idx3-ubyte: No such file or directory, but "
                 "%s/../train-images-idx3-ubyte is there: --data %s/..",
                 inner, inner, inner);
        refuses(IDX, says);
        strcpy(directory, kept);
        remove_folder("raw");
        return;
    }
    if (_i == 1)
        make_folder("MNIST");
    make_folder(folders[_i]);
    for (int file = 0; file < 4; file++) {
        char name[64], moved[96];

        idx_name(name, file, "-", "");
        snprintf(moved, sizeof moved, "%s/%s", folders[_i], name);
        move(name, moved);
    }
    snprintf(says, sizeof says, "is there: --data %s/%s", directory, folders[_i]);
    refuses(IDX, says);
    snprintf(inner, sizeof inner, "%.40s/%s", directory, folders[_i]);
    strcpy(directory, inner);
    opens(IDX);
    formats[IDX].write();
    for (int file = 0; file < 4; file++) {
        char name[64], path[DATA_FILE_NAME];

        idx_name(name, file, "-", "");
        file_path(path, name);
        ck_assert_int_eq(unlink(path), 0);
    }
    strcpy(directory, kept);
    remove_folder(folders[_i]);
    if (_i == 1)
        remove_folder("MNIST");
}
END_TEST

static const struct {
    const char *dataset;
    const char *there; /* NULL: nothing */
    const char *says;
} instead[] = {
    {"cifar10", "data_batch_1",
     "data_batch_1.bin: No such file or directory; %s/data_batch_1 is of the version for Python"},
    {"cifar10", "cifar-10-binary.tar.gz", "%s/cifar-10-binary.tar.gz is still packed: tar xzf unpacks it"},
    {"cifar10", "data_batch_1.mat", "%s/data_batch_1.mat is of the version for Matlab, expected the binary one"},
    {"cifar100", "train", "%s/train is of the version for Python, expected the binary one: cifar-100-binary.tar.gz"},
    {"imagenet32", "train_data_batch_1", "%s/train_data_batch_1 is of the pickled release, expected that of NumPy"},
    {"fashion-mnist", NULL,
     "%s/train-images-idx3-ubyte: No such file or directory; the Debian package "
     "dataset-fashion-mnist has it"},
    {"digits", NULL, "%s/digits.csv.gz: No such file or directory; it lies in the source tree, in examples/data"},
    {"mnist", NULL, "%s/train-images-idx3-ubyte: No such file or directory"},
};

START_TEST(something_else)
{
    char says[256];

    if (instead[_i].there != NULL)
        file_write(instead[_i].there, "x", 1);
    snprintf(says, sizeof says, instead[_i].says, directory);
    ck_assert_int_ne(
        dataset_open(&data, dataset_find(instead[_i].dataset, &failure), directory, DATASET_SPLIT_DEFAULT, &failure),
        0);
    ck_assert_msg(strstr(failure.text, says) != NULL, "%s", failure.text);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- limits */

/* Files of this process may not grow beyond 300 kB, so that what is not stopped before has another error. */
static void refuses_in_small(int format, const char *says)
{
    struct rlimit before, limit;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){300000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    refuses(format, says);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
}

enum { LARGE = 1 << 24 };

static unsigned char *large(const void *start, size_t size)
{
    unsigned char *bytes = calloc(LARGE, 1);

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, start, size);
    return bytes;
}

static const struct {
    const char *name;
    const char *header;
    const char *says;
} bombs[] = {
    {"train-labels-idx1-ubyte.gz", "\0\0\x08\1\0\1\0\0", "unpacked: byte 65544: goes on where it should end"},
    {"train-labels-idx1-ubyte.gz", "\0\0\x08\2\0\1\0\0", "magic number 0x00000802, expected 0x00000801"},
    {"train-images-idx3-ubyte.gz", "\0\0\x08\3\0\0\0\1\0\0\0\4\0\0\0\4", "byte 32: goes on where it should end"},
    {"train-images-idx3-ubyte.gz", "\0\0\x08\3\xff\xff\xff\xff\0\0\xff\xff\0\0\xff\xff",
     "byte 0: its header says 18446181123756261391 bytes, expected at most 17179869184"},
};

START_TEST(gzip_that_goes_on)
{
    unsigned char *bytes = large(bombs[_i].header, strstr(bombs[_i].name, "images") != NULL ? 16 : 8);

    formats[IDX_GZIP].write();
    file_write_gzip(bombs[_i].name, bytes, LARGE);
    refuses_in_small(IDX_GZIP, bombs[_i].says);
    free(bytes);
}
END_TEST

/* Unpacked or not, with lines that end as Windows ends them or not, the last one with an end or not. */
START_TEST(forms_of_digits)
{
    const int plain = _i % 2, returns = _i / 2 % 2, cut = _i / 4;
    char text[20 * 256];
    size_t used = 0;

    for (size_t i = 0; i < 20; i++) {
        for (size_t p = 0; p < 64; p++)
            used += (size_t)sprintf(text + used, "%d,", pixel_of(i, p, 16));
        used += (size_t)sprintf(text + used, "%d%s", label_of(i, 10), cut && i == 19 ? "" : returns ? "\r\n" : "\n");
    }
    if (plain)
        file_write("digits.csv", text, used);
    else
        file_write_gzip("digits.csv.gz", text, used);
    opens(DIGITS);
}
END_TEST

START_TEST(digits_that_go_on)
{
    unsigned char *bytes = large("1,", 2);

    memset(bytes, '1', LARGE);
    file_write_gzip("digits.csv.gz", bytes, LARGE);
    refuses_in_small(DIGITS, "File too large"); /* as large as they may be */
    bytes = realloc(bytes, LARGE + 1);
    bytes[LARGE] = '1';
    file_write_gzip("digits.csv.gz", bytes, LARGE + 1);
    refuses(DIGITS, "unpacked: byte 16777216: goes on");
    free(bytes);
}
END_TEST

START_TEST(member_that_goes_on)
{
    static const char *const shapes[] = {"(2, 3072)", "(4611686018427387904, 3072)"};
    static const char *const says[] = {"member data.npy: byte 6272: goes on where it should end",
                                       "member data.npy: byte 0: its header says"};
    struct member members[3] = {{"data.npy", {NULL, 0}}, {"labels.npy", {NULL, 0}}, {NULL, {NULL, 0}}};
    unsigned char *zeros = large("", 0);
    char text[96];

    snprintf(text, sizeof text, "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }", shapes[_i / 2]);
    members[0].content = npy(text, zeros, LARGE);
    members[1].content = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "\1\1", 2);
    formats[NPZ].write();
    file_write_zip("val_data.npz", members, _i % 2);
    refuses_in_small(NPZ, says[_i / 2]);
    free(members[0].content.data);
    free(members[1].content.data);
    free(zeros);
}
END_TEST

Suite *test_foreign_suite(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tests = tcase_create("foreign");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, files_begin, files_end);
    tcase_add_loop_test(tests, names_of_idx_files, 0, 8);
    tcase_add_test(tests, labels_of_several_bytes);
    tcase_add_loop_test(tests, padded_gzip, 0, 3);
    tcase_add_loop_test(tests, header_of_numpy, 0, (int)(sizeof headers / sizeof headers[0]));
    tcase_add_loop_test(tests, another_folder, 0, 3);
    tcase_add_loop_test(tests, something_else, 0, (int)(sizeof instead / sizeof instead[0]));
    tcase_add_loop_test(tests, gzip_that_goes_on, 0, (int)(sizeof bombs / sizeof bombs[0]));
    tcase_add_loop_test(tests, forms_of_digits, 0, 8);
    tcase_add_test(tests, digits_that_go_on);
    tcase_add_loop_test(tests, member_that_goes_on, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

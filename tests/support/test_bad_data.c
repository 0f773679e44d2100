/* Files that are whole and yet wrong: what is said of each, word for word. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "files.h"
#include "suites.h"

static void assert_text(const char *name, const char *text)
{
    char expected[DATA_FILE_NAME + sizeof failure.text];

    snprintf(expected, sizeof expected, "%s/%s%s", directory, name, text);
    ck_assert_str_eq(failure.text, expected);
}

static void refuses(int format, const char *name, const char *text)
{
    ck_assert_msg(open_format(&formats[format]) != 0, "expected: %s%s", name, text);
    assert_text(name, text);
}

/* --------------------------------------------------------------------------------------- a byte that is wrong */

static const struct {
    int format;
    const char *name;
    size_t at;
    unsigned char value;
    const char *text; /* after the file's name */
} wrong_bytes[] = {
    {IDX, "train-images-idx3-ubyte", 3, 1,
     ": byte 0: magic number 0x00000801, expected 0x00000803, bytes in 3 dimensions"},
    {IDX, "train-labels-idx1-ubyte", 2, 9,
     ": byte 0: magic number 0x00000901, expected 0x00000801, bytes in 1 dimension"},
    {IDX, "train-images-idx3-ubyte", 7, 0, ": byte 4: dimension 0 is 0, expected 1 to 4294967295"},
    {IDX, "train-images-idx3-ubyte", 7, 6, ": byte 76: the file ends, its header says 88 bytes"},
    {IDX, "train-images-idx3-ubyte", 7, 4, ": byte 64: 12 bytes more than the header says"},
    {IDX, "train-images-idx3-ubyte", 4, 255, ": byte 76: the file ends, its header says 51338281036 bytes"},
    {IDX, "train-images-idx3-ubyte", 11, 29, ": byte 8: dimension 1 is 29, expected 1 to 28"},
    {IDX, "t10k-images-idx3-ubyte", 12, 128, ": byte 12: dimension 2 is 2147483652, expected 1 to 28"},
    {IDX, "t10k-labels-idx1-ubyte", 10, 10, ": byte 10: label 10 of sample 2, expected 0 to 9"},
    {CIFAR10, "data_batch_1.bin", 3073, 10, ": byte 3073: label 10 of sample 1, expected 0 to 9"},
    {CIFAR10, "test_batch.bin", 2 * 3073, 255, ": byte 6146: label 255 of sample 2, expected 0 to 9"},
    {CIFAR100, "train.bin", 1, 100, ": byte 1: label 100 of sample 0, expected 0 to 99"},
    {NPZ_STORED, "train_data_batch_1.npz", 1000, 255, ": member data.npy: byte 6272: CRC error"},
};

START_TEST(wrong_byte)
{
    const char *name = wrong_bytes[_i].name;
    struct bytes bytes;

    formats[wrong_bytes[_i].format].write();
    bytes = file_read(name);
    ck_assert_uint_lt(wrong_bytes[_i].at, bytes.size);
    bytes.data[wrong_bytes[_i].at] = wrong_bytes[_i].value;
    file_write(name, bytes.data, bytes.size);
    free(bytes.data);
    refuses(wrong_bytes[_i].format, name, wrong_bytes[_i].text);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ idx and gzip */

START_TEST(fewer_labels_than_images)
{
    formats[IDX].write();
    file_write("train-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\x04\1\2\3\4", 12);
    refuses(IDX, "train-labels-idx1-ubyte", ": byte 4: 4 labels, expected 5, as many as images");
}
END_TEST

START_TEST(test_images_of_another_size)
{
    formats[IDX].write();
    file_write("t10k-images-idx3-ubyte", "\0\0\x08\x03\0\0\0\1\0\0\0\2\0\0\0\2abcd", 20);
    refuses(IDX, "t10k-images-idx3-ubyte", ": byte 8: images of 2x2, expected 3x4 as in the training samples");
}
END_TEST

START_TEST(wrong_label_in_a_gzip_file)
{
    formats[IDX_GZIP].write();
    file_write_gzip("train-labels-idx1-ubyte.gz", "\0\0\x08\x01\0\0\0\x05\1\2\3\4\x0b", 13);
    refuses(IDX_GZIP, "train-labels-idx1-ubyte.gz", ", unpacked: byte 12: label 11 of sample 4, expected 0 to 9");
}
END_TEST

/* Two gzip streams one after the other are one file, as for gzip itself. */
START_TEST(gzip_streams_in_a_row)
{
    struct bytes first, second, both;

    formats[IDX_GZIP].write();
    file_write_gzip("train-labels-idx1-ubyte.gz", "\0\0\x08\x01\0\0\0\x05", 8);
    first = file_read("train-labels-idx1-ubyte.gz");
    file_write_gzip("train-labels-idx1-ubyte.gz", "\0\3\6\x09\2", 5); /* label_of(0 .. 4, 10) */
    second = file_read("train-labels-idx1-ubyte.gz");
    both = (struct bytes){malloc(first.size + second.size), first.size + second.size};
    memcpy(both.data, first.data, first.size);
    memcpy(both.data + first.size, second.data, second.size);
    file_write("train-labels-idx1-ubyte.gz", both.data, both.size);
    ck_assert_msg(open_format(&formats[IDX_GZIP]) == 0, "%s", failure.text);
    ck_assert(holds_samples(&formats[IDX_GZIP]));
    free(first.data);
    free(second.data);
    free(both.data);
}
END_TEST

START_TEST(wrong_checksum)
{
    struct bytes bytes;
    char text[96];

    formats[IDX_GZIP].write();
    bytes = file_read("train-images-idx3-ubyte.gz");
    bytes.data[bytes.size - 8] ^= 1;
    file_write("train-images-idx3-ubyte.gz", bytes.data, bytes.size);
    ck_assert_int_ne(open_format(&formats[IDX_GZIP]), 0);
    snprintf(text, sizeof text, ": byte %zu: gzip: incorrect data check", bytes.size - 4);
    assert_text("train-images-idx3-ubyte.gz", text);
    free(bytes.data);
}
END_TEST

/* A directory that cannot be written to is passed over. */
START_TEST(temporary_directory_that_is_none)
{
    formats[IDX_GZIP].write();
    ck_assert_int_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    ck_assert_msg(open_format(&formats[IDX_GZIP]) == 0, "%s", failure.text);
    ck_assert(holds_samples(&formats[IDX_GZIP]));
    unsetenv("TMPDIR");
}
END_TEST

/* As on a full disk: files of this process may be no longer than 40 bytes. */
START_TEST(temporary_file_that_cannot_grow)
{
    struct rlimit before, limit;

    formats[_i].write();
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){40, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_ne(open_format(&formats[_i]), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_msg(strstr(failure.text, ": byte 40: temporary file: File too large; TMPDIR can") != NULL, "%s",
                  failure.text);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ digits */

static const struct {
    const char *text;
    const char *said;
} wrong_lines[] = {
    {"", ": byte 0: the file ends after 0 samples, expected at least 2"},
    {"1,2,3\n", ": byte 4: line 1: \"3\", expected 64 pixels from 0 to 16, each with a comma"},
    {"17,2,3\n", ": byte 0: line 1: \"17\", expected 64 pixels from 0 to 16, each with a comma"},
    {"1,-2,3\n", ": byte 2: line 1: \"-2\", expected 64 pixels from 0 to 16, each with a comma"},
    {"1,99999999999999999999,3\n",
     ": byte 2: line 1: \"99999999999999999999\", expected 64 pixels from 0 to 16, each with a comma"},
    {"Z10\n", ": byte 128: line 1: \"10\", expected a label from 0 to 9 and the end of the line"},
    {"Z9,1\n", ": byte 128: line 1: \"9\", expected a label from 0 to 9 and the end of the line"},
    {"Z9\r\r\n", ": byte 128: line 1: \"9\", expected a label from 0 to 9 and the end of the line"},
    {"Z9", ": byte 129: the file ends after 1 samples, expected at least 2"},
    {"Z9\n\n", ": byte 130: line 2: \"\", expected 64 pixels from 0 to 16, each with a comma"},
    {"Z9\n", ": byte 130: the file ends after 1 samples, expected at least 2"},
};

START_TEST(wrong_line)
{
    const char *from = wrong_lines[_i].text;
    char text[512] = "", said[256];

    for (int i = 0; i < 64 && *from == 'Z'; i++) /* Z stands for 64 pixels */
        strcat(text, "0,");
    strcat(text, from + (*from == 'Z'));
    file_write_gzip("digits.csv.gz", text, strlen(text));
    snprintf(said, sizeof said, ", unpacked%s", wrong_lines[_i].said);
    refuses(DIGITS, "digits.csv.gz", said);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- npz */

#define U1_IMAGES "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3072), }"
#define U1_LABELS "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"
#define DATA(said) ": member data.npy: byte " said
#define LABELS(said) ": member labels.npy: byte " said

/* One image and one label, of `item` bytes with this value, under these headers. */
static const struct {
    const char *images;
    const char *labels;
    size_t item;
    int64_t label;
    const char *said; /* NULL: it is right */
} archives[] = {
    {U1_IMAGES, U1_LABELS, 1, 200, NULL},
    {"{'shape': (1, 3072), 'fortran_order': False, 'descr': '<u1'}", U1_LABELS, 1, 1, NULL},
    {U1_IMAGES, "{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", 2, 1000, NULL},
    {U1_IMAGES, "{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", 4, 999, NULL},
    {U1_IMAGES, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", 8, 1, NULL},
    {U1_IMAGES, U1_LABELS, 1, 0, LABELS("128: label 0 of sample 0, expected 1 to 1000")},
    {U1_IMAGES, "{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", 2, 1001,
     LABELS("128: label 1001 of sample 0, expected 1 to 1000")},
    {U1_IMAGES, "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", 4, -3,
     LABELS("128: label -3 of sample 0, expected 1 to 1000")},
    {U1_IMAGES, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", 8, INT64_MIN,
     LABELS("128: label -9223372036854775808 of sample 0, expected 1 to 1000")},
    {U1_IMAGES, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", 8, 1,
     LABELS("20: npy header: \"'<f8', 'fortran_\", expected integers, such as '|u1' or '<i8'")},
    {U1_IMAGES, "{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }", 8, 1,
     LABELS("128: label 72057594037927936 of sample 0, expected 1 to 1000")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 1, 1,
     LABELS("129: the file ends, expected as many elements as its header says")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 2, 1,
     LABELS("0: an array uint8 [2], expected [1], as many as images")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), }", 1, 1,
     LABELS("0: an array uint8 [1, 1], expected [1], as many as images")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", 1, 1,
     LABELS("0: an array uint8 [], expected [1], as many as images")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), } x", 1, 1,
     LABELS("68: npy header: \"x               \", expected nothing but spaces and a newline")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,) 'x': 1}", 1, 1,
     LABELS("65: npy header: \"'x': 1}         \", expected a comma")},
    {U1_IMAGES, "{'descr': '|u1', 'descr': '|u1', 'shape': (1,), }", 1, 1,
     LABELS("35: npy header: \" '|u1', 'shape':\", expected 'descr':, 'fortran_order': and 'shape':, each once")},
    {U1_IMAGES, "{'descr': '|u1', 'shape': (1,), }", 1, 1,
     LABELS("43: npy header: \"                \", expected 'descr', 'fortran_order' and 'shape' before the end")},
    {U1_IMAGES, "('descr')", 1, 1, LABELS("10: npy header: \"('descr')       \", expected {")},
    {"{'descr': '|u1', 'fortran_order': True, 'shape': (1, 3072), }", U1_LABELS, 1, 1,
     DATA("71: npy header: \"                \", expected rows one after the other: numpy.save(file, "
          "numpy.ascontiguousarray(array)) writes them so")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1), }", 1, 1,
     LABELS("67: npy header: \"1), }           \", expected at most two dimensions")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", 1, 1,
     LABELS("61: npy header: \"-1,), }         \", expected a dimension")},
    {U1_IMAGES, "{'descr': '|u1', 'fortran_order': False, 'shape': 1, }", 1, 1,
     LABELS("60: npy header: \"1, }            \", expected a shape in parentheses")},
    {"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3072), }", U1_LABELS, 1, 1,
     DATA("0: an array int8 [1, 3072], expected uint8 [n, 3072]")},
    {"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 1536), }", U1_LABELS, 1, 1,
     DATA("0: an array uint16 [1, 1536], expected uint8 [n, 3072]")},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (3072,), }", U1_LABELS, 1, 1,
     DATA("0: an array uint8 [3072], expected uint8 [n, 3072]")},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (3072, 1), }", U1_LABELS, 1, 1,
     DATA("0: an array uint8 [3072, 1], expected uint8 [n, 3072]")},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3072), }", U1_LABELS, 1, 1,
     DATA("128: 3072 bytes more than the header says")},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551615, 3072), }", U1_LABELS, 1, 1,
     DATA("3200: the file ends, expected as many elements as its header says")},
    {"{'descr': '|u1', 'fortran_order': False, 'shape': (6004799503160662, 3072), }", U1_LABELS, 1, 1,
     DATA("3200: the file ends, expected as many elements as its header says")},
};

START_TEST(one_image)
{
    static unsigned char pixels[3072];
    unsigned char label[8];
    struct member members[3] = {{"data.npy", {NULL, 0}}, {"labels.npy", {NULL, 0}}, {NULL, {NULL, 0}}};

    for (size_t i = 0; i < sizeof label; i++)
        label[i] = (unsigned char)((uint64_t)archives[_i].label >> (8 * i));
    members[0].content = npy(archives[_i].images, pixels, sizeof pixels);
    members[1].content = npy(archives[_i].labels, label, archives[_i].item);
    formats[NPZ].write();
    file_write_zip("train_data_batch_1.npz", members, 0);
    if (archives[_i].said != NULL) {
        refuses(NPZ, "train_data_batch_1.npz", archives[_i].said);
    } else {
        ck_assert_msg(open_format(&formats[NPZ]) == 0, "%s", failure.text);
        ck_assert_uint_eq(data.train.count, formats[NPZ].train - 1);
        ck_assert_int_eq(data.train.labels[0], archives[_i].label - 1);
    }
    free(members[0].content.data);
    free(members[1].content.data);
}
END_TEST

START_TEST(without_a_member)
{
    static const char *const said[] = {": member data.npy: No such file", ": member labels.npy: No such file"};
    static unsigned char pixels[3072];
    struct member members[3] = {
        {"data.npy", npy(U1_IMAGES, pixels, 3072)}, {"labels.npy", npy(U1_LABELS, "\1", 1)}, {NULL, {NULL, 0}}};

    members[_i].name = "mean.npy";
    formats[NPZ].write();
    file_write_zip("val_data.npz", members, 0);
    refuses(NPZ, "val_data.npz", said[_i]);
    free(members[0].content.data);
    free(members[1].content.data);
}
END_TEST

/* Versions 2.0 and 3.0 have four bytes for the length of the text. */
START_TEST(npy_versions)
{
    static const char text[] = "{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}\n";
    unsigned char bytes[12 + sizeof text - 1 + 4] = {0x93,           'N', 'U', 'M', 'P', 'Y', (unsigned char)_i, 0,
                                                     sizeof text - 1};
    static unsigned char pixels[3072];
    struct member members[3] = {
        {"data.npy", npy(U1_IMAGES, pixels, 3072)}, {"labels.npy", {bytes, sizeof bytes}}, {NULL, {NULL, 0}}};

    memcpy(bytes + 12, text, sizeof text - 1);
    bytes[sizeof bytes - 4] = 7;
    formats[NPZ].write();
    file_write_zip("val_data.npz", members, 1);
    if (_i == 4) {
        refuses(NPZ, "val_data.npz", LABELS("6: npy version 4.0, expected 1.0, 2.0 or 3.0"));
    } else {
        ck_assert_msg(open_format(&formats[NPZ]) == 0, "%s", failure.text);
        ck_assert_int_eq(data.test.labels[0], 6);
    }
    free(members[0].content.data);
}
END_TEST

START_TEST(directory_with_too_long_a_name)
{
    static char name[2 * DATA_FILE_NAME];

    memset(name, 'd', sizeof name - 1);
    for (int i = 0; i < FORMATS; i++) {
        ck_assert_int_ne(
            dataset_open(&data, dataset_find(formats[i].dataset, &failure), name, DATASET_SPLIT_DEFAULT, &failure), 0);
        ck_assert_ptr_nonnull(strstr(failure.text, "dd..: a path of "));
    }
}
END_TEST

Suite *test_bad_data_suite(void)
{
    Suite *suite = suite_create("bad_data");
    TCase *tests = tcase_create("bad_data");

    tcase_add_checked_fixture(tests, files_begin, files_end);
    tcase_add_loop_test(tests, wrong_byte, 0, (int)(sizeof wrong_bytes / sizeof wrong_bytes[0]));
    tcase_add_test(tests, fewer_labels_than_images);
    tcase_add_test(tests, test_images_of_another_size);
    tcase_add_test(tests, wrong_label_in_a_gzip_file);
    tcase_add_test(tests, gzip_streams_in_a_row);
    tcase_add_test(tests, wrong_checksum);
    tcase_add_test(tests, temporary_directory_that_is_none);
    tcase_add_loop_test(tests, temporary_file_that_cannot_grow, IDX_GZIP, NPZ_STORED + 1);
    tcase_add_loop_test(tests, wrong_line, 0, (int)(sizeof wrong_lines / sizeof wrong_lines[0]));
    tcase_add_loop_test(tests, one_image, 0, (int)(sizeof archives / sizeof archives[0]));
    tcase_add_loop_test(tests, without_a_member, 0, 2);
    tcase_add_loop_test(tests, npy_versions, 2, 5);
    tcase_add_test(tests, directory_with_too_long_a_name);
    suite_add_tcase(suite, tests);
    return suite;
}

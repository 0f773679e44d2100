/* Damage of any kind to the files of any format: an error that names file and place, or no difference; never a crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "suites.h"

/* Refused with the damaged file's path first, and a place in it? */
static void assert_refused(const struct format *format, const char *name, const char *damage, size_t at)
{
    char path[DATA_FILE_NAME];

    file_path(path, name);
    ck_assert_msg(open_format(format) != 0, "%s: %s at byte %zu of %s is not noticed", format->name, damage, at, name);
    ck_assert_msg(strncmp(failure.text, path, strlen(path)) == 0, "%s at byte %zu of %s: %s", damage, at, name,
                  failure.text);
    ck_assert_msg(strstr(failure.text, ": byte ") != NULL || strstr(failure.text, ": member ") != NULL,
                  "%s at byte %zu of %s: %s", damage, at, name, failure.text);
}

START_TEST(undamaged)
{
    const struct format *format = &formats[_i];

    format->write();
    ck_assert_msg(open_format(format) == 0, "%s: %s", format->name, failure.text);
    ck_assert_msg(holds_samples(format), "%s: other samples than were written", format->name);
}
END_TEST

/* Of long files every byte near an end and every 61st byte. */
static size_t next_length(size_t length, size_t size)
{
    return length < 64 || length + 128 > size ? length + 1 : length + 61;
}

START_TEST(truncated)
{
    const struct format *format = &formats[_i];

    format->write();
    for (const char *const *name = format->files; *name != NULL; name++) {
        struct bytes bytes = file_read(*name);

        for (size_t length = 0; length < bytes.size; length = next_length(length, bytes.size)) {
            if (format->record > 0 && length > 0 && length % format->record == 0)
                continue;
            file_write(*name, bytes.data, length);
            assert_refused(format, *name, "the end", length);
        }
        file_write(*name, bytes.data, bytes.size);
        free(bytes.data);
    }
    ck_assert_int_eq(open_format(format), 0);
}
END_TEST

START_TEST(longer)
{
    const struct format *format = &formats[_i];

    format->write();
    for (const char *const *name = format->files; *name != NULL; name++) {
        struct bytes bytes = file_read(*name);

        bytes.data[bytes.size] = 'x'; /* file_read has left room */
        file_write(*name, bytes.data, bytes.size + 1);
        assert_refused(format, *name, "one more", bytes.size);
        file_write(*name, bytes.data, bytes.size);
        free(bytes.data);
    }
}
END_TEST

/* In headers every bit counts, and all are tried; of long files one bit a byte. Under a checksum some do not (a time, an operating system), but none changes a sample. */
static void flip(const struct format *format, const char *name, struct bytes bytes, size_t at, int bit)
{
    bytes.data[at] ^= (unsigned char)(1 << bit);
    file_write(name, bytes.data, bytes.size);
    if (format->header != SIZE_MAX)
        assert_refused(format, name, "a wrong bit", at);
    else if (open_format(format) != 0)
        assert_refused(format, name, "a wrong bit", at);
    else
        ck_assert_msg(holds_samples(format), "%s: bit %d of byte %zu of %s changes a sample", format->name, bit, at,
                      name);
    dataset_free(&data);
    bytes.data[at] ^= (unsigned char)(1 << bit);
}

START_TEST(flipped)
{
    const struct format *format = &formats[_i];

    format->write();
    for (const char *const *name = format->files; *name != NULL; name++) {
        struct bytes bytes = file_read(*name);
        const size_t end = bytes.size < format->header ? bytes.size : format->header;

        for (size_t at = 0; at < end; at = next_length(at, end)) {
            for (int bit = 0; bit < 8; bit++) {
                if (end < 1000 || at % 8 == (size_t)bit)
                    flip(format, *name, bytes, at, bit);
            }
        }
        file_write(*name, bytes.data, bytes.size);
        free(bytes.data);
    }
}
END_TEST

START_TEST(missing)
{
    const struct format *format = &formats[_i];
    char path[DATA_FILE_NAME];

    for (const char *const *name = format->files; *name != NULL; name++) {
        format->write();
        file_path(path, *name);
        ck_assert_int_eq(remove(path), 0);
        ck_assert_int_ne(open_format(format), 0);
        if (_i != IDX_GZIP) /* there the plain file is named, which would do too */
            ck_assert_msg(strncmp(failure.text, path, strlen(path)) == 0, "%s", failure.text);
        ck_assert_ptr_nonnull(strstr(failure.text, ": No such file or directory"));
    }
}
END_TEST

Suite *test_damage_suite(void)
{
    Suite *suite = suite_create("damage");
    TCase *tests = tcase_create("damage");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, files_begin, files_end);
    tcase_add_loop_test(tests, undamaged, 0, FORMATS);
    tcase_add_loop_test(tests, missing, 0, FORMATS);
    tcase_add_loop_test(tests, truncated, 0, FORMATS);
    tcase_add_loop_test(tests, longer, 0, FORMATS);
    tcase_add_loop_test(tests, flipped, 0, CIFAR10); /* CIFAR's files have no header */
    suite_add_tcase(suite, tests);
    return suite;
}

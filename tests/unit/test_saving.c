/* Where a checkpoint is saved to: links, names, several writers, and what killed ones leave behind. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static const char json[] = "{\"input\":[3],\"loss\":\"mse\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\","
                           "\"out_features\":400}]}]}";

static char directory[64];
static int came_from; /* the working directory before: without forks other suites come after this one */
static ffebm_context *context;
static ffebm_model *model;

static void set_up(void)
{
    strcpy(directory, "/tmp/ffebm_saving_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    came_from = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(came_from, 0);
    ck_assert_int_eq(chdir(directory), 0);
    assert_ok(context, ffebm_context_create(&context, NULL));
    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), NULL));
    assert_ok(context, ffebm_model_initialize(model, 1));
}

/* Remove all that is in a directory, and it. */
static void remove_all(const char *path)
{
    DIR *listing = opendir(path);
    struct dirent *entry;
    char name[512];

    while ((entry = readdir(listing)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(name) != 0)
            remove_all(name);
    }
    closedir(listing);
    ck_assert_int_eq(rmdir(path), 0);
}

static void tear_down(void)
{
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    ck_assert_int_eq(fchdir(came_from), 0);
    close(came_from);
    remove_all(directory);
}

static size_t files_in(const char *path)
{
    DIR *listing = opendir(path);
    size_t count = 0;

    ck_assert_ptr_nonnull(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static void fill(ffebm_model *of, double value)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(of);

    for (size_t i = 0; i < ffebm_tensor_count(flat); i++)
        set_element(flat, i, value);
}

static ffebm_status save(const char *path, double value)
{
    fill(model, value);
    return ffebm_checkpoint_save(model, NULL, NULL, path);
}

/* The value that all parameters of a file have; NAN if they differ. */
static double value_in(const char *path)
{
    ffebm_model *loaded;
    ffebm_tensor *flat;
    double value;

    ck_assert_msg(ffebm_checkpoint_load(context, &loaded, path) == FFEBM_OK, "%s", ffebm_context_error(context));
    flat = ffebm_model_flat_parameters(loaded);
    value = element(flat, 0);
    for (size_t i = 1; i < ffebm_tensor_count(flat); i++)
        ck_assert_double_eq(element(flat, i), value);
    ffebm_model_destroy(loaded);
    return value;
}

static void put(const char *name)
{
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(close(file), 0);
}

/* ----------------------------------------------------------------------------------------------------------- links */

static const struct {
    const char *path;
    const char *link; /* what a link at path holds; NULL: one more is made before */
    const char *target;
} links[] = {
    {"link", "real", "real"},
    {"link", "inner/real", "inner/real"},
    {"inner/link", "../real", "real"},
    {"inner/link", "real", "inner/real"},
    {"link", "inner/second", "inner/real"}, /* itself a link to "real" */
    {"way/link", "../real", "real"},        /* way is a link to inner/deep: what is up there is inner */
};

/* The link stays, and the file that it leads to is replaced, or made. */
START_TEST(link_followed)
{
    const char *path = links[_i / 2].path, *target = links[_i / 2].target;
    struct stat facts;

    ck_assert_int_eq(mkdir("inner", 0700), 0);
    ck_assert_int_eq(symlink("real", "inner/second"), 0);
    if (strncmp(path, "way/", 4) == 0) {
        ck_assert_int_eq(mkdir("inner/deep", 0700), 0);
        ck_assert_int_eq(symlink("inner/deep", "way"), 0);
        target = "inner/real";
    }
    ck_assert_int_eq(symlink(links[_i / 2].link, path), 0);
    if (_i % 2 == 0)
        assert_ok(context, save(target, 1));
    assert_ok(context, save(path, 2));
    ck_assert_int_eq(lstat(path, &facts), 0);
    ck_assert(S_ISLNK(facts.st_mode));
    ck_assert_int_eq(lstat(target, &facts), 0);
    ck_assert(S_ISREG(facts.st_mode));
    ck_assert_double_eq(value_in(target), 2);
}
END_TEST

START_TEST(absolute_link)
{
    char absolute[128];

    snprintf(absolute, sizeof absolute, "%s/real", directory);
    ck_assert_int_eq(mkdir("inner", 0700), 0);
    ck_assert_int_eq(symlink(absolute, "inner/link"), 0);
    assert_ok(context, save("inner/link", 2));
    ck_assert_double_eq(value_in("real"), 2);
    ck_assert_uint_eq(files_in("inner"), 1);
}
END_TEST

static const struct {
    const char *link;
    const char *says;
} bad_links[] = {
    {"link", "Too many levels"},      {"second", "Too many levels"},  {"none/real", "No such file"},
    {"file/real", "Not a directory"}, {".", "is not a regular file"}, {"/dev/null", "is not a regular file"},
};

START_TEST(bad_link)
{
    size_t before;

    put("file");
    ck_assert_int_eq(symlink("link", "second"), 0);
    ck_assert_int_eq(symlink(bad_links[_i].link, "link"), 0);
    before = files_in(".");
    ck_assert_int_eq(save("link", 1), FFEBM_ERR_IO);
    ck_assert_msg(strstr(ffebm_context_error(context), bad_links[_i].says) != NULL, "%s", ffebm_context_error(context));
    ck_assert_uint_eq(files_in("."), before);
}
END_TEST

START_TEST(hard_link_and_mode)
{
    mode_t mask = umask(027);
    struct stat facts;

    assert_ok(context, save("file", 1));
    ck_assert_int_eq(stat("file", &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0640);
    ck_assert_int_eq(link("file", "other"), 0);
    ck_assert_int_eq(chmod("file", 0446), 0);
    assert_ok(context, save("file", 2));
    umask(mask);
    ck_assert_int_eq(stat("file", &facts), 0);
    ck_assert_uint_eq(facts.st_mode & 0777, 0446);
    ck_assert_double_eq(value_in("file"), 2);
    ck_assert_double_eq(value_in("other"), 1);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- names */

/* Any name that the file system takes, of bytes or of characters of two, three or four. */
START_TEST(name_of_any_length)
{
    static const char *const characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8c\xb1"};
    const char *character = characters[_i];
    char name[300] = "x";

    while (strlen(name) + strlen(character) <= 255) {
        strcat(name, character);
        if (strlen(name) < 80 || (strlen(name) > 120 && strlen(name) < 220))
            continue;
        assert_ok(context, save(name, 1));
        assert_ok(context, save(name, 2));
        ck_assert_double_eq(value_in(name), 2);
        ck_assert_uint_eq(files_in("."), 1);
        ck_assert_int_eq(unlink(name), 0);
    }
    for (size_t i = strlen(name); i <= 255; i++)
        strcat(name, "a");
    ck_assert_int_eq(save(name, 1), FFEBM_ERR_IO);
    ck_assert_msg(strstr(ffebm_context_error(context), "File name too long") != NULL, "%s",
                  ffebm_context_error(context));
    ck_assert_uint_eq(files_in("."), 0);
}
END_TEST

START_TEST(no_name)
{
    static const char *const paths[] = {"", "/", ".", "file/", "none/"};

    put("file");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        ck_assert_int_eq(save(paths[i], 1), FFEBM_ERR_IO);
    ck_assert_uint_eq(files_in("."), 1);
}
END_TEST

/* A directory in which files may be made, but not listed. */
START_TEST(directory_that_cannot_be_read)
{
    ck_assert_int_eq(mkdir("inner", 0700), 0);
    ck_assert_int_eq(chmod("inner", 0300), 0);
    assert_ok(context, save("inner/file", 1));
    assert_ok(context, save("inner/file", 2));
    ck_assert_double_eq(value_in("inner/file"), 2);
    ck_assert_int_eq(chmod("inner", 0700), 0);
    ck_assert_uint_eq(files_in("inner"), 1);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- leftovers */

/* A save goes for what is its own, has no living writer, and nothing else. */
START_TEST(leftovers)
{
    static const struct {
        const char *name;
        int stays;
    } there[] = {
        {"a.ffebm-0123456789abcdef.tmp", 0},
        {"a.ffebm-ffffffffffffffff.tmp", 0},
        {"a.ffebm-0123456789abcdeF.tmp", 1},
        {"a.ffebm-0123456789abcde.tmp", 1},
        {"a.ffebm-0123456789abcdef0.tmp", 1},
        {"b.ffebm-0123456789abcdef.tmp", 1},
        {"a.ffebm-0123456789abcdef.tm", 1},
        {"aa.ffebm-0123456789abcdef.tmp", 1},
        {"a.tmp", 1},
        {"a.1234-0.tmp", 1},
    };
    enum { THERE = sizeof there / sizeof there[0] };
    int living;

    for (int i = 0; i < THERE; i++)
        put(there[i].name);
    ck_assert_int_eq(chmod(there[1].name, 0400), 0);
    ck_assert_int_eq(mkdir("a.ffebm-1111111111111111.tmp", 0700), 0);
    ck_assert_int_eq(symlink("a.tmp", "a.ffebm-2222222222222222.tmp"), 0);
    put("a.ffebm-3333333333333333.tmp");
    living = open("a.ffebm-3333333333333333.tmp", O_WRONLY);
    ck_assert_int_eq(flock(living, LOCK_EX), 0);
    assert_ok(context, save("a", 1));
    for (int i = 0; i < THERE; i++)
        ck_assert_msg((access(there[i].name, F_OK) == 0) == there[i].stays, "%s", there[i].name);
    ck_assert_int_eq(access("a.ffebm-1111111111111111.tmp", F_OK), 0);
    ck_assert_int_eq(access("a.ffebm-2222222222222222.tmp", F_OK), 0);
    ck_assert_int_eq(access("a.ffebm-3333333333333333.tmp", F_OK), 0);

    ck_assert_int_eq(close(living), 0);
    assert_ok(context, save("a", 1));
    ck_assert_int_ne(access("a.ffebm-3333333333333333.tmp", F_OK), 0);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- several writers */

START_TEST(several_writers)
{
    enum { WRITERS = 4, SAVES = 25 };
    pid_t writers[WRITERS];
    int alive = WRITERS, status;

    assert_ok(context, save("file", 0));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        ck_assert_int_ge(writers[i], 0);
        for (int value = 1; writers[i] == 0; value++)
            if (value > SAVES || save("file", WRITERS * value + i) != FFEBM_OK)
                _exit(value <= SAVES);
    }
    while (alive > 0) {
        value_in("file");
        if (waitpid(-1, &status, WNOHANG) > 0) {
            ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            alive--;
        }
    }
    ck_assert_double_ge(value_in("file"), WRITERS * SAVES - WRITERS);
    ck_assert_uint_eq(files_in("."), 1);
}
END_TEST

Suite *test_saving_suite(void)
{
    Suite *suite = suite_create("saving");
    TCase *tcase = tcase_create("saving");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, link_followed, 0, 2 * (int)(sizeof links / sizeof links[0]));
    tcase_add_test(tcase, absolute_link);
    tcase_add_loop_test(tcase, bad_link, 0, (int)(sizeof bad_links / sizeof bad_links[0]));
    tcase_add_test(tcase, hard_link_and_mode);
    tcase_add_loop_test(tcase, name_of_any_length, 0, 4);
    tcase_add_test(tcase, no_name);
    tcase_add_test(tcase, directory_that_cannot_be_read);
    tcase_add_test(tcase, leftovers);
    tcase_add_test(tcase, several_writers);
    suite_add_tcase(suite, tcase);
    return suite;
}

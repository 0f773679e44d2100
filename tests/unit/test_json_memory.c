/* The JSON parser without memory: its own, which it takes from malloc. Out of memory is no malformed text. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "refusal.h"

static size_t allocations, fail_at;

static void *allocate(size_t bytes)
{
    return ++allocations == fail_at ? NULL : malloc(bytes); /* no errno: not every allocator sets it */
}

static void begin(size_t at)
{
    cJSON_Hooks hooks = {allocate, free};

    cJSON_InitHooks(&hooks);
    allocations = 0;
    fail_at = at;
    errno = 0;
}

/* Back to malloc; did the failure come? */
static int end(void)
{
    cJSON_InitHooks(NULL);
    return allocations >= fail_at;
}

START_TEST(parse_a_description)
{
    static const char json[] = CHAIN("mse");
    ffebm_context *context;
    ffebm_model *model;
    ffebm_status status;
    size_t at = 1;

    assert_ok(NULL, ffebm_context_create(&context, NULL));
    for (;; at++) {
        int failed;

        begin(at);
        status = ffebm_model_parse(context, &model, json, strlen(json), NULL);
        ck_assert_int_eq(errno, 0);
        failed = end();
        if (!failed)
            break;
        ck_assert_int_eq(status, FFEBM_ERR_NOMEM);
        ck_assert_ptr_null(model);
        ck_assert_str_eq(ffebm_context_error(context), "FFEBM_ERR_NOMEM: model description: no memory for its JSON");
    }
    assert_ok(context, status);
    ck_assert_uint_gt(at, 50);
    ffebm_model_destroy(model);

    errno = ENOMEM; /* of an earlier call of the host's */
    ck_assert_int_eq(ffebm_model_parse(context, &model, "{", 1, NULL), FFEBM_ERR_PARSE);
    ck_assert_int_eq(errno, ENOMEM);
    ffebm_context_destroy(context);
}
END_TEST

/* The file's header and, in it, the optimizer's state. */
START_TEST(restore_a_checkpoint)
{
    char path[] = "/tmp/ffebm_json_XXXXXX";
    int file = mkstemp(path);
    ffebm_status status;
    size_t at = 1;

    ck_assert_int_ge(file, 0);
    close(file);
    assert_ok(f.context, ffebm_checkpoint_save(f.model, optimizer, NULL, path));
    for (;; at++) {
        begin(at);
        status = ffebm_checkpoint_restore(f.model, optimizer, path);
        if (!end())
            break;
        ck_assert_int_eq(status, FFEBM_ERR_NOMEM);
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(f.context), "no memory for"));
    }
    assert_ok(f.context, status);
    ck_assert_uint_gt(at, 50);
    remove(path);
}
END_TEST

Suite *test_json_memory_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("json_memory", &tests);

    tcase_add_test(tests, parse_a_description);
    tcase_add_test(tests, restore_a_checkpoint);
    return suite;
}

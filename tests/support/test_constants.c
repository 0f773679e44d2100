/* Constants from files: what is written reads back, and what is no such file is refused with its line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"

#include "support/constants.h"

static char path[] = "/tmp/ffebm_constants_XXXXXX";
static ffebm_context *context;

static void setup(void)
{
    int descriptor = mkstemp(path);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
    remove(path);
    strcpy(path + strlen(path) - 6, "XXXXXX");
}

static int read_text(ffebm_ledger_config *config, const char *text, struct failure *failure)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return constants_read(context, config, FFEBM_CONFIG_LEDGER, path, failure);
}

/* To the bit, every one of them. */
START_TEST(written_and_read)
{
    ffebm_ledger_config config, read;
    struct failure failure = {""};
    char text[4096] = "";
    FILE *file = fmemopen(text, sizeof text, "w");

    ffebm_ledger_config_init(&config, sizeof config);
    ffebm_ledger_config_init(&read, sizeof read);
    config.adc_8 = 1.0 / 3;
    config.converter_bits = 11;
    config.input_cotangent = 0;
    ck_assert_ptr_nonnull(file);
    fputc('{', file);
    constants_write(file, FFEBM_CONFIG_LEDGER, &config, ",\n ");
    fputc('}', file);
    fclose(file);
    ck_assert_msg(read_text(&read, text, &failure) == 0, "%s", failure.text);
    ck_assert_mem_eq(&read, &config, sizeof config);
    ck_assert_int_eq(read_text(&read, " { } \n", &failure), 0);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad[] = {{"", "line 1: expected an object"},
           {"[1]", "line 1: expected an object"},
           {"{\"adc_8\": 1", "line 1: expected a comma, or the object's end"},
           {"{\"adc_8\": 1,\n}", "line 2: expected a key in quotes"},
           {"{adc_8: 1}", "line 1: expected a key in quotes"},
           {"{\n\"adc_8\" 1}", "line 2: expected a colon behind the key"},
           {"{\"adc_8\": }", "line 1: expected a number, a text, true or false"},
           {"{\"adc_8\": \"1}", "line 1: expected a text that ends"},
           {"{\"adc_8\": 1} {", "line 1: expected nothing behind the object"},
           {"{\n\n\"adc_9\": 1}", "line 3: FFEBM_ERR_NOT_FOUND: ledger: no setting \"adc_9\""},
           {"{\"adc_8\": -1}", "line 1: FFEBM_ERR_ARGUMENT: adc_8 is \"-1\", expected 0 or more"},
           {"{\"adc_8\": {\"x\": 1}}", "line 1: FFEBM_ERR_ARGUMENT: adc_8 is \"{\"x\":\""}};

START_TEST(files_that_are_none)
{
    ffebm_ledger_config config;
    struct failure failure = {""};

    ffebm_ledger_config_init(&config, sizeof config);
    ck_assert_int_eq(read_text(&config, bad[_i].text, &failure), -1);
    ck_assert_msg(strncmp(failure.text, path, strlen(path)) == 0, "%s", failure.text);
    ck_assert_msg(strncmp(failure.text + strlen(path) + 2, bad[_i].says, strlen(bad[_i].says)) == 0, "%s",
                  failure.text);
}
END_TEST

Suite *test_constants_suite(void)
{
    Suite *suite = suite_create("constants");
    TCase *tests = tcase_create("constants");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, written_and_read);
    tcase_add_loop_test(tests, files_that_are_none, 0, sizeof bad / sizeof bad[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

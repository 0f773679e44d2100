/* JSON before it is a tree: what is let in, where a fault is said to be, and numbers, to the bit and in every locale. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "fixture.h"
#include "support/comma.h"
#include "json/json.h"
#include "json/number.h"
#include "json/scan.h"

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

/* ------------------------------------------------------------------------------------------------------------- texts */

static const ffebmi_json_form form = {.refusal = FFEBM_ERR_PARSE,
                                      .name = "it",
                                      .most_bytes = 1 << 16,
                                      .most_values = 12,
                                      .most_texts = 6,
                                      .most_levels = 4};

static const char *const good[] = {"null",
                                   " \t\r\n[]\n",
                                   "{}",
                                   "[[[[]]]]",
                                   "{\"\":{\"\":0}}",
                                   "[1,2,3,4,5,6,7,8,9,10,11]",
                                   "-0",
                                   "1e5",
                                   "[0.5E-7,-12.25e+3,true,false,null]",
                                   "\"\"",
                                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"",
                                   "\"\\ud83d\\uDE00\"",
                                   "\"\x7f\"",
                                   "\"\xf0\x9f\x98\x80\"",
                                   "\xef\xbb\xbf{}",
                                   "{\"a\":1,\"a\":2}"};

/* With the line and column where it is no longer JSON. */
static const struct {
    const char *json;
    size_t line, column;
    const char *says;
} bad[] = {
    {"", 1, 1, "expected a value"},
    {"  ", 1, 3, "expected a value"},
    {"{", 1, 2, "expected a key"},
    {"[", 1, 2, "expected a value"},
    {"]", 1, 1, "expected a value"},
    {"[1,]", 1, 4, "expected a value"},
    {"{\"a\":1,}", 1, 8, "expected a key"},
    {"{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3, "expected , or }"},
    {"[1\n\n,2 3]", 3, 4, "expected , or ]"},
    {"{\"\xc3\xa4\xc3\xb6\": x}", 1, 8, "expected a value"},
    {"{\"a\" 1}", 1, 6, "expected : behind a key"},
    {"{a:1}", 1, 2, "expected a key"},
    {"{'a':1}", 1, 2, "expected a key"},
    {"{} x", 1, 4, "behind its end"},
    {"[]]", 1, 3, "behind its end"},
    {"tru", 1, 1, "expected a value"},
    {"nulll", 1, 5, "behind its end"},
    {"NaN", 1, 1, "expected a value"},
    {"-Infinity", 1, 2, "expected a digit"},
    {"01", 1, 2, "begin with 0"},
    {"-01", 1, 3, "begin with 0"},
    {"+1", 1, 1, "expected a value"},
    {".5", 1, 1, "expected a value"},
    {"5.", 1, 3, "expected a digit"},
    {"[5.]", 1, 4, "expected a digit"},
    {"1e", 1, 3, "expected a digit"},
    {"1e+", 1, 4, "expected a digit"},
    {"0x1", 1, 2, "behind its end"},
    {"1,5", 1, 2, "behind its end"},
    {"\"abc", 1, 5, "without end"},
    {"\"abc\\\"", 1, 7, "without end"},
    {"\"a\nb\"", 1, 3, "control character"},
    {"\"\\q\"", 1, 3, "no such escape"},
    {"\"\\u12g4\"", 1, 6, "hexadecimal"},
    {"\"\\u0000\"", 1, 8, "NUL"},
    {"\"\\ud800\"", 1, 8, "surrogate"},
    {"\"\\udc00\"", 1, 8, "surrogate"},
    {"\"\\ud800\\u0041\"", 1, 14, "surrogate"},
    {"\"\xff\"", 1, 2, "not UTF-8"},
    {"\"\xed\xa0\x80\"", 1, 2, "not UTF-8"},
    {"[\xc3\xa4]", 1, 2, "expected a value"},
    {"{\"a\":\"b\",\"c\":\"d\",\"e\":\"f\",\"g\":1}", 1, 27, "more than 6 keys and texts"},
    {"[[[[[]]]]]", 1, 6, "more than 4 levels"},
    {"{\"a\":[{\"b\":[[]]}]}", 1, 14, "more than 4 levels"},
    {"[1,2,3,4,5,6,7,8,9,10,11,12]", 1, 26, "more than 12 values"},
    {"/**/1", 1, 1, "expected a value"},
};

/* The scan and the parser behind it must agree, or memory would be blamed. */
START_TEST(is_json)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cJSON *root;

        assert_ok(context, ffebmi_json_parse(context, &root, &form, good[i], strlen(good[i])));
        cJSON_Delete(root);
    }
}
END_TEST

START_TEST(is_none)
{
    char expected[64];
    cJSON *root;

    ck_assert_int_eq(ffebmi_json_parse(context, &root, &form, bad[_i].json, strlen(bad[_i].json)), FFEBM_ERR_PARSE);
    ck_assert_ptr_null(root);
    snprintf(expected, sizeof expected, "line %zu, column %zu: ", bad[_i].line, bad[_i].column);
    ck_assert_msg(strstr(ffebm_context_error(context), expected) != NULL &&
                      strstr(ffebm_context_error(context), bad[_i].says) != NULL,
                  "%s: %s", bad[_i].json, ffebm_context_error(context));
}
END_TEST

/* What is cut off anywhere, or has a NUL anywhere, is none; and nothing is read behind its end, which a tool would see. */
START_TEST(cut_anywhere)
{
    static const char json[] = "{\"a\": [-1.5e+3, \"\\ud83d\\ude00\\n\xc3\xa4\", {\"b\": true}], \"c\": null}";
    size_t length = sizeof json - 1;

    for (size_t at = 0; at < length; at++) {
        char *copy = malloc(at + 1);
        cJSON *root;

        memcpy(copy, json, at);
        ck_assert_int_eq(ffebmi_json_parse(context, &root, &form, copy, at), FFEBM_ERR_PARSE);
        copy = realloc(copy, length);
        memcpy(copy, json, length);
        copy[at] = '\0';
        ck_assert_int_eq(ffebmi_json_parse(context, &root, &form, copy, length), FFEBM_ERR_PARSE);
        free(copy);
    }
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- numbers */

static double from_bits(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static double read_text(const char *text)
{
    return ffebmi_number_read(text, strlen(text));
}

/* The shortest text, of JSON's form, that is read as the same bits. */
static void check_written(double number)
{
    char text[FFEBMI_NUMBER_TEXT];
    ffebmi_scan scan = {.json = text, .most_values = 1};
    double again;

    memset(text, 'x', sizeof text);
    ffebmi_number_write(text, number);
    scan.length = strlen(text);
    ck_assert_msg(ffebmi_scan_json(&scan) == NULL, "%s: %s", text, scan.fault);
    again = read_text(text);
    ck_assert_msg(memcmp(&again, &number, sizeof number) == 0, "%s", text);
}

static void check_numbers(void)
{
    static const double some[] = {0,
                                  -0.0,
                                  1,
                                  -1,
                                  0.1,
                                  0.1 + 0.2,
                                  3 * 2e-3,
                                  1e-5,
                                  1e-6,
                                  1e15,
                                  1e16,
                                  1e17,
                                  123456789012345680.0,
                                  0x1p53,
                                  DBL_MAX,
                                  DBL_MIN,
                                  0x1p-1074,
                                  5e-324,
                                  -2.5e-310};

    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        check_written(some[i]);
    for (uint64_t i = 0; i < 20000; i++) {
        double number = from_bits(ffebmi_random_stream(1, i)), near = ffebm_random_uniform(2, i);

        if (isfinite(number))
            check_written(number);
        check_written(near);
        check_written((double)(float)near);
        check_written(floor(near * 1e6) / 1e3);
    }
}

static const struct {
    double number;
    const char *text;
} written[] = {{0, "0"},
               {-0.0, "-0"},
               {1, "1"},
               {64, "64"},
               {-1.5, "-1.5"},
               {0.1, "0.1"},
               {0.001, "0.001"},
               {1e-5, "0.00001"},
               {1e-6, "1e-06"},
               {2.5e-7, "2.5e-07"},
               {1e16, "10000000000000000"},
               {1e17, "1e+17"},
               {1e300, "1e+300"},
               {0.1 + 0.2, "0.30000000000000004"},
               {9007199254740991.0, "9007199254740991"}};

static void check_texts(void)
{
    char text[FFEBMI_NUMBER_TEXT];

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        ck_assert_str_eq(ffebmi_number_write(text, written[i].number), written[i].text);
    ck_assert(read_text("1.7976931348623157e308") == DBL_MAX);
    ck_assert(isinf(read_text("1e309")) && isinf(read_text("-1e99999999999999999999")));
    ck_assert(read_text("1e-99999999999999999999") == 0);
    ck_assert(read_text("0.000000000000000000000000000012e30") == 12);
    ck_assert(read_text("12000000000000000000000000000000e-30") == 12);
    ck_assert(read_text("00000000000001E+0000000000000000000002") == 100);
    ck_assert(read_text("9007199254740993") == 9007199254740992.0 && read_text("9007199254740993.0000001") > 0x1p53);
}

START_TEST(numbers)
{
    check_numbers();
    check_texts();
}
END_TEST

START_TEST(decimal_comma)
{
    static const char json[] =
        "{\"input\": [2], \"loss\": \"mse\", \"recipe\": {\"lr\": 0.30000000000000004, \"beta\": 2.5e-1}, \"stages\": "
        "[{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.125}, "
        "\"couplings\": [{\"type\": \"dense\", \"out_features\": 2}]}}]}";
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_equilibrium_config equilibrium = {.size = sizeof equilibrium};
    const char *description;
    ffebm_model *model, *again;

    comma_begin();
    check_numbers();
    check_texts();
    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), NULL));
    assert_ok(context, ffebm_model_description(model, &description, NULL));
    ck_assert_ptr_nonnull(strstr(description, "\"slope\":0.125"));
    assert_ok(context, ffebm_model_parse(context, &again, description, strlen(description), NULL));
    assert_ok(context, ffebm_model_recipe(again, &recipe));
    assert_ok(context, ffebm_model_equilibrium(again, &equilibrium));
    ck_assert(recipe.lr == 0.1 + 0.2 && equilibrium.beta == 0.25);
    ffebm_model_destroy(model);
    ffebm_model_destroy(again);
    comma_end();
}
END_TEST

/* Of any error text, and of the bounds in it; what a list has between its numbers stays. */
START_TEST(is_told_with_a_point)
{
    static const char json[] =
        "{\"input\": [1], \"loss\": \"none\", \"recipe\": {\"lr\": -1.5}, \"stages\": [{\"feedforward\": []}]}";
    ffebm_equilibrium_config equilibrium;
    ffebm_tensor *tensor;
    ffebm_model *model;

    comma_begin();
    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    ck_assert_int_eq(ffebm_model_parse(context, &model, json, strlen(json), NULL), FFEBM_ERR_PARSE);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(context), "is -1.5,"));
    ck_assert_int_eq(
        ffebm_setting_write_number(context, &equilibrium, FFEBM_CONFIG_EQUILIBRIUM, "free_sweeps", 2.25e-7),
        FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(context), "is 2.25e-07, expected an integer, "));
    ck_assert_int_eq(ffebm_tensor_create(context, &tensor, FFEBM_FLOAT32, (int64_t[]){3, -5}, 2), FFEBM_ERR_SHAPE);
    ck_assert_ptr_null(strchr(ffebm_context_error(context), '.'));
    comma_end();
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, is_json);
    tcase_add_loop_test(tests, is_none, 0, COUNT(bad));
    tcase_add_test(tests, cut_anywhere);
    tcase_add_test(tests, numbers);
    tcase_add_test(tests, decimal_comma);
    tcase_add_test(tests, is_told_with_a_point);
    suite_add_tcase(suite, tests);
    return suite;
}

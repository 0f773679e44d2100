/* Every setting of every configuration, by its key: what the table says holds of the structs, and of what is read and
 * written. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

typedef union configs {
    size_t size;
    ffebm_context_config context;
    ffebm_initialization initialization;
    ffebm_op_config op;
    ffebm_coupling_config coupling;
    ffebm_hopfield_config hopfield;
    ffebm_equilibrium_config equilibrium;
    ffebm_recipe recipe;
    ffebm_engine_config engine;
    ffebm_certify_config certify;
    ffebm_sgd_config sgd;
    ffebm_adam_config adam;
    ffebm_resistive_config resistive;
    ffebm_activation activation;
    ffebm_device_config device;
    ffebm_ledger_config ledger;
} configs;

enum { KINDS = FFEBM_CONFIG_LEDGER };

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

/* The library's defaults; of types that read every field. */
static void fill(configs *c, int32_t kind)
{
    memset(c, 0, sizeof *c);
    switch (kind) {
#define FILL(kind, name, init)                                                                                         \
    case kind:                                                                                                         \
        init(&c->name, sizeof c->name);                                                                                \
        break
        FILL(FFEBM_CONFIG_CONTEXT, context, ffebm_context_config_init);
        FILL(FFEBM_CONFIG_INITIALIZATION, initialization, ffebm_initialization_init);
        FILL(FFEBM_CONFIG_HOPFIELD, hopfield, ffebm_hopfield_config_init);
        FILL(FFEBM_CONFIG_EQUILIBRIUM, equilibrium, ffebm_equilibrium_config_init);
        FILL(FFEBM_CONFIG_RECIPE, recipe, ffebm_recipe_init);
        FILL(FFEBM_CONFIG_ENGINE, engine, ffebm_engine_config_init);
        FILL(FFEBM_CONFIG_CERTIFY, certify, ffebm_certify_config_init);
        FILL(FFEBM_CONFIG_SGD, sgd, ffebm_sgd_config_init);
        FILL(FFEBM_CONFIG_ADAM, adam, ffebm_adam_config_init);
        FILL(FFEBM_CONFIG_RESISTIVE, resistive, ffebm_resistive_config_init);
        FILL(FFEBM_CONFIG_DEVICE, device, ffebm_device_config_init);
        FILL(FFEBM_CONFIG_LEDGER, ledger, ffebm_ledger_config_init);
    case FFEBM_CONFIG_OP:
        ffebm_op_config_init(&c->op, sizeof c->op, FFEBM_OP_CONV2D);
        break;
    case FFEBM_CONFIG_ACTIVATION:
        ffebm_activation_init(&c->activation, sizeof c->activation, FFEBM_ACTIVATION_HARD_SIGMOID);
        break;
    default:
        ffebm_coupling_config_init(&c->coupling, sizeof c->coupling, FFEBM_COUPLING_CONV2D);
    }
}

static bool next(ffebm_setting_info *info, int32_t kind, size_t index)
{
    *info = (ffebm_setting_info){.size = sizeof *info};
    return ffebm_setting_inspect(info, kind, index) == FFEBM_OK;
}

/* In the order of the struct, found by their keys, each with a text. */
START_TEST(are_listed)
{
    ffebm_setting_info info;
    configs c;
    size_t count = 0, end = sizeof(size_t);

    fill(&c, _i);
    for (; next(&info, _i, count); count++) {
        ck_assert_msg(info.offset >= end, "%s", info.key);
        end = info.offset + info.count * info.bytes;
        ck_assert_uint_le(end, c.size);
        ck_assert_uint_eq(ffebm_setting_find(_i, info.key), count);
        ck_assert(info.text[0] != '\0' && info.unit != NULL && info.field[0] != '\0');
        ck_assert((info.type == FFEBM_SETTING_CHOICE) == (info.choice_count > 0));
        ck_assert((info.type == FFEBM_SETTING_OBJECT) == (info.object != 0));
    }
    ck_assert_uint_gt(count, 0);
    ck_assert_int_eq(ffebm_setting_inspect(&info, _i, count), FFEBM_ERR_NOT_FOUND);
    ck_assert_uint_eq(ffebm_setting_find(_i, "no_such_key"), FFEBM_NONE);
}
END_TEST

/* The default that is listed is the default that init gives, and what is read is written again without a change. */
START_TEST(have_the_listed_defaults)
{
    ffebm_setting_info info;
    configs c, before;
    char text[64];

    fill(&c, _i);
    for (size_t i = 0; next(&info, _i, i); i++) {
        size_t length;

        if (info.type == FFEBM_SETTING_OBJECT)
            continue;
        before = c;
        assert_ok(context, ffebm_setting_read(context, text, sizeof text, &length, _i, info.key, &c));
        ck_assert_uint_eq(length, strlen(text));
        if (info.initial[0] == '\0' || _i == FFEBM_CONFIG_OP || _i == FFEBM_CONFIG_COUPLING)
            continue; /* it has to be set, or its default is that of a type */
        assert_ok(context, ffebm_setting_write(context, &c, _i, info.key, text));
        ck_assert_msg(memcmp(&c, &before, sizeof c) == 0, "%s: %s", info.key, text);
        assert_ok(context, ffebm_setting_write(context, &c, _i, info.key, info.initial));
        ck_assert_msg(memcmp(&c, &before, sizeof c) == 0, "%s: %s", info.key, info.initial);
    }
}
END_TEST

/* A number is taken exactly if the listed bounds allow it, and else nothing changes. */
static void judge(int32_t kind, const ffebm_setting_info *info, double number)
{
    const bool below = info->lower_open ? number <= info->lower : number < info->lower;
    const bool above = info->upper_open ? number >= info->upper : number > info->upper;
    const bool whole = info->type == FFEBM_SETTING_NUMBER || number == floor(number);
    configs c, before;
    double read;

    fill(&c, kind);
    before = c;
    if (below || above || !whole || isnan(number)) {
        ck_assert_int_eq(ffebm_setting_write_number(context, &c, kind, info->key, number), FFEBM_ERR_ARGUMENT);
        ck_assert(memcmp(&c, &before, sizeof c) == 0 && strstr(ffebm_context_error(context), info->key) != NULL);
    } else {
        assert_ok(context, ffebm_setting_write_number(context, &c, kind, info->key, number));
        assert_ok(context, ffebm_setting_read_number(context, &read, kind, info->key, &c));
        ck_assert(read == number);
    }
}

START_TEST(keep_their_bounds)
{
    ffebm_setting_info info;

    for (size_t i = 0; next(&info, _i, i); i++) {
        if (info.type == FFEBM_SETTING_OBJECT || info.type == FFEBM_SETTING_CHOICE)
            continue;
        judge(_i, &info, NAN);
        judge(_i, &info, 0.5);
        for (int side = -1; side <= 1; side++) {
            if (isfinite(info.lower))
                judge(_i, &info, info.lower + side);
            if (isfinite(info.upper))
                judge(_i, &info, info.upper + side);
        }
        if (info.type == FFEBM_SETTING_NUMBER) {
            judge(_i, &info, INFINITY);
            judge(_i, &info, -INFINITY);
        }
    }
}
END_TEST

/* By name and by constant, one and the same; no other. */
START_TEST(have_their_choices)
{
    ffebm_setting_info info;
    char text[64];

    for (size_t i = 0; next(&info, _i, i); i++) {
        int32_t most = 0;
        configs c;

        fill(&c, _i);
        for (size_t j = 0; j < info.choice_count; j++) {
            double number;

            assert_ok(context, ffebm_setting_write(context, &c, _i, info.key, info.choices[j]));
            assert_ok(context, ffebm_setting_read_number(context, &number, _i, info.key, &c));
            ck_assert(number == info.values[j]);
            assert_ok(context, ffebm_setting_write_number(context, &c, _i, info.key, info.values[j]));
            assert_ok(context, ffebm_setting_read(context, text, sizeof text, NULL, _i, info.key, &c));
            ck_assert_str_eq(text, info.choices[j]);
            most = info.values[j] > most ? info.values[j] : most;
        }
        if (info.choice_count == 0)
            continue;
        ck_assert_int_eq(ffebm_setting_write_number(context, &c, _i, info.key, most + 1), FFEBM_ERR_ARGUMENT);
        ck_assert_int_eq(ffebm_setting_write(context, &c, _i, info.key, "no_such_name"), FFEBM_ERR_ARGUMENT);
        ck_assert(strstr(ffebm_context_error(context), info.choices[0]) != NULL);
    }
}
END_TEST

/* Texts that are values, and what is read back. */
static const struct {
    int32_t kind;
    const char *key, *value, *read;
} texts[] = {{FFEBM_CONFIG_EQUILIBRIUM, "beta", "0.30000000000000004", "0.30000000000000004"},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", ".5", "0.5"},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "1e-4", "0.0001"},
             {FFEBM_CONFIG_EQUILIBRIUM, "free_sweeps", "9223372036854775807", "9223372036854775807"},
             {FFEBM_CONFIG_ENGINE, "seed", "18446744073709551615", "18446744073709551615"},
             {FFEBM_CONFIG_CERTIFY, "max_relative_error", "inf", "inf"},
             {FFEBM_CONFIG_RECIPE, "nesterov", "true", "true"},
             {FFEBM_CONFIG_OP, "kernel", "3", "3"},
             {FFEBM_CONFIG_OP, "kernel", "[3, 5]", "[3, 5]"},
             {FFEBM_CONFIG_OP, "kernel", "[4,4]", "4"},
             {FFEBM_CONFIG_COUPLING, "pool.type", "max", "max"},
             {FFEBM_CONFIG_ACTIVATION, "slope", "2", "2"},
             {FFEBM_CONFIG_ACTIVATION, "type", "tanh", "tanh"},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "1 ", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "0,5", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "inf", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "beta", "[1]", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "free_sweeps", "1.5", NULL},
             {FFEBM_CONFIG_EQUILIBRIUM, "free_sweeps", "9223372036854775808", NULL},
             {FFEBM_CONFIG_ENGINE, "seed", "-1", NULL},
             {FFEBM_CONFIG_RECIPE, "nesterov", "1", NULL},
             {FFEBM_CONFIG_OP, "kernel", "[3]", NULL},
             {FFEBM_CONFIG_OP, "kernel", "[3, 5", NULL},
             {FFEBM_CONFIG_OP, "kernel", "0", NULL}};

START_TEST(are_read_and_written_as_text)
{
    configs c, before;
    char text[64];

    fill(&c, texts[_i].kind);
    before = c;
    if (texts[_i].read == NULL) {
        ck_assert_int_eq(ffebm_setting_write(context, &c, texts[_i].kind, texts[_i].key, texts[_i].value),
                         FFEBM_ERR_ARGUMENT);
        ck_assert(memcmp(&c, &before, sizeof c) == 0);
        return;
    }
    assert_ok(context, ffebm_setting_write(context, &c, texts[_i].kind, texts[_i].key, texts[_i].value));
    assert_ok(context, ffebm_setting_read(context, text, sizeof text, NULL, texts[_i].kind, texts[_i].key, &c));
    ck_assert_str_eq(text, texts[_i].read);
}
END_TEST

#define FAILS(call, expected, words)                                                                                   \
    do {                                                                                                               \
        ck_assert_int_eq(call, expected);                                                                              \
        ck_assert_msg(strstr(ffebm_context_error(context), words) != NULL, "%s", ffebm_context_error(context));        \
    } while (0)

START_TEST(refuse_what_is_none)
{
    ffebm_setting_info info = {.size = sizeof info};
    ffebm_equilibrium_config old = {.size = offsetof(ffebm_equilibrium_config, free_tolerance)};
    ffebm_op_config op;
    size_t length = 7;
    double number = 7;
    char text[4] = "abc";

    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    FAILS(ffebm_setting_write(context, &old, FFEBM_CONFIG_EQUILIBRIUM, "betta", "1"), FFEBM_ERR_NOT_FOUND,
          "no setting \"betta\", expected one of beta, ");
    FAILS(ffebm_setting_write(context, &old, FFEBM_CONFIG_EQUILIBRIUM, "relaxation", "1"), FFEBM_ERR_UNSUPPORTED,
          "too short");
    FAILS(ffebm_setting_write(context, &op, FFEBM_CONFIG_OP, "initialization", "1"), FFEBM_ERR_UNSUPPORTED, "its own");
    FAILS(ffebm_setting_write(context, &op, 0, "beta", "1"), FFEBM_ERR_ARGUMENT, "kind 0");
    FAILS(ffebm_setting_write(context, &op, FFEBM_CONFIG_OP, NULL, "1"), FFEBM_ERR_ARGUMENT, "NULL");
    FAILS(ffebm_setting_read(context, text, sizeof text, &length, FFEBM_CONFIG_OP, "no", &op), FFEBM_ERR_NOT_FOUND, "");
    ck_assert(text[0] == '\0' && length == 0);
    FAILS(ffebm_setting_read_number(context, &number, FFEBM_CONFIG_OP, "no", &op), FFEBM_ERR_NOT_FOUND, "");
    ck_assert(isnan(number));
    assert_ok(context, ffebm_setting_write(NULL, &old, FFEBM_CONFIG_EQUILIBRIUM, "beta", "0.125"));
    assert_ok(context, ffebm_setting_read(context, text, sizeof text, &length, FFEBM_CONFIG_EQUILIBRIUM, "beta", &old));
    ck_assert(length == 5 && strcmp(text, "0.1") == 0);
    ck_assert_int_eq(ffebm_setting_inspect(NULL, FFEBM_CONFIG_OP, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_setting_inspect(&info, KINDS + 1, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_uint_eq(ffebm_setting_find(-1, "beta"), FFEBM_NONE);
}
END_TEST

/* The recipe of a description has the keys of both tables, and no others. */
START_TEST(are_the_keys_of_a_description)
{
    static const char json[] = "{\"input\": [1], \"loss\": \"none\", \"stages\": [{\"feedforward\": []}]}";
    const char *text;
    ffebm_setting_info info;
    ffebm_model *model;
    char key[64];

    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), NULL));
    assert_ok(context, ffebm_model_description(model, &text, NULL));
    for (int32_t kind = FFEBM_CONFIG_EQUILIBRIUM; kind <= FFEBM_CONFIG_RECIPE; kind++)
        for (size_t i = 0; next(&info, kind, i); i++) {
            snprintf(key, sizeof key, "\"%s\":", info.key);
            ck_assert_msg(strstr(text, key) != NULL, "%s", info.key);
        }
    ffebm_model_destroy(model);
}
END_TEST

Suite *test_settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *tests = tcase_create("settings");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, are_listed, 1, KINDS + 1);
    tcase_add_loop_test(tests, have_the_listed_defaults, 1, KINDS + 1);
    tcase_add_loop_test(tests, keep_their_bounds, 1, KINDS + 1);
    tcase_add_loop_test(tests, have_their_choices, 1, KINDS + 1);
    tcase_add_loop_test(tests, are_read_and_written_as_text, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(tests, refuse_what_is_none);
    tcase_add_test(tests, are_the_keys_of_a_description);
    suite_add_tcase(suite, tests);
    return suite;
}

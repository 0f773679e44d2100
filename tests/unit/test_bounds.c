/* Bounds of parameters: whom a prefix names, first values, what is refused. That steps keep to them is in test_optimizer.c. */
#include <math.h>
#include <string.h>

#include "fixture.h"

static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [2, 3], \"loss\": \"none\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 7, \"bias\": false}, "
    "{\"type\": \"linear\", \"out_features\": 5}]}, "
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 8}, "
    "{\"type\": \"dense\", \"out_features\": 6, \"bias\": false}]}}, "
    "{\"feedforward\": [{\"type\": \"relu\"}]}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 4}]}]}";

enum { PARAMETERS = 8 };

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

static ffebm_model *parsed(int32_t dtype)
{
    ffebm_parse_config config = {.size = sizeof config, .dtype = dtype};
    ffebm_model *model;

    assert_ok(context, ffebm_model_parse(context, &model, chain, strlen(chain), &config));
    return model;
}

static const char *description_of(ffebm_model *model)
{
    const char *json;

    assert_ok(context, ffebm_model_description(model, &json, NULL));
    return json;
}

static void assert_bounds(ffebm_model *model, size_t index, double lower, double upper)
{
    ffebm_parameter_info info = {.size = sizeof info};

    assert_ok(context, ffebm_model_inspect_parameter(model, &info, index));
    ck_assert_msg(info.lower == lower && info.upper == upper, "%s in %g .. %g, expected %g .. %g", info.name,
                  info.lower, info.upper, lower, upper);
}

/* Set while building and while ready, by prefixes of whole parts; they do not stand in the description. */
START_TEST(bounds_of_prefixes)
{
    static const struct {
        const char *prefix;
        size_t first, count;
    } cases[] = {{"", 0, PARAMETERS},     {"stage0", 0, 3},          {"stage0.2", 1, 2},
                 {"stage1.0.bias", 4, 1}, {"stage1.1.weight", 5, 1}, {"stage3", 6, 2}};
    ffebm_model *model = parsed(0), *plain = parsed(0);

    if (_i % 2 == 1)
        assert_ok(context, ffebm_model_initialize(model, 1));
    for (size_t p = 0; p < PARAMETERS; p++)
        assert_bounds(model, p, -INFINITY, INFINITY);
    assert_ok(context, ffebm_model_set_bounds(model, cases[_i / 2].prefix, -1e-3, 0.25));
    for (size_t p = 0; p < PARAMETERS; p++)
        if (p >= cases[_i / 2].first && p < cases[_i / 2].first + cases[_i / 2].count)
            assert_bounds(model, p, -1e-3, 0.25);
        else
            assert_bounds(model, p, -INFINITY, INFINITY);
    ck_assert_str_eq(description_of(model), description_of(plain));
    assert_ok(context, ffebm_model_set_bounds(model, "", -INFINITY, INFINITY));
    for (size_t p = 0; p < PARAMETERS; p++)
        assert_bounds(model, p, -INFINITY, INFINITY);
    ffebm_model_destroy(model);
    ffebm_model_destroy(plain);
}
END_TEST

/* A stage that comes later leaves them, and has none itself; buffers have none. */
START_TEST(bounds_of_a_growing_model)
{
    const int64_t shape[] = {2, 3, 3};
    ffebm_feedforward *block;
    ffebm_op_config op;
    ffebm_model *model;

    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT64, shape, 3, FFEBM_LOSS_NONE));
    ck_assert_int_eq(ffebm_model_set_bounds(model, "", 0, 1), FFEBM_ERR_NOT_FOUND);
    for (int stage = 0; stage < 2; stage++) {
        assert_ok(context, ffebm_feedforward_create(context, &block));
        ffebm_op_config_init(&op, sizeof op, FFEBM_OP_BATCHNORM2D);
        assert_ok(context, ffebm_feedforward_add_op(block, &op));
        assert_ok(context, ffebm_model_add_feedforward(model, &block));
        if (stage == 0)
            assert_ok(context, ffebm_model_set_bounds(model, "stage0.0.weight", 0.5, 0.75));
    }
    assert_ok(context, ffebm_model_initialize(model, 0));
    assert_bounds(model, 0, 0.5, 0.75);
    for (size_t i = 1; i < 8; i++)
        assert_bounds(model, i, -INFINITY, INFINITY);
    ck_assert(element(ffebm_model_flat_parameters(model), 0) == 0.75); /* not 1 */
    ck_assert(element(ffebm_model_flat_parameters(model), 4) == 1);
    ck_assert_int_eq(ffebm_model_set_bounds(model, "stage0.0.running_var", 0, 1), FFEBM_ERR_NOT_FOUND);
    ffebm_model_destroy(model);
}
END_TEST

/* First values are drawn as without bounds, then projected; in float32 onto the bound that float32 has. */
START_TEST(first_values_keep_to_bounds)
{
    int32_t dtype = _i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_model *free = parsed(dtype), *bounded = parsed(dtype);
    double lower = _i == 0 ? (double)-0.1f : -0.1, upper = _i == 0 ? (double)0.05f : 0.05;
    size_t below = 0, above = 0, between = 0;

    assert_ok(context, ffebm_model_set_bounds(bounded, "", -0.1, 0.05));
    assert_bounds(bounded, 2, lower, upper);
    assert_ok(context, ffebm_model_initialize(free, 4));
    assert_ok(context, ffebm_model_initialize(bounded, 4));
    for (size_t i = 0; i < ffebm_tensor_count(ffebm_model_flat_parameters(free)); i++) {
        double drawn = element(ffebm_model_flat_parameters(free), i);
        double value = element(ffebm_model_flat_parameters(bounded), i);

        ck_assert(value == fmin(fmax(drawn, lower), upper));
        below += drawn < lower;
        above += drawn > upper;
        between += value == drawn;
    }
    ck_assert(below > 0 && above > 0 && between > 0);
    ffebm_model_destroy(free);
    ffebm_model_destroy(bounded);
}
END_TEST

START_TEST(bounds_refused)
{
    static const double bad[][2] = {{1, 0.5},
                                    {NAN, 1},
                                    {0, NAN},
                                    {NAN, NAN},
                                    {INFINITY, 1},
                                    {0, -INFINITY},
                                    {1e-9, -1e-9},
                                    {INFINITY, INFINITY},
                                    {INFINITY, -INFINITY},
                                    {-INFINITY, -INFINITY}};
    static const char *const strangers[] = {"stage", "stage2", "stage4", "stage0.", "stage0.1.weigh", "weight", " "};
    ffebm_model *model = parsed(FFEBM_FLOAT32);

    assert_ok(context, ffebm_model_set_bounds(model, "", -2, 3));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(ffebm_model_set_bounds(model, "", bad[i][0], bad[i][1]), FFEBM_ERR_ARGUMENT);
        ck_assert(strstr(ffebm_context_error(context), "bounds") != NULL);
    }
    /* Beyond float32 there is none, or no bound. */
    ck_assert_int_eq(ffebm_model_set_bounds(model, "", 1e300, INFINITY), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_bounds(model, "", -INFINITY, -1e300), FFEBM_ERR_ARGUMENT);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        ck_assert_int_eq(ffebm_model_set_bounds(model, strangers[i], 0, 1), FFEBM_ERR_NOT_FOUND);
        ck_assert(strstr(ffebm_context_error(context), strangers[i]) != NULL);
    }
    ck_assert_int_eq(ffebm_model_set_bounds(model, NULL, 0, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_bounds(NULL, "", 0, 1), FFEBM_ERR_ARGUMENT);
    for (size_t p = 0; p < PARAMETERS; p++)
        assert_bounds(model, p, -2, 3);
    assert_ok(context, ffebm_model_set_bounds(model, "stage0.1", -1e300, 1e300));
    assert_bounds(model, 0, -INFINITY, INFINITY);
    assert_ok(context, ffebm_model_set_bounds(model, "stage0.1", 0.5, 0.5)); /* one value only */
    assert_ok(context, ffebm_model_initialize(model, 0));
    ck_assert(element(ffebm_model_flat_parameters(model), 0) == 0.5);
    ffebm_model_destroy(model);
}
END_TEST

Suite *test_bounds_suite(void)
{
    Suite *suite = suite_create("bounds");
    TCase *tests = tcase_create("bounds");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, bounds_of_prefixes, 0, 12);
    tcase_add_test(tests, bounds_of_a_growing_model);
    tcase_add_loop_test(tests, first_values_keep_to_bounds, 0, 2);
    tcase_add_test(tests, bounds_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

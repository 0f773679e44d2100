/* The engine's gradients against finite differences of the loss at equilibrium. */
#include <math.h>
#include <stdio.h>

#include "fixture.h"

/* Two energy blocks, nothing near a bound: with small gains and biases of 0.5 no unit changes region. */
#define BLOCK(units)                                                                                                   \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "              \
    "\"couplings\": [{\"type\": \"dense\", \"out_features\": " units "}, "                                             \
    "{\"type\": \"dense\", \"out_features\": 4}]}}"
#define INTERIOR "\"initialization\": {\"type\": \"uniform\", \"gain\": 0.5, \"bias\": 0.8}"
#define CHAIN(loss, last)                                                                                              \
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"" loss "\", " INTERIOR ", \"stages\": ["                      \
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 5}]}, " BLOCK("7") ", "                               \
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 6}]}, " BLOCK("5") last "]}"
#define READOUT ", {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}"

static const char with_readout[] = CHAIN("cross_entropy", READOUT);
static const char without_readout[] = CHAIN("mse", "");

static double loss_of(fixture *f, const ffebm_tensor *x, const ffebm_tensor *y)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(f->context, ffebm_engine_evaluate(f->engine, &report, x, y, NULL));
    return report.loss;
}

/* Central differences of the loss by every parameter. */
static ffebm_tensor *differences(fixture *f, const ffebm_tensor *x, const ffebm_tensor *y, double step)
{
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f->model);
    ffebm_tensor *result = copy_of(f->context, parameters);

    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++) {
        double value = element(parameters, i), above, below;

        set_element(parameters, i, value + step);
        above = loss_of(f, x, y);
        set_element(parameters, i, value - step);
        below = loss_of(f, x, y);
        set_element(parameters, i, value);
        set_element(result, i, (above - below) / (2 * step));
    }
    return result;
}

static size_t ep_gradient(fixture *f, const ffebm_tensor *x, const ffebm_tensor *y, double beta, int32_t nudging,
                          int32_t estimator)
{
    ffebm_equilibrium_config config = converged();
    ffebm_report report = {.size = sizeof report};

    config.beta = beta;
    config.estimator = estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
    config.nudging = nudging;
    assert_ok(f->context, ffebm_engine_configure(f->engine, 3, &config));
    assert_ok(f->context, ffebm_engine_gradient(f->engine, &report, x, y, NULL));
    return report.region_changes;
}

static const struct {
    const char *json;
    int32_t nudging;
} chains[] = {{with_readout, FFEBM_NUDGING_LOSS},
              {with_readout, FFEBM_NUDGING_LINEAR},
              {without_readout, FFEBM_NUDGING_LOSS},
              {without_readout, FFEBM_NUDGING_LINEAR}};

START_TEST(centered_ep_equals_finite_differences)
{
    fixture f = fixture_of(chains[_i].json, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5), *y = random_labels(&f, 4, 6), *expected;
    size_t changes = ep_gradient(&f, x, y, 1e-3, chains[_i].nudging, FFEBM_ESTIMATOR_CENTERED);
    ffebm_tensor *found = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));

    expected = differences(&f, x, y, 1e-4);
    ck_assert_uint_eq(changes, 0);
    ck_assert_double_lt(relative_error(found, expected), 1e-5);

    ffebm_tensor_destroy(found);
    ffebm_tensor_destroy(expected);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

Suite *test_gradient_suite(void)
{
    Suite *suite = suite_create("gradient");
    TCase *tests = tcase_create("finite differences");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, centered_ep_equals_finite_differences, 0, sizeof chains / sizeof chains[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

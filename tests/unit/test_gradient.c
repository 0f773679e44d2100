/* The engine's gradients against finite differences of the loss at equilibrium. */
#include <math.h>
#include <stdio.h>

#include "fixture.h"

static double loss_of(fixture *f, const ffebm_tensor *x, const ffebm_tensor *y)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(f->context, ffebm_engine_evaluate(f->engine, &report, NULL, x, y, NULL));
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

/* Random signs are the same in every call. */
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
    assert_ok(f->context, ffebm_engine_set_step(f->engine, 0));
    assert_ok(f->context, ffebm_engine_gradient(f->engine, &report, x, y, NULL));
    return report.region_changes;
}

static const struct {
    const char *json;
    int32_t nudging;
} chains[] = {{interior_readout, FFEBM_NUDGING_LOSS},
              {interior_readout, FFEBM_NUDGING_LINEAR},
              {interior_bare, FFEBM_NUDGING_LOSS},
              {interior_bare, FFEBM_NUDGING_LINEAR}};

START_TEST(centered_ep_equals_finite_differences)
{
    fixture f = fixture_of(chains[_i].json, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5), *y = random_labels(&f, 4, 6), *expected;
    size_t changes = ep_gradient(&f, x, y, 1e-3, chains[_i].nudging, FFEBM_ESTIMATOR_CENTERED);
    ffebm_tensor *found = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));

    expected = differences(&f, x, y, 1e-4);
    ck_assert_uint_eq(changes, 0);
    ck_assert_double_lt(worst_error(&f, found, expected), 1e-5);

    ffebm_tensor_destroy(found);
    ffebm_tensor_destroy(expected);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* Under linear nudging a block without region changes is quadratic: centred and four-point estimates are exact whatever
 * beta is. Under loss nudging their errors are powers of beta. The exact gradient is the linear one, which the test above
 * holds against finite differences. */
static const struct {
    int32_t estimator;
    int32_t nudging;
    double slope;
} laws[] = {
    {FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS, 2},    {FFEBM_ESTIMATOR_POSITIVE, FFEBM_NUDGING_LOSS, 1},
    {FFEBM_ESTIMATOR_NEGATIVE, FFEBM_NUDGING_LOSS, 1},    {FFEBM_ESTIMATOR_FOUR_POINT, FFEBM_NUDGING_LOSS, 4},
    {FFEBM_ESTIMATOR_POSITIVE, FFEBM_NUDGING_LINEAR, 1},  {FFEBM_ESTIMATOR_NEGATIVE, FFEBM_NUDGING_LINEAR, 1},
    {FFEBM_ESTIMATOR_RANDOM_SIGN, FFEBM_NUDGING_LOSS, 1}, {FFEBM_ESTIMATOR_RANDOM_SIGN, FFEBM_NUDGING_LINEAR, 1}};

START_TEST(error_falls_with_its_power_of_beta)
{
    enum { POINTS = 6 };
    fixture f = fixture_of(interior_readout, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5), *y = random_labels(&f, 4, 6), *exact;
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, slope;

    ck_assert_uint_eq(ep_gradient(&f, x, y, 0.01, FFEBM_NUDGING_LINEAR, FFEBM_ESTIMATOR_CENTERED), 0);
    exact = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    for (int i = 0; i < POINTS; i++) {
        double beta = 0.16 * pow(0.85, i), error;

        ck_assert_uint_eq(ep_gradient(&f, x, y, beta, laws[_i].nudging, laws[_i].estimator), 0);
        error = worst_error(&f, ffebm_engine_flat_gradient(f.engine), exact);
        ck_assert_msg(error > 1e-10, "beta %g: error %g is rounding", beta, error);
        sum_x += log(beta);
        sum_y += log(error);
        sum_xx += log(beta) * log(beta);
        sum_xy += log(beta) * log(error);
    }
    slope = (POINTS * sum_xy - sum_x * sum_y) / (POINTS * sum_xx - sum_x * sum_x);
    ck_assert_msg(fabs(slope - laws[_i].slope) < 0.1, "slope %g, expected %g", slope, laws[_i].slope);

    ffebm_tensor_destroy(exact);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

START_TEST(linear_nudging_is_exact_at_any_beta)
{
    static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_FOUR_POINT};
    fixture f = fixture_of(interior_readout, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5), *y = random_labels(&f, 4, 6), *exact;

    ck_assert_uint_eq(ep_gradient(&f, x, y, 0.01, FFEBM_NUDGING_LINEAR, FFEBM_ESTIMATOR_CENTERED), 0);
    exact = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    for (double beta = 0.02; beta < 0.5; beta *= 2) {
        ck_assert_uint_eq(ep_gradient(&f, x, y, beta, FFEBM_NUDGING_LINEAR, estimators[_i]), 0);
        ck_assert_double_lt(worst_error(&f, ffebm_engine_flat_gradient(f.engine), exact), 1e-9);
    }
    ffebm_tensor_destroy(exact);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* vjp of the mean loss's derivative is the gradient under linear nudging; its input's cotangent is the loss's derivative
 * by the input. */
START_TEST(vjp_equals_gradient_and_reaches_the_input)
{
    fixture f = fixture_of(interior_bare, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5),
                 *output = random_batch(f.context, FFEBM_FLOAT64, 4, f.info.output_shape, 1, 0, 0, 0);
    ffebm_tensor *y = random_batch(f.context, FFEBM_FLOAT64, 4, f.info.output_shape, 1, -1, 1, 9);
    ffebm_tensor *dx = copy_of(f.context, x), *expected;
    const double step = 1e-4;

    ep_gradient(&f, x, y, 1e-3, FFEBM_NUDGING_LINEAR, FFEBM_ESTIMATOR_CENTERED);
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    assert_ok(f.context, ffebm_engine_forward(f.engine, output, &ticket, x));
    for (size_t i = 0; i < ffebm_tensor_count(output); i++)
        set_element(output, i, (element(output, i) - element(y, i)) / 4);
    assert_ok(f.context, ffebm_engine_vjp(f.engine, dx, ticket, output, 0));
    ck_assert_double_lt(worst_error(&f, ffebm_engine_flat_gradient(f.engine), expected), 1e-8);
    for (size_t i = 0; i < ffebm_tensor_count(x); i++) {
        double value = element(x, i), above, below;

        set_element(x, i, value + step);
        above = loss_of(&f, x, y);
        set_element(x, i, value - step);
        below = loss_of(&f, x, y);
        set_element(x, i, value);
        ck_assert_double_eq_tol(element(dx, i), (above - below) / (2 * step), 1e-7);
    }
    ffebm_tensor_destroy(expected);
    ffebm_tensor_destroy(dx);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(output);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* The cotangent that vjp is given may be of any size, and any scale gives the same: linear nudging is linear. */
START_TEST(vjp_is_linear_in_its_cotangent)
{
    fixture f = fixture_of(interior_readout, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 4, 5),
                 *v = random_batch(f.context, FFEBM_FLOAT64, 4, f.info.output_shape, 1, -1, 1, 9);
    ffebm_equilibrium_config config = converged();
    ffebm_tensor *expected;

    config.beta = 1e-3;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 1));
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 10));
    ck_assert_double_lt(worst_error(&f, ffebm_engine_flat_gradient(f.engine), expected), 1e-8);
    for (size_t i = 0; i < ffebm_tensor_count(v); i++)
        set_element(v, i, -3 * element(v, i));
    for (size_t i = 0; i < ffebm_tensor_count(expected); i++)
        set_element(expected, i, -3 * element(expected, i));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 0));
    ck_assert_double_lt(worst_error(&f, ffebm_engine_flat_gradient(f.engine), expected), 1e-8);
    ffebm_tensor_destroy(expected);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* A weight acts as repetition: means over 3 weighted samples and over 4 with one of them twice. */
START_TEST(weights_count_samples)
{
    fixture f = fixture_of(interior_readout, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 3, 5), *y = random_labels(&f, 3, 6), *x2 = random_input(&f, 4, 5),
                 *y2 = random_labels(&f, 4, 6), *weights, *once;
    int64_t rows = 3;

    for (size_t i = 0; i < 24; i++) /* the last sample stands twice */
        set_element(x2, i, element(x, i < 18 ? i : i - 6));
    for (size_t i = 0; i < 4; i++)
        ((int64_t *)ffebm_tensor_data(y2))[i] = ((int64_t *)ffebm_tensor_data(y))[i < 3 ? i : 2];
    assert_ok(f.context, ffebm_tensor_create(f.context, &weights, FFEBM_FLOAT64, &rows, 1));
    set_element(weights, 0, 0.75);
    set_element(weights, 1, 0.75);
    set_element(weights, 2, 1.5);
    ep_gradient(&f, x, y, 1e-3, FFEBM_NUDGING_LINEAR, FFEBM_ESTIMATOR_CENTERED);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, weights));
    once = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x2, y2, NULL));
    ck_assert_double_lt(worst_error(&f, once, ffebm_engine_flat_gradient(f.engine)), 1e-8);
    ffebm_tensor_destroy(once);
    ffebm_tensor_destroy(weights);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x2);
    ffebm_tensor_destroy(y2);
    fixture_end(&f);
}
END_TEST

/* Three steps of training leave the same bits with 1, 2 and 3 threads, in both precisions. */
START_TEST(threads_do_not_change_bits)
{
    enum { ROWS = 53 };
    int32_t dtype = _i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_tensor *first = NULL;
    fixture f[3];

    for (int32_t t = 0; t < 3; t++) {
        ffebm_optimizer *adam;
        ffebm_tensor *x, *y, *parameters;

        f[t] = fixture_of(interior_readout, dtype, t + 1, 3);
        x = random_input(&f[t], ROWS, 5);
        y = random_labels(&f[t], ROWS, 6);
        assert_ok(f[t].context, ffebm_optimizer_create_adam(&adam, f[t].model, NULL));
        for (int step = 0; step < 3; step++) {
            assert_ok(f[t].context, ffebm_engine_gradient(f[t].engine, NULL, x, y, NULL));
            assert_ok(f[t].context, ffebm_optimizer_step(adam, f[t].engine));
        }
        parameters = ffebm_model_flat_parameters(f[t].model);
        if (t == 0)
            first = parameters;
        else
            ck_assert_mem_eq(ffebm_tensor_data(parameters), ffebm_tensor_data(first),
                             f[t].info.element_count * (dtype == FFEBM_FLOAT32 ? 4 : 8));
        ffebm_optimizer_destroy(adam);
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(y);
    }
    for (int t = 0; t < 3; t++)
        fixture_end(&f[t]);
}
END_TEST

/* In float32 the gradient is that of float64 to rounding: differences are formed before products. Over all parameters: the
 * lowest block's are so small here that rounding of its states is a few hundredths of them. */
START_TEST(float32_is_close_to_float64)
{
    fixture wide = fixture_of(interior_readout, FFEBM_FLOAT64, 1, 3),
            narrow = fixture_of(interior_readout, FFEBM_FLOAT32, 1, 3);
    ffebm_tensor *x = random_input(&wide, 8, 5), *y = random_labels(&wide, 8, 6);
    ffebm_tensor *x32 = random_input(&narrow, 8, 5), *y32 = random_labels(&narrow, 8, 6);
    ffebm_equilibrium_config config = converged();

    config.free_sweeps = config.nudged_sweeps = 100;
    config.free_tolerance = config.nudged_tolerance = 0;
    assert_ok(wide.context, ffebm_engine_configure(wide.engine, FFEBM_ALL, &config));
    assert_ok(narrow.context, ffebm_engine_configure(narrow.engine, FFEBM_ALL, &config));
    assert_ok(wide.context, ffebm_engine_gradient(wide.engine, NULL, x, y, NULL));
    assert_ok(narrow.context, ffebm_engine_gradient(narrow.engine, NULL, x32, y32, NULL));
    ck_assert_double_lt(
        relative_error(ffebm_engine_flat_gradient(narrow.engine), ffebm_engine_flat_gradient(wide.engine)), 1e-4);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x32);
    ffebm_tensor_destroy(y32);
    fixture_end(&narrow);
    fixture_end(&wide);
}
END_TEST

Suite *test_gradient_suite(void)
{
    Suite *suite = suite_create("gradient");
    TCase *tests = tcase_create("gradient");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, centered_ep_equals_finite_differences, 0, sizeof chains / sizeof chains[0]);
    tcase_add_loop_test(tests, error_falls_with_its_power_of_beta, 0, sizeof laws / sizeof laws[0]);
    tcase_add_loop_test(tests, linear_nudging_is_exact_at_any_beta, 0, 2);
    tcase_add_test(tests, vjp_equals_gradient_and_reaches_the_input);
    tcase_add_test(tests, vjp_is_linear_in_its_cotangent);
    tcase_add_test(tests, weights_count_samples);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 2);
    tcase_add_test(tests, float32_is_close_to_float64);
    suite_add_tcase(suite, tests);
    return suite;
}

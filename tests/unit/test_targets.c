/* Targets of chains with energy blocks: labels smoothed or not, values, and weights of samples. */
#include <math.h>
#include <string.h>

#include "fixture.h"

enum { ROWS = 4 };

static const char *const chains[] = {interior_readout, interior_bare}; /* cross entropy, mse */
static const int32_t nudgings[] = {FFEBM_NUDGING_AUTO, FFEBM_NUDGING_LINEAR};

static ffebm_tensor *random_weights(const fixture *f)
{
    return random_batch(f->context, f->info.dtype, ROWS, NULL, 0, 0.25, 2, 64);
}

static void configure(const problem *p, double beta, int32_t nudging)
{
    ffebm_equilibrium_config config = converged();

    config.beta = beta;
    config.nudging = nudging;
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
}

static void smooth(const problem *p, double smoothing)
{
    assert_ok(p->f.context, ffebm_engine_set_label_smoothing(p->f.engine, smoothing));
}

/* The gradient on these targets, and its report. */
static ffebm_tensor *gradient_on(const problem *p, const ffebm_tensor *target, const ffebm_tensor *weights,
                                 ffebm_report *report)
{
    *report = (ffebm_report){.size = sizeof *report};
    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, report, p->x, target, weights));
    return copy_of(p->f.context, ffebm_engine_flat_gradient(p->f.engine));
}

static double loss_on(const problem *p, const ffebm_tensor *target, const ffebm_tensor *weights)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(p->f.context, ffebm_engine_evaluate(p->f.engine, &report, NULL, p->x, target, weights));
    return report.loss;
}

/* ------------------------------------------------------------------------------------------------------- smoothing */

/* What the labels stand for, written out. */
static ffebm_tensor *smoothed_values(const problem *p, double smoothing)
{
    const int64_t *labels = ffebm_tensor_const_data(p->y);
    size_t classes = p->f.outputs;
    ffebm_tensor *values = random_batch(p->f.context, p->f.info.dtype, ROWS, p->f.info.output_shape, 1, 0, 0, 0);

    for (size_t i = 0; i < ROWS * classes; i++) {
        double one = (int64_t)(i % classes) == labels[i / classes];

        set_element(values, i, (1 - smoothing) * one + smoothing / (double)classes);
    }
    return values;
}

START_TEST(smoothed_labels_are_values)
{
    static const double smoothings[] = {0, 0.1, 0.75};
    int32_t dtype = _i / 4 % 2 == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    problem p = problem_of(chains[_i % 2], dtype, 1, ROWS);
    ffebm_tensor *weights = _i / 8 == 0 ? NULL : random_weights(&p.f), *plain;
    ffebm_report by_label, by_value;
    double tolerance = dtype == FFEBM_FLOAT64 ? 0 : 1e-3;

    configure(&p, 0.2, nudgings[_i / 2 % 2]);
    plain = gradient_on(&p, p.y, weights, &by_label);
    for (size_t k = 0; k < 3; k++) {
        ffebm_tensor *values = smoothed_values(&p, smoothings[k]), *found, *expected;

        smooth(&p, smoothings[k]);
        found = gradient_on(&p, p.y, weights, &by_label);
        expected = gradient_on(&p, values, weights, &by_value); /* values are not smoothed once more */
        ck_assert_double_le(relative_error(found, expected), tolerance);
        ck_assert_double_le(fabs(by_label.loss - by_value.loss), 1e-3 * tolerance);
        ck_assert(k == 0 ? relative_error(found, plain) == 0 : relative_error(found, plain) > 1e-2);
        destroy_all((ffebm_tensor *[]){values, found, expected}, 3);
    }
    destroy_all((ffebm_tensor *[]){plain, weights}, 2);
    problem_end(&p);
}
END_TEST

/* Evaluating reports the plain loss, and what counts as correct does not change. */
START_TEST(evaluation_does_not_smooth)
{
    problem p = problem_of(chains[_i], 0, 1, ROWS);
    ffebm_report plain, smoothed;
    double loss;

    configure(&p, 0.2, FFEBM_NUDGING_AUTO);
    loss = loss_on(&p, p.y, NULL);
    ffebm_tensor_destroy(gradient_on(&p, p.y, NULL, &plain));
    smooth(&p, 0.3);
    ck_assert(loss_on(&p, p.y, NULL) == loss);
    ffebm_tensor_destroy(gradient_on(&p, p.y, NULL, &smoothed));
    ck_assert(plain.loss == loss && smoothed.loss != loss);
    ck_assert(smoothed.correct == plain.correct && smoothed.correct_top5 == plain.correct_top5);
    ck_assert(loss_on(&p, p.y, NULL) == loss);
    problem_end(&p);
}
END_TEST

/* A certificate is of the gradient with smoothed labels, and its differences are of the loss with them. */
START_TEST(certificates_smooth)
{
    problem p = problem_of(chains[_i], 0, 1, ROWS);
    ffebm_tensor *values = smoothed_values(&p, 0.25);
    ffebm_certificate by_label = {.size = sizeof by_label}, by_value = {.size = sizeof by_value};
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 4;
    configure(&p, 1e-3, FFEBM_NUDGING_LINEAR);
    smooth(&p, 0.25);
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &by_label, p.x, p.y, NULL, &config));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &by_value, p.x, values, NULL, &config));
    ck_assert(by_label.passed == 1 && by_value.passed == 1);
    ck_assert(by_label.norm == by_value.norm && by_label.relative_error == by_value.relative_error &&
              by_label.difference_error == by_value.difference_error);
    ffebm_tensor_destroy(values);
    problem_end(&p);
}
END_TEST

START_TEST(smoothing_refused)
{
    static const struct {
        double smoothing;
        const char *text;
    } bad[] = {
        {1, "smoothing 1"}, {-0.125, "smoothing -0.125"}, {1.5, "smoothing 1.5"}, {NAN, "nan"}, {INFINITY, "inf"}};
    problem p = problem_of(interior_readout, 0, 1, ROWS);
    ffebm_tensor *before, *after;
    ffebm_report report;

    smooth(&p, 0.25);
    before = gradient_on(&p, p.y, NULL, &report);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *error = ffebm_context_error(p.f.context);

        ck_assert_int_eq(ffebm_engine_set_label_smoothing(p.f.engine, bad[i].smoothing), FFEBM_ERR_ARGUMENT);
        ck_assert_msg(strstr(error, bad[i].text) != NULL, "%s", error);
    }
    ck_assert_int_eq(ffebm_engine_set_label_smoothing(NULL, 0), FFEBM_ERR_ARGUMENT);
    after = gradient_on(&p, p.y, NULL, &report);
    ck_assert(relative_error(after, before) == 0);
    destroy_all((ffebm_tensor *[]){before, after}, 2);
    problem_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- values and weights */

/* Central differences of the weighted loss by every parameter. */
static ffebm_tensor *differences(const problem *p, const ffebm_tensor *target, const ffebm_tensor *weights)
{
    ffebm_tensor *parameters = ffebm_model_flat_parameters(p->f.model), *result = copy_of(p->f.context, parameters);
    const double step = 1e-4;

    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++) {
        double value = element(parameters, i), above;

        set_element(parameters, i, value + step);
        above = loss_on(p, target, weights);
        set_element(parameters, i, value - step);
        set_element(result, i, (above - loss_on(p, target, weights)) / (2 * step));
        set_element(parameters, i, value);
    }
    return result;
}

START_TEST(gradients_on_values_and_weights)
{
    problem p = problem_of(chains[_i % 2], 0, 1, ROWS);
    int labels = _i / 4 == 1;
    ffebm_tensor *weights = _i / 4 == 0 ? NULL : random_weights(&p.f), *found, *expected;
    ffebm_tensor *target = labels ? copy_of(p.f.context, p.y)
                                  : random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, 0, 1, 63);
    ffebm_report report;

    configure(&p, 1e-3, nudgings[_i / 2 % 2]);
    found = gradient_on(&p, target, weights, &report);
    ck_assert_uint_eq(report.region_changes, 0);
    expected = differences(&p, target, weights);
    ck_assert_double_lt(worst_error(&p.f, found, expected), 1e-5);
    ck_assert_double_eq_tol(report.loss, loss_on(&p, target, weights), 1e-14);
    destroy_all((ffebm_tensor *[]){weights, target, found, expected}, 4);
    problem_end(&p);
}
END_TEST

/* A batch above max_batch is evaluated in slices, of targets and weights as of inputs. */
START_TEST(slices_take_their_targets_and_weights)
{
    problem p = problem_of(chains[_i % 2], 0, 1, ROWS);
    ffebm_tensor *values = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, 0, 1, 63);
    ffebm_tensor *weights = random_weights(&p.f);
    const ffebm_tensor *target = _i / 2 == 0 ? p.y : values;
    double whole = loss_on(&p, target, weights);
    ffebm_engine_config config;

    ffebm_engine_destroy(p.f.engine);
    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = 3;
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, &config));
    ck_assert_double_eq_tol(loss_on(&p, target, weights), whole, 1e-14);
    destroy_all((ffebm_tensor *[]){values, weights}, 2);
    problem_end(&p);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- images */

#define IMAGE_CHAIN(end)                                                                                               \
    "{\"input\": [2, 3, 5], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": \"conv2d\", "                \
    "\"out_channels\": 3, "                                                                                            \
    "\"kernel\": 2}" end "]}]}"

/* A target that is an image is one by its numbers, however the library keeps images inside. */
START_TEST(targets_are_images)
{
    static const int64_t image[] = {3, 2, 4}, row[] = {3 * 2 * 4};
    problem p = {.f = fixture_of(IMAGE_CHAIN(""), FFEBM_FLOAT64, 1, 1)};
    problem flat = {.f = fixture_of(IMAGE_CHAIN(", {\"type\": \"flatten\"}"), FFEBM_FLOAT64, 1, 1)};
    ffebm_tensor *y = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, image, 3, -1, 1, 5);
    ffebm_tensor *z = random_batch(flat.f.context, FFEBM_FLOAT64, ROWS, row, 1, -1, 1, 5), *a, *b;
    ffebm_report reports[2];

    p.x = random_input(&p.f, ROWS, 3);
    flat.x = random_input(&flat.f, ROWS, 3);
    a = gradient_on(&p, y, NULL, &reports[0]);
    b = gradient_on(&flat, z, NULL, &reports[1]);
    ck_assert_double_gt(reports[0].loss, 0);
    ck_assert_double_le(fabs(reports[0].loss - reports[1].loss), 1e-12 * reports[0].loss);
    ck_assert_double_le(relative_error(a, b), 1e-12);
    destroy_all((ffebm_tensor *[]){a, b, y, z}, 4);
    problem_end(&p);
    problem_end(&flat);
}
END_TEST

Suite *test_targets_suite(void)
{
    Suite *suite = suite_create("targets");
    TCase *tests = tcase_create("targets");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, smoothed_labels_are_values, 0, 16);
    tcase_add_loop_test(tests, evaluation_does_not_smooth, 0, 2);
    tcase_add_loop_test(tests, certificates_smooth, 0, 2);
    tcase_add_test(tests, smoothing_refused);
    tcase_add_test(tests, targets_are_images);
    tcase_add_loop_test(tests, gradients_on_values_and_weights, 0, 12);
    tcase_add_loop_test(tests, slices_take_their_targets_and_weights, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

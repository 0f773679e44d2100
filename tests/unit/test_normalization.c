/* Normalisation: what it makes of a batch, its VJP by differences, and when running statistics move. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"

enum { ROWS = 4, CHANNELS = 3, PIXELS = 20 };

#define ONE_OP(shape, op)                                                                                              \
    "{\"dtype\": \"float64\", \"input\": " shape ", \"loss\": \"none\", \"stages\": [{\"feedforward\": [" op "]}]}"

static const char batchnorm[] = ONE_OP("[3, 4, 5]", "{\"type\": \"batchnorm2d\", \"epsilon\": 1e-3}");

static void draw_parameters(const fixture *f, uint64_t seed)
{
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f->model);

    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++)
        set_element(parameters, i, 0.5 + ffebm_random_uniform(seed, i));
}

static ffebm_tensor *value_of(const fixture *f, const char *name)
{
    ffebm_parameter_info info = {.size = sizeof info};

    assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, ffebm_model_find_parameter(f->model, name)));
    return info.value;
}

static ffebm_tensor *forward(const fixture *f, const ffebm_tensor *x)
{
    ffebm_tensor *y = random_batch(f->context, f->info.dtype, ffebm_tensor_shape(x, NULL)[0], f->info.output_shape,
                                   f->info.output_rank, 0, 0, 0);

    assert_ok(f->context, ffebm_engine_forward(f->engine, y, &ticket, x));
    return y;
}

typedef struct moments {
    double mean;
    double variance; /* biased */
} moments;

/* Of one channel over batch and pixels. */
static moments channel_moments(const ffebm_tensor *x, size_t channels, size_t channel)
{
    size_t rows = (size_t)ffebm_tensor_shape(x, NULL)[0], pixels = ffebm_tensor_count(x) / rows / channels;
    moments m = {0};

    for (size_t n = 0; n < rows; n++)
        for (size_t p = 0; p < pixels; p++)
            m.mean += element(x, (n * channels + channel) * pixels + p) / (double)(rows * pixels);
    for (size_t n = 0; n < rows; n++)
        for (size_t p = 0; p < pixels; p++)
            m.variance += pow(element(x, (n * channels + channel) * pixels + p) - m.mean, 2) / (double)(rows * pixels);
    return m;
}

START_TEST(training_output_has_the_parameters_moments)
{
    fixture f = fixture_of(batchnorm, 0, 1, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 2), *y;

    for (size_t i = 0; i < ffebm_tensor_count(x); i++) /* far from zero mean and unit variance */
        set_element(x, i, 3 * element(x, i) + 7);
    draw_parameters(&f, 3);
    y = forward(&f, x);
    for (size_t c = 0; c < CHANNELS; c++) {
        moments in = channel_moments(x, CHANNELS, c), out = channel_moments(y, CHANNELS, c);
        double weight = element(value_of(&f, "stage0.0.weight"), c), bias = element(value_of(&f, "stage0.0.bias"), c);

        ck_assert_double_eq_tol(out.mean, bias, 1e-13);
        ck_assert_double_eq_tol(out.variance, weight * weight * in.variance / (in.variance + 1e-3), 1e-13);
    }
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* A channel of one number has no spread: its output is the bias, and the running variance does not become infinite. */
START_TEST(one_number_becomes_the_bias)
{
    fixture f = fixture_of(ONE_OP("[2, 1, 1]", "{\"type\": \"batchnorm2d\"}"), 0, 1, 1);
    ffebm_tensor *x = random_input(&f, 1, 2), *y;

    draw_parameters(&f, 3);
    y = forward(&f, x);
    for (size_t c = 0; c < 2; c++) {
        ck_assert_double_eq(element(y, c), element(value_of(&f, "stage0.0.bias"), c));
        ck_assert_double_eq_tol(element(value_of(&f, "stage0.0.running_var"), c), 0.9, 1e-15);
    }
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

START_TEST(evaluation_uses_constants)
{
    fixture f = fixture_of(batchnorm, 0, 1, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 2), *y;

    draw_parameters(&f, 3);
    for (size_t c = 0; c < CHANNELS; c++) {
        set_element(value_of(&f, "stage0.0.running_mean"), c, 0.5 - (double)c);
        set_element(value_of(&f, "stage0.0.running_var"), c, 0.25 + (double)c);
    }
    assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
    y = forward(&f, x);
    for (size_t i = 0; i < ffebm_tensor_count(y); i++) {
        size_t c = i / PIXELS % CHANNELS;
        double normal = (element(x, i) - (0.5 - (double)c)) / sqrt(0.25 + (double)c + 1e-3);

        ck_assert_double_eq_tol(
            element(y, i),
            normal * element(value_of(&f, "stage0.0.weight"), c) + element(value_of(&f, "stage0.0.bias"), c), 1e-14);
    }
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* Over a whole sample, with a weight and a bias for each element: image or vector. */
static const char *const layernorms[] = {ONE_OP("[11]", "{\"type\": \"layernorm\"}"),
                                         ONE_OP("[3, 2, 5]", "{\"type\": \"layernorm\", \"epsilon\": 1e-2}"),
                                         ONE_OP("[2, 3]", "{\"type\": \"layernorm\"}")};

START_TEST(layernorm_equals_naive_loops)
{
    double epsilon = _i == 1 ? 1e-2 : 1e-5;
    fixture f = fixture_of(layernorms[_i], 0, 1, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 2), *y, *expected;

    draw_parameters(&f, 3);
    y = forward(&f, x);
    expected = copy_of(f.context, y);
    for (size_t n = 0; n < ROWS; n++) {
        double mean = 0, variance = 0;

        for (size_t i = 0; i < f.inputs; i++)
            mean += element(x, n * f.inputs + i) / (double)f.inputs;
        for (size_t i = 0; i < f.inputs; i++)
            variance += pow(element(x, n * f.inputs + i) - mean, 2) / (double)f.inputs;
        for (size_t i = 0; i < f.inputs; i++)
            set_element(expected, n * f.inputs + i,
                        (element(x, n * f.inputs + i) - mean) / sqrt(variance + epsilon) *
                                element(value_of(&f, "stage0.0.weight"), i) +
                            element(value_of(&f, "stage0.0.bias"), i));
    }
    ck_assert_double_lt(relative_error(y, expected), 1e-14);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(expected);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- VJPs */

static double inner(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v)
{
    ffebm_tensor *y = forward(f, x);
    double sum = 0;

    for (size_t i = 0; i < ffebm_tensor_count(v); i++)
        sum += element(y, i) * element(v, i);
    ffebm_tensor_destroy(y);
    return sum;
}

static void check_differences(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v, ffebm_tensor *moved,
                              const ffebm_tensor *found)
{
    const double step = 1e-4;

    for (size_t i = 0; i < ffebm_tensor_count(moved); i++) {
        double value = element(moved, i), slope = 0;
        static const double places[] = {-2, -1, 1, 2}, weights[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};

        for (int k = 0; k < 4; k++) {
            set_element(moved, i, value + places[k] * step);
            slope += weights[k] * inner(f, x, v) / step;
        }
        set_element(moved, i, value);
        ck_assert_msg(fabs(slope - element(found, i)) < 1e-9, "element %zu: %.12g, by differences %.12g", i,
                      element(found, i), slope);
    }
}

/* Of the whole batch: batch normalisation couples its samples. In evaluation mode running statistics are constants. */
START_TEST(vjp_equals_differences)
{
    fixture f = fixture_of(_i < 2 ? batchnorm : layernorms[_i - 2], 0, 1, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 2), *v = random_input(&f, ROWS, 4), *dx = copy_of(f.context, x), *dw;

    draw_parameters(&f, 3);
    if (_i == 1)
        assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    for (int again = 0; again < 2; again++) /* nothing is left over from the call before */
        assert_ok(f.context, ffebm_engine_vjp(f.engine, dx, ticket, v, 0));
    dw = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    check_differences(&f, x, v, x, dx);
    check_differences(&f, x, v, ffebm_model_flat_parameters(f.model), dw);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(dx);
    ffebm_tensor_destroy(dw);
    fixture_end(&f);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- running statistics */

/* Batch normalisation before and behind an energy block: x, bn, block, bn, readout. */
static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [2, 4, 3], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": "
    "[{\"type\": \"batchnorm2d\", \"momentum\": 0.3}]}, {\"energy\": {\"type\": \"hopfield\", \"couplings\": "
    "[{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1}]}}, {\"feedforward\": "
    "[{\"type\": \"batchnorm2d\"}, {\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 4}]}]}";

static const char *const buffers[] = {"stage0.0.running_mean", "stage0.0.running_var", "stage2.0.running_mean",
                                      "stage2.0.running_var"};

typedef struct batch {
    ffebm_tensor *x;
    ffebm_tensor *y;
    ffebm_tensor *weights;
    ffebm_tensor *v;
} batch;

static batch batch_of(const fixture *f)
{
    const int64_t rows = ROWS;
    batch b = {.x = random_input(f, ROWS, 5), .y = random_labels(f, ROWS, 6)};

    assert_ok(f->context, ffebm_tensor_create(f->context, &b.weights, FFEBM_FLOAT64, &rows, 1));
    for (size_t i = 0; i < ROWS; i++)
        set_element(b.weights, i, 1);
    b.v = random_batch(f->context, FFEBM_FLOAT64, ROWS, f->info.output_shape, 1, -1, 1, 7);
    return b;
}

static void batch_end(batch *b)
{
    ffebm_tensor_destroy(b->x);
    ffebm_tensor_destroy(b->y);
    ffebm_tensor_destroy(b->weights);
    ffebm_tensor_destroy(b->v);
}

typedef ffebm_status (*action_fn)(fixture *f, const batch *b);

static ffebm_status train(fixture *f, const batch *b)
{
    return ffebm_engine_gradient(f->engine, NULL, b->x, b->y, b->weights);
}

static ffebm_status only_forward(fixture *f, const batch *b)
{
    return ffebm_engine_forward(f->engine, NULL, &ticket, b->x);
}

static ffebm_status forward_and_two_vjps(fixture *f, const batch *b)
{
    assert_ok(f->context, ffebm_engine_forward(f->engine, NULL, &ticket, b->x));
    assert_ok(f->context, ffebm_engine_vjp(f->engine, NULL, ticket, b->v, 0));
    return ffebm_engine_vjp(f->engine, NULL, ticket, b->v, 0);
}

static ffebm_status evaluate(fixture *f, const batch *b)
{
    return ffebm_engine_evaluate(f->engine, NULL, NULL, b->x, b->y, NULL);
}

static ffebm_status train_in_evaluation(fixture *f, const batch *b)
{
    assert_ok(f->context, ffebm_engine_set_mode(f->engine, FFEBM_MODE_EVALUATION));
    assert_ok(f->context, only_forward(f, b));
    assert_ok(f->context, ffebm_engine_vjp(f->engine, NULL, ticket, b->v, 0));
    return train(f, b);
}

static ffebm_status train_by(fixture *f, const batch *b, int32_t estimator)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.estimator = estimator;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
    return train(f, b);
}

static ffebm_status train_four_point(fixture *f, const batch *b)
{
    return train_by(f, b, FFEBM_ESTIMATOR_FOUR_POINT);
}

static ffebm_status train_implicit(fixture *f, const batch *b)
{
    return train_by(f, b, FFEBM_ESTIMATOR_IMPLICIT);
}

static ffebm_status nan_weight(fixture *f, const batch *b)
{
    set_element(b->weights, 1, NAN);
    return train(f, b);
}

static ffebm_status huge_weight(fixture *f, const batch *b) /* the loss overflows */
{
    for (size_t i = 0; i < ROWS; i++)
        set_element(b->weights, i, 1.7e308);
    return train(f, b);
}

static ffebm_status nan_parameter(fixture *f, const batch *b) /* behind both normalisations */
{
    set_element(value_of(f, "stage2.2.weight"), 0, NAN);
    return train(f, b);
}

static ffebm_status nan_forward(fixture *f, const batch *b)
{
    set_element(value_of(f, "stage2.2.bias"), 0, INFINITY);
    return only_forward(f, b);
}

static ffebm_status unsettled(fixture *f, const batch *b) /* found out on the way down */
{
    ffebm_equilibrium_config config = converged();

    config.nudged_sweeps = 1;
    config.require_convergence = 1;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
    return train(f, b);
}

/* The square of such a number is too large: the output is finite, the statistics would not be. */
static ffebm_status outlier(fixture *f, const batch *b)
{
    ffebm_status status;

    set_element(b->x, 7, 1e160);
    status = train(f, b);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(f->context), "stage0.0.running_var"));
    return status;
}

static ffebm_status outlier_forward(fixture *f, const batch *b)
{
    set_element(b->x, 7, -1e160);
    return only_forward(f, b);
}

static ffebm_status mode_alone(fixture *f, const batch *b)
{
    (void)b;
    assert_ok(f->context, ffebm_engine_set_mode(f->engine, FFEBM_MODE_EVALUATION));
    return ffebm_engine_set_mode(f->engine, FFEBM_MODE_TRAINING);
}

static const struct {
    action_fn act;
    ffebm_status status;
    bool moves;
} actions[] = {{train, FFEBM_OK, true},
               {train_four_point, FFEBM_OK, true},
               {train_implicit, FFEBM_OK, true},
               {only_forward, FFEBM_OK, true},
               {forward_and_two_vjps, FFEBM_OK, true},
               {evaluate, FFEBM_OK, false},
               {train_in_evaluation, FFEBM_OK, false},
               {mode_alone, FFEBM_OK, false},
               {nan_weight, FFEBM_ERR_NUMERIC, false},
               {huge_weight, FFEBM_ERR_NUMERIC, false},
               {nan_parameter, FFEBM_ERR_NUMERIC, false},
               {nan_forward, FFEBM_ERR_NUMERIC, false},
               {outlier, FFEBM_ERR_NUMERIC, false},
               {outlier_forward, FFEBM_ERR_NUMERIC, false},
               {unsettled, FFEBM_ERR_CONVERGENCE, false}};

static void save(const fixture *f, ffebm_tensor *saved[4])
{
    for (size_t i = 0; i < 4; i++)
        saved[i] = copy_of(f->context, value_of(f, buffers[i]));
}

/* running = running + momentum (batch - running), once, with the unbiased variance. */
static void check_moved(const fixture *f, ffebm_tensor *const before[4], size_t which, const ffebm_tensor *input,
                        double momentum)
{
    size_t channels = ffebm_tensor_count(before[which]), count = ffebm_tensor_count(input) / channels;

    for (size_t c = 0; c < channels; c++) {
        moments m = channel_moments(input, channels, c);
        double mean = element(before[which], c), variance = element(before[which + 1], c);
        double unbiased = m.variance * (double)count / (double)(count - 1);

        ck_assert_double_eq_tol(element(value_of(f, buffers[which]), c), mean + momentum * (m.mean - mean), 1e-14);
        ck_assert_double_eq_tol(element(value_of(f, buffers[which + 1]), c),
                                variance + momentum * (unbiased - variance), 1e-14);
    }
}

START_TEST(running_statistics_move_once_on_success)
{
    static const int64_t layer[] = {3, 4, 3};
    fixture f = fixture_of(chain, 0, 1, 8);
    batch b = batch_of(&f);
    ffebm_tensor *before[4], *state = random_batch(f.context, FFEBM_FLOAT64, ROWS, layer, 3, 0, 0, 0);

    assert_ok(f.context, only_forward(&f, &b)); /* away from their first values */
    save(&f, before);
    for (size_t i = 0; i < ffebm_tensor_count(b.x); i++)
        set_element(b.x, i, 2 * element(b.x, i) + 1);
    ck_assert_int_eq(actions[_i].act(&f, &b), actions[_i].status);
    if (actions[_i].moves) {
        assert_ok(f.context, ffebm_engine_get_state(f.engine, state, 1, 1, FFEBM_PHASE_FREE));
        check_moved(&f, before, 0, b.x, 0.3);
        check_moved(&f, before, 2, state, 0.1);
    }
    for (size_t i = 0; i < 4; i++) {
        if (!actions[_i].moves)
            ck_assert_mem_eq(ffebm_tensor_data(value_of(&f, buffers[i])), ffebm_tensor_data(before[i]),
                             ffebm_tensor_count(before[i]) * sizeof(double));
        ffebm_tensor_destroy(before[i]);
    }
    ffebm_tensor_destroy(state);
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

/* What a file or a host may have put where running statistics were: evaluation names it. */
START_TEST(no_statistics)
{
    static const double values[] = {-3, NAN, INFINITY};
    fixture f = fixture_of(chain, 0, 1, 8);
    batch b = batch_of(&f);

    for (size_t i = 0; i < 4; i++) {
        double good = element(value_of(&f, buffers[i]), 1);
        bool mean = i % 2 == 0;

        set_element(value_of(&f, buffers[i]), 1, values[_i]);
        ck_assert_int_eq(evaluate(&f, &b), mean && _i == 0 ? FFEBM_OK : FFEBM_ERR_NUMERIC);
        if (!mean || _i > 0)
            ck_assert_ptr_nonnull(strstr(ffebm_context_error(f.context), buffers[i]));
        set_element(value_of(&f, buffers[i]), 1, good);
        assert_ok(f.context, evaluate(&f, &b));
    }
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- nudging */

/* Samples are coupled behind the block: AUTO means LINEAR there, in either mode, and LOSS is refused. */
START_TEST(coupled_samples_are_nudged_linearly)
{
    fixture f = fixture_of(chain, 0, 1, 8);
    batch b = batch_of(&f);
    ffebm_equilibrium_config config;
    ffebm_tensor *gradients[2];

    ffebm_equilibrium_config_init(&config, sizeof config);
    if (_i == 1)
        assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
    for (int i = 0; i < 2; i++) {
        config.nudging = i == 0 ? FFEBM_NUDGING_AUTO : FFEBM_NUDGING_LINEAR;
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
        assert_ok(f.context, train(&f, &b));
        gradients[i] = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    }
    ck_assert_mem_eq(ffebm_tensor_data(gradients[0]), ffebm_tensor_data(gradients[1]),
                     f.info.element_count * sizeof(double));
    config.nudging = FFEBM_NUDGING_LOSS;
    ck_assert_int_eq(ffebm_engine_configure(f.engine, 1, &config), FFEBM_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(ffebm_context_error(f.context), "stage 1") != NULL, "%s", ffebm_context_error(f.context));
    ffebm_tensor_destroy(gradients[0]);
    ffebm_tensor_destroy(gradients[1]);
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

/* Evaluating is always in evaluation mode: whatever the mode, its loss is that of a gradient in evaluation mode. */
START_TEST(evaluate_is_in_evaluation_mode)
{
    fixture f = fixture_of(chain, 0, 1, 8);
    batch b = batch_of(&f);
    ffebm_report report = {.size = sizeof report}, expected = {.size = sizeof expected};

    assert_ok(f.context, train(&f, &b));
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, &report, NULL, b.x, b.y, NULL));
    assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
    assert_ok(f.context, ffebm_engine_gradient(f.engine, &expected, b.x, b.y, NULL));
    ck_assert_double_eq(report.loss, expected.loss);
    assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_TRAINING));
    assert_ok(f.context, ffebm_engine_gradient(f.engine, &expected, b.x, b.y, NULL));
    ck_assert_double_ne(report.loss, expected.loss);
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

/* Statistics and gradients are the same bits with 1, 2 and 3 threads, and float32 is near float64. */
START_TEST(threads_and_precisions_agree)
{
    ffebm_tensor *results[2][3];
    fixture f[2][3];

    for (int32_t p = 0; p < 2; p++)
        for (int32_t t = 0; t < 3; t++) {
            ffebm_tensor *x, *y;

            f[p][t] = fixture_of(chain, p == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, t + 1, 8);
            x = random_input(&f[p][t], 21, 5);
            y = random_labels(&f[p][t], 21, 6);
            assert_ok(f[p][t].context, ffebm_engine_gradient(f[p][t].engine, NULL, x, y, NULL));
            results[p][t] = ffebm_engine_flat_gradient(f[p][t].engine);
            ck_assert_mem_eq(ffebm_tensor_data(results[p][t]), ffebm_tensor_data(results[p][0]),
                             f[p][t].info.element_count * (p == 0 ? 8 : 4));
            ck_assert_double_lt(relative_error(results[p][t], results[0][0]), 1e-3);
            for (int i = 0; i < 4; i++)
                ck_assert_double_lt(relative_error(value_of(&f[p][t], buffers[i]), value_of(&f[0][0], buffers[i])),
                                    p == 0 ? 1e-300 : 1e-5);
            ffebm_tensor_destroy(x);
            ffebm_tensor_destroy(y);
        }
    for (int i = 0; i < 6; i++)
        fixture_end(&f[i / 3][i % 3]);
}
END_TEST

Suite *test_normalization_suite(void)
{
    Suite *suite = suite_create("normalization");
    TCase *tests = tcase_create("normalization");

    tcase_add_test(tests, training_output_has_the_parameters_moments);
    tcase_add_test(tests, one_number_becomes_the_bias);
    tcase_add_test(tests, evaluation_uses_constants);
    tcase_add_loop_test(tests, layernorm_equals_naive_loops, 0, 3);
    tcase_add_loop_test(tests, vjp_equals_differences, 0, 5);
    tcase_add_loop_test(tests, running_statistics_move_once_on_success, 0, sizeof actions / sizeof actions[0]);
    tcase_add_loop_test(tests, no_statistics, 0, 3);
    tcase_add_loop_test(tests, coupled_samples_are_nudged_linearly, 0, 2);
    tcase_add_test(tests, evaluate_is_in_evaluation_mode);
    tcase_add_test(tests, threads_and_precisions_agree);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Feedforward blocks: exact derivatives, one by one and in chains, and gradients of losses without energy blocks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define MODEL(input, loss, ops)                                                                                        \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"" loss "\", \"stages\": [{\"feedforward\": [" ops "]}" \
    "]}"
#define LINEAR(out) "{\"type\": \"linear\", \"out_features\": " out "}"
#define NO_BIAS(out) "{\"type\": \"linear\", \"bias\": false, \"out_features\": " out "}"
#define OP(type) "{\"type\": \"" type "\"}"
#define BETWEEN "]}, {\"feedforward\": ["

static const char *const blocks[] = {
    MODEL("[4]", "none", LINEAR("3")),
    MODEL("[4]", "none", NO_BIAS("3")),
    MODEL("[2, 3]", "none", OP("flatten")),
    MODEL("[2, 3]", "none", OP("relu")),
    MODEL("[3, 2, 2]", "none", OP("tanh")),
    MODEL("[5]", "none", OP("sigmoid")),
    MODEL("[5]", "none", ""),
    MODEL("[2, 3]", "none", OP("flatten") ", " LINEAR("4") ", " OP("tanh") ", " NO_BIAS("3") ", " OP("sigmoid")),
    MODEL("[6]", "none", LINEAR("5") ", " OP("relu") BETWEEN OP("flatten") BETWEEN LINEAR("2") ", " OP("flatten")),
    MODEL("[1]", "none", LINEAR("1")),
};

static double dot(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double sum = 0;

    for (size_t i = 0; i < ffebm_tensor_count(a); i++)
        sum += element(a, i) * element(b, i);
    return sum;
}

static ffebm_tensor *random_output(const fixture *f, int64_t rows, uint64_t seed)
{
    return random_batch(f->context, f->info.dtype, rows, f->info.output_shape, f->info.output_rank, -1, 1, seed);
}

/* Away from the kink of relu: |x| is at least 0.05. */
static ffebm_tensor *kinkless_input(const fixture *f, int64_t rows, uint64_t seed)
{
    ffebm_tensor *x = random_input(f, rows, seed);

    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        set_element(x, i, element(x, i) + copysign(0.05, element(x, i)));
    return x;
}

/* <v, F(x)> */
static double probe(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v)
{
    ffebm_tensor *output = copy_of(f->context, v);
    double value;

    assert_ok(f->context, ffebm_engine_forward(f->engine, output, &ticket, x));
    value = dot(v, output);
    ffebm_tensor_destroy(output);
    return value;
}

/* d <v, F(x)> / d (an element), by central differences. */
static double slope(const fixture *f, ffebm_tensor *of, size_t i, const ffebm_tensor *x, const ffebm_tensor *v)
{
    const double step = 1e-5, value = element(of, i);
    double above, below;

    set_element(of, i, value + step);
    above = probe(f, x, v);
    set_element(of, i, value - step);
    below = probe(f, x, v);
    set_element(of, i, value);
    return (above - below) / (2 * step);
}

enum { ROWS = 3 };

START_TEST(vjp_equals_finite_differences)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 21);
    ffebm_tensor *x = kinkless_input(&f, ROWS, 22), *v = random_output(&f, ROWS, 23), *down = copy_of(f.context, x);
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f.model), *gradient = ffebm_engine_flat_gradient(f.engine);

    ck_assert((parameters == NULL) == (f.info.element_count == 0) && (gradient == NULL) == (parameters == NULL));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, down, ticket, v, 0));
    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        ck_assert_double_eq_tol(element(down, i), slope(&f, x, i, x, v), 1e-8);
    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++)
        ck_assert_double_eq_tol(element(gradient, i), slope(&f, parameters, i, x, v), 1e-8);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(down);
    fixture_end(&f);
}
END_TEST

/* x + step u */
static ffebm_tensor *moved(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *u, double step)
{
    ffebm_tensor *to = copy_of(f->context, x);

    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        set_element(to, i, element(x, i) + step * element(u, i));
    return to;
}

START_TEST(vjp_is_the_adjoint)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 31);
    ffebm_tensor *x = kinkless_input(&f, ROWS, 32), *u = random_input(&f, ROWS, 33), *v = random_output(&f, ROWS, 34);
    ffebm_tensor *above = moved(&f, x, u, 1e-5), *below = moved(&f, x, u, -1e-5), *down = copy_of(f.context, x);
    double forward = (probe(&f, above, v) - probe(&f, below, v)) / 2e-5;

    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, down, ticket, v, 0));
    ck_assert_double_eq_tol(dot(down, u), forward, 1e-8 * fmax(1, fabs(forward)));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(u);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(above);
    ffebm_tensor_destroy(below);
    ffebm_tensor_destroy(down);
    fixture_end(&f);
}
END_TEST

/* J^T (2 v - 3 w) = 2 J^T v - 3 J^T w, whatever the scale; and the second vjp after a forward is as good as the first. */
START_TEST(vjp_is_linear)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 41);
    ffebm_tensor *x = kinkless_input(&f, ROWS, 42), *v = random_output(&f, ROWS, 43), *w = random_output(&f, ROWS, 44);
    ffebm_tensor *both = copy_of(f.context, v), *down[3];

    for (size_t i = 0; i < ffebm_tensor_count(v); i++)
        set_element(both, i, 2 * element(v, i) - 3 * element(w, i));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    for (size_t i = 0; i < 3; i++) {
        down[i] = copy_of(f.context, x);
        assert_ok(f.context, ffebm_engine_vjp(f.engine, down[i], ticket,
                                              i == 0   ? v
                                              : i == 1 ? w
                                                       : both,
                                              (double)i * 7));
    }
    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        ck_assert_double_eq_tol(element(down[2], i), 2 * element(down[0], i) - 3 * element(down[1], i), 1e-14);
    for (size_t i = 0; i < 3; i++)
        ffebm_tensor_destroy(down[i]);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(w);
    ffebm_tensor_destroy(both);
    fixture_end(&f);
}
END_TEST

START_TEST(tanh_and_relu_far_out)
{
    static const double big[] = {0, -0.0, 1e-30, 20, -20, 710, -710, 1e30, -1e30};
    static const char *const json[] = {MODEL("[9]", "none", OP("tanh")), MODEL("[9]", "none", OP("relu"))};
    fixture f = fixture_of(json[_i], 0, 1, 1);
    ffebm_tensor *x = random_input(&f, 1, 51), *y = copy_of(f.context, x);

    for (size_t i = 0; i < 9; i++)
        set_element(x, i, big[i]);
    assert_ok(f.context, ffebm_engine_forward(f.engine, y, &ticket, x));
    for (size_t i = 0; i < 9; i++) {
        double expected = _i == 0 ? tanh(big[i]) : fmax(0, big[i]);

        ck_assert_double_eq_tol(element(y, i), expected, 1e-15 * fabs(expected) + 1e-300);
    }
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* sigmoid(x) = (1 + tanh(x / 2)) / 2, and it does not overflow. */
START_TEST(sigmoid_far_out)
{
    static const double big[] = {0, 3, -3, 36, -36, 710, -710, 1e30, -1e30};
    fixture f = fixture_of(MODEL("[9]", "none", OP("sigmoid")), _i, 1, 1);
    ffebm_tensor *x = random_input(&f, 1, 51), *y = copy_of(f.context, x);

    for (size_t i = 0; i < 9; i++)
        set_element(x, i, big[i]);
    assert_ok(f.context, ffebm_engine_forward(f.engine, y, &ticket, x));
    for (size_t i = 0; i < 9; i++)
        ck_assert_double_eq_tol(element(y, i), (1 + tanh(big[i] / 2)) / 2, _i == FFEBM_FLOAT32 ? 1e-7 : 1e-15);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- losses */

#define NET LINEAR("6") ", " OP("tanh") BETWEEN LINEAR("5") ", " OP("sigmoid") ", " LINEAR("4")

static const struct {
    const char *json;
    int labels;
    int weighted;
} nets[] = {{MODEL("[3]", "cross_entropy", NET), 1, 0}, {MODEL("[3]", "cross_entropy", NET), 0, 1},
            {MODEL("[3]", "mse", NET), 1, 1},           {MODEL("[3]", "mse", NET), 0, 0},
            {MODEL("[3]", "cross_entropy", NET), 1, 1}, {MODEL("[2, 2]", "mse", OP("tanh")), 0, 1}};

typedef struct batch {
    ffebm_tensor *x, *y, *weights;
} batch;

static batch batch_of(const fixture *f, int net, int64_t rows)
{
    batch b = {random_input(f, rows, 61), NULL, NULL};

    b.y = nets[net].labels
              ? random_labels(f, rows, 62)
              : random_batch(f->context, f->info.dtype, rows, f->info.output_shape, f->info.output_rank, 0, 1, 63);
    if (nets[net].weighted)
        b.weights = random_batch(f->context, f->info.dtype, rows, f->info.input_shape, 0, 0, 2, 64);
    return b;
}

static void batch_end(batch *b)
{
    ffebm_tensor_destroy(b->x);
    ffebm_tensor_destroy(b->y);
    ffebm_tensor_destroy(b->weights);
}

static double target_of(const batch *b, size_t row, size_t unit, size_t units)
{
    if (ffebm_tensor_dtype(b->y) != FFEBM_INT64)
        return element(b->y, row * units + unit);
    return ((const int64_t *)ffebm_tensor_const_data(b->y))[row] == (int64_t)unit;
}

/* The loss by its definition; and into `cotangent`, its derivative by the output. */
static double loss_by_hand(const fixture *f, const batch *b, const ffebm_tensor *output, ffebm_tensor *cotangent)
{
    size_t units = f->outputs, rows = ffebm_tensor_count(output) / units;
    double loss = 0;

    for (size_t n = 0; n < rows; n++) {
        double weight = (b->weights == NULL ? 1 : element(b->weights, n)) / (double)rows, sum = 0, targets = 0;

        for (size_t c = 0; c < units; c++) {
            sum += exp(element(output, n * units + c));
            targets += target_of(b, n, c, units);
        }
        for (size_t c = 0; c < units; c++) {
            double o = element(output, n * units + c), t = target_of(b, n, c, units);
            int mse = f->info.loss == FFEBM_LOSS_MSE;

            loss += weight * (mse ? (o - t) * (o - t) / 2 : -t * log(exp(o) / sum));
            set_element(cotangent, n * units + c, weight * (mse ? o - t : targets * exp(o) / sum - t));
        }
    }
    return loss;
}

START_TEST(gradient_equals_forward_and_vjp)
{
    fixture f = fixture_of(nets[_i].json, 0, 1, 71);
    batch b = batch_of(&f, _i, 5);
    ffebm_tensor *output = random_output(&f, 5, 1), *c = copy_of(f.context, output), *gradient = NULL;
    ffebm_report report = {.size = sizeof report};

    assert_ok(f.context, ffebm_engine_gradient(f.engine, &report, b.x, b.y, b.weights));
    if (f.info.element_count > 0)
        gradient = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    assert_ok(f.context, ffebm_engine_forward(f.engine, output, &ticket, b.x));
    ck_assert_double_eq_tol(report.loss, loss_by_hand(&f, &b, output, c), 1e-14);
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, c, 0));
    if (gradient != NULL) {
        ck_assert_double_lt(relative_error(ffebm_engine_flat_gradient(f.engine), gradient), 1e-14);
        ck_assert_double_eq_tol(report.gradient_norm, sqrt(dot(gradient, gradient)), 1e-14);
    }
    ck_assert_uint_eq(report.batch, 5);
    ck_assert_uint_eq(report.unconverged + report.nonfinite + report.region_changes, 0);
    ck_assert_int_eq(report.sweeps, 0);
    ffebm_tensor_destroy(output);
    ffebm_tensor_destroy(c);
    ffebm_tensor_destroy(gradient);
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

static double loss_of(const fixture *f, const batch *b)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(f->context, ffebm_engine_evaluate(f->engine, &report, NULL, b->x, b->y, b->weights));
    return report.loss;
}

START_TEST(gradient_equals_finite_differences)
{
    fixture f = fixture_of(nets[_i].json, 0, 1, 81);
    batch b = batch_of(&f, _i, 4);
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f.model), *gradient = ffebm_engine_flat_gradient(f.engine);

    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, b.x, b.y, b.weights));
    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++) {
        double value = element(parameters, i), above, below;

        set_element(parameters, i, value + 1e-5);
        above = loss_of(&f, &b);
        set_element(parameters, i, value - 1e-5);
        below = loss_of(&f, &b);
        set_element(parameters, i, value);
        ck_assert_double_eq_tol(element(gradient, i), (above - below) / 2e-5, 1e-8);
    }
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

/* The gradient of a batch is the weighted mean of those of its samples. */
START_TEST(gradient_is_the_weighted_mean)
{
    fixture f = fixture_of(nets[_i].json, 0, 1, 91);
    batch b = batch_of(&f, _i, 40);
    ffebm_tensor *gradient = ffebm_engine_flat_gradient(f.engine), *sum, *whole;
    ffebm_report report = {.size = sizeof report};
    double loss = 0;

    assert_ok(f.context, ffebm_engine_gradient(f.engine, &report, b.x, b.y, b.weights));
    whole = gradient == NULL ? NULL : copy_of(f.context, gradient);
    sum = gradient == NULL ? NULL : copy_of(f.context, gradient);
    for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
        set_element(sum, i, 0);
    for (size_t n = 0; n < 40; n++) {
        double weight = (b.weights == NULL ? 1 : element(b.weights, n)) / 40;
        size_t target_size = ffebm_tensor_count(b.y) / 40;
        batch one = batch_of(&f, _i, 1);
        ffebm_report single = {.size = sizeof single};

        memcpy(ffebm_tensor_data(one.x), (double *)ffebm_tensor_data(b.x) + n * f.inputs, f.inputs * sizeof(double));
        memcpy(ffebm_tensor_data(one.y), (double *)ffebm_tensor_data(b.y) + n * target_size, target_size * 8);
        assert_ok(f.context, ffebm_engine_gradient(f.engine, &single, one.x, one.y, NULL));
        loss += weight * single.loss;
        for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
            set_element(sum, i, element(sum, i) + weight * element(gradient, i));
        batch_end(&one);
    }
    ck_assert_double_eq_tol(report.loss, loss, 1e-13);
    if (sum != NULL)
        ck_assert_double_lt(relative_error(whole, sum), 1e-12);
    ffebm_tensor_destroy(whole);
    ffebm_tensor_destroy(sum);
    batch_end(&b);
    fixture_end(&f);
}
END_TEST

static ffebm_tensor *as_float32(const fixture *f, const ffebm_tensor *from)
{
    ffebm_tensor *to;
    size_t rank;
    const int64_t *shape = ffebm_tensor_shape(from, &rank);

    assert_ok(f->context, ffebm_tensor_create(f->context, &to, FFEBM_FLOAT32, shape, rank));
    assert_ok(f->context, ffebm_tensor_copy(to, from));
    return to;
}

START_TEST(float32_is_close_to_float64)
{
    fixture narrow = fixture_of(nets[_i].json, FFEBM_FLOAT32, 1, 99), wide = fixture_of(nets[_i].json, 0, 1, 99);
    batch b = batch_of(&wide, _i, 6), singles = {as_float32(&narrow, b.x), b.y, NULL};
    ffebm_report reports[2] = {{.size = sizeof reports[0]}, {.size = sizeof reports[0]}};

    if (!nets[_i].labels)
        singles.y = as_float32(&narrow, b.y);
    assert_ok(wide.context, ffebm_engine_gradient(wide.engine, &reports[0], b.x, b.y, NULL));
    assert_ok(narrow.context, ffebm_engine_gradient(narrow.engine, &reports[1], singles.x, singles.y, NULL));
    ck_assert_double_eq_tol(reports[0].loss, reports[1].loss, 1e-5 * reports[0].loss);
    if (wide.info.element_count > 0)
        ck_assert_double_lt(
            relative_error(ffebm_engine_flat_gradient(narrow.engine), ffebm_engine_flat_gradient(wide.engine)), 1e-5);
    ffebm_tensor_destroy(singles.x);
    if (!nets[_i].labels)
        ffebm_tensor_destroy(singles.y);
    batch_end(&b);
    fixture_end(&narrow);
    fixture_end(&wide);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_feedforward_suite(void)
{
    Suite *suite = suite_create("feedforward");
    TCase *tests = tcase_create("feedforward");

    tcase_add_loop_test(tests, vjp_equals_finite_differences, 0, COUNT(blocks));
    tcase_add_loop_test(tests, vjp_is_the_adjoint, 0, COUNT(blocks));
    tcase_add_loop_test(tests, vjp_is_linear, 0, COUNT(blocks));
    tcase_add_loop_test(tests, tanh_and_relu_far_out, 0, 2);
    tcase_add_loop_test(tests, sigmoid_far_out, FFEBM_FLOAT32, FFEBM_FLOAT64 + 1);
    tcase_add_loop_test(tests, gradient_equals_forward_and_vjp, 0, COUNT(nets));
    tcase_add_loop_test(tests, gradient_equals_finite_differences, 0, COUNT(nets));
    tcase_add_loop_test(tests, gradient_is_the_weighted_mean, 0, COUNT(nets));
    tcase_add_loop_test(tests, float32_is_close_to_float64, 0, COUNT(nets));
    suite_add_tcase(suite, tests);
    return suite;
}

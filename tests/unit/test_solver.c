/* The seams below the engine: an energy of another kind (springs.c) and a solver that wraps another (offset_solver.c), each a
 * file and a line in a list, go through all that a model goes through. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "offset_solver.h"
#include "springs.h"

enum { PAIRS = 5, ROWS = 3, OUTPUTS = 4, SPRINGS = 1 };

/* linear - springs - linear, with mean squared error. */
static fixture springs_fixture(int32_t dtype, int32_t threads)
{
    fixture f = {.info = {.size = sizeof f.info}};
    ffebm_context_config context;
    ffebm_equilibrium_config config = converged();
    ffebm_op_config op;
    ffebm_energy *block = NULL;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = threads;
    ck_assert_int_eq(ffebm_context_create(&f.context, &context), FFEBM_OK);
    assert_ok(f.context, ffebm_model_create(f.context, &f.model, dtype, (int64_t[]){6}, 1, FFEBM_LOSS_MSE));
    for (int i = 0; i < 2; i++) {
        ffebm_feedforward *linear = NULL;

        ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
        op.out = i == 0 ? 2 * PAIRS : OUTPUTS;
        assert_ok(f.context, ffebm_feedforward_create(f.context, &linear));
        assert_ok(f.context, ffebm_feedforward_add_op(linear, &op));
        assert_ok(f.context, ffebm_model_add_feedforward(f.model, &linear));
        if (i == 1)
            break;
        assert_ok(f.context, springs_create(f.context, &block, PAIRS));
        assert_ok(f.context, ffebm_model_add_energy(f.model, &block));
    }
    assert_ok(f.context, ffebm_model_initialize(f.model, 3));
    assert_ok(f.context, ffebm_engine_create(&f.engine, f.model, NULL));
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    assert_ok(f.context, ffebm_model_inspect(f.model, &f.info));
    f.inputs = 6;
    f.outputs = OUTPUTS;
    return f;
}

static ffebm_tensor *values_of(const fixture *f, const char *name)
{
    ffebm_parameter_info info = {.size = sizeof info};
    size_t index = ffebm_model_find_parameter(f->model, name);

    ck_assert_uint_ne(index, FFEBM_NONE);
    assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, index));
    return info.value;
}

static ffebm_tensor *springs_input(const fixture *f, uint64_t seed)
{
    return random_batch(f->context, f->info.dtype, ROWS, (int64_t[]){2 * PAIRS}, 1, -1, 1, seed);
}

static ffebm_tensor *state_of(const fixture *f, size_t layer, int32_t phase)
{
    ffebm_tensor *state = random_batch(f->context, f->info.dtype, ROWS, (int64_t[]){PAIRS}, 1, 0, 1, 0);

    assert_ok(f->context, ffebm_engine_get_state(f->engine, state, SPRINGS, layer, phase));
    return state;
}

/* --------------------------------------------------------------------------------------------------- another energy */

/* Free and under a force, every pair is where its equations say. */
START_TEST(springs_settle_exactly)
{
    fixture f = springs_fixture(FFEBM_FLOAT64, 1);
    ffebm_tensor *x = springs_input(&f, 5);
    ffebm_tensor *force = random_batch(f.context, FFEBM_FLOAT64, ROWS, (int64_t[]){PAIRS}, 1, -1, 1, 6);
    const ffebm_tensor *k = values_of(&f, "stage1.0.near"), *w = values_of(&f, "stage1.0.far");

    for (int nudged = 0; nudged < 2; nudged++) {
        int32_t phase = nudged ? FFEBM_PHASE_NUDGED : FFEBM_PHASE_FREE;
        ffebm_tensor *layers[2];

        assert_ok(f.context, ffebm_engine_settle(f.engine, SPRINGS, x, nudged ? force : NULL));
        layers[0] = state_of(&f, 0, phase);
        layers[1] = state_of(&f, 1, phase);
        for (size_t i = 0; i < ROWS * PAIRS; i++) {
            double u = element(x, 2 * i) - element(x, 2 * i + 1) / 2, h, o;

            springs_solve(element(k, i % PAIRS), element(w, i % PAIRS), u, nudged ? element(force, i) : 0, &h, &o);
            ck_assert_double_eq_tol(element(layers[0], i), h, 1e-10);
            ck_assert_double_eq_tol(element(layers[1], i), o, 1e-10);
        }
        ffebm_tensor_destroy(layers[0]);
        ffebm_tensor_destroy(layers[1]);
    }
    ffebm_tensor_destroy(force);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* All estimators, in either dtype, against implicit differentiation and differences of the loss: parameters in front of the
 * springs, of them and behind them, and the input. */
START_TEST(springs_pass_their_certificate)
{
    int32_t dtype = _i < 5 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    fixture f = springs_fixture(dtype, 2);
    ffebm_tensor *x = random_input(&f, ROWS, 5);
    ffebm_tensor *y = random_batch(f.context, dtype, ROWS, (int64_t[]){OUTPUTS}, 1, -1, 1, 6);
    ffebm_equilibrium_config config = converged();
    ffebm_certify_config certify;
    ffebm_certificate worst = {.size = sizeof worst};

    config.estimator = FFEBM_ESTIMATOR_CENTERED + _i % 5;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.free_tolerance = dtype == FFEBM_FLOAT64 ? 1e-14 : 1e-6;
    config.beta = 0.5; /* nothing bends: any strength is exact but for the one-sided ones' own error */
    if (config.estimator != FFEBM_ESTIMATOR_CENTERED && config.estimator != FFEBM_ESTIMATOR_FOUR_POINT)
        config.beta = 1e-3;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    ffebm_certify_config_init(&certify, sizeof certify);
    certify.directions = dtype == FFEBM_FLOAT64 ? 4 : 0;
    assert_ok(f.context, ffebm_engine_certify(f.engine, &worst, x, y, NULL, &certify));
    ck_assert_msg(worst.passed == 1, "%s: %g %g", worst.name, worst.cosine, worst.difference_error);
    ck_assert_double_gt(worst.cosine, 0.9999);
    ck_assert_uint_eq(worst.region_changes, 0);
    if (dtype == FFEBM_FLOAT64 && config.beta > 0.1)
        ck_assert_double_lt(worst.relative_error, 1e-9);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

static double energy_sum(const fixture *f, const ffebm_tensor *x)
{
    int64_t rows = ROWS;
    ffebm_tensor *energies;
    double sum = 0;

    assert_ok(f->context, ffebm_tensor_create(f->context, &energies, FFEBM_FLOAT64, &rows, 1));
    assert_ok(f->context, ffebm_engine_energy(f->engine, energies, SPRINGS, FFEBM_PHASE_FREE, x));
    for (size_t i = 0; i < ROWS; i++)
        sum += element(energies, i);
    ffebm_tensor_destroy(energies);
    return sum;
}

/* dE/dtheta at a state, where the difference of two states says nothing, against differences of the energy. */
START_TEST(springs_energy_gradient_is_that_of_the_energy)
{
    fixture f = springs_fixture(FFEBM_FLOAT64, 1);
    ffebm_tensor *x = springs_input(&f, 5), *gradient = ffebm_engine_flat_gradient(f.engine);
    const double step = 1e-5;

    assert_ok(f.context, ffebm_engine_settle(f.engine, SPRINGS, x, NULL));
    assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, NULL, SPRINGS, FFEBM_PHASE_FREE));
    for (int p = 0; p < 2; p++) {
        const char *name = p == 0 ? "stage1.0.near" : "stage1.0.far";
        ffebm_tensor *values = values_of(&f, name);
        size_t offset = (size_t)((double *)ffebm_tensor_data(values) -
                                 (double *)ffebm_tensor_data(ffebm_model_flat_parameters(f.model)));

        for (size_t i = 0; i < PAIRS; i++) {
            double value = element(values, i), difference = 0;

            for (int side = -1; side <= 1; side += 2) {
                set_element(values, i, value + side * step);
                difference += side * energy_sum(&f, x) / (2 * step * ROWS);
            }
            set_element(values, i, value);
            ck_assert_double_eq_tol(element(gradient, offset + i), difference, 1e-8);
        }
    }
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* First values, and all that training makes of them, stay within the bounds that the kind gives; the depth profile knows the
 * block. */
START_TEST(springs_train_within_bounds)
{
    fixture f = springs_fixture(FFEBM_FLOAT32, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 5);
    ffebm_tensor *y = random_batch(f.context, FFEBM_FLOAT32, ROWS, (int64_t[]){OUTPUTS}, 1, -9, 9, 6);
    ffebm_tensor *k = values_of(&f, "stage1.0.near");
    ffebm_layer_report report = {.size = sizeof report};
    ffebm_adam_config adam;
    ffebm_optimizer *optimizer;
    size_t at_bounds = 0;

    ffebm_adam_config_init(&adam, sizeof adam);
    adam.learning_rate = 0.5;
    assert_ok(f.context, ffebm_optimizer_create_adam(&optimizer, f.model, &adam));
    for (int step = 0; step < 30; step++) {
        assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
        assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    }
    for (size_t i = 0; i < PAIRS; i++) {
        ck_assert(element(k, i) >= (double)0.2f && element(k, i) <= 5);
        at_bounds += element(k, i) == (double)0.2f || element(k, i) == 5;
    }
    ck_assert_uint_gt(at_bounds, 0);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    assert_ok(f.context, ffebm_engine_inspect_layer(f.engine, &report, SPRINGS, 1));
    ck_assert_uint_eq(report.units, PAIRS);
    ck_assert_double_gt(report.nudge_norm, 0);
    ck_assert_double_eq(report.saturated, 0);
    ffebm_optimizer_destroy(optimizer);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

#define SPRINGS_JSON                                                                                                   \
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": "          \
    "\"linear\", \"out_features\": 10}]}, {\"energy\": {\"type\": \"springs\", \"pairs\": 5}}, {\"feedforward\": "     \
    "[{\"type\": \"linear\", \"out_features\": 4}]}]}"

static void same_values(ffebm_model *a, ffebm_model *b)
{
    const ffebm_tensor *left = ffebm_model_flat_parameters(a), *right = ffebm_model_flat_parameters(b);

    ck_assert_uint_eq(ffebm_tensor_count(left), ffebm_tensor_count(right));
    ck_assert_mem_eq(ffebm_tensor_const_data(left), ffebm_tensor_const_data(right),
                     ffebm_tensor_count(left) * sizeof(double));
}

/* By its JSON the block is the one that calls make, and its description is that JSON again. */
START_TEST(springs_are_described)
{
    fixture f = springs_fixture(FFEBM_FLOAT64, 1);
    ffebm_model *parsed[2];
    const char *text[3];

    assert_ok(f.context, ffebm_model_parse(f.context, &parsed[0], SPRINGS_JSON, strlen(SPRINGS_JSON), NULL));
    assert_ok(f.context, ffebm_model_description(f.model, &text[0], NULL));
    assert_ok(f.context, ffebm_model_description(parsed[0], &text[1], NULL));
    assert_ok(f.context, ffebm_model_parse(f.context, &parsed[1], text[1], strlen(text[1]), NULL));
    assert_ok(f.context, ffebm_model_description(parsed[1], &text[2], NULL));
    ck_assert_str_eq(text[0], text[1]);
    ck_assert_str_eq(text[1], text[2]);
    ck_assert_ptr_nonnull(strstr(text[1], "{\"energy\":{\"type\":\"springs\",\"pairs\":5}}"));
    assert_ok(f.context, ffebm_model_initialize(parsed[0], 3));
    same_values(f.model, parsed[0]);
    ffebm_model_destroy(parsed[0]);
    ffebm_model_destroy(parsed[1]);
    fixture_end(&f);
}
END_TEST

/* Their checkpoint is loaded by a program that knows the kind, without a call about springs. */
START_TEST(springs_are_saved_and_loaded)
{
    fixture f = springs_fixture(FFEBM_FLOAT64, 1);
    char path[] = "/tmp/ffebm_springs_XXXXXX";
    const char *saved, *loaded;
    ffebm_model *model;
    int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    close(file);
    assert_ok(f.context, ffebm_checkpoint_save(f.model, NULL, NULL, path));
    assert_ok(f.context, ffebm_checkpoint_load(f.context, &model, path));
    same_values(f.model, model);
    assert_ok(f.context, ffebm_model_description(f.model, &saved, NULL));
    assert_ok(f.context, ffebm_model_description(model, &loaded, NULL));
    ck_assert_str_eq(saved, loaded);
    ffebm_model_destroy(model);
    unlink(path);
    fixture_end(&f);
}
END_TEST

static const struct {
    const char *keys, *words;
} bad_springs[] = {
    {"\"type\": \"springs\"", "stage 0: key \"pairs\" is missing"},
    {"\"type\": \"springs\", \"pairs\": 1.5", "expected an integer"},
    {"\"type\": \"springs\", \"pairs\": 2, \"couplings\": []", "unknown key \"couplings\""},
    {"\"type\": \"spring\"", "unknown energy type \"spring\", expected one of hopfield, resistive, springs"}};

START_TEST(bad_springs_are_refused)
{
    char json[256];
    ffebm_context *context;
    ffebm_model *model;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    snprintf(json, sizeof json, "{\"input\": [4], \"loss\": \"mse\", \"stages\": [{\"energy\": {%s}}]}",
             bad_springs[_i].keys);
    ck_assert_int_eq(ffebm_model_parse(context, &model, json, strlen(json), NULL), FFEBM_ERR_PARSE);
    ck_assert_msg(strstr(ffebm_context_error(context), bad_springs[_i].words) != NULL, "%s",
                  ffebm_context_error(context));
    ffebm_context_destroy(context);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- another solver */

/* The output of every sample with and without the constant. Where states are kept whole the next stage sees it, and so does a
 * gradient that is read off outputs; where they are displacements it cancels. */
START_TEST(a_solver_may_wrap_another)
{
    fixture f = springs_fixture(FFEBM_FLOAT64, 1);
    ffebm_tensor *x = random_input(&f, ROWS, 5);
    ffebm_tensor *y = random_batch(f.context, FFEBM_FLOAT64, ROWS, (int64_t[]){OUTPUTS}, 1, -1, 1, 6);
    ffebm_report reports[2] = {{.size = sizeof reports[0]}, {.size = sizeof reports[0]}};
    ffebm_tensor *outputs[2];

    for (int wrapped = 0; wrapped < 2; wrapped++) {
        ffebm_engine *engine;

        offset_solver_constant = wrapped ? 0.25 : 0;
        assert_ok(f.context, ffebm_engine_create(&engine, f.model, NULL));
        ffebm_engine_destroy(f.engine);
        f.engine = engine;
        assert_ok(f.context, ffebm_engine_gradient(f.engine, &reports[wrapped], x, y, NULL));
        outputs[wrapped] = state_of(&f, 1, FFEBM_PHASE_FREE);
    }
    for (size_t i = 0; i < ROWS * PAIRS; i++)
        ck_assert_double_eq_tol(element(outputs[1], i) - element(outputs[0], i), 0.25, 1e-12);
    ck_assert_double_ne(reports[0].loss, reports[1].loss);
    ck_assert_double_ne(reports[0].gradient_norm, reports[1].gradient_norm);
    offset_solver_constant = 0;
    for (int i = 0; i < 2; i++)
        ffebm_tensor_destroy(outputs[i]);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

Suite *test_solver_suite(void)
{
    Suite *suite = suite_create("solver");
    TCase *tests = tcase_create("solver");

    tcase_add_test(tests, springs_settle_exactly);
    tcase_add_loop_test(tests, springs_pass_their_certificate, 0, 10);
    tcase_add_test(tests, springs_energy_gradient_is_that_of_the_energy);
    tcase_add_test(tests, springs_train_within_bounds);
    tcase_add_test(tests, springs_are_described);
    tcase_add_test(tests, springs_are_saved_and_loaded);
    tcase_add_loop_test(tests, bad_springs_are_refused, 0, sizeof bad_springs / sizeof bad_springs[0]);
    tcase_add_test(tests, a_solver_may_wrap_another);
    suite_add_tcase(suite, tests);
    return suite;
}

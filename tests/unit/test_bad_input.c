/* What computing refuses: with which status, in which words, and that what refused it still works. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "refusal.h"

START_TEST(index_out_of_range)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_layer_info layer = {.size = sizeof layer};
    ffebm_parameter_info parameter = {.size = sizeof parameter};
    ffebm_phase_report phase = {.size = sizeof phase};
    static const size_t stages[] = {0, 5, 99, FFEBM_NONE, FFEBM_ALL}; /* what was not found is not all */

    REFUSED(ffebm_model_inspect_stage(f.model, &stage, 5), FFEBM_ERR_ARGUMENT, "stage 5 of 5");
    REFUSED(ffebm_model_inspect_stage(f.model, &stage, FFEBM_ALL), FFEBM_ERR_ARGUMENT, "stage");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 9, 0), FFEBM_ERR_ARGUMENT, "9");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 1, 2), FFEBM_ERR_ARGUMENT, "2");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 0, FFEBM_ALL), FFEBM_ERR_ARGUMENT, "stage 0");
    REFUSED(ffebm_model_inspect_parameter(f.model, &parameter, 10), FFEBM_ERR_ARGUMENT, "10");
    REFUSED(ffebm_model_inspect_parameter(f.model, &parameter, FFEBM_NONE), FFEBM_ERR_ARGUMENT, "parameter");
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        REFUSED(ffebm_engine_settle(f.engine, stages[i], x, NULL), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_energy(f.engine, x, stages[i], FFEBM_PHASE_FREE, x), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_energy_gradient(f.engine, NULL, stages[i], FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_get_state(f.engine, x, stages[i], 0, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_set_state(f.engine, stages[i], 0, x), FFEBM_ERR_ARGUMENT, "stage");
        if (stages[i] == FFEBM_ALL)
            continue;
        REFUSED(ffebm_engine_configure(f.engine, stages[i], NULL), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_inspect_phase(f.engine, &phase, stages[i], FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
    }
    for (int32_t p = 0; p <= 3; p += 3) {
        REFUSED(ffebm_engine_energy(f.engine, x, 1, p, x), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_energy_gradient(f.engine, NULL, 1, p), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_get_state(f.engine, x, 1, 0, p), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_inspect_phase(f.engine, &phase, 1, p), FFEBM_ERR_ARGUMENT, "phase");
    }
    REFUSED(ffebm_engine_get_state(f.engine, x, 1, 2, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "2 layers");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 2, x), FFEBM_ERR_ARGUMENT, "2 layers");
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- computing */

static ffebm_tensor *zeros(int32_t dtype, int64_t rows, int64_t units)
{
    const int64_t shape[] = {rows, units};
    ffebm_tensor *tensor;

    assert_ok(f.context, ffebm_tensor_create(f.context, &tensor, dtype, shape, units == 0 ? 1 : 2));
    return tensor;
}

/* Every input of every computing call, of a wrong shape or type. */
START_TEST(tensors_refused)
{
    static const struct {
        int32_t dtype;
        int64_t rows, units;
        ffebm_status status; /* where double [4, 4] is right */
    } wrong[] = {{FFEBM_FLOAT64, 4, 7, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT64, 16, 0, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT64, 3, 9, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT32, 4, 4, FFEBM_ERR_DTYPE},
                 {FFEBM_INT64, 4, 4, FFEBM_ERR_DTYPE}};
    ffebm_status status = wrong[_i].status;
    ffebm_tensor *bad = zeros(wrong[_i].dtype, wrong[_i].rows, wrong[_i].units), *in = zeros(FFEBM_FLOAT64, 4, 6);
    ffebm_status target = wrong[_i].dtype == FFEBM_INT64 ? FFEBM_ERR_SHAPE : status;

    REFUSED(ffebm_engine_gradient(f.engine, NULL, bad, y, NULL), status, "input");
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, bad, NULL), target, "target");
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, bad), status, "weights");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, bad, y, NULL), status, "input");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, bad, NULL), target, "target");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, bad), status, "weights");
    REFUSED(ffebm_engine_forward(f.engine, NULL, &ticket, bad), status, "input");
    REFUSED(ffebm_engine_forward(f.engine, bad, &ticket, x), status, "output");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, bad, 0), status, "output_cotangent");
    REFUSED(ffebm_engine_settle(f.engine, 1, bad, NULL), status, "input");
    REFUSED(ffebm_engine_settle(f.engine, 1, in, bad), status, "force");
    REFUSED(ffebm_engine_get_state(f.engine, bad, 1, 0, FFEBM_PHASE_FREE), status, "state");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 0, bad), status, "state");
    REFUSED(ffebm_engine_energy(f.engine, bad, 1, FFEBM_PHASE_FREE, in), status, "energies");
    ffebm_tensor_destroy(bad);
    ffebm_tensor_destroy(in);
}
END_TEST

START_TEST(label_out_of_range)
{
    static const int64_t labels[] = {-1, 3, INT64_MAX, INT64_MIN};
    int64_t *data = ffebm_tensor_data(y), good = data[2];
    char words[64];

    data[2] = labels[_i];
    snprintf(words, sizeof words, "%lld at 2", (long long)labels[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, words);
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, words);
    data[2] = good;
}
END_TEST

START_TEST(batch_above_the_most)
{
    ffebm_engine_config config = {.size = sizeof config, .max_batch = 3};
    ffebm_engine *engine = f.engine;
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6);
    ffebm_report small = {.size = sizeof small}, large = {.size = sizeof large};

    assert_ok(f.context, ffebm_engine_create(&engine, f.model, &config));
    REFUSED(ffebm_engine_gradient(engine, NULL, x, y, NULL), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_forward(engine, NULL, &ticket, x), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_settle(engine, 1, in, NULL), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_set_state(engine, 1, 0, in), FFEBM_ERR_SHAPE, "max_batch 3");
    assert_ok(f.context, ffebm_engine_evaluate(engine, &small, NULL, x, y, NULL)); /* in slices */
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, &large, NULL, x, y, NULL));
    ck_assert_double_eq_tol(small.loss, large.loss, 1e-12);
    ck_assert_uint_eq(small.correct, large.correct);
    ck_assert_uint_eq(small.batch, 4);
    ffebm_engine_destroy(engine);

    config.max_batch = 0;
    REFUSED(ffebm_engine_create(&engine, f.model, &config), FFEBM_ERR_ARGUMENT, "max_batch is 0");
    ck_assert_ptr_null(engine);
    for (config.max_batch = SIZE_MAX; config.max_batch > SIZE_MAX / 8; config.max_batch /= 2)
        REFUSED(ffebm_engine_create(&engine, f.model, &config), FFEBM_ERR_SHAPE, "max_batch");
    ck_assert_ptr_null(engine);
    ffebm_tensor_destroy(in);
}
END_TEST

START_TEST(nudging_by_loss_refused)
{
    fixture lossless = fixture_of(CHAIN("none"), 0, 1, 3);
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.nudging = FFEBM_NUDGING_LOSS;
    config.beta = 0.7; /* nothing of it may stay behind, in any block */
    REFUSED(ffebm_engine_configure(f.engine, 1, &config), FFEBM_ERR_UNSUPPORTED, "stage 1");
    REFUSED(ffebm_engine_configure(f.engine, FFEBM_ALL, &config), FFEBM_ERR_UNSUPPORTED, "stage 1");
    ck_assert_int_eq(ffebm_engine_configure(lossless.engine, 3, &config), FFEBM_ERR_UNSUPPORTED);
    ck_assert_int_eq(ffebm_engine_gradient(lossless.engine, NULL, x, y, NULL), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_engine_evaluate(lossless.engine, NULL, NULL, x, y, NULL), FFEBM_ERR_STATE);
    ck_assert(strstr(ffebm_context_error(lossless.context), "loss") != NULL);
    fixture_end(&lossless);
}
END_TEST

START_TEST(states_lacking)
{
    ffebm_engine *fresh;
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6), *out = zeros(FFEBM_FLOAT64, 4, 5), *e = zeros(FFEBM_FLOAT64, 4, 0);
    ffebm_equilibrium_config config;

    assert_ok(f.context, ffebm_engine_create(&fresh, f.model, NULL));
    REFUSED(ffebm_engine_settle(fresh, 1, in, out), FFEBM_ERR_STATE, "stage 1");
    REFUSED(ffebm_engine_energy(fresh, e, 1, FFEBM_PHASE_FREE, in), FFEBM_ERR_STATE, "free");
    REFUSED(ffebm_engine_energy_gradient(fresh, NULL, 1, FFEBM_PHASE_FREE), FFEBM_ERR_STATE, "free");
    REFUSED(ffebm_engine_get_state(fresh, in, 1, 0, FFEBM_PHASE_FREE), FFEBM_ERR_STATE, "free");
    assert_ok(f.context, ffebm_engine_settle(fresh, 1, in, NULL));
    REFUSED(ffebm_engine_energy(fresh, e, 1, FFEBM_PHASE_NUDGED, in), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_energy_gradient(fresh, NULL, 1, FFEBM_PHASE_NUDGED), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_get_state(fresh, in, 1, 0, FFEBM_PHASE_NUDGED), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_energy(fresh, e, 3, FFEBM_PHASE_FREE, in), FFEBM_ERR_STATE, "stage 3");

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.start = FFEBM_START_STATE;
    assert_ok(f.context, ffebm_engine_configure(fresh, FFEBM_ALL, &config));
    REFUSED(ffebm_engine_gradient(fresh, NULL, x, y, NULL), FFEBM_ERR_STATE, "stage 3");
    ffebm_engine_destroy(fresh);
    ffebm_tensor_destroy(in);
    ffebm_tensor_destroy(out);
    ffebm_tensor_destroy(e);
}
END_TEST

START_TEST(vjp_refused)
{
    static const double scales[] = {-1, NAN, INFINITY, -INFINITY};
    ffebm_tensor *v = zeros(FFEBM_FLOAT64, 4, 3), *values = copy_of(f.context, ffebm_model_flat_parameters(f.model));

    REFUSED(ffebm_engine_vjp(f.engine, NULL, 1, v, 0), FFEBM_ERR_STATE, "ticket"); /* the last call was a gradient */
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
        REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, v, scales[i]), FFEBM_ERR_ARGUMENT, "scale");
    }
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 0));
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, v, 0), FFEBM_ERR_STATE, "parameters");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_model_initialize(f.model, 3));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, v, 0), FFEBM_ERR_STATE, "parameters");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, v, 0), FFEBM_ERR_STATE, "another call");
    assert_ok(f.context, ffebm_tensor_copy(ffebm_model_flat_parameters(f.model), values));
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(values);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- NaN, infinity, failure */

static void check_parameters(const ffebm_tensor *before)
{
    ck_assert(memcmp(ffebm_tensor_data(ffebm_model_flat_parameters(f.model)), ffebm_tensor_const_data(before),
                     ffebm_tensor_count(before) * sizeof(double)) == 0);
}

static const double poisons[] = {NAN, INFINITY, -INFINITY};

START_TEST(not_finite_input)
{
    ffebm_tensor *before = copy_of(f.context, ffebm_model_flat_parameters(f.model)),
                 *weights = zeros(FFEBM_FLOAT64, 4, 0);
    double good = element(x, 9);

    set_element(x, 9, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_engine_forward(f.engine, NULL, &ticket, x), FFEBM_ERR_NUMERIC, "input");
    set_element(x, 9, good);
    set_element(weights, 2, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, weights), FFEBM_ERR_NUMERIC, "weights");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, weights), FFEBM_ERR_NUMERIC, "weights");
    check_parameters(before);
    ffebm_tensor_destroy(before);
    ffebm_tensor_destroy(weights);
}
END_TEST

START_TEST(not_finite_target_and_cotangent)
{
    ffebm_tensor *values = zeros(FFEBM_FLOAT64, 4, 3);

    set_element(values, 5, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, values, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, values, NULL), FFEBM_ERR_NUMERIC, "");
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, values, 0), FFEBM_ERR_NUMERIC, "output_cotangent");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    ffebm_tensor_destroy(values);
}
END_TEST

/* Found in any parameter, in whatever stage it is. */
START_TEST(not_finite_parameter)
{
    ffebm_tensor *before = copy_of(f.context, ffebm_model_flat_parameters(f.model));
    ffebm_parameter_info info = {.size = sizeof info};
    double good;

    assert_ok(f.context, ffebm_model_inspect_parameter(f.model, &info, (size_t)_i % 10));
    good = element(info.value, 1);
    set_element(info.value, 1, poisons[_i / 10]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_engine_forward(f.engine, NULL, &ticket, x), FFEBM_ERR_NUMERIC, "");
    set_element(info.value, 1, good);
    check_parameters(before);
    ffebm_tensor_destroy(before);
}
END_TEST

START_TEST(not_a_number_in_a_block)
{
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6), *force = zeros(FFEBM_FLOAT64, 4, 5);

    set_element(force, 7, NAN);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 1, in, NULL));
    REFUSED(ffebm_engine_settle(f.engine, 1, in, force), FFEBM_ERR_NUMERIC, "stage 1");
    set_element(in, 7, NAN);
    REFUSED(ffebm_engine_settle(f.engine, 1, in, NULL), FFEBM_ERR_NUMERIC, "stage 1");
    ffebm_tensor_destroy(in);
    ffebm_tensor_destroy(force);
}
END_TEST

/* After a gradient that failed for whatever reason, there is none to step with. */
START_TEST(no_step_after_a_failure)
{
    ffebm_tensor *bad = zeros(FFEBM_FLOAT32, 4, 4), *v = zeros(FFEBM_FLOAT64, 4, 3);
    ffebm_equilibrium_config config;

    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    switch (_i) {
    case 0:
        REFUSED(ffebm_engine_gradient(f.engine, NULL, bad, y, NULL), FFEBM_ERR_DTYPE, "input");
        break;
    case 1:
        ((int64_t *)ffebm_tensor_data(y))[0] += 100;
        REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, "label");
        ((int64_t *)ffebm_tensor_data(y))[0] -= 100;
        break;
    case 2:
        REFUSED(ffebm_engine_vjp(f.engine, NULL, 1, v, 0), FFEBM_ERR_STATE, "forward");
        break;
    default:
        ffebm_equilibrium_config_init(&config, sizeof config);
        config.free_sweeps = 1;
        config.require_convergence = 1;
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
        REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_CONVERGENCE, "stage 1");
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, NULL));
    }
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    ffebm_tensor_destroy(bad);
    ffebm_tensor_destroy(v);
}
END_TEST

/* Signs are drawn by the number of the call: one that fails, for whatever reason and however late, has none. */
START_TEST(a_failure_draws_nothing)
{
    ffebm_tensor *v = zeros(FFEBM_FLOAT64, 4, 3), *in = zeros(FFEBM_FLOAT64, 4, 6), *gradient;
    ffebm_equilibrium_config config;
    double good = element(x, 9);

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.estimator = FFEBM_ESTIMATOR_RANDOM_SIGN;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    assert_ok(f.context, ffebm_engine_set_step(f.engine, 7));
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    gradient = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));

    assert_ok(f.context, ffebm_engine_set_step(f.engine, 6));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x)); /* the only one that counts */
    set_element(v, 5, NAN);
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, v, 0), FFEBM_ERR_NUMERIC, "output_cotangent");
    set_element(x, 9, NAN);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_engine_forward(f.engine, NULL, &ticket, x), FFEBM_ERR_NUMERIC, "input");
    set_element(x, 9, good);
    set_element(in, 3, NAN);
    REFUSED(ffebm_engine_settle(f.engine, 1, in, NULL), FFEBM_ERR_NUMERIC, "stage 1");
    set_element(v, 5, 1e308); /* found in the gradient */
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, v, NULL), FFEBM_ERR_NUMERIC, "");
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    ck_assert_mem_eq(ffebm_tensor_data(ffebm_engine_flat_gradient(f.engine)), ffebm_tensor_data(gradient),
                     f.info.element_count * sizeof(double));
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, NULL));
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(in);
    ffebm_tensor_destroy(gradient);
}
END_TEST

Suite *test_bad_input_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("bad_input", &tests);

    tcase_add_test(tests, index_out_of_range);
    tcase_add_loop_test(tests, tensors_refused, 0, 5);
    tcase_add_loop_test(tests, label_out_of_range, 0, 4);
    tcase_add_test(tests, batch_above_the_most);
    tcase_add_test(tests, nudging_by_loss_refused);
    tcase_add_test(tests, states_lacking);
    tcase_add_test(tests, vjp_refused);
    tcase_add_loop_test(tests, not_finite_input, 0, COUNT(poisons));
    tcase_add_loop_test(tests, not_finite_target_and_cotangent, 0, COUNT(poisons));
    tcase_add_loop_test(tests, not_finite_parameter, 0, 30);
    tcase_add_test(tests, not_a_number_in_a_block);
    tcase_add_loop_test(tests, no_step_after_a_failure, 0, 4);
    tcase_add_test(tests, a_failure_draws_nothing);
    return suite;
}

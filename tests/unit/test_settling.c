/* Settling: energies fall, equilibria are stationary, orders agree, samples settle on their own, reports tell. */
#include <math.h>
#include <string.h>

#include "fixture.h"

#define LAYERS                                                                                                         \
    "[{\"type\": \"dense\", \"out_features\": 9}, {\"type\": \"dense\", \"out_features\": 8}, {\"type\": \"dense\", "  \
    "\"out_features\": 5}]"
#define BLOCK(dtype, clamp, couplings)                                                                                 \
    "{\"dtype\": \"" dtype                                                                                             \
    "\", \"input\": [7], \"loss\": \"none\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "                      \
    "\"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.7}, \"clamp_last\": " clamp                             \
    ", \"couplings\": " couplings "}}]}"

static const char *const blocks[] = {
    BLOCK("float64", "false", LAYERS), BLOCK("float64", "true", LAYERS), BLOCK("float64", "false", "[]"),
    BLOCK("float64", "true", "[{\"type\": \"dense\", \"out_features\": 4, \"bias\": false}]")};

enum { BLOCK_COUNT = sizeof blocks / sizeof blocks[0], ROWS = 5 };

static void configure(fixture *f, int32_t order, int64_t sweeps, double tolerance, int32_t start)
{
    ffebm_equilibrium_config config = converged();

    config.free_order = order;
    config.free_sweeps = sweeps;
    config.free_tolerance = tolerance;
    config.start = start;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
}

/* One sweep at a time from random states: the energy of every sample falls, or rests. */
START_TEST(energy_falls_in_every_sweep)
{
    static const int32_t orders[] = {FFEBM_ORDER_EVEN_ODD, FFEBM_ORDER_ODD_EVEN, FFEBM_ORDER_FORWARD,
                                     FFEBM_ORDER_BACKWARD};
    fixture f = fixture_of(blocks[_i % BLOCK_COUNT], 0, 1, (uint64_t)_i);
    ffebm_tensor *x = random_input(&f, ROWS, 17), *before, *after;

    configure(&f, orders[_i / BLOCK_COUNT], 1, 0, FFEBM_START_STATE);
    set_random_state(&f, ROWS, 40);
    before = energies_of(&f, x, ROWS);
    for (int sweep = 0; sweep < 30; sweep++) {
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        after = energies_of(&f, x, ROWS);
        for (size_t i = 0; i < ROWS; i++)
            ck_assert_msg(element(after, i) <= element(before, i) + 1e-12, "sweep %d sample %zu: %g to %g", sweep, i,
                          element(before, i), element(after, i));
        ffebm_tensor_destroy(before);
        before = after;
    }
    ffebm_tensor_destroy(before);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* All orders reach the same equilibrium, and one more sweep of any of them stays there. */
START_TEST(orders_agree_on_the_equilibrium)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 2);
    ffebm_tensor *x = random_input(&f, ROWS, 3), *expected[8];
    size_t layers = layer_count(&f);

    configure(&f, FFEBM_ORDER_EVEN_ODD, 2000, 1e-15, FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    for (size_t l = 0; l < layers; l++)
        expected[l] = layer_state(&f, l, ROWS, FFEBM_PHASE_FREE);
    for (int32_t order = FFEBM_ORDER_EVEN_ODD; order <= FFEBM_ORDER_BACKWARD; order++)
        for (int start = 0; start < 2; start++) {
            configure(&f, order, start == 0 ? 2000 : 1, start == 0 ? 1e-15 : 0,
                      start == 0 ? FFEBM_START_ZEROS : FFEBM_START_STATE);
            assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
            for (size_t l = 0; l < layers; l++) {
                ffebm_tensor *found = layer_state(&f, l, ROWS, FFEBM_PHASE_FREE);

                ck_assert_double_lt(relative_error(found, expected[l]), 1e-12);
                ffebm_tensor_destroy(found);
            }
        }
    for (size_t l = 0; l < layers; l++)
        ffebm_tensor_destroy(expected[l]);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* A block without couplings has a closed form: s = x where it is not clamped. */
START_TEST(single_layer_is_its_input)
{
    fixture f = fixture_of(blocks[2], 0, 1, 0);
    ffebm_tensor *x = random_input(&f, ROWS, 3), *s;

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    s = layer_state(&f, 0, ROWS, FFEBM_PHASE_FREE);
    ck_assert_double_eq(relative_error(s, x), 0);
    ffebm_tensor_destroy(s);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Samples settle on their own: a batch is the same as its samples one by one, also with a tolerance, where some leave
 * early and others move into their places. */
START_TEST(a_batch_is_its_samples)
{
    enum { MANY = 37 };
    static const double tolerances[] = {0, 1e-4, 1e-6};
    int32_t dtype = _i < 3 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    fixture f = fixture_of(blocks[0], dtype, 1, 5);
    ffebm_tensor *x = random_input(&f, MANY, 9), *together, *alone;
    int64_t shape[2] = {1, 7};
    size_t units;

    configure(&f, FFEBM_ORDER_EVEN_ODD, 25, tolerances[_i % 3], FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    together = layer_state(&f, 3, MANY, FFEBM_PHASE_FREE);
    units = ffebm_tensor_count(together) / MANY;
    for (size_t i = 0; i < MANY; i++) {
        ffebm_tensor *row;

        assert_ok(f.context, ffebm_tensor_create(f.context, &row, dtype, shape, 2));
        for (size_t j = 0; j < 7; j++)
            set_element(row, j, element(x, i * 7 + j));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, row, NULL));
        alone = layer_state(&f, 3, 1, FFEBM_PHASE_FREE);
        for (size_t u = 0; u < units; u++)
            ck_assert_double_eq_tol(element(together, i * units + u), element(alone, u),
                                    dtype == FFEBM_FLOAT64 ? 1e-12 : 1e-5);
        ffebm_tensor_destroy(alone);
        ffebm_tensor_destroy(row);
    }
    ffebm_tensor_destroy(together);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* The report of a free phase: a full count without tolerance, early leave with one, misses counted. */
START_TEST(report_tells_what_happened)
{
    fixture f = fixture_of(blocks[0], 0, 1, 5);
    ffebm_tensor *x = random_input(&f, ROWS, 9);
    ffebm_phase_report report = {.size = sizeof report};
    ffebm_equilibrium_config strict = converged();

    configure(&f, FFEBM_ORDER_EVEN_ODD, 7, 0, FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_FREE));
    ck_assert_uint_eq(report.samples, ROWS);
    ck_assert_int_eq(report.sweeps_min, 7);
    ck_assert_int_eq(report.sweeps_max, 7);
    ck_assert_uint_eq(report.unconverged, 0);
    ck_assert_double_gt(report.residual_max, 0);

    configure(&f, FFEBM_ORDER_EVEN_ODD, 2000, 1e-9, FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, FFEBM_ALL, FFEBM_PHASE_FREE));
    ck_assert_int_lt(report.sweeps_max, 2000);
    ck_assert_double_ge(report.sweeps_mean, (double)report.sweeps_min);
    ck_assert_double_le(report.residual_max, 1e-9);
    ck_assert_uint_eq(report.unconverged, 0);

    configure(&f, FFEBM_ORDER_EVEN_ODD, 2, 1e-9, FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_FREE));
    ck_assert_uint_eq(report.unconverged, ROWS);
    ck_assert_double_gt(report.residual_max, 1e-9);

    strict.free_sweeps = 2;
    strict.require_convergence = 1;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &strict));
    ck_assert_int_eq(ffebm_engine_settle(f.engine, 0, x, NULL), FFEBM_ERR_CONVERGENCE);
    ck_assert_msg(strstr(ffebm_context_error(f.context), "stage 0") != NULL, "%s", ffebm_context_error(f.context));
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* The gradient of E by hand against finite differences of the energy at a fixed state. */
START_TEST(energy_gradient_is_the_energys_derivative)
{
    static const size_t with_parameters[] = {0, 1, 3};
    fixture f = fixture_of(blocks[with_parameters[_i]], 0, 1, 8);
    ffebm_tensor *x = random_input(&f, ROWS, 4), *parameters = ffebm_model_flat_parameters(f.model), *found;
    const double step = 1e-5;

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, NULL, 0, FFEBM_PHASE_FREE));
    found = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    for (size_t p = 0; p < ffebm_tensor_count(parameters); p++) {
        double value = element(parameters, p), slope = 0;

        for (int sign = -1; sign <= 1; sign += 2) {
            ffebm_tensor *energies;

            set_element(parameters, p, value + sign * step);
            energies = energies_of(&f, x, ROWS);
            for (size_t i = 0; i < ROWS; i++)
                slope += sign * element(energies, i) / (2 * step * ROWS);
            ffebm_tensor_destroy(energies);
        }
        set_element(parameters, p, value);
        ck_assert_double_eq_tol(element(found, p), slope, 1e-8);
    }
    ffebm_tensor_destroy(found);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* The recipe of ffebm_engine_settle's doc block: EP by hand gives what the engine's vjp gives. */
START_TEST(ep_by_hand_equals_vjp)
{
    fixture f = fixture_of(blocks[0], 0, 1, 21);
    ffebm_tensor *x = random_input(&f, ROWS, 4), *v, *force, *expected, *by_hand[2];
    const double beta = 0.01;
    ffebm_equilibrium_config config = converged();

    config.beta = beta;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    v = random_batch(f.context, FFEBM_FLOAT64, ROWS, f.info.output_shape, 1, -1, 1, 77);
    force = copy_of(f.context, v);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 1));
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < ffebm_tensor_count(v); j++)
            set_element(force, j, (i == 0 ? -beta : beta) * element(v, j));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, force));
        assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, NULL, 0, FFEBM_PHASE_NUDGED));
        by_hand[i] = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    }
    for (size_t p = 0; p < ffebm_tensor_count(expected); p++)
        set_element(by_hand[0], p, ROWS * (element(by_hand[0], p) - element(by_hand[1], p)) / (2 * beta));
    ck_assert_double_lt(relative_error(by_hand[0], expected), 1e-10);

    ffebm_tensor_destroy(by_hand[0]);
    ffebm_tensor_destroy(by_hand[1]);
    ffebm_tensor_destroy(expected);
    ffebm_tensor_destroy(force);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

static void check_words(const fixture *f, const char *expected)
{
    char text[512], cut[8];
    size_t length;

    assert_ok(f->context, ffebm_engine_unsettled(f->engine, text, sizeof text, &length));
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_msg(expected == NULL ? length == 0 : strstr(text, expected) != NULL, "%s", text);
    assert_ok(f->context, ffebm_engine_unsettled(f->engine, cut, sizeof cut, NULL));
    ck_assert(strncmp(cut, text, sizeof cut - 1) == 0 && strlen(cut) < sizeof cut);
}

/* What has not settled is said in words: no block, one in its free phase, one in its nudged phase. */
START_TEST(unsettled_in_words)
{
    problem p = problem_of(interior_readout, 0, 1, ROWS);
    ffebm_equilibrium_config config = converged();
    ffebm_report report;

    config.free_tolerance = 1e-8;
    config.nudged_tolerance = 1e-6;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    ffebm_tensor_destroy(gradient_of(&p, &report));
    check_words(&p.f, NULL);
    assert_ok(p.f.context, ffebm_engine_set_sweeps(p.f.engine, 1, 1, 2000));
    ffebm_tensor_destroy(gradient_of(&p, &report));
    check_words(&p.f, "stage 1 (hopfield): ");
    check_words(&p.f, " samples did not settle in the free phase");
    assert_ok(p.f.context, ffebm_engine_set_sweeps(p.f.engine, 1, 2000, 2000));
    assert_ok(p.f.context, ffebm_engine_set_sweeps(p.f.engine, 3, 2000, 2));
    ffebm_tensor_destroy(gradient_of(&p, &report));
    check_words(&p.f, "stage 3 (hopfield): ");
    check_words(&p.f, ": raise nudged_sweeps");
    problem_end(&p);
}
END_TEST

/* The sum over the batch of a VJP's gradients, with one way of nudging and one relaxation. */
static ffebm_tensor *relaxed_gradient(fixture *f, const ffebm_tensor *x, const ffebm_tensor *v, int32_t estimator,
                                      double relaxation)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = estimator;
    config.relaxation = relaxation;
    assert_ok(f->context, ffebm_engine_configure(f->engine, 0, &config));
    assert_ok(f->context, ffebm_engine_forward(f->engine, NULL, &ticket, x));
    assert_ok(f->context, ffebm_engine_vjp(f->engine, NULL, ticket, v, 1));
    return copy_of(f->context, ffebm_engine_flat_gradient(f->engine));
}

/* Relaxed sweeps go elsewhere but end in the same states: free, nudged and linearised. */
START_TEST(relaxation_keeps_equilibria)
{
    static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_IMPLICIT};
    static const double relaxations[] = {0, 0.6, 1.3};
    fixture f = fixture_of(blocks[_i], 0, 1, 21);
    ffebm_tensor *x = random_input(&f, ROWS, 4);
    ffebm_tensor *v = random_batch(f.context, FFEBM_FLOAT64, ROWS, f.info.output_shape, 1, -1, 1, 77);

    for (int e = 0; e < 2; e++) {
        ffebm_tensor *expected = relaxed_gradient(&f, x, v, estimators[e], 1), *found;

        for (int r = 0; r < 3; r++) {
            found = relaxed_gradient(&f, x, v, estimators[e], relaxations[r]);
            ck_assert_double_lt(relative_error(found, expected), 1e-10);
            ffebm_tensor_destroy(found);
        }
        ffebm_tensor_destroy(expected);
    }
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

#define WIDE "{\"type\": \"dense\", \"out_features\": 12}"

/* What it is there for: layers that hand a signal up and down many times. */
START_TEST(relaxation_saves_sweeps_in_deep_blocks)
{
    static const char deep[] =
        "{\"dtype\": \"float64\", \"input\": [12], \"loss\": \"none\", \"initialization\": {\"type\": \"goe\", "
        "\"variance\": 0.02}, \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": "
        "\"hard_sigmoid\", \"slope\": 0.9}, \"couplings\": [" WIDE ", " WIDE ", " WIDE ", " WIDE ", " WIDE ", " WIDE
        "]}}]}";
    fixture f = fixture_of(deep, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, ROWS, 4);
    ffebm_phase_report reports[2] = {{.size = sizeof reports[0]}, {.size = sizeof reports[0]}};

    for (int i = 0; i < 2; i++) {
        ffebm_equilibrium_config config = converged();

        config.free_tolerance = 1e-8;
        config.relaxation = i == 0 ? 1 : 1.3;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &reports[i], 0, FFEBM_PHASE_FREE));
        ck_assert_uint_eq(reports[i].unconverged, 0);
    }
    ck_assert_msg(reports[1].sweeps_mean < 0.75 * reports[0].sweeps_mean, "%g sweeps relaxed, %g not",
                  reports[1].sweeps_mean, reports[0].sweeps_mean);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Tiles round more than direct products: where the tolerance is finer than that, these are taken. */
START_TEST(float32_settles_to_a_fine_tolerance)
{
    static const char wide[] =
        "{\"input\": [64, 12, 12], \"loss\": \"none\", \"initialization\": {\"type\": \"goe\", \"variance\": 1e-4}, "
        "\"stages\": [{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": "
        "0.5}, \"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 64, \"kernel\": 3, \"padding\": 1}]}}]}";
    fixture f = fixture_of(wide, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, 2, 4);
    ffebm_phase_report report = {.size = sizeof report};

    configure(&f, FFEBM_ORDER_EVEN_ODD, 300, 3e-7, FFEBM_START_ZEROS);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_FREE));
    ck_assert_msg(report.unconverged == 0, "residual %g after %g sweeps", report.residual_max, report.sweeps_mean);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

Suite *test_settling_suite(void)
{
    Suite *suite = suite_create("settling");
    TCase *tests = tcase_create("settling");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, energy_falls_in_every_sweep, 0, 4 * BLOCK_COUNT);
    tcase_add_loop_test(tests, orders_agree_on_the_equilibrium, 0, BLOCK_COUNT);
    tcase_add_test(tests, single_layer_is_its_input);
    tcase_add_loop_test(tests, a_batch_is_its_samples, 0, 6);
    tcase_add_test(tests, report_tells_what_happened);
    tcase_add_loop_test(tests, energy_gradient_is_the_energys_derivative, 0, 3);
    tcase_add_test(tests, ep_by_hand_equals_vjp);
    tcase_add_test(tests, unsettled_in_words);
    tcase_add_loop_test(tests, relaxation_keeps_equilibria, 0, 2);
    tcase_add_test(tests, relaxation_saves_sweeps_in_deep_blocks);
    tcase_add_test(tests, float32_settles_to_a_fine_tolerance);
    suite_add_tcase(suite, tests);
    return suite;
}

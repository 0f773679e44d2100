/* Convolutional Hopfield blocks and implicit differentiation: energies fall, gradients equal differences of the loss, and
 * equilibrium propagation agrees with implicit differentiation sweep by sweep. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"

enum { ROWS = 3 };

#define CONV(out, rest) "{\"type\": \"conv2d\", \"out_channels\": " out ", " rest "}"
#define POOL(kernel) ", \"pool\": {\"type\": \"max\", \"kernel\": " kernel "}"
#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " out "}"
#define BLOCK(slope, clamp, couplings)                                                                                 \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": " slope             \
    "}, \"clamp_last\": " clamp ", \"couplings\": [" couplings "]}}"
#define DIGITAL(ops) "{\"feedforward\": [" ops "]}"

/* Two blocks, the first with a pool, the second with strides and padding, then dense. */
#define CHAIN(initialization, clamp)                                                                                    \
    "{\"dtype\": \"float64\", \"input\": [2, 6, 6], \"loss\": \"cross_entropy\", " initialization                       \
    "\"stages\": [" DIGITAL(CONV("3", "\"kernel\": 3, \"padding\": 1")) ", " BLOCK(                                     \
        "0.5", clamp,                                                                                                   \
        CONV("4", "\"kernel\": 3, \"padding\": 1" POOL("2")) ", " CONV(                                                 \
            "3",                                                                                                        \
            "\"kernel\": 2")) ", " DIGITAL(CONV("3",                                                                    \
                                                "\"kernel\": 1")) ", " BLOCK("0.5", clamp,                              \
                                                                             CONV(                                      \
                                                                                 "4",                                   \
                                                                                 "\"kernel"                             \
                                                                                 "\": 2, "                              \
                                                                                 "\"stride"                             \
                                                                                 "\": 2, "                              \
                                                                                 "\"padding"                            \
                                                                                 "\": 1") ", " DENSE("5")) ","          \
                                                                                                           " " DIGITAL( \
                                                                                                               "{\"ty"  \
                                                                                                               "pe\":"  \
                                                                                                               " \"fl"  \
                                                                                                               "atten"  \
                                                                                                               "\"}, "  \
                                                                                                               "{\"ty"  \
                                                                                                               "pe\":"  \
                                                                                                               " \"li"  \
                                                                                                               "near"   \
                                                                                                               "\", "   \
                                                                                                               "\"out"  \
                                                                                                               "_feat"  \
                                                                                                               "ures"   \
                                                                                                               "\": "   \
                                                                                                               "3}") "]}"

#define UNIFORM(gain, bias) "\"initialization\": {\"type\": \"uniform\", \"gain\": " gain ", \"bias\": " bias "}, "

/* Of these no unit is near a bound and no switch near a tie, though some units are saturated. */
static const char *const steady[] = {CHAIN(UNIFORM("0.9", "0.5"), "false"), CHAIN(UNIFORM("1.5", "0.3"), "true")};
/* Here nudges move units into and out of saturation. */
static const char rough[] = CHAIN(UNIFORM("2", "0.25"), "true");

/* sweeps 0: until converged, else exactly so many nudged ones. */
static ffebm_equilibrium_config config_of(int32_t estimator, double beta, int64_t sweeps)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = beta;
    config.nudged_tolerance = 1e-13;
    if (sweeps > 0) {
        config.nudged_sweeps = sweeps;
        config.nudged_tolerance = 0;
    }
    return config;
}

/* The gradient with one configuration for all blocks; no unit may change its region. */
static ffebm_tensor *gradient_by(problem *p, int32_t estimator, double beta, int64_t sweeps)
{
    ffebm_equilibrium_config config = config_of(estimator, beta, sweeps);
    ffebm_report report;
    ffebm_tensor *gradient;

    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
    gradient = gradient_of(p, &report);
    ck_assert_uint_eq(report.region_changes, 0);
    return gradient;
}

/* ---------------------------------------------------------------------------------------------------- energies fall */

#define ALONE(clamp, couplings)                                                                                        \
    "{\"dtype\": \"float64\", \"input\": [2, 6, 8], \"loss\": \"none\", \"stages\": [" BLOCK("0.7", clamp,             \
                                                                                             couplings) "]}"
#define POOLED CONV("3", "\"kernel\": 3, \"padding\": 1" POOL("2"))

static const char *const blocks[] = {
    ALONE("false", POOLED ", " CONV("4", "\"kernel\": [1, 2], \"stride\": [1, 2]") ", " DENSE("5")),
    ALONE("true", POOLED ", " CONV("4", "\"kernel\": [1, 2], \"stride\": [1, 2]") ", " DENSE("5")),
    ALONE("true", CONV("3", "\"kernel\": 3, \"padding\": 1" POOL("[3, 2]"))),
    ALONE("false",
          CONV("3", "\"kernel\": [2, 3]") ", " CONV("3", "\"kernel\": [3, 2], \"stride\": 2, \"bias\": false")),
    ALONE("true", POOLED ", " CONV("3", "\"kernel\": 1" POOL("[3, 2]")) ", " DENSE("4"))};

enum { BLOCK_COUNT = sizeof blocks / sizeof blocks[0], MAX_LAYERS = 4 };

static void get_state(const fixture *f, ffebm_tensor *state[MAX_LAYERS])
{
    for (size_t l = 0; l < layer_count(f); l++)
        state[l] = layer_state(f, l, ROWS, FFEBM_PHASE_FREE);
}

static void get_energies(const fixture *f, const ffebm_tensor *x, double energies[ROWS])
{
    ffebm_tensor *tensor = energies_of(f, x, ROWS);

    for (size_t i = 0; i < ROWS; i++)
        energies[i] = element(tensor, i);
    ffebm_tensor_destroy(tensor);
}

/* Give the layers of one parity other values. */
static void set_parity(fixture *f, size_t parity, ffebm_tensor *const state[MAX_LAYERS])
{
    for (size_t l = parity; l < layer_count(f); l += 2)
        assert_ok(f->context, ffebm_engine_set_state(f->engine, 0, l, state[l]));
}

static void check_fall(const double before[ROWS], const double after[ROWS], int sweep, const char *half)
{
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_msg(after[i] <= before[i] + 1e-12, "sweep %d, %s half, sample %zu: %.15g to %.15g", sweep, half, i,
                      before[i], after[i]);
}

/* The state between the halves: the parity that moves second is still the old one. */
START_TEST(energy_falls_in_every_half_sweep)
{
    fixture f = fixture_of(blocks[_i % BLOCK_COUNT], 0, 1, (uint64_t)_i);
    bool even_first = _i / BLOCK_COUNT == 0;
    ffebm_tensor *x = random_input(&f, ROWS, 17), *before[MAX_LAYERS], *after[MAX_LAYERS];
    ffebm_equilibrium_config config = converged();
    double start[ROWS], middle[ROWS], end[ROWS];
    size_t second = even_first ? 1 : 0;

    config.free_order = even_first ? FFEBM_ORDER_EVEN_ODD : FFEBM_ORDER_ODD_EVEN;
    config.free_sweeps = 1;
    config.free_tolerance = 0;
    config.start = FFEBM_START_STATE;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    set_random_state(&f, ROWS, 40);
    get_energies(&f, x, start);
    for (int sweep = 0; sweep < 30; sweep++) {
        get_state(&f, before);
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        get_state(&f, after);
        get_energies(&f, x, end);
        set_parity(&f, second, before);
        get_energies(&f, x, middle);
        set_parity(&f, second, after);
        check_fall(start, middle, sweep, "first");
        check_fall(middle, end, sweep, "second");
        memcpy(start, end, sizeof start);
        destroy_all(before, layer_count(&f));
        destroy_all(after, layer_count(&f));
    }
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Sweeps in one call are the same bits as one call each, which starts without knowing any switches. */
START_TEST(sweeps_in_one_call_are_single_sweeps)
{
    fixture f = fixture_of(blocks[_i % BLOCK_COUNT], 0, 1, 2);
    ffebm_tensor *x = random_input(&f, ROWS, 17), *state[2][MAX_LAYERS];
    ffebm_equilibrium_config config = converged();

    config.free_order = FFEBM_ORDER_EVEN_ODD + _i / BLOCK_COUNT;
    config.free_tolerance = 0;
    config.start = FFEBM_START_STATE;
    for (int single = 0; single < 2; single++) {
        config.free_sweeps = single ? 1 : 4;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        set_random_state(&f, ROWS, 60);
        for (int call = 0; call < (single ? 4 : 1); call++)
            assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        get_state(&f, state[single]);
    }
    for (size_t l = 0; l < layer_count(&f); l++)
        ck_assert_mem_eq(ffebm_tensor_data(state[0][l]), ffebm_tensor_data(state[1][l]),
                         ffebm_tensor_count(state[0][l]) * sizeof(double));
    destroy_all(state[0], layer_count(&f));
    destroy_all(state[1], layer_count(&f));
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Settle under +- beta v and take the difference of the energy gradients: what vjp gives, also where the two states have
 * other switches. */
START_TEST(ep_by_hand_equals_vjp_over_moved_switches)
{
    fixture f = fixture_of(blocks[_i == 0 ? 2 : 4], 0, 1, 21);
    ffebm_tensor *x = random_input(&f, ROWS, 4), *v, *force, *expected, *by_hand[2];
    ffebm_phase_report report = {.size = sizeof report};
    ffebm_equilibrium_config config = converged();

    config.beta = 0.5;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    v = random_batch(f.context, FFEBM_FLOAT64, ROWS, f.info.output_shape, f.info.output_rank, -3, 3, 77);
    force = copy_of(f.context, v);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, v, 1));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_NUDGED));
    ck_assert_uint_gt(report.region_changes, 0);
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < ffebm_tensor_count(v); j++)
            set_element(force, j, (i == 0 ? -0.5 : 0.5) * element(v, j));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, force));
        assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, NULL, 0, FFEBM_PHASE_NUDGED));
        by_hand[i] = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    }
    for (size_t p = 0; p < ffebm_tensor_count(expected); p++)
        set_element(by_hand[0], p, ROWS * (element(by_hand[0], p) - element(by_hand[1], p)));
    ck_assert_double_lt(worst_error(&f, by_hand[0], expected), 1e-10);
    destroy_all((ffebm_tensor *[]){x, v, force, expected, by_hand[0], by_hand[1]}, 6);
    fixture_end(&f);
}
END_TEST

/* dE/dtheta at a random state, pools included, against differences of the energy there. */
START_TEST(energy_gradient_is_the_energys_derivative)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 8);
    ffebm_tensor *x = random_input(&f, ROWS, 4), *parameters = ffebm_model_flat_parameters(f.model), *found;
    const double step = 1e-5;

    set_random_state(&f, ROWS, 50);
    assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, NULL, 0, FFEBM_PHASE_FREE));
    found = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    for (size_t p = 0; p < ffebm_tensor_count(parameters); p++) {
        double value = element(parameters, p), slope = 0, energies[ROWS];

        for (int sign = -1; sign <= 1; sign += 2) {
            set_element(parameters, p, value + sign * step);
            get_energies(&f, x, energies);
            for (size_t i = 0; i < ROWS; i++)
                slope += sign * energies[i] / (2 * step * ROWS);
        }
        set_element(parameters, p, value);
        ck_assert_double_eq_tol(element(found, p), slope, 1e-8);
    }
    ffebm_tensor_destroy(found);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* -------------------------------------------------------------------------------------------- against differences */

static double loss_of(problem *p)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(p->f.context, ffebm_engine_evaluate(p->f.engine, &report, NULL, p->x, p->y, NULL));
    ck_assert_uint_eq(report.unconverged, 0);
    return report.loss;
}

static ffebm_tensor *differences(problem *p, ffebm_tensor *moved)
{
    ffebm_tensor *result = copy_of(p->f.context, moved);
    const double step = 1e-5; /* at 1e-4 a switch moves */

    for (size_t i = 0; i < ffebm_tensor_count(moved); i++) {
        double value = element(moved, i), above;

        set_element(moved, i, value + step);
        above = loss_of(p);
        set_element(moved, i, value - step);
        set_element(result, i, (above - loss_of(p)) / (2 * step));
        set_element(moved, i, value);
    }
    return result;
}

START_TEST(implicit_equals_finite_differences)
{
    problem p = problem_of(steady[_i], 0, 1, ROWS);
    ffebm_tensor *centered = gradient_by(&p, FFEBM_ESTIMATOR_CENTERED, 1e-3, 0), *implicit, *expected;

    implicit = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, 0);
    expected = differences(&p, ffebm_model_flat_parameters(p.f.model));
    ck_assert_double_lt(worst_error(&p.f, implicit, expected), 1e-6);
    ck_assert_double_lt(worst_error(&p.f, expected, implicit), 1e-6); /* none is zero */
    ck_assert_double_lt(worst_error(&p.f, centered, expected), 1e-6);
    destroy_all((ffebm_tensor *[]){centered, implicit, expected}, 3);
    problem_end(&p);
}
END_TEST

/* The derivative of the mean loss by the output, pulled back by vjp, is the gradient, and reaches the input. */
START_TEST(vjp_reaches_the_input)
{
    problem p = problem_of(steady[_i], 0, 1, ROWS);
    ffebm_tensor *gradient = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, 0), *dx = copy_of(p.f.context, p.x);
    ffebm_tensor *v = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, 0, 0, 0), *expected;

    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, v, &ticket, p.x));
    for (size_t n = 0; n < ROWS; n++) {
        double sum = 0;

        for (size_t c = 0; c < p.f.outputs; c++)
            sum += exp(element(v, n * p.f.outputs + c));
        for (size_t c = 0; c < p.f.outputs; c++) {
            double one = ((const int64_t *)ffebm_tensor_data(p.y))[n] == (int64_t)c ? 1 : 0;

            set_element(v, n * p.f.outputs + c, (exp(element(v, n * p.f.outputs + c)) / sum - one) / ROWS);
        }
    }
    assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, dx, ticket, v, 0));
    ck_assert_double_lt(worst_error(&p.f, ffebm_engine_flat_gradient(p.f.engine), gradient), 1e-12);
    expected = differences(&p, p.x);
    ck_assert_double_lt(relative_error(dx, expected), 1e-6);
    destroy_all((ffebm_tensor *[]){gradient, dx, v, expected}, 4);
    problem_end(&p);
}
END_TEST

START_TEST(implicit_is_linear_in_its_cotangent)
{
    problem p = problem_of(rough, 0, 1, ROWS);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_IMPLICIT, 0.2, _i == 0 ? 0 : 3);
    ffebm_tensor *v[3], *dx[3], *dw[3];

    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, NULL, &ticket, p.x));
    for (uint64_t i = 0; i < 3; i++) {
        v[i] = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, -1, 1, 70 + i);
        dx[i] = copy_of(p.f.context, p.x);
        for (size_t k = 0; i == 2 && k < ffebm_tensor_count(v[2]); k++)
            set_element(v[2], k, 1000 * element(v[0], k) - 3 * element(v[1], k));
        assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, dx[i], ticket, v[i], 0));
        dw[i] = copy_of(p.f.context, ffebm_engine_flat_gradient(p.f.engine));
    }
    for (size_t k = 0; k < ffebm_tensor_count(dx[0]); k++)
        set_element(dx[0], k, 1000 * element(dx[0], k) - 3 * element(dx[1], k));
    for (size_t k = 0; k < ffebm_tensor_count(dw[0]); k++)
        set_element(dw[0], k, 1000 * element(dw[0], k) - 3 * element(dw[1], k));
    ck_assert_double_lt(relative_error(dx[0], dx[2]), 1e-11);
    ck_assert_double_lt(worst_error(&p.f, dw[0], dw[2]), 1e-11);
    destroy_all(v, 3);
    destroy_all(dx, 3);
    destroy_all(dw, 3);
    problem_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- sweep by sweep */

static const int64_t sweep_counts[] = {1, 2, 3, 5};

/* A block without region changes is quadratic: centred EP is the truncated adjoint, after every number of sweeps. */
START_TEST(centered_ep_is_implicit_sweep_by_sweep)
{
    problem p = problem_of(steady[_i / 4], 0, 1, ROWS);
    ffebm_tensor *implicit = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, sweep_counts[_i % 4]);
    ffebm_tensor *centered = gradient_by(&p, FFEBM_ESTIMATOR_CENTERED, 0.01, sweep_counts[_i % 4]), *full;

    ck_assert_double_lt(worst_error(&p.f, centered, implicit), 1e-9);
    full = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, 0);
    ck_assert_double_gt(worst_error(&p.f, implicit, full), 1e-7); /* the truncation is real */
    destroy_all((ffebm_tensor *[]){implicit, centered, full}, 3);
    problem_end(&p);
}
END_TEST

/* Under loss nudging it differs from the truncated adjoint by O(beta^2). */
START_TEST(loss_nudging_differs_by_beta_squared)
{
    enum { POINTS = 6 };
    problem p = problem_of(steady[0], 0, 1, ROWS);
    ffebm_tensor *exact = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, sweep_counts[_i]);
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, slope;

    for (int i = 0; i < POINTS; i++) {
        double beta = 0.16 * pow(0.8, i), error;
        ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_CENTERED, beta, sweep_counts[_i]);
        ffebm_report report;
        ffebm_tensor *found;

        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        config.nudging = FFEBM_NUDGING_LOSS;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, 3, &config));
        found = gradient_of(&p, &report);
        ck_assert_uint_eq(report.region_changes, 0);
        error = worst_error(&p.f, found, exact);
        ck_assert_msg(error > 1e-11, "beta %g: error %g is rounding", beta, error);
        sum_x += log(beta);
        sum_y += log(error);
        sum_xx += log(beta) * log(beta);
        sum_xy += log(beta) * log(error);
        ffebm_tensor_destroy(found);
    }
    slope = (POINTS * sum_xy - sum_x * sum_y) / (POINTS * sum_xx - sum_x * sum_x);
    ck_assert_msg(fabs(slope - 2) < 0.05, "slope %g, expected 2", slope);
    ffebm_tensor_destroy(exact);
    problem_end(&p);
}
END_TEST

/* One block by implicit differentiation, the other by EP: the same numbers where EP is exact. */
START_TEST(estimators_mix)
{
    problem p = problem_of(steady[1], 0, 1, ROWS);
    ffebm_tensor *expected = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 0.2, 0), *found;
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_CENTERED, 0.01, 0);
    ffebm_report report;

    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, _i == 0 ? 1 : 3, &config));
    found = gradient_of(&p, &report);
    ck_assert_double_lt(worst_error(&p.f, found, expected), 1e-10);
    destroy_all((ffebm_tensor *[]){expected, found}, 2);
    problem_end(&p);
}
END_TEST

START_TEST(unconverged_adjoints_are_counted)
{
    problem p = problem_of(rough, 0, 1, ROWS);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_IMPLICIT, 0.2, 0);
    ffebm_phase_report phase = {.size = sizeof phase};
    ffebm_report report;

    for (int truncated = 0; truncated < 2; truncated++) {
        config.nudged_sweeps = truncated ? 2 : 2000;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        ffebm_tensor_destroy(gradient_of(&p, &report));
        ck_assert_uint_eq(report.unconverged, truncated ? 2 * ROWS : 0);
        ck_assert_uint_eq(report.region_changes, 0);
        for (size_t stage = 1; stage <= 3; stage += 2) {
            assert_ok(p.f.context, ffebm_engine_inspect_phase(p.f.engine, &phase, stage, FFEBM_PHASE_NUDGED));
            ck_assert_uint_eq(phase.samples, ROWS);
            ck_assert_uint_eq(phase.unconverged, truncated ? ROWS : 0);
            ck_assert_int_le(phase.sweeps_max, config.nudged_sweeps);
            ck_assert(truncated ? phase.residual_max > 1e-13 : phase.residual_max <= 1e-13);
        }
    }
    config.require_convergence = 1;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    ck_assert_int_eq(ffebm_engine_gradient(p.f.engine, &report, p.x, p.y, NULL), FFEBM_ERR_CONVERGENCE);
    ck_assert_msg(strstr(ffebm_context_error(p.f.context), "stage 3") != NULL, "%s", ffebm_context_error(p.f.context));
    ck_assert_uint_eq(report.unconverged, ROWS);
    problem_end(&p);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ symmetries */

static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_IMPLICIT, FFEBM_ESTIMATOR_POSITIVE,
                                     FFEBM_ESTIMATOR_FOUR_POINT};

static ffebm_tensor *row_of(const fixture *f, const ffebm_tensor *batch, size_t row)
{
    ffebm_tensor *one = random_input(f, 1, 0);

    for (size_t i = 0; i < f->inputs; i++)
        set_element(one, i, element(batch, row * f->inputs + i));
    return one;
}

/* With tolerances samples leave early and others move into their places, with their switches. */
START_TEST(a_batch_is_its_samples)
{
    enum { MANY = 37 };
    problem p = problem_of(rough, 0, 1, MANY);
    ffebm_equilibrium_config config;
    ffebm_tensor *together, *alone, *sum, *x = p.x, *y = p.y;
    ffebm_report report, one;
    size_t changes = 0;

    ffebm_equilibrium_config_init(&config, sizeof config); /* its tolerances are coarse */
    config.beta = 0.02;                                    /* units change region */
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.estimator = estimators[_i % 4];
    config.switches = _i < 4 ? FFEBM_SWITCHES_FOLLOW : FFEBM_SWITCHES_HOLD;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    together = gradient_of(&p, &report);
    sum = copy_of(p.f.context, together);
    for (size_t i = 0; i < p.f.info.element_count; i++)
        set_element(sum, i, 0);
    p.y = random_labels(&p.f, 1, 6);
    for (size_t r = 0; r < MANY; r++) {
        p.x = row_of(&p.f, x, r);
        memcpy(ffebm_tensor_data(p.y), (const int64_t *)ffebm_tensor_data(y) + r, sizeof(int64_t));
        alone = gradient_of(&p, &one);
        changes += one.region_changes;
        for (size_t i = 0; i < p.f.info.element_count; i++)
            set_element(sum, i, element(sum, i) + element(alone, i) / MANY);
        destroy_all((ffebm_tensor *[]){alone, p.x}, 2);
    }
    ck_assert_double_lt(worst_error(&p.f, sum, together), 1e-11);
    ck_assert_uint_eq(changes, report.region_changes);
    ck_assert(estimators[_i % 4] == FFEBM_ESTIMATOR_IMPLICIT || changes > 0);
    destroy_all((ffebm_tensor *[]){together, sum, x, y}, 4);
    p.x = NULL;
    problem_end(&p);
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    int32_t dtype = _i % 2 == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_tensor *first = NULL;
    problem p[3];

    for (int32_t t = 0; t < 3; t++) {
        ffebm_equilibrium_config config;

        p[t] = problem_of(rough, dtype, t + 1, 53);
        ffebm_equilibrium_config_init(&config, sizeof config);
        config.estimator = estimators[_i / 2];
        assert_ok(p[t].f.context, ffebm_engine_configure(p[t].f.engine, FFEBM_ALL, &config));
        assert_ok(p[t].f.context, ffebm_engine_gradient(p[t].f.engine, NULL, p[t].x, p[t].y, NULL));
        if (t == 0)
            first = ffebm_engine_flat_gradient(p[0].f.engine);
        ck_assert_mem_eq(ffebm_tensor_data(ffebm_engine_flat_gradient(p[t].f.engine)), ffebm_tensor_data(first),
                         p[t].f.info.element_count * (dtype == FFEBM_FLOAT32 ? 4 : 8));
    }
    for (int t = 0; t < 3; t++)
        problem_end(&p[t]);
}
END_TEST

/* Let channel c of a parameter [outer, 4, inner] become channel places[c]. */
static void permute(const fixture *f, ffebm_tensor *flat, const char *name, size_t outer, size_t inner)
{
    static const size_t places[] = {2, 0, 3, 1};
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_tensor *before = copy_of(f->context, flat);

    assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, ffebm_model_find_parameter(f->model, name)));
    ck_assert_uint_eq(info.count, outer * 4 * inner);
    for (size_t o = 0; o < outer; o++)
        for (size_t c = 0; c < 4; c++)
            for (size_t i = 0; i < inner; i++)
                set_element(flat, info.offset + (o * 4 + places[c]) * inner + i,
                            element(before, info.offset + (o * 4 + c) * inner + i));
    ffebm_tensor_destroy(before);
}

static void permute_hidden_layer(const fixture *f, ffebm_tensor *flat)
{
    permute(f, flat, "stage1.0.weight", 1, 27);
    permute(f, flat, "stage1.0.bias", 1, 1);
    permute(f, flat, "stage1.1.weight", 3, 4);
}

START_TEST(permuting_channels_permutes_gradients)
{
    problem p = problem_of(rough, 0, 1, ROWS);
    ffebm_equilibrium_config config = config_of(estimators[_i], 0.1, 0);
    ffebm_tensor *expected, *found;
    ffebm_report report;

    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    expected = gradient_of(&p, &report);
    permute_hidden_layer(&p.f, expected);
    permute_hidden_layer(&p.f, ffebm_model_flat_parameters(p.f.model));
    found = gradient_of(&p, &report);
    ck_assert_double_lt(worst_error(&p.f, found, expected), 1e-10);
    destroy_all((ffebm_tensor *[]){expected, found}, 2);
    problem_end(&p);
}
END_TEST

Suite *test_implicit_suite(void)
{
    Suite *suite = suite_create("implicit");
    TCase *tests = tcase_create("implicit");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, energy_falls_in_every_half_sweep, 0, 2 * BLOCK_COUNT);
    tcase_add_loop_test(tests, sweeps_in_one_call_are_single_sweeps, 0, 5 * BLOCK_COUNT);
    tcase_add_loop_test(tests, ep_by_hand_equals_vjp_over_moved_switches, 0, 2);
    tcase_add_loop_test(tests, energy_gradient_is_the_energys_derivative, 0, BLOCK_COUNT);
    tcase_add_loop_test(tests, implicit_equals_finite_differences, 0, 2);
    tcase_add_loop_test(tests, vjp_reaches_the_input, 0, 2);
    tcase_add_loop_test(tests, implicit_is_linear_in_its_cotangent, 0, 2);
    tcase_add_loop_test(tests, centered_ep_is_implicit_sweep_by_sweep, 0, 8);
    tcase_add_loop_test(tests, loss_nudging_differs_by_beta_squared, 0, 4);
    tcase_add_loop_test(tests, estimators_mix, 0, 2);
    tcase_add_test(tests, unconverged_adjoints_are_counted);
    tcase_add_loop_test(tests, a_batch_is_its_samples, 0, 8);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 8);
    tcase_add_loop_test(tests, permuting_channels_permutes_gradients, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

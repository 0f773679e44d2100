/* Neurons: sigma, sigma' and G belong together, displacements are the differences that they stand for, and blocks of any of
 * them settle downhill and differentiate as implicitly as by nudging. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "energy/neuron.h"
#include "fixture.h"
#include "tensor/doubles.h"

static const ffebm_activation activations[] = {
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_HARD_SIGMOID, .slope = 0.7, .upper = 1},
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_HARD_SIGMOID, .slope = 1.3, .lower = -1.5, .upper = 6},
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_RELU, .slope = 0.8},
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_IDENTITY, .slope = 0.6},
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_SIGMOID, .slope = 2.5},
    {.size = sizeof(ffebm_activation), .type = FFEBM_ACTIVATION_TANH, .slope = 0.9},
};

enum { NEURONS = sizeof activations / sizeof activations[0], COUNT = 61 };

/* Drives from -9 to 9, none where a neuron here has a kink. */
static double drive(size_t i)
{
    return -9.013 + 0.3 * (double)i;
}

/* What one half-sweep makes of a row. Arrays are of doubles. */
typedef struct half {
    double z[COUNT], base[COUNT], free[COUNT], stiffness[COUNT], s[COUNT];
} half;

static void update(half *h, ffebmi_form form, ffebmi_neuron neuron, bool held)
{
    ffebmi_norms norms;
    const ffebmi_layer_update row = {.rows = 1,
                                     .n = COUNT,
                                     .z = h->z,
                                     .base = h->base,
                                     .neuron = neuron,
                                     .relaxations = (const double[]){1},
                                     .free = h->free,
                                     .stiffness = held ? h->stiffness : NULL,
                                     .s = h->s,
                                     .norms = &norms,
                                     .norm_stride = 1};

    ffebmi_neurons_update(form, &ffebmi_arrays_f64, &row);
}

static void sigma(ffebmi_neuron neuron, const double z[COUNT], double s[COUNT])
{
    half h = {{0}, {0}, {0}, {0}, {0}};

    memcpy(h.z, z, sizeof h.z);
    update(&h, FFEBMI_WHOLE, neuron, false);
    memcpy(s, h.s, sizeof h.s);
}

static bool between_bounds(ffebmi_neuron n, double s)
{
    return s > n.lower && s < n.upper;
}

/* G' is the inverse of sigma, sigma' its derivative. */
START_TEST(are_of_one_energy)
{
    ffebmi_layer_neurons of = ffebmi_neurons_of(&activations[_i]);
    double z[COUNT], s[COUNT], sides[2][COUNT], gain[COUNT];
    const double step = 1e-6;

    for (size_t i = 0; i < COUNT; i++)
        z[i] = drive(i);
    sigma(of.neuron, z, s);
    memcpy(gain, z, sizeof gain);
    ffebmi_arrays_f64.linearize(of.neuron, 1, COUNT, gain, NULL, gain);
    for (int side = 0; side < 2; side++) {
        double moved[COUNT];

        for (size_t i = 0; i < COUNT; i++)
            moved[i] = z[i] + (side == 0 ? -step : step);
        sigma(of.neuron, moved, sides[side]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        double edge = fmin(s[i] - of.neuron.lower, of.neuron.upper - s[i]), h = fmin(1e-5, edge / 10);

        ck_assert_double_eq_tol(gain[i], (sides[1][i] - sides[0][i]) / (2 * step), 1e-8);
        ck_assert_double_le(gain[i], ffebmi_neurons_steepest(&of) * (1 + 1e-15));
        ck_assert_double_ge(edge, 0);
        if (between_bounds(of.neuron, s[i]) && edge > 1e-3)
            ck_assert_double_eq_tol((ffebmi_neurons_energy(&of, &ffebmi_arrays_f64, 1, &(double){s[i] + h}) -
                                     ffebmi_neurons_energy(&of, &ffebmi_arrays_f64, 1, &(double){s[i] - h})) /
                                        (2 * h),
                                    z[i], 1e-4);
    }
}
END_TEST

/* At the bounds themselves: G is finite, sigma' of what has a kink is that of the inside. */
START_TEST(bounds_belong_to_the_inside)
{
    ffebmi_layer_neurons of = ffebmi_neurons_of(&activations[_i]);
    double bounds[2] = {of.neuron.lower, of.neuron.upper};

    for (int b = 0; b < 2; b++) {
        double z = bounds[b] / of.neuron.slope;

        if (isinf(bounds[b]))
            continue;
        ck_assert(isfinite(ffebmi_neurons_energy(&of, &ffebmi_arrays_f64, 1, &bounds[b])));
        ck_assert_uint_eq(ffebmi_neurons_saturated(&of, &ffebmi_arrays_f64, 1, &bounds[b]), of.kind->regions);
        ffebmi_arrays_f64.linearize(of.neuron, 1, 1, &z, NULL, &z);
        if (of.kind->regions && bounds[b] == of.neuron.slope * (bounds[b] / of.neuron.slope))
            ck_assert_double_eq(z, of.neuron.slope);
    }
}
END_TEST

/* sigma(base + z) - free, also where free is not at rest. */
START_TEST(displacements_are_differences)
{
    ffebmi_neuron neuron = ffebmi_neurons_of(&activations[_i]).neuron;
    half h;
    double before[COUNT], after[COUNT], moved[COUNT];

    for (size_t i = 0; i < COUNT; i++) {
        h.base[i] = drive(i);
        h.z[i] = 14 * (ffebm_random_uniform(3, i) - 0.5);
        moved[i] = h.base[i] + h.z[i];
        h.s[i] = 0;
    }
    sigma(neuron, h.base, before);
    sigma(neuron, moved, after);
    for (size_t i = 0; i < COUNT; i++)
        h.free[i] = fmin(fmax(before[i] + 1e-3, neuron.lower), neuron.upper);
    update(&h, FFEBMI_DISPLACED, neuron, false);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_double_eq_tol(h.s[i], after[i] - h.free[i], 2e-15 * fmax(1, fabs(after[i])));
}
END_TEST

/* In float32 a small move has nearly all its digits, where the difference of two states has lost them. */
START_TEST(small_displacements_keep_their_digits)
{
    ffebmi_neuron neuron = ffebmi_neurons_of(&activations[_i]).neuron;
    float z[COUNT], base[COUNT], free[COUNT], s[COUNT] = {0};
    ffebmi_norms norms;
    const ffebmi_layer_update whole = {.rows = 1,
                                       .n = COUNT,
                                       .z = base,
                                       .neuron = neuron,
                                       .relaxations = (const double[]){1},
                                       .s = free,
                                       .norms = &norms,
                                       .norm_stride = 1};
    const ffebmi_layer_update displaced = {.rows = 1,
                                           .n = COUNT,
                                           .z = z,
                                           .base = base,
                                           .neuron = neuron,
                                           .relaxations = (const double[]){1},
                                           .free = free,
                                           .s = s,
                                           .norms = &norms,
                                           .norm_stride = 1};
    float none[COUNT] = {0}, still[COUNT];
    ffebmi_layer_update unmoved = displaced;
    double sum = 0, error = 0;

    unmoved.z = none;
    unmoved.s = still;

    memset(free, 0, sizeof free);
    for (size_t i = 0; i < COUNT; i++) {
        base[i] = (float)(drive(i) / 4);
        z[i] = (float)(1e-4 * (ffebm_random_uniform(3, i) - 0.5));
    }
    ffebmi_neurons_update(FFEBMI_WHOLE, &ffebmi_arrays_f32, &whole);
    memset(still, 0, sizeof still);
    ffebmi_neurons_update(FFEBMI_DISPLACED, &ffebmi_arrays_f32, &displaced);
    ffebmi_neurons_update(FFEBMI_DISPLACED, &ffebmi_arrays_f32, &unmoved);
    for (size_t i = 0; i < COUNT; i++) {
        double ends[COUNT] = {(double)base[i], (double)base[i] + (double)z[i]}, at[COUNT], exact;

        sigma(neuron, ends, at);
        /* all displacements have in them what the free state is off by: here it is the rounding of sigma */
        exact = at[1] - at[0] - ((double)s[i] - (double)still[i]);
        error += exact * exact;
        sum += pow(at[1] - at[0], 2);
    }
    ck_assert_double_gt(sum, 0);
    ck_assert_double_lt(sqrt(error / sum), 1e-3); /* by subtraction of states it is more than 1e-2 */
}
END_TEST

/* The root s of s = sigma(z + .. - k (s - free)) in every form, for k of either sign as strong as it may be. */
START_TEST(held_updates_are_roots)
{
    ffebmi_layer_neurons of = ffebmi_neurons_of(&activations[_i % NEURONS]);
    bool displaced = _i >= NEURONS;
    half h, check;

    for (size_t i = 0; i < COUNT; i++) {
        h.base[i] = displaced ? drive(i) : 0;
        h.z[i] = displaced ? 6 * (ffebm_random_uniform(3, i) - 0.5) : drive(i);
        h.stiffness[i] = (5 * ffebm_random_uniform(4, i) - 0.9) / ffebmi_neurons_steepest(&of);
        h.free[i] = fmin(fmax(ffebm_random_uniform(5, i), of.neuron.lower), of.neuron.upper);
        h.s[i] = 0;
    }
    check = h;
    update(&h, displaced ? FFEBMI_DISPLACED : FFEBMI_WHOLE, of.neuron, true);
    for (size_t i = 0; i < COUNT; i++)
        check.z[i] += h.base[i] - h.stiffness[i] * (displaced ? h.s[i] : h.s[i] - h.free[i]);
    sigma(of.neuron, check.z, check.s);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_double_eq_tol(displaced ? h.s[i] + h.free[i] : h.s[i], check.s[i], 1e-13 * fmax(1, fabs(check.s[i])));
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- blocks of them */

#define TANH "{\"type\": \"tanh\", \"slope\": 0.7}"
#define SIGMOID "{\"type\": \"sigmoid\", \"slope\": 2}"
#define BOX "{\"type\": \"hard_sigmoid\", \"slope\": 0.8, \"lower\": -0.5, \"upper\": 1.5}"
#define RELU "{\"type\": \"relu\", \"slope\": 0.6}"
#define IDENTITY "{\"type\": \"identity\", \"slope\": 0.5}"
#define BLOCK(all, first, second, clamp)                                                                               \
    "{\"dtype\": \"float64\", \"input\": [7], \"loss\": \"cross_entropy\", \"initialization\": {\"type\": "            \
    "\"uniform\", \"gain\": 0.8, \"bias\": 0.2}, \"stages\": [{\"energy\": {\"type\": \"hopfield\", "                  \
    "\"activation\": " all ", \"layer0\": {\"activation\": " first "}, \"clamp_last\": " clamp                         \
    ", \"couplings\": [{\"type\": \"dense\", "                                                                         \
    "\"out_features\": 9, \"activation\": " second "}, {\"type\": \"dense\", \"out_features\": 8}, "                   \
    "{\"type\": \"dense\", \"out_features\": 5}]}}]}"

/* Smooth neurons alone, in a graph with skips, rests and taps. */
#define SMOOTH_GRAPH                                                                                                   \
    "{\"dtype\": \"float64\", \"input\": [2, 5, 6], \"loss\": \"cross_entropy\", \"initialization\": {\"type\": "      \
    "\"uniform\", \"gain\": 0.8, \"bias\": 0.2}, \"stages\": [{\"feedforward\": [], \"taps\": [{\"to\": 1, \"ops\": "  \
    "[{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"stride\": 2, \"padding\": 1}]}, {\"to\": 3, "       \
    "\"ops\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 6}]}]}, {\"energy\": {\"type\": "     \
    "\"hopfield\", \"activation\": " SIGMOID ", \"layer0\": {\"activation\": " TANH                                    \
    "}, \"clamp_last\": false, \"couplings\": ["                                                                       \
    "{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 2, \"stride\": 2, \"padding\": [1, 0]}, "                 \
    "{\"type\": \"dense\", \"out_features\": 5, \"activation\": " TANH "}, "                                           \
    "{\"type\": \"dense\", \"out_features\": 6, \"from\": 1}, "                                                        \
    "{\"type\": \"dense\", \"out_features\": 6, \"from\": 0, \"to\": 3, \"bias\": false}, "                            \
    "{\"type\": \"dense\", \"out_features\": 4, \"from\": 3}, "                                                        \
    "{\"type\": \"dense\", \"out_features\": 4, \"from\": 2, \"to\": 4}]}}, "                                          \
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}]}"

static const char *const blocks[] = {SMOOTH_GRAPH,
                                     BLOCK(TANH, SIGMOID, TANH, "false"),
                                     BLOCK(SIGMOID, TANH, SIGMOID, "true"),
                                     BLOCK(BOX, RELU, IDENTITY, "true"),
                                     BLOCK(RELU, BOX, TANH, "true"),
                                     BLOCK(IDENTITY, SIGMOID, RELU, "false")};

enum { BLOCKS = sizeof blocks / sizeof blocks[0], SMOOTH_BLOCKS = 3, ROWS = 4 };

START_TEST(energies_fall)
{
    fixture f = fixture_of(blocks[_i], 0, 1, 3);
    ffebm_equilibrium_config config = converged();
    ffebm_tensor *x = random_input(&f, ROWS, 17), *before, *after;

    config.free_sweeps = 1;
    config.free_tolerance = 0;
    config.start = FFEBM_START_STATE;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    set_random_state(&f, ROWS, 40);
    before = energies_of(&f, x, ROWS);
    for (int sweep = 0; sweep < 20; sweep++) {
        assert_ok(f.context, ffebm_engine_settle(f.engine, block_stage(&f), x, NULL));
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

static ffebm_tensor *gradient_by(problem *p, int32_t estimator, double beta, ffebm_report *report)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = beta;
    config.nudged_tolerance = 1e-14;
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
    return gradient_of(p, report);
}

/* In all layers of all energy blocks, as reports have it. */
static size_t units_at_bounds(const problem *p)
{
    size_t stage = block_stage(&p->f), count = 0;

    for (size_t l = 0; l < layer_count(&p->f); l++) {
        ffebm_layer_report report = {.size = sizeof report};

        assert_ok(p->f.context, ffebm_engine_inspect_layer(p->f.engine, &report, stage, l));
        count += report.saturated > 0;
    }
    return count;
}

/* On smooth neurons the error of a one-sided estimate falls as beta, of a centred one as its square, of four points as its
 * fourth power: no region is in the way of any. */
START_TEST(smooth_blocks_converge_by_their_orders)
{
    static const struct {
        int32_t estimator;
        double order;
        double beta;
    } laws[] = {
        {FFEBM_ESTIMATOR_POSITIVE, 1, 0.01}, {FFEBM_ESTIMATOR_CENTERED, 2, 0.1}, {FFEBM_ESTIMATOR_FOUR_POINT, 4, 0.2}};
    problem p = problem_of(blocks[_i % SMOOTH_BLOCKS], 0, 1, ROWS);
    double errors[2];
    ffebm_tensor *exact = gradient_by(&p, FFEBM_ESTIMATOR_IMPLICIT, 1, NULL);

    for (int cut = 0; cut < 2; cut++) {
        ffebm_report report;
        ffebm_tensor *nudged =
            gradient_by(&p, laws[_i / SMOOTH_BLOCKS].estimator, laws[_i / SMOOTH_BLOCKS].beta / (1 + cut), &report);

        ck_assert_uint_eq(report.region_changes, 0);
        ck_assert_uint_eq(units_at_bounds(&p), 0);
        errors[cut] = relative_error(nudged, exact);
        ffebm_tensor_destroy(nudged);
    }
    ck_assert_msg(fabs(log2(errors[0] / errors[1]) - laws[_i / SMOOTH_BLOCKS].order) < 0.15, "errors %g, %g", errors[0],
                  errors[1]);
    ffebm_tensor_destroy(exact);
    problem_end(&p);
}
END_TEST

/* Implicit differentiation is the derivative: all of the certificate's directions, whatever the neurons. */
START_TEST(certificates_pass)
{
    problem p = problem_of(blocks[_i], 0, 1, ROWS);
    ffebm_equilibrium_config config = converged();
    ffebm_certify_config certify;
    ffebm_certificate worst = {.size = sizeof worst};

    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = 1e-3;
    config.nudged_tolerance = 1e-14;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    ffebm_certify_config_init(&certify, sizeof certify);
    certify.directions = 3;
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &certify));
    ck_assert_msg(worst.passed == 1, "%s: %g %g", worst.name, worst.cosine, worst.difference_error);
    ck_assert_double_gt(worst.cosine, 0.99999);
    problem_end(&p);
}
END_TEST

/* As they come, blocks of neurons with close bounds: first values keep states and nudges within them. */
START_TEST(close_bounds_certify_as_they_come)
{
#define CLOSE(bounds, clamp)                                                                                           \
    "{\"dtype\": \"float64\", \"input\": [20], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": "           \
    "[{\"type\": "                                                                                                     \
    "\"linear\", \"out_features\": 30}]}, {\"energy\": {\"type\": \"hopfield\", \"clamp_last\": " clamp                \
    ", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.25, " bounds                                          \
    "}, \"couplings\": [{\"type\": \"dense\", \"out_features\": 24}, {\"type\": \"dense\", \"out_features\": 16}, "    \
    "{\"type\": \"dense\", \"out_features\": 10}]}}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": "     \
    "5}]}]}"
#define LOW "\"lower\": 0, \"upper\": 0.2"
#define BOTH "\"lower\": -0.1, \"upper\": 0.1"
#define HIGH "\"lower\": 0.4, \"upper\": 0.6"
    static const char *const close[] = {CLOSE(LOW, "false"), CLOSE(BOTH, "false"), CLOSE(HIGH, "false"),
                                        CLOSE(LOW, "true"),  CLOSE(BOTH, "true"),  CLOSE(HIGH, "true")};

    for (uint64_t seed = 0; seed < 10; seed++) {
        fixture f = fixture_of(close[_i], 0, 1, seed);
        ffebm_tensor *x = random_input(&f, 16, seed), *y = random_labels(&f, 16, seed);
        ffebm_certificate worst = {.size = sizeof worst};

        assert_ok(f.context, ffebm_engine_set_beta(f.engine, FFEBM_ALL, 0.02));
        assert_ok(f.context, ffebm_engine_certify(f.engine, &worst, x, y, NULL, NULL));
        ck_assert_msg(worst.cosine > 0.99, "seed %u, %s: %g", (unsigned)seed, worst.name, worst.cosine);
        destroy_all((ffebm_tensor *[]){x, y}, 2);
        fixture_end(&f);
    }
}
END_TEST

/* A description with all kinds comes back as it went, and its engine computes the same. */
START_TEST(descriptions_come_back)
{
    problem p = problem_of(blocks[_i], 0, 1, ROWS), again;
    const char *text[2];
    size_t length;
    ffebm_tensor *gradients[2];

    assert_ok(p.f.context, ffebm_model_description(p.f.model, &text[0], &length));
    again = problem_of(text[0], 0, 1, ROWS);
    assert_ok(again.f.context, ffebm_model_description(again.f.model, &text[1], &length));
    ck_assert_str_eq(text[1], text[0]);
    gradients[0] = gradient_by(&p, FFEBM_ESTIMATOR_CENTERED, 0.1, NULL);
    gradients[1] = gradient_by(&again, FFEBM_ESTIMATOR_CENTERED, 0.1, NULL);
    ck_assert_double_eq(relative_error(gradients[1], gradients[0]), 0);
    ffebm_tensor_destroy(gradients[0]);
    ffebm_tensor_destroy(gradients[1]);
    problem_end(&again);
    problem_end(&p);
}
END_TEST

/* Under loss nudging a last layer without bounds must not answer with more than it got; bounds, a readout or a held error may
 * be nudged by any strength. */
START_TEST(nudges_that_run_away_are_refused)
{
#define LAST(activation, loss, behind)                                                                                 \
    "{\"input\": [4], \"loss\": \"" loss                                                                               \
    "\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"clamp_last\": true, "                                    \
    "\"activation\": " activation ", \"couplings\": [{\"type\": \"dense\", \"out_features\": 3}]}}" behind "]}"
#define READOUT ", {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 2}]}"
    static const struct {
        const char *json;
        double most; /* beta, of centred nudges; 0: any */
    } lasts[] = {{LAST("{\"type\": \"relu\", \"slope\": 2}", "mse", ""), 0.5},
                 {LAST("{\"type\": \"identity\", \"slope\": 2}", "cross_entropy", ""), 1},
                 {LAST("{\"type\": \"hard_sigmoid\", \"slope\": 2}", "mse", ""), 0},
                 {LAST("{\"type\": \"tanh\", \"slope\": 2}", "mse", ""), 0},
                 {LAST("{\"type\": \"relu\", \"slope\": 2}", "mse", READOUT), 0}};
    fixture f = fixture_of(lasts[_i].json, 0, 1, 3);
    double most = lasts[_i].most == 0 ? 1 : lasts[_i].most;
    ffebm_equilibrium_config config = converged();

    config.nudging = FFEBM_NUDGING_LOSS;
    config.beta = 0.99 * most;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    config.beta = most;
    if (lasts[_i].most == 0) {
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    } else {
        ck_assert_int_eq(ffebm_engine_configure(f.engine, FFEBM_ALL, &config), FFEBM_ERR_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(f.context), "stage 0: FFEBM_NUDGING_LOSS with beta"));
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(f.context), "expected beta below"));
        ck_assert_int_eq(ffebm_engine_set_beta(f.engine, FFEBM_ALL, most), FFEBM_ERR_ARGUMENT);
        config.estimator = FFEBM_ESTIMATOR_FOUR_POINT; /* nudges twice as strong */
        config.beta = most / 2;
        ck_assert_int_eq(ffebm_engine_configure(f.engine, 0, &config), FFEBM_ERR_ARGUMENT);
        config.nudging = FFEBM_NUDGING_AUTO;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    }
    fixture_end(&f);
}
END_TEST

Suite *test_neurons_suite(void)
{
    Suite *suite = suite_create("neurons");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, are_of_one_energy, 0, NEURONS);
    tcase_add_loop_test(tests, bounds_belong_to_the_inside, 0, NEURONS);
    tcase_add_loop_test(tests, displacements_are_differences, 0, NEURONS);
    tcase_add_loop_test(tests, small_displacements_keep_their_digits, 0, NEURONS);
    tcase_add_loop_test(tests, held_updates_are_roots, 0, 2 * NEURONS);
    tcase_add_loop_test(tests, energies_fall, 0, BLOCKS);
    tcase_add_loop_test(tests, smooth_blocks_converge_by_their_orders, 0, 3 * SMOOTH_BLOCKS);
    tcase_add_loop_test(tests, certificates_pass, 0, BLOCKS);
    tcase_add_loop_test(tests, close_bounds_certify_as_they_come, 0, 6);
    tcase_add_loop_test(tests, descriptions_come_back, 0, BLOCKS);
    tcase_add_loop_test(tests, nudges_that_run_away_are_refused, 0, 5);
    suite_add_tcase(suite, tests);
    return suite;
}

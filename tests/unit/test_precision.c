/* Mixed precision: products of rounded numbers against the portable ones, and what they do to states and gradients. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convolution/convolution.h"
#include "core/random.h"
#include "fixture.h"

enum { GEOMETRIES = 24, ROWS = 3 };

static ffebmi_arithmetic best(void)
{
    return ffebmi_arithmetic_for(FFEBM_FLOAT32, 0);
}

/* This processor's products of 16-bit integers; NULL: where there are none, mixed precision is full precision. */
static const ffebmi_int16 *int16(void)
{
    return best().products == NULL ? NULL : best().products->int16;
}

typedef struct geometry {
    ffebmi_windows windows;
    size_t out_channels;
} geometry;

static float *numbers(size_t count, uint64_t seed, double share)
{
    float *x = malloc((count + 1) * sizeof *x);

    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++)
        x[i] = ffebm_random_uniform(seed + 1000, i) < share ? (float)ffebm_random_normal(seed, i) : 0;
    return x;
}

/* Memory that nothing may be read from before it is written: NaN. */
static float *memory(size_t count)
{
    float *x = malloc((count + 1) * sizeof *x);

    ck_assert_ptr_nonnull(x);
    memset(x, 0xff, (count + 1) * sizeof *x);
    return x;
}

/* 3 x 3 windows over images of all shapes; odd channels, channels beyond a panel and more targets than a block has. */
static geometry random_geometry(uint64_t seed)
{
    geometry c = {.out_channels = 64 + ffebmi_random_stream(seed, 1) % 60,
                  .windows = {.channels = 64 + ffebmi_random_stream(seed, 2) % 60}};

    for (size_t i = 0; i < 2; i++) {
        c.windows.kernel[i] = 3;
        c.windows.padding[i] = ffebmi_random_stream(seed, 3 + i) % 3;
        c.windows.stride[i] = 1;
        c.windows.in[i] = 4 + ffebmi_random_stream(seed, 5 + i) % 9;
        c.windows.out[i] = c.windows.in[i] + 2 * c.windows.padding[i] - 2;
    }
    if (seed % 4 == 0) /* the image that is a cell of its own */
        for (size_t i = 0; i < 2; i++) {
            c.windows.padding[i] = 1;
            c.windows.in[i] = c.windows.out[i] = 2;
        }
    return c;
}

static size_t below(const geometry *c)
{
    return c->windows.in[0] * c->windows.in[1] * c->windows.channels;
}

static size_t above(const geometry *c)
{
    return c->windows.out[0] * c->windows.out[1] * c->out_channels;
}

/* One pass of some rows, up or down on top of ones, in integers if so. */
static float *passed(const geometry *g, const ffebmi_arithmetic *k, bool rounded, const float *weights, size_t rows,
                     const float *x, bool up)
{
    size_t count = rows * (up ? above(g) : below(g)), units;
    float *full, *integers, *z = memory(count), *scratch;
    ffebmi_convolution c;
    ffebmi_packed packed;

    ffebmi_convolution_plan(&c, k, &g->windows, g->out_channels, false);
    units = ffebmi_convolution_pack_units(&c, FFEBMI_BOTH);
    full = memory(c.packed);
    integers = memory(c.int16);
    scratch = memory(c.scratch);
    ffebmi_convolution_pack(&c, FFEBMI_BOTH, weights, full, 0, units);
    packed = (ffebmi_packed){.full = full};
    if (rounded && c.int16 > 0) {
        ffebmi_convolution_pack_int16(&c, full, integers, 0, units);
        packed.int16 = integers;
    }
    for (size_t i = 0; i < count; i++)
        z[i] = 1;
    if (up)
        ffebmi_convolution_up(&c, &packed, rows, x, z, scratch);
    else
        ffebmi_convolution_down(&c, &packed, rows, x, true, z, scratch);
    free(full);
    free(integers);
    free(scratch);
    return z;
}

/* |a - b| / |b| */
static double distance(const float *a, const float *b, size_t count)
{
    double error = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        error += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(error / size);
}

/* By the best instructions, and by those that a smaller processor has. */
START_TEST(rounded_passes_are_close)
{
    const ffebmi_arithmetic portable = ffebmi_arithmetic_for(FFEBM_FLOAT32, FFEBM_ISA_PORTABLE);
    const ffebmi_arithmetic k = ffebmi_arithmetic_for(FFEBM_FLOAT32, _i == 0 ? 0 : FFEBM_ISA_AVX2);
    bool have = k.products != NULL && k.products->int16 != NULL;
    size_t rounded = 0;

    for (uint64_t seed = 1; have && seed <= GEOMETRIES; seed++) {
        geometry c = random_geometry(seed);
        float *w = numbers(9 * c.windows.channels * c.out_channels, seed, 1);

        for (int up = 0; up < 2; up++) {
            size_t from = ROWS * (up ? below(&c) : above(&c)), to = ROWS * (up ? above(&c) : below(&c));
            float *x = numbers(from, seed + 50, seed % 3 == 0 ? 1 : seed % 3 == 1 ? 0.1 : 0.003);
            float *a = passed(&c, &k, true, w, ROWS, x, up), *b = passed(&c, &portable, false, w, ROWS, x, up);
            double error = distance(a, b, to);

            ck_assert_msg(error < 5e-3, "seed %d %s: error %g", (int)seed, up ? "up" : "down", error);
            rounded += error > 1e-5;
            free(x);
            free(a);
            free(b);
        }
        free(w);
    }
    ck_assert(!have || rounded > GEOMETRIES); /* most are large enough for cells */
}
END_TEST

/* Where the reciprocal of a scale would overflow there is nothing, and no garbage. */
START_TEST(what_is_tiny_is_nothing)
{
    const ffebmi_arithmetic k = best();

    for (uint64_t seed = 1; int16() != NULL && seed <= 4; seed++) {
        geometry c = random_geometry(seed);
        float *w = numbers(9 * c.windows.channels * c.out_channels, seed, 1), *x = numbers(ROWS * below(&c), 4, 1), *z;

        for (size_t i = 0; i < ROWS * below(&c) && seed % 2 == 0; i++)
            x[i] *= 1e-38f;
        for (size_t i = 0; i < 9 * c.windows.channels * c.out_channels && seed % 2 == 1; i++)
            w[i] *= 1e-42f;
        z = passed(&c, &k, true, w, ROWS, x, true);
        for (size_t i = 0; i < ROWS * above(&c); i++)
            ck_assert_msg(fabsf(z[i]) < 1e-30f, "seed %d: %g", (int)seed, (double)z[i]);
        free(w);
        free(x);
        free(z);
    }
}
END_TEST

START_TEST(rounded_rows_alone_give_the_same_bits)
{
    const ffebmi_arithmetic k = best();

    for (uint64_t seed = 1; int16() != NULL && seed <= GEOMETRIES; seed++) {
        geometry c = random_geometry(seed);
        float *w = numbers(9 * c.windows.channels * c.out_channels, seed, 1), *x = numbers(ROWS * below(&c), 4, 1);
        float *all = passed(&c, &k, true, w, ROWS, x, true);

        for (size_t r = 0; r < ROWS; r++) {
            float *one = passed(&c, &k, true, w, 1, x + r * below(&c), true);

            ck_assert_mem_eq(one, all + r * above(&c), above(&c) * sizeof *one);
            free(one);
        }
        free(w);
        free(x);
        free(all);
    }
}
END_TEST

/* The worst that can be summed: every product the largest, of one sign. */
START_TEST(sums_do_not_overflow)
{
    static const size_t products[] = {2, 18, 512, 1000, 4608, 70000};
    const ffebmi_arithmetic k = best();
    size_t panel = k.products == NULL ? 0 : k.products->panel, n = products[_i];
    int16_t levels = (int16_t)ffebmi_int16_levels(n);
    int16_t *x = malloc(n * sizeof *x), *weights = malloc((n * panel + 1) * sizeof *weights);
    float scales[FFEBMI_PANEL], z[FFEBMI_PANEL], scale = 1;
    ffebmi_int16_product product = {.x = x,
                                    .z = z,
                                    .rows = 1,
                                    .scales = &scale,
                                    .gain = 1,
                                    .weights = weights,
                                    .weight_scales = scales,
                                    .pairs = n / 2,
                                    .width = panel};

    ck_assert_int_ge(levels, n <= 4608 ? 682 : 174);
    for (size_t i = 0; i < n; i++)
        x[i] = levels;
    for (size_t i = 0; i < n * panel; i++)
        weights[i] = (int16_t)-levels;
    for (size_t i = 0; i < panel; i++)
        scales[i] = 1;
    if (int16() != NULL)
        int16()->product(&product);
    for (size_t i = 0; int16() != NULL && i < panel; i++)
        ck_assert_float_eq(z[i], (float)(-(double)n * levels * levels));
    free(x);
    free(weights);
}
END_TEST

#define CONV(out) "{\"type\": \"conv2d\", \"out_channels\": " out ", \"kernel\": 3, \"padding\": 1"
/* clang-format off */
#define MODEL(variance, pool) \
    "{\"input\": [64, 4, 4], \"loss\": \"cross_entropy\", \"initialization\": {\"type\": \"goe\", \"variance\": " variance "}, " \
    "\"stages\": [{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, " \
    "\"couplings\": [" CONV("66") "}, " CONV("72") pool "}]}}, " \
    "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 4}]}]}"
/* clang-format on */

static const char wide[] = MODEL("2e-4", ""), slow[] = MODEL("7e-4", ""),
                  pooled[] = MODEL("2e-4", ", \"pool\": {\"type\": \"max\", \"kernel\": 2}");

enum { BATCH = 20 }; /* two shards */

static void settle_by(problem *p, int32_t precision, int64_t free_sweeps, double free_tolerance)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.switches = FFEBM_SWITCHES_HOLD;
    config.free_sweeps = free_sweeps;
    config.free_tolerance = free_tolerance;
    config.nudged_sweeps = 6;
    config.nudged_tolerance = 0;
    config.precision = precision;
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
}

static ffebm_phase_report report_of(const problem *p, int32_t phase)
{
    ffebm_phase_report report = {.size = sizeof report};

    assert_ok(p->f.context, ffebm_engine_inspect_phase(p->f.engine, &report, 0, phase));
    return report;
}

/* Rounding moves the gradient by some thousandths; the free states, settled in full precision in the end, by no more than
 * their tolerance leaves open; and those of pools not at all. */
START_TEST(mixed_gradients_are_close)
{
    problem p = problem_of(_i == 0 ? wide : pooled, 0, 1, BATCH);
    ffebm_tensor *full, *mixed, *states[2];
    double error, moved;

    settle_by(&p, FFEBM_PRECISION_FULL, 60, 1e-5);
    full = gradient_of(&p, NULL);
    states[0] = layer_state(&p.f, 1, BATCH, FFEBM_PHASE_FREE);
    settle_by(&p, FFEBM_PRECISION_MIXED, 60, 1e-5);
    mixed = gradient_of(&p, NULL);
    states[1] = layer_state(&p.f, 1, BATCH, FFEBM_PHASE_FREE);
    error = worst_error(&p.f, mixed, full);
    moved = relative_error(states[1], states[0]);
    ck_assert_msg(error < 1e-2, "error %g", error);
    ck_assert(int16() == NULL || error > 1e-5);
    ck_assert_msg(_i == 0 ? moved < 1e-4 : moved == 0, "free states moved by %g", moved);
    ck_assert(_i == 1 || report_of(&p, FFEBM_PHASE_FREE).unconverged == 0);
    destroy_all((ffebm_tensor *[]){full, mixed, states[0], states[1]}, 4);
    problem_end(&p);
}
END_TEST

/* Both legs of a free phase together take as many sweeps as are allowed, down to one. */
START_TEST(sweeps_are_counted_over_both_legs)
{
    problem p = problem_of(wide, 0, 1, BATCH);

    for (int64_t sweeps = 1; sweeps <= 5; sweeps++) {
        ffebm_phase_report report;

        settle_by(&p, FFEBM_PRECISION_MIXED, sweeps, 0);
        ffebm_tensor_destroy(gradient_of(&p, NULL));
        report = report_of(&p, FFEBM_PHASE_FREE);
        ck_assert_int_eq(report.sweeps_min, sweeps);
        ck_assert_int_eq(report.sweeps_max, sweeps);
        ck_assert_int_eq(report_of(&p, FFEBM_PHASE_NUDGED).sweeps_max, 6);
        settle_by(&p, FFEBM_PRECISION_MIXED, sweeps, 1e-6); /* not to be had in so few */
        ffebm_tensor_destroy(gradient_of(&p, NULL));
        report = report_of(&p, FFEBM_PHASE_FREE);
        ck_assert_int_le(report.sweeps_max, sweeps);
        ck_assert_uint_eq(report.unconverged, BATCH);
    }
    problem_end(&p);
}
END_TEST

/* How far the first leg has gone holds in the last one, which begins next to the equilibrium and has little to learn. */
START_TEST(paces_are_of_both_legs)
{
    problem p = problem_of(slow, 0, 1, BATCH);
    double furthest[2];

    for (int32_t i = 0; i < 2; i++) {
        settle_by(&p, i == 0 ? FFEBM_PRECISION_FULL : FFEBM_PRECISION_MIXED, 60, 1e-2);
        ffebm_tensor_destroy(gradient_of(&p, NULL));
        furthest[i] = report_of(&p, FFEBM_PHASE_FREE).relaxation_max;
    }
    ck_assert_double_gt(furthest[0], 1.05);
    ck_assert_msg(furthest[1] > 0.5 * (1 + furthest[0]), "%g, in full precision %g", furthest[1], furthest[0]);
    problem_end(&p);
}
END_TEST

/* Neither threads nor the rest of the batch change a sample's bits. */
START_TEST(mixed_bits_depend_on_the_sample_alone)
{
    problem one = problem_of(wide, 0, 1, BATCH), two = problem_of(wide, 0, 2, BATCH);
    ffebm_tensor *serial, *parallel, *state, *alone, *row;

    settle_by(&one, FFEBM_PRECISION_MIXED, 20, 1e-4);
    settle_by(&two, FFEBM_PRECISION_MIXED, 20, 1e-4);
    serial = gradient_of(&one, NULL);
    parallel = gradient_of(&two, NULL);
    ck_assert_mem_eq(ffebm_tensor_data(serial), ffebm_tensor_data(parallel),
                     ffebm_tensor_count(serial) * sizeof(float));
    state = layer_state(&one.f, 1, BATCH, FFEBM_PHASE_FREE);
    assert_ok(one.f.context, ffebm_tensor_rows(one.x, &row, BATCH - 1, 1));
    assert_ok(one.f.context, ffebm_engine_forward(one.f.engine, NULL, &ticket, row));
    alone = layer_state(&one.f, 1, 1, FFEBM_PHASE_FREE);
    for (size_t i = 0, count = ffebm_tensor_count(alone); i < count; i++)
        ck_assert_double_eq(element(alone, i), element(state, (BATCH - 1) * count + i));
    destroy_all((ffebm_tensor *[]){serial, parallel, state, alone, row}, 5);
    problem_end(&one);
    problem_end(&two);
}
END_TEST

/* Where there is nothing to round, nothing changes: in float64, with whole nudged states, in adjoints. */
START_TEST(elsewhere_mixed_is_full)
{
    static const struct {
        int32_t dtype;
        int32_t estimator;
        double free_tolerance;
    } cases[] = {{FFEBM_FLOAT64, FFEBM_ESTIMATOR_CENTERED, 1e-4}, {0, FFEBM_ESTIMATOR_IMPLICIT, 1e-6}};
    problem p = problem_of(wide, cases[_i].dtype, 1, BATCH);
    ffebm_tensor *gradients[2];

    for (int i = 0; i < 2; i++) {
        ffebm_equilibrium_config config;

        ffebm_equilibrium_config_init(&config, sizeof config);
        config.estimator = cases[_i].estimator;
        config.free_tolerance = cases[_i].free_tolerance;
        config.precision = i == 0 ? FFEBM_PRECISION_FULL : FFEBM_PRECISION_MIXED;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        gradients[i] = gradient_of(&p, NULL);
    }
    ck_assert_double_eq(relative_error(gradients[1], gradients[0]), 0);
    destroy_all(gradients, 2);
    problem_end(&p);
}
END_TEST

Suite *test_precision_suite(void)
{
    Suite *suite = suite_create("precision");
    TCase *tests = tcase_create("precision");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, rounded_passes_are_close, 0, 2);
    tcase_add_test(tests, what_is_tiny_is_nothing);
    tcase_add_test(tests, rounded_rows_alone_give_the_same_bits);
    tcase_add_loop_test(tests, sums_do_not_overflow, 0, 6);
    tcase_add_loop_test(tests, mixed_gradients_are_close, 0, 2);
    tcase_add_test(tests, sweeps_are_counted_over_both_legs);
    tcase_add_test(tests, paces_are_of_both_legs);
    tcase_add_test(tests, mixed_bits_depend_on_the_sample_alone);
    tcase_add_loop_test(tests, elsewhere_mixed_is_full, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

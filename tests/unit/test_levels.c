/* Weights that have levels (weight.bits of a device): which one, what acts on it, and what training moves. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"

enum { ROWS = 5 };

/* clang-format off */
static const char *const models[] = {
    "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "
    "\"couplings\": [{\"type\": \"dense\", \"out_features\": 6}, {\"type\": \"dense\", \"out_features\": 3}]}}]}",
    "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"resistive\", "
    "\"input_gain\": 4, \"g_min\": 0.02, \"g_max\": 0.3, "
    "\"couplings\": [{\"type\": \"dense\", \"out_features\": 6}, {\"type\": \"dense\", \"out_features\": 3}]}}]}"};
/* clang-format on */
enum { MODELS = sizeof models / sizeof models[0] };

/* What levels lie between: of a Hopfield network the device's bounds, of a resistive one its own. */
static const double bounds[MODELS][2] = {{-0.4, 0.3}, {0.02, 0.3}};

static ffebm_device_config levels_of(int model, int64_t bits)
{
    ffebm_device_config device;

    ffebm_device_config_init(&device, sizeof device);
    device.seed = 3;
    device.weight_bits = bits;
    if (model == 0) {
        device.weight_min = bounds[0][0];
        device.weight_max = bounds[0][1];
    }
    return device;
}

static problem problem_on(int model, int32_t dtype, const ffebm_device_config *device)
{
    problem p = problem_of(models[model], dtype, 1, ROWS);
    ffebm_equilibrium_config config = converged();

    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, FFEBM_ALL, device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = 1e-3;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    return p;
}

static ffebm_parameter_info info_of(const problem *p, size_t index)
{
    ffebm_parameter_info info = {.size = sizeof info};

    assert_ok(p->f.context, ffebm_model_inspect_parameter(p->f.model, &info, index));
    return info;
}

static bool is_weight(const ffebm_parameter_info *info)
{
    return strstr(info->name, "weight") != NULL;
}

static bool same(const ffebm_tensor *a, const ffebm_tensor *b)
{
    size_t bytes = ffebm_tensor_count(a) * (ffebm_tensor_dtype(a) == FFEBM_FLOAT32 ? 4 : 8);

    return memcmp(ffebm_tensor_const_data(a), ffebm_tensor_const_data(b), bytes) == 0;
}

/* The nearest of all levels, each tried; and is it nearer than the others by more than rounding? */
static double nearest_level(double weight, int model, int64_t bits, bool *clear)
{
    double lower = bounds[model][0], upper = bounds[model][1], best = INFINITY, second = INFINITY, found = 0;
    int64_t last = ((int64_t)1 << bits) - 1;

    for (int64_t k = 0; k <= last; k++) {
        double level = lower + (upper - lower) * (double)k / (double)last, distance = fabs(level - weight);

        if (distance < best) {
            second = best;
            best = distance;
            found = level;
        } else if (distance < second) {
            second = distance;
        }
    }
    *clear = second - best > 1e-6 * (upper - lower);
    return found;
}

static const int64_t some_bits[] = {1, 2, 3, 8};
enum { SOME = sizeof some_bits / sizeof some_bits[0] };

/* Whatever is programmed, in effect is the nearest level, bounds among them; biases are as they are, and so is what is programmed. */
START_TEST(weights_are_the_nearest_level)
{
    int model = _i % MODELS;
    int32_t dtype = _i / (MODELS * SOME) == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    int64_t bits = some_bits[_i / MODELS % SOME];
    ffebm_device_config device = levels_of(model, bits);
    problem p = problem_on(model, dtype, &device);
    double precision = dtype == FFEBM_FLOAT64 ? 1e-15 : 1e-7;
    size_t compared = 0, extremes[2] = {0, 0};

    for (size_t i = 0; i < p.f.info.parameter_count; i++) {
        ffebm_parameter_info info = info_of(&p, i);

        for (size_t n = 0; n < info.count && is_weight(&info); n++)
            set_element(info.value, n, 2 * element(info.value, n) - (n % 7 == 0 ? 0.3 : -0.05));
        info = info_of(&p, i);
        ck_assert_int_eq(same(info.effective, info.value), !is_weight(&info));
        for (size_t n = 0; n < info.count && is_weight(&info); n++) {
            double effective = element(info.effective, n), expected;
            bool clear;

            expected = nearest_level(element(info.value, n), model, bits, &clear);
            if (clear) {
                ck_assert_double_eq_tol(effective, expected, precision);
                compared++;
            }
            extremes[0] += fabs(effective - bounds[model][0]) < precision;
            extremes[1] += fabs(effective - bounds[model][1]) < precision;
        }
    }
    ck_assert_uint_gt(compared, 30);
    ck_assert(extremes[0] > 0 && extremes[1] > 0);
    problem_end(&p);
}
END_TEST

static void copy_effective(const problem *from, const problem *to)
{
    for (size_t i = 0; i < to->f.info.parameter_count; i++)
        assert_ok(to->f.context, ffebm_tensor_copy(info_of(to, i).value, info_of(from, i).effective));
}

/* A level is the nearest to itself; and what varies acts on it as on any weight. To the bit. */
START_TEST(what_varies_acts_on_the_level)
{
    ffebm_device_config levels = levels_of(_i, 3), both = levels, mismatch;
    problem p = problem_on(_i, 0, &levels), q = problem_on(_i, 0, &levels), r, s;

    both.weight_dtod = 0.3;
    both.weight_stuck = 0.1;
    if (_i == 0)
        both.weight_max_dtod = 0.2;
    mismatch = both;
    mismatch.weight_bits = 0;
    r = problem_on(_i, 0, &both);
    s = problem_on(_i, 0, &mismatch);
    copy_effective(&p, &q);
    copy_effective(&p, &s);
    for (size_t i = 0; i < p.f.info.parameter_count; i++) {
        ffebm_parameter_info level = info_of(&p, i), again = info_of(&q, i);
        ffebm_parameter_info varied = info_of(&r, i), expected = info_of(&s, i);

        ck_assert(same(again.effective, level.effective));
        ck_assert(same(varied.effective, expected.effective));
        ck_assert_int_eq(same(varied.effective, level.effective), !is_weight(&level));
    }
    problem_end(&p);
    problem_end(&q);
    problem_end(&r);
    problem_end(&s);
}
END_TEST

/* The gradient is that at the levels, and a step of an optimizer moves the full-precision values by it, within their bounds. */
START_TEST(optimizers_move_a_shadow)
{
    const double rate = 1e-6;
    ffebm_device_config levels = levels_of(_i, 3), none;
    problem p = problem_on(_i, 0, &levels), plain;
    ffebm_tensor *a, *b, *values = ffebm_model_flat_parameters(p.f.model), *before = copy_of(p.f.context, values);
    ffebm_sgd_config sgd;
    ffebm_optimizer *optimizer;
    size_t moved = 0;

    ffebm_device_config_init(&none, sizeof none);
    plain = problem_on(_i, 0, &none);
    copy_effective(&p, &plain);
    a = gradient_of(&p, NULL);
    b = gradient_of(&plain, NULL);
    ck_assert(same(a, b));
    ffebm_sgd_config_init(&sgd, sizeof sgd);
    sgd.learning_rate = rate;
    assert_ok(p.f.context, ffebm_optimizer_create_sgd(&optimizer, p.f.model, &sgd));
    assert_ok(p.f.context, ffebm_optimizer_step(optimizer, p.f.engine));
    for (size_t i = 0; i < p.f.info.parameter_count; i++) {
        ffebm_parameter_info info = info_of(&p, i), levelled = info_of(&plain, i);

        for (size_t n = 0; n < info.count; n++) {
            double wanted = element(before, info.offset + n) - rate * element(a, info.offset + n);

            ck_assert_double_eq_tol(element(info.value, n), fmin(fmax(wanted, info.lower), info.upper), 1e-15);
            moved += element(info.value, n) != element(before, info.offset + n);
        }
        if (is_weight(&info)) /* a step far smaller than a level */
            ck_assert(same(info.effective, levelled.value));
    }
    ck_assert_uint_gt(moved, 20);
    ffebm_optimizer_destroy(optimizer);
    destroy_all((ffebm_tensor *[]){a, b, before}, 3);
    problem_end(&p);
    problem_end(&plain);
}
END_TEST

static const struct {
    int model;
    int64_t bits;
    double min, max;
    const char *words;
} bad[] = {
    {0, 4, -INFINITY, INFINITY, "weight_bits is 4, but \"weight\" may be -inf to inf, expected finite weight_min"},
    {0, 4, -1, INFINITY, "may be -1 to inf"},
    {1, 2, 0.5, INFINITY, "weight_bits is 2, but \"weight\" may be 0.5 to 0.3, expected room"},
    {0, 25, -1, 1, "weight_bits is 25, expected"},
    {0, -1, -1, 1, "weight_bits is -1, expected"},
};

/* Without a range there are no levels; what is refused changes nothing. */
START_TEST(levels_need_a_range)
{
    fixture f = fixture_of(models[bad[_i].model], 0, 1, 1);
    ffebm_device_config device, after = {.size = sizeof after};

    ffebm_engine_destroy(f.engine);
    f.engine = NULL;
    ffebm_device_config_init(&device, sizeof device);
    device.weight_bits = bad[_i].bits;
    device.weight_min = bad[_i].min;
    device.weight_max = bad[_i].max;
    ck_assert_int_eq(ffebm_model_set_device(f.model, FFEBM_ALL, &device), FFEBM_ERR_ARGUMENT);
    ck_assert_msg(strstr(ffebm_context_error(f.context), bad[_i].words) != NULL, "%s", ffebm_context_error(f.context));
    assert_ok(f.context, ffebm_model_device(f.model, &after, 0));
    ck_assert_int_eq(after.weight_bits, 0);
    fixture_end(&f);
}
END_TEST

Suite *test_levels_suite(void)
{
    Suite *suite = suite_create("levels");
    TCase *tests = tcase_create("levels");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, weights_are_the_nearest_level, 0, 2 * MODELS * SOME);
    tcase_add_loop_test(tests, what_varies_acts_on_the_level, 0, MODELS);
    tcase_add_loop_test(tests, optimizers_move_a_shadow, 0, MODELS);
    tcase_add_loop_test(tests, levels_need_a_range, 0, sizeof bad / sizeof bad[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Weights that pulses write: what a pulse does, how many there are, and what resuming and threads change. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/draw.h"
#include "device/device.h"
#include "fixture.h"

/* ------------------------------------------------------------------------------------------------------------- steps */

enum { PULSES = 10000, CELLS = 100 };

/* The weight that so many pulses lead to from 0 on average: sums and, where pulses are small, the solution of dW/dn = dw h(W). */
typedef double (*closed_fn)(const ffebm_device_config *c, bool up, double n);

static double of_constant(const ffebm_device_config *c, bool up, double n)
{
    return (up ? 1 : -1) * c->update_dw_min * n;
}

static double of_linear(const ffebm_device_config *c, bool up, double n)
{
    double bound = (up ? c->weight_max : c->weight_min) / (up ? c->update_gamma_up : c->update_gamma_down);

    return bound * (1 - pow(1 - c->update_dw_min / fabs(bound), n));
}

static double of_soft_bounds(const ffebm_device_config *c, bool up, double n)
{
    double bound = up ? c->weight_max : c->weight_min;

    return bound * (1 - pow(1 - c->update_dw_min / fabs(bound), n));
}

/* With z = k W + b and u = exp(-+ gamma z), du/dn = -+ gamma k d dw (u - A): u runs into A. */
static double of_exponential(const ffebm_device_config *c, bool up, double n)
{
    double k = 2 * c->update_exp_a / (c->weight_max - c->weight_min);
    double rate = (up ? c->update_gamma_up : c->update_gamma_down) * k * c->update_dw_min;
    double a = up ? c->update_exp_a_up : c->update_exp_a_down, gamma = up ? c->update_gamma_up : -c->update_gamma_down;
    double u = a + (exp(-gamma * c->update_exp_b) - a) * exp(-rate * n);

    return (-log(u) / gamma - c->update_exp_b) / k;
}

static const struct {
    const char *preset;
    double dw_min;
    closed_fn closed;
} kinds[] = {{"idealized", 5e-5, of_constant},
             {"ecram", 1e-4, of_linear},
             {"reram_sb", 1e-4, of_soft_bounds},
             {"reram_es", 2e-5, of_exponential}};

START_TEST(pulses_follow_their_closed_forms)
{
    ffebm_device_config c;
    double xi[PULSES];

    ffebm_device_config_init(&c, sizeof c);
    assert_ok(NULL, ffebm_device_preset(NULL, &c, kinds[_i].preset));
    c.update_dw_min = kinds[_i].dw_min;
    for (int up = 0; up < 2; up++) {
        const ffebmi_cell cell = {c.weight_min, c.weight_max, {c.update_dw_min, c.update_dw_min}};
        double mean = 0, expected = kinds[_i].closed(&c, up, PULSES);

        for (uint32_t n = 0; n < CELLS; n++) {
            double weight = 0;

            ffebmi_draw_normal(&(ffebmi_draw){.key = 4, .sample = n}, 0, PULSES, xi);
            for (size_t p = 0; p < PULSES; p++)
                weight = ffebmi_pulse(&c, &cell, up, 1 + 0.3 * xi[p], weight);
            mean += weight / CELLS;
        }
        ck_assert_double_lt(fabs(mean / expected - 1), 0.01);
    }
}
END_TEST

/* The numbers of aihwkit, as they were published. */
static const struct {
    const char *name;
    double numbers[12]; /* min, max and their dtod, dw_min, its dtod and std, up_down, its dtod, write noise, gammas */
    double exponential[4];
    int32_t step;
} published[] = {
    {"idealized", {-1, 1, 0.3, 0.3, 0.0002, 0.3, 0.3, 0, 0, 0, 1, 1}, {0, 0, 1, 0}, FFEBM_STEP_CONSTANT},
    {"gokmen_vlasov", {-1, 1, 0.3, 0.3, 0.0016, 0.3, 0.3, 0, 0.01, 0, 1, 1}, {0, 0, 1, 0}, FFEBM_STEP_CONSTANT},
    {"reram_es",
     {-1, 1, 0.3, 0.3, 0.00135, 0.2, 5, 0.259359, 0.05, 75, 5, 5},
     {-1.18445, -0.081404, -0.5, -0.5},
     FFEBM_STEP_EXPONENTIAL},
    {"reram_sb", {-0.75, 1.25, 0.4, 0.24, 0.002, 0.3, 3.75, 0, 0.01, 56, 1, 1}, {0, 0, 1, 0}, FFEBM_STEP_SOFT_BOUNDS},
    {"capacitor", {-1, 1, 0.07, 0.07, 0.005, 0.1, 0.3, 0, 0.06, 0, 0.05, 0.05}, {0, 0, 1, 0}, FFEBM_STEP_LINEAR},
    {"ecram",
     {-0.8276, 1.1724, 0.05, 0.05, 0.002, 0.1, 0.3, 0, 0.01, 0, 0.1153, 0.5085},
     {0, 0, 1, 0},
     FFEBM_STEP_LINEAR},
    {"ecram_mo",
     {-0.8286, 1.1714, 0.05, 0.05, 2.8214e-4, 0.1, 2, 0, 0.01, 0, 0.4152, 0.7342},
     {0, 0, 1, 0},
     FFEBM_STEP_LINEAR},
    {"pcm", {0, 2, 0, 0.1, 0.01, 0.2, 0.6, 0, 0.05, 0, 2.5, 2.5}, {-27.235, -2.235, -1, 0}, FFEBM_STEP_EXPONENTIAL}};
/* The last one has positive weights alone, under which a network grows without bounds. */
enum { PRESETS = sizeof published / sizeof published[0], TRAINED = PRESETS - 1 };

START_TEST(presets_have_the_published_numbers)
{
    ffebm_device_config c;

    ffebm_device_config_init(&c, sizeof c);
    c.seed = 6;
    c.output_noise = 0.5;
    assert_ok(NULL, ffebm_device_preset(NULL, &c, published[_i].name));
    {
        const double numbers[] = {c.weight_min,          c.weight_max,
                                  c.weight_min_dtod,     c.weight_max_dtod,
                                  c.update_dw_min,       c.update_dw_min_dtod,
                                  c.update_dw_min_std,   c.update_up_down,
                                  c.update_up_down_dtod, c.update_write_noise_std,
                                  c.update_gamma_up,     c.update_gamma_down};
        const double exponential[] = {c.update_exp_a_up, c.update_exp_a_down, c.update_exp_a, c.update_exp_b};

        for (size_t i = 0; i < 12; i++)
            ck_assert_double_eq_tol(numbers[i], published[_i].numbers[i], 1e-15);
        for (size_t i = 0; i < 4; i++)
            ck_assert_double_eq(exponential[i], published[_i].exponential[i]);
    }
    ck_assert(c.update_step == published[_i].step && c.update_mode == FFEBM_UPDATE_DIFFERENCE);
    ck_assert(c.seed == 6 && c.output_noise == 0.5);
}
END_TEST

START_TEST(other_names_are_refused)
{
    ffebm_device_config c, before;
    ffebm_context *context;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    ffebm_device_config_init(&c, sizeof c);
    before = c;
    ck_assert_int_eq(ffebm_device_preset(context, &c, "flash"), FFEBM_ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(context), "\"flash\", expected one of idealized, "));
    ck_assert_int_eq(ffebm_device_preset(context, NULL, "pcm"), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_device_preset(context, &c, NULL), FFEBM_ERR_ARGUMENT);
    c.size = before.size = offsetof(ffebm_device_config, update_step);
    ck_assert_int_eq(ffebm_device_preset(context, &c, "pcm"), FFEBM_ERR_UNSUPPORTED);
    ck_assert_mem_eq(&c, &before, sizeof c);
    ffebm_context_destroy(context);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- optimizers */

#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
#define BLOCK(out)                                                                                                     \
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": " out "}]}}"
static const char chain[] = "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\", \"stages\": [" LINEAR(
    "40") ", " BLOCK("50") ", " LINEAR("3") "]}";

static problem on_device(const ffebm_device_config *device, int32_t threads)
{
    problem p = problem_of(chain, 0, threads, 4);

    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, FFEBM_ALL, device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    return p;
}

static ffebm_parameter_info weight_of(const problem *p)
{
    ffebm_parameter_info info = {.size = sizeof info};

    assert_ok(p->f.context, ffebm_model_inspect_parameter(p->f.model, &info,
                                                          ffebm_model_find_parameter(p->f.model, "stage1.0.weight")));
    return info;
}

/* A step under which every parameter is asked to move by this; returns the weight's moves. */
static ffebm_tensor *move_all(problem *p, double by)
{
    ffebm_parameter_info weight = weight_of(p);
    ffebm_tensor *moves = copy_of(p->f.context, weight.value), *gradient = ffebm_engine_flat_gradient(p->f.engine);
    ffebm_optimizer *sgd = sgd_of(p, 1);

    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, NULL, p->x, p->y, NULL));
    for (size_t i = 0; i < ffebm_tensor_count(gradient); i++)
        set_element(gradient, i, -by);
    assert_ok(p->f.context, ffebm_optimizer_step(sgd, p->f.engine));
    for (size_t i = 0; i < weight.count; i++)
        set_element(moves, i, element(weight.value, i) - element(moves, i));
    ffebm_optimizer_destroy(sgd);
    return moves;
}

/* Unbiased: a request of 2.3 steps is 2 or 3 pulses, 2.3 on average; without noise it is the nearest number of them. */
START_TEST(requests_become_pulses)
{
    ffebm_device_config device;
    double mean = 0;
    ffebm_tensor *moves;
    problem p;

    ffebm_device_config_init(&device, sizeof device);
    device.update_mode = FFEBM_UPDATE_DIFFERENCE;
    device.update_dw_min = 0.01;
    device.update_pulses_max = 5;
    p = on_device(&device, 1);
    moves = move_all(&p, 0.023);
    for (size_t i = 0; i < ffebm_tensor_count(moves); i++) {
        double pulses = element(moves, i) / 0.01;

        ck_assert(fabs(pulses - 2) < 1e-9 || fabs(pulses - 3) < 1e-9);
        mean += pulses / (double)ffebm_tensor_count(moves);
    }
    ck_assert_double_lt(fabs(mean - 2.3), 4 * sqrt(0.3 * 0.7 / (double)ffebm_tensor_count(moves)));
    ffebm_tensor_destroy(moves);
    moves = move_all(&p, -1);
    for (size_t i = 0; i < ffebm_tensor_count(moves); i++)
        ck_assert_double_eq_tol(element(moves, i), -0.05, 1e-12);
    ffebm_tensor_destroy(moves);
    assert_ok(p.f.context, ffebm_engine_set_noise(p.f.engine, 0));
    moves = move_all(&p, 0.023);
    for (size_t i = 0; i < ffebm_tensor_count(moves); i++)
        ck_assert_double_eq_tol(element(moves, i), 0.02, 1e-12);
    ffebm_tensor_destroy(moves);
    problem_end(&p);
}
END_TEST

static ffebm_pulse_info pulses_of(const problem *p, size_t stage)
{
    ffebm_pulse_info info = {.size = sizeof info};

    assert_ok(p->f.context, ffebm_model_inspect_pulses(p->f.model, &info, stage));
    return info;
}

/* By hand: two pulses up of each weight, then a request that is cut down to five, the last two of which end at the bound, on
 * any number of threads; weights begin in their places. */
START_TEST(pulses_are_counted)
{
    ffebm_device_config device;
    ffebm_pulse_info info;
    int64_t weights;
    problem p;

    ffebm_device_config_init(&device, sizeof device);
    device.update_mode = FFEBM_UPDATE_DIFFERENCE;
    device.update_dw_min = 0.25;
    device.update_pulses_max = 5;
    device.weight_min = -0.5;
    device.weight_max = 2;
    p = on_device(&device, _i == 0 ? 1 : 3);
    weights = (int64_t)weight_of(&p).count;
    for (int64_t i = 0; i < weights; i++)
        set_element(weight_of(&p).value, (size_t)i, 0);
    assert_ok(p.f.context, ffebm_engine_set_noise(p.f.engine, 0));
    ffebm_tensor_destroy(move_all(&p, 0.5625));
    info = pulses_of(&p, 1);
    ck_assert(info.up == 2 * weights && info.down == 0 && info.clipped == 0 && info.limited == 0);
    ffebm_tensor_destroy(move_all(&p, -9));
    info = pulses_of(&p, FFEBM_ALL);
    ck_assert(info.up == 2 * weights && info.down == 5 * weights);
    ck_assert(info.clipped == 2 * weights && info.limited == weights);
    ck_assert_int_eq(ffebm_model_inspect_pulses(p.f.model, &info, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_inspect_pulses(p.f.model, &info, 9), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_inspect_pulses(NULL, &info, 1), FFEBM_ERR_ARGUMENT);
    problem_end(&p);
}
END_TEST

/* The spread of pulses, from device to device and from pulse to pulse, and the asymmetry. */
START_TEST(pulses_vary_as_they_should)
{
    for (int up = 0; up < 2; up++) {
        ffebm_device_config device;
        double mean = 0, squares = 0, count, sign = up ? 1 : -1;
        ffebm_tensor *moves;
        problem p;

        ffebm_device_config_init(&device, sizeof device);
        device.update_mode = FFEBM_UPDATE_DIFFERENCE;
        device.update_dw_min = 1e-3;
        device.update_dw_min_dtod = 0.1;
        device.update_dw_min_std = 0.3;
        device.update_up_down = 0.2;
        device.update_up_down_dtod = 0.05;
        p = on_device(&device, 1);
        moves = move_all(&p, sign * 0.016);
        count = (double)ffebm_tensor_count(moves);
        for (size_t i = 0; i < ffebm_tensor_count(moves); i++)
            mean += element(moves, i) / 0.016 / count;
        for (size_t i = 0; i < ffebm_tensor_count(moves); i++)
            squares += pow(element(moves, i) / 0.016 - mean, 2) / count;
        {
            double center = 1 + sign * 0.2, own = 0.1 * 0.1 + 0.05 * 0.05;
            double expected = own + 0.3 * 0.3 / 16 * (center * center + own);

            ck_assert_double_lt(fabs(sign * mean - center), 4 * sqrt(expected / count));
            ck_assert_double_lt(fabs(squares / expected - 1), 4 * sqrt(2 / count) + 0.02);
        }
        ffebm_tensor_destroy(moves);
        problem_end(&p);
    }
}
END_TEST

static void step_on(problem *p, ffebm_optimizer *optimizer, int steps)
{
    for (int i = 0; i < steps; i++) {
        assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, NULL, p->x, p->y, NULL));
        assert_ok(p->f.context, ffebm_optimizer_step(optimizer, p->f.engine));
    }
}

static bool same_values(const problem *a, const problem *b)
{
    ffebm_parameter_info first = weight_of(a), second = weight_of(b);
    const ffebm_tensor *x = ffebm_model_flat_parameters(a->f.model), *y = ffebm_model_flat_parameters(b->f.model);

    return memcmp(ffebm_tensor_const_data(x), ffebm_tensor_const_data(y), ffebm_tensor_count(x) * sizeof(double)) ==
               0 &&
           memcmp(ffebm_tensor_const_data(first.effective), ffebm_tensor_const_data(second.effective),
                  first.count * sizeof(double)) == 0;
}

/* With all that a preset has, threads do not show, nor does a break; the same values without what is remembered do. Of the
 * difference, and phase by phase. */
START_TEST(a_resumed_run_is_written_as_an_unbroken_one)
{
    ffebm_device_config device;
    char path[] = "/tmp/ffebm_pulses_XXXXXX";
    problem unbroken, threaded, resumed;
    ffebm_optimizer *optimizers[3];

    close(mkstemp(path));
    ffebm_device_config_init(&device, sizeof device);
    assert_ok(NULL, ffebm_device_preset(NULL, &device, published[_i % TRAINED].name));
    if (_i >= TRAINED)
        device.update_mode = FFEBM_UPDATE_TWO_PHASE;
    unbroken = on_device(&device, 1);
    threaded = on_device(&device, 3);
    resumed = on_device(&device, 1);
    optimizers[0] = sgd_of(&unbroken, 0.3);
    optimizers[1] = sgd_of(&threaded, 0.3);
    optimizers[2] = sgd_of(&resumed, 0.3);
    step_on(&unbroken, optimizers[0], 2);
    assert_ok(unbroken.f.context, ffebm_checkpoint_save(unbroken.f.model, optimizers[0], NULL, path));
    step_on(&unbroken, optimizers[0], 2);
    step_on(&threaded, optimizers[1], 4);
    ck_assert(same_values(&unbroken, &threaded));
    assert_ok(resumed.f.context, ffebm_checkpoint_restore(resumed.f.model, optimizers[2], path));
    assert_ok(resumed.f.context, ffebm_engine_set_step(resumed.f.engine, 2));
    step_on(&resumed, optimizers[2], 2);
    ck_assert(same_values(&unbroken, &resumed));
    step_on(&resumed, optimizers[2], 1);
    ck_assert(!same_values(&unbroken, &resumed));
    for (int i = 0; i < 3; i++)
        ffebm_optimizer_destroy(optimizers[i]);
    problem_end(&unbroken);
    problem_end(&threaded);
    problem_end(&resumed);
    unlink(path);
}
END_TEST

/* A step that is as fine as numbers go is the one that was asked for; and biases and digital stages know no pulses. */
START_TEST(fine_pulses_are_the_ideal_step)
{
    ffebm_device_config device;
    problem plain = problem_of(chain, 0, 1, 4), fine;
    ffebm_optimizer *a = sgd_of(&plain, 0.1), *b;

    ffebm_device_config_init(&device, sizeof device);
    device.update_mode = FFEBM_UPDATE_DIFFERENCE;
    device.update_pulses_max = 255;
    device.update_dw_min = 1e-4;
    fine = on_device(&device, 1);
    b = sgd_of(&fine, 0.1);
    step_on(&plain, a, 1);
    step_on(&fine, b, 1);
    for (size_t i = 0; i < plain.f.info.parameter_count; i++) {
        ffebm_parameter_info x = {.size = sizeof x}, y = {.size = sizeof y};

        assert_ok(plain.f.context, ffebm_model_inspect_parameter(plain.f.model, &x, i));
        assert_ok(plain.f.context, ffebm_model_inspect_parameter(fine.f.model, &y, i));
        for (size_t k = 0; k < x.count; k++)
            ck_assert_double_le(fabs(element(x.value, k) - element(y.value, k)),
                                strcmp(x.name, "stage1.0.weight") == 0 ? 1e-4 : 0);
    }
    ffebm_optimizer_destroy(a);
    ffebm_optimizer_destroy(b);
    problem_end(&plain);
    problem_end(&fine);
}
END_TEST

static const struct {
    int32_t step;
    double dw_min, min, max;
    const char *word;
} bad[] = {{FFEBM_STEP_CONSTANT, 0, -1, 1, "update_dw_min"},
           {FFEBM_STEP_SOFT_BOUNDS, 0.1, 0, 1, "weight_min"},
           {FFEBM_STEP_LINEAR, 0.1, -INFINITY, INFINITY, "infinite"},
           {FFEBM_STEP_EXPONENTIAL, 0.1, -1, INFINITY, "infinite"}};

START_TEST(updates_that_cannot_be_are_refused)
{
    problem p = problem_of(chain, 0, 1, 4);
    ffebm_device_config device;

    ffebm_engine_destroy(p.f.engine);
    p.f.engine = NULL;
    ffebm_device_config_init(&device, sizeof device);
    device.update_mode = FFEBM_UPDATE_DIFFERENCE;
    device.update_step = bad[_i].step;
    device.update_dw_min = bad[_i].dw_min;
    device.weight_min = bad[_i].min;
    device.weight_max = bad[_i].max;
    ck_assert_int_eq(ffebm_model_set_device(p.f.model, FFEBM_ALL, &device), FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(p.f.context), bad[_i].word));
    problem_end(&p);
}
END_TEST

Suite *test_pulses_suite(void)
{
    Suite *suite = suite_create("pulses");
    TCase *tests = tcase_create("pulses");

    tcase_add_loop_test(tests, pulses_follow_their_closed_forms, 0, sizeof kinds / sizeof kinds[0]);
    tcase_add_loop_test(tests, presets_have_the_published_numbers, 0, PRESETS);
    tcase_add_test(tests, other_names_are_refused);
    tcase_add_test(tests, requests_become_pulses);
    tcase_add_loop_test(tests, pulses_are_counted, 0, 2);
    tcase_add_test(tests, pulses_vary_as_they_should);
    tcase_add_loop_test(tests, a_resumed_run_is_written_as_an_unbroken_one, 0, 2 * TRAINED);
    tcase_add_test(tests, fine_pulses_are_the_ideal_step);
    tcase_add_loop_test(tests, updates_that_cannot_be_are_refused, 0, sizeof bad / sizeof bad[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

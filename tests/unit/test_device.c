/* Energy blocks on devices: what is drawn, what is fixed, and what reaches whom. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/draw.h"
#include "core/random.h"
#include "fixture.h"

/* ------------------------------------------------------------------------------------------------------------------ draws */

enum { DRAWS = 1000000 };

typedef struct moments {
    double mean;
    double variance;
    double third;
    double fourth;
} moments;

static moments moments_of(const double *x, size_t count)
{
    moments m = {0, 0, 0, 0};

    for (size_t i = 0; i < count; i++) {
        m.mean += x[i] / (double)count;
        m.variance += x[i] * x[i] / (double)count;
        m.third += x[i] * x[i] * x[i] / (double)count;
        m.fourth += x[i] * x[i] * x[i] * x[i] / (double)count;
    }
    return m;
}

/* Within 4 standard errors on a million: those of xi^k are sqrt((E xi^2k - (E xi^k)^2) / n). */
START_TEST(draws_have_the_moments_that_they_should)
{
    const ffebmi_draw draw = {.key = 17 + (uint64_t)_i, .sample = 3, .step = 5, .effect = 9, .block = 2, .phase = 1};
    double *x = malloc(DRAWS * sizeof *x), error = 4 / sqrt(DRAWS), lagged = 0;
    moments m;

    ck_assert_ptr_nonnull(x);
    ffebmi_draw_normal(&draw, 0, DRAWS, x);
    m = moments_of(x, DRAWS);
    ck_assert_double_lt(fabs(m.mean), error);
    ck_assert_double_lt(fabs(m.variance - 1), error * sqrt(2));
    ck_assert_double_lt(fabs(m.third), error * sqrt(15));
    ck_assert_double_lt(fabs(m.fourth - 3), error * sqrt(96));
    for (size_t i = 1; i < DRAWS; i++)
        lagged += x[i] * x[i - 1] / DRAWS;
    ck_assert_double_lt(fabs(lagged), error);
    ffebmi_draw_uniform(&draw, 0, DRAWS, x);
    m = moments_of(x, DRAWS);
    ck_assert_double_lt(fabs(m.mean - 0.5), error * sqrt(1.0 / 12));
    ck_assert_double_lt(fabs(m.variance - 1.0 / 3), error * sqrt(4.0 / 45));
    free(x);
}
END_TEST

/* The counter: element / 4, sample, step, and effect, block, phase and repetition in 8, 12, 4 and 8 bits. */
START_TEST(draws_are_philox_of_their_counter)
{
    const ffebmi_draw draw = {0x123456789abcdef0u, 0x11111111u, 0x22222222u, 0xab, 0xcde, 0xf, 0x42};
    uint32_t words[4];
    double x[4];

    ffebmi_philox(words, draw.key, (uint64_t)draw.sample << 32 | 7, (uint64_t)0xabcdef42u << 32 | draw.step);
    ffebmi_draw_uniform(&draw, 28, 4, x);
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_eq(x[i], (words[i] + 0.5) / 4294967296.0);
    ffebmi_draw_normal(&draw, 28, 4, x);
    for (size_t i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * log((words[i] + 0.5) / 4294967296.0));

        ck_assert_double_eq_tol(x[i] * x[i] + x[i + 1] * x[i + 1], radius * radius, 1e-12 * radius * radius);
    }
}
END_TEST

/* A number does not show with which others it was asked for; every place of the counter matters. */
START_TEST(draws_do_not_depend_on_who_asks)
{
    const ffebmi_draw draw = {.key = 1};
    ffebmi_draw others[7];
    double whole[41], part[41], other[41];

    ffebmi_draw_normal(&draw, 0, 41, whole);
    for (size_t first = 0; first < 41; first++)
        for (size_t count = 1; first + count <= 41; count++) {
            ffebmi_draw_normal(&draw, first, count, part);
            ck_assert_mem_eq(part, whole + first, count * sizeof *part);
        }
    for (size_t i = 0; i < 7; i++)
        others[i] = draw;
    others[0].key = 2;
    others[1].sample = 1;
    others[2].step = 1;
    others[3].effect = 1;
    others[4].block = 1;
    others[5].phase = 1;
    others[6].repetition = 1;
    for (size_t i = 0; i < 7; i++) {
        ffebmi_draw_normal(&others[i], 0, 41, other);
        for (size_t k = 0; k < 41; k++)
            ck_assert(other[k] != whole[k]);
    }
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------------- chains */

/* clang-format off */
#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " out "}"
#define BLOCK(couplings) \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, " \
    "\"couplings\": [" couplings "]}}"
#define MODEL(input, stages) \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"cross_entropy\", \"initialization\": {\"type\": " \
    "\"uniform\", \"gain\": 0.6, \"bias\": 0.4}, \"stages\": [" stages "]}"
static const char *const chains[] = {
    MODEL("[5]", LINEAR("7") ", " BLOCK(DENSE("6") ", " DENSE("5")) ", " LINEAR("6") ", " BLOCK(DENSE("4")) ", " LINEAR("3")),
    MODEL("[2, 6, 6]",
          "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1}]}, "
          BLOCK("{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 3, \"padding\": 1, "
                "\"pool\": {\"type\": \"max\", \"kernel\": 2}}, " DENSE("5")) ", " LINEAR("4") ", " BLOCK(DENSE("4")) ", " LINEAR("3")),
    MODEL("[5]", LINEAR("7") ", {\"energy\": {\"type\": \"resistive\", \"input_gain\": 4, \"couplings\": ["
          DENSE("6") ", " DENSE("5") "]}}, " LINEAR("6") ", " BLOCK(DENSE("4")) ", " LINEAR("3"))};
/* clang-format on */
enum { CHAINS = sizeof chains / sizeof chains[0], RESISTIVE = 2, ROWS = 7 };

/* A model on a device from its beginning, but for what the block of chain `chain` does not take. */
typedef void (*device_fn)(ffebm_device_config *device);

static void without_neurons(ffebm_device_config *device)
{
    device->neuron_slope_dtod = device->neuron_offset_dtod = device->neuron_drive_noise = 0;
}

static void put_on(problem *p, int chain, const ffebm_device_config *device)
{
    ffebm_device_config without = *device;

    ffebm_engine_destroy(p->f.engine);
    without_neurons(&without);
    for (size_t stage = 1; stage < p->f.info.stage_count; stage += 2)
        assert_ok(p->f.context,
                  ffebm_model_set_device(p->f.model, stage, chain == RESISTIVE && stage == 1 ? &without : device));
    assert_ok(p->f.context, ffebm_engine_create(&p->f.engine, p->f.model, NULL));
}

static problem on_device(int chain, int32_t dtype, int32_t threads, device_fn fill)
{
    problem p = problem_of(chains[chain], dtype, threads, ROWS);
    ffebm_device_config device;

    ffebm_device_config_init(&device, sizeof device);
    fill(&device);
    put_on(&p, chain, &device);
    return p;
}

static void ideal(ffebm_device_config *d)
{
    d->seed = 99;
}

static void fixed_weights(ffebm_device_config *d)
{
    d->seed = 3;
    d->weight_min = -0.4;
    d->weight_max = 0.3;
    d->weight_min_dtod = d->weight_max_dtod = 0.1;
    d->weight_dtod = 0.3;
    d->weight_stuck = 0.1;
    d->weight_stuck_range = 0.2;
}

static void fixed(ffebm_device_config *d)
{
    fixed_weights(d);
    d->neuron_slope_dtod = 0.2;
    d->neuron_offset_dtod = 0.1;
}

static void noisy(ffebm_device_config *d)
{
    fixed(d);
    d->input_bits = d->nudge_bits = d->output_bits = 12;
    d->input_bound = d->nudge_bound = 4;
    d->output_bound = 2;
    d->input_noise = 1e-3;
    d->weight_read_noise = 1e-3;
    d->neuron_drive_noise = 1e-3;
    d->nudge_gain_dtod = 0.1;
    d->output_noise = 1e-3;
    d->output_repeats = 4;
    d->output_offset_dtod = 1e-2;
    d->output_phase_offset_dtod = 1e-3;
    d->output_sto_round = 1;
}

static void noisy_readings(ffebm_device_config *d)
{
    noisy(d);
    d->read = FFEBM_READ_ALL;
}

static bool same(const ffebm_tensor *a, const ffebm_tensor *b)
{
    size_t bytes = ffebm_tensor_count(a) * (ffebm_tensor_dtype(a) == FFEBM_FLOAT32 ? 4 : 8);

    return memcmp(ffebm_tensor_const_data(a), ffebm_tensor_const_data(b), bytes) == 0;
}

static void configure(problem *p, int32_t estimator)
{
    ffebm_equilibrium_config c;

    ffebm_equilibrium_config_init(&c, sizeof c);
    c.beta = 0.1;
    c.estimator = estimator;
    c.free_tolerance = c.nudged_tolerance = 1e-8;
    c.nudging = estimator == FFEBM_ESTIMATOR_FOUR_POINT ? FFEBM_NUDGING_LINEAR : FFEBM_NUDGING_AUTO;
    c.repeats = estimator == FFEBM_ESTIMATOR_POSITIVE ? 2 : 1;
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &c));
}

/* The gradient of step 5, on the samples from `first` on. */
static ffebm_tensor *gradient_at(problem *p, uint64_t step)
{
    assert_ok(p->f.context, ffebm_engine_set_step(p->f.engine, step));
    return gradient_of(p, NULL);
}

START_TEST(an_ideal_device_is_none)
{
    for (int32_t estimator = FFEBM_ESTIMATOR_CENTERED; estimator <= FFEBM_ESTIMATOR_IMPLICIT; estimator++) {
        problem plain = problem_of(chains[_i], FFEBM_FLOAT32, 1, ROWS), device = on_device(_i, FFEBM_FLOAT32, 1, ideal);
        ffebm_tensor *a, *b;

        configure(&plain, estimator);
        configure(&device, estimator);
        a = gradient_of(&plain, NULL);
        b = gradient_of(&device, NULL);
        ck_assert(same(a, b));
        destroy_all((ffebm_tensor *[]){a, b}, 2);
        problem_end(&plain);
        problem_end(&device);
    }
}
END_TEST

/* A block computes on the device's weights as one without computes whose parameters they are: to the bit. */
START_TEST(fixed_weights_are_other_weights)
{
    problem device = on_device(_i, FFEBM_FLOAT64, 1, fixed_weights), plain = problem_of(chains[_i], 0, 1, ROWS);
    ffebm_tensor *a, *b;
    size_t altered = 0;

    for (size_t i = 0; i < plain.f.info.parameter_count; i++) {
        ffebm_parameter_info from = {.size = sizeof from}, to = {.size = sizeof to};

        assert_ok(plain.f.context, ffebm_model_inspect_parameter(device.f.model, &from, i));
        assert_ok(plain.f.context, ffebm_model_inspect_parameter(plain.f.model, &to, i));
        ck_assert(same(from.value, to.value));
        ck_assert_int_eq(same(from.effective, from.value), strstr(from.name, "bias") != NULL || from.stage % 2 == 0);
        altered += !same(from.effective, from.value);
        assert_ok(plain.f.context, ffebm_tensor_copy(to.value, from.effective));
    }
    ck_assert_uint_gt(altered, 0);
    configure(&device, FFEBM_ESTIMATOR_CENTERED);
    configure(&plain, FFEBM_ESTIMATOR_CENTERED);
    a = gradient_of(&device, NULL);
    b = gradient_of(&plain, NULL);
    ck_assert(same(a, b));
    destroy_all((ffebm_tensor *[]){a, b}, 2);
    problem_end(&device);
    problem_end(&plain);
}
END_TEST

/* The numbers of a chip: those of the equations, with the spread that was asked for. */
START_TEST(weights_vary_as_they_should)
{
    static const char json[] = MODEL("[200]", BLOCK(DENSE("500")));
    ffebm_parameter_info info = {.size = sizeof info};
    double sum = 0, squares = 0, stuck = 0, error;
    ffebm_device_config device;
    fixture f = fixture_of(json, 0, 1, 1);

    ffebm_engine_destroy(f.engine);
    f.engine = NULL;
    ffebm_device_config_init(&device, sizeof device);
    device.weight_dtod = 0.1;
    device.weight_stuck = 0.01;
    device.weight_stuck_range = 1e-9;
    assert_ok(f.context, ffebm_model_set_device(f.model, FFEBM_ALL, &device));
    assert_ok(f.context,
              ffebm_model_inspect_parameter(f.model, &info, ffebm_model_find_parameter(f.model, "stage0.0.weight")));
    for (size_t i = 0; i < info.count; i++) {
        double programmed = element(info.value, i), effective = element(info.effective, i);

        if (fabs(effective) <= 1e-9) {
            stuck++;
            continue;
        }
        sum += effective / programmed - 1;
        squares += pow(effective / programmed - 1, 2);
    }
    error = 4 / sqrt((double)info.count);
    ck_assert_double_lt(fabs(sum / (double)info.count), error * 0.1);
    ck_assert_double_lt(fabs(squares / ((double)info.count - stuck) / 0.01 - 1), error * sqrt(2));
    ck_assert_double_lt(fabs(stuck / (double)info.count - 0.01), error * sqrt(0.01));
    fixture_end(&f);
}
END_TEST

/* A weight falls from t0 on by a power of the time since it was programmed, which a step of an optimizer does anew. */
START_TEST(weights_drift)
{
    static const double clocks[] = {0, 3, 5, 50, 5000}, since[] = {3, 3, 5, 50, 5000};
    problem p = problem_of(chains[0], 0, 1, ROWS);
    const ffebmi_draw draw = {.key = 2, .effect = 22, .block = 1};
    ffebm_parameter_info w = {.size = sizeof w};
    ffebm_optimizer *optimizer;
    ffebm_device_config device;
    size_t weight = ffebm_model_find_parameter(p.f.model, "stage1.0.weight");
    char path[] = "/tmp/ffebm_drift_XXXXXX";
    double xi[42], before;
    ffebm_model *loaded;

    close(mkstemp(path));
    ffebm_device_config_init(&device, sizeof device);
    device.seed = 2;
    device.weight_drift_nu = 0.06;
    device.weight_drift_nu_dtod = 0.2;
    device.weight_drift_t0 = 3;
    put_on(&p, 0, &device);
    ffebmi_draw_normal(&draw, 0, 42, xi);
    for (size_t c = 0; c < 5; c++) {
        assert_ok(p.f.context, ffebm_model_set_clock(p.f.model, clocks[c]));
        assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &w, weight));
        for (size_t i = 0; i < 42; i++)
            ck_assert_double_eq_tol(element(w.effective, i),
                                    element(w.value, i) * pow(since[c] / 3, -0.06 * (1 + 0.2 * xi[i])), 1e-12);
    }
    ck_assert_int_eq(ffebm_model_set_clock(p.f.model, 4999), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_clock(p.f.model, INFINITY), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_clock(NULL, 0), FFEBM_ERR_ARGUMENT);
    assert_ok(p.f.context, ffebm_optimizer_create_sgd(&optimizer, p.f.model, NULL));
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    assert_ok(p.f.context, ffebm_optimizer_step(optimizer, p.f.engine));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &w, weight));
    ck_assert(same(w.value, w.effective));
    assert_ok(p.f.context, ffebm_model_set_clock(p.f.model, 6000));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &w, weight));
    before = element(w.effective, 7);
    assert_ok(p.f.context, ffebm_checkpoint_save(p.f.model, NULL, NULL, path));
    assert_ok(p.f.context, ffebm_checkpoint_load(p.f.context, &loaded, path));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(loaded, &w, weight));
    ck_assert_double_eq(element(w.effective, 7), before);
    ck_assert_double_ne(element(w.value, 7), before);
    ck_assert_int_eq(ffebm_model_set_clock(loaded, 5999), FFEBM_ERR_ARGUMENT);
    device.weight_stuck = 1; /* a weight that cannot be programmed has not been */
    device.weight_stuck_range = 0.5;
    for (size_t c = 0; c < 2; c++) {
        assert_ok(p.f.context, ffebm_model_set_device(loaded, 1, &device));
        assert_ok(p.f.context, ffebm_model_inspect_parameter(loaded, &w, weight));
        if (c == 1)
            ck_assert_double_eq(element(w.effective, 7), before);
        before = element(w.effective, 7);
        assert_ok(p.f.context, ffebm_model_set_clock(loaded, 9000));
    }
    unlink(path);
    ffebm_model_destroy(loaded);
    ffebm_optimizer_destroy(optimizer);
    problem_end(&p);
}
END_TEST

/* The same seed is the same chip in every model and with any batch; another seed, and another stage, are others. */
START_TEST(a_seed_is_a_chip)
{
    problem one = on_device(0, FFEBM_FLOAT64, 1, fixed), two = on_device(0, FFEBM_FLOAT64, 2, fixed);
    ffebm_tensor *a = gradient_of(&one, NULL), *b = gradient_of(&two, NULL), *c;
    ffebm_device_config device = {.size = sizeof device};

    ck_assert(same(a, b));
    assert_ok(two.f.context, ffebm_model_device(two.f.model, &device, 1));
    device.seed++;
    put_on(&two, 0, &device);
    c = gradient_of(&two, NULL);
    ck_assert(!same(a, c));
    device.seed--;
    put_on(&two, 0, &device);
    ffebm_tensor_destroy(c);
    c = gradient_of(&two, NULL);
    ck_assert(same(a, c));
    destroy_all((ffebm_tensor *[]){a, b, c}, 3);
    problem_end(&one);
    problem_end(&two);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- with every noise on */

static const device_fn all_on[] = {noisy, noisy_readings};
static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_POSITIVE, FFEBM_ESTIMATOR_RANDOM_SIGN,
                                     FFEBM_ESTIMATOR_FOUR_POINT, FFEBM_ESTIMATOR_IMPLICIT};
enum { ESTIMATORS = sizeof estimators / sizeof estimators[0], CASES = 2 * CHAINS * ESTIMATORS };

static problem with_all_on(int test, int32_t dtype, int32_t threads)
{
    problem p = on_device(test / 2 % CHAINS, dtype, threads, all_on[test % 2]);

    configure(&p, estimators[test / 2 / CHAINS]);
    return p;
}

static ffebm_tensor *rows_of(const problem *p, ffebm_tensor *batch, int64_t first, int64_t count)
{
    ffebm_tensor *rows;

    assert_ok(p->f.context, ffebm_tensor_rows(batch, &rows, first, count));
    return rows;
}

static int32_t dtype_of(int test)
{
    return test / 2 % 2 == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
}

START_TEST(threads_do_not_change_bits)
{
    problem one = with_all_on(_i, dtype_of(_i), 1);
    ffebm_tensor *expected = gradient_at(&one, 5);

    for (int32_t threads = 2; threads <= 3; threads++) {
        problem p = with_all_on(_i, dtype_of(_i), threads);
        ffebm_tensor *g = gradient_at(&p, 5);

        ck_assert(same(g, expected));
        ffebm_tensor_destroy(g);
        problem_end(&p);
    }
    ffebm_tensor_destroy(expected);
    problem_end(&one);
}
END_TEST

/* Sample by sample, each with its number, the gradient's parts and the outputs are those of the batch. */
START_TEST(a_batch_is_its_samples)
{
    problem p = with_all_on(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *whole = gradient_at(&p, 5), *sum = copy_of(p.f.context, whole), *output = copy_of(p.f.context, p.x);
    int64_t shape[] = {ROWS, 3}, one[] = {1, 3};
    ffebm_tensor *outputs[2];

    ffebm_tensor_destroy(output);
    assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &outputs[0], FFEBM_FLOAT64, shape, 2));
    assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &outputs[1], FFEBM_FLOAT64, one, 2));
    assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 5));
    assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, outputs[0], p.x, p.y, NULL));
    for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
        set_element(sum, i, 0);
    for (int64_t r = 0; r < ROWS; r++) {
        ffebm_tensor *x = rows_of(&p, p.x, r, 1), *y = rows_of(&p, p.y, r, 1);

        assert_ok(p.f.context, ffebm_engine_set_first_sample(p.f.engine, (uint64_t)r));
        assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 5));
        assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, x, y, NULL));
        for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
            set_element(sum, i, element(sum, i) + element(ffebm_engine_flat_gradient(p.f.engine), i) / ROWS);
        assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 5));
        assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, outputs[1], x, y, NULL));
        for (size_t i = 0; i < 3; i++)
            ck_assert_double_eq_tol(element(outputs[1], i), element(outputs[0], (size_t)r * 3 + i), 1e-12);
        destroy_all((ffebm_tensor *[]){x, y}, 2);
    }
    ck_assert_double_lt(relative_error(sum, whole), 1e-9);
    destroy_all((ffebm_tensor *[]){whole, sum, outputs[0], outputs[1]}, 4);
    problem_end(&p);
}
END_TEST

/* Evaluating in slices gives each sample what evaluating the whole batch does. */
START_TEST(slices_do_not_show)
{
    problem p = with_all_on(_i, FFEBM_FLOAT64, 1);
    ffebm_engine_config config;
    ffebm_tensor *outputs[2];
    int64_t shape[] = {ROWS, 3};
    ffebm_engine *sliced;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = 3;
    assert_ok(p.f.context, ffebm_engine_create(&sliced, p.f.model, &config));
    for (size_t i = 0; i < 2; i++) {
        ffebm_engine *by = i == 0 ? p.f.engine : sliced;

        assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &outputs[i], FFEBM_FLOAT64, shape, 2));
        assert_ok(p.f.context, ffebm_engine_configure(by, FFEBM_ALL, NULL));
        assert_ok(p.f.context, ffebm_engine_set_step(by, 2));
        assert_ok(p.f.context, ffebm_engine_evaluate(by, NULL, outputs[i], p.x, p.y, NULL));
    }
    ck_assert_double_lt(relative_error(outputs[1], outputs[0]), 1e-12);
    destroy_all(outputs, 2);
    ffebm_engine_destroy(sliced);
    problem_end(&p);
}
END_TEST

/* A call of some step draws what an engine that has come to it draws; another step, seed or repetition draws other numbers. */
START_TEST(a_resumed_run_draws_what_an_unbroken_one_does)
{
    problem p = with_all_on(_i, FFEBM_FLOAT64, 1), q = with_all_on(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *unbroken = NULL, *resumed, *other;

    for (int step = 0; step < 3; step++) {
        ffebm_tensor_destroy(unbroken);
        unbroken = gradient_of(&p, NULL);
    }
    resumed = gradient_at(&q, 2);
    other = gradient_at(&q, 3);
    ck_assert(same(unbroken, resumed));
    ck_assert(!same(other, resumed));
    destroy_all((ffebm_tensor *[]){unbroken, resumed, other}, 3);
    problem_end(&p);
    problem_end(&q);
}
END_TEST

/* Draws are those of float64 in float32, too: what differs is rounding. Without converters, whose steps might be missed. */
START_TEST(draws_do_not_depend_on_the_dtype)
{
    ffebm_tensor *out[2];

    for (int i = 0; i < 2; i++) {
        problem p = problem_of(chains[_i], i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64, 1, ROWS);
        int64_t shape[] = {ROWS, 3};
        ffebm_device_config device;

        ffebm_device_config_init(&device, sizeof device);
        noisy(&device);
        device.input_bits = device.nudge_bits = device.output_bits = 0;
        device.output_noise = 0.1;
        put_on(&p, _i, &device);
        assert_ok(p.f.context,
                  ffebm_tensor_create(p.f.context, &out[i], i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64, shape, 2));
        assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, out[i], p.x, p.y, NULL));
        for (size_t k = 0; i == 1 && k < ROWS * 3; k++)
            ck_assert_double_eq_tol(element(out[0], k), element(out[1], k), 1e-4);
        if (i == 1)
            destroy_all(out, 2);
        problem_end(&p); /* a tensor keeps its context */
    }
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- what reaches whom */

/* A converter in front is a rounding of inputs. */
START_TEST(inputs_are_converted)
{
    static const char json[] = MODEL("[5]", BLOCK(DENSE("6") ", " DENSE("3")));
    problem p = problem_of(json, 0, 1, ROWS), q = problem_of(json, 0, 1, ROWS);
    ffebm_tensor *a, *b;
    ffebm_device_config device;

    ffebm_device_config_init(&device, sizeof device);
    device.input_bits = 4;
    device.input_bound = 0.7;
    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, 0, &device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    for (size_t i = 0; i < ffebm_tensor_count(q.x); i++)
        set_element(q.x, i, fmax(-7, fmin(7, round(element(q.x, i) / 0.1))) * (2 * 0.7 / 14));
    a = gradient_of(&p, NULL);
    b = gradient_of(&q, NULL);
    ck_assert_double_lt(relative_error(a, b), 1e-12);
    destroy_all((ffebm_tensor *[]){a, b}, 2);
    problem_end(&p);
    problem_end(&q);
}
END_TEST

/* Readings lie on the converter's steps; their noise has the spread that was asked for, less by averaging. */
START_TEST(outputs_are_readings)
{
    static const char json[] = MODEL("[5]", BLOCK(DENSE("6") ", " DENSE("3")));
    enum { MANY = 2000 };
    problem p = problem_of(json, 0, 1, MANY);
    ffebm_tensor *out[3];
    ffebm_engine_config config;
    ffebm_device_config device;
    double squares = 0;
    int64_t shape[] = {MANY, 3};

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = MANY;
    ffebm_device_config_init(&device, sizeof device);
    for (int i = 0; i < 3; i++) {
        device.output_bits = i == 1 ? 6 : 0;
        device.output_bound = i == 1 ? 3.1 : INFINITY;
        device.output_noise = i == 2 ? 0.1 : 0;
        device.output_repeats = i == 2 ? 4 : 1;
        ffebm_engine_destroy(p.f.engine);
        assert_ok(p.f.context, ffebm_model_set_device(p.f.model, 0, &device));
        assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, &config));
        assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &out[i], FFEBM_FLOAT64, shape, 2));
        assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, out[i], p.x, p.y, NULL));
    }
    for (size_t i = 0; i < MANY * 3; i++) {
        ck_assert_double_eq_tol(element(out[1], i) / 0.1, round(element(out[1], i) / 0.1), 1e-9);
        ck_assert_double_le(fabs(element(out[1], i) - element(out[0], i)), 0.05 + 1e-9);
        squares += pow((element(out[2], i) - element(out[0], i)) / 0.05, 2) / (MANY * 3);
    }
    ck_assert_double_lt(fabs(squares - 1), 4 * sqrt(2.0 / (MANY * 3)));
    destroy_all(out, 3);
    problem_end(&p);
}
END_TEST

/* Down a linear stage and a block, from an error that does not depend on what is read: the gradients of both. */
static const char short_chain[] = MODEL("[5]", LINEAR("7") ", " BLOCK(DENSE("6") ", " DENSE("4")));

static ffebm_tensor *pulled_back(const ffebm_device_config *device, int turned)
{
    problem p = problem_of(short_chain, 0, 1, ROWS);
    ffebm_equilibrium_config c = converged();
    int64_t outputs = 4;
    ffebm_tensor *y = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, &outputs, 1, -1, 1, 8),
                 *out = copy_of(p.f.context, y);
    const ffebmi_draw gain = {.key = device->seed, .effect = 12, .block = 1};
    ffebm_tensor *result;
    uint64_t forward;
    double xi[4];

    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, 1, turned ? NULL : device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    c.beta = 0.1;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c));
    ffebmi_draw_normal(&gain, 0, 4, xi);
    for (size_t i = 0; turned && i < ROWS * 4; i++) {
        double step = device->nudge_bits == 0 ? 0 : 2 * device->nudge_bound / (pow(2, (double)device->nudge_bits) - 2);
        double error = fmax(-device->nudge_bound, fmin(device->nudge_bound, element(y, i)));

        error = step == 0 ? error : step * round(error / step);
        set_element(y, i, error * (1 + device->nudge_gain_dtod * xi[i % 4]));
    }
    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, out, &forward, p.x));
    assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, NULL, forward, y, 1));
    result = copy_of(p.f.context, ffebm_engine_flat_gradient(p.f.engine));
    destroy_all((ffebm_tensor *[]){y, out}, 2);
    problem_end(&p);
    return result;
}

/* In a difference of readings, and in a gradient from states held in analog, an offset that all phases have is not there; one of
 * each phase is divided by beta. */
START_TEST(common_offsets_cancel_and_those_of_phases_do_not)
{
    ffebm_device_config device;
    ffebm_tensor *plain, *common, *own;

    ffebm_device_config_init(&device, sizeof device);
    plain = pulled_back(&device, 1);
    device.output_offset_dtod = 1e-2;
    common = pulled_back(&device, 0);
    device.output_offset_dtod = 0;
    device.output_phase_offset_dtod = 1e-2;
    own = pulled_back(&device, 0);
    ck_assert_double_lt(relative_error(common, plain), 1e-9);
    ck_assert_double_gt(relative_error(own, plain), 0.01);
    destroy_all((ffebm_tensor *[]){plain, common, own}, 3);
}
END_TEST

/* The converter of nudges is one of errors, whatever beta is. */
START_TEST(nudges_are_converted)
{
    ffebm_device_config device;
    ffebm_tensor *turned, *converted;

    ffebm_device_config_init(&device, sizeof device);
    device.seed = 12;
    device.nudge_bits = 4;
    device.nudge_bound = 0.8;
    device.nudge_gain_dtod = 0.2;
    turned = pulled_back(&device, 1);
    converted = pulled_back(&device, 0);
    ck_assert_double_lt(relative_error(converted, turned), 1e-9);
    destroy_all((ffebm_tensor *[]){turned, converted}, 2);
}
END_TEST

/* s = sigma(a (1 + slope xi) (z + offset xi' + noise xi'')), by the numbers that the counters say. */
START_TEST(neurons_vary_as_they_should)
{
    static const char json[] = MODEL("[5]", BLOCK(DENSE("6")));
    problem p = problem_of(json, 0, 1, ROWS);
    ffebm_equilibrium_config c = converged();
    ffebm_parameter_info w = {.size = sizeof w}, b = {.size = sizeof b};
    ffebm_tensor *s[2];
    ffebm_device_config device;
    double slope[11], offset[11];

    ffebm_device_config_init(&device, sizeof device);
    device.seed = 5;
    device.neuron_slope_dtod = 0.3;
    device.neuron_offset_dtod = 0.2;
    device.neuron_drive_noise = 0.1;
    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, 0, &device));
    assert_ok(p.f.context,
              ffebm_engine_create(
                  &p.f.engine, p.f.model,
                  &(ffebm_engine_config){.size = sizeof(ffebm_engine_config), .max_batch = ROWS, .seed = 77}));
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c));
    assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 9));
    assert_ok(p.f.context, ffebm_engine_set_first_sample(p.f.engine, 40));
    assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, NULL));
    for (size_t l = 0; l < 2; l++)
        s[l] = layer_state(&p.f, l, ROWS, FFEBM_PHASE_FREE);
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &w, 0));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &b, 1));
    ffebmi_draw_normal(&(ffebmi_draw){.key = 5, .effect = 8}, 0, 11, slope);
    ffebmi_draw_normal(&(ffebmi_draw){.key = 5, .effect = 9}, 0, 11, offset);
    for (size_t r = 0; r < ROWS; r++) {
        double noise[11];

        ffebmi_draw_normal(&(ffebmi_draw){.key = 77, .sample = (uint32_t)(40 + r), .step = 9, .effect = 10}, 0, 11,
                           noise);
        for (size_t i = 0; i < 11; i++) {
            size_t unit = i < 5 ? i : i - 5;
            double z = i < 5 ? element(p.x, r * 5 + i) : element(b.value, unit), value;

            for (size_t k = 0; k < (i < 5 ? 6 : 5); k++)
                z += i < 5 ? element(w.value, k * 5 + i) * element(s[1], r * 6 + k)
                           : element(w.value, unit * 5 + k) * element(s[0], r * 5 + k);
            value = (1 + 0.3 * slope[i]) * (z + 0.2 * offset[i] + 0.1 * noise[i]);
            if (i < 5)
                value = fmax(0, fmin(1, 0.5 * value));
            ck_assert_double_eq_tol(element(s[i < 5 ? 0 : 1], r * (i < 5 ? 5 : 6) + unit), value, 1e-9);
        }
    }
    destroy_all(s, 2);
    problem_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- certificates */

/* A layer feels the weights of the layer above as they send down, and that one the weights as they send up. */
START_TEST(weights_differ_by_direction)
{
    static const char *const jsons[] = {
        MODEL("[5]", BLOCK(DENSE("6"))),
        MODEL("[1, 3, 3]",
              BLOCK("{\"type\": \"conv2d\", \"out_channels\": 6, \"kernel\": 3}") ", {\"feedforward\": [{\"type\": "
                                                                                  "\"flatten\"}]}")};
    problem p = problem_of(jsons[_i], 0, 1, ROWS);
    size_t below = _i == 0 ? 5 : 9;
    ffebm_equilibrium_config c = converged();
    ffebm_parameter_info w = {.size = sizeof w}, b = {.size = sizeof b};
    ffebm_tensor *s[2];
    ffebm_device_config device;
    double xi[54];

    ffebm_device_config_init(&device, sizeof device);
    device.seed = 5;
    device.weight_asymmetry = 0.5;
    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, 0, &device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c));
    assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, NULL));
    for (size_t l = 0; l < 2; l++)
        s[l] = layer_state(&p.f, l, ROWS, FFEBM_PHASE_FREE);
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &w, 0));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &b, 1));
    ffebmi_draw_normal(&(ffebmi_draw){.key = 5, .effect = 7}, 0, 6 * below, xi);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t i = 0; i < below; i++) {
            double z = element(p.x, r * below + i);

            for (size_t k = 0; k < 6; k++)
                z += (1 + 0.5 * xi[k * below + i]) * element(w.value, k * below + i) * element(s[1], r * 6 + k);
            ck_assert_double_eq_tol(element(s[0], r * below + i), fmax(0, fmin(1, 0.5 * z)), 1e-9);
        }
        for (size_t k = 0; k < 6; k++) {
            double z = element(b.value, k);

            for (size_t i = 0; i < below; i++)
                z += element(w.value, k * below + i) * element(s[0], r * below + i);
            ck_assert_double_eq_tol(element(s[1], r * 6 + k), z, 1e-9);
        }
    }
    destroy_all(s, 2);
    problem_end(&p);
}
END_TEST

/* There is no energy, so that EP is no gradient; implicit differentiation does not offer itself, and differences tell. */
START_TEST(asymmetry_is_not_certified)
{
    problem p = problem_of(chains[0], 0, 1, ROWS);
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_equilibrium_config c = converged();
    ffebm_certify_config certify;
    ffebm_device_config device;

    ffebm_certify_config_init(&certify, sizeof certify);
    certify.directions = 8;
    ffebm_device_config_init(&device, sizeof device);
    for (int asymmetric = 0; asymmetric < 2; asymmetric++) {
        device.weight_asymmetry = asymmetric ? 1 : 0;
        put_on(&p, 0, &device);
        c.estimator = FFEBM_ESTIMATOR_IMPLICIT;
        ck_assert_int_eq(ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c),
                         asymmetric ? FFEBM_ERR_UNSUPPORTED : FFEBM_OK);
        c.estimator = FFEBM_ESTIMATOR_CENTERED;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c));
        assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &certify));
        ck_assert_int_eq(worst.passed, !asymmetric);
    }
    problem_end(&p);
}
END_TEST

static double worst_cosine(problem *p)
{
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_equilibrium_config c = converged();

    c.beta = 1e-4;
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &c));
    assert_ok(p->f.context, ffebm_engine_certify(p->f.engine, &worst, p->x, p->y, NULL, NULL));
    return worst.cosine;
}

static void held_noise(ffebm_device_config *d)
{
    fixed(d);
    d->input_noise = d->weight_read_noise = d->neuron_drive_noise = d->output_noise = 0.01;
    d->output_offset_dtod = 0.1;
}

/* Whatever keeps an energy keeps EP exact, on the parameters in effect; what differs between phases does not. */
START_TEST(certificates_are_of_what_is_in_effect)
{
    problem p = on_device(_i, FFEBM_FLOAT64, 1, held_noise);

    assert_ok(p.f.context, ffebm_engine_set_noise(p.f.engine, 0));
    ck_assert_double_gt(worst_cosine(&p), 0.99999);
    assert_ok(p.f.context, ffebm_engine_set_noise(p.f.engine, 1));
    ck_assert_double_lt(worst_cosine(&p), 0.9);
    problem_end(&p);
}
END_TEST

/* Without noise a device is that whose configuration has none. */
START_TEST(noise_is_left_out)
{
    problem quiet = with_all_on(_i, FFEBM_FLOAT64, 1), without = with_all_on(_i, FFEBM_FLOAT64, 1);
    ffebm_device_config device = {.size = sizeof device};
    ffebm_tensor *a, *b, *c;

    assert_ok(quiet.f.context, ffebm_model_device(without.f.model, &device, 3));
    device.noise = 0;
    put_on(&without, _i / 2 % CHAINS, &device);
    configure(&without, estimators[_i / 2 / CHAINS]);
    c = gradient_at(&quiet, 3);
    assert_ok(quiet.f.context, ffebm_engine_set_noise(quiet.f.engine, 0));
    a = gradient_at(&quiet, 3);
    b = gradient_at(&without, 3);
    ck_assert(same(a, b));
    ck_assert(!same(a, c));
    destroy_all((ffebm_tensor *[]){a, b, c}, 3);
    problem_end(&quiet);
    problem_end(&without);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- descriptions */

START_TEST(devices_stand_in_descriptions)
{
    problem p = on_device(_i, FFEBM_FLOAT64, 1, noisy_readings);
    ffebm_model *parsed;
    const char *text, *again;
    size_t length;
    ffebm_stage_info info = {.size = sizeof info};

    assert_ok(p.f.context, ffebm_model_description(p.f.model, &text, &length));
    assert_ok(p.f.context, ffebm_model_parse(p.f.context, &parsed, text, length, NULL));
    for (size_t stage = 1; stage < p.f.info.stage_count; stage += 2) {
        ffebm_device_config a = {.size = sizeof a}, b = {.size = sizeof b};

        assert_ok(p.f.context, ffebm_model_device(p.f.model, &a, stage));
        assert_ok(p.f.context, ffebm_model_device(parsed, &b, stage));
        ck_assert_mem_eq(&a, &b, sizeof a);
        assert_ok(p.f.context, ffebm_model_inspect_stage(parsed, &info, stage));
        ck_assert_int_eq(info.device, 1);
    }
    assert_ok(p.f.context, ffebm_model_description(parsed, &again, NULL));
    ck_assert_str_eq(text, again);
    assert_ok(p.f.context, ffebm_model_set_device(parsed, FFEBM_ALL, NULL));
    assert_ok(p.f.context, ffebm_model_inspect_stage(parsed, &info, 1));
    ck_assert_int_eq(info.device, 0);
    ffebm_model_destroy(parsed);
    problem_end(&p);
}
END_TEST

static const struct {
    size_t offset;
    double number;
    const char *word;
} bad[] = {{offsetof(ffebm_device_config, weight_dtod), -0.1, "weight_dtod"},
           {offsetof(ffebm_device_config, weight_dtod), NAN, "weight_dtod"},
           {offsetof(ffebm_device_config, weight_stuck), 1.5, "weight_stuck"},
           {offsetof(ffebm_device_config, weight_min), INFINITY, "weight_min"},
           {offsetof(ffebm_device_config, weight_max_dtod), 0.1, "weight_max_dtod"},
           {offsetof(ffebm_device_config, weight_read_noise), 0.1, "weight_max"},
           {offsetof(ffebm_device_config, output_bound), 0, "output_bound"},
           {offsetof(ffebm_device_config, output_noise), INFINITY, "output_noise"}};
static const struct {
    size_t offset;
    int64_t integer;
    const char *word;
} bad_integers[] = {{offsetof(ffebm_device_config, input_bits), 1, "input_bits"},
                    {offsetof(ffebm_device_config, nudge_bits), 25, "nudge_bits"},
                    {offsetof(ffebm_device_config, output_bits), 8, "output_bound"},
                    {offsetof(ffebm_device_config, output_repeats), 0, "output_repeats"}};

START_TEST(what_is_no_device_is_refused)
{
    problem p = problem_of(chains[RESISTIVE], 0, 1, ROWS);
    ffebm_device_config device;
    const char *before, *after;

#define REFUSED(call, status, word)                                                                                    \
    do {                                                                                                               \
        ck_assert_int_eq(call, status);                                                                                \
        ck_assert_msg(strstr(ffebm_context_error(p.f.context), word) != NULL, "%s", ffebm_context_error(p.f.context)); \
    } while (0)
    ffebm_device_config_init(&device, sizeof device);
    REFUSED(ffebm_model_set_device(p.f.model, 1, &device), FFEBM_ERR_STATE, "engine");
    ffebm_engine_destroy(p.f.engine);
    p.f.engine = NULL;
    assert_ok(p.f.context, ffebm_model_description(p.f.model, &before, NULL));
    REFUSED(ffebm_model_set_device(p.f.model, 0, &device), FFEBM_ERR_ARGUMENT, "stage 0");
    REFUSED(ffebm_model_set_device(p.f.model, 9, &device), FFEBM_ERR_ARGUMENT, "stage 9");
    REFUSED(ffebm_model_device(p.f.model, &device, 0), FFEBM_ERR_ARGUMENT, "stage 0");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ffebm_device_config_init(&device, sizeof device);
        memcpy((char *)&device + bad[i].offset, &bad[i].number, sizeof bad[i].number);
        REFUSED(ffebm_model_set_device(p.f.model, FFEBM_ALL, &device), FFEBM_ERR_ARGUMENT, bad[i].word);
    }
    for (size_t i = 0; i < sizeof bad_integers / sizeof bad_integers[0]; i++) {
        ffebm_device_config_init(&device, sizeof device);
        memcpy((char *)&device + bad_integers[i].offset, &bad_integers[i].integer, sizeof bad_integers[i].integer);
        REFUSED(ffebm_model_set_device(p.f.model, FFEBM_ALL, &device), FFEBM_ERR_ARGUMENT, bad_integers[i].word);
    }
    ffebm_device_config_init(&device, sizeof device);
    device.neuron_slope_dtod = 0.1;
    REFUSED(ffebm_model_set_device(p.f.model, FFEBM_ALL, &device), FFEBM_ERR_UNSUPPORTED, "neuron_slope_dtod");
    device.neuron_slope_dtod = 0;
    device.weight_asymmetry = 0.1;
    REFUSED(ffebm_model_set_device(p.f.model, 1, &device), FFEBM_ERR_UNSUPPORTED, "weight_asymmetry");
    device.weight_asymmetry = 0;
    device.neuron_drive_noise = 0.1;
    REFUSED(ffebm_model_set_device(p.f.model, 1, &device), FFEBM_ERR_UNSUPPORTED, "neuron_drive_noise");
    assert_ok(p.f.context, ffebm_model_description(p.f.model, &after, NULL));
    ck_assert_str_eq(before, after);
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    REFUSED(ffebm_engine_set_noise(p.f.engine, 2), FFEBM_ERR_ARGUMENT, "noise");
    ck_assert_int_eq(ffebm_engine_set_noise(NULL, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_device(NULL, 1, &device), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_device(NULL, &device, 1), FFEBM_ERR_ARGUMENT);
    problem_end(&p);
}
END_TEST

Suite *test_device_suite(void)
{
    Suite *suite = suite_create("device");
    TCase *draws = tcase_create("draws"), *chips = tcase_create("chips"), *noise = tcase_create("noise"),
          *borders = tcase_create("borders");

    tcase_add_loop_test(draws, draws_have_the_moments_that_they_should, 0, 3);
    tcase_add_test(draws, draws_are_philox_of_their_counter);
    tcase_add_test(draws, draws_do_not_depend_on_who_asks);
    suite_add_tcase(suite, draws);
    tcase_add_loop_test(chips, an_ideal_device_is_none, 0, CHAINS);
    tcase_add_loop_test(chips, fixed_weights_are_other_weights, 0, CHAINS);
    tcase_add_test(chips, weights_vary_as_they_should);
    tcase_add_test(chips, weights_drift);
    tcase_add_test(chips, a_seed_is_a_chip);
    tcase_add_loop_test(chips, devices_stand_in_descriptions, 0, CHAINS);
    tcase_add_test(chips, what_is_no_device_is_refused);
    suite_add_tcase(suite, chips);
    tcase_add_loop_test(noise, threads_do_not_change_bits, 0, CASES);
    tcase_add_loop_test(noise, a_batch_is_its_samples, 0, CASES);
    tcase_add_loop_test(noise, slices_do_not_show, 0, 2 * CHAINS);
    tcase_add_loop_test(noise, a_resumed_run_draws_what_an_unbroken_one_does, 0, CASES);
    tcase_add_loop_test(noise, draws_do_not_depend_on_the_dtype, 0, CHAINS);
    tcase_add_loop_test(noise, noise_is_left_out, 0, CASES);
    suite_add_tcase(suite, noise);
    tcase_add_test(borders, inputs_are_converted);
    tcase_add_test(borders, outputs_are_readings);
    tcase_add_test(borders, common_offsets_cancel_and_those_of_phases_do_not);
    tcase_add_test(borders, nudges_are_converted);
    tcase_add_test(borders, neurons_vary_as_they_should);
    tcase_add_loop_test(borders, weights_differ_by_direction, 0, 2);
    tcase_add_test(borders, asymmetry_is_not_certified);
    tcase_add_loop_test(borders, certificates_are_of_what_is_in_effect, 0, CHAINS);
    suite_add_tcase(suite, borders);
    return suite;
}

/* Weights that each nudged phase writes alone: what the two of them do together, how many pulses that takes, and who may ask. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"

/* clang-format off */
#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " out "}"
#define BLOCK(couplings) "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [" couplings "]}}"
#define MODEL(input, stages) \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"mse\", \"initialization\": {\"type\": \"uniform\", " \
    "\"gain\": 0.8, \"bias\": 0.4}, \"stages\": [" stages "]}"
static const char *const chains[] = {
    MODEL("[5]", LINEAR("7") ", " BLOCK(DENSE("6") ", " DENSE("5")) ", " LINEAR("6") ", " BLOCK(DENSE("4")) ", " LINEAR("3")),
    MODEL("[2, 6, 6]",
          "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1}]}, "
          BLOCK("{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 3, \"padding\": 1, "
                "\"pool\": {\"type\": \"max\", \"kernel\": 2}}, " DENSE("5")) ", " LINEAR("4") ", " BLOCK(DENSE("4"))),
    MODEL("[5]", LINEAR("7") ", {\"energy\": {\"type\": \"resistive\", \"input_gain\": 4, \"couplings\": ["
          DENSE("6") ", " DENSE("5") "]}}, " LINEAR("6") ", " BLOCK(DENSE("4")))};
/* clang-format on */
/* So that no phase needs more than 255 of them. */
static const double steps[] = {2e-3, 2e-3, 1e-1};
enum { CHAINS = sizeof chains / sizeof chains[0], ROWS = 6 };

static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_POSITIVE, FFEBM_ESTIMATOR_NEGATIVE,
                                     FFEBM_ESTIMATOR_RANDOM_SIGN, FFEBM_ESTIMATOR_FOUR_POINT};
enum { ESTIMATORS = sizeof estimators / sizeof estimators[0] };

static ffebm_device_config device_of(int32_t mode, double dw_min)
{
    ffebm_device_config d;

    ffebm_device_config_init(&d, sizeof d);
    d.update_mode = mode;
    d.update_dw_min = dw_min;
    d.update_pulses_max = 255;
    return d;
}

static problem on_device(int chain, int32_t estimator, double beta, const ffebm_device_config *device)
{
    problem p = problem_of(chains[chain], 0, 1, ROWS);
    ffebm_equilibrium_config c = converged();

    ffebm_engine_destroy(p.f.engine);
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, FFEBM_ALL, device));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    c.beta = beta;
    c.estimator = estimator;
    c.nudging = FFEBM_NUDGING_LINEAR;
    c.repeats = estimator == FFEBM_ESTIMATOR_POSITIVE ? 2 : 1;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &c));
    return p;
}

/* How all parameters move in one step. */
static ffebm_tensor *moves_of(problem *p, double learning_rate)
{
    ffebm_tensor *all = ffebm_model_flat_parameters(p->f.model), *moves = copy_of(p->f.context, all);
    ffebm_optimizer *sgd = sgd_of(p, learning_rate);

    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, NULL, p->x, p->y, NULL));
    assert_ok(p->f.context, ffebm_optimizer_step(sgd, p->f.engine));
    for (size_t i = 0; i < ffebm_tensor_count(all); i++)
        set_element(moves, i, element(all, i) - element(moves, i));
    ffebm_optimizer_destroy(sgd);
    return moves;
}

static bool is_pulsed(const problem *p, size_t parameter, ffebm_parameter_info *info)
{
    *info = (ffebm_parameter_info){.size = sizeof *info};
    assert_ok(p->f.context, ffebm_model_inspect_parameter(p->f.model, info, parameter));
    return info->stage % 2 == 1 && strstr(info->name, "weight") != NULL;
}

/* Both phases together make the step that their difference asks for, but for the rounding of each to the nearest pulse; and what
 * is not written by pulses does not know. `read`: also through converters, of readings of every layer. */
static void check_together(int chain, int32_t estimator, int32_t read)
{
    const double dw_min = steps[chain], rate = 1;
    ffebm_device_config device = device_of(FFEBM_UPDATE_TWO_PHASE, dw_min),
                        ideal = device_of(FFEBM_UPDATE_IDEAL, dw_min);
    ffebm_pulse_info info = {.size = sizeof info};
    double both = 0, squares = 0;
    ffebm_tensor *a, *b;
    problem pulsed, plain;

    device.read = ideal.read = read;
    device.output_bits = ideal.output_bits = 16;
    device.output_bound = ideal.output_bound = 8;
    device.noise = ideal.noise = 0;
    pulsed = on_device(chain, estimator, 0.5, &device);
    plain = on_device(chain, estimator, 0.5, &ideal);
    a = moves_of(&pulsed, rate);
    b = moves_of(&plain, rate);
    for (size_t i = 0; i < plain.f.info.parameter_count; i++) {
        ffebm_parameter_info of;
        bool writes = is_pulsed(&plain, i, &of);

        for (size_t k = of.offset; k < of.offset + of.count; k++) {
            ck_assert_double_le(fabs(element(a, k) - element(b, k)), writes ? dw_min * (1 + 1e-9) : 1e-12);
            both += writes ? element(a, k) * element(b, k) : 0;
            squares += writes ? element(b, k) * element(b, k) : 0;
        }
    }
    assert_ok(pulsed.f.context, ffebm_model_inspect_pulses(pulsed.f.model, &info, FFEBM_ALL));
    ck_assert(info.up > 0 && info.down > 0 && info.limited == 0);
    ck_assert_double_gt(squares, 0);
    ck_assert_double_lt(fabs(both / squares - 1), 0.25);
    destroy_all((ffebm_tensor *[]){a, b}, 2);
    problem_end(&pulsed);
    problem_end(&plain);
}

START_TEST(two_phases_make_the_difference)
{
    check_together(_i % CHAINS, estimators[_i / CHAINS], FFEBM_READ_BORDER);
    check_together(_i % CHAINS, estimators[_i / CHAINS], FFEBM_READ_ALL);
}
END_TEST

/* Under a weak nudge both phases read what the free state would: so many pulses, known from its energy's gradient alone. */
START_TEST(each_phase_writes_all_of_its_reading)
{
    const double beta = 1e-3, dw_min = 1e-3, rate = 2e-3;
    ffebm_device_config device = device_of(FFEBM_UPDATE_TWO_PHASE, dw_min);
    problem p = on_device(_i, FFEBM_ESTIMATOR_CENTERED, beta, &device);

    ffebm_tensor_destroy(moves_of(&p, rate));
    for (size_t stage = 1; stage < p.f.info.stage_count; stage += 2) {
        ffebm_pulse_info info = {.size = sizeof info};
        double each = 0;

        assert_ok(p.f.context, ffebm_model_inspect_pulses(p.f.model, &info, stage));
        assert_ok(p.f.context, ffebm_engine_energy_gradient(p.f.engine, NULL, stage, FFEBM_PHASE_FREE));
        for (size_t i = 0; i < p.f.info.parameter_count; i++) {
            const ffebm_tensor *f = ffebm_engine_flat_gradient(p.f.engine);
            ffebm_parameter_info of;

            for (size_t k = 0; is_pulsed(&p, i, &of) && of.stage == stage && k < of.count; k++)
                each += fmin(255, fabs(element(f, of.offset + k)) * rate / (2 * beta) / dw_min);
        }
        ck_assert_double_gt(each, 30);
        ck_assert_double_lt(fabs((double)info.up / each - 1), 0.1);
        ck_assert_double_lt(fabs((double)info.down / each - 1), 0.1);
    }
    problem_end(&p);
}
END_TEST

static ffebm_status sgd_with(problem *p, double momentum, double decay, double clip)
{
    ffebm_sgd_config config;
    ffebm_optimizer *sgd;
    ffebm_status status;

    ffebm_sgd_config_init(&config, sizeof config);
    config.momentum = momentum;
    config.weight_decay = decay;
    config.clip_norm = clip;
    status = ffebm_optimizer_create_sgd(&sgd, p->f.model, &config);
    ffebm_optimizer_destroy(sgd);
    return status;
}

/* A phase that writes alone has no memory, no weight to read, and no other phase to compare with. */
START_TEST(what_needs_more_than_a_phase_is_refused)
{
    ffebm_device_config device = device_of(FFEBM_UPDATE_TWO_PHASE, 0.01);
    problem p = on_device(0, FFEBM_ESTIMATOR_IMPLICIT, 0.5, &device);
    ffebm_optimizer *optimizer = NULL;

    ck_assert_int_eq(sgd_with(&p, 0.9, 0, 0), FFEBM_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(p.f.context), "not sgd with momentum 0.9"));
    ck_assert_int_eq(sgd_with(&p, 0, 1e-3, 0), FFEBM_ERR_UNSUPPORTED);
    ck_assert_int_eq(sgd_with(&p, 0, 0, 1), FFEBM_ERR_UNSUPPORTED);
    ck_assert_int_eq(sgd_with(&p, 0, 0, 0), FFEBM_OK);
    ck_assert_int_eq(ffebm_optimizer_create_adam(&optimizer, p.f.model, NULL), FFEBM_ERR_UNSUPPORTED);
    ck_assert_ptr_null(optimizer);
    optimizer = sgd_of(&p, 0.1);
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, p.f.engine), FFEBM_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(p.f.context), "IMPLICIT has no phases"));
    ffebm_optimizer_destroy(optimizer);
    problem_end(&p);
}
END_TEST

Suite *test_phases_suite(void)
{
    Suite *suite = suite_create("phases");
    TCase *tests = tcase_create("phases");

    tcase_add_loop_test(tests, two_phases_make_the_difference, 0, CHAINS * ESTIMATORS);
    tcase_add_loop_test(tests, each_phase_writes_all_of_its_reading, 0, CHAINS);
    tcase_add_test(tests, what_needs_more_than_a_phase_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

/* A block that is watched while it settles. */
#include <math.h>
#include <string.h>

#include "gradient/engine.h"
#include "trial.h"

enum { MOST_LAYERS = 3 };

/* What has been shown: the last point of each phase, and whether energy ever rose. */
typedef struct viewer {
    const trial *p;
    size_t stage, points, stop_at;
    int32_t phase;
    int64_t sweep;
    size_t step, steps;
    double energy[ROWS];
    double rise;                        /* the most that a sample's energy rose by from one step to the next */
    double fall;                        /* of all samples, over both phases */
    ffebm_tensor *last[2][MOST_LAYERS]; /* [phase - 1] */
} viewer;

static int32_t look(void *user, const ffebm_watch_point *point)
{
    viewer *v = user;
    bool begins = v->points == 0 || point->phase != v->phase;

    if (begins) {
        ck_assert_int_eq(point->phase, v->points == 0 ? FFEBM_PHASE_FREE : FFEBM_PHASE_NUDGED);
        ck_assert_int_eq(point->sweep, 0);
        ck_assert_uint_eq(point->step, 0);
    } else if (v->step == v->steps || v->sweep == 0) {
        ck_assert_int_eq(point->sweep, v->sweep + 1);
        ck_assert_uint_eq(point->step, 1);
    } else {
        ck_assert_int_eq(point->sweep, v->sweep);
        ck_assert_uint_eq(point->step, v->step + 1);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double energy = element(point->energy, i);

        if (!begins) {
            v->rise = fmax(v->rise, energy - v->energy[i]);
            v->fall += v->energy[i] - energy;
        }
        v->energy[i] = energy;
    }
    ck_assert_uint_le(point->layer_count, MOST_LAYERS);
    for (size_t l = 0; l < point->layer_count; l++) {
        ffebm_tensor **last = &v->last[point->phase - 1][l];

        ffebm_tensor_destroy(*last);
        *last = copy_of(v->p->f.context, point->states[l]);
    }
    v->phase = point->phase;
    v->sweep = point->sweep;
    v->step = point->step;
    v->steps = point->steps;
    return ++v->points == v->stop_at;
}

static void forget(viewer *v)
{
    for (int phase = 0; phase < 2; phase++)
        destroy_all(v->last[phase], MOST_LAYERS);
}

static void configure(const trial *p, ffebm_equilibrium_config config)
{
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
}

/* In every order that moves no two coupled layers together, from step to step, in both phases; pools that follow included. */
START_TEST(energy_falls)
{
    static const int32_t orders[] = {FFEBM_ORDER_COLORS, FFEBM_ORDER_ODD_EVEN, FFEBM_ORDER_FORWARD,
                                     FFEBM_ORDER_BACKWARD};
    trial p = trial_of(_i % MODELS, 0, 1);
    ffebm_equilibrium_config config = settled();

    config.switches = FFEBM_SWITCHES_FOLLOW;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = 0.1;
    config.free_order = orders[_i / MODELS];
    config.nudged_order = _i % 2 == 0 ? orders[_i / MODELS] : FFEBM_ORDER_REVERSED;
    config.nudged_sweeps = 20;
    configure(&p, config);
    for (size_t stage = 1; stage <= 3; stage += 2) {
        viewer v = {.p = &p};

        assert_ok(p.f.context, ffebm_engine_watch(p.f.engine, stage, p.x, p.y, look, &v));
        ck_assert_uint_eq(v.steps, _i / MODELS < 2 ? 2 : 3);
        ck_assert_int_eq(v.phase, FFEBM_PHASE_NUDGED);
        ck_assert_double_le(v.rise, 1e-12);
        ck_assert_double_gt(v.fall, 1e-3);
        forget(&v);
    }
    trial_end(&p);
}
END_TEST

static ffebm_tensor *state_like(const trial *p, size_t stage, size_t layer, const ffebm_tensor *like)
{
    ffebm_tensor *state = copy_of(p->f.context, like);

    assert_ok(p->f.context, ffebm_engine_get_state(p->f.engine, state, stage, layer, FFEBM_PHASE_FREE));
    return state;
}

/* The last free state has the bits of one that as many sweeps come to, whatever the number of threads; and the estimate
 * of one nudged phase is the difference of the energy's slopes at the two last states. */
START_TEST(it_is_what_a_gradient_sees)
{
    enum { SWEEPS = 7 };
    trial p = trial_of(_i % MODELS, 0, 1 + _i / MODELS);
    ffebm_equilibrium_config config = settled();
    ffebm_tensor *flat = ffebm_engine_flat_gradient(p.f.engine), *estimate;
    viewer v = {.p = &p};
    snapshot before;
    ffebm_stage_info info = {.size = sizeof info};
    ffebm_parameter_info first = {.size = sizeof first};

    config.nudging = FFEBM_NUDGING_LINEAR;
    config.estimator = FFEBM_ESTIMATOR_POSITIVE;
    config.beta = 0.05;
    config.free_tolerance = config.nudged_tolerance = 0;
    config.free_sweeps = config.nudged_sweeps = SWEEPS;
    configure(&p, config);
    before = snapshot_of(&p);
    assert_ok(p.f.context, ffebm_engine_watch(p.f.engine, 3, p.x, p.y, look, &v));
    check_snapshot(&before, &p);
    ck_assert_uint_eq(v.points, 2 * (1 + 2 * SWEEPS));
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    estimate = copy_of(p.f.context, flat);
    for (size_t l = 0; l < MOST_LAYERS; l++) {
        ffebm_tensor *state = state_like(&p, 3, l, v.last[0][l]);

        ck_assert_mem_eq(ffebm_tensor_data(state), ffebm_tensor_data(v.last[0][l]),
                         ffebm_tensor_count(state) * sizeof(double));
        ffebm_tensor_destroy(state);
    }
    assert_ok(p.f.context, ffebm_model_inspect_stage(p.f.model, &info, 3));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &first, info.first_parameter));
    for (int phase = 0; phase < 2; phase++) {
        for (size_t l = 0; l < MOST_LAYERS; l++)
            assert_ok(p.f.context, ffebm_engine_set_state(p.f.engine, 3, l, v.last[phase][l]));
        assert_ok(p.f.context, ffebm_engine_energy_gradient(p.f.engine, NULL, 3, FFEBM_PHASE_FREE));
        for (size_t i = first.offset; i < p.f.info.element_count && i < first.offset + first.count; i++)
            set_element(estimate, i, element(estimate, i) - (phase == 0 ? -1 : 1) * element(flat, i) / config.beta);
    }
    for (size_t i = first.offset; i < first.offset + first.count; i++)
        ck_assert_double_le(fabs(element(estimate, i)), 1e-10);
    ffebm_tensor_destroy(estimate);
    forget(&v);
    trial_end(&p);
}
END_TEST

START_TEST(it_stops)
{
    trial p = trial_of(0, 0, 1);
    ffebm_equilibrium_config config = settled();

    config.free_sweeps = config.nudged_sweeps = 3;
    config.free_tolerance = config.nudged_tolerance = 0;
    configure(&p, config);
    for (size_t at = 1; at <= 14; at++) {
        viewer v = {.p = &p, .stop_at = at};
        snapshot before = snapshot_of(&p);

        ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, p.x, p.y, look, &v), FFEBM_ERR_CANCELLED);
        check_snapshot(&before, &p);
        ck_assert_uint_eq(v.points, at);
        forget(&v);
    }
    trial_end(&p);
}
END_TEST

START_TEST(what_cannot_be_watched_is_refused)
{
    trial p = trial_of(0, 0, 1);
    viewer v = {.p = &p};

    ck_assert_int_eq(ffebm_engine_watch(NULL, 1, p.x, p.y, look, &v), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, p.x, p.y, NULL, &v), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, NULL, p.y, look, &v), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, p.x, NULL, look, &v), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, p.y, p.y, look, &v), FFEBM_ERR_DTYPE);
    for (size_t stage = 0; stage < 6; stage += 2)
        ck_assert_int_eq(ffebm_engine_watch(p.f.engine, stage, p.x, p.y, look, &v), FFEBM_ERR_ARGUMENT);
    ck_assert_uint_eq(v.points, 0);
    trial_end(&p);
}
END_TEST

Suite *test_watch_suite(void)
{
    Suite *suite = suite_create("watch");
    TCase *tests = tcase_create("watch");

    tcase_add_loop_test(tests, energy_falls, 0, 4 * MODELS);
    tcase_add_loop_test(tests, it_is_what_a_gradient_sees, 0, 2 * MODELS);
    tcase_add_test(tests, it_stops);
    tcase_add_test(tests, what_cannot_be_watched_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

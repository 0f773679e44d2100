/* Traces and the depth profile. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "energy/energy.h"
#include "gradient/engine.h"
#include "trial.h"

/* ----------------------------------------------------------------------------------------------------------- traces */

/* All that a trace has said: the last gradients, and how far estimate and implicit gradient ever were from each other. */
typedef struct listener {
    const trial *p;
    ffebm_tensor *gradients[2];
    size_t points, stop_at;
    int64_t sweep;
    size_t parameter, group; /* of the last point */
    double worst;
} listener;

/* Stage 3 is traced with 2 and 4, stage 1 with 0. */
static size_t group_of(size_t stage)
{
    return stage >= 2;
}

static int32_t listen(void *user, const ffebm_trace_point *point)
{
    listener *l = user;
    const ffebm_tensor *tensors[2] = {point->estimate, point->implicit};
    ffebm_parameter_info info = {.size = sizeof info};
    size_t group = group_of(point->stage);

    assert_ok(l->p->f.context, ffebm_model_inspect_parameter(l->p->f.model, &info, point->parameter));
    ck_assert_str_eq(info.name, point->name);
    ck_assert_uint_eq(info.stage, point->stage);
    if (l->points > 0 && group == l->group && point->sweep == l->sweep)
        ck_assert_uint_eq(point->parameter, l->parameter + 1);
    else if (l->points > 0)
        ck_assert(group == l->group ? point->sweep == l->sweep + 1 : group < l->group && point->sweep == 1);
    l->group = group;
    l->sweep = point->sweep;
    l->parameter = point->parameter;
    for (int w = 0; w < 2; w++) {
        size_t rank;
        const int64_t *shape = ffebm_tensor_shape(tensors[w], &rank);
        double square = 0, norm = w == 0 ? point->estimate_norm : point->implicit_norm;

        ck_assert_uint_eq(rank, info.rank);
        ck_assert_mem_eq(shape, info.shape, rank * sizeof *shape);
        for (size_t i = 0; i < info.count; i++) {
            set_element(l->gradients[w], info.offset + i, element(tensors[w], i));
            square += pow(element(tensors[w], i), 2);
        }
        ck_assert_double_le(fabs(sqrt(square) - norm), 1e-12 * norm);
    }
    if (point->implicit_norm > 1e-15) /* of a bias in front of batch normalisation there is only rounding */
        l->worst = fmax(l->worst, point->relative_error);
    return ++l->points == l->stop_at;
}

static listener listener_of(const trial *p)
{
    listener l = {.p = p};

    for (int w = 0; w < 2; w++)
        l.gradients[w] = copy_of(p->f.context, ffebm_engine_flat_gradient(p->f.engine));
    return l;
}

static void listener_end(listener *l)
{
    for (int w = 0; w < 2; w++)
        ffebm_tensor_destroy(l->gradients[w]);
}

static const struct {
    int32_t estimator, nudging, repeats;
} traced[] = {{FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_AUTO, 1},
              {FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LINEAR, 1},
              {FFEBM_ESTIMATOR_RANDOM_SIGN, FFEBM_NUDGING_AUTO, 2},
              {FFEBM_ESTIMATOR_FOUR_POINT, FFEBM_NUDGING_AUTO, 1},
              {FFEBM_ESTIMATOR_IMPLICIT, FFEBM_NUDGING_AUTO, 1}};

enum { TRACED = sizeof traced / sizeof traced[0] };

/* The last sweep's are the gradients after that many sweeps, to the bit. */
START_TEST(traces_end_in_the_gradient)
{
    enum { SWEEPS = 4 };
    trial p = trial_of(_i % MODELS, 0, 1);
    ffebm_equilibrium_config config = settled();
    listener l = listener_of(&p);
    snapshot before;

    config.estimator = traced[_i / MODELS].estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.repeats = traced[_i / MODELS].repeats;
    config.nudged_sweeps = SWEEPS;
    config.beta = 0.1;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    config.nudging = traced[_i / MODELS].nudging;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, 3, &config));
    before = snapshot_of(&p);
    assert_ok(p.f.context, ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, listen, &l));
    check_snapshot(&before, &p);
    ck_assert_uint_eq(l.points, SWEEPS * p.f.info.parameter_count);
    config.nudged_tolerance = 0;
    for (int w = 0; w < 2; w++) {
        if (w == 1)
            config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
        config.nudging = FFEBM_NUDGING_LINEAR;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        config.nudging = traced[_i / MODELS].nudging;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, 3, &config));
        assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 0));
        assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
        ck_assert_mem_eq(ffebm_tensor_data(ffebm_engine_flat_gradient(p.f.engine)), ffebm_tensor_data(l.gradients[w]),
                         p.f.info.element_count * sizeof(double));
    }
    listener_end(&l);
    trial_end(&p);
}
END_TEST

/* Where a block is quadratic the two agree in every sweep. */
START_TEST(traces_agree_sweep_by_sweep)
{
    trial p = trial_of(_i, 0, 1);
    ffebm_equilibrium_config config = settled();
    listener l = listener_of(&p);

    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = 0.01;
    config.nudged_sweeps = 6;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, listen, &l));
    ck_assert_double_lt(l.worst, 1e-9);
    ck_assert_uint_eq(l.points, 6 * p.f.info.parameter_count);
    listener_end(&l);
    trial_end(&p);
}
END_TEST

START_TEST(traces_stop)
{
    trial p = trial_of(0, 0, 1);
    ffebm_equilibrium_config config = settled();
    snapshot before;

    config.nudged_sweeps = 3;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    for (size_t at = 1; at <= 3 * p.f.info.parameter_count; at += 5) {
        listener l = listener_of(&p);

        l.stop_at = at;
        before = snapshot_of(&p);
        ck_assert_int_eq(ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, listen, &l), FFEBM_ERR_CANCELLED);
        check_snapshot(&before, &p);
        ck_assert_uint_eq(l.points, at);
        listener_end(&l);
    }
    ck_assert_int_eq(ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_trace(NULL, p.x, p.y, NULL, listen, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_trace(p.f.engine, p.x, NULL, NULL, listen, NULL), FFEBM_ERR_ARGUMENT);
    trial_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- depth profile */

static ffebm_layer_report layer_of(const trial *p, size_t stage, size_t layer)
{
    ffebm_layer_report report = {.size = sizeof report};

    assert_ok(p->f.context, ffebm_engine_inspect_layer(p->f.engine, &report, stage, layer));
    return report;
}

static ffebm_tensor *state_of(const trial *p, size_t stage, size_t layer, int32_t phase)
{
    ffebm_layer_info info = {.size = sizeof info};
    ffebm_tensor *state;

    assert_ok(p->f.context, ffebm_model_inspect_layer(p->f.model, &info, stage, layer));
    state = random_batch(p->f.context, p->f.info.dtype, ROWS, info.shape, info.rank, 0, 0, 0);
    assert_ok(p->f.context, ffebm_engine_get_state(p->f.engine, state, stage, layer, phase));
    return state;
}

/* Root of the mean over rows of |a - b|^2; b may be NULL. */
static double distance(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double square = 0;

    for (size_t i = 0; i < ffebm_tensor_count(a); i++)
        square += pow(element(a, i) - (b == NULL ? 0 : element(b, i)), 2);
    return sqrt(square / ROWS);
}

/* One block without readout, so that the force of a vjp is known. */
static const char alone[] = MODEL("[2, 4]", "0.9", BLOCK(DENSE("4") ", " DENSE("5")));
enum { LAYERS = 3 };

static void get_states(const trial *p, int32_t phase, ffebm_tensor *states[LAYERS])
{
    for (size_t l = 0; l < LAYERS; l++)
        states[l] = state_of(p, 0, l, phase);
}

static void check_layer(const ffebm_layer_report *report, ffebm_tensor *const states[3][LAYERS], size_t l,
                        double accuracy)
{
    double size = distance(states[0][l], NULL), change = distance(states[0][l], states[2][l]);
    double nudge = distance(states[1][l], states[0][l]);

    ck_assert_uint_eq(report->units, ffebm_tensor_count(states[0][l]) / ROWS);
    ck_assert_double_le(fabs(report->free_norm - size), accuracy * size);
    ck_assert_double_le(fabs(report->residual_norm - change), accuracy * change);
    ck_assert_double_le(fabs(report->nudge_norm - nudge), accuracy * nudge);
    ck_assert_double_le(fabs(report->signal_to_residual * change - nudge), accuracy * nudge);
    ck_assert_double_gt(nudge, 0);
    ck_assert_double_gt(change, 0);
}

/* The norms are those of the states that settling by hand finds: free, under the same force, and a sweep before the free
 * one. */
START_TEST(layer_reports_are_norms_of_states)
{
    trial p = {.f = fixture_of(alone, _i == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, 1 + _i, 3)};
    ffebm_equilibrium_config config = settled();
    ffebm_layer_report reports[LAYERS];
    ffebm_tensor *v = random_batch(p.f.context, p.f.info.dtype, ROWS, p.f.info.output_shape, 1, -1, 1, 9);
    ffebm_tensor *force = copy_of(p.f.context, v), *states[3][LAYERS];

    p.x = random_input(&p.f, ROWS, 5);
    config.free_sweeps = 5;
    config.nudged_sweeps = 7;
    config.free_tolerance = config.nudged_tolerance = 0;
    config.estimator = FFEBM_ESTIMATOR_POSITIVE;
    config.beta = 0.5;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, NULL, &ticket, p.x));
    assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, NULL, ticket, v, 1));
    for (size_t l = 0; l < LAYERS; l++)
        reports[l] = layer_of(&p, 0, l);
    for (size_t i = 0; i < ffebm_tensor_count(v); i++)
        set_element(force, i, -0.5 * element(v, i));
    assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, NULL));
    assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, force));
    get_states(&p, FFEBM_PHASE_FREE, states[0]);
    get_states(&p, FFEBM_PHASE_NUDGED, states[1]);
    config.free_sweeps = 4;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, NULL));
    get_states(&p, FFEBM_PHASE_FREE, states[2]);
    for (size_t l = 0; l < LAYERS; l++)
        check_layer(&reports[l], states, l, _i == 0 ? 1e-12 : 1e-4);
    for (size_t i = 0; i < 3 * LAYERS; i++)
        ffebm_tensor_destroy(states[i / LAYERS][i % LAYERS]);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(force);
    trial_end(&p);
}
END_TEST

START_TEST(layer_reports_are_the_same_with_threads)
{
    trial p[3];

    for (int32_t t = 0; t < 3; t++) {
        ffebm_equilibrium_config config;

        p[t] = trial_of(_i, FFEBM_FLOAT32, t + 1);
        ffebm_tensor_destroy(p[t].x);
        ffebm_tensor_destroy(p[t].y);
        p[t].x = random_input(&p[t].f, 53, 5);
        p[t].y = random_labels(&p[t].f, 53, 6);
        ffebm_equilibrium_config_init(&config, sizeof config); /* its tolerances are coarse: samples leave early */
        assert_ok(p[t].f.context, ffebm_engine_configure(p[t].f.engine, FFEBM_ALL, &config));
        assert_ok(p[t].f.context, ffebm_engine_gradient(p[t].f.engine, NULL, p[t].x, p[t].y, NULL));
        for (size_t stage = 1; stage <= 3; stage += 2)
            for (size_t l = 0; l < LAYERS; l++) {
                ffebm_layer_report first = layer_of(&p[0], stage, l), report = layer_of(&p[t], stage, l);

                ck_assert_mem_eq(&report, &first, sizeof report);
            }
    }
    for (int t = 0; t < 3; t++)
        trial_end(&p[t]);
}
END_TEST

/* A layer all of whose units are at a bound feels no nudge, and is settled after one sweep. */
START_TEST(saturated_layers)
{
    trial p = trial_of(0, 0, 1);
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_layer_report report;

    assert_ok(p.f.context,
              ffebm_model_inspect_parameter(p.f.model, &info, ffebm_model_find_parameter(p.f.model, "stage0.1.bias")));
    for (size_t i = 0; i < info.count; i++)
        set_element(info.value, i, i == 0 ? 0.3 : i == 1 ? 20 : -20);
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    report = layer_of(&p, 1, 0);
    ck_assert_uint_eq(report.units, 5);
    ck_assert_double_eq(report.saturated, 4.0 / 5);
    for (size_t i = 0; i < info.count; i++)
        set_element(info.value, i, 20);
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    report = layer_of(&p, 1, 0);
    ck_assert_double_eq(report.saturated, 1);
    ck_assert_double_eq(report.nudge_norm, 0);
    ck_assert_double_eq(report.residual_norm, 0);
    ck_assert_double_eq(report.signal_to_residual, 0);
    ck_assert_double_lt(fabs(report.free_norm - sqrt(5)), 1e-12);
    trial_end(&p);
}
END_TEST

START_TEST(layer_reports_are_of_the_last_gradient)
{
    trial p = trial_of(0, 0, 1);
    ffebm_layer_report report = {.size = sizeof report};
    ffebm_engine *engine = p.f.engine;
    ffebm_tensor *state;

#define REFUSED(call)                                                                                                  \
    do {                                                                                                               \
        assert_ok(p.f.context, ffebm_engine_gradient(engine, NULL, p.x, p.y, NULL));                                   \
        assert_ok(p.f.context, ffebm_engine_inspect_layer(engine, &report, 1, 2));                                     \
        assert_ok(p.f.context, call);                                                                                  \
        ck_assert_int_eq(ffebm_engine_inspect_layer(engine, &report, 1, 2), FFEBM_ERR_STATE);                          \
    } while (0)
    ck_assert_int_eq(ffebm_engine_inspect_layer(engine, &report, 1, 2), FFEBM_ERR_STATE);
    assert_ok(p.f.context, ffebm_engine_gradient(engine, NULL, p.x, p.y, NULL));
    state = state_of(&p, 1, 2, FFEBM_PHASE_FREE);
    REFUSED(ffebm_engine_evaluate(engine, NULL, NULL, p.x, p.y, NULL));
    REFUSED(ffebm_engine_forward(engine, NULL, &ticket, p.x));
    REFUSED(ffebm_engine_certify(engine, NULL, p.x, p.y, NULL, NULL));
    REFUSED(ffebm_engine_set_state(engine, 1, 2, state));
#undef REFUSED
    ffebm_tensor_destroy(state);
    assert_ok(p.f.context, ffebm_engine_gradient(engine, NULL, p.x, p.y, NULL));
    ck_assert_int_eq(ffebm_engine_inspect_layer(NULL, &report, 1, 2), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_layer(engine, NULL, 1, 2), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_layer(engine, &report, 0, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_layer(engine, &report, 1, 3), FFEBM_ERR_ARGUMENT);
    trial_end(&p);
}
END_TEST

static int32_t never(void *user, const ffebm_trace_point *point)
{
    (void)user;
    ck_abort_msg("visited stage %zu", point->stage);
}

START_TEST(without_energy_blocks_there_is_nothing_to_trace)
{
    problem p = problem_of("{\"input\": [3], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": \"linear\", "
                           "\"out_features\": 2}]}]}",
                           FFEBM_FLOAT64, 1, 4);

    assert_ok(p.f.context, ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, never, NULL));
    problem_end(&p);
}
END_TEST

Suite *test_trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *tests = tcase_create("trace");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, traces_end_in_the_gradient, 0, TRACED * MODELS);
    tcase_add_loop_test(tests, traces_agree_sweep_by_sweep, 0, MODELS);
    tcase_add_test(tests, traces_stop);
    tcase_add_test(tests, without_energy_blocks_there_is_nothing_to_trace);
    tcase_add_loop_test(tests, layer_reports_are_norms_of_states, 0, 2);
    tcase_add_loop_test(tests, layer_reports_are_the_same_with_threads, 0, MODELS);
    tcase_add_test(tests, saturated_layers);
    tcase_add_test(tests, layer_reports_are_of_the_last_gradient);
    suite_add_tcase(suite, tests);
    return suite;
}

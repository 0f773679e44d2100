/* Forces that fall with the displacement, f - k (s - s_free), solved in closed form in every half-sweep: they settle where the
 * same force does that is evaluated anew at the present state, in every form of states and whoever shares the batch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gradient/engine.h"
#include "tensor/doubles.h"

#define BLOCK(clamp, slope)                                                                                            \
    "{\"dtype\": \"float64\", \"input\": [7], \"loss\": \"mse\", \"initialization\": {\"type\": \"uniform\", "         \
    "\"gain\": 0.7, \"bias\": 0.3}, \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": "    \
    "\"hard_sigmoid\", \"slope\": " slope "}, \"clamp_last\": " clamp                                                  \
    ", \"couplings\": [{\"type\": \"dense\", \"out_features\": 9}, {\"type\": \"dense\", \"out_features\": 5}]}}]}"

static const char *const blocks[] = {BLOCK("false", "0.5"), BLOCK("true", "0.5"), BLOCK("true", "1.2")};

enum { BLOCKS = sizeof blocks / sizeof blocks[0], FORMS = 3, ROWS = 21, NUDGES = 2, UNITS = 5, LAYERS = 3 };

/* Of row sample * NUDGES + nudge, a force of each unit and how it falls. */
typedef struct affine {
    const fixture *f;
    ffebmi_form form;
    double force[ROWS * NUDGES * UNITS];
    double stiffness[ROWS * NUDGES * UNITS];
} affine;

/* Where the nudged states go, [nudge * LAYERS + layer]. */
typedef struct result {
    void *layers[NUDGES * LAYERS];
} result;

static void put(const ffebmi_arrays *k, void *array, size_t i, double value)
{
    if (k->element == sizeof(float))
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

static void give(const affine *a, const double *values, const size_t *samples, size_t count, void *out)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < NUDGES * UNITS; j++)
            put(a->f->engine->arrays, out, i * NUDGES * UNITS + j, values[samples[i] * NUDGES * UNITS + j]);
}

static void force_held(void *user, size_t worker, const size_t *samples, size_t count, const void *last, void *out)
{
    (void)worker;
    (void)last;
    give(user, ((const affine *)user)->force, samples, count, out);
}

static void stiffness(void *user, size_t worker, const size_t *samples, size_t count, const void *last, void *out)
{
    (void)worker;
    (void)last;
    give(user, ((const affine *)user)->stiffness, samples, count, out);
}

/* The force as it is at the present state. */
static void force_now(void *user, size_t worker, const size_t *samples, size_t count, const void *last, void *out)
{
    const affine *a = user;
    const ffebm_engine *engine = a->f->engine;
    size_t element = engine->arrays->element;

    (void)worker;
    for (size_t i = 0; i < count * NUDGES * UNITS; i++) {
        size_t sample = samples[i / (NUDGES * UNITS)], at = sample * NUDGES * UNITS + i % (NUDGES * UNITS);
        double free = ffebmi_number_at(element, engine->stages[0].free_state[LAYERS - 1], sample * UNITS + i % UNITS);
        double moved = ffebmi_number_at(element, last, i) - (a->form == FFEBMI_TANGENT ? 0 : free);

        put(engine->arrays, out, i, a->force[at] - a->stiffness[at] * moved);
    }
}

/* The nudged states of the free state that is there, in the affine's form, by the closed form or by the force as it is. */
static result settle(affine *a, double tolerance, bool closed)
{
    ffebm_engine *engine = a->f->engine;
    const ffebm_energy *block = ffebmi_engine_block(engine, 0);
    result r;
    ffebmi_tally tally;
    ffebmi_phase phase = {.block = block,
                          .arrays = engine->arrays,
                          .plan = ffebmi_engine_plan(engine, 0),
                          .parameters = engine->stages[0].parameters,
                          .batch = ROWS,
                          .nudges = NUDGES,
                          .nudged = true,
                          .form = a->form,
                          .order = FFEBM_ORDER_ODD_EVEN,
                          .relaxation = 1,
                          .max_sweeps = 2000,
                          .tolerance = tolerance,
                          .inputs = (const void *const[LAYERS]){engine->input},
                          .start = engine->stages[0].free_state,
                          .result = r.layers,
                          .force = closed ? force_held : force_now,
                          .force_user = a,
                          .force_held = closed,
                          .stiffness = closed ? stiffness : NULL};

    for (size_t l = 0; l < NUDGES * LAYERS; l++)
        r.layers[l] = calloc(ROWS * block->layers[l % LAYERS].count, engine->arrays->element);
    ffebmi_workbench_set_up(&engine->bench, block, phase.plan, phase.parameters, NUDGES, false);
    phase.packed = engine->bench.packed;
    assert_ok(a->f->context, ffebmi_relax(engine->context, &phase, engine->bench.works, &tally));
    ck_assert_uint_eq(tally.unconverged, 0);
    return r;
}

static void result_end(result *r)
{
    for (size_t l = 0; l < NUDGES * LAYERS; l++)
        free(r->layers[l]);
}

/* The largest difference of any unit of two results, and the largest move of the second. */
static double largest_difference(const affine *a, const result *p, const result *q)
{
    const ffebm_energy *block = ffebmi_engine_block(a->f->engine, 0);
    size_t element = a->f->engine->arrays->element;
    double largest = 0;

    for (size_t l = 0; l < NUDGES * LAYERS; l++)
        for (size_t i = 0; i < ROWS * block->layers[l % LAYERS].count; i++)
            largest = fmax(
                largest, fabs(ffebmi_number_at(element, p->layers[l], i) - ffebmi_number_at(element, q->layers[l], i)));
    return largest;
}

/* Forces of either sign, and stiffnesses from - 0.5 to 3: another in each row and unit. */
static void draw(affine *a)
{
    for (size_t i = 0; i < ROWS * NUDGES * UNITS; i++) {
        a->force[i] = ffebm_random_uniform(11, i) - 0.5;
        a->stiffness[i] = 3.5 * ffebm_random_uniform(12, i) - 0.5;
    }
}

static fixture at_free_state(int block, int32_t dtype)
{
    fixture f = fixture_of(blocks[block], dtype, 2, 3);
    ffebm_equilibrium_config config = converged();
    ffebm_tensor *x = random_input(&f, ROWS, 5);

    if (dtype == FFEBM_FLOAT32)
        config.free_tolerance = 1e-7;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    ffebm_tensor_destroy(x);
    return f;
}

START_TEST(settles_where_the_force_as_it_is_does)
{
    fixture f = at_free_state(_i % BLOCKS, FFEBM_FLOAT64);
    affine a = {.f = &f, .form = (ffebmi_form)(_i / BLOCKS)};
    const double tolerance = 1e-13;
    result closed, now;

    draw(&a);
    for (size_t i = 0; i < ROWS * NUDGES * UNITS; i++)
        a.stiffness[i] *= 0.2; /* evaluated anew, a stronger one would swing */
    closed = settle(&a, tolerance, true);
    now = settle(&a, tolerance, false);
    ck_assert_double_lt(largest_difference(&a, &closed, &now), 10 * tolerance);
    result_end(&closed);
    result_end(&now);
    fixture_end(&f);
}
END_TEST

/* It settles where it does as a held force that has fallen already; also where evaluating it anew would swing. */
START_TEST(is_the_held_force_that_it_ends_as)
{
    int32_t dtype = _i % 2 == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    fixture f = at_free_state(_i / 2 % BLOCKS, dtype);
    affine a = {.f = &f, .form = (ffebmi_form)(_i / 2 / BLOCKS)};
    double tolerance = dtype == FFEBM_FLOAT64 ? 1e-13 : 1e-5, largest = 0;
    size_t element = f.engine->arrays->element;
    result falls, held;

    draw(&a);
    falls = settle(&a, tolerance, true);
    for (size_t i = 0; i < ROWS * NUDGES * UNITS; i++) {
        size_t nudge = i / UNITS % NUDGES, at = i / (NUDGES * UNITS) * UNITS + i % UNITS;
        double free =
            a.form != FFEBMI_WHOLE ? 0 : ffebmi_number_at(element, f.engine->stages[0].free_state[LAYERS - 1], at);
        double moved = ffebmi_number_at(element, falls.layers[nudge * LAYERS + LAYERS - 1], at) - free;

        largest = fmax(largest, fabs(moved));
        a.force[i] -= a.stiffness[i] * moved;
        a.stiffness[i] = 0;
    }
    ck_assert_double_gt(largest, 0.1);
    held = settle(&a, tolerance, true);
    ck_assert_double_lt(largest_difference(&a, &falls, &held), 30 * tolerance);
    result_end(&falls);
    result_end(&held);
    fixture_end(&f);
}
END_TEST

/* A layer of nudge 0, as the last gradient has left it. */
static double *copy_layer(const fixture *f, size_t layer)
{
    const ffebm_energy *block = ffebmi_engine_block(f->engine, 0);
    size_t bytes = ROWS * block->layers[layer].count * sizeof(double);

    return memcpy(malloc(bytes), ffebmi_workbench_layers(&f->engine->bench, block, 0)[layer], bytes);
}

/* With f = - beta (s_free - y) and k = beta it is the nudging by mean squared error, as the engine evaluates it. */
START_TEST(is_the_nudging_by_mean_squared_error)
{
    const double beta = 0.1;
    problem p = problem_of(blocks[_i], FFEBM_FLOAT64, 1, ROWS);
    ffebm_equilibrium_config config = converged();
    affine a = {.f = &p.f, .form = FFEBMI_DISPLACED};
    const ffebm_energy *block = ffebmi_engine_block(p.f.engine, 0);
    double *copies[LAYERS];
    result closed;
    ffebm_tensor *gradient;

    config.beta = beta;
    config.estimator = FFEBM_ESTIMATOR_POSITIVE; /* which leaves nudge 0 as it is */
    config.nudging = FFEBM_NUDGING_LOSS;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    gradient = gradient_of(&p, NULL);
    for (size_t i = 0; i < ROWS * NUDGES * UNITS; i++) {
        size_t at = i / (NUDGES * UNITS) * UNITS + i % UNITS;
        double sign = i / UNITS % NUDGES == 0 ? 1 : -0.5;
        int64_t label = ((const int64_t *)ffebm_tensor_const_data(p.y))[at / UNITS];
        double free = ((const double *)p.f.engine->stages[0].free_state[LAYERS - 1])[at];

        a.force[i] = -beta * sign * (free - (label == (int64_t)(at % UNITS)));
        a.stiffness[i] = beta * sign;
    }
    for (size_t l = 0; l < LAYERS; l++)
        copies[l] = copy_layer(&p.f, l);
    closed = settle(&a, 1e-13, true);
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t i = 0; i < ROWS * block->layers[l].count; i++)
            ck_assert_double_eq_tol(((const double *)closed.layers[l])[i], copies[l][i], 1e-11);
        free(copies[l]);
    }
    result_end(&closed);
    ffebm_tensor_destroy(gradient);
    problem_end(&p);
}
END_TEST

Suite *test_affine_force_suite(void)
{
    Suite *suite = suite_create("affine_force");
    TCase *tests = tcase_create("all");

    tcase_add_loop_test(tests, settles_where_the_force_as_it_is_does, 0, BLOCKS * FORMS);
    tcase_add_loop_test(tests, is_the_held_force_that_it_ends_as, 0, 2 * BLOCKS * FORMS);
    tcase_add_loop_test(tests, is_the_nudging_by_mean_squared_error, 0, BLOCKS);
    suite_add_tcase(suite, tests);
    return suite;
}

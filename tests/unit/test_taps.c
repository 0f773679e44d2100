/* Taps: inputs of inner layers. Their energy, their gradients, and what a chain does with them. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "taps.h"

enum { ROWS = 3, MODELS = 2 };

static const char *const models[MODELS] = {TAPPED_VECTORS, TAPPED_IMAGES};

static void configure(const fixture *f, int32_t estimator)
{
    ffebm_equilibrium_config config = converged();

    config.switches = FFEBM_SWITCHES_HOLD;
    config.estimator = estimator;
    config.beta = 1e-3;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
}

static problem settled_problem(int model, int32_t threads, int64_t rows)
{
    problem p = problem_of(models[model], 0, threads, rows);

    configure(&p.f, FFEBM_ESTIMATOR_CENTERED);
    return p;
}

/* Every parameter whose name begins so, or buffer, becomes this; returns how many there are. */
static size_t fill(const fixture *f, const char *start, double value)
{
    size_t found = 0;

    for (size_t i = 0; i < f->info.parameter_count + f->info.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};

        assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, i));
        if (strncmp(info.name, start, strlen(start)) != 0)
            continue;
        for (size_t k = 0; k < info.count; k++)
            set_element(info.value, k, value);
        found++;
    }
    return found;
}

/* -------------------------------------------------------------------------------------------------- a block by hand */

/* One block with inputs at layers 1 and 2, an image and a vector, and the same without. */
#define ALONE(taps)                                                                                                    \
    MODEL("[2, 4, 4]", "none", "{\"feedforward\": []" taps "}, " BLOCK(CONV("3", "\"kernel\": 3" POOL) ", " DENSE("4")))
static const char tapped_alone[] = ALONE(
    ", \"taps\": [" TAP("1", CONV("3", "\"kernel\": 4")) ", " TAP("2", "{\"type\": \"flatten\"}, " LINEAR("4")) "]");
static const char plain_alone[] = ALONE("");

static const int64_t layers[][3] = {{2, 4, 4}, {3, 1, 1}, {4}};
static const size_t ranks[] = {3, 3, 1};

static ffebm_tensor *of_layer(const fixture *f, size_t layer, double low, double high, uint64_t seed)
{
    return random_batch(f->context, FFEBM_FLOAT64, ROWS, layers[layer], ranks[layer], low, high, seed);
}

static void set_states(const fixture *f, uint64_t seed)
{
    for (size_t l = 0; l < 3; l++) {
        ffebm_tensor *state = of_layer(f, l, 0, 1, seed + l);

        assert_ok(f->context, ffebm_engine_set_state(f->engine, 1, l, state));
        ffebm_tensor_destroy(state);
    }
}

static ffebm_tensor *energies(const fixture *f, const ffebm_tensor *x)
{
    int64_t rows = ROWS;
    ffebm_tensor *out;

    assert_ok(f->context, ffebm_tensor_create(f->context, &out, FFEBM_FLOAT64, &rows, 1));
    assert_ok(f->context, ffebm_engine_energy(f->engine, out, 1, FFEBM_PHASE_FREE, x));
    return out;
}

/* The energy with inputs x_l of inner layers is that without, less <x_l, s_l>; before they are set they are zero. */
START_TEST(inputs_of_inner_layers_are_linear_in_the_energy)
{
    fixture tapped = fixture_of(tapped_alone, 0, 1, 3), plain = fixture_of(plain_alone, 0, 1, 3);
    ffebm_tensor *x = of_layer(&tapped, 0, -1, 1, 5), *values = ffebm_model_flat_parameters(plain.model);
    ffebm_tensor *without, *before, *after, *inputs[3] = {NULL};
    ffebm_parameter_info first = {.size = sizeof first};

    assert_ok(tapped.context, ffebm_model_inspect_parameter(
                                  tapped.model, &first, ffebm_model_find_parameter(tapped.model, "stage1.0.weight")));
    for (size_t i = 0; i < ffebm_tensor_count(values); i++)
        set_element(values, i, element(ffebm_model_flat_parameters(tapped.model), first.offset + i));
    set_states(&tapped, 20);
    set_states(&plain, 20);
    without = energies(&plain, x);
    before = energies(&tapped, x);
    for (size_t l = 1; l < 3; l++) {
        inputs[l] = of_layer(&tapped, l, -1, 1, 30 + l);
        assert_ok(tapped.context, ffebm_engine_set_input(tapped.engine, 1, l, inputs[l]));
    }
    after = energies(&tapped, x);
    for (size_t r = 0; r < ROWS; r++) {
        double expected = element(without, r);

        ck_assert_double_eq(element(before, r), expected);
        for (size_t l = 1; l < 3; l++) {
            ffebm_tensor *state = of_layer(&tapped, l, 0, 1, 20 + l);
            size_t units = ffebm_tensor_count(state) / ROWS;

            for (size_t i = r * units; i < (r + 1) * units; i++)
                expected -= element(inputs[l], i) * element(state, i);
            ffebm_tensor_destroy(state);
        }
        ck_assert_double_eq_tol(element(after, r), expected, 1e-13);
    }
    destroy_all((ffebm_tensor *[]){x, without, before, after, inputs[1], inputs[2]}, 6);
    fixture_end(&tapped);
    fixture_end(&plain);
}
END_TEST

static ffebm_tensor *state_of(const fixture *f, size_t layer)
{
    ffebm_tensor *state = of_layer(f, layer, 0, 0, 0);

    assert_ok(f->context, ffebm_engine_get_state(f->engine, state, 1, layer, FFEBM_PHASE_FREE));
    return state;
}

static ffebm_tensor *input_of(const fixture *f, size_t layer)
{
    ffebm_tensor *input = of_layer(f, layer, 0, 0, 0);

    assert_ok(f->context, ffebm_engine_get_input(f->engine, input, 1, layer));
    return input;
}

/* What the taps gave is read, and set it makes the same state; and there is none before a settling. */
START_TEST(inputs_are_read_as_they_were)
{
    fixture f = fixture_of(tapped_alone, 0, 1, 3), g = fixture_of(tapped_alone, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, ROWS, 5), *inputs[3], *states[2], *again;

    again = of_layer(&f, 1, 0, 0, 0);
    ck_assert_int_eq(ffebm_engine_get_input(f.engine, again, 1, 1), FFEBM_ERR_STATE);
    configure(&f, FFEBM_ESTIMATOR_CENTERED);
    configure(&g, FFEBM_ESTIMATOR_CENTERED);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, NULL, x));
    for (size_t l = 0; l < 3; l++)
        inputs[l] = input_of(&f, l);
    for (size_t l = 1; l < 3; l++)
        assert_ok(g.context, ffebm_engine_set_input(g.engine, 1, l, inputs[l]));
    assert_ok(g.context, ffebm_engine_settle(g.engine, 1, inputs[0], NULL));
    states[0] = state_of(&f, 2);
    states[1] = state_of(&g, 2);
    ck_assert_double_eq(relative_error(states[1], states[0]), 0);
    assert_ok(f.context, ffebm_engine_set_input(f.engine, 1, 1, again));
    ffebm_tensor_destroy(again);
    again = input_of(&f, 1);
    for (size_t i = 0; i < ffebm_tensor_count(again); i++)
        ck_assert_double_eq(element(again, i), 0);
    ck_assert_int_eq(ffebm_engine_get_input(f.engine, x, 1, 3), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_get_input(f.engine, x, 0, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_get_input(f.engine, NULL, 1, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_get_input(f.engine, states[0], 1, 1), FFEBM_ERR_SHAPE);
    destroy_all((ffebm_tensor *[]){x, inputs[0], inputs[1], inputs[2], states[0], states[1], again}, 7);
    fixture_end(&f);
    fixture_end(&g);
}
END_TEST

/* The chain's free state is that of the block by hand, under the inputs that the taps computed or the same ones set; of other
 * numbers of samples those are refused. */
START_TEST(by_hand_as_in_the_chain)
{
    fixture f = fixture_of(tapped_alone, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, ROWS, 5), *zero = of_layer(&f, 1, 0, 0, 0), *one, *chain, *hand, *other;
    int64_t rows[2] = {1, 4};

    configure(&f, FFEBM_ESTIMATOR_CENTERED);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, NULL, x));
    chain = state_of(&f, 2);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 1, x, NULL));
    hand = state_of(&f, 2);
    ck_assert_double_lt(relative_error(hand, chain), 1e-14);
    assert_ok(f.context, ffebm_engine_set_input(f.engine, 1, 1, zero));
    assert_ok(f.context, ffebm_engine_settle(f.engine, 1, x, NULL));
    other = state_of(&f, 2);
    ck_assert_double_gt(relative_error(other, chain), 1e-4);
    assert_ok(f.context, ffebm_tensor_create(f.context, &one, FFEBM_FLOAT64, rows, 2));
    assert_ok(f.context, ffebm_engine_set_input(f.engine, 1, 2, one));
    ck_assert_int_eq(ffebm_engine_settle(f.engine, 1, x, NULL), FFEBM_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(f.context), "stage 1"));
    ck_assert_int_eq(ffebm_engine_set_input(f.engine, 1, 0, x), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_input(f.engine, 1, 3, x), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_input(f.engine, 0, 1, x), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_input(f.engine, 1, 1, x), FFEBM_ERR_SHAPE);
    destroy_all((ffebm_tensor *[]){x, zero, one, chain, hand, other}, 6);
    fixture_end(&f);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- gradients */

/* Equilibrium propagation against implicit differentiation, and both against differences of the loss, along every parameter of
 * the taps, all others, and the input. */
START_TEST(gradients_are_those_of_the_loss)
{
    problem p = settled_problem(_i, 1, ROWS);
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 3;
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, &config));
    for (size_t i = 0; i <= p.f.info.parameter_count; i++) {
        ffebm_certificate c = {.size = sizeof c};

        assert_ok(p.f.context, ffebm_engine_inspect_certificate(p.f.engine, &c, i));
        ck_assert_msg(c.cosine > 1 - 1e-6 && c.relative_error < 1e-3, "%s: cosine %.12f, relative error %g", c.name,
                      c.cosine, c.relative_error);
        ck_assert_msg(isnan(c.difference_error) || c.difference_error < 1e-3, "%s: difference error %g", c.name,
                      c.difference_error);
        ck_assert_msg(c.norm > 0 || strstr(c.name, "bias") != NULL, "%s: no gradient", c.name);
    }
    problem_end(&p);
}
END_TEST

/* <v, dy> = <dx, u> for the output's change dy along u, and dx the pullback of v. */
START_TEST(input_cotangent_is_the_adjoint)
{
    problem p = settled_problem(_i, 1, ROWS);
    fixture *f = &p.f;
    ffebm_tensor *v = random_batch(f->context, FFEBM_FLOAT64, ROWS, f->info.output_shape, 1, -1, 1, 9);
    ffebm_tensor *u = random_input(f, ROWS, 12), *dx = copy_of(f->context, u), *ends[2];
    double forth = 0, back = 0, step = 1e-5;

    configure(f, FFEBM_ESTIMATOR_IMPLICIT);
    ffebm_engine_set_mode(f->engine, FFEBM_MODE_EVALUATION);
    for (int i = 0; i < 2; i++) {
        ffebm_tensor *at = copy_of(f->context, p.x);

        for (size_t k = 0; k < ffebm_tensor_count(at); k++)
            set_element(at, k, element(at, k) + (i == 0 ? step : -step) * element(u, k));
        ends[i] = copy_of(f->context, v);
        assert_ok(f->context, ffebm_engine_forward(f->engine, ends[i], NULL, at));
        ffebm_tensor_destroy(at);
    }
    assert_ok(f->context, ffebm_engine_forward(f->engine, NULL, &ticket, p.x));
    assert_ok(f->context, ffebm_engine_vjp(f->engine, dx, ticket, v, 0));
    for (size_t k = 0; k < ffebm_tensor_count(v); k++)
        forth += element(v, k) * (element(ends[0], k) - element(ends[1], k)) / (2 * step);
    for (size_t k = 0; k < ffebm_tensor_count(u); k++)
        back += element(dx, k) * element(u, k);
    ck_assert_double_gt(fabs(back), 1e-4);
    ck_assert_msg(fabs(forth - back) < 1e-6 * fabs(back), "forth %.12g, back %.12g", forth, back);
    destroy_all((ffebm_tensor *[]){v, u, dx, ends[0], ends[1]}, 5);
    problem_end(&p);
}
END_TEST

/* The last sweep of a trace is the gradient, by both of its ways. */
typedef struct last_points {
    const fixture *f;
    const ffebm_tensor *expected; /* flat */
    size_t compared;
    bool implicit;
} last_points;

static int32_t compare_point(void *user, const ffebm_trace_point *point)
{
    last_points *l = user;
    const ffebm_tensor *traced = l->implicit ? point->implicit : point->estimate;
    ffebm_parameter_info info = {.size = sizeof info};

    if (point->sweep < 8)
        return 0;
    assert_ok(l->f->context, ffebm_model_inspect_parameter(l->f->model, &info, point->parameter));
    for (size_t k = 0; k < info.count; k++)
        ck_assert_msg(element(traced, k) == element(l->expected, info.offset + k), "%s", point->name);
    l->compared++;
    return 0;
}

START_TEST(traces_end_at_the_gradient)
{
    for (int implicit = 0; implicit < 2; implicit++) {
        problem p = problem_of(models[_i], 0, 1, ROWS);
        ffebm_equilibrium_config config = converged();
        last_points points = {.f = &p.f, .implicit = implicit == 1};
        ffebm_tensor *gradient;

        config.nudging = FFEBM_NUDGING_LINEAR;
        config.nudged_sweeps = 8;
        config.nudged_tolerance = 0;
        config.estimator = implicit ? FFEBM_ESTIMATOR_IMPLICIT : FFEBM_ESTIMATOR_CENTERED;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        points.expected = gradient = gradient_of(&p, NULL);
        assert_ok(p.f.context, ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, compare_point, &points));
        ck_assert_uint_eq(points.compared, p.f.info.parameter_count);
        ffebm_tensor_destroy(gradient);
        problem_end(&p);
    }
}
END_TEST

/* ------------------------------------------------------------------------------------------------- as if not there */

/* A tap whose last map is zero adds nothing: the numbers are those of the model without, and the other parameters' gradients
 * too. */
START_TEST(zero_taps_change_nothing)
{
    problem p, q;
    const char *without = MODEL("[5]", "cross_entropy",
                                OPS(LINEAR("6")) ", " BLOCK(DENSE("4") ", " DENSE("5")) ", " OPS("") ", " BLOCK(
                                    DENSE("3") ", " DENSE("4")) ", " OPS(LINEAR("3")));
    const char *with =
        MODEL("[5]", "cross_entropy",
              TAPPED(LINEAR("6"), TAP("1", LINEAR("4"))) ", " BLOCK(DENSE("4") ", " DENSE("5")) ", " TAPPED(
                  "", TAP("2", LINEAR("4"))) ", " BLOCK(DENSE("3") ", " DENSE("4")) ", " OPS(LINEAR("3")));
    ffebm_tensor *tapped, *plain;

    p = problem_of(with, 0, 1, ROWS);
    q = problem_of(without, 0, 1, ROWS);
    ck_assert_uint_eq(fill(&p.f, "stage0.tap0", 0) + fill(&p.f, "stage2.tap0", 0), 4);
    for (size_t i = 0; i < q.f.info.parameter_count; i++) {
        ffebm_parameter_info to = {.size = sizeof to}, from = {.size = sizeof from};

        assert_ok(q.f.context, ffebm_model_inspect_parameter(q.f.model, &to, i));
        assert_ok(p.f.context,
                  ffebm_model_inspect_parameter(p.f.model, &from, ffebm_model_find_parameter(p.f.model, to.name)));
        assert_ok(q.f.context, ffebm_tensor_copy(to.value, from.value));
    }
    tapped = gradient_of(&p, NULL);
    plain = gradient_of(&q, NULL);
    for (size_t i = 0; i < q.f.info.parameter_count; i++) {
        ffebm_parameter_info of = {.size = sizeof of}, in = {.size = sizeof in};

        assert_ok(q.f.context, ffebm_model_inspect_parameter(q.f.model, &of, i));
        assert_ok(p.f.context,
                  ffebm_model_inspect_parameter(p.f.model, &in, ffebm_model_find_parameter(p.f.model, of.name)));
        for (size_t k = 0; k < of.count; k++)
            ck_assert_msg(element(plain, of.offset + k) == element(tapped, in.offset + k), "%s", of.name);
    }
    destroy_all((ffebm_tensor *[]){tapped, plain}, 2);
    problem_end(&p);
    problem_end(&q);
}
END_TEST

/* In float32, in full precision and in mixed, gradients are those in float64 but for rounding. */
START_TEST(float32_differs_by_rounding)
{
    static const int32_t precisions[] = {FFEBM_PRECISION_FULL, FFEBM_PRECISION_MIXED};
    static const double bounds[] = {1e-4, 2e-2};

    for (int i = 0; i < 2; i++) {
        problem p = problem_of(models[_i], 0, 1, ROWS), q = problem_of(models[_i], FFEBM_FLOAT32, 1, ROWS);
        ffebm_equilibrium_config config;
        ffebm_tensor *exact, *rounded;

        ffebm_equilibrium_config_init(&config, sizeof config);
        config.switches = FFEBM_SWITCHES_HOLD;
        config.free_sweeps = config.nudged_sweeps = 100;
        config.free_tolerance = config.nudged_tolerance = i == 0 ? 1e-6 : 1e-4;
        config.precision = precisions[i];
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
        assert_ok(q.f.context, ffebm_engine_configure(q.f.engine, FFEBM_ALL, &config));
        exact = gradient_of(&p, NULL);
        rounded = gradient_of(&q, NULL);
        ck_assert_double_lt(relative_error(rounded, exact), bounds[i]);
        destroy_all((ffebm_tensor *[]){exact, rounded}, 2);
        problem_end(&p);
        problem_end(&q);
    }
}
END_TEST

/* The same bits on one thread and on four, also of samples that settle at different times. */
START_TEST(threads_do_not_change_bits)
{
    problem p = settled_problem(_i, 1, 40), q = settled_problem(_i, 4, 40);
    ffebm_tensor *one = gradient_of(&p, NULL), *four = gradient_of(&q, NULL);

    ck_assert_mem_eq(ffebm_tensor_data(one), ffebm_tensor_data(four), ffebm_tensor_count(one) * sizeof(double));
    destroy_all((ffebm_tensor *[]){one, four}, 2);
    problem_end(&p);
    problem_end(&q);
}
END_TEST

/* A batch is its samples one by one. */
START_TEST(batch_is_its_samples)
{
    problem p = settled_problem(_i, 1, ROWS);
    int64_t shape[FFEBM_MAX_RANK] = {1}, outputs[2] = {ROWS, 3}, output[2] = {1, 3};
    ffebm_tensor *all, *one, *x;

    memcpy(shape + 1, p.f.info.input_shape, p.f.info.input_rank * sizeof *shape);
    assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &all, FFEBM_FLOAT64, outputs, 2));
    assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &one, FFEBM_FLOAT64, output, 2));
    assert_ok(p.f.context, ffebm_tensor_create(p.f.context, &x, FFEBM_FLOAT64, shape, p.f.info.input_rank + 1));
    assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, all, p.x, p.y, NULL));
    ffebm_engine_set_mode(p.f.engine, FFEBM_MODE_EVALUATION);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t k = 0; k < p.f.inputs; k++)
            set_element(x, k, element(p.x, r * p.f.inputs + k));
        assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, one, NULL, x));
        for (size_t k = 0; k < 3; k++)
            ck_assert_double_eq_tol(element(one, k), element(all, 3 * r + k), 1e-13);
    }
    destroy_all((ffebm_tensor *[]){all, one, x}, 3);
    problem_end(&p);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- their values */

/* Names, flat places and look-ups agree; a prefix may mean one tap. */
START_TEST(parameters_have_names)
{
    static const char *const names[] = {"stage0.0.weight",
                                        "stage0.0.bias",
                                        "stage0.1.weight",
                                        "stage0.1.bias",
                                        "stage0.tap0.0.weight",
                                        "stage0.tap0.0.bias",
                                        "stage0.tap0.1.weight",
                                        "stage0.tap0.1.bias",
                                        "stage0.tap1.0.weight",
                                        "stage0.tap1.0.bias",
                                        "stage0.tap1.1.weight",
                                        "stage0.tap1.1.bias",
                                        "stage1.0.weight",
                                        "stage1.0.bias",
                                        "stage1.1.weight",
                                        "stage1.1.bias",
                                        "stage2.0.weight",
                                        "stage2.0.bias",
                                        "stage2.tap0.1.weight",
                                        "stage2.tap0.1.bias",
                                        "stage3.0.weight",
                                        "stage3.0.bias",
                                        "stage3.1.weight",
                                        "stage3.1.bias",
                                        "stage4.0.weight",
                                        "stage4.0.bias",
                                        "stage0.1.running_mean",
                                        "stage0.1.running_var",
                                        "stage0.tap0.1.running_mean",
                                        "stage0.tap0.1.running_var"};
    fixture f = fixture_of(TAPPED_IMAGES, 0, 1, 3);
    ffebm_stage_info stage = {.size = sizeof stage};
    size_t offset = 0;

    ck_assert_uint_eq(f.info.parameter_count + f.info.buffer_count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < f.info.parameter_count + f.info.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};

        assert_ok(f.context, ffebm_model_inspect_parameter(f.model, &info, i));
        ck_assert_str_eq(info.name, names[i]);
        ck_assert_uint_eq(ffebm_model_find_parameter(f.model, names[i]), i);
        if (info.role == FFEBM_ROLE_PARAMETER)
            ck_assert_uint_eq(info.offset, offset);
        offset += info.count;
    }
    ck_assert_uint_eq(ffebm_model_find_parameter(f.model, "stage0.tap.0.weight"), FFEBM_NONE);
    ck_assert_uint_eq(ffebm_model_find_parameter(f.model, "stage0.tap2.0.weight"), FFEBM_NONE);
    ck_assert_uint_eq(ffebm_model_find_parameter(f.model, "stage1.tap0.0.weight"), FFEBM_NONE);
    ck_assert_uint_eq(ffebm_model_find_parameter(f.model, "stage0.tap18446744073709551615.0.weight"), FFEBM_NONE);
    assert_ok(f.context, ffebm_model_set_bounds(f.model, "stage0.tap1", -0.1, 0.1));
    assert_ok(f.context, ffebm_model_inspect_stage(f.model, &stage, 0));
    ck_assert_uint_eq(stage.tap_count, 2);
    ck_assert_uint_eq(stage.layer_count, 2);
    ck_assert_uint_eq(stage.parameter_count, 12);
    assert_ok(f.context, ffebm_model_inspect_stage(f.model, &stage, 1));
    ck_assert_uint_eq(stage.tap_count, 0);
    ck_assert_uint_eq(stage.first_parameter, 12);
    fixture_end(&f);
}
END_TEST

/* Where nobody says how, the last map of a tap begins without a bias: the coupling below the layer has one. The stage's own
 * row is drawn as ever. */
START_TEST(first_values_of_their_place)
{
    fixture f = fixture_of("{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"none\", \"stages\": [" TAPPED(
                               LINEAR("6"), TAP("1", LINEAR("7") ", " LINEAR("4"))) ", " BLOCK(DENSE("4")) "]}",
                           0, 1, 3);
    static const struct {
        const char *name;
        double lowest, highest;
    } expected[] = {{"stage0.0.bias", 0.5, 0.5}, {"stage0.tap0.1.bias", 0, 0}, {"stage0.tap0.0.bias", -0.45, 0.45}};

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        size_t index = ffebm_model_find_parameter(f.model, expected[i].name);

        assert_ok(f.context, ffebm_model_inspect_parameter(f.model, &info, index));
        for (size_t k = 0; k < info.count; k++)
            ck_assert_msg(element(info.value, k) >= expected[i].lowest && element(info.value, k) <= expected[i].highest,
                          "%s is %g", info.name, element(info.value, k));
    }
    fixture_end(&f);
}
END_TEST

/* What a description says of taps comes back, and describes an equal model. */
START_TEST(description_round_trip)
{
    fixture f = fixture_of(models[_i], 0, 1, 3), g;
    const char *first, *second;

    assert_ok(f.context, ffebm_model_description(f.model, &first, NULL));
    g = fixture_of(first, 0, 1, 3);
    assert_ok(g.context, ffebm_model_description(g.model, &second, NULL));
    ck_assert_str_eq(first, second);
    ck_assert_mem_eq(ffebm_tensor_data(ffebm_model_flat_parameters(f.model)),
                     ffebm_tensor_data(ffebm_model_flat_parameters(g.model)), f.info.element_count * sizeof(double));
    fixture_end(&f);
    fixture_end(&g);
}
END_TEST

typedef struct written {
    char bytes[1 << 16];
    size_t length;
} written;

static int32_t keep(void *user, const void *bytes, size_t count)
{
    written *w = user;

    ck_assert_uint_le(w->length + count, sizeof w->bytes);
    memcpy(w->bytes + w->length, bytes, count);
    w->length += count;
    return 0;
}

/* Parameters and running statistics, one behind the other. */
static double *values_of(const fixture *f, size_t *count)
{
    double *values = malloc((1 << 12) * sizeof *values);

    *count = 0;
    for (size_t i = 0; i < f->info.parameter_count + f->info.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};

        assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, i));
        ck_assert_uint_le(*count + info.count, 1 << 12);
        memcpy(values + *count, ffebm_tensor_data(info.value), info.count * sizeof *values);
        *count += info.count;
    }
    return values;
}

/* A checkpoint brings back the taps' values and running statistics, both of which a step has moved. */
START_TEST(checkpoint_round_trip)
{
    problem p = settled_problem(1, 1, ROWS);
    fixture other = fixture_of(TAPPED_IMAGES, 0, 1, 99);
    ffebm_optimizer *optimizer;
    ffebm_tensor *gradient;
    written *file = calloc(1, sizeof *file);
    size_t counts[4];
    double *first = values_of(&p.f, &counts[0]), *fresh = values_of(&other, &counts[1]), *moved, *back;

    assert_ok(p.f.context, ffebm_optimizer_create_adam(&optimizer, p.f.model, NULL));
    gradient = gradient_of(&p, NULL);
    assert_ok(p.f.context, ffebm_optimizer_step(optimizer, p.f.engine));
    assert_ok(p.f.context, ffebm_checkpoint_write(p.f.model, optimizer, NULL, keep, file));
    assert_ok(other.context, ffebm_checkpoint_read(other.model, NULL, file->bytes, file->length));
    moved = values_of(&p.f, &counts[2]);
    back = values_of(&other, &counts[3]);
    ck_assert_mem_eq(moved, back, counts[2] * sizeof *moved);
    ck_assert_mem_ne(fresh, back, counts[1] * sizeof *fresh);
    for (size_t i = 0; i < counts[0]; i++)
        ck_assert_msg(first[i] != moved[i] || i < p.f.info.element_count, "running statistic %zu has not moved",
                      i - p.f.info.element_count);
    free(first);
    free(fresh);
    free(moved);
    free(back);
    free(file);
    ffebm_tensor_destroy(gradient);
    ffebm_optimizer_destroy(optimizer);
    problem_end(&p);
    fixture_end(&other);
}
END_TEST

Suite *test_taps_suite(void)
{
    Suite *suite = suite_create("taps");
    TCase *tests = tcase_create("taps");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, inputs_of_inner_layers_are_linear_in_the_energy);
    tcase_add_test(tests, inputs_are_read_as_they_were);
    tcase_add_test(tests, by_hand_as_in_the_chain);
    tcase_add_loop_test(tests, gradients_are_those_of_the_loss, 0, MODELS);
    tcase_add_loop_test(tests, input_cotangent_is_the_adjoint, 0, MODELS);
    tcase_add_loop_test(tests, traces_end_at_the_gradient, 0, MODELS);
    tcase_add_test(tests, zero_taps_change_nothing);
    tcase_add_loop_test(tests, float32_differs_by_rounding, 0, MODELS);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, MODELS);
    tcase_add_loop_test(tests, batch_is_its_samples, 0, MODELS);
    tcase_add_test(tests, parameters_have_names);
    tcase_add_test(tests, first_values_of_their_place);
    tcase_add_loop_test(tests, description_round_trip, 0, MODELS);
    tcase_add_test(tests, checkpoint_round_trip);
    suite_add_tcase(suite, tests);
    return suite;
}

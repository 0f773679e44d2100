/* What an energy owes, over random graphs with neurons of all kinds, skips, rests, pools and taps: it falls, its derivatives are
 * its differences, and what settles is differentiated exactly. Graphs are named by their seeds; failures print them. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "random_graph.h"

enum { ROWS = 2, GRAPHS = 200, SHARES = 10, SWEEPS = 5 };

static const double step = 1e-6; /* of differences */

/* A graph's model with a batch, and inputs of the block: of its tapped layers drawn, not what taps make of x. */
typedef struct trial {
    random_graph g;
    uint64_t seed;
    problem p;
    size_t stage;
} trial;

static void draw_inputs(const trial *t)
{
    for (size_t l = 0; l < t->g.layers; l++)
        if (t->g.tapped[l]) {
            ffebm_tensor *input = random_layer(&t->p.f, l, ROWS, -1, 1, t->seed + 70 + l);

            assert_ok(t->p.f.context, ffebm_engine_set_input(t->p.f.engine, t->stage, l, input));
            ffebm_tensor_destroy(input);
        }
}

/* `gain` is a factor of all parameters: small ones let every block settle. */
static trial trial_of(uint64_t seed, double gain)
{
    trial t = {.g = random_graph_with_neurons(seed), .seed = seed};
    ffebm_tensor *w;

    t.p.f = fixture_of(t.g.json, 0, 1, seed);
    t.p.x = random_input(&t.p.f, ROWS, seed);
    t.p.y = random_batch(t.p.f.context, FFEBM_FLOAT64, ROWS, t.p.f.info.output_shape, t.p.f.info.output_rank, 0, 1,
                         seed + 1);
    t.stage = block_stage(&t.p.f);
    w = ffebm_model_flat_parameters(t.p.f.model);
    for (size_t i = 0; i < ffebm_tensor_count(w); i++)
        set_element(w, i, gain * element(w, i));
    draw_inputs(&t);
    return t;
}

static void get_states(const trial *t, ffebm_tensor *state[GRAPH_LAYERS])
{
    for (size_t l = 0; l < t->g.layers; l++)
        state[l] = layer_state(&t->p.f, l, ROWS, FFEBM_PHASE_FREE);
}

static void set_states(const trial *t, ffebm_tensor *const state[GRAPH_LAYERS])
{
    for (size_t l = 0; l < t->g.layers; l++)
        assert_ok(t->p.f.context, ffebm_engine_set_state(t->p.f.engine, t->stage, l, state[l]));
}

static void get_energies(const trial *t, const ffebm_tensor *x, double energies[ROWS])
{
    ffebm_tensor *tensor = energies_of(&t->p.f, x, ROWS);

    for (size_t i = 0; i < ROWS; i++)
        energies[i] = element(tensor, i);
    ffebm_tensor_destroy(tensor);
}

static double dot(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double sum = 0;

    for (size_t i = 0; i < ffebm_tensor_count(a); i++)
        sum += element(a, i) * element(b, i);
    return sum;
}

/* from + by * way, a new one. */
static ffebm_tensor *moved(const trial *t, const ffebm_tensor *from, const ffebm_tensor *way, double by)
{
    ffebm_tensor *to = copy_of(t->p.f.context, from);

    for (size_t i = 0; i < ffebm_tensor_count(to); i++)
        set_element(to, i, element(from, i) + by * element(way, i));
    return to;
}

static ffebm_tensor *random_like(const trial *t, const ffebm_tensor *tensor, uint64_t seed)
{
    ffebm_tensor *like = copy_of(t->p.f.context, tensor);

    for (size_t i = 0; i < ffebm_tensor_count(like); i++)
        set_element(like, i, 2 * ffebm_random_uniform(seed, i) - 1);
    return like;
}

#define ASSERT_CLOSE(t, a, b, tolerance)                                                                               \
    ck_assert_msg(fabs((a) - (b)) < (tolerance) * (1 + fabs(b)), "graph %u: %.12g, expected %.12g\n%s",                \
                  (unsigned)(t)->seed, a, b, (t)->g.json)

/* -------------------------------------------------------------------------------------------------- energies fall */

static void configure_sweeps(const trial *t, int64_t sweeps)
{
    ffebm_equilibrium_config config = converged();

    config.free_order = FFEBM_ORDER_COLORS;
    config.free_sweeps = sweeps;
    config.free_tolerance = 0;
    config.start = FFEBM_START_STATE;
    assert_ok(t->p.f.context, ffebm_engine_configure(t->p.f.engine, FFEBM_ALL, &config));
}

/* Layers of one colour, moved from `before` a share of the way to `after`. */
static void set_color(const trial *t, const size_t color[GRAPH_LAYERS], size_t which,
                      ffebm_tensor *const before[GRAPH_LAYERS], ffebm_tensor *const after[GRAPH_LAYERS], double share)
{
    for (size_t l = 0; l < t->g.layers; l++)
        if (color[l] == which) {
            ffebm_tensor *state = copy_of(t->p.f.context, after[l]);

            for (size_t i = 0; i < ffebm_tensor_count(state); i++)
                set_element(state, i, share * element(after[l], i) + (1 - share) * element(before[l], i));
            assert_ok(t->p.f.context, ffebm_engine_set_state(t->p.f.engine, t->stage, l, state));
            ffebm_tensor_destroy(state);
        }
}

/* One sweep, looked at group by group. Without max pools each group is where E is least, too: a little back along the way it
 * came E is not lower. */
static void check_sweep(const trial *t)
{
    ffebm_tensor *before[GRAPH_LAYERS], *after[GRAPH_LAYERS];
    size_t color[GRAPH_LAYERS] = {0};
    double old[ROWS], new[ROWS], back[ROWS];

    random_graph_colors(&t->g, color);
    get_states(t, before);
    get_energies(t, t->p.x, old);
    assert_ok(t->p.f.context, ffebm_engine_settle(t->p.f.engine, t->stage, t->p.x, NULL));
    get_states(t, after);
    set_states(t, before);
    for (size_t c = 0; c < t->g.layers; c++) {
        set_color(t, color, c, before, after, 1 - 1e-4);
        get_energies(t, t->p.x, back);
        set_color(t, color, c, before, after, 1);
        get_energies(t, t->p.x, new);
        for (size_t i = 0; i < ROWS; i++) {
            ck_assert_msg(t->g.may_rise || new[i] <= old[i] + 1e-12 * fabs(old[i]),
                          "graph %u, colour %zu: energy %.15g to %.15g\n%s", (unsigned)t->seed, c, old[i], new[i],
                          t->g.json);
            ck_assert_msg(t->g.max_pools || new[i] <= back[i] + 1e-12 * fabs(old[i]),
                          "graph %u, colour %zu: energy %.15g, but %.15g next to it\n%s", (unsigned)t->seed, c, new[i],
                          back[i], t->g.json);
        }
        memcpy(old, new, sizeof old);
    }
    destroy_all(before, t->g.layers);
    destroy_all(after, t->g.layers);
}

/* The first sweep brings every state within its bounds: from outside them E may rise. */
START_TEST(energy_falls_color_by_color)
{
    for (uint64_t seed = (uint64_t)_i; seed < GRAPHS; seed += SHARES) {
        trial t = trial_of(seed, 1);

        configure_sweeps(&t, 1);
        set_random_state(&t.p.f, ROWS, seed);
        assert_ok(t.p.f.context, ffebm_engine_settle(t.p.f.engine, t.stage, t.p.x, NULL));
        for (int sweep = 0; sweep < SWEEPS; sweep++)
            check_sweep(&t);
        problem_end(&t.p);
    }
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- derivatives */

static double energy_slope_by_parameters(trial *t, const ffebm_tensor *way)
{
    ffebm_tensor *w = ffebm_model_flat_parameters(t->p.f.model), *start = copy_of(t->p.f.context, w);
    double sides[2] = {0}, energies[ROWS];

    for (int side = 0; side < 2; side++) {
        ffebm_tensor *at = moved(t, start, way, side == 0 ? step : -step);

        assert_ok(t->p.f.context, ffebm_tensor_copy(w, at));
        get_energies(t, t->p.x, energies);
        for (size_t i = 0; i < ROWS; i++)
            sides[side] += energies[i];
        ffebm_tensor_destroy(at);
    }
    assert_ok(t->p.f.context, ffebm_tensor_copy(w, start));
    ffebm_tensor_destroy(start);
    return (sides[0] - sides[1]) / (2 * step);
}

/* dE/dx_l = - s_l, of the block's own input and of each tap's. */
static void check_inputs(trial *t)
{
    ffebm_tensor *gradient = copy_of(t->p.f.context, t->p.x);

    assert_ok(t->p.f.context, ffebm_engine_energy_gradient(t->p.f.engine, gradient, t->stage, FFEBM_PHASE_FREE));
    for (size_t l = 0; l < t->g.layers; l++) {
        ffebm_tensor *state = layer_state(&t->p.f, l, ROWS, FFEBM_PHASE_FREE), *x = t->p.x;
        ffebm_tensor *way = random_like(t, state, t->seed + 9 + l);
        double sides[2] = {0}, energies[ROWS];

        for (int side = 0; side < 2 && (l == 0 || t->g.tapped[l]); side++) {
            ffebm_tensor *at = moved(t, l == 0 ? x : way, way, side == 0 ? step : -step);

            if (l > 0)
                assert_ok(t->p.f.context, ffebm_engine_set_input(t->p.f.engine, t->stage, l, at));
            get_energies(t, l == 0 ? at : x, energies);
            for (size_t i = 0; i < ROWS; i++)
                sides[side] += energies[i];
            ffebm_tensor_destroy(at);
        }
        if (l == 0) {
            ASSERT_CLOSE(t, (sides[0] - sides[1]) / (2 * step), dot(gradient, way), 1e-7);
            for (size_t i = 0; i < ffebm_tensor_count(state); i++)
                ck_assert_double_eq(element(gradient, i), -element(state, i));
        } else if (t->g.tapped[l]) {
            ASSERT_CLOSE(t, (sides[0] - sides[1]) / (2 * step), -dot(state, way), 1e-7);
        }
        destroy_all((ffebm_tensor *[]){state, way}, 2);
    }
    ffebm_tensor_destroy(gradient);
}

/* E is linear in the parameters and inputs, but for switches: a difference of energies at one state is the derivative there. */
START_TEST(energy_gradients_are_differences)
{
    for (uint64_t seed = (uint64_t)_i; seed < GRAPHS; seed += SHARES) {
        trial t = trial_of(seed, 1);
        const ffebm_tensor *gradient = ffebm_engine_flat_gradient(t.p.f.engine);
        ffebm_tensor *way = random_like(&t, gradient, seed + 1);

        set_random_state(&t.p.f, ROWS, seed);
        assert_ok(t.p.f.context, ffebm_engine_energy_gradient(t.p.f.engine, NULL, t.stage, FFEBM_PHASE_FREE));
        ASSERT_CLOSE(&t, energy_slope_by_parameters(&t, way) / ROWS, dot(gradient, way), 1e-7);
        check_inputs(&t);
        ffebm_tensor_destroy(way);
        problem_end(&t.p);
    }
}
END_TEST

/* --------------------------------------------------------------------------------------------------- settled blocks */

static void configure_settled(const trial *t)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.free_tolerance = config.nudged_tolerance = 1e-14;
    assert_ok(t->p.f.context, ffebm_engine_configure(t->p.f.engine, FFEBM_ALL, &config));
}

static double loss_at(trial *t, const ffebm_tensor *x)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(t->p.f.context, ffebm_engine_evaluate(t->p.f.engine, &report, NULL, x, t->p.y, NULL));
    ck_assert_msg(report.unconverged == 0, "graph %u does not settle\n%s", (unsigned)t->seed, t->g.json);
    return report.loss;
}

static double loss_slope_by_parameters(trial *t, const ffebm_tensor *way)
{
    ffebm_tensor *w = ffebm_model_flat_parameters(t->p.f.model), *start = copy_of(t->p.f.context, w);
    double sides[2];

    for (int side = 0; side < 2; side++) {
        ffebm_tensor *at = moved(t, start, way, side == 0 ? step : -step);

        assert_ok(t->p.f.context, ffebm_tensor_copy(w, at));
        sides[side] = loss_at(t, t->p.x);
        ffebm_tensor_destroy(at);
    }
    assert_ok(t->p.f.context, ffebm_tensor_copy(w, start));
    ffebm_tensor_destroy(start);
    return (sides[0] - sides[1]) / (2 * step);
}

static double loss_slope_by_input(trial *t, const ffebm_tensor *way)
{
    double sides[2];

    for (int side = 0; side < 2; side++) {
        ffebm_tensor *at = moved(t, t->p.x, way, side == 0 ? step : -step);

        sides[side] = loss_at(t, at);
        ffebm_tensor_destroy(at);
    }
    return (sides[0] - sides[1]) / (2 * step);
}

/* The cotangent of the input, of the mean loss. */
static ffebm_tensor *input_gradient(trial *t)
{
    ffebm_tensor *delta = copy_of(t->p.f.context, t->p.y), *gradient = copy_of(t->p.f.context, t->p.x);
    uint64_t of;

    assert_ok(t->p.f.context, ffebm_engine_forward(t->p.f.engine, delta, &of, t->p.x));
    for (size_t i = 0; i < ffebm_tensor_count(delta); i++)
        set_element(delta, i, (element(delta, i) - element(t->p.y, i)) / ROWS);
    assert_ok(t->p.f.context, ffebm_engine_vjp(t->p.f.engine, gradient, of, delta, 1));
    ffebm_tensor_destroy(delta);
    return gradient;
}

static void check_derivatives(trial *t)
{
    const ffebm_tensor *gradient = ffebm_engine_flat_gradient(t->p.f.engine);
    ffebm_tensor *ways[] = {random_like(t, gradient, t->seed + 1), random_like(t, t->p.x, t->seed + 2)}, *by_input;

    assert_ok(t->p.f.context, ffebm_engine_gradient(t->p.f.engine, NULL, t->p.x, t->p.y, NULL));
    ASSERT_CLOSE(t, loss_slope_by_parameters(t, ways[0]), dot(gradient, ways[0]), 1e-7);
    by_input = input_gradient(t);
    ASSERT_CLOSE(t, loss_slope_by_input(t, ways[1]), dot(by_input, ways[1]), 1e-7);
    ffebm_tensor_destroy(by_input);
    destroy_all(ways, 2);
}

/* How far a layer moves, free, when the input of another one does. */
static ffebm_tensor *response_to_input(trial *t, size_t layer, const ffebm_tensor *input, const ffebm_tensor *way,
                                       size_t of)
{
    ffebm_tensor *sides[2], *response;

    for (int side = 0; side < 2; side++) {
        ffebm_tensor *at = moved(t, input, way, side == 0 ? step : -step);

        if (layer > 0)
            assert_ok(t->p.f.context, ffebm_engine_set_input(t->p.f.engine, t->stage, layer, at));
        assert_ok(t->p.f.context, ffebm_engine_settle(t->p.f.engine, t->stage, layer == 0 ? at : t->p.x, NULL));
        sides[side] = layer_state(&t->p.f, of, ROWS, FFEBM_PHASE_FREE);
        ffebm_tensor_destroy(at);
    }
    if (layer > 0)
        assert_ok(t->p.f.context, ffebm_engine_set_input(t->p.f.engine, t->stage, layer, input));
    response = moved(t, sides[0], sides[1], -1);
    destroy_all(sides, 2);
    return response;
}

/* The same under forces on the last layer. */
static ffebm_tensor *response_to_force(trial *t, const ffebm_tensor *way, size_t of)
{
    ffebm_tensor *sides[2], *response, *none = moved(t, way, way, -1);

    for (int side = 0; side < 2; side++) {
        ffebm_tensor *force = moved(t, none, way, side == 0 ? step : -step);

        assert_ok(t->p.f.context, ffebm_engine_settle(t->p.f.engine, t->stage, t->p.x, force));
        sides[side] = layer_state(&t->p.f, of, ROWS, FFEBM_PHASE_NUDGED);
        ffebm_tensor_destroy(force);
    }
    response = moved(t, sides[0], sides[1], -1);
    destroy_all(sides, 2);
    ffebm_tensor_destroy(none);
    return response;
}

static void check_symmetry(trial *t)
{
    size_t last = t->g.layers - 1;

    for (size_t l = 0; l <= last; l++) {
        ffebm_tensor *input, *way, *force, *up, *down;

        if (l > 0 && !t->g.tapped[l])
            continue;
        input = l == 0 ? copy_of(t->p.f.context, t->p.x) : random_layer(&t->p.f, l, ROWS, -1, 1, t->seed + 70 + l);
        way = random_like(t, input, t->seed + 3);
        up = response_to_input(t, l, input, way, last);
        assert_ok(t->p.f.context, ffebm_engine_settle(t->p.f.engine, t->stage, t->p.x, NULL));
        force = random_like(t, up, t->seed + 4);
        down = response_to_force(t, force, l);
        ASSERT_CLOSE(t, dot(up, force) / (2 * step), dot(down, way) / (2 * step), 1e-7);
        destroy_all((ffebm_tensor *[]){input, way, force, up, down}, 5);
    }
}

/* Not of max pools below layers that may be negative: these settle where two places are equal, a kink, or nowhere. */
static void check_settling(uint64_t share, void (*check)(trial *t))
{
    for (uint64_t seed = share; seed < GRAPHS; seed += SHARES) {
        trial t = trial_of(seed, 0.3);

        configure_settled(&t);
        if (!t.g.may_rise)
            check(&t);
        problem_end(&t.p);
    }
}

/* Through taps, neurons, skips and pools. */
START_TEST(settled_losses_are_differentiated)
{
    check_settling((uint64_t)_i, check_derivatives);
}
END_TEST

/* The block linearised at its free state is its own adjoint: a push on layer l moves the last one as a push on the last one
 * moves l. */
START_TEST(settled_blocks_are_symmetric)
{
    check_settling((uint64_t)_i, check_symmetry);
}
END_TEST

/* Both graphs of a seed have the same layers and couplings, and there are enough of all that is drawn. */
START_TEST(seeds_cover_what_there_is)
{
    static const char *const words[] = {"hard_sigmoid", "\"upper\": 6", "\"lower\": -1", "\"lower\": 0.2",
                                        "relu",         "identity",     "sigmoid",       "tanh",
                                        "layer0",       "\"taps\"",     "average",       "\"from\""};
    size_t found[sizeof words / sizeof words[0]] = {0}, rising = 0, taps = 0;

    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph g = random_graph_with_neurons(seed), plain = random_graph_of(seed);

        ck_assert_uint_eq(g.couplings, plain.couplings);
        ck_assert(memcmp(g.shape, plain.shape, sizeof g.shape) == 0);
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            found[i] += strstr(g.json, words[i]) != NULL;
        rising += g.may_rise;
        for (size_t l = 0; l < g.layers; l++)
            taps += g.tapped[l];
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ck_assert_msg(found[i] > 0, "no %s", words[i]);
    ck_assert_uint_lt(rising, GRAPHS / 2);
    ck_assert_uint_gt(taps, GRAPHS);
}
END_TEST

Suite *test_random_graphs_suite(void)
{
    Suite *suite = suite_create("random_graphs");
    TCase *tests = tcase_create("random_graphs");

    tcase_add_test(tests, seeds_cover_what_there_is);
    tcase_add_loop_test(tests, energy_falls_color_by_color, 0, SHARES);
    tcase_add_loop_test(tests, energy_gradients_are_differences, 0, SHARES);
    tcase_add_loop_test(tests, settled_losses_are_differentiated, 0, SHARES);
    tcase_add_loop_test(tests, settled_blocks_are_symmetric, 0, SHARES);
    suite_add_tcase(suite, tests);
    return suite;
}

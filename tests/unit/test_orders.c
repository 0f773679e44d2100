/* Orders of sweeps over graphs of layers: what is a chain's parity, which order may cycle, how far a force comes in a sweep,
 * and what n sweeps backwards are. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"
#include "random_graph.h"

enum { ROWS = 2 };

/* Of a graph's block, on random targets of its output's shape. */
static problem problem_of_graph(const random_graph *g, int32_t dtype, uint64_t seed)
{
    problem p = {.f = fixture_of(g->json, dtype, 1, seed)};

    p.x = random_input(&p.f, ROWS, seed);
    p.y = random_batch(p.f.context, p.f.info.dtype, ROWS, p.f.info.output_shape, p.f.info.output_rank, 0, 1, seed + 1);
    return p;
}

static void configure(problem *p, const ffebm_equilibrium_config *config)
{
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, config));
}

/* ------------------------------------------------------------------------------------------------------- on a chain */

static bool is_chain(const random_graph *g)
{
    for (size_t c = 0; c < g->couplings; c++)
        if (g->from[c] != c || g->to[c] != c + 1)
            return false;
    return true;
}

/* Forwards by colours is even_odd, and backwards odd_even: to the bit, with either type of numbers. */
START_TEST(two_colors_are_parities)
{
    size_t chains = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        random_graph g = random_graph_of(seed);
        ffebm_equilibrium_config config;
        ffebm_tensor *gradients[2];
        problem p;

        if (!is_chain(&g))
            continue;
        chains++;
        ffebm_equilibrium_config_init(&config, sizeof config);
        config.free_tolerance = 1e-6;
        config.relaxation = 1; /* which orders set by hand have by themselves */
        p = problem_of_graph(&g, _i == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, seed);
        for (int parity = 0; parity < 2; parity++) {
            if (parity) {
                config.free_order = FFEBM_ORDER_EVEN_ODD;
                config.nudged_order = FFEBM_ORDER_ODD_EVEN;
            }
            configure(&p, &config);
            gradients[parity] = gradient_of(&p, NULL);
        }
        ck_assert_mem_eq(ffebm_tensor_data(gradients[0]), ffebm_tensor_data(gradients[1]),
                         ffebm_tensor_count(gradients[0]) * (_i == 0 ? sizeof(double) : sizeof(float)));
        destroy_all(gradients, 2);
        problem_end(&p);
    }
    ck_assert_uint_gt(chains, 20);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ cycles */

#define UNITS(couplings)                                                                                               \
    "{\"dtype\": \"float64\", \"input\": [1], \"loss\": \"none\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", " \
    "\"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 1}, \"clamp_last\": true, \"couplings\": [" couplings     \
    "]}}]}"
#define UP "{\"type\": \"dense\", \"out_features\": 1}"
#define SKIP(from, to) "{\"type\": \"dense\", \"out_features\": 1, \"from\": " from ", \"to\": " to ", \"bias\": false}"

/* Blocks of one unit a layer: layers of one parity are joined, those of the other are dead. */
static const struct cycle {
    const char *json;
    double x;
    double parameters[11]; /* weight and bias of each layer above the first, then of skips the weights */
    double start[5];
    double energies[2]; /* in turn, by parity */
    double rest;        /* where colours settle */
} cycles[] = {{UNITS(UP ", " UP ", " SKIP("0", "2")), -1, {0, 0, 0, -1.5, 3}, {1, 0, 0}, {1.5, 2}, 0},
              {UNITS(UP ", " UP ", " UP ", " UP ", " SKIP("0", "2") ", " SKIP("0", "4") ", " SKIP("2", "4")),
               1,
               {0, 0, 0, 1, 0, 0, 0, 1, -0.7, -0.7, -0.7},
               {1, 0, 1, 0, 1},
               {0.6, 0},
               -0.625}};

static double energy_of_one(const fixture *f, const ffebm_tensor *x)
{
    ffebm_tensor *energies = energies_of(f, x, 1);
    double energy = element(energies, 0);

    ffebm_tensor_destroy(energies);
    return energy;
}

START_TEST(parities_may_cycle_where_colors_settle)
{
    const struct cycle *c = &cycles[_i];
    fixture f = fixture_of(c->json, 0, 1, 0);
    ffebm_tensor *x = random_input(&f, 1, 1), *w = ffebm_model_flat_parameters(f.model);
    ffebm_equilibrium_config config = converged();
    ffebm_phase_report report = {.size = sizeof report};

    set_element(x, 0, c->x);
    for (size_t i = 0; i < ffebm_tensor_count(w); i++)
        set_element(w, i, c->parameters[i]);
    for (size_t l = 0; l < layer_count(&f); l++) {
        ffebm_tensor *s = random_batch(f.context, FFEBM_FLOAT64, 1, (int64_t[]){1}, 1, c->start[l], c->start[l], 0);

        assert_ok(f.context, ffebm_engine_set_state(f.engine, 0, l, s));
        ffebm_tensor_destroy(s);
    }
    config.start = FFEBM_START_STATE;
    config.free_order = FFEBM_ORDER_EVEN_ODD;
    for (int sweep = 0; sweep < 4; sweep++) {
        ck_assert_double_eq_tol(energy_of_one(&f, x), c->energies[sweep % 2], 1e-12);
        config.free_sweeps = 1;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    }
    config.free_sweeps = 2000;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_FREE));
    ck_assert_uint_eq(report.unconverged, 1);
    config.free_order = FFEBM_ORDER_COLORS;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_FREE));
    ck_assert_uint_eq(report.unconverged, 0);
    ck_assert_double_eq_tol(energy_of_one(&f, x), c->rest, 1e-12);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- how far a force comes */

/* Where a layer stands in a sweep. */
static size_t group_of(const random_graph *g, const size_t color[GRAPH_LAYERS], int32_t order, size_t layer)
{
    switch (order) {
    case FFEBM_ORDER_EVEN_ODD:
        return layer % 2;
    case FFEBM_ORDER_ODD_EVEN:
        return 1 - layer % 2;
    case FFEBM_ORDER_SYNCHRONOUS:
        return 0;
    case FFEBM_ORDER_FORWARD:
        return layer;
    case FFEBM_ORDER_BACKWARD:
        return g->layers - 1 - layer;
    case FFEBM_ORDER_COLORS:
        return color[layer];
    default: /* REVERSED, of colours */
        return GRAPH_LAYERS - color[layer];
    }
}

static int64_t sweeps_to_all(const random_graph *g, int32_t order)
{
    bool reached[GRAPH_LAYERS] = {false}, before[GRAPH_LAYERS];
    size_t color[GRAPH_LAYERS] = {0}, left = g->layers;
    int64_t sweeps = 0;

    random_graph_colors(g, color);
    for (; left > 0; sweeps++)
        for (size_t group = 0; group <= GRAPH_LAYERS; group++) {
            memcpy(before, reached, sizeof before);
            for (size_t l = 0; l < g->layers; l++) {
                if (reached[l] || group_of(g, color, order, l) != group)
                    continue;
                for (size_t k = 0; k < g->layers; k++)
                    reached[l] = reached[l] || (before[k] && random_graph_coupled(g, k, l)) || l + 1 == g->layers;
                left -= reached[l];
            }
        }
    return sweeps;
}

/* Under a tolerance that everything meets a sample stops as soon as the force has been everywhere. */
START_TEST(no_sample_stops_before_the_force_is_everywhere)
{
    int32_t order = _i;

    for (uint64_t seed = 0; seed < 60; seed++) {
        random_graph g = random_graph_of(seed);
        problem p = problem_of_graph(&g, 0, seed);
        ffebm_equilibrium_config config;
        ffebm_phase_report report = {.size = sizeof report};
        int64_t expected = sweeps_to_all(&g, order);

        ffebm_equilibrium_config_init(&config, sizeof config);
        config.nudged_order = order;
        config.nudged_tolerance = 1e12;
        config.nudged_sweeps = 50;
        configure(&p, &config);
        ffebm_tensor_destroy(gradient_of(&p, NULL));
        assert_ok(p.f.context, ffebm_engine_inspect_phase(p.f.engine, &report, 0, FFEBM_PHASE_NUDGED));
        ck_assert_msg(report.sweeps_min == expected && report.sweeps_max == expected,
                      "graph %u: %d to %d sweeps, expected %d\n%s", (unsigned)seed, (int)report.sweeps_min,
                      (int)report.sweeps_max, (int)expected, g.json);
        if (order == FFEBM_ORDER_REVERSED && is_chain(&g))
            ck_assert_int_eq(expected, (int64_t)(g.layers + 1) / 2);
        problem_end(&p);
    }
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- back in time */

/* The loss after n sweeps from `start`, with the parameters moved along a way. */
static double loss_after(problem *p, ffebm_tensor *const start[GRAPH_LAYERS], const ffebm_tensor *parameters,
                         const ffebm_tensor *way, double step)
{
    ffebm_tensor *w = ffebm_model_flat_parameters(p->f.model);
    ffebm_report report = {.size = sizeof report};

    for (size_t i = 0; i < ffebm_tensor_count(w); i++)
        set_element(w, i, element(parameters, i) + step * element(way, i));
    for (size_t l = 0; l < layer_count(&p->f); l++)
        assert_ok(p->f.context, ffebm_engine_set_state(p->f.engine, 0, l, start[l]));
    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, &report, p->x, p->y, NULL));
    return report.loss;
}

/* The derivative of the loss after n sweeps that begin at rest, and what n sweeps of the adjoint in an order make of it. */
static void compare_in_time(problem *p, uint64_t seed, int64_t sweeps, int32_t adjoint, double found[2])
{
    ffebm_equilibrium_config config = converged();
    size_t layers = layer_count(&p->f);
    ffebm_tensor *rest[GRAPH_LAYERS], *parameters = copy_of(p->f.context, ffebm_model_flat_parameters(p->f.model));
    ffebm_tensor *way =
        random_batch(p->f.context, FFEBM_FLOAT64, (int64_t)ffebm_tensor_count(parameters), NULL, 0, -1, 1, seed);
    const ffebm_tensor *gradient = ffebm_engine_flat_gradient(p->f.engine);

    configure(p, &config);
    assert_ok(p->f.context, ffebm_engine_settle(p->f.engine, 0, p->x, NULL));
    for (size_t l = 0; l < layers; l++)
        rest[l] = layer_state(&p->f, l, ROWS, FFEBM_PHASE_FREE);
    config.start = FFEBM_START_STATE;
    config.free_sweeps = config.nudged_sweeps = sweeps;
    config.free_tolerance = config.nudged_tolerance = 0;
    config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    config.nudged_order = adjoint;
    configure(p, &config);
    found[0] = (loss_after(p, rest, parameters, way, 1e-6) - loss_after(p, rest, parameters, way, -1e-6)) / 2e-6;
    loss_after(p, rest, parameters, way, 0);
    found[1] = 0;
    for (size_t i = 0; i < ffebm_tensor_count(way); i++)
        found[1] += element(gradient, i) * element(way, i);
    destroy_all(rest, layers);
    destroy_all((ffebm_tensor *[]){parameters, way}, 2);
}

/* n sweeps of the adjoint backwards are backpropagation through n sweeps; in the order of the free phase they are not. */
START_TEST(sweeps_backwards_are_backpropagation)
{
    double forwards = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        random_graph g = random_graph_of(seed);
        problem p = problem_of_graph(&g, 0, seed);
        double found[2];

        compare_in_time(&p, seed, 1 + _i, FFEBM_ORDER_REVERSED, found);
        ck_assert_msg(fabs(found[0] - found[1]) < 1e-7 * (1 + fabs(found[0])), "graph %u, %d sweeps: %.12g, %.12g\n%s",
                      (unsigned)seed, 1 + _i, found[0], found[1], g.json);
        compare_in_time(&p, seed, 1 + _i, FFEBM_ORDER_COLORS, found);
        forwards = fmax(forwards, fabs(found[0] - found[1]) / (1 + fabs(found[0])));
        problem_end(&p);
    }
    ck_assert_double_gt(forwards, 1e-3);
}
END_TEST

Suite *test_orders_suite(void)
{
    Suite *suite = suite_create("orders");
    TCase *tests = tcase_create("orders");

    tcase_add_loop_test(tests, two_colors_are_parities, 0, 2);
    tcase_add_loop_test(tests, parities_may_cycle_where_colors_settle, 0, 2);
    tcase_add_loop_test(tests, no_sample_stops_before_the_force_is_everywhere, FFEBM_ORDER_EVEN_ODD,
                        FFEBM_ORDER_REVERSED + 1);
    tcase_add_loop_test(tests, sweeps_backwards_are_backpropagation, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

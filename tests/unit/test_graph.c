/* Energy blocks whose layers are a graph: what holds in a chain holds here, and which orders it holds for. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "random_graph.h"

enum { ROWS = 2, GRAPHS = 200, SHARES = 10, SWEEPS = 6 };

static void get_states(const fixture *f, ffebm_tensor *state[GRAPH_LAYERS])
{
    for (size_t l = 0; l < layer_count(f); l++)
        state[l] = layer_state(f, l, ROWS, FFEBM_PHASE_FREE);
}

static void set_states(const fixture *f, ffebm_tensor *const state[GRAPH_LAYERS])
{
    for (size_t l = 0; l < layer_count(f); l++)
        assert_ok(f->context, ffebm_engine_set_state(f->engine, 0, l, state[l]));
}

static void get_energies(const fixture *f, const ffebm_tensor *x, double energies[ROWS])
{
    ffebm_tensor *tensor = energies_of(f, x, ROWS);

    for (size_t i = 0; i < ROWS; i++)
        energies[i] = element(tensor, i);
    ffebm_tensor_destroy(tensor);
}

/* So many sweeps from the state that there is. */
static void configure_sweeps(const fixture *f, int32_t order, int64_t sweeps)
{
    ffebm_equilibrium_config config = converged();

    config.free_order = order;
    config.free_sweeps = sweeps;
    config.free_tolerance = 0;
    config.start = FFEBM_START_STATE;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
}

/* -------------------------------------------------------------------------------------------------- energies fall */

/* Layers of one colour, moved from `before` a share of the way to `after`. */
static void set_color(const fixture *f, const size_t color[GRAPH_LAYERS], size_t which,
                      ffebm_tensor *const before[GRAPH_LAYERS], ffebm_tensor *const after[GRAPH_LAYERS], double share)
{
    for (size_t l = 0; l < layer_count(f); l++)
        if (color[l] == which) {
            ffebm_tensor *moved = copy_of(f->context, after[l]);

            for (size_t i = 0; i < ffebm_tensor_count(moved); i++)
                set_element(moved, i, share * element(after[l], i) + (1 - share) * element(before[l], i));
            assert_ok(f->context, ffebm_engine_set_state(f->engine, 0, l, moved));
            ffebm_tensor_destroy(moved);
        }
}

/* One sweep, looked at group by group. Without max pools each group is where E is least, too: a little back along the way it
 * came, or beyond where there are no bounds, E is not lower. */
static void check_sweep(const fixture *f, const random_graph *g, const ffebm_tensor *x, uint64_t seed)
{
    ffebm_tensor *before[GRAPH_LAYERS], *after[GRAPH_LAYERS];
    size_t color[GRAPH_LAYERS] = {0};
    double old[ROWS], new[ROWS], back[ROWS];

    random_graph_colors(g, color);
    get_states(f, before);
    get_energies(f, x, old);
    assert_ok(f->context, ffebm_engine_settle(f->engine, 0, x, NULL));
    get_states(f, after);
    set_states(f, before);
    for (size_t c = 0; c < g->layers; c++) {
        set_color(f, color, c, before, after, 1 - 1e-4);
        get_energies(f, x, back);
        set_color(f, color, c, before, after, 1);
        get_energies(f, x, new);
        for (size_t i = 0; i < ROWS; i++) {
            ck_assert_msg(new[i] <= old[i] + 1e-12 * fabs(old[i]), "graph %u, colour %zu: energy %.15g to %.15g\n%s",
                          (unsigned)seed, c, old[i], new[i], g->json);
            ck_assert_msg(g->max_pools || new[i] <= back[i] + 1e-12 * fabs(old[i]),
                          "graph %u, colour %zu: energy %.15g, but %.15g next to it\n%s", (unsigned)seed, c, new[i],
                          back[i], g->json);
        }
        memcpy(old, new, sizeof old);
    }
    destroy_all(before, g->layers);
    destroy_all(after, g->layers);
}

START_TEST(energy_falls_color_by_color)
{
    for (uint64_t seed = (uint64_t)_i; seed < GRAPHS; seed += SHARES) {
        random_graph g = random_graph_of(seed);
        fixture f = fixture_of(g.json, 0, 1, seed);
        ffebm_tensor *x = random_input(&f, ROWS, seed);

        configure_sweeps(&f, FFEBM_ORDER_COLORS, 1);
        set_random_state(&f, ROWS, seed);
        for (int sweep = 0; sweep < SWEEPS; sweep++)
            check_sweep(&f, &g, x, seed);
        ffebm_tensor_destroy(x);
        fixture_end(&f);
    }
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- derivatives */

/* E is linear in the parameters, but for switches: a difference of energies at one state is the derivative there. */
START_TEST(energy_gradients_are_differences)
{
    for (uint64_t seed = (uint64_t)_i; seed < GRAPHS; seed += SHARES) {
        random_graph g = random_graph_of(seed);
        fixture f = fixture_of(g.json, 0, 1, seed);
        ffebm_tensor *x = random_input(&f, ROWS, seed), *w = ffebm_model_flat_parameters(f.model), *gradient;
        int64_t count = (int64_t)f.info.element_count;
        ffebm_tensor *way = random_batch(f.context, FFEBM_FLOAT64, count, NULL, 0, -1, 1, seed + 1);
        ffebm_tensor *start = copy_of(f.context, w);
        double sides[2] = {0}, slope = 0, energies[ROWS];

        set_random_state(&f, ROWS, seed);
        assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, 0, FFEBM_PHASE_FREE));
        gradient = ffebm_engine_flat_gradient(f.engine);
        for (int64_t i = 0; i < count; i++)
            slope += element(gradient, (size_t)i) * element(way, (size_t)i);
        for (int side = 0; side < 2; side++) {
            for (int64_t i = 0; i < count; i++)
                set_element(w, (size_t)i,
                            element(start, (size_t)i) + (side == 0 ? 1e-6 : -1e-6) * element(way, (size_t)i));
            get_energies(&f, x, energies);
            for (size_t i = 0; i < ROWS; i++)
                sides[side] += energies[i] / ROWS;
        }
        ck_assert_msg(fabs((sides[0] - sides[1]) / 2e-6 - slope) < 1e-8 * (1 + fabs(slope)),
                      "graph %u: %.12g, %.12g\n%s", (unsigned)seed, (sides[0] - sides[1]) / 2e-6, slope, g.json);
        destroy_all((ffebm_tensor *[]){x, way, start}, 3);
        fixture_end(&f);
    }
}
END_TEST

Suite *test_graph_suite(void)
{
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");

    tcase_add_loop_test(tests, energy_falls_color_by_color, 0, SHARES);
    tcase_add_loop_test(tests, energy_gradients_are_differences, 0, SHARES);
    suite_add_tcase(suite, tests);
    return suite;
}

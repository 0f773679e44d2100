/* Energy blocks whose layers are a graph: what holds in a chain holds here, and which orders it holds for. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "random_graph.h"

enum { ROWS = 2, SHARES = 10 };

static void get_states(const fixture *f, ffebm_tensor *state[GRAPH_LAYERS])
{
    for (size_t l = 0; l < layer_count(f); l++)
        state[l] = layer_state(f, l, ROWS, FFEBM_PHASE_FREE);
}

/* ------------------------------------------------------------------------------------------------- batches, threads */

/* A batch of n is n batches of one, to the rounding of sums. */
START_TEST(batch_is_samples_alone)
{
    for (uint64_t seed = (uint64_t)_i; seed < 30; seed += SHARES) {
        random_graph g = random_graph_of(seed);
        fixture f = fixture_of(g.json, 0, 1, seed);
        ffebm_equilibrium_config config = converged();
        ffebm_tensor *x = random_input(&f, ROWS, 0), *one = random_input(&f, 1, 0), *all[GRAPH_LAYERS];

        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        get_states(&f, all);
        for (size_t i = 0; i < ROWS; i++) {
            memcpy(ffebm_tensor_data(one), (const double *)ffebm_tensor_const_data(x) + i * f.inputs,
                   f.inputs * sizeof(double));
            assert_ok(f.context, ffebm_engine_settle(f.engine, 0, one, NULL));
            for (size_t l = 0; l < g.layers; l++) {
                ffebm_tensor *alone = layer_state(&f, l, 1, FFEBM_PHASE_FREE);
                size_t count = ffebm_tensor_count(alone);

                for (size_t u = 0; u < count; u++)
                    ck_assert_double_eq_tol(element(alone, u), element(all[l], i * count + u), 1e-12);
                ffebm_tensor_destroy(alone);
            }
        }
        destroy_all(all, g.layers);
        destroy_all((ffebm_tensor *[]){x, one}, 2);
        fixture_end(&f);
    }
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    static const int32_t types[] = {FFEBM_FLOAT32, FFEBM_FLOAT64};

    for (uint64_t seed = 0; seed < 20; seed++) {
        random_graph g = random_graph_of(seed);
        ffebm_tensor *gradients[2];
        problem problems[2];

        for (int i = 0; i < 2; i++) {
            problems[i].f = fixture_of(g.json, types[_i], i == 0 ? 1 : 3, 3);
            problems[i].x = random_input(&problems[i].f, 37, 5);
            problems[i].y = random_batch(problems[i].f.context, types[_i], 37, problems[i].f.info.output_shape,
                                         problems[i].f.info.output_rank, 0, 1, 6);
            gradients[i] = gradient_of(&problems[i], NULL);
        }
        ck_assert_mem_eq(ffebm_tensor_data(gradients[0]), ffebm_tensor_data(gradients[1]),
                         ffebm_tensor_count(gradients[0]) * (_i == 0 ? sizeof(float) : sizeof(double)));
        for (int i = 0; i < 2; i++) {
            ffebm_tensor_destroy(gradients[i]);
            problem_end(&problems[i]);
        }
    }
}
END_TEST

/* ------------------------------------------------------------------------------------------- a residual network */

#define SKIPS                                                                                                          \
    "{\"dtype\": \"float64\", \"input\": [2, 8, 8], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": "      \
    "[{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 3, \"padding\": 1}]}, {\"energy\": {\"type\": "          \
    "\"hopfield\", \"couplings\": ["                                                                                   \
    "{\"type\": \"conv2d\", \"out_channels\": 6, \"kernel\": 3, \"stride\": 2, \"padding\": 1}, "                      \
    "{\"type\": \"conv2d\", \"out_channels\": 6, \"kernel\": 3, \"padding\": 1}, "                                     \
    "{\"type\": \"conv2d\", \"out_channels\": 6, \"kernel\": 1, \"stride\": 2, \"from\": 0, \"to\": 2, \"bias\": "     \
    "false}, "                                                                                                         \
    "{\"type\": \"conv2d\", \"out_channels\": 5, \"kernel\": 1, \"pool\": {\"type\": \"average\", \"kernel\": 2}}, "   \
    "{\"type\": \"conv2d\", \"out_channels\": 5, \"kernel\": 3, \"padding\": 1, \"from\": 1, \"to\": 3, \"pool\": "    \
    "{\"type\": \"max\", \"kernel\": 2}}, "                                                                            \
    "{\"type\": \"dense\", \"out_features\": 4}]}}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": "      \
    "3}]}]}"

/* As it comes: default values, default settings but for the tolerances. */
START_TEST(skips_settle_and_certify)
{
    problem p = problem_of(SKIPS, 0, 1, 8);
    ffebm_equilibrium_config config = converged();
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_phase_report report = {.size = sizeof report};

    ffebm_tensor_destroy(gradient_of(&p, NULL));
    for (int32_t phase = FFEBM_PHASE_FREE; phase <= FFEBM_PHASE_NUDGED; phase++) {
        assert_ok(p.f.context, ffebm_engine_inspect_phase(p.f.engine, &report, 1, phase));
        ck_assert_uint_eq(report.unconverged, 0);
        ck_assert_int_lt(report.sweeps_max, 60);
    }
    for (size_t l = 0; l < 5; l++) {
        ffebm_layer_report layer = {.size = sizeof layer};

        assert_ok(p.f.context, ffebm_engine_inspect_layer(p.f.engine, &layer, 1, l));
        ck_assert_double_gt(layer.nudge_norm, 0);
    }
    config.beta = 1e-3;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, NULL));
    ck_assert_msg(worst.cosine > 0.9999, "%s: %.9g", worst.name, worst.cosine);
    problem_end(&p);
}
END_TEST

static int32_t keep_last(void *user, const ffebm_trace_point *point)
{
    double *error = user;

    *error = point->relative_error;
    return 0;
}

/* Sweep by sweep, up to the last: EP comes to what implicit differentiation does. */
START_TEST(skips_are_traced)
{
    problem p = problem_of(SKIPS, 0, 1, 8);
    ffebm_equilibrium_config config = converged();
    double error = 1;

    config.nudged_sweeps = 12;
    config.beta = 1e-4;
    config.nudging = FFEBM_NUDGING_LINEAR;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, keep_last, &error));
    ck_assert_double_lt(error, 1e-6);
    problem_end(&p);
}
END_TEST

/* Its description is read again as what it was, and says of a coupling only what is not the default. */
START_TEST(descriptions_come_back)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        random_graph g = random_graph_of(seed);
        fixture f = fixture_of(g.json, 0, 1, 0), again;
        const char *text[2];
        size_t skips = 0, found = 0;

        assert_ok(f.context, ffebm_model_description(f.model, &text[0], NULL));
        again = fixture_of(text[0], 0, 1, 0);
        assert_ok(again.context, ffebm_model_description(again.model, &text[1], NULL));
        ck_assert_str_eq(text[0], text[1]);
        for (size_t c = 0, newest = 0; c < g.couplings; c++) {
            skips += g.from[c] != newest;
            newest = g.to[c] > newest ? g.to[c] : newest;
        }
        for (const char *at = text[0]; (at = strstr(at, "\"from\"")) != NULL; at++)
            found++;
        ck_assert_uint_eq(found, skips);
        fixture_end(&f);
        fixture_end(&again);
    }
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- refusals */

#define GRAPH(couplings)                                                                                               \
    "{\"input\": [2, 6, 6], \"loss\": \"none\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"couplings\": ["   \
    "{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3}, {\"type\": \"dense\", \"out_features\": "             \
    "5}, " couplings "]}}]}"

static const struct refusal {
    const char *json;
    ffebm_status status;
    const char *text;
} refusals[] = {
    {GRAPH("{\"type\": \"dense\", \"out_features\": 5, \"from\": 3}"), FFEBM_ERR_PARSE,
     "stage 0 coupling 2: dense coupling: from is 3, the newest layer is 2"},
    {GRAPH("{\"type\": \"dense\", \"out_features\": 5, \"from\": 0, \"to\": 3}"), FFEBM_ERR_PARSE,
     "stage 0 coupling 2: dense coupling: to is 3, the newest layer is 2"},
    {GRAPH("{\"type\": \"dense\", \"out_features\": 5, \"from\": 1, \"to\": 1}"), FFEBM_ERR_PARSE,
     "stage 0 coupling 2: dense coupling: to is 1, expected a layer above from, which is 1"},
    {GRAPH("{\"type\": \"dense\", \"out_features\": 5, \"to\": 1}"), FFEBM_ERR_PARSE,
     "to is 1, expected a layer above from, which is 2"},
    {GRAPH("{\"type\": \"dense\", \"out_features\": 5, \"from\": -1}"), FFEBM_ERR_PARSE, "\"from\" is -1"},
    {GRAPH("{\"type\": \"dense\", \"out_features\": 4, \"from\": 0, \"to\": 2}"), FFEBM_ERR_SHAPE,
     "stage 0 coupling 2 (dense): of layer 0, [2, 6, 6], it makes [4], but layer 2 is [5]"},
    {GRAPH("{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"stride\": 2, \"from\": 0, \"to\": 1}"),
     FFEBM_ERR_SHAPE,
     "stage 0 coupling 2 (conv2d): of layer 0, [2, 6, 6], it makes [3, 2, 2], but layer 1 is [3, 4, 4]"},
    {GRAPH("{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 1, \"from\": 0, \"pool\": {\"type\": \"average\", "
           "\"kernel\": 4}}"),
     FFEBM_ERR_SHAPE, "stage 0 coupling 2 (conv2d): kernel 4 with stride 4 does not tile padded input 6: 2 left over"}};

START_TEST(misfits_are_named)
{
    ffebm_context *context;
    ffebm_model *model;

    assert_ok(NULL, ffebm_context_create(&context, NULL));
    ck_assert_int_eq(ffebm_model_parse(context, &model, refusals[_i].json, strlen(refusals[_i].json), NULL),
                     refusals[_i].status);
    ck_assert_msg(strstr(ffebm_context_error(context), refusals[_i].text) != NULL, "%s", ffebm_context_error(context));
    ck_assert_ptr_null(model);
    ffebm_context_destroy(context);
}
END_TEST

/* A coupling that is refused leaves the block as it was. */
START_TEST(refused_couplings_change_nothing)
{
    fixture f = fixture_of(SKIPS, 0, 1, 0);
    ffebm_coupling_config config;
    ffebm_energy *block;
    ffebm_model *model;
    ffebm_layer_info layer = {.size = sizeof layer};

    assert_ok(f.context, ffebm_energy_create_hopfield(f.context, &block, NULL));
    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    ck_assert(config.from == FFEBM_LAYER_NEWEST && config.to == FFEBM_LAYER_NEW);
    config.out = 3;
    assert_ok(f.context, ffebm_energy_add_coupling(block, &config));
    config.from = 5;
    ck_assert_int_eq(ffebm_energy_add_coupling(block, &config), FFEBM_ERR_ARGUMENT);
    config.from = 1;
    config.to = 0;
    ck_assert_int_eq(ffebm_energy_add_coupling(block, &config), FFEBM_ERR_ARGUMENT);
    config.from = FFEBM_LAYER_NEW;
    ck_assert_int_eq(ffebm_energy_add_coupling(block, &config), FFEBM_ERR_ARGUMENT);
    config.from = 0;
    config.to = 1; /* a second coupling of the same layers */
    assert_ok(f.context, ffebm_energy_add_coupling(block, &config));
    assert_ok(f.context, ffebm_model_create(f.context, &model, FFEBM_FLOAT64, (int64_t[]){4}, 1, FFEBM_LOSS_NONE));
    assert_ok(f.context, ffebm_model_add_energy(model, &block));
    ck_assert_uint_ne(ffebm_model_find_parameter(model, "stage0.1.weight"), FFEBM_NONE);
    ck_assert_uint_eq(ffebm_model_find_parameter(model, "stage0.2.weight"), FFEBM_NONE);
    assert_ok(f.context, ffebm_model_inspect_layer(model, &layer, 0, 1));
    ck_assert_int_eq(ffebm_model_inspect_layer(model, &layer, 0, 2), FFEBM_ERR_ARGUMENT);
    ffebm_model_destroy(model);
    fixture_end(&f);
}
END_TEST

Suite *test_graph_suite(void)
{
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");

    tcase_add_loop_test(tests, batch_is_samples_alone, 0, SHARES);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 2);
    tcase_add_test(tests, skips_settle_and_certify);
    tcase_add_test(tests, skips_are_traced);
    tcase_add_test(tests, descriptions_come_back);
    tcase_add_loop_test(tests, misfits_are_named, 0, sizeof refusals / sizeof refusals[0]);
    tcase_add_test(tests, refused_couplings_change_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

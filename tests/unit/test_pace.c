/* Relaxations that samples choose by the fall of their residuals: same equilibria, fewer sweeps, a sample for itself. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "relax/pace.h"

#define WIDE "{\"type\": \"dense\", \"out_features\": 12}"

enum { ROWS = 5 };

static const char deep[] =
    "{\"dtype\": \"float64\", \"input\": [12], \"loss\": \"none\", \"initialization\": {\"type\": \"goe\", "
    "\"variance\": 0.02}, \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": "
    "\"hard_sigmoid\", \"slope\": 0.9}, \"couplings\": [" WIDE ", " WIDE ", " WIDE ", " WIDE ", " WIDE ", " WIDE
    "]}}]}";

/* -------------------------------------------------------------------------------------------------------- the pace */

/* Between 1 and 2 whatever the residuals do: with that an energy that is quadratic falls in every half-sweep. */
START_TEST(relaxations_are_from_one_to_two)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        ffebmi_pace pace = ffebmi_pace_begin(1 + seed % 12, seed % 2 == 0);

        ck_assert_double_eq(ffebmi_pace_next(&pace), 1);
        for (uint64_t sweep = 0; sweep < 60; sweep++) {
            ffebmi_pace_learn(&pace, pow(10, 8 * ffebm_random_uniform(seed, sweep) - 8));
            for (int half = 0; half < 3; half++) {
                double relaxation = ffebmi_pace_next(&pace);

                ck_assert_double_ge(relaxation, 1);
                ck_assert_double_lt(relaxation, 2);
                ck_assert_double_ge(pace.furthest, relaxation);
            }
        }
    }
}
END_TEST

/* Residuals that fall by what one mode of a plain sweep leaves tell its rate. */
START_TEST(slow_residuals_are_relaxed_further)
{
    double last = 1;

    for (int i = 0; i < 4; i++) {
        static const double rates[] = {0.3, 0.6, 0.9, 0.99};
        ffebmi_pace pace = ffebmi_pace_begin(8, false);

        for (int sweep = 0; sweep < 12; sweep++) {
            ffebmi_pace_next(&pace);
            ffebmi_pace_learn(&pace, pow(rates[i], 2 * sweep));
        }
        ck_assert_double_gt(pace.furthest, last);
        last = pace.furthest;
    }
}
END_TEST

/* What does not come nearer goes on as plain sweeps do. */
START_TEST(stuck_residuals_end_it)
{
    ffebmi_pace pace = ffebmi_pace_begin(8, true);

    for (int sweep = 0; sweep < 40; sweep++) {
        ffebmi_pace_next(&pace);
        ffebmi_pace_learn(&pace, sweep % 2 == 0 ? 1 : 0.9);
    }
    ck_assert_double_gt(pace.furthest, 1);
    ck_assert_double_eq(ffebmi_pace_next(&pace), 1);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- in phases */

static ffebm_phase_report settled(fixture *f, const ffebm_equilibrium_config *config, const ffebm_tensor *x)
{
    ffebm_phase_report report = {.size = sizeof report};

    assert_ok(f->context, ffebm_engine_configure(f->engine, 0, config));
    assert_ok(f->context, ffebm_engine_settle(f->engine, 0, x, NULL));
    assert_ok(f->context, ffebm_engine_inspect_phase(f->engine, &report, 0, FFEBM_PHASE_FREE));
    return report;
}

START_TEST(deep_blocks_take_fewer_sweeps)
{
    fixture f = fixture_of(deep, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, ROWS, 4);
    ffebm_equilibrium_config config = converged();
    ffebm_phase_report plain, paced;

    config.free_tolerance = 1e-8;
    paced = settled(&f, &config, x);
    config.relaxation = 1;
    plain = settled(&f, &config, x);
    ck_assert_uint_eq(paced.unconverged, 0);
    ck_assert_double_gt(paced.relaxation_max, 1);
    ck_assert_double_eq(plain.relaxation_max, 1);
    ck_assert_msg(paced.sweeps_mean < 0.75 * plain.sweeps_mean, "%g sweeps, %g plain ones", paced.sweeps_mean,
                  plain.sweeps_mean);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Cases in which nothing is relaxed unless it is asked for: the bits are those of relaxation 1. */
START_TEST(elsewhere_sweeps_stay_plain)
{
    fixture f = fixture_of(deep, 0, 1, 3);
    ffebm_tensor *x = random_input(&f, ROWS, 4), *left, *plain;
    ffebm_equilibrium_config config = converged();

    config.free_sweeps = 20;
    if (_i == 0)
        config.free_tolerance = 0;
    else
        config.free_order = FFEBM_ORDER_FORWARD;
    ck_assert_double_eq(settled(&f, &config, x).relaxation_max, 1);
    left = energies_of(&f, x, ROWS);
    config.relaxation = 1;
    settled(&f, &config, x);
    plain = energies_of(&f, x, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_eq(element(left, i), element(plain, i));
    ffebm_tensor_destroy(plain);
    ffebm_tensor_destroy(left);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Each sample takes the sweeps in a batch that it takes alone, and goes as far. */
START_TEST(samples_choose_for_themselves)
{
    fixture f = fixture_of(deep, 0, 1, 3);
    ffebm_equilibrium_config config = converged();
    ffebm_phase_report together, alone;
    double sweeps = 0, furthest = 0;
    ffebm_tensor *x = random_input(&f, ROWS, 4), *one = random_input(&f, 1, 4);

    config.free_tolerance = 1e-8; /* above rounding, which differs with the size of a batch */
    together = settled(&f, &config, x);
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(ffebm_tensor_data(one), (const double *)ffebm_tensor_data(x) + i * 12, 12 * sizeof(double));
        alone = settled(&f, &config, one);
        sweeps += alone.sweeps_mean;
        furthest = fmax(furthest, alone.relaxation_max);
    }
    ck_assert_double_le(fabs(together.sweeps_mean - sweeps / ROWS), 1e-12);
    ck_assert_double_le(fabs(together.relaxation_max - furthest), 1e-9);
    ffebm_tensor_destroy(one);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

Suite *test_pace_suite(void)
{
    Suite *suite = suite_create("pace");
    TCase *group = tcase_create("pace");

    tcase_add_test(group, relaxations_are_from_one_to_two);
    tcase_add_test(group, slow_residuals_are_relaxed_further);
    tcase_add_test(group, stuck_residuals_end_it);
    tcase_add_test(group, deep_blocks_take_fewer_sweeps);
    tcase_add_loop_test(group, elsewhere_sweeps_stay_plain, 0, 2);
    tcase_add_test(group, samples_choose_for_themselves);
    suite_add_tcase(suite, group);
    return suite;
}

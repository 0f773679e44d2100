/* Random signs, repeated readings, held switches, and the live settings of an engine: each against what it must equal. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fixture.h"

#define HOPFIELD                                                                                                       \
    "\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, \"clamp_last\": true, "

/* Two blocks with pools, clamped throughout. At beta 0.05 a batch of 16 has switches that move, but no unit that changes
 * region where they are held; at beta 0.5 units change region, too. */
static const char pooled[] =
    "{\"dtype\": \"float64\", \"input\": [2, 6, 6], \"loss\": \"cross_entropy\", "
    "\"initialization\": {\"type\": \"uniform\", \"gain\": 2, \"bias\": 0.25}, \"stages\": ["
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1}]}, "
    "{\"energy\": {" HOPFIELD "\"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 3, "
    "\"padding\": 1, \"pool\": {\"type\": \"max\", \"kernel\": 2}}, "
    "{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 2}]}}, "
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 1}]}, "
    "{\"energy\": {" HOPFIELD "\"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 2, "
    "\"padding\": 1, \"pool\": {\"type\": \"max\", \"kernel\": 3}}, {\"type\": \"dense\", \"out_features\": 5}]}}, "
    "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 3}]}]}";

/* One such block with mse on its last layer, which is not clamped. */
static const char pooled_alone[] =
    "{\"dtype\": \"float64\", \"input\": [2, 6, 6], \"loss\": \"mse\", "
    "\"initialization\": {\"type\": \"uniform\", \"gain\": 2}, \"stages\": ["
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "
    "\"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 4, \"kernel\": 3, \"padding\": 1, \"pool\": "
    "{\"type\": \"max\", \"kernel\": 2}}, {\"type\": \"dense\", \"out_features\": 5}]}}]}";

static const char *const chains[] = {interior_readout, pooled};
static const double strong[] = {0.5, 1}; /* in the second, switches move */

/* Pools follow: what estimators promise holds with switches that move, too. */
static ffebm_equilibrium_config config_of(int32_t estimator, double beta, int32_t nudging)
{
    ffebm_equilibrium_config config = converged();

    config.switches = FFEBM_SWITCHES_FOLLOW;
    config.estimator = estimator;
    config.beta = beta;
    config.nudging = nudging;
    return config;
}

static void configure(const problem *p, ffebm_equilibrium_config config)
{
    assert_ok(p->f.context, ffebm_engine_configure(p->f.engine, FFEBM_ALL, &config));
}

/* The gradient that a configuration of every block gives in call number `step`. */
static ffebm_tensor *gradient_by(problem *p, ffebm_equilibrium_config config, uint64_t step, ffebm_report *report)
{
    ffebm_report unused;

    configure(p, config);
    assert_ok(p->f.context, ffebm_engine_set_step(p->f.engine, step));
    return gradient_of(p, report == NULL ? &unused : report);
}

static bool same_bits(const ffebm_tensor *a, const ffebm_tensor *b)
{
    size_t size = ffebm_tensor_dtype(a) == FFEBM_FLOAT32 ? 4 : 8;

    return memcmp(ffebm_tensor_const_data(a), ffebm_tensor_const_data(b), size * ffebm_tensor_count(a)) == 0;
}

static ffebm_tensor *sum_of(const fixture *f, double p, const ffebm_tensor *a, double q, const ffebm_tensor *b)
{
    ffebm_tensor *sum = copy_of(f->context, a);

    for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
        set_element(sum, i, p * element(a, i) + q * element(b, i));
    return sum;
}

/* ---------------------------------------------------------------------------------------------------- random signs */

static const int32_t nudgings[] = {FFEBM_NUDGING_AUTO, FFEBM_NUDGING_LINEAR};

/* Do switches move under this configuration? Then holding them makes a difference. */
static bool switches_move(problem *p, ffebm_equilibrium_config config)
{
    ffebm_tensor *followed = gradient_by(p, config, 0, NULL), *held;
    bool differ;

    config.switches = FFEBM_SWITCHES_HOLD;
    held = gradient_by(p, config, 0, NULL);
    differ = !same_bits(followed, held);
    destroy_all((ffebm_tensor *[]){followed, held}, 2);
    return differ;
}

/* A sample is nudged by + beta in all blocks, or by - beta in all: the gradient has the bits of one of the two. */
START_TEST(random_sign_is_one_of_two)
{
    enum { CALLS = 200 };
    problem p = problem_of(chains[_i / 4], 0, 1, 1);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, strong[_i / 4], nudgings[_i % 2]);
    ffebm_equilibrium_config positive = config, negative = config;
    ffebm_tensor *above, *below, *drawn;
    int count = 0;

    ffebm_tensor_destroy(p.x);
    p.x = random_input(&p.f, 1, 2);
    config.repeats = positive.repeats = negative.repeats = _i / 2 % 2 == 0 ? 1 : 2;
    positive.estimator = FFEBM_ESTIMATOR_POSITIVE;
    negative.estimator = FFEBM_ESTIMATOR_NEGATIVE;
    above = gradient_by(&p, positive, 0, NULL);
    below = gradient_by(&p, negative, 0, NULL);
    ck_assert_double_gt(worst_error(&p.f, above, below), 1e-3);
    ck_assert(switches_move(&p, negative) == _i / 4);
    for (uint64_t step = 0; step < CALLS; step++) {
        drawn = gradient_by(&p, config, step, NULL);
        ck_assert(same_bits(drawn, above) || same_bits(drawn, below));
        count += same_bits(drawn, above);
        ffebm_tensor_destroy(drawn);
    }
    ck_assert_int_gt(count, CALLS * 2 / 5);
    ck_assert_int_lt(count, CALLS * 3 / 5);
    destroy_all((ffebm_tensor *[]){above, below}, 2);
    problem_end(&p);
}
END_TEST

/* The part of one sample in a batch: all others have weight 0. */
static ffebm_tensor *part_of(problem *p, size_t sample, int32_t estimator, double beta)
{
    ffebm_equilibrium_config config = config_of(estimator, beta, FFEBM_NUDGING_LINEAR);
    ffebm_tensor *weights = random_batch(p->f.context, FFEBM_FLOAT64, 8, NULL, 0, 0, 0, 0), *part;

    set_element(weights, sample, 1);
    configure(p, config);
    assert_ok(p->f.context, ffebm_engine_set_step(p->f.engine, 2));
    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, NULL, p->x, p->y, weights));
    part = copy_of(p->f.context, ffebm_engine_flat_gradient(p->f.engine));
    ffebm_tensor_destroy(weights);
    return part;
}

START_TEST(every_sample_has_a_sign_of_its_own)
{
    problem p = problem_of(chains[_i], 0, 1, 8);
    ffebm_tensor *whole =
        gradient_by(&p, config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, strong[_i], FFEBM_NUDGING_LINEAR), 2, NULL);
    ffebm_tensor *sum = sum_of(&p.f, 0, whole, 0, whole), *before;
    size_t count = 0;

    for (size_t n = 0; n < 8; n++) {
        ffebm_tensor *drawn = part_of(&p, n, FFEBM_ESTIMATOR_RANDOM_SIGN, strong[_i]);
        ffebm_tensor *above = part_of(&p, n, FFEBM_ESTIMATOR_POSITIVE, strong[_i]);
        ffebm_tensor *below = part_of(&p, n, FFEBM_ESTIMATOR_NEGATIVE, strong[_i]);
        bool positive = worst_error(&p.f, drawn, above) < 1e-9;

        ck_assert(positive || worst_error(&p.f, drawn, below) < 1e-9);
        ck_assert_double_gt(worst_error(&p.f, above, below), 1e-6);
        count += positive;
        before = sum;
        sum = sum_of(&p.f, 1, before, 1, drawn);
        destroy_all((ffebm_tensor *[]){before, drawn, above, below}, 4);
    }
    ck_assert_double_lt(worst_error(&p.f, sum, whole), 1e-9);
    ck_assert_uint_gt(count, 0);
    ck_assert_uint_lt(count, 8);
    destroy_all((ffebm_tensor *[]){whole, sum}, 2);
    problem_end(&p);
}
END_TEST

/* Rows first .. first + rows - 1 of a batch, as a batch of their own. */
static ffebm_tensor *rows_of(const fixture *f, const ffebm_tensor *batch, int64_t first, int64_t rows)
{
    size_t rank, size = ffebm_tensor_dtype(batch) == FFEBM_FLOAT32 ? 4 : 8, row;
    int64_t shape[FFEBM_MAX_RANK];
    ffebm_tensor *part;

    memcpy(shape, ffebm_tensor_shape(batch, &rank), sizeof shape);
    row = ffebm_tensor_count(batch) / (size_t)shape[0] * size;
    shape[0] = rows;
    assert_ok(f->context, ffebm_tensor_create(f->context, &part, ffebm_tensor_dtype(batch), shape, rank));
    memcpy(ffebm_tensor_data(part), (const char *)ffebm_tensor_const_data(batch) + (size_t)first * row,
           (size_t)rows * row);
    return part;
}

/* Signs belong to samples: a batch that is cut over calls, unevenly, draws what it would uncut. */
START_TEST(signs_do_not_show_how_a_batch_is_cut)
{
    static const int64_t cuts[] = {0, 3, 4, 8};
    problem p = problem_of(chains[_i], 0, 1, 8);
    ffebm_tensor *whole =
        gradient_by(&p, config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, strong[_i], FFEBM_NUDGING_LINEAR), 2, NULL);
    ffebm_tensor *sum = sum_of(&p.f, 0, whole, 0, whole), *misplaced = sum_of(&p.f, 0, whole, 0, whole);

    for (size_t c = 0; c < 3; c++) {
        int64_t rows = cuts[c + 1] - cuts[c];
        ffebm_tensor *x = rows_of(&p.f, p.x, cuts[c], rows), *y = rows_of(&p.f, p.y, cuts[c], rows);

        for (int placed = 0; placed < 2; placed++) {
            ffebm_tensor **to = placed ? &sum : &misplaced, *before = *to;

            assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, 2));
            assert_ok(p.f.context, ffebm_engine_set_first_sample(p.f.engine, placed ? (uint64_t)cuts[c] : 0));
            assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, x, y, NULL));
            *to = sum_of(&p.f, 1, before, (double)rows / 8, ffebm_engine_flat_gradient(p.f.engine));
            ffebm_tensor_destroy(before);
        }
        destroy_all((ffebm_tensor *[]){x, y}, 2);
    }
    ck_assert_double_lt(worst_error(&p.f, sum, whole), 1e-9);
    ck_assert_double_gt(worst_error(&p.f, misplaced, whole), 1e-6);
    destroy_all((ffebm_tensor *[]){whole, sum, misplaced}, 3);
    problem_end(&p);
}
END_TEST

/* Where nothing changes region the mean over the two signs is the centred estimate, block by block. */
START_TEST(signs_average_to_the_centred_estimate)
{
    problem p = problem_of(interior_readout, 0, 1, 1);
    ffebm_tensor *seen[2], *mean, *centered;
    ffebm_report report;
    size_t count = 1;

    seen[0] = gradient_by(&p, config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, 0.5, FFEBM_NUDGING_LINEAR), 0, &report);
    ck_assert_uint_eq(report.region_changes, 0);
    for (uint64_t step = 1; count < 2; step++) {
        seen[1] = gradient_by(&p, config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, 0.5, FFEBM_NUDGING_LINEAR), step, &report);
        if (same_bits(seen[0], seen[1]))
            ffebm_tensor_destroy(seen[1]);
        else
            count++;
    }
    ck_assert_uint_eq(report.region_changes, 0);
    centered = gradient_by(&p, config_of(FFEBM_ESTIMATOR_CENTERED, 0.5, FFEBM_NUDGING_LINEAR), 0, &report);
    mean = sum_of(&p.f, 0.5, seen[0], 0.5, seen[1]);
    ck_assert_double_lt(worst_error(&p.f, mean, centered), 1e-9);
    ck_assert_double_gt(worst_error(&p.f, seen[0], centered), 1e-3);
    destroy_all((ffebm_tensor *[]){seen[0], seen[1], mean, centered}, 4);
    problem_end(&p);
}
END_TEST

static void renew_engine(problem *p, uint64_t seed)
{
    ffebm_engine_config config;

    ffebm_engine_destroy(p->f.engine);
    p->f.engine = NULL;
    ffebm_engine_config_init(&config, sizeof config);
    config.seed = seed;
    assert_ok(p->f.context, ffebm_engine_create(&p->f.engine, p->f.model, &config));
}

/* What is drawn follows from the seed and the number of the call, whatever the threads; with the other settings that these
 * tests are about, too. */
START_TEST(same_seed_and_step_same_bits)
{
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, 0.5, FFEBM_NUDGING_AUTO);
    ffebm_tensor *first = NULL, *other, *again;

    config.free_tolerance = 1e-4; /* samples leave early, and others take their places */
    config.nudged_tolerance = 1e-2;
    config.repeats = _i % 2 == 0 ? 1 : 2;
    config.switches = _i / 2 % 2 == 0 ? FFEBM_SWITCHES_FOLLOW : FFEBM_SWITCHES_HOLD;
    for (int32_t threads = 1; threads <= 3; threads++) {
        problem p = problem_of(pooled, _i / 4 % 2 == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64, threads, 53);

        renew_engine(&p, 7);
        again = gradient_by(&p, config, 5, NULL);
        ck_assert(first == NULL || same_bits(again, first));
        if (first == NULL)
            first = copy_of(p.f.context, again); /* keeps its context */
        other = gradient_by(&p, config, 6, NULL);
        ck_assert(!same_bits(other, again));
        destroy_all((ffebm_tensor *[]){other, again}, 2);
        renew_engine(&p, 8);
        other = gradient_by(&p, config, 5, NULL);
        ck_assert(!same_bits(other, first));
        ffebm_tensor_destroy(other);
        problem_end(&p);
    }
    ffebm_tensor_destroy(first);
}
END_TEST

/* Every computing call has a number of its own, from 0 on. */
START_TEST(steps_count_computing_calls)
{
    problem p = problem_of(interior_readout, 0, 1, 32);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_RANDOM_SIGN, 0.5, FFEBM_NUDGING_AUTO);
    ffebm_tensor *numbered[6], *found;
    ffebm_report report;

    for (uint64_t step = 0; step < 6; step++)
        numbered[step] = gradient_by(&p, config, step, NULL);
    renew_engine(&p, 0);
    configure(&p, config);
    for (uint64_t call = 0; call < 6; call++) {
        if (call == 3)
            assert_ok(p.f.context, ffebm_engine_evaluate(p.f.engine, NULL, NULL, p.x, p.y, NULL));
        if (call == 4)
            assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, NULL, &ticket, p.x));
        if (call == 3 || call == 4)
            continue;
        found = gradient_of(&p, &report);
        for (uint64_t step = 0; step < 6; step++)
            ck_assert(same_bits(found, numbered[step]) == (step == call));
        ffebm_tensor_destroy(found);
    }
    ck_assert_int_eq(ffebm_engine_gradient(p.f.engine, NULL, p.y, p.y, NULL),
                     FFEBM_ERR_DTYPE); /* and refused ones not */
    assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, UINT64_MAX));
    ffebm_tensor_destroy(gradient_of(&p, &report));
    found = gradient_of(&p, &report);
    ck_assert(same_bits(found, numbered[0]));
    ffebm_tensor_destroy(found);
    destroy_all(numbered, 6);
    problem_end(&p);
}
END_TEST

/* vjp draws as gradient does: the same sign in both blocks and in the cotangent that arrives below. */
START_TEST(vjp_with_a_random_sign)
{
    static const int32_t kinds[] = {FFEBM_ESTIMATOR_POSITIVE, FFEBM_ESTIMATOR_NEGATIVE, FFEBM_ESTIMATOR_RANDOM_SIGN};
    problem p = problem_of(chains[_i], 0, 1, 1);
    ffebm_tensor *v = random_batch(p.f.context, FFEBM_FLOAT64, 1, p.f.info.output_shape, 1, -1, 1, 9);
    ffebm_tensor *dw[3], *dx[3];
    size_t equal[2] = {0, 0};

    for (uint64_t step = 0; step < 20; step++) {
        for (size_t k = 0; k < 3; k++) {
            configure(&p, config_of(kinds[k], strong[_i], FFEBM_NUDGING_LINEAR));
            dx[k] = copy_of(p.f.context, p.x);
            assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, NULL, &ticket, p.x));
            assert_ok(p.f.context, ffebm_engine_set_step(p.f.engine, step));
            assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, dx[k], ticket, v, 0));
            dw[k] = copy_of(p.f.context, ffebm_engine_flat_gradient(p.f.engine));
        }
        for (size_t k = 0; k < 2; k++)
            equal[k] += same_bits(dw[2], dw[k]) && same_bits(dx[2], dx[k]);
        ck_assert_uint_eq(equal[0] + equal[1], step + 1);
        destroy_all(dw, 3);
        destroy_all(dx, 3);
    }
    ck_assert(equal[0] > 0 && equal[1] > 0);
    ffebm_tensor_destroy(v);
    problem_end(&p);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- repeats */

/* Without noise the mean of many readings is one reading. One-sided estimators then settle the free state again, as a nudge
 * of strength zero, which must not pass for unsettled though it displaces nothing. */
START_TEST(repeats_of_the_same_are_the_same)
{
    problem p = problem_of(chains[_i / 12], 0, 1, 4);
    int32_t estimator = FFEBM_ESTIMATOR_CENTERED + _i % 6;
    ffebm_equilibrium_config config = config_of(estimator, 0.5, nudgings[_i / 6 % 2]);
    ffebm_tensor *once, *many;
    ffebm_report one, three;

    config.require_convergence = 1;
    once = gradient_by(&p, config, 0, &one);
    config.repeats = 3;
    many = gradient_by(&p, config, 0, &three);
    ck_assert_double_lt(worst_error(&p.f, many, once), 1e-9);
    ck_assert(estimator != FFEBM_ESTIMATOR_IMPLICIT || same_bits(many, once));
    ck_assert_uint_eq(three.region_changes, (estimator == FFEBM_ESTIMATOR_IMPLICIT ? 1 : 3) * one.region_changes);
    ck_assert_uint_eq(three.unconverged, 0);
    ck_assert_double_eq_tol(three.loss, one.loss, 1e-15);
    destroy_all((ffebm_tensor *[]){once, many}, 2);
    problem_end(&p);
}
END_TEST

/* Where the free phase stopped early, reading the free state anew lets its rest cancel. */
START_TEST(repeats_cancel_what_the_free_phase_left)
{
    problem p = problem_of(interior_readout, 0, 1, 4);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_POSITIVE, 0.5, FFEBM_NUDGING_LINEAR);
    ffebm_tensor *exact = gradient_by(&p, config, 0, NULL), *once, *twice;

    config.free_tolerance = 1e-3;
    once = gradient_by(&p, config, 0, NULL);
    config.repeats = 2;
    twice = gradient_by(&p, config, 0, NULL);
    ck_assert_double_lt(10 * worst_error(&p.f, twice, exact), worst_error(&p.f, once, exact));
    destroy_all((ffebm_tensor *[]){exact, once, twice}, 3);
    problem_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- held switches */

/* Where nudges move switches but no unit, EP that holds them is implicit differentiation; EP that follows is not. */
START_TEST(held_switches_make_ep_exact)
{
    problem p = problem_of(pooled, 0, 1, 16);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_CENTERED, 0.05, FFEBM_NUDGING_LINEAR);
    ffebm_tensor *followed, *held, *exact;
    ffebm_report report;

    config.estimator = _i == 0 ? FFEBM_ESTIMATOR_CENTERED : FFEBM_ESTIMATOR_FOUR_POINT;
    config.beta = _i == 0 ? 0.05 : 0.025;
    followed = gradient_by(&p, config, 0, &report);
    ck_assert_uint_gt(report.region_changes, 0);
    config.switches = FFEBM_SWITCHES_HOLD;
    held = gradient_by(&p, config, 0, &report);
    ck_assert_uint_eq(report.region_changes, 0);
    config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    exact = gradient_by(&p, config, 0, NULL);
    ck_assert_double_lt(worst_error(&p.f, held, exact), 1e-9);
    ck_assert_double_gt(worst_error(&p.f, followed, exact), 0.1);
    destroy_all((ffebm_tensor *[]){followed, held, exact}, 3);
    problem_end(&p);
}
END_TEST

START_TEST(held_switches_change_fewer_regions)
{
    problem p = problem_of(pooled, 0, 1, 16);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_CENTERED, 0.05, nudgings[_i]);

    for (; config.beta < 2; config.beta *= 2) {
        ffebm_report followed, held;

        config.switches = FFEBM_SWITCHES_FOLLOW;
        ffebm_tensor_destroy(gradient_by(&p, config, 0, &followed));
        config.switches = FFEBM_SWITCHES_HOLD;
        ffebm_tensor_destroy(gradient_by(&p, config, 0, &held));
        ck_assert_uint_le(held.region_changes, followed.region_changes);
        ck_assert_uint_eq(held.unconverged, 0);
    }
    problem_end(&p);
}
END_TEST

/* The part of one nudged state in EP by hand: dE/dtheta under the force - strength * delta. */
static ffebm_tensor *energy_gradient(const problem *p, const ffebm_tensor *delta, double strength)
{
    ffebm_tensor *force = sum_of(&p->f, -strength, delta, 0, delta), *gradient;

    assert_ok(p->f.context, ffebm_engine_settle(p->f.engine, 0, p->x, force));
    assert_ok(p->f.context, ffebm_engine_energy_gradient(p->f.engine, NULL, 0, FFEBM_PHASE_NUDGED));
    gradient = copy_of(p->f.context, ffebm_engine_flat_gradient(p->f.engine));
    ffebm_tensor_destroy(force);
    return gradient;
}

START_TEST(ep_by_hand_with_held_switches)
{
    const double beta = 0.5;
    problem p = problem_of(pooled_alone, 0, 1, 8);
    ffebm_equilibrium_config config = config_of(FFEBM_ESTIMATOR_CENTERED, beta, FFEBM_NUDGING_LINEAR);
    ffebm_tensor *target = random_batch(p.f.context, FFEBM_FLOAT64, 8, p.f.info.output_shape, 1, -3, 3, 6);
    ffebm_tensor *found[2], *state = copy_of(p.f.context, target), *delta, *above, *below, *expected;

    ffebm_tensor_destroy(p.y);
    p.y = target;
    for (int held = 0; held < 2; held++) {
        config.switches = held ? FFEBM_SWITCHES_HOLD : FFEBM_SWITCHES_FOLLOW;
        expected = gradient_by(&p, config, 0, NULL);
        assert_ok(p.f.context, ffebm_engine_settle(p.f.engine, 0, p.x, NULL));
        assert_ok(p.f.context, ffebm_engine_get_state(p.f.engine, state, 0, 2, FFEBM_PHASE_FREE));
        delta = sum_of(&p.f, 1, state, -1, target);
        above = energy_gradient(&p, delta, beta);
        below = energy_gradient(&p, delta, -beta);
        found[held] = sum_of(&p.f, 1 / (2 * beta), above, -1 / (2 * beta), below);
        ck_assert_double_lt(worst_error(&p.f, found[held], expected), 1e-10);
        destroy_all((ffebm_tensor *[]){delta, above, below, expected}, 4);
    }
    ck_assert_double_gt(worst_error(&p.f, found[0], found[1]), 1e-3); /* switches do move */
    destroy_all((ffebm_tensor *[]){found[0], found[1], state}, 3);
    problem_end(&p);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- live settings */

/* A setter does what configuring anew with that one value does, and leaves the rest. */
/* The relative error, over the worst parameter, of a gradient in float32 against implicit differentiation in float64. */
static double error_in_float32(double beta, int32_t nudging, int32_t estimator)
{
    problem p = problem_of(pooled, FFEBM_FLOAT32, 1, 4), exact = problem_of(pooled, FFEBM_FLOAT64, 1, 4);
    ffebm_equilibrium_config config = converged();
    ffebm_report report = {.size = sizeof report};
    ffebm_tensor *reference, *found;
    double error;

    config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    assert_ok(exact.f.context, ffebm_engine_configure(exact.f.engine, FFEBM_ALL, &config));
    reference = gradient_of(&exact, &report);
    config.free_tolerance = 1e-6;
    config.nudged_tolerance = 1e-5;
    config.estimator = estimator;
    config.switches = FFEBM_SWITCHES_HOLD;
    config.nudging = nudging;
    config.beta = beta;
    config.require_convergence = 1;
    config.repeats =
        estimator == FFEBM_ESTIMATOR_POSITIVE ? 2 : 1; /* so that what the free phase left cancels there, too */
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    found = gradient_of(&p, &report);
    error = worst_error(&p.f, found, reference);
    destroy_all((ffebm_tensor *[]){found, reference}, 2);
    problem_end(&p);
    problem_end(&exact);
    return error;
}

/* A nudge that moves states by less than their rounding: only displacements can hold it. */
START_TEST(small_nudges_survive_float32)
{
    static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_POSITIVE,
                                         FFEBM_ESTIMATOR_FOUR_POINT};
    double error = error_in_float32(1e-6, FFEBM_NUDGING_LINEAR, estimators[_i]);

    ck_assert_msg(error < 1e-3, "estimator %d: error %g", (int)estimators[_i], error);
}
END_TEST

START_TEST(setters_equal_configuring)
{
    problem p = problem_of(interior_readout, 0, 1, 4);
    size_t stage = _i == 0 ? FFEBM_ALL : _i == 1 ? 1 : 3;
    ffebm_equilibrium_config start = config_of(FFEBM_ESTIMATOR_POSITIVE, 0.5, FFEBM_NUDGING_LINEAR), changed;
    ffebm_tensor *before = gradient_by(&p, start, 0, NULL), *expected, *found;
    ffebm_report report;

    changed = start;
    changed.beta = 0.125;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, stage, &changed));
    expected = gradient_of(&p, &report);
    configure(&p, start);
    assert_ok(p.f.context, ffebm_engine_set_beta(p.f.engine, stage, 0.125));
    found = gradient_of(&p, &report);
    ck_assert(same_bits(found, expected) && !same_bits(found, before));
    destroy_all((ffebm_tensor *[]){expected, found}, 2);

    changed.free_sweeps = 4;
    changed.nudged_sweeps = 3;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, stage, &changed));
    expected = gradient_of(&p, &report);
    configure(&p, start);
    assert_ok(p.f.context, ffebm_engine_set_sweeps(p.f.engine, stage, 4, 3));
    assert_ok(p.f.context, ffebm_engine_set_beta(p.f.engine, stage, 0.125));
    found = gradient_of(&p, &report);
    ck_assert(same_bits(found, expected) && !same_bits(found, before));
    ck_assert(_i > 0 || report.sweeps == 4);
    destroy_all((ffebm_tensor *[]){before, expected, found}, 3);
    problem_end(&p);
}
END_TEST

#define REFUSED(call, text)                                                                                            \
    do {                                                                                                               \
        ck_assert_int_eq((call), FFEBM_ERR_ARGUMENT);                                                                  \
        ck_assert_msg(strstr(ffebm_context_error(p.f.context), text) != NULL, "%s", ffebm_context_error(p.f.context)); \
    } while (0)

START_TEST(refused_settings_change_nothing)
{
    static const struct {
        double beta;
        const char *text;
    } betas[] = {{0, "beta 0"}, {-0.25, "beta -0.25"}, {NAN, "nan"}, {INFINITY, "beta inf"}, {-INFINITY, "beta -inf"}};
    static const struct {
        size_t stage;
        const char *text;
    } stages[] = {{0, "stage 0"}, {2, "stage 2"}, {5, "stage 5"}, {FFEBM_ALL - 1, "of 5"}};
    problem p = problem_of(interior_readout, 0, 1, 4);
    ffebm_tensor *before, *after;
    ffebm_report report;

    before = gradient_by(&p, config_of(FFEBM_ESTIMATOR_POSITIVE, 0.5, FFEBM_NUDGING_LINEAR), 0, NULL);
    for (size_t i = 0; i < sizeof betas / sizeof betas[0]; i++) {
        REFUSED(ffebm_engine_set_beta(p.f.engine, FFEBM_ALL, betas[i].beta), betas[i].text);
        REFUSED(ffebm_engine_set_beta(p.f.engine, 1, betas[i].beta), betas[i].text);
    }
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        REFUSED(ffebm_engine_set_beta(p.f.engine, stages[i].stage, 0.1), stages[i].text);
        REFUSED(ffebm_engine_set_sweeps(p.f.engine, stages[i].stage, 1, 1), stages[i].text);
    }
    REFUSED(ffebm_engine_set_sweeps(p.f.engine, FFEBM_ALL, 0, 7), "0 free and 7");
    REFUSED(ffebm_engine_set_sweeps(p.f.engine, 3, 7, -2), "-2 nudged");
    REFUSED(ffebm_engine_set_sweeps(p.f.engine, 3, INT64_MIN, 1), "-9223372036854775808");
    ck_assert_int_eq(ffebm_engine_set_beta(NULL, FFEBM_ALL, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_sweeps(NULL, FFEBM_ALL, 1, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_step(NULL, 1), FFEBM_ERR_ARGUMENT);
    after = gradient_of(&p, &report);
    ck_assert(same_bits(after, before));
    destroy_all((ffebm_tensor *[]){before, after}, 2);
    problem_end(&p);
}
END_TEST

/* In a model without energy blocks they mean nothing, and are accepted for all of none. */
START_TEST(setters_without_energy_blocks)
{
    fixture f = fixture_of(
        "{\"input\": [3], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": \"relu\"}]}]}", 0, 1, 0);

    assert_ok(f.context, ffebm_engine_set_beta(f.engine, FFEBM_ALL, 0.1));
    assert_ok(f.context, ffebm_engine_set_sweeps(f.engine, FFEBM_ALL, 1, 1));
    fixture_end(&f);
}
END_TEST

Suite *test_estimators_suite(void)
{
    Suite *suite = suite_create("estimators");
    TCase *tests = tcase_create("estimators");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, random_sign_is_one_of_two, 0, 8);
    tcase_add_loop_test(tests, every_sample_has_a_sign_of_its_own, 0, 2);
    tcase_add_loop_test(tests, signs_do_not_show_how_a_batch_is_cut, 0, 2);
    tcase_add_test(tests, signs_average_to_the_centred_estimate);
    tcase_add_loop_test(tests, same_seed_and_step_same_bits, 0, 8);
    tcase_add_test(tests, steps_count_computing_calls);
    tcase_add_loop_test(tests, vjp_with_a_random_sign, 0, 2);
    tcase_add_loop_test(tests, repeats_of_the_same_are_the_same, 0, 24);
    tcase_add_test(tests, repeats_cancel_what_the_free_phase_left);
    tcase_add_loop_test(tests, held_switches_make_ep_exact, 0, 2);
    tcase_add_loop_test(tests, held_switches_change_fewer_regions, 0, 2);
    tcase_add_test(tests, ep_by_hand_with_held_switches);
    tcase_add_loop_test(tests, small_nudges_survive_float32, 0, 3);
    tcase_add_loop_test(tests, setters_equal_configuring, 0, 3);
    tcase_add_test(tests, refused_settings_change_nothing);
    tcase_add_test(tests, setters_without_energy_blocks);
    suite_add_tcase(suite, tests);
    return suite;
}

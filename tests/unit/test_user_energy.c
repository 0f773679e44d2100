/* Energy blocks of the user's against the library's own and against finite differences: the same physics must give the
 * same states and gradients. */
#include <math.h>
#include <string.h>

#include "user_blocks.h"

enum { ROWS = 5, IN = 6, STAGES = 2 };
static const size_t energy_stages[STAGES] = {1, 3};

/* linear -> Hopfield -> linear -> Hopfield -> linear, cross entropy: once with the library's blocks, once with the user's
 * that compute the same, at the same values. Nothing is near a bound. */
typedef struct twins {
    fixture ours, theirs;
    hopfield h[STAGES];
    energy_block blocks[STAGES];
    ffebm_tensor *x, *y;
} twins;

static fixture chain_of(const hopfield *h, energy_block *blocks, int32_t dtype)
{
    static const int64_t in[] = {IN};
    ffebm_initialization interior;
    fixture f = chain_begin(dtype, 1, in, 1, FFEBM_LOSS_CROSS_ENTROPY);

    ffebm_initialization_init(&interior, sizeof interior);
    interior.gain = 0.5;
    interior.bias = 0.8;
    interior.constant_bias = 1;
    assert_ok(f.context, ffebm_model_set_initialization(f.model, &interior));
    for (size_t i = 0; i < STAGES; i++) {
        chain_op(&f, FFEBM_OP_LINEAR, h[i].units[0]);
        if (blocks == NULL)
            chain_hopfield(&f, &h[i]);
        else
            chain_energy(&f, &blocks[i]);
    }
    chain_op(&f, FFEBM_OP_LINEAR, 3);
    chain_ready(&f, 3);
    return f;
}

static void twins_begin(twins *t, int32_t dtype, int all_slots, int clamp_last)
{
    t->h[0] = hopfield_of(5, 7, 4, 0.5, clamp_last);
    t->h[1] = hopfield_of(6, 5, 4, 0.5, 0);
    for (size_t i = 0; i < STAGES; i++)
        hopfield_init(&t->blocks[i], &t->h[i], all_slots);
    t->ours = chain_of(t->h, NULL, dtype);
    t->theirs = chain_of(t->h, t->blocks, dtype);
    assert_ok(t->theirs.context, ffebm_tensor_copy(ffebm_model_flat_parameters(t->theirs.model),
                                                   ffebm_model_flat_parameters(t->ours.model)));
    t->x = random_input(&t->ours, ROWS, 5);
    t->y = random_labels(&t->ours, ROWS, 6);
}

static void twins_end(twins *t)
{
    ffebm_tensor_destroy(t->x);
    ffebm_tensor_destroy(t->y);
    fixture_end(&t->ours);
    fixture_end(&t->theirs);
    for (size_t i = 0; i < STAGES; i++) {
        ck_assert_uint_eq(t->blocks[i].watch.dirty, 0);
        ck_assert_uint_eq(t->blocks[i].watch.elsewhere, 0);
        ck_assert_uint_eq(t->blocks[i].watch.destroyed, 1);
    }
}

static void configure(fixture *f, int32_t estimator, int32_t nudging, double beta)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = estimator;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = beta;
    assert_ok(f->context, ffebm_engine_configure(f->engine, FFEBM_ALL, &config));
    config.nudging = nudging;
    assert_ok(f->context, ffebm_engine_configure(f->engine, energy_stages[STAGES - 1], &config));
}

static void configure_both(twins *t, int32_t estimator, int32_t nudging, double beta)
{
    configure(&t->ours, estimator, nudging, beta);
    configure(&t->theirs, estimator, nudging, beta);
}

/* All layers of a state of the library's block, as the user's state. */
static ffebm_tensor *joined_state(const twins *t, size_t stage, int32_t phase)
{
    const hopfield *h = &t->h[stage];
    int64_t units[] = {h->units[0] + h->units[1] + h->units[2]};
    ffebm_tensor *all = random_batch(t->ours.context, t->ours.info.dtype, ROWS, units, 1, 0, 0, 0);
    size_t at = 0;

    for (size_t l = 0; l < HOPFIELD_LAYERS; l++) {
        size_t count = (size_t)h->units[l];
        ffebm_tensor *layer = random_batch(t->ours.context, t->ours.info.dtype, ROWS, &h->units[l], 1, 0, 0, 0);

        assert_ok(t->ours.context, ffebm_engine_get_state(t->ours.engine, layer, energy_stages[stage], l, phase));
        for (size_t i = 0; i < ROWS * count; i++)
            set_element(all, i / count * (size_t)units[0] + at + i % count, element(layer, i));
        ffebm_tensor_destroy(layer);
        at += count;
    }
    return all;
}

static void compare_states(twins *t, int32_t phase, double tolerance)
{
    for (size_t i = 0; i < STAGES; i++) {
        ffebm_tensor *ours = joined_state(t, i, phase), *theirs = copy_of(t->theirs.context, ours);

        assert_ok(t->theirs.context, ffebm_engine_get_state(t->theirs.engine, theirs, energy_stages[i], 0, phase));
        ck_assert_double_lt(relative_error(theirs, ours), tolerance);
        ffebm_tensor_destroy(ours);
        ffebm_tensor_destroy(theirs);
    }
}

/* Gradients of the lowest layers are small differences of states: each for itself they agree to fewer digits. */
static void compare_gradients(const twins *t, double tolerance)
{
    const ffebm_tensor *ours = ffebm_engine_flat_gradient(t->ours.engine),
                       *theirs = ffebm_engine_flat_gradient(t->theirs.engine);
    double error = relative_error(theirs, ours), worst = worst_error(&t->ours, theirs, ours);

    ck_assert_msg(error < tolerance, "gradient: %g", error);
    ck_assert_msg(t->ours.info.dtype == FFEBM_FLOAT32 || worst < 100 * tolerance, "of one parameter: %g", worst);
}

/* gradient; then forward and vjp with the input's cotangent. */
static void compare_computing(twins *t, double tolerance)
{
    ffebm_report ours = {.size = sizeof ours}, theirs = {.size = sizeof theirs};
    ffebm_tensor *v = random_batch(t->ours.context, t->ours.info.dtype, ROWS, t->ours.info.output_shape, 1, -1, 1, 9);
    ffebm_tensor *outputs[2] = {copy_of(t->ours.context, v), copy_of(t->ours.context, v)};
    ffebm_tensor *cotangents[2] = {copy_of(t->ours.context, t->x), copy_of(t->ours.context, t->x)};
    uint64_t tickets[2];

    assert_ok(t->ours.context, ffebm_engine_gradient(t->ours.engine, &ours, t->x, t->y, NULL));
    assert_ok(t->theirs.context, ffebm_engine_gradient(t->theirs.engine, &theirs, t->x, t->y, NULL));
    ck_assert_double_eq_tol(theirs.loss, ours.loss, tolerance);
    ck_assert_uint_eq(ours.region_changes, 0);
    compare_gradients(t, tolerance);
    compare_states(t, FFEBM_PHASE_FREE, tolerance);
    assert_ok(t->ours.context, ffebm_engine_forward(t->ours.engine, outputs[0], &tickets[0], t->x));
    assert_ok(t->theirs.context, ffebm_engine_forward(t->theirs.engine, outputs[1], &tickets[1], t->x));
    ck_assert_double_lt(relative_error(outputs[1], outputs[0]), tolerance);
    assert_ok(t->ours.context, ffebm_engine_vjp(t->ours.engine, cotangents[0], tickets[0], v, 0));
    assert_ok(t->theirs.context, ffebm_engine_vjp(t->theirs.engine, cotangents[1], tickets[1], v, 0));
    ck_assert_double_lt(relative_error(cotangents[1], cotangents[0]), 20 * tolerance); /* small, as those are */
    compare_gradients(t, tolerance);
    destroy_all((ffebm_tensor *[]){v, outputs[0], outputs[1], cotangents[0], cotangents[1]}, 5);
}

enum { ESTIMATORS = 6 }; /* IMPLICIT, by the adjoint, is the last */

START_TEST(computes_what_the_librarys_block_computes)
{
    int32_t dtype = _i % 2 == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    int32_t nudging = _i / 2 % 2 == 0 ? FFEBM_NUDGING_LINEAR : FFEBM_NUDGING_LOSS;
    int32_t estimator = FFEBM_ESTIMATOR_CENTERED + _i / 8;
    twins t;

    twins_begin(&t, dtype, _i / 4 % 2, _i / 4 % 2);
    configure_both(&t, estimator, nudging, dtype == FFEBM_FLOAT64 ? 0.05 : 0.4);
    compare_computing(&t, dtype == FFEBM_FLOAT64 ? 1e-9 : 3e-4);
    twins_end(&t);
}
END_TEST

static void compare_by_hand(twins *t, size_t stage, const ffebm_tensor *x, const ffebm_tensor *force)
{
    int32_t phase = force == NULL ? FFEBM_PHASE_FREE : FFEBM_PHASE_NUDGED;
    size_t at = energy_stages[stage];
    ffebm_tensor *energies[2], *state = joined_state(t, stage, FFEBM_PHASE_FREE);
    int64_t rows[] = {ROWS};

    for (int i = 0; i < 2; i++) {
        fixture *f = i == 0 ? &t->ours : &t->theirs;

        assert_ok(f->context, ffebm_tensor_create(f->context, &energies[i], f->info.dtype, rows, 1));
        assert_ok(f->context, ffebm_engine_settle(f->engine, at, x, force));
        assert_ok(f->context, ffebm_engine_energy(f->engine, energies[i], at, phase, x));
        assert_ok(f->context, ffebm_engine_energy_gradient(f->engine, NULL, at, phase));
    }
    ck_assert_double_lt(relative_error(energies[1], energies[0]), 1e-9);
    compare_gradients(t, 1e-9);
    ffebm_tensor_destroy(state);
    state = joined_state(t, stage, phase);
    ffebm_tensor_destroy(energies[0]);
    energies[0] = copy_of(t->theirs.context, state);
    assert_ok(t->theirs.context, ffebm_engine_get_state(t->theirs.engine, energies[0], at, 0, phase));
    ck_assert_double_lt(relative_error(energies[0], state), 1e-9);
    destroy_all((ffebm_tensor *[]){energies[0], energies[1], state}, 3);
}

/* settle, energy and energy_gradient of one stage, free and under a force. */
START_TEST(by_hand_as_the_librarys_block)
{
    twins t;

    twins_begin(&t, FFEBM_FLOAT64, _i, _i);
    configure_both(&t, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS, 0.05);
    assert_ok(t.ours.context, ffebm_engine_gradient(t.ours.engine, NULL, t.x, t.y, NULL));
    assert_ok(t.theirs.context, ffebm_engine_gradient(t.theirs.engine, NULL, t.x, t.y, NULL));
    for (size_t i = 0; i < STAGES; i++) {
        ffebm_tensor *x = random_batch(t.ours.context, FFEBM_FLOAT64, ROWS, &t.h[i].units[0], 1, -1, 1, 7);
        ffebm_tensor *force = random_batch(t.ours.context, FFEBM_FLOAT64, ROWS, &t.h[i].units[2], 1, -0.1, 0.1, 8);

        compare_by_hand(&t, i, x, NULL);
        compare_by_hand(&t, i, x, force);
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(force);
    }
    twins_end(&t);
}
END_TEST

/* ---------------------------------------------------------------------------------------- a network solved exactly */

typedef struct chain {
    energy_block blocks[2];
    fixture f;
    ffebm_tensor *x, *y;
} chain;

static void chain_setup(chain *c, int32_t dtype)
{
    network_init(&c->blocks[0]);
    network_init(&c->blocks[1]);
    c->f = chain_of_networks(c->blocks, dtype, 1);
    c->x = random_input(&c->f, ROWS, 5);
    c->y = random_labels(&c->f, ROWS, 6);
}

static void chain_teardown(chain *c)
{
    ffebm_tensor_destroy(c->x);
    ffebm_tensor_destroy(c->y);
    fixture_end(&c->f);
}

static double loss_of(chain *c)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(c->f.context, ffebm_engine_evaluate(c->f.engine, &report, NULL, c->x, c->y, NULL));
    return report.loss;
}

static ffebm_tensor *exact_gradient(chain *c)
{
    configure(&c->f, FFEBM_ESTIMATOR_IMPLICIT, FFEBM_NUDGING_LINEAR, 0.1);
    assert_ok(c->f.context, ffebm_engine_gradient(c->f.engine, NULL, c->x, c->y, NULL));
    return copy_of(c->f.context, ffebm_engine_flat_gradient(c->f.engine));
}

/* Of every parameter: conductances, the linear maps below and between, and the readout. */
START_TEST(gradients_are_the_losses_derivatives)
{
    static const int32_t estimators[] = {FFEBM_ESTIMATOR_IMPLICIT, FFEBM_ESTIMATOR_CENTERED,
                                         FFEBM_ESTIMATOR_FOUR_POINT};
    const double step = 1e-4;
    ffebm_tensor *parameters;
    chain c;

    chain_setup(&c, FFEBM_FLOAT64);
    parameters = ffebm_model_flat_parameters(c.f.model);
    configure(&c.f, estimators[_i], FFEBM_NUDGING_LINEAR, 0.3);
    assert_ok(c.f.context, ffebm_engine_gradient(c.f.engine, NULL, c.x, c.y, NULL));
    for (size_t i = 0; i < ffebm_tensor_count(parameters); i++) {
        double value = element(parameters, i), above, below;

        set_element(parameters, i, value + step);
        above = loss_of(&c);
        set_element(parameters, i, value - step);
        below = loss_of(&c);
        set_element(parameters, i, value);
        ck_assert_double_eq_tol(element(ffebm_engine_flat_gradient(c.f.engine), i), (above - below) / (2 * step), 1e-8);
    }
    chain_teardown(&c);
}
END_TEST

START_TEST(centered_is_exact_at_any_beta)
{
    ffebm_tensor *exact;
    chain c;

    chain_setup(&c, FFEBM_FLOAT64);
    exact = exact_gradient(&c);
    for (double beta = 1e-3; beta < 10; beta *= 10) {
        configure(&c.f, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LINEAR, beta);
        assert_ok(c.f.context, ffebm_engine_gradient(c.f.engine, NULL, c.x, c.y, NULL));
        ck_assert_double_lt(worst_error(&c.f, ffebm_engine_flat_gradient(c.f.engine), exact), 1e-9);
    }
    ffebm_tensor_destroy(exact);
    chain_teardown(&c);
}
END_TEST

/* One-sided estimates are wrong in the first power of beta; halving it halves the error. The readout's own gradient is
 * exact, so only energy blocks and what is below count. */
START_TEST(one_sided_errs_in_the_first_power_of_beta)
{
    static const int32_t estimators[] = {FFEBM_ESTIMATOR_POSITIVE, FFEBM_ESTIMATOR_NEGATIVE};
    double errors[2];
    ffebm_tensor *exact;
    chain c;

    chain_setup(&c, FFEBM_FLOAT64);
    exact = exact_gradient(&c);
    for (int i = 0; i < 2; i++) {
        configure(&c.f, estimators[_i], FFEBM_NUDGING_LINEAR, i == 0 ? 0.02 : 0.01);
        assert_ok(c.f.context, ffebm_engine_gradient(c.f.engine, NULL, c.x, c.y, NULL));
        errors[i] = relative_error(ffebm_engine_flat_gradient(c.f.engine), exact);
    }
    ck_assert_double_gt(errors[1], 1e-8);
    ck_assert_double_eq_tol(log2(errors[0] / errors[1]), 1, 0.02);
    ffebm_tensor_destroy(exact);
    chain_teardown(&c);
}
END_TEST

/* Without an adjoint a certificate rests on differences. */
START_TEST(certificates_with_and_without_adjoint)
{
    ffebm_certify_config config;
    ffebm_certificate worst = {.size = sizeof worst};
    chain c;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 4;
    config.max_difference_error = 1e-5;
    network_init(&c.blocks[0]);
    network_init(&c.blocks[1]);
    c.blocks[0].table.adjoint = c.blocks[1].table.adjoint = _i == 0 ? c.blocks[0].table.adjoint : NULL;
    c.f = chain_of_networks(c.blocks, FFEBM_FLOAT64, 1);
    c.x = random_input(&c.f, ROWS, 5);
    c.y = random_labels(&c.f, ROWS, 6);
    configure(&c.f, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LINEAR, 0.1);
    assert_ok(c.f.context, ffebm_engine_certify(c.f.engine, &worst, c.x, c.y, NULL, &config));
    ck_assert_msg(worst.passed, "%s: cosine %g, differences %g", worst.name, worst.cosine, worst.difference_error);
    config.directions = 0;
    ck_assert_int_eq(ffebm_engine_certify(c.f.engine, &worst, c.x, c.y, NULL, &config),
                     _i == 0 ? FFEBM_OK : FFEBM_ERR_UNSUPPORTED);
    chain_teardown(&c);
}
END_TEST

/* A block of the user's settles as it does, whatever precision its sweeps may have. */
START_TEST(mixed_precision_is_its_own_affair)
{
    twins t;
    ffebm_tensor *gradients[2];

    twins_begin(&t, FFEBM_FLOAT32, 1, 0);
    for (int i = 0; i < 2; i++) {
        ffebm_equilibrium_config config;

        ffebm_equilibrium_config_init(&config, sizeof config);
        config.nudging = FFEBM_NUDGING_LINEAR;
        config.precision = i == 0 ? FFEBM_PRECISION_FULL : FFEBM_PRECISION_MIXED;
        assert_ok(t.theirs.context, ffebm_engine_configure(t.theirs.engine, FFEBM_ALL, &config));
        assert_ok(t.theirs.context, ffebm_engine_gradient(t.theirs.engine, NULL, t.x, t.y, NULL));
        gradients[i] = copy_of(t.theirs.context, ffebm_engine_flat_gradient(t.theirs.engine));
    }
    ck_assert_double_eq(relative_error(gradients[1], gradients[0]), 0);
    ffebm_tensor_destroy(gradients[0]);
    ffebm_tensor_destroy(gradients[1]);
    twins_end(&t);
}
END_TEST

Suite *test_user_energy_suite(void)
{
    Suite *suite = suite_create("user_energy");
    TCase *tests = tcase_create("user_energy");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, computes_what_the_librarys_block_computes, 0, 8 * ESTIMATORS);
    tcase_add_loop_test(tests, by_hand_as_the_librarys_block, 0, 2);
    tcase_add_test(tests, mixed_precision_is_its_own_affair);
    tcase_add_loop_test(tests, gradients_are_the_losses_derivatives, 0, 3);
    tcase_add_test(tests, centered_is_exact_at_any_beta);
    tcase_add_loop_test(tests, one_sided_errs_in_the_first_power_of_beta, 0, 2);
    tcase_add_loop_test(tests, certificates_with_and_without_adjoint, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

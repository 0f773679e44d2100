/* Certificates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "energy/sweeps.h"
#include "gradient/engine.h"
#include "trial.h"

/* Parameters of both models by index: the weight of the first coupling of stage 1, and of stage 3. */
static const char *const couplings[] = {"stage1.0.weight", "stage3.0.weight"};

static ffebm_certify_config with_directions(size_t directions)
{
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = directions;
    return config;
}

static ffebm_certificate certificate_of(const trial *p, size_t index)
{
    ffebm_certificate certificate = {.size = sizeof certificate};

    assert_ok(p->f.context, ffebm_engine_inspect_certificate(p->f.engine, &certificate, index));
    return certificate;
}

/* --------------------------------------------------------------------------------------------------- certificates */

START_TEST(exact_gradients_pass)
{
    trial p = trial_of(_i, 0, 1);
    ffebm_certify_config config = with_directions(4);
    ffebm_certificate worst = {.size = sizeof worst};

    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config));
    ck_assert_msg(worst.passed && worst.cosine > 0.9999, "%s", worst.name);
    for (size_t i = 0; i <= p.f.info.parameter_count; i++) {
        ffebm_certificate c = certificate_of(&p, i);

        ck_assert_msg(c.passed && c.cosine > 0.9999 && c.cosine <= 1 && c.relative_error < 1e-3, "%s: cosine %.9f, %g",
                      c.name, c.cosine, c.relative_error);
        ck_assert(c.norm > 0);
        if (c.norm < 1e-15) /* a bias in front of batch normalisation */
            ck_assert(isnan(c.difference_cosine) && isnan(c.difference_error) && c.cosine == 1);
        else
            ck_assert_msg(c.difference_cosine > 0.9999 && c.difference_error < 1e-3, "%s: differences %.9f, %g", c.name,
                          c.difference_cosine, c.difference_error);
        ck_assert_double_le(c.free_residual, 1e-15);
        ck_assert_double_le(c.nudged_residual, 1e-12);
        ck_assert_double_le(c.adjoint_residual, 1e-10);
    }
    ck_assert_str_eq(certificate_of(&p, p.f.info.parameter_count).name, "input");
    trial_end(&p);
}
END_TEST

/* Without nudging both are implicit: the same numbers, up to where the two stop. The figures of parameters and input are
 * those of gradient and vjp. */
START_TEST(figures_are_those_of_the_gradients)
{
    trial p = trial_of(_i, 0, 1);
    ffebm_equilibrium_config config = settled();
    ffebm_tensor *estimate, *v, *dx[2];
    ffebm_certificate c;
    double norms[2] = {0}, product = 0;

    config.nudging = FFEBM_NUDGING_LINEAR;
    config.nudged_sweeps = 3;
    config.nudged_tolerance = 0;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, NULL));
    ffebm_engine_set_mode(p.f.engine, FFEBM_MODE_TRAINING);
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    estimate = copy_of(p.f.context, ffebm_engine_flat_gradient(p.f.engine));
    for (size_t i = 0; i < p.f.info.parameter_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        double square = 0;

        assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &info, i));
        c = certificate_of(&p, i);
        ck_assert_str_eq(c.name, info.name);
        for (size_t k = info.offset; k < info.offset + info.count; k++)
            square += pow(element(estimate, k), 2);
        ck_assert_double_lt(fabs(sqrt(square) / c.norm - 1), 1e-12);
    }
    /* the loss's derivative by the output, and through vjp by the input, twice */
    v = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, 0, 0, 0);
    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, v, &ticket, p.x));
    for (size_t n = 0; n < ROWS; n++) {
        double sum = 0;

        for (size_t k = 0; k < p.f.outputs; k++)
            sum += exp(element(v, n * p.f.outputs + k));
        for (size_t k = 0; k < p.f.outputs; k++) {
            double one = ((const int64_t *)ffebm_tensor_data(p.y))[n] == (int64_t)k ? 1 : 0;

            set_element(v, n * p.f.outputs + k, (exp(element(v, n * p.f.outputs + k)) / sum - one) / ROWS);
        }
    }
    for (int i = 0; i < 2; i++) {
        dx[i] = copy_of(p.f.context, p.x);
        assert_ok(p.f.context, ffebm_engine_vjp(p.f.engine, dx[i], ticket, v, 0));
        config = settled();
        config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
        assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    }
    for (size_t i = 0; i < ffebm_tensor_count(dx[0]); i++) {
        norms[0] += pow(element(dx[0], i), 2);
        norms[1] += pow(element(dx[1], i), 2);
        product += element(dx[0], i) * element(dx[1], i);
    }
    c = certificate_of(&p, p.f.info.parameter_count);
    ck_assert_double_lt(fabs(sqrt(norms[0]) / c.norm - 1), 1e-9);
    ck_assert_double_lt(fabs(product / sqrt(norms[0] * norms[1]) - c.cosine), 1e-9);
    ck_assert_double_lt(fabs(relative_error(dx[0], dx[1]) - c.relative_error), 1e-7);
    ck_assert_double_gt(c.relative_error, 1e-6); /* three sweeps are too few */
    for (int i = 0; i < 2; i++)
        ffebm_tensor_destroy(dx[i]);
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(estimate);
    trial_end(&p);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- a spoiled gradient */

/* A kind that is the block's own but for the gradient of one parameter; where what is spoiled is estimates alone, implicit
 * differentiation is left as it was. */
static const ffebmi_energy_kind *own_kind;
static ffebmi_sweep_rules spoiled_rules;
static size_t spoiled_parameter;
static int spoil_both;

static void spoiled_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t parameter, size_t first,
                             size_t count, void *work)
{
    ffebmi_contrast other = *contrast;

    if (parameter == spoiled_parameter && (spoil_both || !contrast->tangent))
        other.weight *= -1;
    own_kind->sweeps->gradient(block, &other, parameter, first, count, work);
}

static void spoil(trial *p, ffebmi_energy_kind *kind, size_t stage, int both)
{
    ffebm_energy *block = p->f.model->stages[stage].energy;

    own_kind = block->kind;
    *kind = *own_kind;
    spoiled_rules = *own_kind->sweeps;
    spoiled_rules.gradient = spoiled_gradient;
    kind->sweeps = &spoiled_rules;
    block->kind = kind;
    spoiled_parameter = 0;
    spoil_both = both;
}

START_TEST(a_spoiled_gradient_is_named)
{
    int both = _i / (2 * MODELS);
    size_t stage = _i / MODELS % 2 == 0 ? 1 : 3;
    trial p = trial_of(_i % MODELS, 0, 1);
    ffebm_certify_config config = with_directions(both ? 4 : 0);
    ffebm_certificate worst = {.size = sizeof worst};
    ffebmi_energy_kind kind;

    spoil(&p, &kind, stage, both);
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config));
    ck_assert_int_eq(worst.passed, 0);
    ck_assert_str_eq(worst.name, couplings[stage / 2]);
    ck_assert(both ? worst.cosine > 0.9999 && worst.difference_cosine < -0.9999 : worst.cosine < -0.9999);
    for (size_t i = 0; i <= p.f.info.parameter_count; i++)
        ck_assert_int_eq(certificate_of(&p, i).passed, strcmp(certificate_of(&p, i).name, worst.name) != 0);
    p.f.model->stages[stage].energy->kind = own_kind;
    trial_end(&p);
}
END_TEST

/* Nudged phases that end before the signal has come down: the lowest tensors are the worst. */
START_TEST(too_few_sweeps_fail)
{
    trial p = trial_of(0, 0, 1);
    ffebm_equilibrium_config equilibrium = settled();
    ffebm_certificate worst = {.size = sizeof worst};

    equilibrium.nudged_sweeps = 1;
    equilibrium.nudged_tolerance = 0;
    equilibrium.nudged_order = FFEBM_ORDER_FORWARD; /* one layer down in a sweep */
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &equilibrium));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, NULL));
    ck_assert_int_eq(worst.passed, 0);
    ck_assert_double_eq(worst.cosine, 0); /* nothing arrives */
    ck_assert_double_eq(worst.norm, 0);
    trial_end(&p);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- what stays as it is */

static void move_statistics(const trial *p)
{
    for (size_t i = 0; i < p->f.info.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};

        assert_ok(p->f.context, ffebm_model_inspect_parameter(p->f.model, &info, p->f.info.parameter_count + i));
        for (size_t k = 0; k < info.count; k++)
            set_element(info.value, k, element(info.value, k) + 0.1 * (double)(k + i));
    }
}

static void same_certificates(const trial *p, const ffebm_certificate *expected)
{
    for (size_t i = 0; i <= p->f.info.parameter_count; i++) {
        ffebm_certificate c = certificate_of(p, i);

        ck_assert_mem_eq(&c, &expected[i], sizeof c);
    }
}

static const int32_t estimators[] = {FFEBM_ESTIMATOR_CENTERED, FFEBM_ESTIMATOR_RANDOM_SIGN, FFEBM_ESTIMATOR_FOUR_POINT};

/* ... and the same once more, in both modes, with threads; and training goes on as if nothing had happened. */
START_TEST(nothing_has_changed)
{
    trial p = trial_of(_i % MODELS, 0, 1 + _i / (MODELS * 3)), undisturbed = trial_of(_i % MODELS, 0, 1);
    ffebm_equilibrium_config equilibrium = settled();
    ffebm_certify_config config = with_directions(1);
    ffebm_phase_report phase = {.size = sizeof phase};
    ffebm_certificate first[32];
    snapshot before;

    equilibrium.estimator = estimators[_i / MODELS % 3];
    move_statistics(&p);
    move_statistics(&undisturbed);
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &equilibrium));
    assert_ok(undisturbed.f.context, ffebm_engine_configure(undisturbed.f.engine, FFEBM_ALL, &equilibrium));
    for (int32_t mode = FFEBM_MODE_TRAINING; mode <= FFEBM_MODE_EVALUATION; mode++) {
        assert_ok(p.f.context, ffebm_engine_set_mode(p.f.engine, mode));
        assert_ok(undisturbed.f.context, ffebm_engine_set_mode(undisturbed.f.engine, mode));
        before = snapshot_of(&p);
        assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, &config));
        check_snapshot(&before, &p);
        for (size_t i = 0; i <= p.f.info.parameter_count; i++)
            first[i] = certificate_of(&p, i);
        assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, &config));
        same_certificates(&p, first);
        assert_ok(p.f.context, ffebm_engine_inspect_phase(p.f.engine, &phase, FFEBM_ALL, FFEBM_PHASE_NUDGED));
        ck_assert_uint_eq(phase.samples, 2 * ROWS);
        assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
        assert_ok(undisturbed.f.context,
                  ffebm_engine_gradient(undisturbed.f.engine, NULL, undisturbed.x, undisturbed.y, NULL));
        ck_assert_mem_eq(ffebm_tensor_data(ffebm_engine_flat_gradient(p.f.engine)),
                         ffebm_tensor_data(ffebm_engine_flat_gradient(undisturbed.f.engine)),
                         p.f.info.element_count * sizeof(double));
    }
    trial_end(&p);
    trial_end(&undisturbed);
}
END_TEST

START_TEST(a_certificate_is_no_gradient)
{
    trial p = trial_of(0, 0, 1);
    ffebm_optimizer *optimizer;
    ffebm_tensor *v = random_batch(p.f.context, FFEBM_FLOAT64, ROWS, p.f.info.output_shape, 1, -1, 1, 3);

    assert_ok(p.f.context, ffebm_optimizer_create_adam(&optimizer, p.f.model, NULL));
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, NULL));
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, p.f.engine), FFEBM_ERR_STATE);
    assert_ok(p.f.context, ffebm_engine_forward(p.f.engine, NULL, &ticket, p.x));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, NULL));
    ck_assert_int_eq(ffebm_engine_vjp(p.f.engine, NULL, ticket, v, 0), FFEBM_ERR_STATE);
    ffebm_tensor_destroy(v);
    ffebm_optimizer_destroy(optimizer);
    trial_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- edges and errors */

/* No gradient reaches a layer whose units are all at a bound, nor does the loss feel it. */
START_TEST(zero_gradients_agree)
{
    trial p = trial_of(0, 0, 1);
    ffebm_certify_config config = with_directions(2);
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_certificate worst = {.size = sizeof worst};
    size_t bias = ffebm_model_find_parameter(p.f.model, "stage0.1.bias");

    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &info, bias));
    for (size_t i = 0; i < info.count; i++)
        set_element(info.value, i, -20);
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config));
    ck_assert_int_eq(worst.passed, 1);
    for (size_t i = 0; i <= bias; i++) {
        ffebm_certificate c = certificate_of(&p, i);

        ck_assert_double_eq(c.norm, 0);
        ck_assert_double_eq(c.cosine, 1);
        ck_assert_double_eq(c.relative_error, 0);
        ck_assert_double_eq(c.difference_cosine, 1);
        ck_assert_double_eq(c.difference_error, 0);
    }
    trial_end(&p);
}
END_TEST

/* Backpropagation has no equilibria: it is exact. And a model without parameters still has an input. */
START_TEST(models_without_energy_blocks)
{
    static const char *const chains[] = {MODEL("[4]", "1", DIGITAL(LINEAR("5") ", {\"type\": \"tanh\"}, " LINEAR("3"))),
                                         MODEL("[3]", "1", DIGITAL("{\"type\": \"tanh\"}"))};
    trial p = {.f = fixture_of(chains[_i], 0, 1, 3)};
    ffebm_certify_config config = with_directions(4);
    ffebm_certificate worst = {.size = sizeof worst}, c;

    p.x = random_input(&p.f, ROWS, 5);
    p.y = random_labels(&p.f, ROWS, 6);
    config.max_difference_error = 1e-6;
    config.max_relative_error = 1e-15;
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config));
    ck_assert_int_eq(worst.passed, 1);
    c = certificate_of(&p, p.f.info.parameter_count);
    ck_assert(c.norm > 0 && c.cosine > 1 - 1e-12 && c.difference_error < 1e-6 && c.free_residual == 0);
    trial_end(&p);
}
END_TEST

/* In float32 the loss cannot resolve most differences; those it does agree. */
START_TEST(float32_says_what_it_cannot_resolve)
{
    trial p = trial_of(_i, FFEBM_FLOAT32, 1);
    ffebm_equilibrium_config equilibrium = settled();
    ffebm_certify_config config = with_directions(4);
    ffebm_certificate worst = {.size = sizeof worst};

    equilibrium.beta = 0.02;
    equilibrium.free_tolerance = 1e-6;
    equilibrium.nudged_tolerance = 1e-3;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &equilibrium));
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config));
    ck_assert_msg(worst.passed, "%s: cosine %g, differences %g", worst.name, worst.cosine, worst.difference_error);
    ck_assert(!isnan(certificate_of(&p, p.f.info.parameter_count - 1).difference_error)); /* the last bias */
    trial_end(&p);
}
END_TEST

START_TEST(adjoints_that_do_not_converge)
{
    trial p = trial_of(_i, 0, 1);
    ffebm_certify_config config = with_directions(0);
    ffebm_certificate worst = {.size = sizeof worst}, expected;
    snapshot before = snapshot_of(&p);

    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, NULL));
    expected = certificate_of(&p, 0);
    config.adjoint_sweeps = 2;
    ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &config), FFEBM_ERR_CONVERGENCE);
    ck_assert_msg(strstr(ffebm_context_error(p.f.context), "stage 3: the adjoint of 3 of 3") != NULL, "%s",
                  ffebm_context_error(p.f.context));
    check_snapshot(&before, &p);
    worst = certificate_of(&p, 0);
    ck_assert_mem_eq(&worst, &expected, sizeof worst); /* the last that succeeded */
    trial_end(&p);
}
END_TEST

START_TEST(bad_arguments)
{
    trial p = trial_of(0, 0, 1);
    ffebm_certificate c = {.size = sizeof c};
    ffebm_certify_config config;

    ck_assert_int_eq(ffebm_engine_certify(NULL, &c, p.x, p.y, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_certificate(NULL, &c, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_certificate(p.f.engine, &c, 0), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &c, NULL, p.y, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &c, p.x, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &c, p.y, p.y, NULL, NULL), FFEBM_ERR_DTYPE);
#define REFUSED(field, value)                                                                                          \
    do {                                                                                                               \
        ffebm_certify_config_init(&config, sizeof config);                                                             \
        config.field = value;                                                                                          \
        ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &c, p.x, p.y, NULL, &config), FFEBM_ERR_ARGUMENT);           \
        ck_assert_msg(strstr(ffebm_context_error(p.f.context), #field) != NULL, "%s",                                  \
                      ffebm_context_error(p.f.context));                                                               \
    } while (0)
    REFUSED(min_cosine, 1.5);
    REFUSED(min_cosine, NAN);
    REFUSED(max_relative_error, -1);
    REFUSED(max_difference_error, NAN);
    REFUSED(adjoint_tolerance, -1e-3);
    REFUSED(difference_step, INFINITY);
    REFUSED(adjoint_sweeps, 0);
#undef REFUSED
    c.size = 3;
    ck_assert_int_eq(ffebm_engine_certify(p.f.engine, &c, p.x, p.y, NULL, NULL), FFEBM_ERR_ARGUMENT);
    c.size = sizeof c;
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &c, p.x, p.y, NULL, NULL));
    ck_assert_int_eq(ffebm_engine_inspect_certificate(p.f.engine, &c, p.f.info.parameter_count + 1),
                     FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_inspect_certificate(p.f.engine, NULL, 0), FFEBM_ERR_ARGUMENT);
    trial_end(&p);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- no memory */

static size_t fail_at, allocations;

static void *failing_allocate(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;

    (void)user;
    if (++allocations == fail_at || posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    return memory;
}

static void plain_release(void *user, void *memory, size_t bytes, size_t alignment)
{
    (void)user;
    (void)bytes;
    (void)alignment;
    free(memory);
}

static fixture fixture_that_fails(void)
{
    fixture f = {.info = {.size = sizeof f.info}, .inputs = 6, .outputs = 3};
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.allocate = failing_allocate;
    config.release = plain_release;
    fail_at = 0;
    ck_assert_int_eq(ffebm_context_create(&f.context, &config), FFEBM_OK);
    assert_ok(f.context, ffebm_model_parse(f.context, &f.model, trial_models[0], strlen(trial_models[0]), NULL));
    assert_ok(f.context, ffebm_model_initialize(f.model, 3));
    assert_ok(f.context, ffebm_engine_create(&f.engine, f.model, NULL));
    assert_ok(f.context, ffebm_model_inspect(f.model, &f.info));
    return f;
}

static int32_t no_look(void *user, const ffebm_watch_point *point)
{
    (void)user;
    (void)point;
    ck_abort_msg("shown without memory");
    return 0;
}

static int32_t never(void *user, const ffebm_trace_point *point)
{
    (void)user;
    ck_abort_msg("visited %s", point->name);
    return 0;
}

START_TEST(every_allocation_may_fail)
{
    trial p = {.f = fixture_that_fails()};
    ffebm_certify_config config = with_directions(1);
    ffebm_status status = FFEBM_ERR_NOMEM;

    p.x = random_input(&p.f, ROWS, 5);
    p.y = random_labels(&p.f, ROWS, 6);
    for (fail_at = 1; status != FFEBM_OK; fail_at++) {
        snapshot before = snapshot_of(&p);
        ffebm_certificate none = {.size = sizeof none};

        allocations = 0;
        status = ffebm_engine_certify(p.f.engine, NULL, p.x, p.y, NULL, &config);
        ck_assert_int_eq(status, fail_at <= 2 ? FFEBM_ERR_NOMEM : FFEBM_OK);
        check_snapshot(&before, &p);
        if (status != FFEBM_OK)
            ck_assert_int_eq(ffebm_engine_inspect_certificate(p.f.engine, &none, 0), FFEBM_ERR_STATE);
    }
    fail_at = 1;
    allocations = 0;
    ck_assert_int_eq(ffebm_engine_trace(p.f.engine, p.x, p.y, NULL, never, NULL), FFEBM_ERR_NOMEM);
    allocations = 0;
    ck_assert_int_eq(ffebm_engine_watch(p.f.engine, 1, p.x, p.y, no_look, NULL), FFEBM_ERR_NOMEM);
    fail_at = 0;
    trial_end(&p);
}
END_TEST

Suite *test_certificate_suite(void)
{
    Suite *suite = suite_create("certificate");
    TCase *tests = tcase_create("certificate");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, exact_gradients_pass, 0, MODELS);
    tcase_add_loop_test(tests, figures_are_those_of_the_gradients, 0, MODELS);
    tcase_add_loop_test(tests, a_spoiled_gradient_is_named, 0, 4 * MODELS);
    tcase_add_test(tests, too_few_sweeps_fail);
    tcase_add_loop_test(tests, nothing_has_changed, 0, 2 * 3 * MODELS);
    tcase_add_test(tests, a_certificate_is_no_gradient);
    tcase_add_test(tests, zero_gradients_agree);
    tcase_add_loop_test(tests, models_without_energy_blocks, 0, 2);
    tcase_add_loop_test(tests, float32_says_what_it_cannot_resolve, 0, MODELS);
    tcase_add_loop_test(tests, adjoints_that_do_not_converge, 0, MODELS);
    tcase_add_test(tests, bad_arguments);
    tcase_add_test(tests, every_allocation_may_fail);
    suite_add_tcase(suite, tests);
    return suite;
}

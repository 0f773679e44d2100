/* Optimizers against their definitions, in plain doubles; what they refuse; schedules. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fixture.h"

#define STAGE "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 2}]}"
#define FROZEN "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 2, \"frozen\": true}]}"

/* Eleven stages of 4 + 2 numbers, so that there are a stage1 and a stage10; stage3 is frozen. */
static const char eleven[] =
    "{\"dtype\": \"float64\", \"input\": [2], \"loss\": \"mse\", \"stages\": [" STAGE ", " STAGE ", " STAGE ", " FROZEN
    ", " STAGE ", " STAGE ", " STAGE ", " STAGE ", " STAGE ", " STAGE ", " STAGE "]}";

enum { STAGES = 11, A_STAGE = 6, NUMBERS = STAGES * A_STAGE, STEPS = 12 };

typedef struct rule {
    const char *name;
    int adam;
    double rate, momentum, decay, clip; /* momentum: beta1 of adam */
    double beta2, epsilon;
    int32_t flag; /* nesterov, or decoupled decay */
} rule;

static const rule rules[] = {
    {"sgd, plain", 0, 0.05, 0, 0, 0, 0, 0, 0},
    {"sgd, momentum", 0, 0.05, 0.9, 0, 0, 0, 0, 0},
    {"sgd, nesterov", 0, 0.05, 0.8, 0, 0, 0, 0, 1},
    {"sgd, decay", 0, 0.05, 0.9, 0.1, 0, 0, 0, 0},
    {"sgd, nesterov, decay, clipped", 0, 0.05, 0.5, 0.1, 1.5, 0, 0, 1},
    {"sgd, clipped never", 0, 0.05, 0.9, 0, 1e9, 0, 0, 0},
    {"adam", 1, 0.01, 0.9, 0, 0, 0.999, 1e-8, 0},
    {"adam, other betas", 1, 0.01, 0.5, 0, 0, 0.7, 0.1, 0},
    {"adam, no memory", 1, 0.01, 0, 0, 0, 0, 1e-3, 0},
    {"adam, decay", 1, 0.01, 0.9, 0.2, 0, 0.999, 1e-8, 0},
    {"adamw", 1, 0.01, 0.9, 0.2, 0, 0.999, 1e-8, 1},
    {"adamw, clipped", 1, 0.01, 0.9, 0.2, 0.5, 0.99, 1e-2, 1},
};

static ffebm_optimizer *optimizer_of(const fixture *f, const rule *r)
{
    ffebm_optimizer *optimizer;
    ffebm_sgd_config sgd;
    ffebm_adam_config adam;

    ffebm_sgd_config_init(&sgd, sizeof sgd);
    sgd.learning_rate = r->rate;
    sgd.momentum = r->momentum;
    sgd.weight_decay = r->decay;
    sgd.clip_norm = r->clip;
    sgd.nesterov = r->flag;
    ffebm_adam_config_init(&adam, sizeof adam);
    adam.learning_rate = r->rate;
    adam.beta1 = r->momentum;
    adam.beta2 = r->beta2;
    adam.epsilon = r->epsilon;
    adam.weight_decay = r->decay;
    adam.clip_norm = r->clip;
    adam.decoupled_decay = r->flag;
    if (r->adam)
        assert_ok(f->context, ffebm_optimizer_create_adam(&optimizer, f->model, &adam));
    else
        assert_ok(f->context, ffebm_optimizer_create_sgd(&optimizer, f->model, &sgd));
    return optimizer;
}

/* ---------------------------------------------------------------------------------------------------- the reference */

typedef struct reference {
    double w[NUMBERS], first[NUMBERS], second[NUMBERS];
    double rate[NUMBERS], decay[NUMBERS]; /* multipliers */
    int step;
} reference;

static void sgd_number(reference *f, const rule *r, size_t i, double g, double rate)
{
    g += r->decay * f->decay[i] * f->w[i];
    f->first[i] = r->momentum * f->first[i] + g;
    f->w[i] -= rate * (r->flag ? g + r->momentum * f->first[i] : f->first[i]);
}

static void adam_number(reference *f, const rule *r, size_t i, double g, double rate)
{
    double decay = r->decay * f->decay[i], m, v;

    if (r->flag)
        f->w[i] -= rate * decay * f->w[i];
    else
        g += decay * f->w[i];
    f->first[i] = r->momentum * f->first[i] + (1 - r->momentum) * g;
    f->second[i] = r->beta2 * f->second[i] + (1 - r->beta2) * g * g;
    m = f->first[i] / (1 - pow(r->momentum, f->step));
    v = f->second[i] / (1 - pow(r->beta2, f->step));
    f->w[i] -= rate * m / (sqrt(v) + r->epsilon);
}

static void reference_step(reference *f, const rule *r, const double *gradient, double rate)
{
    double norm = 0, scale = 1;

    for (size_t i = 0; i < NUMBERS; i++)
        if (f->rate[i] != 0)
            norm += gradient[i] * gradient[i];
    norm = sqrt(norm);
    if (r->clip > 0 && norm > r->clip)
        scale = r->clip / norm;
    f->step++;
    for (size_t i = 0; i < NUMBERS; i++)
        if (f->rate[i] != 0)
            (r->adam ? adam_number : sgd_number)(f, r, i, scale * gradient[i], rate * f->rate[i]);
}

static reference reference_of(const fixture *f)
{
    reference r = {.step = 0};

    for (size_t i = 0; i < NUMBERS; i++) {
        r.w[i] = element(ffebm_model_flat_parameters(f->model), i);
        r.rate[i] = i / A_STAGE == 3 ? 0 : 1;
        r.decay[i] = 1;
    }
    return r;
}

/* A gradient that the optimizer accepts, whose values are then these. */
static void give_gradient(const fixture *f, const double *values)
{
    ffebm_tensor *x = random_input(f, 1, 1), *y = random_labels(f, 1, 2);
    ffebm_tensor *gradient = ffebm_engine_flat_gradient(f->engine);

    assert_ok(f->context, ffebm_engine_gradient(f->engine, NULL, x, y, NULL));
    for (size_t i = 0; i < NUMBERS; i++)
        set_element(gradient, i, values[i]);
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
}

static void random_gradient(const fixture *f, double *values, uint64_t seed)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        values[i] = ffebm_random_normal(seed, i);
        if (f->info.dtype == FFEBM_FLOAT32)
            values[i] = (double)(float)values[i];
    }
    give_gradient(f, values);
}

static void compare(const fixture *f, const reference *r, const char *name)
{
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f->model);
    double tolerance = f->info.dtype == FFEBM_FLOAT32 ? 1e-5 : 1e-12;

    for (size_t i = 0; i < NUMBERS; i++)
        ck_assert_msg(fabs(element(parameters, i) - r->w[i]) <= tolerance * fmax(1, fabs(r->w[i])),
                      "%s, step %d, number %zu: %.17g, expected %.17g", name, r->step, i, element(parameters, i),
                      r->w[i]);
}

START_TEST(steps_equal_the_definition)
{
    const rule *r = &rules[_i];

    for (int32_t dtype = FFEBM_FLOAT32; dtype <= FFEBM_FLOAT64; dtype++) {
        fixture f = fixture_of(eleven, dtype, 1, 5);
        ffebm_optimizer *optimizer = optimizer_of(&f, r);
        reference expected = reference_of(&f);
        double gradient[NUMBERS], rate = r->rate;

        for (uint64_t step = 0; step < STEPS; step++) {
            if (step == 7) {
                rate /= 3;
                assert_ok(f.context, ffebm_optimizer_set_learning_rate(optimizer, rate));
            }
            random_gradient(&f, gradient, step);
            assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
            reference_step(&expected, r, gradient, rate);
            compare(&f, &expected, r->name);
            for (size_t i = 0; i < NUMBERS; i++)
                ck_assert(element(ffebm_engine_flat_gradient(f.engine), i) == gradient[i]);
        }
        ffebm_optimizer_destroy(optimizer);
        fixture_end(&f);
    }
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ multipliers */

static void multiply(reference *r, size_t first, size_t count, double rate, double decay)
{
    for (size_t i = first; i < first + count; i++) {
        r->rate[i] = rate;
        r->decay[i] = decay;
    }
}

static const struct {
    const char *prefix;
    size_t first, count; /* which numbers it names */
} prefixes[] = {{"", 0, NUMBERS},         {"stage1", A_STAGE, A_STAGE},    {"stage10", 10 * A_STAGE, A_STAGE},
                {"stage0.0", 0, A_STAGE}, {"stage1.0.weight", A_STAGE, 4}, {"stage10.0.bias", 64, 2},
                {"stage3", 18, A_STAGE}};

START_TEST(multipliers)
{
    static const double factors[][2] = {{0.25, 3}, {0, 1}, {2, 0}};

    for (size_t k = 0; k < 3; k++)
        for (size_t which = 4; which < sizeof rules / sizeof rules[0]; which += 7) { /* an sgd and an adamw, clipped */
            fixture f = fixture_of(eleven, 0, 1, 6);
            ffebm_optimizer *optimizer = optimizer_of(&f, &rules[which]);
            reference expected = reference_of(&f);
            double gradient[NUMBERS];

            assert_ok(f.context, ffebm_optimizer_set_multipliers(optimizer, prefixes[_i].prefix, 5, 7));
            assert_ok(f.context,
                      ffebm_optimizer_set_multipliers(optimizer, prefixes[_i].prefix, factors[k][0], factors[k][1]));
            multiply(&expected, prefixes[_i].first, prefixes[_i].count, factors[k][0], factors[k][1]);
            for (uint64_t step = 0; step < 4; step++) {
                random_gradient(&f, gradient, step + 50);
                assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
                reference_step(&expected, &rules[which], gradient, rules[which].rate);
                compare(&f, &expected, prefixes[_i].prefix);
            }
            ffebm_optimizer_destroy(optimizer);
            fixture_end(&f);
        }
}
END_TEST

START_TEST(settings_refused)
{
    static const char *const strangers[] = {"stage",      "stage11", "stage1.",          "stage1.0.",
                                            "stage1.0.w", "weight",  "stage1.1",         "stage1.0.weights",
                                            "Stage1",     " stage1", "stage1.0.weight.x"};
    static const double bad[] = {-1, -DBL_MIN, NAN, INFINITY, -INFINITY};
    fixture f = fixture_of(eleven, 0, 1, 7);
    ffebm_optimizer *optimizer = optimizer_of(&f, &rules[4]);
    reference expected = reference_of(&f);
    double gradient[NUMBERS];

    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        ck_assert_msg(ffebm_optimizer_set_multipliers(optimizer, strangers[i], 2, 2) == FFEBM_ERR_NOT_FOUND, "\"%s\"",
                      strangers[i]);
        ck_assert(strstr(ffebm_context_error(f.context), strangers[i]) != NULL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(ffebm_optimizer_set_multipliers(optimizer, "", bad[i], 1), FFEBM_ERR_ARGUMENT);
        ck_assert_int_eq(ffebm_optimizer_set_multipliers(optimizer, "", 1, bad[i]), FFEBM_ERR_ARGUMENT);
        ck_assert_int_eq(ffebm_optimizer_set_learning_rate(optimizer, bad[i]), FFEBM_ERR_ARGUMENT);
    }
    ck_assert_int_eq(ffebm_optimizer_set_multipliers(optimizer, NULL, 1, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_optimizer_set_multipliers(NULL, "", 1, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_optimizer_set_learning_rate(NULL, 1), FFEBM_ERR_ARGUMENT);
    random_gradient(&f, gradient, 1);
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    reference_step(&expected, &rules[4], gradient, rules[4].rate);
    compare(&f, &expected, "after refusals");
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}
END_TEST

START_TEST(a_rate_of_zero_moves_nothing)
{
    fixture f = fixture_of(eleven, 0, 1, 7);
    ffebm_optimizer *optimizer = optimizer_of(&f, &rules[_i]);
    ffebm_tensor *before = copy_of(f.context, ffebm_model_flat_parameters(f.model));
    double gradient[NUMBERS];

    assert_ok(f.context, ffebm_optimizer_set_learning_rate(optimizer, 0));
    random_gradient(&f, gradient, 1);
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    ck_assert(relative_error(ffebm_model_flat_parameters(f.model), before) == 0);
    ffebm_tensor_destroy(before);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ bounds */

/* The reference with bounds on some of its numbers: memory as without them. */
static void project(reference *r, size_t first, size_t count, double lower, double upper)
{
    for (size_t i = first; i < first + count; i++)
        if (r->rate[i] != 0)
            r->w[i] = fmin(fmax(r->w[i], lower), upper);
}

static void set_bounds(const fixture *f, const char *prefix, double lower, double upper)
{
    assert_ok(f->context, ffebm_model_set_bounds(f->model, prefix, lower, upper));
}

START_TEST(steps_stay_within_bounds)
{
    const rule *r = &rules[_i % (int)(sizeof rules / sizeof rules[0])];
    size_t which = (size_t)_i / (sizeof rules / sizeof rules[0]);

    for (int32_t dtype = FFEBM_FLOAT32; dtype <= FFEBM_FLOAT64; dtype++) {
        fixture f = fixture_of(eleven, dtype, 1, 5);
        ffebm_optimizer *optimizer = optimizer_of(&f, r);
        ffebm_tensor *parameters = ffebm_model_flat_parameters(f.model);
        reference expected = reference_of(&f);
        double gradient[NUMBERS], lower = dtype == FFEBM_FLOAT32 ? (double)-0.1f : -0.1;
        size_t first = prefixes[which].first, count = prefixes[which].count, projected = 0;

        set_bounds(&f, prefixes[which].prefix, 5, 7);
        set_bounds(&f, prefixes[which].prefix, -0.1, 0.25);
        compare(&f, &expected, r->name); /* not yet */
        for (uint64_t step = 0; step < STEPS; step++) {
            random_gradient(&f, gradient, step);
            assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
            reference_step(&expected, r, gradient, r->rate);
            project(&expected, first, count, lower, 0.25);
            compare(&f, &expected, r->name);
            for (size_t i = first; i < first + count; i++) {
                double value = element(parameters, i);

                ck_assert(i / A_STAGE == 3 || (value >= lower && value <= 0.25));
                projected += value == lower || value == 0.25;
            }
        }
        ck_assert(projected > 0 || first / A_STAGE == 3);
        ffebm_optimizer_destroy(optimizer);
        fixture_end(&f);
    }
}
END_TEST

/* Bounds that are never met change no bit. */
START_TEST(wide_bounds_change_no_bits)
{
    const rule *r = &rules[_i];
    fixture f[2] = {fixture_of(eleven, FFEBM_FLOAT32, 1, 5), fixture_of(eleven, FFEBM_FLOAT32, 1, 5)};
    double gradient[NUMBERS];

    set_bounds(&f[1], "", -100, 1e300); /* the upper one is above all numbers of float32: none */
    for (int k = 0; k < 2; k++) {
        ffebm_optimizer *optimizer = optimizer_of(&f[k], r);

        for (uint64_t step = 0; step < 4; step++) {
            random_gradient(&f[k], gradient, step);
            assert_ok(f[k].context, ffebm_optimizer_step(optimizer, f[k].engine));
        }
        ffebm_optimizer_destroy(optimizer);
    }
    ck_assert_mem_eq(ffebm_tensor_data(ffebm_model_flat_parameters(f[0].model)),
                     ffebm_tensor_data(ffebm_model_flat_parameters(f[1].model)), NUMBERS * sizeof(float));
    fixture_end(&f[0]);
    fixture_end(&f[1]);
}
END_TEST

/* A step that overflows is refused with bounds as without them, and leaves even what lies outside. */
START_TEST(bounds_hide_no_overflow)
{
    static const size_t tried[] = {3, 4, 9, 10};
    fixture f = fixture_of(eleven, FFEBM_FLOAT64, 1, 8);
    ffebm_optimizer *optimizer = optimizer_of(&f, &rules[tried[_i]]);
    ffebm_tensor *before;
    double gradient[NUMBERS];

    set_bounds(&f, "", -1e-3, 1e-3);
    random_gradient(&f, gradient, 71);
    set_element(ffebm_model_flat_parameters(f.model), NUMBERS - 1, DBL_MAX);
    before = copy_of(f.context, ffebm_model_flat_parameters(f.model));
    set_element(ffebm_engine_flat_gradient(f.engine), NUMBERS - 1, -1);
    assert_ok(f.context, ffebm_optimizer_set_learning_rate(optimizer, DBL_MAX));
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_NUMERIC);
    ck_assert_mem_eq(ffebm_tensor_data(ffebm_model_flat_parameters(f.model)), ffebm_tensor_data(before),
                     NUMBERS * sizeof(double));
    ffebm_tensor_destroy(before);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- refused steps */

static const struct {
    double gradient, parameter, rate;
    int32_t dtype;
} explosions[] = {
    {NAN, 0, 0.1, FFEBM_FLOAT64},          {INFINITY, 0, 0.1, FFEBM_FLOAT32},     {-INFINITY, 0, 0, FFEBM_FLOAT64},
    {-1, DBL_MAX, DBL_MAX, FFEBM_FLOAT64}, {-2, FLT_MAX, FLT_MAX, FFEBM_FLOAT32}, {0.5, NAN, 0.1, FFEBM_FLOAT64},
    {0.5, INFINITY, 0.1, FFEBM_FLOAT32},
};

/* A step that cannot be taken leaves parameters and memory as they were: what follows is as if it had not been tried. */
START_TEST(refused_step_changes_nothing)
{
    static const size_t tried[] = {3, 4, 9, 10};
    enum { AT = 9 * A_STAGE + 5 }; /* late, so that others have been updated before it if any are */

    for (size_t k = 0; k < 4; k++) {
        const rule *r = &rules[tried[k]];
        fixture f = fixture_of(eleven, explosions[_i].dtype, 1, 8);
        ffebm_optimizer *optimizer = optimizer_of(&f, r);
        ffebm_tensor *parameters = ffebm_model_flat_parameters(f.model);
        reference expected = reference_of(&f);
        double gradient[NUMBERS], value;

        random_gradient(&f, gradient, 70);
        assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
        reference_step(&expected, r, gradient, r->rate);

        value = element(parameters, AT);
        random_gradient(&f, gradient, 71);
        set_element(ffebm_engine_flat_gradient(f.engine), AT, explosions[_i].gradient);
        set_element(parameters, AT, explosions[_i].parameter);
        assert_ok(f.context, ffebm_optimizer_set_learning_rate(optimizer, explosions[_i].rate));
        ck_assert_msg(ffebm_optimizer_step(optimizer, f.engine) == FFEBM_ERR_NUMERIC, "%s: not refused", r->name);
        ck_assert_msg(strstr(ffebm_context_error(f.context), "stage9.0.bias") != NULL || explosions[_i].rate > 1, "%s",
                      ffebm_context_error(f.context));
        set_element(parameters, AT, value);
        compare(&f, &expected, r->name);

        assert_ok(f.context, ffebm_optimizer_set_learning_rate(optimizer, r->rate));
        random_gradient(&f, gradient, 72);
        assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
        reference_step(&expected, r, gradient, r->rate);
        compare(&f, &expected, r->name);
        ffebm_optimizer_destroy(optimizer);
        fixture_end(&f);
    }
}
END_TEST

/* A finite gradient whose norm overflows is clipped, or refused; it is not taken for nought. */
START_TEST(clip_a_huge_gradient)
{
    static const rule clipped = {.name = "sgd", .rate = 1, .clip = 1};
    fixture f = fixture_of(eleven, 0, 1, 9);
    ffebm_optimizer *optimizer = optimizer_of(&f, &clipped);
    ffebm_tensor *parameters = ffebm_model_flat_parameters(f.model), *before = copy_of(f.context, parameters);
    double gradient[NUMBERS], norm = 0;
    ffebm_status status;

    for (size_t i = 0; i < NUMBERS; i++)
        gradient[i] = 1e200;
    give_gradient(&f, gradient);
    status = ffebm_optimizer_step(optimizer, f.engine);
    for (size_t i = 0; i < NUMBERS; i++)
        norm += pow(element(parameters, i) - element(before, i), 2);
    ck_assert(status == FFEBM_OK || status == FFEBM_ERR_NUMERIC);
    ck_assert_double_eq_tol(norm, (status == FFEBM_OK ? 1 : 0), 1e-12);
    ffebm_tensor_destroy(before);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}
END_TEST

START_TEST(step_needs_a_gradient)
{
    fixture f = fixture_of(eleven, 0, 1, 9), other = fixture_of(eleven, 0, 1, 9);
    ffebm_optimizer *optimizer = optimizer_of(&f, &rules[1]);
    ffebm_tensor *x = random_input(&f, 2, 1), *y = random_labels(&f, 2, 2);

    ck_assert_int_eq(ffebm_optimizer_step(NULL, f.engine), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, other.engine), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE);
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL));
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE);
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, ticket, x, 0));
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, NULL, NULL, x, y, NULL));
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
    fixture_end(&other);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- schedules */

START_TEST(cosine)
{
    double before = 0.5;

    ck_assert(ffebm_schedule_cosine(0.5, 0.1, 0, 10) == 0.5 && ffebm_schedule_cosine(0.5, 0.1, -1, 10) == 0.5);
    ck_assert(ffebm_schedule_cosine(0.5, 0.1, 10, 10) == 0.1 && ffebm_schedule_cosine(0.5, 0.1, 11, 10) == 0.1);
    ck_assert(ffebm_schedule_cosine(0.5, 0.1, INT64_MIN, 10) == 0.5);
    ck_assert(ffebm_schedule_cosine(0.5, 0.1, INT64_MAX, 10) == 0.1);
    ck_assert(ffebm_schedule_cosine(0.5, 0.1, 1, 0) == 0.1);
    ck_assert_double_eq_tol(ffebm_schedule_cosine(0.5, 0.1, 5, 10), 0.3, 1e-15);
    ck_assert_double_eq_tol(ffebm_schedule_cosine(1, 0, 1, 3), 0.75, 1e-15);
    for (int64_t i = 1; i <= 10; i++) {
        double now = ffebm_schedule_cosine(0.5, 0.1, i, 10);

        ck_assert_double_lt(now, before);
        ck_assert_double_eq_tol(now + ffebm_schedule_cosine(0.5, 0.1, 10 - i, 10), 0.6, 1e-15);
        before = now;
    }
}
END_TEST

START_TEST(staircase_and_warmup)
{
    ck_assert(ffebm_schedule_step(2, 0.5, 0, 3) == 2 && ffebm_schedule_step(2, 0.5, 2, 3) == 2);
    ck_assert(ffebm_schedule_step(2, 0.5, 3, 3) == 1 && ffebm_schedule_step(2, 0.5, 8, 3) == 0.5);
    ck_assert(ffebm_schedule_step(2, 0.5, 5, 0) == 2 && ffebm_schedule_step(2, 0.5, 5, -1) == 2);
    ck_assert(ffebm_schedule_step(2, 0.5, INT64_MAX, 1) == 0);
    ck_assert(ffebm_schedule_warmup(0, 4) == 0.25 && ffebm_schedule_warmup(2, 4) == 0.75);
    ck_assert(ffebm_schedule_warmup(3, 4) == 1 && ffebm_schedule_warmup(99, 4) == 1);
    ck_assert(ffebm_schedule_warmup(0, 0) == 1 && ffebm_schedule_warmup(0, -4) == 1);
    ck_assert(ffebm_schedule_warmup(0, 1) == 1);
}
END_TEST

/* Last in the suite: where step + 1 overflows, UBSan ends the whole program. */
START_TEST(warmup_long_over)
{
    ck_assert(ffebm_schedule_warmup(INT64_MAX - 1, 4) == 1 && ffebm_schedule_warmup(INT64_MAX, 4) == 1);
    ck_assert(ffebm_schedule_warmup(INT64_MAX, INT64_MAX) == 1);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_optimizer_suite(void)
{
    Suite *suite = suite_create("optimizer");
    TCase *tests = tcase_create("optimizer");

    tcase_add_loop_test(tests, steps_equal_the_definition, 0, COUNT(rules));
    tcase_add_loop_test(tests, multipliers, 0, COUNT(prefixes));
    tcase_add_test(tests, settings_refused);
    tcase_add_loop_test(tests, a_rate_of_zero_moves_nothing, 0, COUNT(rules));
    tcase_add_loop_test(tests, steps_stay_within_bounds, 0, COUNT(rules) * COUNT(prefixes));
    tcase_add_loop_test(tests, wide_bounds_change_no_bits, 0, COUNT(rules));
    tcase_add_loop_test(tests, bounds_hide_no_overflow, 0, 4);
    tcase_add_loop_test(tests, refused_step_changes_nothing, 0, COUNT(explosions));
    tcase_add_test(tests, clip_a_huge_gradient);
    tcase_add_test(tests, step_needs_a_gradient);
    tcase_add_test(tests, cosine);
    tcase_add_test(tests, staircase_and_warmup);
    tcase_add_test(tests, warmup_long_over);
    suite_add_tcase(suite, tests);
    return suite;
}

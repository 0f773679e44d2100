/* Update rules of the user's: what they are given, what becomes of what they leave, and what their failures change. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* clang-format off */
#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
static const char chain[] = "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\", \"stages\": [" LINEAR("7") ", "
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 6}]}}, " LINEAR("3") "]}";
/* clang-format on */

typedef struct rule {
    int calls;
    int destroyed;
    int64_t step;
    int32_t answer; /* of the call number `failing`, from 1 on; 0: none fails */
    int failing;
    bool poisons; /* instead leaves NaN there */
    double share; /* of what is asked for */
    bool wrong;   /* it was not given what it should have been */
} rule;

static int32_t add_share(void *self, ffebm_update_call *call)
{
    rule *r = self;
    bool fails = ++r->calls == r->failing;

    r->wrong = r->wrong || call->size != sizeof *call || call->message[0] != '\0' ||
               (call->attempt > 0) != (r->calls > 1 && r->answer > 0);
    r->step = call->step;
    for (size_t i = 0; i < call->count; i++)
        call->values[i] += r->share * call->request[i];
    if (fails && r->poisons)
        call->values[call->count - 1] = NAN;
    if (!fails || r->poisons)
        return 0;
    strcpy(call->message, "the board is off");
    return r->answer;
}

static void destroy(void *self)
{
    ((rule *)self)->destroyed++;
}

static ffebm_status set(problem *p, const char *prefix, rule *r)
{
    const ffebm_update_rule table = {
        .size = sizeof table, .self = r, .update = add_share, .destroy = destroy, .retry_limit = 1};

    return ffebm_model_set_update(p->f.model, prefix, &table);
}

/* With rules on `prefix`; NULL: none. */
static problem with_rule(const char *prefix, rule *r)
{
    problem p = problem_of(chain, 0, 1, 6);

    ffebm_engine_destroy(p.f.engine);
    if (prefix != NULL)
        assert_ok(p.f.context, set(&p, prefix, r));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    return p;
}

/* Momentum, so that something is remembered. */
static ffebm_status step_with(problem *p, ffebm_optimizer **sgd)
{
    ffebm_sgd_config config;

    ffebm_sgd_config_init(&config, sizeof config);
    config.learning_rate = 0.1;
    config.weight_decay = 0.01;
    if (*sgd == NULL)
        assert_ok(p->f.context, ffebm_optimizer_create_sgd(sgd, p->f.model, &config));
    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, NULL, p->x, p->y, NULL));
    return ffebm_optimizer_step(*sgd, p->f.engine);
}

/* One that adds what is asked for is none at all, but for a rounding; half of it is half the step. */
START_TEST(a_rule_writes_what_it_leaves)
{
    rule all = {.share = 1}, half = {.share = 0.5};
    problem plain = with_rule(NULL, NULL), ruled = with_rule("", &all), halved = with_rule("stage1", &half);
    ffebm_optimizer *optimizers[3] = {NULL, NULL, NULL};
    ffebm_tensor *before = copy_of(plain.f.context, ffebm_model_flat_parameters(plain.f.model));

    assert_ok(halved.f.context, step_with(&halved, &optimizers[2]));
    for (int n = 0; n < 3; n++) {
        assert_ok(plain.f.context, step_with(&plain, &optimizers[0]));
        assert_ok(ruled.f.context, step_with(&ruled, &optimizers[1]));
        if (n > 0)
            continue;
        for (size_t i = 0; i < plain.f.info.parameter_count; i++) {
            ffebm_parameter_info info = {.size = sizeof info};

            assert_ok(halved.f.context, ffebm_model_inspect_parameter(halved.f.model, &info, i));
            for (size_t k = info.offset; k < info.offset + info.count; k++) {
                double was = element(before, k), asked = element(ffebm_model_flat_parameters(plain.f.model), k) - was;
                double got = element(ffebm_model_flat_parameters(halved.f.model), k) - was;

                ck_assert_double_eq_tol(got, info.stage == 1 ? asked / 2 : asked, 1e-15);
            }
        }
    }
    ck_assert(relative_error(ffebm_model_flat_parameters(ruled.f.model), ffebm_model_flat_parameters(plain.f.model)) <
              1e-14);
    ck_assert(all.calls == 3 * (int)plain.f.info.parameter_count && all.step == 3 && !all.wrong && !half.wrong);
    ck_assert(half.calls == 2 && half.step == 1);
    ffebm_tensor_destroy(before);
    ffebm_optimizer_destroy(optimizers[0]);
    ffebm_optimizer_destroy(optimizers[1]);
    ffebm_optimizer_destroy(optimizers[2]);
    problem_end(&plain);
    problem_end(&ruled);
    problem_end(&halved);
    ck_assert(all.destroyed == 1 && half.destroyed == 1);
}
END_TEST

/* Whichever call fails, nothing has moved, and the next step is as if there had been none. */
START_TEST(a_failure_changes_nothing)
{
    rule good = {.share = 1}, bad = {.share = 1, .answer = _i == 0 ? -7 : 0, .poisons = _i == 1};
    problem a = with_rule("", &good), b = with_rule("", &bad);
    ffebm_optimizer *first = NULL, *second = NULL;
    const size_t bytes = a.f.info.element_count * sizeof(double);

    assert_ok(a.f.context, step_with(&a, &first));
    assert_ok(b.f.context, step_with(&b, &second));
    for (size_t n = 1; n <= a.f.info.parameter_count; n++) {
        bad.failing = bad.calls + (int)n;
        ck_assert_int_eq(step_with(&b, &second), _i == 0 ? FFEBM_ERR_USER : FFEBM_ERR_NUMERIC);
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(b.f.context),
                                     _i == 0 ? "update returned -7: the board is off" : "update left nan in values"));
        ck_assert_mem_eq(ffebm_tensor_const_data(ffebm_model_flat_parameters(a.f.model)),
                         ffebm_tensor_const_data(ffebm_model_flat_parameters(b.f.model)), bytes);
    }
    assert_ok(a.f.context, step_with(&a, &first));
    assert_ok(b.f.context, step_with(&b, &second));
    ck_assert_mem_eq(ffebm_tensor_const_data(ffebm_model_flat_parameters(a.f.model)),
                     ffebm_tensor_const_data(ffebm_model_flat_parameters(b.f.model)), bytes);
    ck_assert_int_eq(bad.step, 2);
    ffebm_optimizer_destroy(first);
    ffebm_optimizer_destroy(second);
    problem_end(&a);
    problem_end(&b);
}
END_TEST

/* It finds the values as at first; and is asked no oftener than it says. */
START_TEST(a_rule_may_ask_for_a_retry)
{
    rule r = {.share = 1, .answer = FFEBM_RETRY, .failing = 1}, always = {.share = 1, .answer = FFEBM_RETRY};
    problem plain = with_rule(NULL, NULL), p = with_rule("stage1.0.weight", &r), q = with_rule("stage1", &always);
    ffebm_optimizer *optimizers[3] = {NULL, NULL, NULL};

    assert_ok(plain.f.context, step_with(&plain, &optimizers[0]));
    assert_ok(p.f.context, step_with(&p, &optimizers[1]));
    ck_assert(r.calls == 2 && !r.wrong);
    ck_assert(relative_error(ffebm_model_flat_parameters(p.f.model), ffebm_model_flat_parameters(plain.f.model)) <
              1e-14);
    always.failing = 1;
    assert_ok(q.f.context, step_with(&q, &optimizers[2]));
    for (int i = 0; i < 3; i++)
        ffebm_optimizer_destroy(optimizers[i]);
    problem_end(&plain);
    problem_end(&p);
    problem_end(&q);
}
END_TEST

/* Bounds hold for what it leaves; a device's pulses do not come on top; and checkpoints carry the number of the step. */
START_TEST(a_rule_stands_in_for_pulses)
{
    rule r = {.share = 1000};
    char path[] = "/tmp/ffebm_updates_XXXXXX";
    ffebm_pulse_info pulses = {.size = sizeof pulses};
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_optimizer *sgd = NULL;
    ffebm_device_config device;
    problem p = problem_of(chain, 0, 1, 6);

    ffebm_engine_destroy(p.f.engine);
    ffebm_device_config_init(&device, sizeof device);
    device.update_mode = FFEBM_UPDATE_DIFFERENCE;
    device.update_dw_min = 1e-3;
    assert_ok(p.f.context, ffebm_model_set_device(p.f.model, FFEBM_ALL, &device));
    assert_ok(p.f.context, set(&p, "stage1.0.weight", &r));
    assert_ok(p.f.context, ffebm_model_set_bounds(p.f.model, "stage1", -0.125, 0.25));
    assert_ok(p.f.context, ffebm_engine_create(&p.f.engine, p.f.model, NULL));
    assert_ok(p.f.context, step_with(&p, &sgd));
    assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &info,
                                                         ffebm_model_find_parameter(p.f.model, "stage1.0.weight")));
    for (size_t i = 0; i < info.count; i++)
        ck_assert(element(info.value, i) == -0.125 || element(info.value, i) == 0.25);
    assert_ok(p.f.context, ffebm_model_inspect_pulses(p.f.model, &pulses, FFEBM_ALL));
    ck_assert(pulses.up == 0 && pulses.down == 0);
    close(mkstemp(path));
    assert_ok(p.f.context, ffebm_checkpoint_save(p.f.model, sgd, NULL, path));
    assert_ok(p.f.context, step_with(&p, &sgd));
    assert_ok(p.f.context, ffebm_checkpoint_restore(p.f.model, sgd, path));
    assert_ok(p.f.context, step_with(&p, &sgd));
    ck_assert_int_eq(r.step, 2);
    unlink(path);
    ffebm_optimizer_destroy(sgd);
    problem_end(&p);
}
END_TEST

START_TEST(rules_that_cannot_be_are_refused)
{
    rule first = {.share = 1}, second = {.share = 1};
    ffebm_update_rule bad = {.size = sizeof bad, .self = &first, .destroy = destroy};
    problem p = problem_of(chain, 0, 1, 6);

    ck_assert_int_eq(set(&p, "stage1", &first), FFEBM_ERR_STATE);
    ffebm_engine_destroy(p.f.engine);
    p.f.engine = NULL;
    ck_assert_int_eq(ffebm_model_set_update(p.f.model, "stage1", &bad), FFEBM_ERR_ARGUMENT);
    bad.update = add_share;
    bad.retry_limit = -1;
    ck_assert_int_eq(ffebm_model_set_update(p.f.model, "stage1", &bad), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_update(p.f.model, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_model_set_update(NULL, "", NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(set(&p, "stage9", &first), FFEBM_ERR_NOT_FOUND);
    ck_assert_int_eq(first.destroyed, 0);
    assert_ok(p.f.context, set(&p, "stage1", &first));
    assert_ok(p.f.context, set(&p, "stage1.0.weight", &second));
    ck_assert_int_eq(first.destroyed, 0);
    assert_ok(p.f.context, ffebm_model_set_update(p.f.model, "stage1.0.bias", NULL));
    ck_assert(first.destroyed == 1 && second.destroyed == 0);
    problem_end(&p);
    ck_assert(first.destroyed == 1 && second.destroyed == 1);
}
END_TEST

Suite *test_updates_suite(void)
{
    Suite *suite = suite_create("updates");
    TCase *tests = tcase_create("updates");

    tcase_add_test(tests, a_rule_writes_what_it_leaves);
    tcase_add_loop_test(tests, a_failure_changes_nothing, 0, 2);
    tcase_add_test(tests, a_rule_may_ask_for_a_retry);
    tcase_add_test(tests, a_rule_stands_in_for_pulses);
    tcase_add_test(tests, rules_that_cannot_be_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

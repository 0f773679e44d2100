/* Stopping what computes: at every place where the host is asked, with nothing changed. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [2, 4, 4], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": "
    "\"batchnorm2d\"}, {\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 5}]}, {\"energy\": {\"type\": "
    "\"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 4}]}}, {\"feedforward\": [{\"type\": "
    "\"linear\", \"out_features\": 3}]}]}";

typedef struct host {
    size_t asked;
    size_t stop_at; /* the question that is answered with "stop", from 1; 0: none */
    pthread_t thread;
} host;

static int32_t cancel(void *user)
{
    host *h = user;

    ck_assert(pthread_equal(pthread_self(), h->thread));
    return ++h->asked == h->stop_at ? -1 : 0;
}

typedef struct scene {
    host host;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x, *y, *output;
} scene;

static void begin(scene *s)
{
    const int64_t image[] = {2, 4, 4}, outputs[] = {6, 3};
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    s->host = (host){.thread = pthread_self()};
    config.threads = 3;
    config.cancel = cancel;
    config.cancel_user = &s->host;
    ck_assert_int_eq(ffebm_context_create(&s->context, &config), FFEBM_OK);
    assert_ok(s->context, ffebm_model_parse(s->context, &s->model, chain, strlen(chain), NULL));
    assert_ok(s->context, ffebm_model_initialize(s->model, 1));
    assert_ok(s->context, ffebm_engine_create(&s->engine, s->model, NULL));
    assert_ok(s->context, ffebm_engine_set_sweeps(s->engine, FFEBM_ALL, 60, 20)); /* traces ask once a sweep */
    assert_ok(s->context, ffebm_optimizer_create_adam(&s->optimizer, s->model, NULL));
    assert_ok(s->context, ffebm_tensor_create(s->context, &s->output, FFEBM_FLOAT64, outputs, 2));
    s->x = random_batch(s->context, FFEBM_FLOAT64, 6, image, 3, -1, 1, 2);
    s->y = random_batch(s->context, FFEBM_FLOAT64, 6, outputs + 1, 1, -1, 1, 3);
    s->host.asked = 0;
}

static void end(scene *s)
{
    destroy_all((ffebm_tensor *[]){s->x, s->y, s->output}, 3);
    ffebm_optimizer_destroy(s->optimizer);
    ffebm_engine_destroy(s->engine);
    ffebm_model_destroy(s->model);
    ffebm_context_destroy(s->context);
}

static ffebm_status gradient(scene *s)
{
    return ffebm_engine_gradient(s->engine, NULL, s->x, s->y, NULL);
}

static ffebm_status evaluate(scene *s)
{
    return ffebm_engine_evaluate(s->engine, NULL, NULL, s->x, s->y, NULL);
}

static ffebm_status forward(scene *s)
{
    return ffebm_engine_forward(s->engine, s->output, &ticket, s->x);
}

static ffebm_status forward_and_vjp(scene *s)
{
    ffebm_status status = ffebm_engine_forward(s->engine, NULL, &ticket, s->x);

    return status != FFEBM_OK ? status : ffebm_engine_vjp(s->engine, NULL, ticket, s->y, 0);
}

static ffebm_status certify(scene *s)
{
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 1;
    return ffebm_engine_certify(s->engine, NULL, s->x, s->y, NULL, &config);
}

static int32_t visit(void *user, const ffebm_trace_point *point)
{
    (void)user;
    return point->sweep < 1;
}

static ffebm_status trace(scene *s)
{
    return ffebm_engine_trace(s->engine, s->x, s->y, NULL, visit, NULL);
}

static int32_t look(void *user, const ffebm_watch_point *point)
{
    (void)user;
    return point->sweep < 0;
}

static ffebm_status watch(scene *s)
{
    return ffebm_engine_watch(s->engine, 1, s->x, s->y, look, NULL);
}

static ffebm_status parse(scene *s)
{
    ffebm_model *model;
    ffebm_status status = ffebm_model_parse(s->context, &model, chain, strlen(chain), NULL);

    ffebm_model_destroy(model);
    return status;
}

typedef struct bytes {
    char at[16384];
    size_t count;
} bytes;

static int32_t append(void *user, const void *from, size_t count)
{
    bytes *to = user;

    ck_assert_uint_le(to->count + count, sizeof to->at);
    memcpy(to->at + to->count, from, count);
    to->count += count;
    return 0;
}

static ffebm_status restore(scene *s)
{
    bytes file = {.count = 0};

    assert_ok(s->context, ffebm_checkpoint_write(s->model, s->optimizer, NULL, append, &file));
    return ffebm_checkpoint_read(s->model, s->optimizer, file.at, file.count);
}

static const struct {
    const char *name;
    ffebm_status (*call)(scene *s);
    size_t least; /* questions */
} calls[] = {{"gradient", gradient, 5},   {"evaluate", evaluate, 3}, {"forward", forward, 3},
             {"vjp", forward_and_vjp, 6}, {"certify", certify, 20},  {"trace", trace, 10},
             {"watch", watch, 10},        {"parse", parse, 8},       {"restore", restore, 50}};

/* All parameters and running statistics. */
static double sum_of_values(ffebm_model *model)
{
    ffebm_parameter_info info = {.size = sizeof info};
    double sum = 0;

    for (size_t i = 0; ffebm_model_inspect_parameter(model, &info, i) == FFEBM_OK; i++)
        for (size_t j = 0; j < ffebm_tensor_count(info.value); j++)
            sum += (double)(i + 1) * element(info.value, j) / (double)(j + 1);
    return sum;
}

START_TEST(stop_anywhere)
{
    size_t stop_at = 1;
    ffebm_status status;

    for (;; stop_at++) {
        scene s;
        double before;

        begin(&s);
        before = sum_of_values(s.model);
        s.host.stop_at = stop_at;
        status = calls[_i].call(&s);
        if (s.host.asked < stop_at) {
            assert_ok(s.context, status);
            end(&s);
            break;
        }
        ck_assert_int_eq(status, FFEBM_ERR_CANCELLED);
        ck_assert_uint_eq(s.host.asked, stop_at);
        ck_assert_str_eq(ffebm_context_error(s.context), "FFEBM_ERR_CANCELLED: the context's cancel asked to stop");
        ck_assert_msg(calls[_i].call == forward_and_vjp || sum_of_values(s.model) == before, "%s %zu", calls[_i].name,
                      stop_at);
        ck_assert_int_eq(ffebm_optimizer_step(s.optimizer, s.engine), FFEBM_ERR_STATE);
        assert_ok(s.context, calls[_i].call(&s));
        end(&s);
    }
    ck_assert_uint_gt(stop_at, calls[_i].least);
}
END_TEST

Suite *test_cancel_suite(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tests = tcase_create("cancel");

    tcase_add_loop_test(tests, stop_anywhere, 0, sizeof calls / sizeof calls[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

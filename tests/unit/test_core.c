/* Random numbers, sized structs, executors, error texts. Memory and destruction are in test_memory.c. */
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "fixture.h"

static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 70}, {\"type\": \"tanh\"}]}, "
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 9}]}}, "
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 4}]}]}";

/* -------------------------------------------------------------------------------------------------- random numbers */

/* The known answers that the authors of Philox publish (Random123, kat_vectors): nought, all ones, digits of pi. */
static const struct {
    uint64_t key, low, high;
    uint32_t out[4];
} answers[] = {
    {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

START_TEST(philox_known_answers)
{
    uint32_t out[4];

    ffebmi_philox(out, answers[_i].key, answers[_i].low, answers[_i].high);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(out[i] == answers[_i].out[i], "word %d is %08x, expected %08x", i, out[i], answers[_i].out[i]);
}
END_TEST

/* The first known answer, seen through the public functions. */
START_TEST(uniform_and_normal_known_answers)
{
    double u = (double)(0x6627e8d5e169c58d >> 11) / 9007199254740992.0;
    double v = (double)(0xbc57ac4c9b00dbd8 >> 11) / 9007199254740992.0;

    ck_assert(ffebm_random_uniform(0, 0) == u);
    ck_assert_double_eq_tol(ffebm_random_normal(0, 0), sqrt(-2 * log(u)) * cos(2 * acos(-1) * v), 1e-14);
}
END_TEST

/* All 53 bits of a draw are Philox's. */
START_TEST(uniform_is_philox)
{
    for (uint64_t i = 0; i < 100; i++) {
        uint32_t out[4];

        ffebmi_philox(out, 77, i << 40 | i, 0);
        ck_assert(ffebm_random_uniform(77, i << 40 | i) * 9007199254740992.0 ==
                  (double)(((uint64_t)out[0] << 32 | out[1]) >> 11));
    }
}
END_TEST

enum { DRAWS = 200000 };

/* A sample mean lies within 5 standard errors of the mean. */
static void check_mean(const char *what, uint64_t seed, double sum, double mean, double variance)
{
    double error = 5 * sqrt(variance / DRAWS);

    ck_assert_msg(fabs(sum / DRAWS - mean) < error, "seed %d: %s is %g, expected %g +- %g", (int)seed, what,
                  sum / DRAWS, mean, error);
}

START_TEST(uniform_moments)
{
    uint64_t seed = (uint64_t)_i;
    double sum = 0, square = 0, next = 0, stream = 0;

    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = ffebm_random_uniform(seed, i);

        ck_assert_msg(u >= 0 && u < 1, "seed %d, counter %d: %g", _i, (int)i, u);
        sum += u;
        square += (u - 0.5) * (u - 0.5);
        next += (u - 0.5) * (ffebm_random_uniform(seed, i + 1) - 0.5);
        stream += (u - 0.5) * (ffebm_random_uniform(seed + 1, i) - 0.5);
    }
    check_mean("mean", seed, sum, 0.5, 1.0 / 12);
    check_mean("variance", seed, square, 1.0 / 12, 1.0 / 180);
    check_mean("correlation of neighbours", seed, next, 0, 1.0 / 144);
    check_mean("correlation of streams", seed, stream, 0, 1.0 / 144);
}
END_TEST

START_TEST(normal_moments)
{
    uint64_t seed = (uint64_t)_i;
    double moments[5] = {0}, next = 0;

    for (uint64_t i = 0; i < DRAWS; i++) {
        double x = ffebm_random_normal(seed, i);

        ck_assert_msg(isfinite(x), "seed %d, counter %d", _i, (int)i);
        for (int m = 1; m <= 4; m++)
            moments[m] += pow(x, m);
        next += x * ffebm_random_normal(seed, i + 1);
    }
    check_mean("mean", seed, moments[1], 0, 1);
    check_mean("variance", seed, moments[2], 1, 2);
    check_mean("third moment", seed, moments[3], 0, 15);
    check_mean("fourth moment", seed, moments[4], 3, 96);
    check_mean("correlation of neighbours", seed, next, 0, 1);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- sized structs */

enum { FILL = 0xa5, LATER = 24, ROOM = 256 };

typedef union sized {
    size_t size;
    double alignment;
    unsigned char bytes[ROOM];
} sized;

/* Each configuration: how it is filled, how it is used, and where an older library's version of it may have ended. */
#define CONFIG(name, call)                                                                                             \
    static void init_##name(void *config, size_t size)                                                                 \
    {                                                                                                                  \
        ffebm_##name##_config_init(config, size);                                                                      \
    }                                                                                                                  \
    static ffebm_status use_##name(fixture *f, const void *config)                                                     \
    {                                                                                                                  \
        (void)f;                                                                                                       \
        call                                                                                                           \
    }

#define USE_HANDLE(type, create, destroy)                                                                              \
    type *created = NULL;                                                                                              \
    ffebm_status status = create;                                                                                      \
    ck_assert((status == FFEBM_OK) == (created != NULL));                                                              \
    destroy(created);                                                                                                  \
    return status;

CONFIG(context, USE_HANDLE(ffebm_context, ffebm_context_create(&created, config), ffebm_context_destroy))
CONFIG(hopfield,
       USE_HANDLE(ffebm_energy, ffebm_energy_create_hopfield(f->context, &created, config), ffebm_energy_destroy))
CONFIG(parse, USE_HANDLE(ffebm_model, ffebm_model_parse(f->context, &created, chain, sizeof chain - 1, config),
                         ffebm_model_destroy))
CONFIG(engine, USE_HANDLE(ffebm_engine, ffebm_engine_create(&created, f->model, config), ffebm_engine_destroy))
CONFIG(equilibrium, return ffebm_engine_configure(f->engine, FFEBM_ALL, config);)
CONFIG(sgd,
       USE_HANDLE(ffebm_optimizer, ffebm_optimizer_create_sgd(&created, f->model, config), ffebm_optimizer_destroy))
CONFIG(adam,
       USE_HANDLE(ffebm_optimizer, ffebm_optimizer_create_adam(&created, f->model, config), ffebm_optimizer_destroy))

static void init_initialization(void *config, size_t size)
{
    ffebm_initialization_init(config, size);
}

static ffebm_status use_initialization(fixture *f, const void *config)
{
    return ffebm_model_set_initialization(f->model, config);
}

static void init_op(void *config, size_t size)
{
    ffebm_op_config_init(config, size, FFEBM_OP_TANH);
}

static ffebm_status use_op(fixture *f, const void *config)
{
    ffebm_feedforward *block;
    ffebm_status status;

    assert_ok(f->context, ffebm_feedforward_create(f->context, &block));
    status = ffebm_feedforward_add_op(block, config);
    ffebm_feedforward_destroy(block);
    return status;
}

static void init_coupling(void *config, size_t size)
{
    ffebm_coupling_config_init(config, size, FFEBM_COUPLING_DENSE);
    if (config != NULL && size >= offsetof(ffebm_coupling_config, type))
        ((ffebm_coupling_config *)config)->out = 3;
}

static ffebm_status use_coupling(fixture *f, const void *config)
{
    ffebm_energy *block;
    ffebm_status status;

    assert_ok(f->context, ffebm_energy_create_hopfield(f->context, &block, NULL));
    status = ffebm_energy_add_coupling(block, config);
    ffebm_energy_destroy(block);
    return status;
}

#define ENTRY(name, type, last)                                                                                        \
    {                                                                                                                  \
#name, init_##name, use_##name, sizeof(type), offsetof(type, last)                                             \
    }

static const struct {
    const char *name;
    void (*init)(void *config, size_t size);
    ffebm_status (*use)(fixture *f, const void *config);
    size_t size, older;
} configs[] = {ENTRY(context, ffebm_context_config, threads),
               ENTRY(initialization, ffebm_initialization, type),
               ENTRY(op, ffebm_op_config, bias),
               ENTRY(coupling, ffebm_coupling_config, bias),
               ENTRY(hopfield, ffebm_hopfield_config, clamp_last),
               ENTRY(parse, ffebm_parse_config, dtype),
               ENTRY(engine, ffebm_engine_config, max_batch),
               ENTRY(equilibrium, ffebm_equilibrium_config, free_order),
               ENTRY(sgd, ffebm_sgd_config, nesterov),
               ENTRY(adam, ffebm_adam_config, decoupled_decay)};

static void assert_filled(const sized *s, size_t first, size_t end, int with, const char *name)
{
    for (size_t i = first; i < end; i++)
        ck_assert_msg(s->bytes[i] == with, "%s: byte %zu is %02x, expected %02x", name, i, s->bytes[i], with);
}

/* A configuration of any age: what is beyond its size is neither written nor read. */
START_TEST(config_of_another_age)
{
    fixture f = fixture_of(chain, 0, 1, 1);
    size_t sizes[] = {configs[_i].older, configs[_i].size, configs[_i].size + LATER};

    for (size_t i = 0; i < 3; i++) {
        sized config;

        memset(&config, FILL, sizeof config);
        configs[_i].init(&config, sizes[i]);
        ck_assert_uint_eq(config.size, sizes[i]);
        assert_filled(&config, sizes[i], sizeof config, FILL, configs[_i].name);
        if (i == 2)
            assert_filled(&config, configs[_i].size, sizes[i], 0, configs[_i].name);
        ck_assert_msg(configs[_i].use(&f, &config) == FFEBM_OK, "%s of %zu bytes: %s", configs[_i].name, sizes[i],
                      ffebm_context_error(f.context));
    }
    fixture_end(&f);
}
END_TEST

START_TEST(config_of_no_age)
{
    static const size_t wrong[] = {0, 1, sizeof(size_t) - 1, SIZE_MAX};
    fixture f = fixture_of(chain, 0, 1, 1);
    sized config;

    memset(&config, FILL, sizeof config);
    for (size_t size = 0; size < sizeof(size_t); size++)
        configs[_i].init(&config, size);
    assert_filled(&config, 0, sizeof config, FILL, configs[_i].name);
    configs[_i].init(NULL, configs[_i].size);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        configs[_i].init(&config, configs[_i].size);
        config.size = wrong[i];
        ck_assert_msg(configs[_i].use(&f, &config) == FFEBM_ERR_ARGUMENT, "%s: size %zu", configs[_i].name, wrong[i]);
    }
    for (size_t at = configs[_i].size; at < configs[_i].size + LATER; at++) {
        configs[_i].init(&config, configs[_i].size + LATER);
        config.bytes[at] = 1;
        ck_assert_msg(configs[_i].use(&f, &config) == FFEBM_ERR_UNSUPPORTED, "%s: byte %zu", configs[_i].name, at);
    }
    fixture_end(&f);
}
END_TEST

static ffebm_status inspect_model(fixture *f, void *info)
{
    return ffebm_model_inspect(f->model, info);
}

static ffebm_status inspect_stage(fixture *f, void *info)
{
    return ffebm_model_inspect_stage(f->model, info, 1);
}

static ffebm_status inspect_layer(fixture *f, void *info)
{
    return ffebm_model_inspect_layer(f->model, info, 1, 1);
}

static ffebm_status inspect_parameter(fixture *f, void *info)
{
    return ffebm_model_inspect_parameter(f->model, info, 1);
}

static ffebm_status inspect_recipe(fixture *f, void *info)
{
    return ffebm_model_recipe(f->model, info);
}

static ffebm_status inspect_phase(fixture *f, void *info)
{
    return ffebm_engine_inspect_phase(f->engine, info, FFEBM_ALL, FFEBM_PHASE_FREE);
}

static ffebm_status inspect_report(fixture *f, void *info)
{
    ffebm_tensor *x = random_input(f, 3, 1), *y = random_labels(f, 3, 2);
    ffebm_status status = ffebm_engine_gradient(f->engine, info, x, y, NULL);

    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    return status;
}

static const struct {
    const char *name;
    ffebm_status (*inspect)(fixture *f, void *info);
    size_t size;
} facts[] = {
    {"model info", inspect_model, sizeof(ffebm_model_info)},
    {"stage info", inspect_stage, sizeof(ffebm_stage_info)},
    {"layer info", inspect_layer, sizeof(ffebm_layer_info)},
    {"parameter info", inspect_parameter, sizeof(ffebm_parameter_info)},
    {"recipe", inspect_recipe, sizeof(ffebm_recipe)},
    {"phase report", inspect_phase, sizeof(ffebm_phase_report)},
    {"report", inspect_report, sizeof(ffebm_report)},
};

START_TEST(facts_of_any_size)
{
    fixture f = fixture_of(chain, 0, 1, 1);
    sized whole = {.size = facts[_i].size}, info;

    assert_ok(f.context, facts[_i].inspect(&f, &whole));
    for (size_t size = 0; size <= facts[_i].size + LATER; size++) {
        size_t known = size < facts[_i].size ? size : facts[_i].size;
        ffebm_status status;

        memset(&info, FILL, sizeof info);
        info.size = size;
        status = facts[_i].inspect(&f, &info);
        ck_assert_uint_eq(info.size, size);
        assert_filled(&info, size < sizeof size ? sizeof size : size, sizeof info, FILL, facts[_i].name);
        if (size < sizeof size) {
            ck_assert_msg(status == FFEBM_ERR_ARGUMENT, "%s of size %zu", facts[_i].name, size);
            continue;
        }
        ck_assert_msg(status == FFEBM_OK, "%s of size %zu: %s", facts[_i].name, size, ffebm_context_error(f.context));
        ck_assert_msg(memcmp(info.bytes + sizeof size, whole.bytes + sizeof size, known - sizeof size) == 0,
                      "%s of %zu", facts[_i].name, size);
        assert_filled(&info, known, size, 0, facts[_i].name);
    }
    if (facts[_i].inspect != inspect_report)
        ck_assert_int_eq(facts[_i].inspect(&f, NULL), FFEBM_ERR_ARGUMENT);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------ contexts and executors */

static void *some_allocate(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    (void)bytes;
    (void)alignment;
    return NULL;
}

static void some_release(void *user, void *memory, size_t bytes, size_t alignment)
{
    (void)user;
    (void)memory;
    (void)bytes;
    (void)alignment;
}

static void backwards(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    size_t *most = user;

    *most = count > *most ? count : *most;
    while (count-- > 0)
        task(task_user, count);
}

START_TEST(context_refuses)
{
    static const ffebm_context_config bad[] = {
        {.size = sizeof bad[0], .threads = -1},
        {.size = sizeof bad[0], .threads = 1025},
        {.size = sizeof bad[0], .threads = INT32_MIN},
        {.size = sizeof bad[0], .threads = INT32_MAX},
        {.size = sizeof bad[0], .threads = 1, .allocate = some_allocate},
        {.size = sizeof bad[0], .threads = 1, .release = some_release},
        {.size = sizeof bad[0], .threads = 1, .max_isa = 4},
    };
    ffebm_context *context;

    ck_assert_int_eq(ffebm_context_create(NULL, NULL), FFEBM_ERR_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ffebm_status status;

        context = (ffebm_context *)&context;
        status = ffebm_context_create(&context, &bad[i]);
        ck_assert_msg(context == NULL || status == FFEBM_OK, "configuration %zu: the handle is not NULL", i);
        ffebm_context_destroy(context);
        ck_assert_msg(status == FFEBM_ERR_ARGUMENT, "configuration %zu gave %s", i, ffebm_status_text(status));
    }
}
END_TEST

START_TEST(context_takes_most_threads)
{
    static const int32_t threads[] = {0, 1, 2, 1024};
    size_t most = 0;

    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        ffebm_context_config config;
        ffebm_context *context;

        ffebm_context_config_init(&config, sizeof config);
        config.threads = threads[i];
        config.run = backwards;
        config.run_user = &most;
        ck_assert_int_eq(ffebm_context_create(&context, &config), FFEBM_OK);
        ck_assert_str_eq(ffebm_context_error(context), "");
        ffebm_context_destroy(context);
    }
}
END_TEST

typedef struct piece {
    ffebm_task_fn task;
    void *user;
    size_t index;
} piece;

static void *piece_main(void *argument)
{
    piece *p = argument;

    p->task(p->user, p->index);
    return NULL;
}

/* A thread for every task. */
static void on_threads(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    size_t *most = user;
    pthread_t threads[8];
    piece pieces[8];

    *most = count > *most ? count : *most;
    ck_assert_uint_le(count, 8);
    for (size_t i = 0; i < count; i++) {
        pieces[i] = (piece){task, task_user, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, piece_main, &pieces[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* The gradient of a chain, computed with such an executor. */
static ffebm_tensor *gradient_by(ffebm_context *keeper, ffebm_run_fn run, int32_t threads, int32_t dtype, size_t *most)
{
    ffebm_context_config config;
    ffebm_parse_config parse = {.size = sizeof parse, .dtype = dtype};
    fixture f = {.info = {.size = sizeof f.info}, .inputs = 6, .outputs = 4};
    ffebm_tensor *x, *y, *copy;

    ffebm_context_config_init(&config, sizeof config);
    config.run = run;
    config.run_user = most;
    config.threads = threads;
    ck_assert_int_eq(ffebm_context_create(&f.context, &config), FFEBM_OK);
    assert_ok(f.context, ffebm_model_parse(f.context, &f.model, chain, sizeof chain - 1, &parse));
    assert_ok(f.context, ffebm_model_initialize(f.model, 11));
    assert_ok(f.context, ffebm_model_inspect(f.model, &f.info));
    assert_ok(f.context, ffebm_engine_create(&f.engine, f.model, NULL));
    x = random_input(&f, 100, 12);
    y = random_labels(&f, 100, 13);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    copy = copy_of(keeper, ffebm_engine_flat_gradient(f.engine));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    fixture_end(&f);
    return copy;
}

static const struct {
    const char *name;
    ffebm_run_fn run;
    int32_t threads;
} executors[] = {{"backwards", backwards, 1},
                 {"backwards", backwards, 4},
                 {"threads of the host", on_threads, 3},
                 {"threads of the host", on_threads, 8},
                 {"the library's threads", NULL, 3},
                 {"all processors", NULL, 0}};

START_TEST(bits_do_not_depend_on_the_executor)
{
    ffebm_context *context;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    for (int32_t dtype = FFEBM_FLOAT32; dtype <= FFEBM_FLOAT64; dtype++) {
        size_t most = 0, bytes;
        ffebm_tensor *serial = gradient_by(context, NULL, 1, dtype, NULL);
        ffebm_tensor *found = gradient_by(context, executors[_i].run, executors[_i].threads, dtype, &most);

        bytes = ffebm_tensor_count(serial) * (dtype == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double));
        ck_assert_msg(memcmp(ffebm_tensor_data(serial), ffebm_tensor_data(found), bytes) == 0, "%s, %d, dtype %d",
                      executors[_i].name, executors[_i].threads, dtype);
        ck_assert_uint_le(most, (size_t)executors[_i].threads);
        if (executors[_i].run != NULL && executors[_i].threads > 1)
            ck_assert_uint_gt(most, 1);
        ffebm_tensor_destroy(serial);
        ffebm_tensor_destroy(found);
    }
    ffebm_context_destroy(context);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- texts */

START_TEST(error_text)
{
    static const char name[] = "FFEBM_ERR_SHAPE: ";
    const int64_t shape[] = {2, -7};
    const int64_t fine[] = {2, 7};
    char seen[FFEBMI_ERROR_CAPACITY], big[3000];
    ffebm_context *context;
    ffebm_tensor *tensor;
    size_t length;

    ck_assert_str_eq(ffebm_context_error(NULL), "no context");
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    ck_assert_str_eq(ffebm_context_error(context), "");
    ck_assert_int_eq(ffebm_tensor_create(context, &tensor, FFEBM_FLOAT32, shape, 2), FFEBM_ERR_SHAPE);
    ck_assert(strncmp(ffebm_context_error(context), name, strlen(name)) == 0);
    ck_assert(strstr(ffebm_context_error(context), "-7") != NULL);

    snprintf(seen, sizeof seen, "%s", ffebm_context_error(context));
    assert_ok(context, ffebm_tensor_create(context, &tensor, FFEBM_FLOAT32, fine, 2));
    ffebm_tensor_destroy(tensor);
    ck_assert_str_eq(ffebm_context_error(context), seen);

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    ck_assert_int_eq(ffebmi_fail(context, FFEBM_ERR_SHAPE, "%s", big), FFEBM_ERR_SHAPE);
    length = strlen(ffebm_context_error(context));
    ck_assert_uint_eq(length, FFEBMI_ERROR_CAPACITY - 1);
    ck_assert(strncmp(ffebm_context_error(context), name, strlen(name)) == 0);
    ck_assert_uint_eq(strspn(ffebm_context_error(context) + strlen(name), "x"), length - strlen(name));
    ffebm_context_destroy(context);
}
END_TEST

START_TEST(status_texts)
{
#define TEXT(name, value, text) {#name ": " text, value},
    static const struct {
        const char *text;
        ffebm_status status;
    } texts[] = {FFEBM_STATUS_LIST(TEXT)};
#undef TEXT
    static const ffebm_status unknown[] = {1, -17, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_str_eq(ffebm_status_text(texts[i].status), texts[i].text);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        ck_assert_str_eq(ffebm_status_text(unknown[i]), "unknown status");
}
END_TEST

START_TEST(version_text)
{
    char release[32];
    size_t length = (size_t)snprintf(release, sizeof release, "%d.%d.%d ", FFEBM_VERSION_MAJOR, FFEBM_VERSION_MINOR,
                                     FFEBM_VERSION_PATCH);

    ck_assert(strncmp(ffebm_version(), release, length) == 0);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_core_suite(void)
{
    Suite *suite = suite_create("core");
    TCase *tests = tcase_create("core");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, philox_known_answers, 0, COUNT(answers));
    tcase_add_test(tests, uniform_and_normal_known_answers);
    tcase_add_test(tests, uniform_is_philox);
    tcase_add_loop_test(tests, uniform_moments, 0, 3);
    tcase_add_loop_test(tests, normal_moments, 0, 3);
    tcase_add_loop_test(tests, config_of_another_age, 0, COUNT(configs));
    tcase_add_loop_test(tests, config_of_no_age, 0, COUNT(configs));
    tcase_add_loop_test(tests, facts_of_any_size, 0, COUNT(facts));
    tcase_add_test(tests, context_refuses);
    tcase_add_test(tests, context_takes_most_threads);
    tcase_add_loop_test(tests, bits_do_not_depend_on_the_executor, 0, COUNT(executors));
    tcase_add_test(tests, error_text);
    tcase_add_test(tests, status_texts);
    tcase_add_test(tests, version_text);
    suite_add_tcase(suite, tests);
    return suite;
}

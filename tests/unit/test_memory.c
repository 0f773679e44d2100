/* Memory: an allocator of the host that keeps a ledger, and fails. Who allocates, what failing does, and that everything
 * goes back, in whatever order objects are destroyed. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user_blocks.h"

/* ------------------------------------------------------------------------------------------------------- the ledger */

enum { BLOCKS = 256 };

typedef struct heap {
    struct {
        void *memory;
        size_t bytes, alignment;
    } blocks[BLOCKS];
    size_t live, allocations, releases;
    size_t fail_at; /* the allocation that fails, from 1; 0: none */
    int from_then_on;
    pthread_t thread;
} heap;

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    heap *h = user;
    void *memory = NULL;
    size_t i = 0;

    ck_assert(pthread_equal(pthread_self(), h->thread));
    ck_assert_uint_gt(bytes, 0);
    ck_assert(alignment >= 16 && (alignment & (alignment - 1)) == 0);
    h->allocations++;
    if (h->fail_at != 0 && (h->allocations == h->fail_at || (h->from_then_on && h->allocations > h->fail_at)))
        return NULL;
    if (bytes > (size_t)1 << 28) /* ASan would abort on a size that cannot be had */
        return NULL;
    ck_assert_int_eq(posix_memalign(&memory, alignment, bytes), 0);
    memset(memory, 0xcd, bytes);
    while (i < BLOCKS && h->blocks[i].memory != NULL)
        i++;
    ck_assert_uint_lt(i, BLOCKS);
    h->blocks[i].memory = memory;
    h->blocks[i].bytes = bytes;
    h->blocks[i].alignment = alignment;
    h->live++;
    return memory;
}

static void release(void *user, void *memory, size_t bytes, size_t alignment)
{
    heap *h = user;
    size_t i = 0;

    ck_assert(pthread_equal(pthread_self(), h->thread));
    ck_assert_ptr_nonnull(memory);
    while (i < BLOCKS && h->blocks[i].memory != memory)
        i++;
    ck_assert_msg(i < BLOCKS, "released what was never allocated");
    ck_assert_uint_eq(h->blocks[i].bytes, bytes);
    ck_assert_uint_eq(h->blocks[i].alignment, alignment);
    memset(memory, 0xdd, bytes);
    free(memory);
    h->blocks[i].memory = NULL;
    h->live--;
    h->releases++;
}

static void heap_init(heap *h, size_t fail_at, int from_then_on)
{
    memset(h, 0, sizeof *h);
    h->thread = pthread_self();
    h->fail_at = fail_at;
    h->from_then_on = from_then_on;
}

static ffebm_context_config on_heap(heap *h, int32_t threads)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.allocate = allocate;
    config.release = release;
    config.allocator_user = h;
    config.threads = threads;
    return config;
}

/* ---------------------------------------------------------------------------------------------------- the scenarios */

static const char chain[] =
    "{\"dtype\": \"float64\", \"input\": [2, 3], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 5}, {\"type\": \"relu\"}]}, "
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 4}, {\"type\": "
    "\"dense\", \"out_features\": 3}]}}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}]}";

typedef struct objects {
    ffebm_context *context;
    ffebm_feedforward *feedforward;
    ffebm_energy *energy;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x, *y;
    int retry; /* a call that finds no memory is made once more */
} objects;

static void check_nomem(const objects *o, ffebm_status status)
{
    static const char name[] = "FFEBM_ERR_NOMEM: ";

    ck_assert_msg(status == FFEBM_ERR_NOMEM, "%s, %s", ffebm_status_text(status), ffebm_context_error(o->context));
    if (o->context != NULL)
        ck_assert(strncmp(ffebm_context_error(o->context), name, strlen(name)) == 0);
}

#define TRY(o, call)                                                                                                   \
    do {                                                                                                               \
        ffebm_status status_ = (call);                                                                                 \
        if (status_ != FFEBM_OK) {                                                                                     \
            check_nomem(o, status_);                                                                                   \
            if ((o)->retry)                                                                                            \
                status_ = (call);                                                                                      \
            if (status_ != FFEBM_OK)                                                                                   \
                return status_;                                                                                        \
        }                                                                                                              \
    } while (0)

/* A call that gives a handle: before it, the handle is garbage. */
#define MAKE(o, handle, call) TRY(o, ((o)->handle = (void *)(o), made((call), &(o)->handle)))

static ffebm_status made(ffebm_status status, const void *address)
{
    const void *handle;

    memcpy(&handle, address, sizeof handle);
    ck_assert((status == FFEBM_OK) == (handle != NULL));
    return status;
}

static ffebm_status compute(objects *o)
{
    static const int64_t shape[] = {4, 2, 3}, rows[] = {4};
    ffebm_equilibrium_config config = converged();
    const char *description;

    TRY(o, ffebm_model_initialize(o->model, 3));
    MAKE(o, engine, ffebm_engine_create(&o->engine, o->model, NULL));
    config.estimator = FFEBM_ESTIMATOR_FOUR_POINT;
    TRY(o, ffebm_engine_configure(o->engine, FFEBM_ALL, &config));
    MAKE(o, optimizer, ffebm_optimizer_create_adam(&o->optimizer, o->model, NULL));
    MAKE(o, x, ffebm_tensor_create(o->context, &o->x, FFEBM_FLOAT64, shape, 3));
    MAKE(o, y, ffebm_tensor_create(o->context, &o->y, FFEBM_INT64, rows, 1));
    for (size_t i = 0; i < 24; i++)
        set_element(o->x, i, ffebm_random_uniform(4, i));
    TRY(o, ffebm_engine_gradient(o->engine, NULL, o->x, o->y, NULL));
    TRY(o, ffebm_optimizer_step(o->optimizer, o->engine));
    description = chain;
    TRY(o, made(ffebm_model_description(o->model, &description, NULL), &description));
    return FFEBM_OK;
}

static ffebm_status parse(objects *o, const ffebm_context_config *config)
{
    MAKE(o, context, ffebm_context_create(&o->context, config));
    MAKE(o, model, ffebm_model_parse(o->context, &o->model, chain, sizeof chain - 1, NULL));
    return compute(o);
}

static ffebm_status add_op(objects *o, int32_t type, int64_t out)
{
    ffebm_op_config config;

    ffebm_op_config_init(&config, sizeof config, type);
    config.out = out;
    TRY(o, ffebm_feedforward_add_op(o->feedforward, &config));
    return FFEBM_OK;
}

static ffebm_status add_coupling(objects *o, int64_t out)
{
    ffebm_coupling_config config;

    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    config.out = out;
    TRY(o, ffebm_energy_add_coupling(o->energy, &config));
    return FFEBM_OK;
}

static ffebm_status give_feedforward(objects *o)
{
    ffebm_status status = ffebm_model_add_feedforward(o->model, &o->feedforward);

    ck_assert((status == FFEBM_OK) == (o->feedforward == NULL));
    return status;
}

static ffebm_status give_energy(objects *o)
{
    ffebm_status status = ffebm_model_add_energy(o->model, &o->energy);

    ck_assert((status == FFEBM_OK) == (o->energy == NULL));
    return status;
}

static ffebm_status first_failure(const ffebm_status *statuses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (statuses[i] != FFEBM_OK)
            return statuses[i];
    return FFEBM_OK;
}

static ffebm_status build(objects *o, const ffebm_context_config *config)
{
    static const int64_t shape[] = {2, 3};

    MAKE(o, context, ffebm_context_create(&o->context, config));
    MAKE(o, model, ffebm_model_create(o->context, &o->model, FFEBM_FLOAT64, shape, 2, FFEBM_LOSS_CROSS_ENTROPY));
    MAKE(o, feedforward, ffebm_feedforward_create(o->context, &o->feedforward));
    if (first_failure((const ffebm_status[]){add_op(o, FFEBM_OP_FLATTEN, 0), add_op(o, FFEBM_OP_LINEAR, 5),
                                             add_op(o, FFEBM_OP_RELU, 0)},
                      3) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    TRY(o, give_feedforward(o));
    MAKE(o, energy, ffebm_energy_create_hopfield(o->context, &o->energy, NULL));
    if (first_failure((const ffebm_status[]){add_coupling(o, 4), add_coupling(o, 3)}, 2) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    TRY(o, give_energy(o));
    MAKE(o, feedforward, ffebm_feedforward_create(o->context, &o->feedforward));
    if (add_op(o, FFEBM_OP_LINEAR, 3) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    TRY(o, give_feedforward(o));
    return compute(o);
}

/* linear -> a digital block of the user's -> linear -> an energy block of the user's -> linear. */
static energy_block network;
static feedforward_block digital;
static size_t created; /* of the two */

/* What was created has been destroyed once, and nothing else. */
static void check_users(void)
{
    ck_assert_uint_eq(network.watch.destroyed + digital.watch.destroyed, created);
}

static ffebm_status add_linear(objects *o, int64_t out)
{
    MAKE(o, feedforward, ffebm_feedforward_create(o->context, &o->feedforward));
    if (out == DIGITAL_IN && add_op(o, FFEBM_OP_FLATTEN, 0) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    if (add_op(o, FFEBM_OP_LINEAR, out) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    TRY(o, give_feedforward(o));
    return FFEBM_OK;
}

static ffebm_status build_of_users(objects *o, const ffebm_context_config *config)
{
    static const int64_t shape[] = {2, 3};

    network_init(&network);
    digital_init(&digital);
    network.table.max_batch = 3;
    created = 0;
    MAKE(o, context, ffebm_context_create(&o->context, config));
    MAKE(o, model, ffebm_model_create(o->context, &o->model, FFEBM_FLOAT64, shape, 2, FFEBM_LOSS_CROSS_ENTROPY));
    if (add_linear(o, DIGITAL_IN) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    MAKE(o, feedforward, ffebm_feedforward_create_user(o->context, &o->feedforward, &digital.table));
    created++;
    for (size_t p = 0; p < digital.parameter_count; p++)
        TRY(o, ffebm_feedforward_add_parameter(o->feedforward, &digital.parameters[p]));
    TRY(o, give_feedforward(o));
    if (add_linear(o, NETWORK_IN) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    MAKE(o, energy, ffebm_energy_create_user(o->context, &o->energy, &network.table));
    created++;
    TRY(o, ffebm_energy_add_parameter(o->energy, &network.parameters[0]));
    TRY(o, give_energy(o));
    if (add_linear(o, 3) != FFEBM_OK)
        return FFEBM_ERR_NOMEM;
    return compute(o);
}

static void destroy(objects *o, int backwards)
{
    for (int i = 0; i < 8; i++)
        switch (backwards ? 7 - i : i) {
        case 0:
            ffebm_context_destroy(o->context);
            break;
        case 1:
            ffebm_feedforward_destroy(o->feedforward);
            break;
        case 2:
            ffebm_energy_destroy(o->energy);
            break;
        case 3:
            ffebm_model_destroy(o->model);
            break;
        case 4:
            ffebm_engine_destroy(o->engine);
            break;
        case 5:
            ffebm_optimizer_destroy(o->optimizer);
            break;
        case 6:
            ffebm_tensor_destroy(o->x);
            break;
        default:
            ffebm_tensor_destroy(o->y);
        }
}

static const struct {
    ffebm_status (*run)(objects *o, const ffebm_context_config *config);
    int32_t threads;
} scenarios[] = {{parse, 1}, {parse, 3}, {build, 1}, {build_of_users, 1}, {build_of_users, 3}};

START_TEST(every_allocation_may_fail)
{
    heap h;

    for (int from_then_on = 0; from_then_on < 2; from_then_on++)
        for (size_t k = 1;; k++) {
            objects o = {0};
            ffebm_context_config config = on_heap(&h, scenarios[_i].threads);
            ffebm_status status;

            heap_init(&h, k, from_then_on);
            status = scenarios[_i].run(&o, &config);
            ck_assert_msg(status == FFEBM_OK || status == FFEBM_ERR_NOMEM, "%d", status);
            ck_assert_msg((status == FFEBM_OK) == (h.allocations < k), "allocation %zu: %s", k,
                          ffebm_status_text(status));
            destroy(&o, k % 2 == 0);
            check_users();
            ck_assert_msg(h.live == 0, "allocation %zu: %zu blocks leak", k, h.live);
            if (status == FFEBM_OK) {
                ck_assert_uint_gt(k, 15);
                break;
            }
        }
}
END_TEST

/* What failed once succeeds when asked again, and the result is the same to the bit. */
START_TEST(failing_leaves_no_trace)
{
    heap undisturbed, h;
    objects expected = {0};
    ffebm_context_config config = on_heap(&undisturbed, scenarios[_i].threads);
    ffebm_tensor *values;

    heap_init(&undisturbed, 0, 0);
    ck_assert_int_eq(scenarios[_i].run(&expected, &config), FFEBM_OK);
    values = ffebm_model_flat_parameters(expected.model);
    config = on_heap(&h, scenarios[_i].threads);
    for (size_t k = 1; k <= undisturbed.allocations; k++) {
        objects o = {.retry = 1};

        heap_init(&h, k, 0);
        ck_assert_msg(scenarios[_i].run(&o, &config) == FFEBM_OK, "allocation %zu", k);
        ck_assert_msg(memcmp(ffebm_tensor_data(ffebm_model_flat_parameters(o.model)), ffebm_tensor_data(values),
                             ffebm_tensor_count(values) * sizeof(double)) == 0,
                      "allocation %zu: other parameters", k);
        destroy(&o, 1);
        check_users();
        ck_assert_msg(h.live == 0, "allocation %zu: %zu blocks leak", k, h.live);
    }
    destroy(&expected, 0);
    ck_assert_uint_eq(undisturbed.live, 0);
    ck_assert_uint_eq(undisturbed.allocations, undisturbed.releases);
}
END_TEST

/* ---------------------------------------------------------------------------------------- computing allocates nothing */

static const struct {
    int32_t dtype, threads;
} ways[] = {{FFEBM_FLOAT32, 1}, {FFEBM_FLOAT64, 1}, {FFEBM_FLOAT64, 3}};

typedef struct bench {
    heap h;
    fixture f;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x, *y, *output, *block_input, *block_output, *energies;
} bench;

static void bench_begin(bench *b, int way)
{
    static const int64_t five[] = {5}, three[] = {3}, none[] = {0};
    ffebm_context_config config = on_heap(&b->h, ways[way].threads);
    ffebm_parse_config parsing = {.size = sizeof parsing, .dtype = ways[way].dtype};
    ffebm_equilibrium_config four;

    heap_init(&b->h, 0, 0);
    b->f = (fixture){.info = {.size = sizeof b->f.info}, .inputs = 6, .outputs = 3};
    ck_assert_int_eq(ffebm_context_create(&b->f.context, &config), FFEBM_OK);
    assert_ok(b->f.context, ffebm_model_parse(b->f.context, &b->f.model, chain, sizeof chain - 1, &parsing));
    assert_ok(b->f.context, ffebm_model_initialize(b->f.model, 3));
    assert_ok(b->f.context, ffebm_model_inspect(b->f.model, &b->f.info));
    assert_ok(b->f.context, ffebm_engine_create(&b->f.engine, b->f.model, NULL));
    assert_ok(b->f.context, ffebm_optimizer_create_adam(&b->optimizer, b->f.model, NULL));
    ffebm_equilibrium_config_init(&four, sizeof four);
    four.estimator = FFEBM_ESTIMATOR_FOUR_POINT;
    four.precision = FFEBM_PRECISION_MIXED;
    assert_ok(b->f.context, ffebm_engine_configure(b->f.engine, FFEBM_ALL, &four));
    b->x = random_input(&b->f, 128, 1);
    b->y = random_labels(&b->f, 128, 2);
    b->output = random_batch(b->f.context, ways[way].dtype, 128, three, 1, -1, 1, 3);
    b->block_input = random_batch(b->f.context, ways[way].dtype, 128, five, 1, -1, 1, 4);
    b->block_output = random_batch(b->f.context, ways[way].dtype, 128, three, 1, -1, 1, 5);
    b->energies = random_batch(b->f.context, ways[way].dtype, 128, none, 0, 0, 1, 6);
}

static void bench_end(bench *b)
{
    ffebm_tensor_destroy(b->x);
    ffebm_tensor_destroy(b->y);
    ffebm_tensor_destroy(b->output);
    ffebm_tensor_destroy(b->block_input);
    ffebm_tensor_destroy(b->block_output);
    ffebm_tensor_destroy(b->energies);
    ffebm_optimizer_destroy(b->optimizer);
    fixture_end(&b->f);
    ck_assert_uint_eq(b->h.live, 0);
}

START_TEST(computing_allocates_nothing)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_phase_report phase = {.size = sizeof phase};
    ffebm_layer_report layer = {.size = sizeof layer};
    ffebm_tensor *down;
    ffebm_engine *engine;
    bench b;

    bench_begin(&b, _i);
    engine = b.f.engine;
    down = random_input(&b.f, 128, 7);

#define FREE(call)                                                                                                     \
    do {                                                                                                               \
        size_t allocations = b.h.allocations, releases = b.h.releases;                                                 \
        assert_ok(b.f.context, call);                                                                                  \
        ck_assert_msg(b.h.allocations == allocations, "%s allocates", #call);                                          \
        ck_assert_msg(b.h.releases == releases, "%s releases", #call);                                                 \
    } while (0)
    for (int i = 0; i < 2; i++) {
        FREE(ffebm_engine_gradient(engine, &report, b.x, b.y, NULL));
        FREE(ffebm_optimizer_step(b.optimizer, engine));
        FREE(ffebm_optimizer_set_learning_rate(b.optimizer, 0.1));
        FREE(ffebm_optimizer_set_multipliers(b.optimizer, "stage0", 0.1, 2));
        FREE(ffebm_model_set_bounds(b.f.model, "stage0", -5, 5));
        FREE(ffebm_engine_set_beta(engine, FFEBM_ALL, 0.15));
        FREE(ffebm_engine_set_sweeps(engine, FFEBM_ALL, 20, 10));
        FREE(ffebm_engine_set_step(engine, 3));
        FREE(ffebm_engine_set_label_smoothing(engine, 0.1));
        FREE(ffebm_engine_evaluate(engine, &report, NULL, b.x, b.y, NULL));
        FREE(ffebm_engine_forward(engine, b.output, &ticket, b.x));
        FREE(ffebm_engine_vjp(engine, down, ticket, b.block_output, 0));
        FREE(ffebm_engine_inspect_layer(engine, &layer, 1, 0));
        FREE(ffebm_engine_settle(engine, 1, b.block_input, NULL));
        FREE(ffebm_engine_settle(engine, 1, b.block_input, b.block_output));
        FREE(ffebm_engine_energy(engine, b.energies, 1, FFEBM_PHASE_NUDGED, b.block_input));
        FREE(ffebm_engine_energy_gradient(engine, NULL, 1, FFEBM_PHASE_FREE));
        FREE(ffebm_engine_get_state(engine, b.block_output, 1, 2, FFEBM_PHASE_FREE));
        FREE(ffebm_engine_set_state(engine, 1, 0, b.block_input));
        FREE(ffebm_engine_inspect_phase(engine, &phase, 1, FFEBM_PHASE_FREE));
        FREE(ffebm_tensor_copy(b.block_output, b.output));
        FREE(ffebm_model_initialize(b.f.model, 4));
    }
#undef FREE
    ffebm_tensor_destroy(down);
    bench_end(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ other rules */

enum { OBJECTS = 6 };

static void destroy_one(objects *o, int which)
{
    static const int of[OBJECTS] = {0, 3, 4, 5, 6, 7};
    objects one = {0};

    switch (of[which]) {
    case 0:
        one.context = o->context;
        break;
    case 3:
        one.model = o->model;
        break;
    case 4:
        one.engine = o->engine;
        break;
    case 5:
        one.optimizer = o->optimizer;
        break;
    case 6:
        one.x = o->x;
        break;
    default:
        one.y = o->y;
    }
    destroy(&one, 0);
}

/* The n-th permutation of 0 .. count - 1. */
static void permutation(int *order, int count, int n)
{
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count; i > 1; i--) {
        int with = n % i, kept = order[i - 1];

        order[i - 1] = order[with];
        order[with] = kept;
        n /= i;
    }
}

START_TEST(destroy_in_any_order)
{
    for (int n = 0; n < 720; n++) {
        int order[OBJECTS];
        objects o = {0};
        heap h;
        ffebm_context_config config = on_heap(&h, n % 90 == 0 ? 2 : 1);

        heap_init(&h, 0, 0);
        ck_assert_int_eq(parse(&o, &config), FFEBM_OK);
        permutation(order, OBJECTS, n);
        for (int i = 0; i < OBJECTS; i++) {
            ck_assert_msg(h.live > 0, "permutation %d: no memory before the last object", n);
            destroy_one(&o, order[i]);
        }
        ck_assert_msg(h.live == 0, "permutation %d: %zu blocks leak", n, h.live);
    }
}
END_TEST

/* Engine and optimizer keep the model alive, and all of them the context. */
START_TEST(what_is_kept_alive_works)
{
    objects o = {0};
    heap h;
    ffebm_context_config config = on_heap(&h, 2);

    heap_init(&h, 0, 0);
    ck_assert_int_eq(parse(&o, &config), FFEBM_OK);
    ffebm_context_destroy(o.context);
    ffebm_model_destroy(o.model);
    ck_assert_int_eq(ffebm_engine_gradient(o.engine, NULL, o.x, o.y, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_optimizer_step(o.optimizer, o.engine), FFEBM_OK);
    ck_assert_int_eq(ffebm_engine_configure(o.engine, 99, NULL), FFEBM_ERR_ARGUMENT);
    o.context = NULL;
    o.model = NULL;
    destroy(&o, 0);
    ck_assert_uint_eq(h.live, 0);
}
END_TEST

/* Sizes that are legal, but that no machine has: no memory, and the object as before. */
START_TEST(more_than_there_is)
{
    static const char huge[] = "{\"input\": [2147483647], \"loss\": \"none\", \"stages\": [{\"feedforward\": "
                               "[{\"type\": \"linear\", \"out_features\": 1048576}]}]}";
    objects o = {0};
    heap h;
    ffebm_context_config config = on_heap(&h, 1);
    ffebm_engine_config many = {.size = sizeof many, .max_batch = INT32_MAX};
    ffebm_model_info info = {.size = sizeof info};
    ffebm_model *model;
    ffebm_engine *engine;
    size_t live;

    heap_init(&h, 0, 0);
    ck_assert_int_eq(parse(&o, &config), FFEBM_OK);
    assert_ok(o.context, ffebm_model_parse(o.context, &model, huge, sizeof huge - 1, NULL));
    check_nomem(&o, ffebm_model_initialize(model, 1));
    check_nomem(&o, ffebm_model_initialize(model, 1));
    assert_ok(o.context, ffebm_model_inspect(model, &info));
    ck_assert_int_eq(info.ready, 0);
    ck_assert_ptr_null(ffebm_model_flat_parameters(model));
    ffebm_model_destroy(model);
    live = h.live;
    engine = o.engine;
    check_nomem(&o, made(ffebm_engine_create(&engine, o.model, &many), &engine));
    ck_assert_uint_eq(h.live, live);
    destroy(&o, 0);
    ck_assert_uint_eq(h.live, 0);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_allocation_may_fail, 0, COUNT(scenarios));
    tcase_add_loop_test(tests, failing_leaves_no_trace, 0, COUNT(scenarios));
    tcase_add_loop_test(tests, computing_allocates_nothing, 0, COUNT(ways));
    tcase_add_test(tests, destroy_in_any_order);
    tcase_add_test(tests, what_is_kept_alive_works);
    tcase_add_test(tests, more_than_there_is);
    suite_add_tcase(suite, tests);
    return suite;
}

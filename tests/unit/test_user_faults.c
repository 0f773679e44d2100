/* Devices fail. Whichever slot of a user's block fails, in whatever call and way: the error text says where, nothing that
 * lasts has changed, and the same call succeeds when the fault is gone, to the bit. */
#include <string.h>

#include "user_blocks.h"

enum { ROWS = 7, SLICE = 3, DIGITAL_STAGE = 3, ENERGY_STAGE = 5 };

typedef enum what {
    GRADIENT,
    IMPLICIT, /* gradient, by the adjoint */
    FORWARD,
    VJP,
    EVALUATE,
    SETTLE,
    FORCE, /* settle under a force */
    ENERGY,
    ENERGY_GRADIENT,
    INITIALIZE,
    CERTIFY
} what;

/* batchnorm2d, flatten, linear, a digital block of the user's, linear, an energy block of the user's, linear. */
typedef struct world {
    fixture f;
    feedforward_block digital;
    energy_block network;
    ffebm_optimizer *adam;
    ffebm_tensor *x, *y, *v;     /* of the chain */
    ffebm_tensor *input, *force; /* of the energy block */
    ffebm_tensor *output, *dx, *energies, *state;
} world;

static ffebm_tensor *one_shape(const world *w, int64_t units, double low, double high, uint64_t seed)
{
    return random_batch(w->f.context, w->f.info.dtype, ROWS, &units, 1, low, high, seed);
}

static ffebm_status call(world *w, what call);

static void world_begin(world *w, int32_t dtype)
{
    static const int64_t image[] = {2, 2, 2};

    network_init(&w->network);
    digital_init(&w->digital);
    w->network.table.max_batch = w->digital.table.max_batch = SLICE;
    w->f = chain_begin(dtype, 1, image, 3, FFEBM_LOSS_CROSS_ENTROPY);
    chain_op(&w->f, FFEBM_OP_BATCHNORM2D, 0);
    chain_op(&w->f, FFEBM_OP_FLATTEN, 0);
    chain_op(&w->f, FFEBM_OP_LINEAR, DIGITAL_IN);
    chain_feedforward(&w->f, &w->digital);
    chain_op(&w->f, FFEBM_OP_LINEAR, NETWORK_IN);
    chain_energy(&w->f, &w->network);
    chain_op(&w->f, FFEBM_OP_LINEAR, 3);
    chain_ready(&w->f, 3);
    assert_ok(w->f.context, ffebm_optimizer_create_adam(&w->adam, w->f.model, NULL));
    w->x = random_input(&w->f, ROWS, 1);
    w->y = random_labels(&w->f, ROWS, 2);
    w->v = one_shape(w, 3, -1, 1, 3);
    w->input = one_shape(w, NETWORK_IN, -1, 1, 4);
    w->force = one_shape(w, NETWORK_OUT, -1, 1, 5);
    w->output = one_shape(w, 3, 0, 0, 0);
    w->dx = random_input(&w->f, ROWS, 0);
    w->state = one_shape(w, NETWORK_NODES, 0, 0, 0);
    w->energies = random_batch(w->f.context, dtype, ROWS, image, 0, 0, 0, 0);
    assert_ok(w->f.context, call(w, GRADIENT));
    assert_ok(w->f.context, ffebm_optimizer_step(w->adam, w->f.engine));
}

static void world_end(world *w)
{
    destroy_all((ffebm_tensor *[]){w->x, w->y, w->v, w->input, w->force, w->output, w->dx, w->energies, w->state}, 9);
    ffebm_optimizer_destroy(w->adam);
    fixture_end(&w->f);
    ck_assert_uint_eq(w->network.watch.dirty, 0);
    ck_assert_uint_eq(w->digital.watch.dirty, 0);
    ck_assert_uint_eq(w->network.watch.destroyed, 1);
    ck_assert_uint_eq(w->digital.watch.destroyed, 1);
}

static ffebm_status certify(world *w)
{
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 1;
    return ffebm_engine_certify(w->f.engine, NULL, w->x, w->y, NULL, &config);
}

static ffebm_status call(world *w, what call)
{
    ffebm_engine *engine = w->f.engine;

    switch (call) {
    case GRADIENT:
    case IMPLICIT:
        return ffebm_engine_gradient(engine, NULL, w->x, w->y, NULL);
    case FORWARD:
        return ffebm_engine_forward(engine, w->output, &ticket, w->x);
    case VJP:
        return ffebm_engine_vjp(engine, w->dx, ticket, w->v, 0);
    case EVALUATE:
        return ffebm_engine_evaluate(engine, NULL, NULL, w->x, w->y, NULL);
    case SETTLE:
        return ffebm_engine_settle(engine, ENERGY_STAGE, w->input, NULL);
    case FORCE:
        return ffebm_engine_settle(engine, ENERGY_STAGE, w->input, w->force);
    case ENERGY:
        return ffebm_engine_energy(engine, w->energies, ENERGY_STAGE, FFEBM_PHASE_FREE, w->input);
    case ENERGY_GRADIENT:
        return ffebm_engine_energy_gradient(engine, NULL, ENERGY_STAGE, FFEBM_PHASE_FREE);
    case INITIALIZE:
        return ffebm_model_initialize(w->f.model, 11);
    default:
        return certify(w);
    }
}

/* What must come before the call. */
static void prepare(world *w, what of)
{
    ffebm_equilibrium_config config = converged();

    config.estimator = of == IMPLICIT ? FFEBM_ESTIMATOR_IMPLICIT : FFEBM_ESTIMATOR_CENTERED;
    assert_ok(w->f.context, ffebm_engine_configure(w->f.engine, FFEBM_ALL, &config));
    assert_ok(w->f.context, call(w, GRADIENT));
    if (of == VJP)
        assert_ok(w->f.context, call(w, FORWARD));
    if (of == FORCE || of == ENERGY || of == ENERGY_GRADIENT)
        assert_ok(w->f.context, call(w, SETTLE));
    assert_ok(w->f.context, ffebm_engine_set_step(w->f.engine, 100));
}

/* ---------------------------------------------------------------------------------------------------- what must last */

typedef struct lasting {
    ffebm_tensor *parameters, *mean, *variance, *gradient, *state;
} lasting;

static ffebm_tensor *buffer(const world *w, const char *name)
{
    ffebm_parameter_info info = {.size = sizeof info};
    size_t index = ffebm_model_find_parameter(w->f.model, name);

    assert_ok(w->f.context, ffebm_model_inspect_parameter(w->f.model, &info, index));
    return copy_of(w->f.context, info.value);
}

static lasting look(world *w)
{
    lasting now = {.parameters = copy_of(w->f.context, ffebm_model_flat_parameters(w->f.model)),
                   .mean = buffer(w, "stage0.0.running_mean"),
                   .variance = buffer(w, "stage0.0.running_var"),
                   .gradient = copy_of(w->f.context, ffebm_engine_flat_gradient(w->f.engine))};

    assert_ok(w->f.context, ffebm_engine_get_state(w->f.engine, w->state, ENERGY_STAGE, 0, FFEBM_PHASE_FREE));
    now.state = copy_of(w->f.context, w->state);
    return now;
}

static void forget(lasting *l)
{
    destroy_all((ffebm_tensor *[]){l->parameters, l->mean, l->variance, l->gradient, l->state}, 5);
}

static void check_lasting(world *w, const lasting *before, what of, int state_too)
{
    lasting now = look(w);

    ck_assert(same_bits(now.parameters, before->parameters));
    ck_assert(same_bits(now.mean, before->mean));
    ck_assert(same_bits(now.variance, before->variance));
    ck_assert(!state_too || same_bits(now.state, before->state));
    if (of == GRADIENT || of == IMPLICIT || of == VJP || of == CERTIFY)
        ck_assert_int_eq(ffebm_optimizer_step(w->adam, w->f.engine), FFEBM_ERR_STATE);
    else
        ck_assert(same_bits(now.gradient, before->gradient));
    forget(&now);
}

static void check_twins(world *a, world *b)
{
    lasting of_a, of_b;

    ck_assert(same_bits(a->output, b->output));
    ck_assert(same_bits(a->dx, b->dx));
    ck_assert(same_bits(a->energies, b->energies));
    for (int step = 0; step < 2; step++) {
        of_a = look(a);
        of_b = look(b);
        ck_assert(same_bits(of_a.parameters, of_b.parameters));
        ck_assert(same_bits(of_a.mean, of_b.mean));
        ck_assert(same_bits(of_a.variance, of_b.variance));
        ck_assert(same_bits(of_a.gradient, of_b.gradient));
        ck_assert(same_bits(of_a.state, of_b.state));
        forget(&of_a);
        forget(&of_b);
        assert_ok(a->f.context, call(a, GRADIENT));
        assert_ok(b->f.context, call(b, GRADIENT));
        assert_ok(a->f.context, ffebm_optimizer_step(a->adam, a->f.engine));
        assert_ok(b->f.context, ffebm_optimizer_step(b->adam, b->f.engine));
    }
}

/* ------------------------------------------------------------------------------------------------------ the places */

static const struct place {
    what call;
    int slot;
    size_t spared; /* calls of the slot; a phase has three slices */
} places[] = {{GRADIENT, SLOT_SETTLE, 0},
              {GRADIENT, SLOT_SETTLE, 2},
              {GRADIENT, SLOT_SETTLE, 3},
              {GRADIENT, SLOT_SETTLE, 8},
              {GRADIENT, SLOT_OUTPUT, 1},
              {GRADIENT, SLOT_OUTPUT, 5},
              {GRADIENT, SLOT_PARAMETER_GRADIENT, 0},
              {GRADIENT, SLOT_PARAMETER_GRADIENT, 4},
              {GRADIENT, SLOT_INPUT_GRADIENT, 0},
              {GRADIENT, SLOT_INPUT_GRADIENT, 5},
              {GRADIENT, SLOT_FORWARD, 1},
              {GRADIENT, SLOT_VJP, 2},
              {IMPLICIT, SLOT_ADJOINT, 0},
              {IMPLICIT, SLOT_ADJOINT, 2},
              {FORWARD, SLOT_SETTLE, 1},
              {FORWARD, SLOT_OUTPUT, 2},
              {FORWARD, SLOT_FORWARD, 2},
              {VJP, SLOT_SETTLE, 1},
              {VJP, SLOT_OUTPUT, 0},
              {VJP, SLOT_PARAMETER_GRADIENT, 1},
              {VJP, SLOT_INPUT_GRADIENT, 2},
              {VJP, SLOT_VJP, 1},
              {EVALUATE, SLOT_SETTLE, 1},
              {EVALUATE, SLOT_OUTPUT, 0},
              {EVALUATE, SLOT_FORWARD, 0},
              {SETTLE, SLOT_SETTLE, 2},
              {SETTLE, SLOT_OUTPUT, 1},
              {FORCE, SLOT_SETTLE, 1},
              {FORCE, SLOT_OUTPUT, 2},
              {ENERGY, SLOT_ENERGY, 2},
              {ENERGY_GRADIENT, SLOT_PARAMETER_GRADIENT, 1},
              {INITIALIZE, SLOT_INITIALIZE, 0},
              {CERTIFY, SLOT_SETTLE, 1},
              {CERTIFY, SLOT_ADJOINT, 1},
              {CERTIFY, SLOT_SETTLE, 40},
              {CERTIFY, SLOT_FORWARD, 40}};

enum { PLACES = sizeof places / sizeof places[0], KINDS = FAULTS - 1 };

static int of_digital(const struct place *p)
{
    return p->slot == SLOT_FORWARD || p->slot == SLOT_VJP;
}

/* A settling that fails before the block has a new free state leaves the old one. */
static int keeps_state(const struct place *p)
{
    int free_phase = (p->slot == SLOT_SETTLE || p->slot == SLOT_OUTPUT) && p->spared < 3 && p->call != VJP;

    return free_phase || p->slot == SLOT_FORWARD || p->call >= FORCE;
}

static void check_text(const world *w, const struct place *p, int kind)
{
    static const char *const parts[FAULTS] = {[FAULT_ANSWER] = "returned -7: the valve is stuck",
                                              [FAULT_UNENDED] = "returned -7: xxxx",
                                              [FAULT_SILENT] = "returned -9",
                                              [FAULT_NAN] = "left",
                                              [FAULT_INFINITE] = "left -inf",
                                              [FAULT_HUGE] = "left ",
                                              [FAULT_ENDLESS] = "asked for a retry 8 times"};
    const char *text = ffebm_context_error(w->f.context);
    int of_samples = p->slot != SLOT_PARAMETER_GRADIENT && p->slot != SLOT_INITIALIZE;

    ck_assert_msg(strstr(text, of_digital(p) ? "stage 3 " : "stage 5 (network)") != NULL, "%s", text);
    ck_assert_msg(strstr(text, slot_names[p->slot]) != NULL, "%s", text);
    ck_assert_msg(strstr(text, parts[kind]) != NULL, "%s", text);
    ck_assert_msg(kind < FAULT_NAN || kind > FAULT_HUGE || !of_samples || strstr(text, "of sample") != NULL, "%s",
                  text);
}

START_TEST(a_fault_leaves_no_trace)
{
    const struct place *p = &places[_i % PLACES];
    int kind = FAULT_ANSWER + _i / PLACES;
    int32_t dtype = kind == FAULT_HUGE ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_status expected = kind >= FAULT_NAN && kind <= FAULT_HUGE ? FFEBM_ERR_NUMERIC : FFEBM_ERR_USER;
    static world broken, twin;
    watch *w;
    lasting before;

    if (kind == FAULT_HUGE && (p->call == CERTIFY || p->slot == SLOT_INPUT_GRADIENT))
        return; /* differences need float64; and of two states it cancels */
    world_begin(&broken, dtype);
    world_begin(&twin, dtype);
    prepare(&broken, p->call);
    prepare(&twin, p->call);
    before = look(&broken);
    w = of_digital(p) ? &broken.digital.watch : &broken.network.watch;
    watch_fault(w, p->slot, kind, p->spared);
    if (kind == FAULT_RETRIES) {
        assert_ok(broken.f.context, call(&broken, p->call));
        ck_assert_uint_gt(w->retries, 1);
        watch_fault(w, p->slot, FAULT_NONE, 0);
    } else {
        ck_assert_int_eq(call(&broken, p->call), expected);
        check_text(&broken, p, kind);
        check_lasting(&broken, &before, p->call, keeps_state(p));
        watch_fault(w, p->slot, FAULT_NONE, 0);
        prepare(&broken, p->call);
        prepare(&twin, p->call);
        assert_ok(broken.f.context, call(&broken, p->call));
    }
    assert_ok(twin.f.context, call(&twin, p->call));
    check_twins(&broken, &twin);
    forget(&before);
    world_end(&broken);
    world_end(&twin);
}
END_TEST

/* The state under a force is gone when settling under another has failed; the free one is there. */
START_TEST(a_failed_nudge_is_forgotten)
{
    static world w;

    world_begin(&w, FFEBM_FLOAT64);
    prepare(&w, FORCE);
    assert_ok(w.f.context, call(&w, FORCE));
    assert_ok(w.f.context, ffebm_engine_get_state(w.f.engine, w.state, ENERGY_STAGE, 0, FFEBM_PHASE_NUDGED));
    watch_fault(&w.network.watch, SLOT_SETTLE, FAULT_ANSWER, 1);
    ck_assert_int_eq(call(&w, FORCE), FFEBM_ERR_USER);
    ck_assert_int_eq(ffebm_engine_get_state(w.f.engine, w.state, ENERGY_STAGE, 0, FFEBM_PHASE_NUDGED), FFEBM_ERR_STATE);
    assert_ok(w.f.context, ffebm_engine_get_state(w.f.engine, w.state, ENERGY_STAGE, 0, FFEBM_PHASE_FREE));
    world_end(&w);
}
END_TEST

/* A block that starts from its last state starts from it again when it has failed in between. */
START_TEST(a_start_state_outlives_a_fault)
{
    static world w;
    ffebm_equilibrium_config config;
    ffebm_tensor *before;

    world_begin(&w, FFEBM_FLOAT64);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.start = FFEBM_START_STATE;
    assert_ok(w.f.context, ffebm_engine_configure(w.f.engine, ENERGY_STAGE, &config));
    assert_ok(w.f.context, ffebm_engine_get_state(w.f.engine, w.state, ENERGY_STAGE, 0, FFEBM_PHASE_FREE));
    before = copy_of(w.f.context, w.state);
    watch_fault(&w.network.watch, SLOT_SETTLE, FAULT_ANSWER, 2);
    ck_assert_int_eq(call(&w, GRADIENT), FFEBM_ERR_USER);
    assert_ok(w.f.context, ffebm_engine_get_state(w.f.engine, w.state, ENERGY_STAGE, 0, FFEBM_PHASE_FREE));
    ck_assert(same_bits(w.state, before));
    watch_fault(&w.network.watch, SLOT_SETTLE, FAULT_NONE, 0);
    assert_ok(w.f.context, call(&w, GRADIENT));
    ffebm_tensor_destroy(before);
    world_end(&w);
}
END_TEST

/* A model that was never initialised stays so, and is initialised by the next call. */
START_TEST(a_model_whose_values_failed_is_building)
{
    static const int64_t in[] = {NETWORK_IN};
    ffebm_model_info info = {.size = sizeof info};
    energy_block b;
    fixture f = chain_begin(FFEBM_FLOAT64, 1, in, 1, FFEBM_LOSS_NONE);

    network_init(&b);
    chain_energy(&f, &b);
    watch_fault(&b.watch, SLOT_INITIALIZE, FAULT_ANSWER + _i, 0);
    ck_assert_int_lt(ffebm_model_initialize(f.model, 1), 0);
    assert_ok(f.context, ffebm_model_inspect(f.model, &info));
    ck_assert_int_eq(info.ready, 0);
    watch_fault(&b.watch, SLOT_INITIALIZE, FAULT_NONE, 0);
    assert_ok(f.context, ffebm_model_initialize(f.model, 1));
    fixture_end(&f);
    ck_assert_uint_eq(b.watch.dirty, 0);
}
END_TEST

/* What comes in is finite, also by hand. */
START_TEST(blocks_are_not_given_nan)
{
    static world w;
    ffebm_tensor *bad;

    world_begin(&w, FFEBM_FLOAT32);
    prepare(&w, FORCE);
    watch_forget(&w.network.watch);
    bad = _i == 0 ? w.input : w.force;
    set_element(bad, 3, 1e300);
    ck_assert_int_eq(call(&w, FORCE), FFEBM_ERR_NUMERIC);
    if (_i == 0) {
        ck_assert_int_eq(call(&w, SETTLE), FFEBM_ERR_NUMERIC);
        ck_assert_int_eq(call(&w, ENERGY), FFEBM_ERR_NUMERIC);
    }
    ck_assert_uint_eq(w.network.watch.logged, 0);
    world_end(&w);
}
END_TEST

Suite *test_user_faults_suite(void)
{
    Suite *suite = suite_create("user_faults");
    TCase *tests = tcase_create("user_faults");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_fault_leaves_no_trace, 0, (int)PLACES * KINDS);
    tcase_add_test(tests, a_failed_nudge_is_forgotten);
    tcase_add_test(tests, a_start_state_outlives_a_fault);
    tcase_add_loop_test(tests, a_model_whose_values_failed_is_building, 0, FAULT_INFINITE);
    tcase_add_loop_test(tests, blocks_are_not_given_nan, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

#include "user_blocks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const slot_names[SLOTS] = {
    "settle", "output", "parameter_gradient", "input_gradient", "energy", "adjoint", "initialize", "forward", "vjp"};

/* ------------------------------------------------------------------------------------------------------- the watch */

static void watch_init(watch *w)
{
    memset(w, 0, sizeof *w);
    w->thread = pthread_self();
    pthread_mutex_init(&w->lock, NULL);
}

void watch_fault(watch *w, int slot, int kind, size_t spared)
{
    w->faulty = slot;
    w->kind = kind;
    w->spared = w->calls[slot] + spared;
}

void watch_forget(watch *w)
{
    memset(w->calls, 0, sizeof w->calls);
    w->retries = w->logged = 0;
}

static int clean(const void *array, size_t bytes)
{
    const unsigned char *at = array;

    for (size_t i = 0; at != NULL && i < bytes; i++)
        if (at[i] != 0)
            return 0;
    return 1;
}

/* Note a call; is it to fail? */
static int enter(watch *w, const told *call, int32_t attempt, int as_promised)
{
    int fails;

    pthread_mutex_lock(&w->lock);
    if (attempt == 0) {
        if (w->logged < LOG)
            w->log[w->logged++] = *call;
        w->calls[call->slot]++;
    } else {
        w->retries++;
    }
    w->dirty += !as_promised;
    w->elsewhere += !pthread_equal(pthread_self(), w->thread);
    fails = w->kind != FAULT_NONE && w->faulty == call->slot && w->calls[call->slot] > w->spared;
    pthread_mutex_unlock(&w->lock);
    return fails;
}

/* What is left of a call that fails: its answer. `outputs` has `count` numbers. */
static int32_t spoil(int kind, int32_t attempt, double *outputs, size_t count, char *message, size_t capacity)
{
    static const double numbers[FAULTS] = {[FAULT_NAN] = NAN, [FAULT_INFINITE] = -INFINITY, [FAULT_HUGE] = 1e300};

    for (size_t i = 0; i < count && kind >= FAULT_ENDLESS; i++)
        outputs[i] = 1e9;
    switch (kind) {
    case FAULT_ANSWER:
        snprintf(message, capacity, "the %s is stuck", "valve");
        return -7;
    case FAULT_UNENDED:
        memset(message, 'x', capacity);
        return -7;
    case FAULT_SILENT:
        return -9;
    case FAULT_ENDLESS:
    case FAULT_RETRIES:
        snprintf(message, capacity, "not yet");
        return attempt + 1;
    default:
        outputs[count - 1] = numbers[kind];
        return 0;
    }
}

/* ---------------------------------------------------------------------------------------------- watched energy blocks */

static double *outputs_of(const energy_block *b, const ffebm_energy_call *call, int slot, size_t *count)
{
    *count = call->batch;
    switch (slot) {
    case SLOT_SETTLE:
        *count *= b->inner.state_count;
        return call->state;
    case SLOT_OUTPUT:
        *count *= b->outputs;
        return call->output;
    case SLOT_INPUT_GRADIENT:
    case SLOT_ADJOINT:
        *count *= b->inputs;
        return call->input_gradient;
    case SLOT_ENERGY:
        return call->energy;
    default:
        *count = call->parameter_count;
        return slot == SLOT_INITIALIZE ? call->values : call->gradient;
    }
}

static int as_promised(energy_block *b, const ffebm_energy_call *call, int slot)
{
    size_t number = sizeof(double), state = call->batch * b->inner.state_count * number;
    int same = 1;

    if (slot == SLOT_SETTLE && state <= sizeof b->watch.start && !b->inner.concurrent) {
        if (call->attempt == 0)
            memcpy(b->watch.start, call->state, state);
        same = memcmp(b->watch.start, call->state, state) == 0;
    }
    return same && clean(call->output, call->batch * b->outputs * number) &&
           clean(call->input_gradient, call->batch * b->inputs * number) &&
           clean(call->gradient, call->parameter_count * number) && clean(call->energy, call->batch * number) &&
           clean(call->residual, call->batch * number) && clean(call->sweeps, call->batch * sizeof(int64_t)) &&
           clean(call->values, call->parameter_count * number) && call->message[0] == '\0' && call->joules == 0 &&
           call->version != 0;
}

static int32_t pass(energy_block *b, ffebm_energy_call *call, int slot, ffebm_energy_fn inner)
{
    told noted = {slot, call->first, call->batch, call->seed, call->version, call->nudged};
    int fails = enter(&b->watch, &noted, call->attempt, as_promised(b, call, slot));
    size_t count;
    double *outputs = outputs_of(b, call, slot, &count);

    if (!fails || (b->watch.kind == FAULT_RETRIES && call->attempt == 2))
        return inner(b->inner.self, call);
    if (b->watch.kind < FAULT_ENDLESS)
        inner(b->inner.self, call);
    return spoil(b->watch.kind, call->attempt, outputs, count, call->message, call->message_capacity);
}

#define WATCHED(name, slot)                                                                                            \
    static int32_t watched_##name(void *self, ffebm_energy_call *call)                                                 \
    {                                                                                                                  \
        return pass(self, call, slot, ((energy_block *)self)->inner.name);                                             \
    }
WATCHED(settle, SLOT_SETTLE)
WATCHED(output, SLOT_OUTPUT)
WATCHED(parameter_gradient, SLOT_PARAMETER_GRADIENT)
WATCHED(input_gradient, SLOT_INPUT_GRADIENT)
WATCHED(energy, SLOT_ENERGY)
WATCHED(adjoint, SLOT_ADJOINT)
WATCHED(initialize, SLOT_INITIALIZE)

static void watched_destroy(void *self)
{
    ((energy_block *)self)->watch.destroyed++;
}

static size_t product(const int64_t *shape, size_t rank)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    return count;
}

void energy_block_init(energy_block *b, const ffebm_user_energy *inner)
{
    ffebm_user_energy *t = &b->table;

    b->inner = *inner;
    b->inputs = product(inner->input_shape, inner->input_rank);
    b->outputs = product(inner->output_shape, inner->output_rank);
    b->parameter_count = 0;
    watch_init(&b->watch);
    *t = *inner;
    t->size = sizeof *t;
    t->self = b;
    t->settle = watched_settle;
    t->output = inner->output == NULL ? NULL : watched_output;
    t->parameter_gradient = inner->parameter_gradient == NULL ? NULL : watched_parameter_gradient;
    t->input_gradient = inner->input_gradient == NULL ? NULL : watched_input_gradient;
    t->energy = inner->energy == NULL ? NULL : watched_energy;
    t->adjoint = inner->adjoint == NULL ? NULL : watched_adjoint;
    t->initialize = inner->initialize == NULL ? NULL : watched_initialize;
    t->destroy = watched_destroy;
}

static ffebm_user_parameter parameter_of(const char *name, const int64_t *shape, size_t rank)
{
    ffebm_user_parameter parameter;

    ffebm_user_parameter_init(&parameter, sizeof parameter);
    parameter.name = name;
    parameter.shape = shape;
    parameter.rank = rank;
    return parameter;
}

void energy_block_parameter(energy_block *b, const char *name, const int64_t *shape, size_t rank)
{
    b->parameters[b->parameter_count++] = parameter_of(name, shape, rank);
}

/* ----------------------------------------------------------------------------------------- watched feedforward blocks */

static int32_t pass_digital(feedforward_block *b, ffebm_feedforward_call *call, int slot, ffebm_feedforward_fn inner)
{
    told noted = {slot, call->first, call->batch, call->seed, call->version, 0};
    size_t number = sizeof(double), count = slot == SLOT_FORWARD ? call->batch * b->outputs : call->batch * b->inputs;
    double *outputs = slot == SLOT_FORWARD ? call->output : call->input_cotangent;
    int promised = clean(call->output, call->batch * b->outputs * number) &&
                   clean(call->input_cotangent, call->batch * b->inputs * number) &&
                   clean(call->gradient, call->parameter_count * number) &&
                   clean(call->values, call->parameter_count * number) && call->message[0] == '\0' &&
                   call->version != 0;
    int fails = enter(&b->watch, &noted, call->attempt, promised);

    if (slot == SLOT_INITIALIZE) {
        outputs = call->values;
        count = call->parameter_count;
    }
    if (!fails || (b->watch.kind == FAULT_RETRIES && call->attempt == 2))
        return inner(b->inner.self, call);
    if (b->watch.kind < FAULT_ENDLESS)
        inner(b->inner.self, call);
    return spoil(b->watch.kind, call->attempt, outputs, count, call->message, call->message_capacity);
}

static int32_t watched_forward(void *self, ffebm_feedforward_call *call)
{
    return pass_digital(self, call, SLOT_FORWARD, ((feedforward_block *)self)->inner.forward);
}

static int32_t watched_vjp(void *self, ffebm_feedforward_call *call)
{
    return pass_digital(self, call, SLOT_VJP, ((feedforward_block *)self)->inner.vjp);
}

static int32_t watched_values(void *self, ffebm_feedforward_call *call)
{
    return pass_digital(self, call, SLOT_INITIALIZE, ((feedforward_block *)self)->inner.initialize);
}

static void watched_end(void *self)
{
    ((feedforward_block *)self)->watch.destroyed++;
}

void feedforward_block_init(feedforward_block *b, const ffebm_user_feedforward *inner)
{
    b->inner = *inner;
    b->inputs = product(inner->input_shape, inner->input_rank);
    b->outputs = product(inner->output_shape, inner->output_rank);
    b->parameter_count = 0;
    watch_init(&b->watch);
    b->table = *inner;
    b->table.size = sizeof b->table;
    b->table.self = b;
    b->table.forward = watched_forward;
    b->table.vjp = watched_vjp;
    b->table.initialize = inner->initialize == NULL ? NULL : watched_values;
    b->table.destroy = watched_end;
}

void feedforward_block_parameter(feedforward_block *b, const char *name, const int64_t *shape, size_t rank)
{
    b->parameters[b->parameter_count++] = parameter_of(name, shape, rank);
}

/* ------------------------------------------------------------------------------------------------------ the chains */

fixture chain_begin(int32_t dtype, int32_t threads, const int64_t *shape, size_t rank, int32_t loss)
{
    fixture f = {.info = {.size = sizeof f.info}};
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = threads;
    ck_assert_int_eq(ffebm_context_create(&f.context, &config), FFEBM_OK);
    assert_ok(f.context, ffebm_model_create(f.context, &f.model, dtype, shape, rank, loss));
    return f;
}

void chain_op(fixture *f, int32_t type, int64_t out)
{
    ffebm_feedforward *block;
    ffebm_op_config op;

    ffebm_op_config_init(&op, sizeof op, type);
    op.out = out;
    assert_ok(f->context, ffebm_feedforward_create(f->context, &block));
    assert_ok(f->context, ffebm_feedforward_add_op(block, &op));
    assert_ok(f->context, ffebm_model_add_feedforward(f->model, &block));
}

void chain_hopfield(fixture *f, const hopfield *h)
{
    ffebm_energy *block;
    ffebm_activation activation;
    ffebm_hopfield_config config;
    ffebm_coupling_config coupling;

    ffebm_activation_init(&activation, sizeof activation, FFEBM_ACTIVATION_HARD_SIGMOID);
    activation.slope = h->slope;
    ffebm_hopfield_config_init(&config, sizeof config);
    config.activation = &activation;
    config.clamp_last = h->clamp_last;
    assert_ok(f->context, ffebm_energy_create_hopfield(f->context, &block, &config));
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    for (size_t l = 1; l < HOPFIELD_LAYERS; l++) {
        coupling.out = h->units[l];
        assert_ok(f->context, ffebm_energy_add_coupling(block, &coupling));
    }
    assert_ok(f->context, ffebm_model_add_energy(f->model, &block));
}

void chain_energy(fixture *f, energy_block *b)
{
    ffebm_energy *block;

    assert_ok(f->context, ffebm_energy_create_user(f->context, &block, &b->table));
    for (size_t p = 0; p < b->parameter_count; p++)
        assert_ok(f->context, ffebm_energy_add_parameter(block, &b->parameters[p]));
    assert_ok(f->context, ffebm_model_add_energy(f->model, &block));
}

void chain_feedforward(fixture *f, feedforward_block *b)
{
    ffebm_feedforward *block;

    assert_ok(f->context, ffebm_feedforward_create_user(f->context, &block, &b->table));
    for (size_t p = 0; p < b->parameter_count; p++)
        assert_ok(f->context, ffebm_feedforward_add_parameter(block, &b->parameters[p]));
    assert_ok(f->context, ffebm_model_add_feedforward(f->model, &block));
}

void chain_ready(fixture *f, uint64_t seed)
{
    assert_ok(f->context, ffebm_model_initialize(f->model, seed));
    assert_ok(f->context, ffebm_engine_create(&f->engine, f->model, NULL));
    assert_ok(f->context, ffebm_model_inspect(f->model, &f->info));
    f->inputs = product(f->info.input_shape, f->info.input_rank);
    f->outputs = product(f->info.output_shape, f->info.output_rank);
}

fixture chain_of_networks(energy_block b[2], int32_t dtype, int32_t threads)
{
    static const int64_t in[] = {CHAIN_IN};
    fixture f = chain_begin(dtype, threads, in, 1, FFEBM_LOSS_CROSS_ENTROPY);

    chain_op(&f, FFEBM_OP_LINEAR, NETWORK_IN);
    chain_energy(&f, &b[0]);
    chain_op(&f, FFEBM_OP_LINEAR, NETWORK_IN);
    chain_energy(&f, &b[1]);
    chain_op(&f, FFEBM_OP_LINEAR, 3);
    chain_ready(&f, 3);
    return f;
}

int same_bits(const ffebm_tensor *a, const ffebm_tensor *b)
{
    size_t number = ffebm_tensor_dtype(b) == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double);

    return ffebm_tensor_dtype(a) == ffebm_tensor_dtype(b) && ffebm_tensor_count(a) == ffebm_tensor_count(b) &&
           memcmp(ffebm_tensor_const_data(a), ffebm_tensor_const_data(b), ffebm_tensor_count(b) * number) == 0;
}

/* Settings, handles and stages that are refused: with which status, in which words, and that what refused them still works. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "refusal.h"

static const char chain[] = CHAIN("cross_entropy");

/* ------------------------------------------------------------------------------------------------- creating handles */

START_TEST(nulls_leave_null_handles)
{
    static const int64_t shape[] = {4};
    double data[4] = {0};
    union {
        void *any;
        ffebm_tensor *tensor;
        ffebm_model *model;
        ffebm_feedforward *feedforward;
        ffebm_energy *energy;
        ffebm_engine *engine;
        ffebm_optimizer *optimizer;
    } h;

#define GIVES_NULL(call)                                                                                               \
    do {                                                                                                               \
        h.any = &h;                                                                                                    \
        NO_HANDLE(call);                                                                                               \
        ck_assert_msg(h.any == NULL, "%s: the handle is not NULL", #call);                                             \
    } while (0)
    switch (_i) {
    case 0:
        GIVES_NULL(ffebm_engine_create(&h.engine, NULL, NULL));
        GIVES_NULL(ffebm_optimizer_create_sgd(&h.optimizer, NULL, NULL));
        GIVES_NULL(ffebm_optimizer_create_adam(&h.optimizer, NULL, NULL));
        GIVES_NULL(ffebm_model_parse(f.context, &h.model, NULL, 3, NULL));
        GIVES_NULL(ffebm_model_create(f.context, &h.model, FFEBM_FLOAT32, NULL, 1, FFEBM_LOSS_MSE));
        break;
    case 1:
        GIVES_NULL(ffebm_tensor_create(NULL, &h.tensor, FFEBM_FLOAT32, shape, 1));
        break;
    case 2:
        GIVES_NULL(ffebm_tensor_wrap(NULL, &h.tensor, data, FFEBM_FLOAT64, shape, 1));
        break;
    case 3:
        GIVES_NULL(ffebm_model_create(NULL, &h.model, FFEBM_FLOAT32, shape, 1, FFEBM_LOSS_MSE));
        break;
    case 4:
        GIVES_NULL(ffebm_model_parse(NULL, &h.model, chain, sizeof chain - 1, NULL));
        break;
    case 5:
        GIVES_NULL(ffebm_feedforward_create(NULL, &h.feedforward));
        break;
    default:
        GIVES_NULL(ffebm_energy_create_hopfield(NULL, &h.energy, NULL));
    }
}
END_TEST

START_TEST(nulls)
{
    ffebm_report report = {.size = sizeof report};
    const char *text = chain;

    REFUSED(ffebm_model_create(f.context, NULL, FFEBM_FLOAT32, (const int64_t[]){4}, 1, FFEBM_LOSS_MSE),
            FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_parse(f.context, NULL, chain, sizeof chain - 1, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_feedforward_create(f.context, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_energy_create_hopfield(f.context, NULL, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_engine_create(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_optimizer_create_sgd(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_optimizer_create_adam(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_description(f.model, NULL, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_add_feedforward(f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_add_energy(f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_engine_gradient(f.engine, &report, NULL, y, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_gradient(f.engine, &report, x, NULL, NULL), FFEBM_ERR_ARGUMENT, "target");
    REFUSED(ffebm_engine_evaluate(f.engine, &report, NULL, NULL, y, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_evaluate(f.engine, &report, NULL, x, NULL, NULL), FFEBM_ERR_ARGUMENT, "target");
    REFUSED(ffebm_engine_forward(f.engine, NULL, &ticket, NULL), FFEBM_ERR_ARGUMENT, "input");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, ticket, NULL, 0), FFEBM_ERR_ARGUMENT, "output_cotangent");
    REFUSED(ffebm_engine_settle(f.engine, 1, NULL, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_energy(f.engine, NULL, 1, FFEBM_PHASE_FREE, x), FFEBM_ERR_ARGUMENT, "energies");
    REFUSED(ffebm_engine_get_state(f.engine, NULL, 1, 0, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "state");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 0, NULL), FFEBM_ERR_ARGUMENT, "state");
    REFUSED(ffebm_engine_unsettled(f.engine, NULL, 1, NULL), FFEBM_ERR_ARGUMENT, "text");
    NO_HANDLE(ffebm_model_description(NULL, &text, NULL));
    ck_assert_ptr_null(text);
    NO_HANDLE(ffebm_model_initialize(NULL, 1));
    NO_HANDLE(ffebm_model_set_initialization(NULL, NULL));
    NO_HANDLE(ffebm_model_add_feedforward(NULL, NULL));
    NO_HANDLE(ffebm_model_add_energy(NULL, NULL));
    NO_HANDLE(ffebm_model_recipe(NULL, NULL));
    NO_HANDLE(ffebm_model_inspect(NULL, NULL));
    NO_HANDLE(ffebm_model_inspect_stage(NULL, NULL, 0));
    NO_HANDLE(ffebm_model_inspect_layer(NULL, NULL, 0, 0));
    NO_HANDLE(ffebm_model_inspect_parameter(NULL, NULL, 0));
    NO_HANDLE(ffebm_feedforward_add_op(NULL, NULL));
    NO_HANDLE(ffebm_energy_add_coupling(NULL, NULL));
    NO_HANDLE(ffebm_engine_configure(NULL, 1, NULL));
    NO_HANDLE(ffebm_engine_gradient(NULL, NULL, x, y, NULL));
    NO_HANDLE(ffebm_engine_evaluate(NULL, NULL, NULL, x, y, NULL));
    NO_HANDLE(ffebm_engine_forward(NULL, NULL, &ticket, x));
    NO_HANDLE(ffebm_engine_vjp(NULL, NULL, ticket, x, 0));
    NO_HANDLE(ffebm_engine_settle(NULL, 1, x, NULL));
    NO_HANDLE(ffebm_engine_energy(NULL, x, 1, FFEBM_PHASE_FREE, x));
    NO_HANDLE(ffebm_engine_energy_gradient(NULL, NULL, 1, FFEBM_PHASE_FREE));
    NO_HANDLE(ffebm_engine_get_state(NULL, x, 1, 0, FFEBM_PHASE_FREE));
    NO_HANDLE(ffebm_engine_set_state(NULL, 1, 0, x));
    NO_HANDLE(ffebm_engine_inspect_phase(NULL, NULL, 1, FFEBM_PHASE_FREE));
    NO_HANDLE(ffebm_engine_unsettled(NULL, NULL, 0, NULL));
    NO_HANDLE(ffebm_engine_set_step(NULL, 1));
    NO_HANDLE(ffebm_engine_set_first_sample(NULL, 1));
    ck_assert_ptr_null(ffebm_engine_flat_gradient(NULL));
    ffebm_engine_destroy(NULL);
    ffebm_optimizer_destroy(NULL);
    ffebm_feedforward_destroy(NULL);
    ffebm_energy_destroy(NULL);
}
END_TEST

/* A configuration with one field out of range, and the word that the text must have. */
enum { SGD, ADAM, EQUILIBRIUM, HOPFIELD, LINEAR_OP, RELU_OP, COUPLING, INITIALIZATION, ACTIVATION, TANH };

static const struct {
    int kind;
    size_t offset;
    int is_number;
    double number;
    int64_t integer; /* written as int32_t if not `out` */
    const char *word;
} fields[] = {
#define NUMBER(kind, type, field, value)                                                                               \
    {                                                                                                                  \
        kind, offsetof(type, field), 1, value, 0, #field                                                               \
    }
#define INTEGER(kind, type, field, value)                                                                              \
    {                                                                                                                  \
        kind, offsetof(type, field), 0, 0, value, #field                                                               \
    }
#define RATES(kind, type, field)                                                                                       \
    NUMBER(kind, type, field, -1), NUMBER(kind, type, field, NAN), NUMBER(kind, type, field, INFINITY)
    RATES(SGD, ffebm_sgd_config, learning_rate),
    RATES(SGD, ffebm_sgd_config, momentum),
    NUMBER(SGD, ffebm_sgd_config, momentum, 1),
    RATES(SGD, ffebm_sgd_config, weight_decay),
    RATES(SGD, ffebm_sgd_config, clip_norm),
    INTEGER(SGD, ffebm_sgd_config, nesterov, 2),
    INTEGER(SGD, ffebm_sgd_config, reserved_, 1),
    RATES(ADAM, ffebm_adam_config, learning_rate),
    RATES(ADAM, ffebm_adam_config, beta1),
    NUMBER(ADAM, ffebm_adam_config, beta1, 1),
    RATES(ADAM, ffebm_adam_config, beta2),
    NUMBER(ADAM, ffebm_adam_config, beta2, 1),
    RATES(ADAM, ffebm_adam_config, epsilon),
    NUMBER(ADAM, ffebm_adam_config, epsilon, 0),
    RATES(ADAM, ffebm_adam_config, weight_decay),
    RATES(ADAM, ffebm_adam_config, clip_norm),
    INTEGER(ADAM, ffebm_adam_config, decoupled_decay, -1),
    INTEGER(ADAM, ffebm_adam_config, reserved_, 1),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, beta),
    NUMBER(EQUILIBRIUM, ffebm_equilibrium_config, beta, 0),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, free_tolerance),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, nudged_tolerance),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, relaxation),
    NUMBER(EQUILIBRIUM, ffebm_equilibrium_config, relaxation, 2),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, estimator, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, estimator, 99),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, nudging, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, nudging, 9),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, start, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, start, 3),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, require_convergence, 2),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, precision, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, precision, 3),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, reserved_, 1),
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, free_order), 0, 0, FFEBM_ORDER_REVERSED, "order"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, nudged_order), 0, 0, 0, "order"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, free_sweeps), 2, 0, 0, "free_sweeps"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, nudged_sweeps), 2, 0, INT64_MIN, "nudged_sweeps"},
    INTEGER(HOPFIELD, ffebm_hopfield_config, clamp_last, 2),
    INTEGER(HOPFIELD, ffebm_hopfield_config, reserved_, 1),
    RATES(ACTIVATION, ffebm_activation, slope),
    NUMBER(ACTIVATION, ffebm_activation, slope, 0),
    NUMBER(ACTIVATION, ffebm_activation, lower, -INFINITY),
    NUMBER(ACTIVATION, ffebm_activation, lower, NAN),
    NUMBER(ACTIVATION, ffebm_activation, lower, 1), /* not below upper */
    NUMBER(ACTIVATION, ffebm_activation, upper, 0),
    NUMBER(ACTIVATION, ffebm_activation, upper, INFINITY),
    INTEGER(ACTIVATION, ffebm_activation, type, 0),
    INTEGER(ACTIVATION, ffebm_activation, type, 6),
    INTEGER(ACTIVATION, ffebm_activation, reserved_, 1),
    NUMBER(TANH, ffebm_activation, slope, 0),
    NUMBER(TANH, ffebm_activation, lower, -1), /* which it does not read */
    NUMBER(TANH, ffebm_activation, upper, 1),
    {LINEAR_OP, offsetof(ffebm_op_config, out), 2, 0, 0, "out"},
    {LINEAR_OP, offsetof(ffebm_op_config, out), 2, 0, -5, "-5"},
    INTEGER(LINEAR_OP, ffebm_op_config, type, 99),
    INTEGER(LINEAR_OP, ffebm_op_config, bias, 2),
    INTEGER(LINEAR_OP, ffebm_op_config, frozen, -1),
    {RELU_OP, offsetof(ffebm_op_config, out), 2, 0, 3, "out"},
    INTEGER(RELU_OP, ffebm_op_config, bias, 1),
    INTEGER(RELU_OP, ffebm_op_config, frozen, 1),
    {COUPLING, offsetof(ffebm_coupling_config, out), 2, 0, 0, "out"},
    INTEGER(COUPLING, ffebm_coupling_config, type, 0),
    INTEGER(COUPLING, ffebm_coupling_config, bias, 2),
    INTEGER(COUPLING, ffebm_coupling_config, frozen, 2),
    RATES(INITIALIZATION, ffebm_initialization, gain),
    NUMBER(INITIALIZATION, ffebm_initialization, gain, 0),
    NUMBER(INITIALIZATION, ffebm_initialization, bias, NAN),
    INTEGER(INITIALIZATION, ffebm_initialization, type, 9),
    INTEGER(INITIALIZATION, ffebm_initialization, constant_bias, 2),
};

typedef union settings {
    ffebm_sgd_config sgd;
    ffebm_adam_config adam;
    ffebm_equilibrium_config equilibrium;
    ffebm_hopfield_config hopfield;
    ffebm_op_config op;
    ffebm_coupling_config coupling;
    ffebm_initialization initialization;
    ffebm_activation activation;
} settings;

static void fill(settings *s, int kind)
{
    ffebm_sgd_config_init(&s->sgd, kind == SGD ? sizeof s->sgd : 0);
    ffebm_adam_config_init(&s->adam, kind == ADAM ? sizeof s->adam : 0);
    ffebm_equilibrium_config_init(&s->equilibrium, kind == EQUILIBRIUM ? sizeof s->equilibrium : 0);
    ffebm_hopfield_config_init(&s->hopfield, kind == HOPFIELD ? sizeof s->hopfield : 0);
    ffebm_initialization_init(&s->initialization, kind == INITIALIZATION ? sizeof s->initialization : 0);
    ffebm_coupling_config_init(&s->coupling, kind == COUPLING ? sizeof s->coupling : 0, FFEBM_COUPLING_DENSE);
    if (kind == ACTIVATION || kind == TANH)
        ffebm_activation_init(&s->activation, sizeof s->activation,
                              kind == TANH ? FFEBM_ACTIVATION_TANH : FFEBM_ACTIVATION_HARD_SIGMOID);
    if (kind == LINEAR_OP || kind == RELU_OP)
        ffebm_op_config_init(&s->op, sizeof s->op, kind == LINEAR_OP ? FFEBM_OP_LINEAR : FFEBM_OP_RELU);
    if (kind == LINEAR_OP)
        s->op.out = 3;
    if (kind == COUPLING)
        s->coupling.out = 3;
}

static ffebm_status use_op(const settings *s)
{
    ffebm_feedforward *block;
    ffebm_status status;

    assert_ok(f.context, ffebm_feedforward_create(f.context, &block));
    status = ffebm_feedforward_add_op(block, &s->op);
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status use_block(const settings *s, int kind)
{
    ffebm_energy *block = (void *)&f;
    ffebm_status status = ffebm_energy_create_hopfield(f.context, &block, kind == HOPFIELD ? &s->hopfield : NULL);

    ck_assert((status == FFEBM_OK) == (block != NULL));
    if (kind == COUPLING)
        status = ffebm_energy_add_coupling(block, &s->coupling);
    ffebm_energy_destroy(block);
    return status;
}

/* Of a whole block, of its first layer or of one that a coupling adds: they answer alike. */
static ffebm_status use_activation(const settings *s)
{
    ffebm_status statuses[3];
    settings with;

    for (int which = 0; which < 3; which++) {
        memset(&with, 0, sizeof with);
        fill(&with, which == 2 ? COUPLING : HOPFIELD);
        *(which == 0   ? &with.hopfield.activation
          : which == 1 ? &with.hopfield.layer0
                       : &with.coupling.activation) = &s->activation;
        statuses[which] = use_block(&with, which == 2 ? COUPLING : HOPFIELD);
        ck_assert_int_eq(statuses[which], statuses[0]);
    }
    return statuses[0];
}

static ffebm_status use_optimizer(const settings *s, int kind)
{
    ffebm_optimizer *made = optimizer;
    ffebm_status status = kind == SGD ? ffebm_optimizer_create_sgd(&made, f.model, &s->sgd)
                                      : ffebm_optimizer_create_adam(&made, f.model, &s->adam);

    ck_assert((status == FFEBM_OK) == (made != NULL));
    ffebm_optimizer_destroy(made);
    return status;
}

static ffebm_status use(const settings *s, int kind)
{
    switch (kind) {
    case SGD:
    case ADAM:
        return use_optimizer(s, kind);
    case EQUILIBRIUM:
        return ffebm_engine_configure(f.engine, FFEBM_ALL, &s->equilibrium);
    case LINEAR_OP:
    case RELU_OP:
        return use_op(s);
    case ACTIVATION:
    case TANH:
        return use_activation(s);
    case INITIALIZATION:
        return ffebm_model_set_initialization(f.model, &s->initialization);
    default:
        return use_block(s, kind);
    }
}

START_TEST(field_out_of_range)
{
    const int32_t small = (int32_t)fields[_i].integer;
    settings s;
    char *at = (char *)&s + fields[_i].offset;

    memset(&s, 0, sizeof s);
    fill(&s, fields[_i].kind);
    assert_ok(f.context, use(&s, fields[_i].kind));
    if (fields[_i].is_number == 1)
        memcpy(at, &fields[_i].number, sizeof fields[_i].number);
    else if (fields[_i].is_number == 2)
        memcpy(at, &fields[_i].integer, sizeof fields[_i].integer);
    else
        memcpy(at, &small, sizeof small);
    refused_with(fields[_i].word, use(&s, fields[_i].kind), FFEBM_ERR_ARGUMENT, fields[_i].word);
    fill(&s, fields[_i].kind);
    assert_ok(f.context, use(&s, fields[_i].kind));
}
END_TEST

START_TEST(model_refuses)
{
    static const int64_t good[] = {2, 2}, bad[] = {2, 0}, eight[] = {1, 1, 1, 1, 1, 1, 1, 1};
    ffebm_parse_config config = {.size = sizeof config, .dtype = FFEBM_INT64};
    ffebm_model *model = f.model;

#define CREATE(dtype, shape, rank, loss) ffebm_model_create(f.context, &model, dtype, shape, rank, loss)
    REFUSED(CREATE(FFEBM_INT64, good, 2, FFEBM_LOSS_MSE), FFEBM_ERR_DTYPE, "3");
    ck_assert_ptr_null(model);
    REFUSED(CREATE(0, good, 2, FFEBM_LOSS_MSE), FFEBM_ERR_DTYPE, "dtype 0");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 2, 7), FFEBM_ERR_ARGUMENT, "loss 7");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 2, -1), FFEBM_ERR_ARGUMENT, "loss -1");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 0, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "rank 0");
    REFUSED(CREATE(FFEBM_FLOAT32, eight, 8, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "rank 8");
    REFUSED(CREATE(FFEBM_FLOAT32, bad, 2, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "dimension 1 is 0");
#undef CREATE
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_DTYPE, "3");
    config.dtype = 9;
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_DTYPE, "9");
    config = (ffebm_parse_config){.size = sizeof config, .reserved_ = 1};
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_ARGUMENT, "reserved_");
    ffebm_model_destroy(model);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- adding stages */

static ffebm_model *parsed(ffebm_context *context, const char *json)
{
    ffebm_model *model;

    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), NULL));
    return model;
}

START_TEST(stages_refused)
{
    static const char plain[] = "{\"input\": [2, 2], \"loss\": \"none\", \"stages\": [{\"feedforward\": []}]}";
    ffebm_model *building = parsed(f.context, plain), *kept = building;
    ffebm_context *another;
    ffebm_feedforward *block, *foreign, *same;
    ffebm_op_config config;

    ck_assert_int_eq(ffebm_context_create(&another, NULL), FFEBM_OK);
    assert_ok(another, ffebm_feedforward_create(another, &foreign));
    assert_ok(f.context, ffebm_feedforward_create(f.context, &block));
    ffebm_op_config_init(&config, sizeof config, FFEBM_OP_LINEAR);
    config.out = 2;
    assert_ok(f.context, ffebm_feedforward_add_op(block, &config));
    same = block;
    REFUSED(ffebm_model_add_feedforward(f.model, &block), FFEBM_ERR_STATE, "model");
    REFUSED(ffebm_model_add_feedforward(building, &foreign), FFEBM_ERR_ARGUMENT, "another context");
    REFUSED(ffebm_model_add_feedforward(building, &block), FFEBM_ERR_SHAPE, "stage 1 op 0 (linear)");
    ck_assert(strstr(ffebm_context_error(f.context), "[2, 2]") != NULL);
    ck_assert_ptr_eq(block, same);
    ck_assert_ptr_nonnull(foreign);
    REFUSED(ffebm_feedforward_add_op(block, NULL), FFEBM_ERR_ARGUMENT, "config");

    assert_ok(f.context, ffebm_model_create(f.context, &building, FFEBM_FLOAT32, (const int64_t[]){4}, 1,
                                            FFEBM_LOSS_CROSS_ENTROPY));
    assert_ok(f.context, ffebm_model_add_feedforward(building, &block)); /* refused there, it fits here */
    assert_ok(f.context, ffebm_model_initialize(building, 1));
    assert_ok(f.context, ffebm_model_initialize(kept, 1));
    ffebm_feedforward_destroy(foreign);
    ffebm_context_destroy(another);
    ffebm_model_destroy(building);
    ffebm_model_destroy(kept);
}
END_TEST

START_TEST(energy_stages_refused)
{
    ffebm_energy *block, *same;
    ffebm_coupling_config config;
    ffebm_model *model;

    assert_ok(f.context, ffebm_model_create(f.context, &model, FFEBM_FLOAT32, (const int64_t[]){2000000000}, 1, 0));
    assert_ok(f.context, ffebm_energy_create_hopfield(f.context, &block, NULL));
    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    config.out = 2000000000;
    assert_ok(f.context, ffebm_energy_add_coupling(block, &config));
    same = block;
    REFUSED(ffebm_model_add_energy(f.model, &block), FFEBM_ERR_STATE, "model");
    REFUSED(ffebm_model_add_energy(model, &block), FFEBM_ERR_SHAPE, "stage 0 coupling 0");
    ck_assert_ptr_eq(block, same);
    REFUSED(ffebm_energy_add_coupling(block, NULL), FFEBM_ERR_ARGUMENT, "config");
    REFUSED(ffebm_model_initialize(model, 1), FFEBM_ERR_STATE, "no stages");
    ffebm_energy_destroy(block);
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(models_not_ready)
{
    static const char image[] =
        "{\"input\": [2, 2], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": [{\"type\": \"relu\"}]}]}";
    ffebm_model *building = parsed(f.context, chain), *flat = parsed(f.context, image);
    ffebm_engine *engine = f.engine;
    ffebm_optimizer *step = optimizer;

    REFUSED(ffebm_engine_create(&engine, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(engine);
    REFUSED(ffebm_optimizer_create_sgd(&step, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(step);
    step = optimizer;
    REFUSED(ffebm_optimizer_create_adam(&step, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(step);
    REFUSED(ffebm_model_initialize(flat, 1), FFEBM_ERR_SHAPE, "[2, 2]");
    REFUSED(ffebm_engine_create(&engine, flat, NULL), FFEBM_ERR_STATE, "model");
    ffebm_model_destroy(building);
    ffebm_model_destroy(flat);
}
END_TEST

Suite *test_bad_settings_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("bad_settings", &tests);

    tcase_add_loop_test(tests, nulls_leave_null_handles, 0, 7);
    tcase_add_test(tests, nulls);
    tcase_add_loop_test(tests, field_out_of_range, 0, COUNT(fields));
    tcase_add_test(tests, model_refuses);
    tcase_add_test(tests, stages_refused);
    tcase_add_test(tests, energy_stages_refused);
    tcase_add_test(tests, models_not_ready);
    return suite;
}

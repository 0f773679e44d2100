/* Taps that are refused: by calls and in descriptions, in words that name stage, tap and both shapes; nothing has changed. */
#include <string.h>

#include "taps.h"
#include "user_blocks.h"

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

static void check_text(const char *call, ffebm_status found, ffebm_status status, const char *words)
{
    ck_assert_msg(found == status, "%s: %s", call, ffebm_context_error(context));
    ck_assert_msg(strstr(ffebm_context_error(context), words) != NULL, "%s: \"%s\" lacks \"%s\"", call,
                  ffebm_context_error(context), words);
}

/* ---------------------------------------------------------------------------------------------------- descriptions */

#define STAGES(stages) MODEL("[4]", "mse", stages)
#define ENERGY BLOCK(DENSE("5"))

static const struct {
    const char *json;
    ffebm_status status;
    const char *words;
} descriptions[] = {
    {STAGES(TAPPED("", TAP("0", "")) ", " ENERGY), FFEBM_ERR_PARSE, "PARSE: stage 0 tap 0: it gives to layer 0"},
    {STAGES(TAPPED("", TAP("-1", "")) ", " ENERGY), FFEBM_ERR_PARSE, "stage 0 tap 0: \"to\" is -1, expected 1 or more"},
    {STAGES(TAPPED("", TAP("1.5", "")) ", " ENERGY), FFEBM_ERR_PARSE, "stage 0 tap 0"},
    {STAGES(TAPPED("", TAP("1", LINEAR("5")) ", " TAP("1", LINEAR("5"))) ", " ENERGY), FFEBM_ERR_PARSE,
     "PARSE: stage 0 tap 1: it gives to layer 1, as tap 0 does"},
    {STAGES(TAPPED("", TAP("2", "")) ", " ENERGY), FFEBM_ERR_SHAPE,
     "stage 0 tap 0: it gives [4] to layer 2, but the energy block behind it has 2 layers"},
    {STAGES(TAPPED("", TAP("1", "")) ", " ENERGY), FFEBM_ERR_SHAPE,
     "stage 0 tap 0: it gives [4] to layer 1 of the energy block behind it, which is [5]"},
    {STAGES(TAPPED("", TAP("1", LINEAR("5") ", {\"type\": \"maxpool2d\", \"kernel\": 2}")) ", " ENERGY),
     FFEBM_ERR_SHAPE, "stage 0 tap 0 op 1 (maxpool2d)"},
    {STAGES(TAPPED("", TAP("1", "")) ", " OPS("") ", " ENERGY), FFEBM_ERR_STATE, "stage 0: it has taps"},
    {STAGES(TAPPED("", "{\"to\": 1}") ", " ENERGY), FFEBM_ERR_PARSE, "ops"},
    {STAGES(TAPPED("", "{\"ops\": []}") ", " ENERGY), FFEBM_ERR_PARSE, "to"},
    {STAGES(TAPPED("", "{\"to\": 1, \"ops\": {}}") ", " ENERGY), FFEBM_ERR_PARSE, "stage 0 tap 0"},
    {STAGES(TAPPED("", "{\"to\": 1, \"ops\": [], \"from\": 0}") ", " ENERGY), FFEBM_ERR_PARSE,
     "stage 0 tap 0: unknown key \"from\""},
    {STAGES(TAPPED("", TAP("1", "{\"type\": \"gelu\"}")) ", " ENERGY), FFEBM_ERR_PARSE, "stage 0 tap 0 op 0"},
    {STAGES(TAPPED("", TAP("1", "{\"type\": \"user\", \"name\": \"x\"}")) ", " ENERGY), FFEBM_ERR_UNSUPPORTED,
     "stage 0 tap 0 op 0"},
    {STAGES("{\"feedforward\": [], \"taps\": {}}, " ENERGY), FFEBM_ERR_PARSE, "stage 0"},
    {STAGES("{\"taps\": []}"), FFEBM_ERR_PARSE, "stage 0"},
    {STAGES("{\"energy\": {\"type\": \"hopfield\", \"couplings\": []}, \"taps\": []}"), FFEBM_ERR_PARSE,
     "stage 0: \"taps\" beside \"energy\""},
};

START_TEST(description)
{
    const char *json = descriptions[_i].json;
    ffebm_model *model = (void *)&context;

    check_text(json, ffebm_model_parse(context, &model, json, strlen(json), NULL), descriptions[_i].status,
               descriptions[_i].words);
    ck_assert_ptr_null(model);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------------- calls */

static ffebm_feedforward *row_of(int64_t out)
{
    ffebm_feedforward *row;
    ffebm_op_config op;

    assert_ok(context, ffebm_feedforward_create(context, &row));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = out;
    if (out > 0)
        assert_ok(context, ffebm_feedforward_add_op(row, &op));
    return row;
}

static ffebm_energy *block_of(int64_t out)
{
    ffebm_energy *block;
    ffebm_coupling_config coupling;

    assert_ok(context, ffebm_energy_create_hopfield(context, &block, NULL));
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = out;
    assert_ok(context, ffebm_energy_add_coupling(block, &coupling));
    return block;
}

static ffebm_model *model_of(int64_t in)
{
    ffebm_model *model;

    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT64, &in, 1, FFEBM_LOSS_MSE));
    return model;
}

/* The call fails so, the block stays the caller's and the model describes what it did. */
#define KEPT(call, taken, status, words)                                                                               \
    do {                                                                                                               \
        const void *kept = taken;                                                                                      \
        char before[2048];                                                                                             \
        const char *after;                                                                                             \
        assert_ok(context, ffebm_model_description(model, &after, NULL));                                              \
        ck_assert_uint_lt(strlen(after), sizeof before);                                                               \
        strcpy(before, after);                                                                                         \
        check_text(#call, call, status, words);                                                                        \
        ck_assert_ptr_eq(taken, kept);                                                                                 \
        assert_ok(context, ffebm_model_description(model, &after, NULL));                                              \
        ck_assert_str_eq(after, before);                                                                               \
    } while (0)

START_TEST(by_calls)
{
    ffebm_model *model = model_of(4);
    ffebm_feedforward *row = row_of(5), *own = row_of(6), *wide = row_of(0), *none = NULL;
    ffebm_energy *block = block_of(5), *small = block_of(3);
    energy_block network;
    ffebm_energy *user;

    network_init(&network);
    assert_ok(context, ffebm_energy_create_user(context, &user, &network.table));
    ck_assert_int_eq(ffebm_model_add_tap(NULL, &row, 1), FFEBM_ERR_ARGUMENT);
    KEPT(ffebm_model_add_tap(model, NULL, 1), none, FFEBM_ERR_ARGUMENT, "NULL");
    KEPT(ffebm_model_add_tap(model, &none, 1), none, FFEBM_ERR_ARGUMENT, "NULL");
    KEPT(ffebm_model_add_tap(model, &row, 1), row, FFEBM_ERR_STATE, "no feedforward stage");
    assert_ok(context, ffebm_model_add_feedforward(model, &own));
    KEPT(ffebm_model_add_tap(model, &row, 0), row, FFEBM_ERR_ARGUMENT, "stage 0 tap 0: it gives to layer 0");
    assert_ok(context, ffebm_model_add_tap(model, &row, 1));
    ck_assert_ptr_null(row);
    KEPT(ffebm_model_add_tap(model, &wide, 1), wide, FFEBM_ERR_ARGUMENT,
         "stage 0 tap 1: it gives to layer 1, as tap 0");
    KEPT(ffebm_model_add_feedforward(model, &wide), wide, FFEBM_ERR_STATE, "stage 0: it has taps");
    KEPT(ffebm_model_add_energy(model, &small), small, FFEBM_ERR_SHAPE,
         "stage 0 tap 0: it gives [5] to layer 1 of the energy block behind it, which is [3]");
    check_text("initialize", ffebm_model_initialize(model, 1), FFEBM_ERR_STATE,
               "stage 0 has taps, but no energy block");
    assert_ok(context, ffebm_model_add_energy(model, &block));
    KEPT(ffebm_model_add_tap(model, &wide, 1), wide, FFEBM_ERR_STATE, "no feedforward stage");
    assert_ok(context, ffebm_model_initialize(model, 1));
    KEPT(ffebm_model_add_tap(model, &wide, 1), wide, FFEBM_ERR_STATE, "takes no more");
    ffebm_model_destroy(model);

    model = model_of(NETWORK_IN);
    assert_ok(context, ffebm_model_add_feedforward(model, &wide));
    wide = row_of(0);
    assert_ok(context, ffebm_model_add_tap(model, &wide, 1));
    KEPT(ffebm_model_add_energy(model, &user), user, FFEBM_ERR_STATE,
         "stage 0 tap 0: the energy block behind it, a user");
    assert_ok(context, ffebm_model_add_energy(model, &small)); /* it has been refused before: layer 1 is [3] here */
    ffebm_energy_destroy(user);
    ffebm_model_destroy(model);
}
END_TEST

/* ------------------------------------------------------------------------------------------- what else may be a tap */

/* A row of the user's is a tap like any other: its values are those that it gives, its place is in its name, and its gradient
 * that of the loss. */
START_TEST(row_of_the_users)
{
    fixture f = chain_begin(FFEBM_FLOAT64, 1, (int64_t[]){DIGITAL_IN}, 1, FFEBM_LOSS_CROSS_ENTROPY);
    ffebm_equilibrium_config settled = converged();
    ffebm_certify_config config;
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_feedforward *row;
    feedforward_block digital;
    hopfield inner = hopfield_of(5, DIGITAL_OUT, 3, 0.5, 0);
    ffebm_tensor *x, *y;

    digital_init(&digital);
    chain_op(&f, FFEBM_OP_LINEAR, 5);
    assert_ok(f.context, ffebm_feedforward_create_user(f.context, &row, &digital.table));
    for (size_t i = 0; i < digital.parameter_count; i++)
        assert_ok(f.context, ffebm_feedforward_add_parameter(row, &digital.parameters[i]));
    assert_ok(f.context, ffebm_model_add_tap(f.model, &row, 1));
    chain_hopfield(&f, &inner);
    chain_ready(&f, 3);
    ck_assert_uint_ne(ffebm_model_find_parameter(f.model, "stage0.tap0.0.weight"), FFEBM_NONE);
    settled.beta = 1e-3;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &settled));
    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 3;
    config.max_difference_error = config.max_relative_error = 1e-3;
    x = random_input(&f, 3, 5);
    y = random_labels(&f, 3, 6);
    assert_ok(f.context, ffebm_engine_certify(f.engine, &worst, x, y, NULL, &config));
    ck_assert_msg(worst.passed == 1, "%s: cosine %.9f, relative error %g, difference error %g", worst.name,
                  worst.cosine, worst.relative_error, worst.difference_error);
    ck_assert_uint_gt(digital.watch.calls[SLOT_INITIALIZE], 0);
    ck_assert_uint_gt(digital.watch.calls[SLOT_VJP], 0);
    destroy_all((ffebm_tensor *[]){x, y}, 2);
    fixture_end(&f);
}
END_TEST

Suite *test_bad_taps_suite(void)
{
    Suite *suite = suite_create("bad_taps");
    TCase *tests = tcase_create("bad_taps");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, description, 0, sizeof descriptions / sizeof descriptions[0]);
    tcase_add_test(tests, by_calls);
    tcase_add_test(tests, row_of_the_users);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Blocks of the user's as descriptions: what is refused and in which words, tables of other ages, whose block it is, and
 * how it stands in descriptions and checkpoints. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user_blocks.h"

static ffebm_context *context;
static energy_block network;
static feedforward_block digital;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    network_init(&network);
    digital_init(&digital);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

#define REFUSED(call, status, word)                                                                                    \
    do {                                                                                                               \
        ck_assert_int_eq(call, status);                                                                                \
        ck_assert_msg(strstr(ffebm_context_error(context), word) != NULL, "%s", ffebm_context_error(context));         \
    } while (0)

/* ------------------------------------------------------------------------------------------------------- the tables */

static void refuse_energy(ffebm_status status, const char *word)
{
    ffebm_energy *block = (void *)&network;

    REFUSED(ffebm_energy_create_user(context, &block, &network.table), status, word);
    ck_assert_ptr_null(block);
    ck_assert_uint_eq(network.watch.destroyed, 0);
    network_init(&network);
}

START_TEST(energy_tables_that_are_refused)
{
    static const int64_t negative[] = {-1};
    ffebm_user_energy *t = &network.table;

    t->settle = NULL;
    refuse_energy(FFEBM_ERR_ARGUMENT, "network: it has no settle");
    t->name = NULL;
    refuse_energy(FFEBM_ERR_ARGUMENT, "it has no name");
    t->name = "";
    refuse_energy(FFEBM_ERR_ARGUMENT, "it has no name");
    t->name = "two words";
    refuse_energy(FFEBM_ERR_ARGUMENT, "two words");
    t->name = "a_name_of_24_characters_";
    refuse_energy(FFEBM_ERR_ARGUMENT, "at most 23");
    t->input_shape = negative;
    refuse_energy(FFEBM_ERR_SHAPE, "its input");
    t->input_shape = NULL;
    refuse_energy(FFEBM_ERR_ARGUMENT, "input");
    t->output_shape = negative;
    refuse_energy(FFEBM_ERR_SHAPE, "its output");
    t->output_rank = FFEBM_MAX_RANK + 1;
    refuse_energy(FFEBM_ERR_SHAPE, "its output");
    t->state_count = 0;
    refuse_energy(FFEBM_ERR_ARGUMENT, "state_count 0");
    t->output = NULL;
    t->state_count = NETWORK_OUT - 1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "last 2 numbers");
    t->input_gradient = NULL;
    t->state_count = NETWORK_IN - 1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "first 3 numbers");
    t->max_beta = -1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "max_beta -1");
    t->max_beta = NAN;
    refuse_energy(FFEBM_ERR_ARGUMENT, "max_beta");
    t->retry_limit = -1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "retry_limit -1");
    t->concurrent = 2;
    refuse_energy(FFEBM_ERR_ARGUMENT, "concurrent 2");
    t->loss_nudging = -1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "loss_nudging -1");
    t->reserved_ = 1;
    refuse_energy(FFEBM_ERR_ARGUMENT, "reserved_");
    t->size = 0;
    refuse_energy(FFEBM_ERR_ARGUMENT, "size");
    ck_assert_int_eq(ffebm_energy_create_user(NULL, NULL, t), FFEBM_ERR_ARGUMENT);
    REFUSED(ffebm_energy_create_user(context, NULL, t), FFEBM_ERR_ARGUMENT, "block is NULL");
    REFUSED(ffebm_energy_create_user(context, &(ffebm_energy *){NULL}, NULL), FFEBM_ERR_ARGUMENT, "table is NULL");
}
END_TEST

static void refuse_feedforward(ffebm_status status, const char *word)
{
    ffebm_feedforward *block = (void *)&digital;

    REFUSED(ffebm_feedforward_create_user(context, &block, &digital.table), status, word);
    ck_assert_ptr_null(block);
    ck_assert_uint_eq(digital.watch.destroyed, 0);
    digital_init(&digital);
}

START_TEST(feedforward_tables_that_are_refused)
{
    static const int64_t none[] = {0};
    ffebm_user_feedforward *t = &digital.table;

    t->forward = NULL;
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "digital: it needs forward and vjp");
    t->vjp = NULL;
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "digital: it needs forward and vjp");
    t->name = "sp ace";
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "sp ace");
    t->input_shape = none;
    refuse_feedforward(FFEBM_ERR_SHAPE, "its input");
    t->output_shape = none;
    refuse_feedforward(FFEBM_ERR_SHAPE, "its output");
    t->retry_limit = -2;
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "retry_limit -2");
    t->reserved_ = 1;
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "reserved_");
    t->size = 1;
    refuse_feedforward(FFEBM_ERR_ARGUMENT, "size");
    REFUSED(ffebm_feedforward_create_user(context, NULL, t), FFEBM_ERR_ARGUMENT, "block is NULL");
    REFUSED(ffebm_feedforward_create_user(context, &(ffebm_feedforward *){NULL}, NULL), FFEBM_ERR_ARGUMENT,
            "table is NULL");
}
END_TEST

/* What a program of a later version knows beyond us is refused unless it is zero; what an earlier one lacks is zero. */
START_TEST(tables_of_another_age)
{
    struct {
        ffebm_user_energy table;
        double later;
    } newer = {network.table, 0};
    ffebm_energy *block = NULL;
    ffebm_user_energy older;

    newer.table.size = sizeof newer;
    assert_ok(context, ffebm_energy_create_user(context, &block, &newer.table));
    ffebm_energy_destroy(block);
    ck_assert_uint_eq(network.watch.destroyed, 1);
    newer.later = 1;
    ck_assert_int_eq(ffebm_energy_create_user(context, &block, &newer.table), FFEBM_ERR_UNSUPPORTED);
    ck_assert_uint_eq(network.watch.destroyed, 1);
    memset(&older, 0xff, sizeof older); /* what lies behind it is not read */
    memcpy(&older, &network.table, offsetof(ffebm_user_energy, max_beta));
    older.size = offsetof(ffebm_user_energy, max_beta);
    assert_ok(context, ffebm_energy_create_user(context, &block, &older));
    ffebm_energy_destroy(block);
    ck_assert_uint_eq(network.watch.destroyed, 2);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- parameters */

static void add_parameters(ffebm_status (*add)(void *block, const ffebm_user_parameter *parameter), void *block,
                           int32_t positions)
{
    static const int64_t shape[] = {2}, bad_shape[] = {-2};
    static const char *const wrong[] = {NULL, "", "a.b", "a_name_of_24_characters_"};
    struct {
        ffebm_user_parameter parameter;
        double later;
    } newer;
    ffebm_user_parameter good, p;
    char name[] = "p00";

    ffebm_user_parameter_init(&good, sizeof good);
    ck_assert(good.lower == -INFINITY && good.upper == INFINITY && good.frozen == 0);
    good.name = "good";
    good.shape = shape;
    good.rank = 1;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p = good;
        p.name = wrong[i];
        REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "name");
    }
    p = good;
    p.lower = p.upper = 1;
    REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "[1, 1]");
    p.lower = NAN;
    REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "bounds");
    p = good;
    p.frozen = 2;
    REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "frozen 2");
    p = good;
    p.position = positions;
    REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "with position");
    p.position = -1;
    REFUSED(add(block, &p), FFEBM_ERR_ARGUMENT, "with position -1");
    p = good;
    p.shape = bad_shape;
    REFUSED(add(block, &p), FFEBM_ERR_SHAPE, "parameter good");
    newer.parameter = good;
    newer.parameter.size = sizeof newer;
    newer.later = 1;
    REFUSED(add(block, &newer.parameter), FFEBM_ERR_UNSUPPORTED, "");
    REFUSED(add(block, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    ck_assert_int_eq(add(NULL, &good), FFEBM_ERR_ARGUMENT);
    assert_ok(context, add(block, &good));
    REFUSED(add(block, &good), FFEBM_ERR_ARGUMENT, "\"good\" already");
    p = good;
    p.name = name;
    for (int i = 1; i < FFEBM_USER_PARAMETERS_MAX; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        assert_ok(context, add(block, &p));
    }
    p.name = "one_more";
    REFUSED(add(block, &p), FFEBM_ERR_STATE, "16 parameters");
}

static ffebm_status to_energy(void *block, const ffebm_user_parameter *parameter)
{
    return ffebm_energy_add_parameter(block, parameter);
}

static ffebm_status to_feedforward(void *block, const ffebm_user_parameter *parameter)
{
    return ffebm_feedforward_add_parameter(block, parameter);
}

START_TEST(parameters_that_are_refused)
{
    ffebm_energy *energy;
    ffebm_feedforward *feedforward;

    assert_ok(context, ffebm_energy_create_user(context, &energy, &network.table));
    assert_ok(context, ffebm_feedforward_create_user(context, &feedforward, &digital.table));
    add_parameters(to_energy, energy, 10000);
    add_parameters(to_feedforward, feedforward, 1);
    ffebm_energy_destroy(energy);
    ffebm_feedforward_destroy(feedforward);
    network.table.parameter_gradient = NULL;
    assert_ok(context, ffebm_energy_create_user(context, &energy, &network.table));
    REFUSED(ffebm_energy_add_parameter(energy, &network.parameters[0]), FFEBM_ERR_ARGUMENT, "parameter_gradient");
    ffebm_energy_destroy(energy);
}
END_TEST

/* Each kind of block takes what is its own. */
START_TEST(kinds_do_not_mix)
{
    ffebm_energy *user, *own;
    ffebm_feedforward *user_ops, *ops;
    ffebm_coupling_config coupling;
    ffebm_op_config op;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_RELU);
    coupling.out = 3;
    assert_ok(context, ffebm_energy_create_user(context, &user, &network.table));
    assert_ok(context, ffebm_energy_create_hopfield(context, &own, NULL));
    assert_ok(context, ffebm_feedforward_create_user(context, &user_ops, &digital.table));
    assert_ok(context, ffebm_feedforward_create(context, &ops));
    ck_assert_int_eq(ffebm_energy_add_coupling(user, &coupling), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_energy_add_parameter(own, &network.parameters[0]), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_feedforward_add_op(user_ops, &op), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_feedforward_add_parameter(ops, &digital.parameters[0]), FFEBM_ERR_STATE);
    ffebm_energy_destroy(user);
    ffebm_energy_destroy(own);
    ffebm_feedforward_destroy(user_ops);
    ffebm_feedforward_destroy(ops);
    ck_assert_uint_eq(network.watch.destroyed, 1);
    ck_assert_uint_eq(digital.watch.destroyed, 1);
}
END_TEST

/* A block that does not fit stays the caller's. */
START_TEST(blocks_that_do_not_fit)
{
    static const int64_t four[] = {4};
    ffebm_energy *energy;
    ffebm_feedforward *feedforward;
    ffebm_model *model;

    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT64, four, 1, FFEBM_LOSS_NONE));
    assert_ok(context, ffebm_energy_create_user(context, &energy, &network.table));
    assert_ok(context, ffebm_feedforward_create_user(context, &feedforward, &digital.table));
    REFUSED(ffebm_model_add_energy(model, &energy), FFEBM_ERR_SHAPE,
            "stage 0 (network): its input is [4], expected [3]");
    REFUSED(ffebm_model_add_feedforward(model, &feedforward), FFEBM_ERR_SHAPE, "its input is [4], expected [3]");
    ck_assert_ptr_nonnull(energy);
    ck_assert_ptr_nonnull(feedforward);
    ck_assert_uint_eq(network.watch.destroyed + digital.watch.destroyed, 0);
    ffebm_energy_destroy(energy);
    ffebm_feedforward_destroy(feedforward);
    ck_assert_uint_eq(network.watch.destroyed, 1);
    ck_assert_uint_eq(digital.watch.destroyed, 1);
    ffebm_model_destroy(model);
}
END_TEST

static int32_t settle_nothing(void *self, ffebm_energy_call *call)
{
    (void)self;
    (void)call;
    return 0;
}

static const char couplings[] =
    "{\"dtype\": \"float64\", \"input\": [3], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "
    "\"couplings\": [{\"type\": \"dense\", \"out_features\": 4}, {\"type\": \"dense\", \"out_features\": 2}]}}]}";

/* A block whose parameters are those of `couplings` by name and shape, in another order. */
static ffebm_model *model_of_positions(void)
{
    static const int64_t in[] = {3}, out[] = {2}, weights[][2] = {{4, 3}, {2, 4}};
    const ffebm_user_energy table = {.size = sizeof table,
                                     .name = "positions",
                                     .input_shape = in,
                                     .input_rank = 1,
                                     .output_shape = out,
                                     .output_rank = 1,
                                     .state_count = 3,
                                     .settle = settle_nothing,
                                     .parameter_gradient = settle_nothing};
    ffebm_energy *block;
    ffebm_model *model;

    assert_ok(context, ffebm_energy_create_user(context, &block, &table));
    for (int i = 0; i < 4; i++) {
        ffebm_user_parameter p;

        ffebm_user_parameter_init(&p, sizeof p);
        p.name = i % 2 == 0 ? "bias" : "weight";
        p.position = i / 2;
        p.shape = weights[i / 2];
        p.rank = i % 2 == 0 ? 1 : 2;
        assert_ok(context, ffebm_energy_add_parameter(block, &p));
        REFUSED(ffebm_energy_add_parameter(block, &p), FFEBM_ERR_ARGUMENT, "already");
        p.position--;
        REFUSED(ffebm_energy_add_parameter(block, &p), FFEBM_ERR_ARGUMENT, "with position");
    }
    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT64, in, 1, FFEBM_LOSS_MSE));
    assert_ok(context, ffebm_model_add_energy(model, &block));
    return model;
}

/* With the positions of its couplings a block of the user's takes the place of the library's, by a checkpoint. */
START_TEST(positions_make_names_of_couplings)
{
    char path[] = "/tmp/ffebm_user_XXXXXX";
    int file = mkstemp(path);
    ffebm_model *own, *user = model_of_positions();

    ck_assert_int_ge(file, 0);
    close(file);
    assert_ok(context, ffebm_model_parse(context, &own, couplings, sizeof couplings - 1, NULL));
    assert_ok(context, ffebm_model_initialize(own, 3));
    assert_ok(context, ffebm_checkpoint_save(own, NULL, NULL, path));
    assert_ok(context, ffebm_checkpoint_restore(user, NULL, path));
    for (size_t i = 0; i < 4; i++) {
        ffebm_parameter_info found = {.size = sizeof found}, expected = {.size = sizeof expected};

        assert_ok(context, ffebm_model_inspect_parameter(own, &expected, i));
        assert_ok(context,
                  ffebm_model_inspect_parameter(user, &found, ffebm_model_find_parameter(user, expected.name)));
        ck_assert(same_bits(found.value, expected.value));
    }
    ffebm_model_destroy(own);
    ffebm_model_destroy(user);
    remove(path);
}
END_TEST

Suite *test_user_description_suite(void)
{
    Suite *suite = suite_create("user_description");
    TCase *tests = tcase_create("user_description");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, energy_tables_that_are_refused);
    tcase_add_test(tests, feedforward_tables_that_are_refused);
    tcase_add_test(tests, tables_of_another_age);
    tcase_add_test(tests, parameters_that_are_refused);
    tcase_add_test(tests, kinds_do_not_mix);
    tcase_add_test(tests, blocks_that_do_not_fit);
    tcase_add_test(tests, positions_make_names_of_couplings);
    suite_add_tcase(suite, tests);
    return suite;
}

/* Models with blocks of the user's: a digital one against the library's ops; what such models can be asked; descriptions and
 * checkpoints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user_blocks.h"

enum { ROWS = 5 };

/* linear, tanh, energy block, linear: the first two by the library, or as one block of the user's. */
static fixture chain_of(feedforward_block *digital, int32_t dtype)
{
    static const int64_t in[] = {DIGITAL_IN};
    hopfield h = hopfield_of(DIGITAL_OUT, 4, 3, 0.5, 0);
    fixture f = chain_begin(dtype, 1, in, 1, FFEBM_LOSS_CROSS_ENTROPY);
    ffebm_equilibrium_config config = converged();

    if (digital == NULL) {
        chain_op(&f, FFEBM_OP_LINEAR, DIGITAL_OUT);
        chain_op(&f, FFEBM_OP_TANH, 0);
    } else {
        chain_feedforward(&f, digital);
    }
    chain_hopfield(&f, &h);
    chain_op(&f, FFEBM_OP_LINEAR, 3);
    chain_ready(&f, 3);
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    return f;
}

START_TEST(computes_what_ops_compute)
{
    static const size_t cuts[] = {0, 1, 2};
    int32_t dtype = _i < 3 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    double tolerance = dtype == FFEBM_FLOAT64 ? 1e-12 : 1e-5;
    feedforward_block digital;
    fixture ours = chain_of(NULL, dtype), theirs;
    ffebm_tensor *x = random_input(&ours, ROWS, 5), *y = random_labels(&ours, ROWS, 6);
    ffebm_tensor *v = random_batch(ours.context, dtype, ROWS, ours.info.output_shape, 1, -1, 1, 7);
    ffebm_tensor *dx[2] = {copy_of(ours.context, x), copy_of(ours.context, x)};
    uint64_t tickets[2];

    digital_init(&digital);
    digital.table.max_batch = cuts[_i % 3];
    theirs = chain_of(&digital, dtype);
    assert_ok(ours.context,
              ffebm_tensor_copy(ffebm_model_flat_parameters(theirs.model), ffebm_model_flat_parameters(ours.model)));
    assert_ok(ours.context, ffebm_engine_gradient(ours.engine, NULL, x, y, NULL));
    assert_ok(theirs.context, ffebm_engine_gradient(theirs.engine, NULL, x, y, NULL));
    ck_assert_double_lt(
        relative_error(ffebm_engine_flat_gradient(theirs.engine), ffebm_engine_flat_gradient(ours.engine)), tolerance);
    assert_ok(ours.context, ffebm_engine_forward(ours.engine, NULL, &tickets[0], x));
    assert_ok(theirs.context, ffebm_engine_forward(theirs.engine, NULL, &tickets[1], x));
    assert_ok(ours.context, ffebm_engine_vjp(ours.engine, dx[0], tickets[0], v, 0));
    assert_ok(theirs.context, ffebm_engine_vjp(theirs.engine, dx[1], tickets[1], v, 0));
    ck_assert_double_lt(relative_error(dx[1], dx[0]), 10 * tolerance);
    destroy_all((ffebm_tensor *[]){x, y, v, dx[0], dx[1]}, 5);
    fixture_end(&ours);
    fixture_end(&theirs);
    ck_assert_uint_eq(digital.watch.dirty, 0);
    ck_assert_uint_eq(digital.watch.elsewhere, 0);
    ck_assert_uint_eq(digital.watch.destroyed, 1);
}
END_TEST

/* ------------------------------------------------------------------------------------- what a model can be asked */

typedef struct both {
    energy_block blocks[2];
    feedforward_block digital;
    fixture f;
} both;

/* Networks in stages 0 and 2, and, if asked for, a digital block in the readout. */
static void both_begin(both *b, double max_beta, int32_t loss_nudging, int adjoint, int readout)
{
    static const int64_t in[] = {NETWORK_IN};

    b->f = chain_begin(FFEBM_FLOAT64, 1, in, 1, FFEBM_LOSS_CROSS_ENTROPY);
    digital_init(&b->digital);
    for (int i = 0; i < 2; i++) {
        network_init(&b->blocks[i]);
        b->blocks[i].table.loss_nudging = loss_nudging;
        b->blocks[i].table.max_beta = i == 0 ? max_beta : 0;
        if (!adjoint)
            b->blocks[i].table.adjoint = NULL;
        chain_energy(&b->f, &b->blocks[i]);
        chain_op(&b->f, FFEBM_OP_LINEAR, 3);
    }
    if (readout)
        chain_feedforward(&b->f, &b->digital);
    chain_ready(&b->f, 3);
}

static ffebm_status ask(both *b, size_t stage, int32_t estimator, int32_t nudging)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.estimator = estimator;
    config.nudging = nudging;
    return ffebm_engine_configure(b->f.engine, stage, &config);
}

START_TEST(what_blocks_do_not_offer_is_refused)
{
    both b;

    both_begin(&b, 0, 1, 0, 0);
    ck_assert_int_eq(ask(&b, 0, FFEBM_ESTIMATOR_IMPLICIT, FFEBM_NUDGING_AUTO), FFEBM_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(ffebm_context_error(b.f.context), "stage 0") != NULL, "%s", ffebm_context_error(b.f.context));
    ck_assert_int_eq(ask(&b, FFEBM_ALL, FFEBM_ESTIMATOR_IMPLICIT, FFEBM_NUDGING_AUTO), FFEBM_ERR_UNSUPPORTED);
    assert_ok(b.f.context, ask(&b, 2, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS));
    ck_assert_int_eq(ask(&b, 0, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS), FFEBM_ERR_UNSUPPORTED);
    fixture_end(&b.f);
    both_begin(&b, 0, 0, 1, 0);
    assert_ok(b.f.context, ask(&b, FFEBM_ALL, FFEBM_ESTIMATOR_IMPLICIT, FFEBM_NUDGING_AUTO));
    ck_assert_int_eq(ask(&b, 2, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS), FFEBM_ERR_UNSUPPORTED);
    fixture_end(&b.f);
    both_begin(&b, 0, 1, 1, 1); /* a block of the user's behind it */
    ck_assert_int_eq(ask(&b, 2, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_LOSS), FFEBM_ERR_UNSUPPORTED);
    assert_ok(b.f.context, ask(&b, 2, FFEBM_ESTIMATOR_CENTERED, FFEBM_NUDGING_AUTO));
    fixture_end(&b.f);
}
END_TEST

/* The energies of a block without the slot. */
START_TEST(no_energy_no_energies)
{
    static const int64_t rows[] = {2};
    ffebm_tensor *x, *energies;
    both b;

    b.f = chain_begin(FFEBM_FLOAT64, 1, (const int64_t[]){NETWORK_IN}, 1, FFEBM_LOSS_NONE);
    network_init(&b.blocks[0]);
    b.blocks[0].table.energy = NULL;
    chain_energy(&b.f, &b.blocks[0]);
    chain_ready(&b.f, 1);
    x = random_input(&b.f, 2, 1);
    assert_ok(b.f.context, ffebm_tensor_create(b.f.context, &energies, FFEBM_FLOAT64, rows, 1));
    assert_ok(b.f.context, ffebm_engine_settle(b.f.engine, 0, x, NULL));
    ck_assert_int_eq(ffebm_engine_energy(b.f.engine, energies, 0, FFEBM_PHASE_FREE, x), FFEBM_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(ffebm_context_error(b.f.context), "energy") != NULL, "%s", ffebm_context_error(b.f.context));
    destroy_all((ffebm_tensor *[]){x, energies}, 2);
    fixture_end(&b.f);
}
END_TEST

/* The gradient of the first block's parameters at beta, from the engine as it is set. */
static double one_sided(both *b, const ffebm_tensor *x, const ffebm_tensor *y)
{
    assert_ok(b->f.context, ffebm_engine_gradient(b->f.engine, NULL, x, y, NULL));
    return element(ffebm_engine_flat_gradient(b->f.engine), 0);
}

/* Set for all, beta is cut down to what a block bears; set for this one it is refused. One-sided estimates tell which
 * beta was in force. */
START_TEST(beta_is_what_the_block_bears)
{
    ffebm_equilibrium_config config;
    ffebm_tensor *x, *y;
    double at_most, cut;
    both b;

    both_begin(&b, 0.05, 0, 1, 0);
    x = random_input(&b.f, ROWS, 1);
    y = random_labels(&b.f, ROWS, 2);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.estimator = FFEBM_ESTIMATOR_POSITIVE;
    config.beta = 0.5;
    ck_assert_int_eq(ffebm_engine_configure(b.f.engine, 0, &config), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_set_beta(b.f.engine, 0, 0.5), FFEBM_ERR_ARGUMENT);
    ck_assert_msg(strstr(ffebm_context_error(b.f.context), "at most 0.05") != NULL, "%s",
                  ffebm_context_error(b.f.context));
    assert_ok(b.f.context, ffebm_engine_configure(b.f.engine, FFEBM_ALL, &config));
    cut = one_sided(&b, x, y);
    assert_ok(b.f.context, ffebm_engine_set_beta(b.f.engine, 0, 0.05));
    at_most = one_sided(&b, x, y);
    ck_assert(cut == at_most);
    assert_ok(b.f.context, ffebm_engine_set_beta(b.f.engine, FFEBM_ALL, 0.3));
    assert_ok(b.f.context, ffebm_engine_set_beta(b.f.engine, 2, 0.5));
    ck_assert(one_sided(&b, x, y) == at_most);
    assert_ok(b.f.context, ffebm_engine_set_beta(b.f.engine, 0, 0.01));
    ck_assert(one_sided(&b, x, y) != at_most);
    config.estimator = FFEBM_ESTIMATOR_FOUR_POINT; /* which nudges by twice beta */
    config.beta = 0.03;
    ck_assert_int_eq(ffebm_engine_configure(b.f.engine, 0, &config), FFEBM_ERR_ARGUMENT);
    ck_assert_msg(strstr(ffebm_context_error(b.f.context), "at most 0.025") != NULL, "%s",
                  ffebm_context_error(b.f.context));
    destroy_all((ffebm_tensor *[]){x, y}, 2);
    fixture_end(&b.f);
}
END_TEST

/* ------------------------------------------------------------------------------------ descriptions and checkpoints */

START_TEST(descriptions_name_blocks)
{
    const char *json;
    size_t length;
    ffebm_model *parsed;
    both b;

    both_begin(&b, 0, 0, 1, 1);
    assert_ok(b.f.context, ffebm_model_description(b.f.model, &json, &length));
    ck_assert_msg(strstr(json, "{\"energy\":{\"type\":\"user\",\"name\":\"network\"}}") != NULL, "%s", json);
    ck_assert_msg(strstr(json, "{\"feedforward\":[{\"type\":\"user\",\"name\":\"digital\"}]}") != NULL, "%s", json);
    ck_assert_int_eq(ffebm_model_parse(b.f.context, &parsed, json, length, NULL), FFEBM_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(ffebm_context_error(b.f.context), "stage 0") != NULL, "%s", ffebm_context_error(b.f.context));
    fixture_end(&b.f);
}
END_TEST

/* A model with blocks of the user's is built again by calls, and takes its values and the optimizer's from the file. */
START_TEST(checkpoints_are_restored)
{
    char path[] = "/tmp/ffebm_user_XXXXXX";
    int file = mkstemp(path);
    both b[2];
    ffebm_optimizer *adam[2];
    ffebm_model *loaded;
    ffebm_tensor *x, *y;

    ck_assert_int_ge(file, 0);
    for (int i = 0; i < 2; i++) {
        both_begin(&b[i], 0, 0, 1, 1);
        assert_ok(b[i].f.context, ffebm_optimizer_create_adam(&adam[i], b[i].f.model, NULL));
    }
    x = random_input(&b[0].f, ROWS, 1);
    y = random_batch(b[0].f.context, FFEBM_FLOAT64, ROWS, b[0].f.info.output_shape, 1, 0, 1, 2);
    assert_ok(b[0].f.context, ffebm_engine_gradient(b[0].f.engine, NULL, x, y, NULL));
    assert_ok(b[0].f.context, ffebm_optimizer_step(adam[0], b[0].f.engine));
    assert_ok(b[0].f.context, ffebm_checkpoint_save(b[0].f.model, adam[0], NULL, path));
    ck_assert_int_eq(ffebm_checkpoint_load(b[1].f.context, &loaded, path), FFEBM_ERR_UNSUPPORTED);
    assert_ok(b[1].f.context, ffebm_checkpoint_restore(b[1].f.model, adam[1], path));
    for (int i = 0; i < 2; i++) {
        assert_ok(b[i].f.context, ffebm_engine_gradient(b[i].f.engine, NULL, x, y, NULL));
        assert_ok(b[i].f.context, ffebm_optimizer_step(adam[i], b[i].f.engine));
    }
    ck_assert(same_bits(ffebm_model_flat_parameters(b[1].f.model), ffebm_model_flat_parameters(b[0].f.model)));
    destroy_all((ffebm_tensor *[]){x, y}, 2);
    for (int i = 0; i < 2; i++) {
        ffebm_optimizer_destroy(adam[i]);
        fixture_end(&b[i].f);
    }
    remove(path);
}
END_TEST

/* What the library knows of the block's parameters and layers. */
START_TEST(models_show_blocks)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_layer_info layer = {.size = sizeof layer};
    ffebm_parameter_info parameter = {.size = sizeof parameter};
    both b;

    both_begin(&b, 0, 0, 1, 1);
    assert_ok(b.f.context, ffebm_model_inspect_stage(b.f.model, &stage, 2));
    ck_assert_str_eq(stage.type, "user");
    ck_assert_uint_eq(stage.layer_count, 2);
    assert_ok(b.f.context, ffebm_model_inspect_layer(b.f.model, &layer, 2, 0));
    ck_assert_uint_eq(layer.units, NETWORK_NODES);
    assert_ok(b.f.context, ffebm_model_inspect_layer(b.f.model, &layer, 2, 1));
    ck_assert_uint_eq(layer.units, NETWORK_OUT);
    assert_ok(b.f.context, ffebm_model_inspect_parameter(b.f.model, &parameter,
                                                         ffebm_model_find_parameter(b.f.model, "stage2.0.theta")));
    ck_assert_uint_eq(parameter.count, NETWORK_EDGES);
    ck_assert_uint_ne(ffebm_model_find_parameter(b.f.model, "stage4.0.bias"), FFEBM_NONE);
    fixture_end(&b.f);
}
END_TEST

Suite *test_user_feedforward_suite(void)
{
    Suite *suite = suite_create("user_feedforward");
    TCase *tests = tcase_create("user_feedforward");

    tcase_add_loop_test(tests, computes_what_ops_compute, 0, 6);
    tcase_add_test(tests, what_blocks_do_not_offer_is_refused);
    tcase_add_test(tests, no_energy_no_energies);
    tcase_add_test(tests, beta_is_what_the_block_bears);
    tcase_add_test(tests, descriptions_name_blocks);
    tcase_add_test(tests, checkpoints_are_restored);
    tcase_add_test(tests, models_show_blocks);
    suite_add_tcase(suite, tests);
    return suite;
}

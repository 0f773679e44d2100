/* A child that dies or hangs: a failure that changes nothing, and the next call has a new one. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <ffebm.h>

#include "spice/block.h"
#include "spice/resistive.h"
#include "suites.h"

enum { BATCH = 3, INPUTS = 2, OUTPUTS = 2 };

static const struct resistive network = {.inputs = INPUTS, .layer_count = 2, .layers = {4, OUTPUTS}, .gain = 2};

static struct failure failure;
static ffebm_context *context;
static ffebm_model *model;
static ffebm_engine *engine;
static ffebm_optimizer *optimizer;
static ffebm_tensor *input, *target;
static const struct circuit_block *made;

static void begin_patiently(int64_t patience)
{
    static double numbers[BATCH * INPUTS] = {0.5, -1, 1, 0.25, -0.75, 0.125}, wanted[BATCH * OUTPUTS] = {1, -1};
    const int64_t shape[] = {INPUTS}, in[] = {BATCH, INPUTS}, out[] = {BATCH, OUTPUTS};
    char *text = resistive_netlist(&network);
    const struct circuit_block_config config = {
        .name = "network", .text = text, .program = spice_program, .patience = patience, .child = 1};
    ffebm_energy *block;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    ck_assert_msg(circuit_block_create(context, &block, &made, &config, &failure) == 0, "%s", failure.text);
    free(text);
    ck_assert_int_eq(ffebm_model_create(context, &model, FFEBM_FLOAT64, shape, 1, FFEBM_LOSS_MSE), FFEBM_OK);
    ck_assert_int_eq(ffebm_model_add_energy(model, &block), FFEBM_OK);
    ck_assert_int_eq(ffebm_model_initialize(model, 0), FFEBM_OK);
    ck_assert_int_eq(ffebm_engine_create(&engine, model, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_optimizer_create_adam(&optimizer, model, NULL), FFEBM_OK);
    ck_assert_int_eq(ffebm_tensor_wrap(context, &input, numbers, FFEBM_FLOAT64, in, 2), FFEBM_OK);
    ck_assert_int_eq(ffebm_tensor_wrap(context, &target, wanted, FFEBM_FLOAT64, out, 2), FFEBM_OK);
}

static void begin(void)
{
    begin_patiently(60000);
}

/* Short of any child's start: only where one is to hang. */
static void begin_impatiently(void)
{
    begin_patiently(1000);
}

static void end(void)
{
    ffebm_tensor_destroy(target);
    ffebm_tensor_destroy(input);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no process is left */
    ck_assert_int_eq(errno, ECHILD);
}

static ffebm_status gradient(void)
{
    return ffebm_engine_gradient(engine, NULL, input, target, NULL);
}

static size_t parameter_bytes(void)
{
    return ffebm_tensor_count(ffebm_model_flat_parameters(model)) * sizeof(double);
}

static const void *parameters(void)
{
    return ffebm_tensor_const_data(ffebm_model_flat_parameters(model));
}

/* A gradient fails in these words, with nothing changed; the next one is as the one before was, by another process. */
static void assert_failure(const char *said)
{
    size_t bytes = parameter_bytes();
    int64_t process;
    double *before = malloc(bytes), *reference = malloc(bytes);

    ck_assert(before != NULL && reference != NULL);
    process = circuit_block_inspect(made).process;
    memcpy(before, parameters(), bytes);
    memcpy(reference, ffebm_tensor_const_data(ffebm_engine_flat_gradient(engine)), bytes);

    ck_assert_int_eq(gradient(), FFEBM_ERR_USER);
    ck_assert_msg(strstr(ffebm_context_error(context), said) != NULL, "%s", ffebm_context_error(context));
    ck_assert_mem_eq(parameters(), before, bytes);
    ck_assert_int_ne(ffebm_optimizer_step(optimizer, engine), FFEBM_OK);
    ck_assert_mem_eq(parameters(), before, bytes);

    ck_assert_msg(gradient() == FFEBM_OK, "%s", ffebm_context_error(context));
    ck_assert_mem_eq(ffebm_tensor_const_data(ffebm_engine_flat_gradient(engine)), reference, bytes);
    ck_assert_int_ne(circuit_block_inspect(made).process, 0);
    ck_assert_int_ne(circuit_block_inspect(made).process, process);
    ck_assert_int_eq(ffebm_optimizer_step(optimizer, engine), FFEBM_OK);
    free(before);
    free(reference);
}

START_TEST(a_child_that_dies_is_a_failure)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGABRT};

    ck_assert_int_eq(gradient(), FFEBM_OK);
    ck_assert_int_eq(kill((pid_t)circuit_block_inspect(made).process, signals[_i]), 0);
    assert_failure("the simulator's process was ended by signal");
}
END_TEST

START_TEST(a_child_that_hangs_is_a_failure)
{
    ck_assert_int_eq(gradient(), FFEBM_OK);
    ck_assert_int_eq(kill((pid_t)circuit_block_inspect(made).process, SIGSTOP), 0);
    assert_failure("the simulator's process has not answered for 1000 ms, and was ended");
}
END_TEST

/* A child that is no simulator. */
START_TEST(a_program_that_does_not_serve_is_named)
{
    static const struct {
        const char *program;
        const char *said;
    } programs[] = {{"/no/such/program", "cannot run /no/such/program"},
                    {"/bin/false", "the simulator's process has ended with status 1"},
                    {"/bin/true", "the simulator's process has ended with status 0"}};
    char *text = resistive_netlist(&network);
    const struct circuit_block_config config = {
        .name = "network", .text = text, .program = programs[_i].program, .patience = 60000, .child = 1};
    const struct circuit_block *other;
    ffebm_energy *block;

    ck_assert_int_ne(circuit_block_create(context, &block, &other, &config, &failure), 0);
    ck_assert_ptr_null(block);
    ck_assert_msg(strstr(failure.text, programs[_i].said) != NULL, "%s", failure.text);
    free(text);
}
END_TEST

Suite *test_child_suite(void)
{
    Suite *suite = suite_create("child");
    TCase *patient = tcase_create("patient"), *impatient = tcase_create("impatient");

    tcase_set_timeout(patient, 120);
    tcase_add_checked_fixture(patient, begin, end);
    tcase_add_loop_test(patient, a_child_that_dies_is_a_failure, 0, 3);
    tcase_add_loop_test(patient, a_program_that_does_not_serve_is_named, 0, 3);
    suite_add_tcase(suite, patient);
    tcase_set_timeout(impatient, 120);
    tcase_add_checked_fixture(impatient, begin_impatiently, end);
    tcase_add_test(impatient, a_child_that_hangs_is_a_failure);
    suite_add_tcase(suite, impatient);
    return suite;
}

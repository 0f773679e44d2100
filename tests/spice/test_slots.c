/* Circuits as blocks: their slots belong to one energy, whatever simulates them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"
#include "spice/block.h"
#include "spice/resistive.h"
#include "suites.h"
#include "support/text_file.h"

static const struct resistive network = {.inputs = 3, .layer_count = 3, .layers = {6, 4, 2}, .gain = 2};

/* Names of netlists; NULL is the network above. */
static const char *const netlists[] = {NULL, "examples/circuits/first.cir", "examples/circuits/diodes.cir",
                                       "examples/circuits/transistors.cir"};

static struct failure failure;
static ffebm_user_energy table;
static ffebm_user_parameter parameters[CIRCUIT_PARAMETERS];

static const struct circuit_block *make(const char *path, int child)
{
    struct circuit_block_config config = {.program = spice_program, .patience = 60000, .child = child};
    const struct circuit_block *block;
    char *text = NULL;
    size_t length;

    config.name = path == NULL ? "network" : path;
    if (path == NULL)
        text = resistive_netlist(&network);
    else
        ck_assert_msg(text_file_read(path, &text, &length, &failure) == 0, "%s", failure.text);
    config.text = text;
    block = circuit_block_table(&table, parameters, &config, &failure);
    ck_assert_msg(block != NULL, "%s", failure.text);
    free(text);
    return block;
}

/* A force of 0.05 units does not carry an output through the knee of its diode. */
START_TEST(slots_belong_to_one_energy)
{
    static const struct conformance_settings settings = {
        .input = {-1, 1}, .parameter = {0.1, 0.3}, .force = 0.05, .tolerance = 1e-4, .trials = 4, .seed = 1};
    const struct circuit_block *block = make(netlists[_i / 2], _i % 2);
    size_t count = circuit_block_inspect(block).circuit->parameter_count;
    FILE *lines = tmpfile();
    char text[4096] = "";

    ck_assert_ptr_nonnull(lines);
    if (conformance_energy(&table, parameters, count, &settings, lines) != 0) {
        rewind(lines);
        text[fread(text, 1, sizeof text - 1, lines)] = '\0';
        ck_abort_msg("%s\n%s", netlists[_i / 2] == NULL ? "network" : netlists[_i / 2], text);
    }
    fclose(lines);
    table.destroy(table.self);
}
END_TEST

static void make_text(const char *text)
{
    const struct circuit_block_config config = {
        .name = "x.cir", .text = text, .program = spice_program, .patience = 60000};

    ck_assert_msg(circuit_block_table(&table, parameters, &config, &failure) != NULL, "%s", failure.text);
}

/* An amplifier that nothing acts back on has no energy; a transformer has one. */
START_TEST(an_amplifier_must_be_acted_back_on)
{
    static const struct conformance_settings settings = {
        .input = {-1, 1}, .parameter = {0.1, 1}, .force = 0.5, .trials = 4, .seed = 1};
    static const char *const elements[] = {"E1 x 0 b 0 3\nRe x c 1\n",
                                           "E1 x 0 b 0 3\nVs x y 0\nRe y c 1\nF1 b 0 Vs 3\n"};
    char text[512], lines[4096] = "";
    FILE *to = tmpfile();
    int failures;

    ck_assert_ptr_nonnull(to);
    snprintf(text, sizeof text,
             "t\nV1 a 0\nR1 a b 1\nR2 c 0 1\n%s* ffebm input V1\n* ffebm output b c\n"
             "* ffebm parameter g R1 R2\n",
             elements[_i]);
    make_text(text);
    failures = conformance_energy(&table, parameters, 1, &settings, to);
    rewind(to);
    lines[fread(lines, 1, sizeof lines - 1, to)] = '\0';
    fclose(to);
    ck_assert_msg((failures > 0) == (_i == 0), "%s", lines);
    ck_assert_msg((strstr(lines, "FAIL  reciprocity") != NULL) == (_i == 0), "%s", lines);
    table.destroy(table.self);
}
END_TEST

static char message[256];

/* One settling of one sample; its answer, with `message`. */
static int32_t settle(const double *values, size_t count, const double *input, double *state)
{
    ffebm_energy_call call = {.size = sizeof call,
                              .batch = 1,
                              .parameters = values,
                              .parameter_count = count,
                              .input = input,
                              .state = state,
                              .message = message,
                              .message_capacity = sizeof message,
                              .version = 1};
    static uint64_t version;

    call.version = ++version;
    message[0] = '\0';
    return table.settle(table.self, &call);
}

START_TEST(an_impossible_number_is_named)
{
    static const double values[][2] = {{1, -1}, {2e6, 1}, {1, 0 / 0.0}};
    static const char *const said[] = {"number 1 of g is -1, expected 0 to", "number 0 of g is 2e+06, expected 0 to",
                                       "number 1 of g is"};
    const double good[] = {1, 1}, open[] = {1, 0}, input[] = {2};
    double state[3];

    make_text("t\nV1 a 0\nR1 a b 1k\nR2 b 0 1k\nR3 b 0 1t\n"
              "* ffebm input V1\n* ffebm output b\n* ffebm parameter g R1*1m R2*1m\n");
    ck_assert_int_lt(settle(values[_i], 2, input, state), 0);
    ck_assert_msg(strstr(message, said[_i]) != NULL, "%s", message);
    ck_assert_int_eq(settle(good, 2, input, state), 0);
    ck_assert_double_eq_tol(state[2] > 1.5 ? state[0] : state[2], 1, 1e-8);
    ck_assert_int_eq(settle(open, 2, input, state), 0); /* a conductance may be 0 */
    table.destroy(table.self);
}
END_TEST

/* Two sources that contradict each other, until they do not. */
START_TEST(no_operating_point_is_a_failure)
{
    const double apart[] = {1, 2}, same[] = {1, 1};
    double state[4];

    make_text("t\nV1 a 0\nV2 a b\nR1 b 0 1m\nV3 b 0 dc 0\nR2 a 0 1\n* ffebm input V1 V2\n* ffebm output a\n");
    ck_assert_int_lt(settle(NULL, 0, apart, state), 0);
    ck_assert_msg(strstr(message, "ngspice finds no operating point") != NULL, "%s", message);
    ck_assert_int_lt(settle(NULL, 0, same, state), 0); /* a loop of sources is never one */
    table.destroy(table.self);
    make_text("t\nV1 a 0\nR1 a b 1\nR2 b 0 1\n* ffebm input V1\n* ffebm output b\n");
    ck_assert_msg(settle(NULL, 0, same, state) == 0, "%s", message);
    table.destroy(table.self);
}
END_TEST

Suite *test_slots_suite(void)
{
    Suite *suite = suite_create("slots");
    TCase *tests = tcase_create("slots");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, slots_belong_to_one_energy, 0, 2 * (int)(sizeof netlists / sizeof netlists[0]));
    tcase_add_loop_test(tests, an_amplifier_must_be_acted_back_on, 0, 2);
    tcase_add_loop_test(tests, an_impossible_number_is_named, 0, 3);
    tcase_add_test(tests, no_operating_point_is_a_failure);
    suite_add_tcase(suite, tests);
    return suite;
}

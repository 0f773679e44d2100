/* Netlists: what the comments mean, and that what is wrong with one is said, by name and line, before anything is changed. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/wait.h>

#include "spice/block.h"
#include "suites.h"

#define HEAD "a divider\nV1 a 0 dc 0\nR1 a b 2k\nR2 b 0 1k\n"
#define ENDS "* ffebm input V1\n* ffebm output b\n"
#define GOOD HEAD ENDS "* ffebm parameter g R1*1m\n.end\n"

static struct failure failure;

static struct circuit_block *make(ffebm_user_energy *table, const char *text, int child)
{
    static ffebm_user_parameter parameters[CIRCUIT_PARAMETERS];
    const struct circuit_block_config config = {
        .name = "x.cir", .text = text, .program = spice_program, .patience = 60000, .child = child};

    failure.text[0] = '\0';
    return circuit_block_table(table, parameters, &config, &failure);
}

static const struct {
    const char *text;
    const char *said;
} bad[] = {
    {"", "x.cir: no comment \"* ffebm input"},
    {HEAD, "x.cir: no comment \"* ffebm input"},
    {HEAD "* ffebm input V1\n", "x.cir: no comment \"* ffebm output"},
    {HEAD "* ffebm\n", "x.cir:5: \"ffebm \", expected input, output, parameter or unit"},
    {HEAD "* ffebm inputs V1\n", "x.cir:5: \"ffebm inputs\", expected input"},
    {HEAD "* ffebm input V9\n", "x.cir:5: there is no V9 in the circuit"},
    {HEAD "* ffebm input V1 V1\n", "x.cir:5: V1 is driven twice"},
    {HEAD "C1 b 0 1u\n* ffebm input C1\n", "x.cir:6: C1 cannot be driven"},
    {HEAD "* ffebm input V1*0\n", "x.cir:5: \"V1\" times \"0\""},
    {HEAD "* ffebm input V1*x\n", "x.cir:5: \"V1\" times \"x\""},
    {HEAD "* ffebm input V1,,R1\n", "x.cir:5: \"\" times"},
    {HEAD "* ffebm output zz\n", "x.cir:5: there is no node zz in the circuit"},
    {HEAD "* ffebm output 0\n", "x.cir:5: there is no node 0 in the circuit"},
    {HEAD "* ffebm output 1k\n", "x.cir:5: there is no node 1k in the circuit"},
    {HEAD ENDS "* ffebm parameter\n", "x.cir:7: a parameter without a name"},
    {HEAD ENDS "* ffebm parameter x.g R1\n", "x.cir:7: \"x.g\", expected a parameter's name"},
    {HEAD ENDS "* ffebm parameter 12345.g R1\n", "x.cir:7: \"12345.g\", expected a parameter's name"},
    {HEAD ENDS "* ffebm parameter g-1 R1\n", "x.cir:7: \"g-1\", expected a parameter's name"},
    {HEAD ENDS "* ffebm parameter 3. R1\n", "x.cir:7: \"3.\", expected a parameter's name"},
    {HEAD ENDS "* ffebm parameter g R7\n", "x.cir:7: there is no R7 in the circuit"},
    {HEAD ENDS "* ffebm parameter g\n", "x.cir: parameter g has 0 numbers"},
    {HEAD ENDS "* ffebm parameter g[2,2] R1 R2\n", "x.cir: parameter g has 2 numbers, expected 4"},
    {HEAD ENDS "* ffebm parameter g[2;2] R1 R2\n", "x.cir:7: parameter g has the shape [2;2]"},
    {HEAD ENDS "* ffebm parameter g[0] R1 R2\n", "x.cir:7: parameter g has the shape [0]"},
    {HEAD ENDS "* ffebm parameter g[9999999999999999999] R1\n", "x.cir: parameter g has 1 numbers, expected"},
    {HEAD ENDS "* ffebm parameter g low=1 R1\n", "x.cir:7: parameter g: \"low=1\", expected min= or max="},
    {HEAD ENDS "* ffebm parameter g min=x R1\n", "x.cir:7: parameter g: \"min=x\""},
    {HEAD ENDS "* ffebm parameter g min=2 max=1 R1\n", "x.cir: parameter g: bounds [2, 1]"},
    {HEAD ENDS "* ffebm parameter g max=-1 R1\n", "x.cir: parameter g: bounds [0, -1]"},
    {HEAD ENDS "* ffebm parameter g R1\n* ffebm parameter h R2\n* ffebm parameter g R2\n",
     "x.cir:9: parameter g is there"},
    {HEAD ENDS "* ffebm unit 0\n", "x.cir:7: unit \"0\""},
    {HEAD ENDS "* ffebm unit\n", "x.cir:7: unit \"\""},
    {HEAD "* ffebm input V1\n+ V2\n", "x.cir:6: goes on with a comment"},
    {HEAD ENDS ".control\nquit\n.endc\n", "x.cir:7: .control"},
    {HEAD ENDS ".subckt s p\nR5 p 0 1k\n.ends\n* ffebm parameter g R5\n", "x.cir:10: there is no R5 in the circuit"},
    {"t\nV1 a 0\nR1 a b {x}\n.param x=1k\n" ENDS "* ffebm parameter g R1\n", "x.cir:3: R1 has the value \"{x}\""},
    {"t\nV1 a 0\nR1 a b -5\n" ENDS "* ffebm parameter g R1\n", "x.cir:3: R1 has the value \"-5\""},
    {"t\nV1 a\nR1 a b 5\n" ENDS, "x.cir:2: \"V1\": expected a name and two nodes"},
    /* What ngspice says, also where it dies of it. */
    {HEAD ENDS "garbage here\n", "x.cir: ngspice refuses the netlist: "},
    {HEAD ENDS "D1 b 0 nomodel\n", "could not find a valid modelname"},
    {HEAD ENDS "X1 a b nosuch\n", "unknown subckt: x1 a b nosuch"},
    {HEAD ENDS "B1 b 0 i=nosuch(v(b))\n", "no such function 'nosuch'"},
    {HEAD ENDS ".include /no/such/file\n", "/no/such/file"},
    {HEAD ENDS ".param y={z\n", "Undefined parameter [z]"},
    {HEAD ENDS ".subckt s p\n", "Mismatch of .subckt"},
    {HEAD ENDS "R5 b 0 {nosuch}\n", "Undefined parameter [nosuch]"},
    {HEAD ENDS "B1 b 0 i=v(b\n", "x.cir: "}, /* it writes beyond its stack: more cannot be said */
};

START_TEST(what_is_wrong_is_named)
{
    ffebm_user_energy table = {0};

    ck_assert_ptr_null(make(&table, bad[_i].text, 0));
    ck_assert_msg(strstr(failure.text, bad[_i].said) != NULL, "\"%s\" instead of \"%s\"", failure.text, bad[_i].said);
    ck_assert_ptr_null(table.self);

    /* Nothing is left of it: no process, and ngspice takes another circuit. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_msg(make(&table, GOOD, 0) != NULL, "%s", failure.text);
    table.destroy(table.self);
}
END_TEST

START_TEST(there_is_one_in_a_process_and_any_number_in_children)
{
    ffebm_user_energy first, second, third;

    ck_assert_ptr_nonnull(make(&first, GOOD, 0));
    ck_assert_ptr_null(make(&second, GOOD, 0));
    ck_assert_msg(strstr(failure.text, "has a circuit in this process already") != NULL, "%s", failure.text);
    ck_assert_ptr_nonnull(make(&second, GOOD, 1));
    ck_assert_ptr_nonnull(make(&third, GOOD, 1));
    first.destroy(first.self);
    ck_assert_ptr_nonnull(make(&first, GOOD, 0));
    first.destroy(first.self);
    second.destroy(second.self);
    third.destroy(third.self);
}
END_TEST

/* Upper and lower case, continued lines, factors, sums, units, a netlist without .end. */
START_TEST(comments_mean_what_they_say)
{
    static const char text[] = "a title\n"
                               "vA a 0\nVB b 0 dc=3\n"
                               "r1 a\n+ n1 2k\nR2 b n1 2000 $ the other half\nR3 n1 0 1MEG\n"
                               "Ib 0 n1 dc 2u\n"
                               "* a comment\n* FFEBM Input va*2,vb*-2\n"
                               "* ffebm output N1,b*-0.5\n"
                               "* ffebm parameter w[1,2] max=5 R1*1m\n* ffebm parameter w r2*1m\n"
                               "* ffebm parameter bias IB*1u\n"
                               "* ffebm unit 1m\n";
    struct circuit c;
    double parameters[] = {1, 3, 5}, input[] = {0.5}, force[] = {2}, values[7], measured[5] = {0}, derivatives[3] = {0};
    const double *const numbers[] = {parameters, input, force};
    const double expected[] = {1, -1, 2e-3, -1e-3, 1000, 1 / 3e-3, 5e-6};

    ck_assert_msg(circuit_read(&c, "x", text, &failure) == 0, "%s", failure.text);
    ck_assert_uint_eq(c.counts[CIRCUIT_PARAMETER], 3);
    ck_assert_uint_eq(c.counts[CIRCUIT_INPUT], 1);
    ck_assert_uint_eq(c.counts[CIRCUIT_OUTPUT], 1);
    ck_assert_uint_eq(c.parameter_count, 2);
    ck_assert_uint_eq(c.parameters[0].rank, 2);
    ck_assert_double_eq(c.parameters[0].lower, 0);
    ck_assert_double_eq(c.parameters[0].upper, 5);
    ck_assert(isinf(c.parameters[1].lower));
    ck_assert_uint_eq(c.element_count, 7);
    circuit_drive(&c, numbers, values);
    for (size_t i = 0; i < 7; i++)
        ck_assert_double_eq_tol(values[i], expected[i], 1e-12 * fabs(expected[i]));
    ck_assert_double_eq(c.elements[4].value, 2000);
    ck_assert_double_eq(c.elements[6].value, 2e-6);

    /* v(a), v(b), v(n1) and the two currents: the derivatives by conductances of milliwatts, in millisiemens. */
    ck_assert_uint_eq(c.quantity_count, 5);
    for (size_t i = 0; i < c.quantity_count; i++)
        if (strcmp(c.quantities[i], "v(n1)") == 0)
            measured[i] = 4;
    circuit_derive(&c, CIRCUIT_PARAMETER, measured, 1, derivatives);
    ck_assert_double_eq_tol(derivatives[0], 8, 1e-12);
    ck_assert_double_eq_tol(derivatives[1], 8, 1e-12);
    ck_assert_double_eq_tol(derivatives[2], -4e-3, 1e-12);
    circuit_free(&c);
}
END_TEST

Suite *test_netlist_suite(void)
{
    Suite *suite = suite_create("netlist");
    TCase *tests = tcase_create("netlist");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, what_is_wrong_is_named, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tests, there_is_one_in_a_process_and_any_number_in_children);
    tcase_add_test(tests, comments_mean_what_they_say);
    suite_add_tcase(suite, tests);
    return suite;
}

/* The fit of step models: on readings made by the library's own pulses, and on files that are none. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/make_traces.h"
#include "fit/picture.h"

/* --------------------------------------------------------------------------------------------------------- recovery */

/* A device of one kind, with every spread and every noise on. */
static ffebm_device_config device_of(int32_t step)
{
    ffebm_device_config c;

    ffebm_device_config_init(&c, sizeof c);
    c.seed = 12;
    c.weight_min = -1;
    c.weight_max = 1;
    c.weight_min_dtod = c.weight_max_dtod = step == FFEBM_STEP_EXPONENTIAL ? 0 : 0.1;
    c.update_mode = FFEBM_UPDATE_DIFFERENCE;
    c.update_step = step;
    c.update_dw_min = 0.03;
    c.update_dw_min_dtod = 0.2;
    c.update_dw_min_std = 0.4;
    c.update_up_down = 0.05;
    c.update_up_down_dtod = 0.04;
    c.update_write_noise_std = 0.4;
    if (step == FFEBM_STEP_LINEAR) {
        c.update_gamma_up = 0.5;
        c.update_gamma_down = 0.4;
    }
    if (step == FFEBM_STEP_EXPONENTIAL) {
        c.update_gamma_up = 3;
        c.update_gamma_down = 2;
        c.update_exp_a_up = 0.05;
        c.update_exp_a_down = 0.1;
    }
    return c;
}

static void near(const char *model, const char *what, struct estimate e, double truth)
{
    ck_assert_msg(e.error > 0 && fabs(e.value - truth) < 3 * e.error, "%s: %s is %g +- %g, made with %g", model, what,
                  e.value, e.error, truth);
    ck_assert_msg(e.error < 0.5 * fmax(fabs(truth), 0.1), "%s: %s is known to +- %g alone", model, what, e.error);
}

static void check_shape(const struct population *g, const ffebm_device_config *c)
{
    const char *name = g->model->name;

    if (g->model->clips && g->model->shapes > 0) {
        near(name, "gamma_up", g->gamma[UP], c->update_gamma_up);
        near(name, "gamma_down", g->gamma[DOWN], c->update_gamma_down);
    }
    if (g->model->shapes > 1) {
        near(name, "exp_a_up", g->exp_a[UP], c->update_exp_a_up);
        near(name, "exp_a_down", g->exp_a[DOWN], c->update_exp_a_down);
        return; /* where such steps end, a bound is not seen */
    }
    near(name, "min", g->weight_min, c->weight_min);
    near(name, "max", g->weight_max, c->weight_max);
    near(name, "min_dtod", g->weight_min_dtod, c->weight_min_dtod);
    near(name, "max_dtod", g->weight_max_dtod, c->weight_max_dtod);
}

/* Every parameter lies within three standard errors, and the model's mean trace within 1 % of what weights span from the
 * readings'. */
START_TEST(parameters_are_recovered)
{
    const ffebm_device_config c = device_of(_i + 1);
    const struct trace_plan plan = {.devices = 16, .pulses = 120, .cycles = 2};
    struct failure failure = {""};
    struct population g;
    struct traces traces;

    ck_assert_msg(traces_make(&traces, &c, &plan, &failure) == 0, "%s", failure.text);
    ck_assert_uint_eq(traces_readings(&traces), 16 * (1 + 60 + 4 * 120));
    ck_assert_msg(population_fit(&g, &step_models[_i], &traces, &failure) == 0, "%s", failure.text);
    near(g.model->name, "dw_min", g.dw_min, c.update_dw_min);
    near(g.model->name, "dw_min_dtod", g.dw_min_dtod, c.update_dw_min_dtod);
    near(g.model->name, "dw_min_std", g.dw_min_std, c.update_dw_min_std);
    near(g.model->name, "up_down", g.up_down, c.update_up_down);
    near(g.model->name, "up_down_dtod", g.up_down_dtod, c.update_up_down_dtod);
    near(g.model->name, "write_noise_std", g.write_noise_std, c.update_write_noise_std);
    check_shape(&g, &c);
    ck_assert_msg(g.distance < 0.01, "%s: %g", g.model->name, g.distance);
    population_free(&g);
    traces_free(&traces);
}
END_TEST

/* By the information criterion each kind is told from the others. */
START_TEST(kinds_are_told_apart)
{
    const ffebm_device_config c = device_of(_i + 1);
    const struct trace_plan plan = {.devices = 4, .pulses = 120, .cycles = 1};
    struct failure failure = {""};
    struct population all[STEP_MODELS];
    struct traces traces;

    ck_assert_msg(traces_make(&traces, &c, &plan, &failure) == 0, "%s", failure.text);
    for (int i = 0; i < STEP_MODELS; i++)
        ck_assert_msg(population_fit(&all[i], &step_models[i], &traces, &failure) == 0, "%s", failure.text);
    for (int i = 0; i < STEP_MODELS; i++)
        ck_assert_msg(i == _i || all[i].criterion > all[_i].criterion, "%s has %g, but %s, of which they are, %g",
                      step_models[i].name, all[i].criterion, step_models[_i].name, all[_i].criterion);
    for (int i = 0; i < STEP_MODELS; i++)
        population_free(&all[i]);
    traces_free(&traces);
}
END_TEST

/* In other units, and from readings of every third pulse, it is the same device. */
START_TEST(units_and_gaps)
{
    const ffebm_device_config c = device_of(FFEBM_STEP_SOFT_BOUNDS);
    const struct trace_plan plan = {.devices = 4, .pulses = 120, .cycles = 2};
    struct failure failure = {""};
    struct population g[2];
    struct traces traces[2];

    for (int i = 0; i < 2; i++) {
        ck_assert(traces_make(&traces[i], &c, &plan, &failure) == 0);
        for (size_t d = 0; d < traces[i].count && i == 1; d++) {
            struct trace *t = &traces[i].list[d];

            for (size_t k = 1; 3 * k < t->count; k++) {
                t->readings[k] = t->readings[3 * k];
                t->readings[k].pulses *= 3;
            }
            t->count = (t->count + 2) / 3;
            for (size_t k = 0; k < t->count; k++)
                t->readings[k].value = 1e-5 + 4e-6 * t->readings[k].value;
        }
        ck_assert(traces_map(&traces[i], i == 0 ? 0 : 1e-5, i == 0 ? 1 : 4e-6, &failure) == 0);
        ck_assert_msg(population_fit(&g[i], &step_models[FFEBM_STEP_SOFT_BOUNDS - 1], &traces[i], &failure) == 0, "%s",
                      failure.text);
    }
    ck_assert_double_lt(fabs(g[1].dw_min.value / g[0].dw_min.value - 1), 0.05);
    ck_assert_double_lt(fabs(g[1].weight_max.value / g[0].weight_max.value - 1), 0.02);
    for (int i = 0; i < 2; i++) {
        population_free(&g[i]);
        traces_free(&traces[i]);
    }
}
END_TEST

/* -------------------------------------------------------------------------------------------------------------- files */

static char path[] = "/tmp/ffebm_fit_XXXXXX";

static int read_text(struct traces *traces, const char *text, struct failure *failure)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return traces_read(traces, path, failure);
}

#define NAMES "device,pulse,direction,conductance\n"
static const struct {
    const char *text;
    const char *says; /* behind the path */
} bad[] = {{"", ": no device has two readings"},
           {NAMES "a,0,,1\n", ": no device has two readings"},
           {"device,pulse,up,g\n", ": line 1, column 1: \"device\", expected a line of names with \"direction\""},
           {"# a comment\n\n" NAMES "a,0,,1\na,1,up\n",
            ": line 5, column 5: \"up\", expected 4 fields, as the line of names has, and not 3"},
           {NAMES "a,0,,1\na,1,left,1\n", ": line 3, column 5: \"left\", expected up or 1, down or -1"},
           {NAMES "a,0,,1\na,1, up ,x\n", ": line 3, column 10: \"x\", expected a finite number"},
           {NAMES "a,0,,nan\n", ": line 2, column 6: \"nan\", expected a finite number"},
           {NAMES "a,0,,1\na,0,up,1\n", ": line 3, column 3: \"0\", expected a number above 0"},
           {NAMES "a,0,,1\na,1.5,up,1\n", ": line 3, column 3: \"1.5\", expected a whole number"},
           {NAMES "a,-1,,1\n", ": line 2, column 3: \"-1\", expected a whole number"},
           {NAMES "a,0,,1\na,9999999,up,1\n", ": line 3, column 3: \"9999999\", expected a number above 0"},
           {NAMES "a name that is longer than 31 bytes,0,,1\n", ": line 2, column 1: \"a name"}};

START_TEST(files_that_are_none)
{
    struct failure failure = {""};
    struct traces traces;

    ck_assert_int_eq(read_text(&traces, bad[_i].text, &failure), -1);
    ck_assert_msg(strncmp(failure.text, path, strlen(path)) == 0, "%s", failure.text);
    ck_assert_msg(strncmp(failure.text + strlen(path), bad[_i].says, strlen(bad[_i].says)) == 0, "%s", failure.text);
    traces_free(&traces);
}
END_TEST

/* Columns in any order, quotes, line ends of other systems, several pulses at a time, no names of devices. */
START_TEST(files_of_other_forms)
{
    struct failure failure = {""};
    struct traces traces;

    ck_assert_msg(
        read_text(&traces,
                  "note,weight,direction,device,pulse\r\n,0.5,,\"b\",3\r\n,0.25,-1,b,5\r\n,1,up,a,0\r\n,2,1,b,6",
                  &failure) == 0,
        "%s", failure.text);
    ck_assert_uint_eq(traces.count, 2);
    ck_assert_str_eq(traces.list[0].name, "b");
    ck_assert(traces.list[0].count == 3 && traces.list[0].readings[0].pulses == 0);
    ck_assert(traces.list[0].readings[1].pulses == -2 && traces.list[0].readings[2].pulses == 1);
    ck_assert(traces.list[0].readings[1].value == 0.25 && traces.list[1].readings[0].value == 1);
    traces_free(&traces);
    ck_assert_int_eq(read_text(&traces, "direction,conductance\n,1e-6\nup,2e-6\ndown,1e-6\n", &failure), 0);
    ck_assert(traces.count == 1 && traces.list[0].count == 3 && traces.list[0].readings[2].pulses == -1);
    ck_assert_int_eq(traces_map(&traces, 0, 0, &failure), 0);
    ck_assert_double_eq_tol(traces.list[0].readings[1].value, 1, 1e-12);
    traces_free(&traces);
}
END_TEST

/* Readings that cannot be fitted say what they lack. */
START_TEST(readings_that_do_not_do)
{
    static const char *const texts[] = {"direction,conductance\n,1\nup,1\nup,1\n", "direction,conductance\n,1\nup,2\n"};
    static const char *const says[] = {"all readings are 1: no pulse has done anything",
                                       "device \"\" has 0 readings behind pulses down, expected 10 or more"};
    struct failure failure = {""};
    struct population g = {.devices = NULL};
    struct traces traces;
    int result;

    ck_assert_int_eq(read_text(&traces, texts[_i], &failure), 0);
    result = traces_map(&traces, 0, 0, &failure);
    if (result == 0)
        result = population_fit(&g, &step_models[0], &traces, &failure);
    ck_assert_int_eq(result, -1);
    ck_assert_str_eq(failure.text, says[_i]);
    population_free(&g);
    traces_free(&traces);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fit");
    TCase *fits = tcase_create("fits"), *files = tcase_create("files");
    SRunner *runner;
    int failed, descriptor = mkstemp(path);

    if (descriptor < 0)
        return EXIT_FAILURE;
    tcase_set_timeout(fits, 300);
    tcase_add_loop_test(fits, parameters_are_recovered, 0, STEP_MODELS);
    tcase_add_loop_test(fits, kinds_are_told_apart, 0, STEP_MODELS);
    tcase_add_test(fits, units_and_gaps);
    tcase_add_loop_test(files, files_that_are_none, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(files, files_of_other_forms);
    tcase_add_loop_test(files, readings_that_do_not_do, 0, 2);
    suite_add_tcase(suite, fits);
    suite_add_tcase(suite, files);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    remove(path);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

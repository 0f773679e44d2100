/* Fit a step model to measured devices: from readings against pulses, of several devices, up and down, to the `device` of a
 * model's description.
 *
 *   fit_device [--step constant|linear|soft_bounds|exponential] [--picture FIT.svg] READINGS.csv
 *   fit_device --make DEVICE.json [--devices 20] [--pulses 200] [--cycles 3]
 *
 * fit/traces.h says what the file has to look like. Prints one JSON object: `device` goes into an energy stage as it is;
 * `standard_errors` has the same members, null where the readings do not tell; `mapping` says which weight a reading is,
 * (reading - zero) / scale; `fit` has the Bayesian information criterion of each model, of which the least is taken unless --step
 * asks for one, how far the mean trace is from the model's, as a share of what weights span, and whether bounds were reached.
 *
 * With --make it writes readings to try it on, made by the library's own pulses of the device that a JSON object describes: the
 * members of `device` in a description. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "fit/make_traces.h"
#include "fit/picture.h"
#include "support/blas_threads.h"
#include "support/json_text.h"
#include "support/options.h"
#include "support/text_file.h"

struct settings {
    const char *make;
    const char *picture;
    struct trace_plan plan;
    double zero;
    double scale;
    int32_t step;
    int32_t reserved;
};

static const struct option_choice steps[] = {
    {"constant", 1}, {"linear", 2}, {"soft_bounds", 3}, {"exponential", 4}, {NULL, 0}};

#define AT(field) offsetof(struct settings, field)

static const struct option options[] = {
    {"step", NULL, "fit this model (the one with the least information criterion)", steps, AT(step), 0, 0,
     OPTION_CHOICE},
    {"zero", "G", "the reading that is a weight of 0; with --scale (the middle of all)", NULL, AT(zero), 0, 0,
     OPTION_NUMBER},
    {"scale", "G", "what a weight of 1 adds to it; 0: half of what readings span", NULL, AT(scale), 0, 0,
     OPTION_NUMBER},
    {"picture", "FILE", "draw readings and fit, as SVG", NULL, AT(picture), 0, 0, OPTION_PATH},
    {"make", "FILE", "write readings instead, of the device that this JSON object describes", NULL, AT(make), 0, 0,
     OPTION_PATH},
    {"devices", "N", "so many (20)", NULL, AT(plan.devices), 1, 1000, OPTION_INTEGER},
    {"pulses", "N", "down and up (200)", NULL, AT(plan.pulses), 2, 100000, OPTION_INTEGER},
    {"cycles", "N", "times (3)", NULL, AT(plan.cycles), 1, 1000, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

/* ----------------------------------------------------------------------------------------------------------- making */

/* The description of a small model on this device: the library's own parser reads it. */
static int read_device(ffebm_device_config *device, const char *path, struct failure *failure)
{
    static const char head[] =
        "{\"input\": [1], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"couplings\": "
        "[{\"type\": \"dense\", \"out_features\": 1}], \"device\": ";
    ffebm_context *context = NULL;
    ffebm_model *model = NULL;
    char *text = NULL, *json = NULL;
    size_t length = 0, all;
    int result = text_file_read(path, &text, &length, failure);

    if (result == 0 && (json = malloc(sizeof head + length + 8)) == NULL)
        result = failure_set(failure, "%s: out of memory", path);
    if (result == 0) {
        all = (size_t)snprintf(json, sizeof head + length + 8, "%s%.*s}}]}", head, (int)length, text);
        device->size = sizeof *device;
        if (ffebm_context_create(&context, NULL) != FFEBM_OK ||
            ffebm_model_parse(context, &model, json, all, NULL) != FFEBM_OK ||
            ffebm_model_device(model, device, 0) != FFEBM_OK)
            result = failure_set(failure, "%s: %s", path, ffebm_context_error(context));
    }
    if (result == 0 && device->update_mode != FFEBM_UPDATE_DIFFERENCE)
        result = failure_set(failure, "%s: expected \"update\" with \"mode\": \"difference\"", path);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    free(json);
    free(text);
    return result;
}

static int make(const struct settings *settings, struct failure *failure)
{
    ffebm_device_config device;
    struct traces traces = {.list = NULL};
    int result;

    if (read_device(&device, settings->make, failure) != 0)
        return -1;
    result = traces_make(&traces, &device, &settings->plan, failure);
    if (result == 0)
        traces_write(stdout, &traces);
    traces_free(&traces);
    return result;
}

/* ---------------------------------------------------------------------------------------------------------- printing */

/* A member of `device`. Those of a group follow each other. */
struct member {
    const char *group;
    const char *name;
    const struct estimate *estimate;
};

static void print_number(double number)
{
    if (isfinite(number))
        printf("%.6g", number);
    else
        printf("null");
}

/* Values, or their standard errors. */
static void print_members(const struct member *members, const struct population *g, int errors)
{
    printf("{");
    for (const struct member *m = members; m->group != NULL; m++) {
        if (m == members || strcmp(m->group, m[-1].group) != 0) {
            printf("%s\"%s\": {", m == members ? "" : "}, ", m->group);
            if (!errors && strcmp(m->group, "update") == 0)
                printf("\"mode\": \"difference\", \"step\": \"%s\", ", g->model->name);
        } else
            printf(", ");
        printf("\"%s\": ", m->name);
        print_number(errors ? m->estimate->error : m->estimate->value);
    }
    printf("}}");
}

static void print_device(const struct population *g)
{
    const struct member members[] = {
        {"weight", "min", &g->weight_min},
        {"weight", "max", &g->weight_max},
        {"weight", "min_dtod", &g->weight_min_dtod},
        {"weight", "max_dtod", &g->weight_max_dtod},
        {"update", "dw_min", &g->dw_min},
        {"update", "dw_min_dtod", &g->dw_min_dtod},
        {"update", "dw_min_std", &g->dw_min_std},
        {"update", "up_down", &g->up_down},
        {"update", "up_down_dtod", &g->up_down_dtod},
        {"update", "write_noise_std", &g->write_noise_std},
        {g->model->shapes > 0 && g->model->common ? "update" : NULL, "gamma_up", &g->gamma[UP]},
        {"update", "gamma_down", &g->gamma[DOWN]},
        {g->model->shapes > 1 ? "update" : NULL, "exp_a_up", &g->exp_a[UP]},
        {"update", "exp_a_down", &g->exp_a[DOWN]},
        {NULL, NULL, NULL}};

    printf("{\"device\": ");
    print_members(members, g, 0);
    printf(",\n \"standard_errors\": ");
    print_members(members, g, 1);
}

static void print(const struct population *all, const struct population *best, const struct traces *traces)
{
    const locale_t before = json_numbers_begin();
    const char *between = "";

    print_device(best);
    printf(",\n \"mapping\": {\"zero\": %.9g, \"scale\": %.9g},\n \"fit\": {\"devices\": %zu, \"readings\": %zu, "
           "\"criterion\": {",
           traces->zero, traces->scale, traces->count, traces_readings(traces));
    for (size_t i = 0; i < STEP_MODELS; i++)
        if (all[i].model != NULL) {
            printf("%s\"%s\": %.1f", between, all[i].model->name, all[i].criterion);
            between = ", ";
        }
    printf("}, \"distance\": %.3g, \"min_reached\": %s, \"max_reached\": %s}}\n", best->distance,
           best->bounded[DOWN] ? "true" : "false", best->bounded[UP] ? "true" : "false");
    json_numbers_end(before);
}

/* ----------------------------------------------------------------------------------------------------------- fitting */

static int fit_all(struct population all[STEP_MODELS], const struct population **best, const struct settings *settings,
                   const struct traces *traces, struct failure *failure)
{
    for (int32_t i = 0; i < STEP_MODELS; i++) {
        if (settings->step != 0 && settings->step != i + 1)
            continue;
        if (population_fit(&all[i], &step_models[i], traces, failure) != 0)
            return -1;
        if (*best == NULL || all[i].criterion < (*best)->criterion)
            *best = &all[i];
    }
    return 0;
}

static int fit(const struct settings *settings, const char *path, struct failure *failure)
{
    struct population all[STEP_MODELS] = {{.model = NULL}};
    const struct population *best = NULL;
    struct traces traces;
    int result = traces_read(&traces, path, failure);

    if (result == 0)
        result = traces_map(&traces, settings->zero, settings->scale, failure);
    if (result == 0)
        result = fit_all(all, &best, settings, &traces, failure);
    if (result == 0)
        print(all, best, &traces);
    if (result == 0 && settings->picture != NULL)
        result = picture_write(best, &traces, settings->picture, failure);
    for (size_t i = 0; i < STEP_MODELS; i++)
        population_free(&all[i]);
    traces_free(&traces);
    return result;
}

static int usage(const char *program, const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "fit_device: %s\n", failure->text);
    fprintf(stderr, "usage: %s [options] READINGS.csv\n       %s --make DEVICE.json\n", program, program);
    options_print(stderr, options, NULL);
    return 2;
}

int main(int argc, char **argv)
{
    struct settings settings = {.plan = {.devices = 20, .pulses = 200, .cycles = 3}};
    struct failure failure = {""};
    const char *path = argc > 1 && strncmp(argv[argc - 1], "--", 2) != 0 ? argv[argc - 1] : NULL;
    int result;

    blas_threads_one();
    if (path != NULL && argc > 2 && strncmp(argv[argc - 2], "--", 2) == 0 && strchr(argv[argc - 2], '=') == NULL)
        path = NULL; /* it is the value of the option before it */
    if (argc < 2 || options_parse(&settings, options, argc - (path != NULL), argv, &failure) != 0 ||
        (path == NULL) != (settings.make != NULL))
        return usage(argv[0], &failure);
    result = path == NULL ? make(&settings, &failure) : fit(&settings, path, &failure);
    if (result != 0)
        fprintf(stderr, "fit_device: %s\n", failure.text);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A layer with a tanh, and the same with one mistake at a time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "broken.h"

enum { INPUTS = 4, UNITS = 3, NUMBERS = UNITS * (INPUTS + 1) };

/* Rows of W, each with its bias behind it. */
static double unit_of(const ffebm_feedforward_call *call, size_t sample, size_t unit)
{
    const double *w = call->parameters + unit * (INPUTS + 1), *x = call->input + sample * INPUTS;
    double z = w[INPUTS];

    for (size_t i = 0; i < INPUTS; i++)
        z += w[i] * x[i];
    return tanh(z);
}

static int32_t forward(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->output[i] = unit_of(call, i / UNITS, i % UNITS);
    return 0;
}

static int32_t vjp(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t n = 0; n < call->batch; n++)
        for (size_t u = 0; u < UNITS; u++) {
            const double *w = call->parameters + u * (INPUTS + 1), *x = call->input + n * INPUTS;
            double *gradient = call->gradient + u * (INPUTS + 1), y = unit_of(call, n, u);
            double v = call->output_cotangent[n * UNITS + u] * (1 - y * y);

            for (size_t i = 0; i < INPUTS; i++) {
                call->input_cotangent[n * INPUTS + i] += v * w[i];
                gradient[i] += call->scale * v * x[i];
            }
            gradient[INPUTS] += call->scale * v;
        }
    return 0;
}

ffebm_user_feedforward broken_tanh_layer(ffebm_user_parameter *parameter)
{
    static const int64_t inputs[] = {INPUTS}, units[] = {UNITS}, rows[] = {UNITS, INPUTS + 1};
    ffebm_user_feedforward table = {.size = sizeof table,
                                    .name = "tanh_layer",
                                    .input_shape = inputs,
                                    .input_rank = 1,
                                    .output_shape = units,
                                    .output_rank = 1,
                                    .forward = forward,
                                    .vjp = vjp};

    ffebm_user_parameter_init(parameter, sizeof *parameter);
    parameter->name = "rows";
    parameter->shape = rows;
    parameter->rank = 2;
    return table;
}

/* ------------------------------------------------------------------------------------------------------- mistakes */

static int32_t writes_too_far(void *self, ffebm_feedforward_call *call)
{
    call->input_cotangent[call->batch * INPUTS] = 0;
    return vjp(self, call);
}

static int32_t normalises_the_batch(void *self, ffebm_feedforward_call *call)
{
    int32_t answer = forward(self, call);

    for (size_t i = UNITS; i < call->batch * UNITS; i++)
        call->output[i] -= call->output[i % UNITS];
    return answer;
}

static int32_t doubles_the_cotangent(void *self, ffebm_feedforward_call *call)
{
    int32_t answer = vjp(self, call);

    for (size_t i = 0; i < call->batch * INPUTS; i++)
        call->input_cotangent[i] *= 2;
    return answer;
}

static int32_t forgets_the_scale(void *self, ffebm_feedforward_call *call)
{
    int32_t answer = vjp(self, call);

    for (size_t i = 0; i < NUMBERS; i++)
        call->gradient[i] /= call->scale;
    return answer;
}

static int32_t forgets_the_biases(void *self, ffebm_feedforward_call *call)
{
    int32_t answer = vjp(self, call);

    for (size_t u = 0; u < UNITS; u++)
        call->gradient[u * (INPUTS + 1) + INPUTS] = 0;
    return answer;
}

/* Counts on it that vjp follows the forward of the same input. */
static double remembered[UNITS];

static int32_t remembers(void *self, ffebm_feedforward_call *call)
{
    int32_t answer = forward(self, call);

    for (size_t u = 0; u < UNITS; u++) {
        double before = remembered[u];

        remembered[u] = call->output[u];
        call->output[u] += 0.1 * before;
    }
    return answer;
}

static int32_t gives_up(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    snprintf(call->message, call->message_capacity, "no connection");
    return -1;
}

static const struct mistake {
    const char *name;
    const char *property;
    ffebm_feedforward_fn forward;
    ffebm_feedforward_fn vjp;
} mistakes[] = {{"writes too far", "arrays", forward, writes_too_far},
                {"gives up", "answers", gives_up, vjp},
                {"normalises the batch", "sample alone", normalises_the_batch, vjp},
                {"doubles the cotangent", "vjp of input", forward, doubles_the_cotangent},
                {"forgets the scale", "scale", forward, forgets_the_scale},
                {"forgets the biases", "vjp of parameters", forward, forgets_the_biases},
                {"remembers", "same seed", remembers, vjp},
                {"remembers", "calls alone", remembers, vjp}};

int broken_feedforward(const struct conformance_settings *settings)
{
    int missed = 0;

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        ffebm_user_parameter parameter;
        ffebm_user_feedforward table = broken_tanh_layer(&parameter);
        FILE *lines = tmpfile();

        table.forward = mistakes[i].forward;
        table.vjp = mistakes[i].vjp;
        if (lines != NULL)
            conformance_feedforward(&table, &parameter, 1, settings, lines);
        missed += broken_verdict(lines, mistakes[i].name, mistakes[i].property);
    }
    return missed;
}

/* --------------------------------------------------------------------------------------------------------- verdicts */

static int is_named(FILE *lines, const char *property)
{
    char text[160], expected[64];
    size_t length = (size_t)snprintf(expected, sizeof expected, "FAIL  %s", property);

    rewind(lines);
    while (fgets(text, sizeof text, lines) != NULL)
        if (strncmp(text, expected, length) == 0 && (text[length] == '\n' || text[length + 1] == ' '))
            return 1;
    return 0;
}

int broken_verdict(FILE *lines, const char *mistake, const char *property)
{
    int named = lines != NULL && is_named(lines, property);

    printf("%-24s %s %s\n", mistake, named ? "breaks" : "was NOT caught by", property);
    if (lines != NULL)
        fclose(lines);
    return !named;
}

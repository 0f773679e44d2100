/* A resistor network with one mistake at a time. */
#include <stdio.h>
#include <string.h>

#include "../blocks/resistor_network.h"
#include "broken.h"

enum { CURRENTS = BROKEN_CURRENTS, NODES = BROKEN_NODES, VOLTAGES = BROKEN_VOLTAGES, SAMPLES = 16 };

/* A network with one function in the place of the right one's. */
struct broken {
    ffebm_user_energy right;
    uint64_t calls;
    uint64_t version; /* the parameters' that a forgetful block keeps, */
    double kept[NODES * NODES];
    double sum[NODES * NODES]; /* of gradients, in a block that adds up calls */
};

static double *state_of(const ffebm_energy_call *call, size_t sample)
{
    return call->state + sample * NODES;
}

static int32_t writes_too_far(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    state_of(call, call->batch)[0] = 0;
    return answer;
}

static int32_t writes_into_its_input(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    *(double *)(uintptr_t)call->input *= 2;
    return answer;
}

static int32_t divides_by_zero(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    state_of(call, 0)[NODES / 2] /= call->force == NULL ? 1 : 0.0;
    return answer;
}

static int32_t couples_samples(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    for (size_t n = 1; n < call->batch; n++)
        state_of(call, n)[NODES - 1] += 0.01 * state_of(call, 0)[0];
    return answer;
}

static int32_t stops_early(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    double before[SAMPLES * NODES];
    int32_t answer;

    memcpy(before, call->state, call->batch * NODES * sizeof *before);
    answer = b->right.settle(b->right.self, call);
    for (size_t i = 0; i < call->batch * NODES; i++)
        call->state[i] = 0.9 * call->state[i] + 0.1 * before[i];
    return answer;
}

static int32_t draws_without_the_seed(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    state_of(call, 0)[0] += 1e-9 * ffebm_random_normal(1, b->calls++);
    return answer;
}

/* The first output's force also pulls at the second: an amplifier among the resistors. */
static int32_t amplifies(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    double force[SAMPLES * VOLTAGES];
    const double *given = call->force;
    int32_t answer;

    for (size_t i = 0; given != NULL && i < call->batch * VOLTAGES; i++)
        force[i] = given[i] + (i % VOLTAGES == 1 ? given[i - 1] : 0);
    call->force = given == NULL ? NULL : force;
    answer = b->right.settle(b->right.self, call);
    call->force = given;
    return answer;
}

static int32_t keeps_old_parameters(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    const double *given = call->parameters;
    uint64_t version = call->version;
    int32_t answer;

    if (b->version == 0)
        memcpy(b->kept, given, call->parameter_count * sizeof *given);
    b->version = call->version = 1;
    call->parameters = b->kept;
    answer = b->right.settle(b->right.self, call);
    call->parameters = given;
    call->version = version;
    return answer;
}

static int32_t loses_a_sign(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.parameter_gradient(b->right.self, call);

    for (size_t i = 0; i < call->parameter_count; i++)
        call->gradient[i] = -call->gradient[i];
    return answer;
}

static int32_t ignores_weights(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    static const double ones[SAMPLES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const double *given = call->weight;
    int32_t answer;

    call->weight = ones;
    answer = b->right.parameter_gradient(b->right.self, call);
    call->weight = given;
    return answer;
}

static int32_t adds_up_calls(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.parameter_gradient(b->right.self, call);

    for (size_t i = 0; i < call->parameter_count; i++)
        call->gradient[i] = b->sum[i] += call->gradient[i];
    return answer;
}

static int32_t returns_the_voltages(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * CURRENTS; i++)
        call->input_gradient[i] = state_of(call, i / CURRENTS)[i % CURRENTS];
    return 0;
}

static int32_t forgets_the_leak(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.energy(b->right.self, call);

    for (size_t i = 0; i < call->batch * NODES; i++)
        call->energy[i / NODES] -= RESISTOR_LEAK * call->state[i] * call->state[i] / 2;
    return answer;
}

static int32_t halves_the_adjoint(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.adjoint(b->right.self, call);

    for (size_t i = 0; i < call->parameter_count; i++)
        call->gradient[i] /= 2;
    return answer;
}

static int32_t forgets_the_cotangent(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.adjoint(b->right.self, call);

    memset(call->input_gradient, 0, call->batch * CURRENTS * sizeof *call->input_gradient);
    return answer;
}

/* No mistake, if readings are averaged. */
static int32_t is_noisy(void *self, ffebm_energy_call *call)
{
    struct broken *b = self;
    int32_t answer = b->right.settle(b->right.self, call);

    for (size_t i = 0; i < call->batch * NODES; i++)
        call->state[i] += 1e-4 * ffebm_random_normal(call->seed, i);
    return answer;
}

/* Settle, ask for the force at the output, settle under that, so many times. */
static int32_t ask_for_force(struct broken *b, ffebm_energy_call *call, int times)
{
    double output[SAMPLES * VOLTAGES], force[SAMPLES * VOLTAGES];
    const double *given = call->force;
    int32_t answer = b->right.settle(b->right.self, call);

    for (int t = 0; call->force_at != NULL && t < times; t++) {
        for (size_t n = 0; n < call->batch; n++)
            memcpy(output + n * VOLTAGES, state_of(call, n + 1) - VOLTAGES, VOLTAGES * sizeof *output);
        call->force_at(call->force_user, output, force);
        call->force = force;
        answer = b->right.settle(b->right.self, call);
    }
    call->force = given;
    return answer;
}

static int32_t heeds_the_loss(void *self, ffebm_energy_call *call)
{
    return ask_for_force(self, call, 100);
}

static int32_t asks_once(void *self, ffebm_energy_call *call)
{
    return ask_for_force(self, call, 1);
}

static int32_t always_asks_again(void *self, ffebm_energy_call *call)
{
    (void)self;
    (void)call;
    return FFEBM_RETRY;
}

enum { SETTLE, PARAMETER_GRADIENT, INPUT_GRADIENT, ENERGY, ADJOINT };
static const struct mistake {
    const char *name;
    const char *property; /* that it breaks; it may break others, too */
    ffebm_energy_fn function;
    int slot;
} mistakes[] = {{"writes too far", "arrays", writes_too_far, SETTLE},
                {"writes into its input", "inputs", writes_into_its_input, SETTLE},
                {"divides by zero", "finite", divides_by_zero, SETTLE},
                {"always asks again", "answers", always_asks_again, SETTLE},
                {"couples samples", "sample alone", couples_samples, SETTLE},
                {"couples samples", "any order", couples_samples, SETTLE},
                {"asks once", "force_at", asks_once, SETTLE},
                {"stops early", "equilibrium stays", stops_early, SETTLE},
                {"draws without the seed", "same seed", draws_without_the_seed, SETTLE},
                {"amplifies", "reciprocity", amplifies, SETTLE},
                {"keeps old parameters", "version", keeps_old_parameters, SETTLE},
                {"loses a sign", "parameter_gradient", loses_a_sign, PARAMETER_GRADIENT},
                {"loses a sign", "energy and parameters", loses_a_sign, PARAMETER_GRADIENT},
                {"ignores weights", "weights", ignores_weights, PARAMETER_GRADIENT},
                {"adds up calls", "calls alone", adds_up_calls, PARAMETER_GRADIENT},
                {"returns the voltages", "input_gradient", returns_the_voltages, INPUT_GRADIENT},
                {"returns the voltages", "energy and input", returns_the_voltages, INPUT_GRADIENT},
                {"forgets the leak", "energy and output", forgets_the_leak, ENERGY},
                {"halves the adjoint", "adjoint of parameters", halves_the_adjoint, ADJOINT},
                {"forgets the cotangent", "adjoint of input", forgets_the_cotangent, ADJOINT}};

/* The slots that stay right. */
#define RIGHT(name)                                                                                                    \
    static int32_t right_##name(void *self, ffebm_energy_call *call)                                                   \
    {                                                                                                                  \
        struct broken *b = self;                                                                                       \
                                                                                                                       \
        return b->right.name(b->right.self, call);                                                                     \
    }
RIGHT(settle)
RIGHT(parameter_gradient)
RIGHT(energy)
RIGHT(adjoint)

static ffebm_user_energy break_table(struct broken *b, const struct mistake *m)
{
    ffebm_user_energy table = b->right;

    table.self = b;
    table.loss_nudging = m->function == heeds_the_loss || m->function == asks_once;
    table.settle = m->slot == SETTLE ? m->function : right_settle;
    table.parameter_gradient = m->slot == PARAMETER_GRADIENT ? m->function : right_parameter_gradient;
    table.input_gradient = m->slot == INPUT_GRADIENT ? m->function : NULL;
    table.energy = m->slot == ENERGY ? m->function : right_energy;
    table.adjoint = m->slot == ADJOINT ? m->function : right_adjoint;
    return table;
}

/* These are no mistakes: noise that is averaged, and a force that is asked for until it stays. */
static int check_right(const ffebm_user_energy *right, const ffebm_user_parameter *parameter,
                       const struct conformance_settings *settings, const char *name, ffebm_energy_fn function)
{
    const struct mistake none = {name, "", function, SETTLE};
    struct broken b = {.right = *right};
    ffebm_user_energy table = break_table(&b, &none);
    int failures = conformance_energy(&table, parameter, 1, settings, NULL);

    printf("%-24s %s\n", name, failures == 0 ? "passes" : "does NOT pass");
    return failures;
}

int broken_energy(const ffebm_user_energy *right, const ffebm_user_parameter *parameter,
                  const struct conformance_settings *settings)
{
    struct conformance_settings averaged = *settings;
    int missed;

    averaged.repeats = 50;
    averaged.step = 0.05;
    averaged.tolerance = 0.02;
    missed = check_right(right, parameter, &averaged, "is noisy, averaged", is_noisy);
    missed += check_right(right, parameter, settings, "heeds the loss", heeds_the_loss);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct broken b = {.right = *right};
        ffebm_user_energy table = break_table(&b, &mistakes[i]);
        FILE *lines = tmpfile();

        if (lines != NULL)
            conformance_energy(&table, parameter, 1, settings, lines);
        missed += broken_verdict(lines, mistakes[i].name, mistakes[i].property);
    }
    return missed;
}

#include "block.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct circuit_block {
    struct circuit circuit;
    struct simulator *simulator;
    struct simulator_child child;
    char *text; /* what the child is given: its name, and behind that the netlist */
    double *values;
    uint64_t version; /* of the parameters that were looked at; 0: none */
    size_t settled;
    double seconds;
    int64_t input;
    int64_t output;
};

/* ------------------------------------------------------------------------------------------------------------- slots */

static int32_t fail(ffebm_energy_call *call, const char *sentence)
{
    snprintf(call->message, call->message_capacity, "%s", sentence);
    return -1;
}

/* The largest of some numbers, without their signs. */
static double largest(const double *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* Numbers that the host has put beyond their bounds are no circuit. A little beyond they may be: differences of the loss
 * step over a bound. */
static int32_t check_parameters(struct circuit_block *b, ffebm_energy_call *call)
{
    const double *value = call->parameters;

    if (b->version == call->version)
        return 0;
    for (size_t i = 0; i < b->circuit.parameter_count; i++) {
        const struct circuit_parameter *p = &b->circuit.parameters[i];
        double little = 1e-3 * largest(value, p->count);

        for (size_t k = 0; k < p->count; k++, value++)
            if (!(*value >= p->lower - little && *value <= p->upper + little)) {
                snprintf(call->message, call->message_capacity, "number %zu of %s is %g, expected %g to %g", k, p->name,
                         *value, p->lower, p->upper);
                return -1;
            }
    }
    b->version = call->version;
    return 0;
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int32_t settle(void *self, ffebm_energy_call *call)
{
    struct circuit_block *b = self;
    const size_t *counts = b->circuit.counts;
    double begun = seconds_now();

    if (check_parameters(b, call) != 0)
        return -1;
    for (size_t s = 0; s < call->batch; s++) {
        const double *const numbers[CIRCUIT_GROUPS] = {call->parameters, call->input + s * counts[CIRCUIT_INPUT],
                                                       call->force == NULL ? NULL
                                                                           : call->force + s * counts[CIRCUIT_OUTPUT]};
        struct failure failure;

        circuit_drive(&b->circuit, numbers, b->values);
        if (b->simulator->settle(b->simulator, b->values, call->state + s * b->circuit.quantity_count, &failure) != 0)
            return fail(call, failure.text);
    }
    b->settled += call->batch;
    b->seconds += seconds_now() - begun;
    return 0;
}

/* An output is minus the derivative of the energy by its force. */
static int32_t output(void *self, ffebm_energy_call *call)
{
    const struct circuit *c = &((struct circuit_block *)self)->circuit;

    for (size_t s = 0; s < call->batch; s++)
        circuit_derive(c, CIRCUIT_OUTPUT, call->state + s * c->quantity_count, -1,
                       call->output + s * c->counts[CIRCUIT_OUTPUT]);
    return 0;
}

static int32_t input_gradient(void *self, ffebm_energy_call *call)
{
    const struct circuit *c = &((struct circuit_block *)self)->circuit;

    for (size_t s = 0; s < call->batch; s++)
        circuit_derive(c, CIRCUIT_INPUT, call->state + s * c->quantity_count, 1,
                       call->input_gradient + s * c->counts[CIRCUIT_INPUT]);
    return 0;
}

static int32_t parameter_gradient(void *self, ffebm_energy_call *call)
{
    const struct circuit *c = &((struct circuit_block *)self)->circuit;

    for (size_t s = 0; s < call->batch; s++)
        circuit_derive(c, CIRCUIT_PARAMETER, call->state + s * c->quantity_count, call->weight[s], call->gradient);
    return 0;
}

/* The netlist's values, each times a number from 0.5 to 1.5, so that seeds differ and what is alike does not stay so. */
static int32_t initialize(void *self, ffebm_energy_call *call)
{
    const struct circuit *c = &((struct circuit_block *)self)->circuit;

    for (size_t i = c->element_count; i-- > 0;) { /* the first element of a number says it */
        const struct circuit_element *e = &c->elements[i];
        double value = e->name[0] == 'r' ? 1 / e->value : e->value;

        if (e->group == CIRCUIT_PARAMETER)
            call->values[e->number] = value / e->factor * (0.5 + ffebm_random_uniform(call->seed, e->number));
    }
    return 0;
}

static void destroy(void *self)
{
    struct circuit_block *b = self;

    if (b->simulator != NULL)
        b->simulator->destroy(b->simulator);
    circuit_free(&b->circuit);
    free(b->text);
    free(b->values);
    free(b);
}

/* ------------------------------------------------------------------------------------------------------------ create */

/* Try the netlist in a child, and leave it there or load it here. */
static int load(struct circuit_block *b, const struct circuit_block_config *config, struct failure *failure)
{
    b->child.circuit = &b->circuit;
    b->child.program = config->program;
    b->child.patience = config->patience;
    if (config->program == NULL && config->child)
        return failure_set(failure, "%s: no program for the simulator's process", config->name);
    if (config->program != NULL && simulator_create_child(&b->simulator, &b->child, failure) != 0)
        return -1;
    if (config->child)
        return 0;
    if (b->simulator != NULL)
        b->simulator->destroy(b->simulator);
    return simulator_create_here(&b->simulator, &b->circuit, failure);
}

static int keep_text(struct circuit_block *b, const struct circuit_block_config *config, struct failure *failure)
{
    size_t name = strlen(config->name) + 1, text = strlen(config->text) + 1;

    b->text = malloc(name + text);
    if (b->text == NULL)
        return failure_set(failure, "%s: out of memory", config->name);
    memcpy(b->text, config->name, name);
    memcpy(b->text + name, config->text, text);
    b->child.name = b->text;
    b->child.text = b->text + name;
    return 0;
}

static int make(struct circuit_block *b, const struct circuit_block_config *config, struct failure *failure)
{
    struct failure said;

    if (circuit_read(&b->circuit, config->name, config->text, failure) != 0 || keep_text(b, config, failure) != 0)
        return -1;
    b->values = malloc(b->circuit.element_count * sizeof *b->values);
    if (b->values == NULL)
        return failure_set(failure, "%s: out of memory", config->name);
    return load(b, config, &said) == 0 ? 0 : failure_set(failure, "%s: %.900s", config->name, said.text);
}

static void describe(struct circuit_block *b, ffebm_user_energy *table, ffebm_user_parameter *parameters)
{
    const struct circuit *c = &b->circuit;

    b->input = (int64_t)c->counts[CIRCUIT_INPUT];
    b->output = (int64_t)c->counts[CIRCUIT_OUTPUT];
    *table = (ffebm_user_energy){.size = sizeof *table,
                                 .self = b,
                                 .name = "circuit",
                                 .input_shape = &b->input,
                                 .input_rank = 1,
                                 .output_shape = &b->output,
                                 .output_rank = 1,
                                 .state_count = c->quantity_count,
                                 .settle = settle,
                                 .output = output,
                                 .parameter_gradient = parameter_gradient,
                                 .input_gradient = input_gradient,
                                 .initialize = initialize,
                                 .destroy = destroy};
    for (size_t i = 0; i < c->parameter_count; i++) {
        const char *name = c->parameters[i].name, *point = strchr(name, '.');

        ffebm_user_parameter_init(&parameters[i], sizeof parameters[i]);
        parameters[i].name = point == NULL ? name : point + 1;
        parameters[i].position = point == NULL ? 0 : (int32_t)strtol(name, NULL, 10);
        parameters[i].shape = c->parameters[i].shape;
        parameters[i].rank = c->parameters[i].rank;
        parameters[i].lower = c->parameters[i].lower;
        parameters[i].upper = c->parameters[i].upper;
    }
}

struct circuit_block *circuit_block_table(ffebm_user_energy *table, ffebm_user_parameter *parameters,
                                          const struct circuit_block_config *config, struct failure *failure)
{
    struct circuit_block *b = calloc(1, sizeof *b);

    if (b == NULL) {
        failure_set(failure, "%s: out of memory", config->name);
        return NULL;
    }
    if (make(b, config, failure) != 0) {
        destroy(b);
        return NULL;
    }
    describe(b, table, parameters);
    return b;
}

int circuit_block_create(ffebm_context *context, ffebm_energy **block, const struct circuit_block **made,
                         const struct circuit_block_config *config, struct failure *failure)
{
    ffebm_user_energy table;
    ffebm_user_parameter parameters[CIRCUIT_PARAMETERS];
    struct circuit_block *b = circuit_block_table(&table, parameters, config, failure);
    ffebm_status status;

    *block = NULL;
    if (b == NULL)
        return -1;
    *made = b;
    if ((status = ffebm_energy_create_user(context, block, &table)) != FFEBM_OK) {
        destroy(b);
        return failure_set(failure, "%s: %s", config->name, ffebm_context_error(context));
    }
    for (size_t i = 0; i < b->circuit.parameter_count && status == FFEBM_OK; i++)
        status = ffebm_energy_add_parameter(*block, &parameters[i]);
    if (status == FFEBM_OK)
        return 0;
    ffebm_energy_destroy(*block);
    *block = NULL;
    return failure_set(failure, "%s: %s", config->name, ffebm_context_error(context));
}

struct circuit_block_report circuit_block_inspect(const struct circuit_block *block)
{
    return (struct circuit_block_report){.circuit = &block->circuit,
                                         .settled = block->settled,
                                         .seconds = block->seconds,
                                         .process = simulator_child_process(block->simulator)};
}

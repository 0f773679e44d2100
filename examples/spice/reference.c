#include "reference.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resistive.h"

enum { NAME = 128, GROWTH = 256 }; /* KiB that are no growth: what is allocated once */

static const double bound = 1e-6, beta = 0.1;

struct check {
    const char *path;
    struct resistive network;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    const struct circuit_block *block;
    ffebm_tensor *input; /* [batch, inputs] */
    int64_t batch;
    double worst;
    struct failure *failure;
};

static int judge(struct check *c, ffebm_status status)
{
    return status == FFEBM_OK ? 0 : failure_set(c->failure, "%s: %s", c->path, ffebm_context_error(c->context));
}

/* ---------------------------------------------------------------------------------------------------------- the file */

static int read_tensor(struct check *c, ffebm_tensor **tensor, const char *name)
{
    return judge(c, ffebm_checkpoint_tensor(c->context, tensor, c->path, name));
}

/* The layers are as many as there are weights. */
static int read_layers(struct check *c)
{
    struct resistive *n = &c->network;

    for (n->layer_count = 0; n->layer_count < RESISTIVE_LAYERS; n->layer_count++) {
        ffebm_tensor *weight;
        ffebm_status status;
        const int64_t *shape;
        char name[NAME];

        snprintf(name, sizeof name, "param.stage0.%zu.weight", n->layer_count);
        status = ffebm_checkpoint_tensor(c->context, &weight, c->path, name);
        if (status == FFEBM_ERR_NOT_FOUND && n->layer_count > 0)
            return 0;
        if (judge(c, status) != 0)
            return -1;
        shape = ffebm_tensor_shape(weight, NULL);
        n->layers[n->layer_count] = (size_t)shape[0];
        if (n->layer_count == 0)
            n->inputs = (size_t)shape[1] / 2;
        ffebm_tensor_destroy(weight);
    }
    return failure_set(c->failure, "%s: more than %d layers", c->path, RESISTIVE_LAYERS - 1);
}

static int read_gain(struct check *c)
{
    static const char key[] = "\"input_gain\":";
    char text[4096];
    const char *at;

    if (judge(c, ffebm_checkpoint_metadata(c->context, text, sizeof text, NULL, c->path, "model")) != 0)
        return -1;
    at = strstr(text, key);
    c->network.gain = at == NULL ? 0 : strtod(at + sizeof key - 1, NULL);
    return c->network.gain > 0 ? 0 : failure_set(c->failure, "%s: its model has no input_gain", c->path);
}

/* The file's input, each sample a vector. */
static int read_input(struct check *c)
{
    ffebm_tensor *input;
    int64_t shape[2] = {0, (int64_t)c->network.inputs};
    int code;

    if (read_tensor(c, &input, "input") != 0)
        return -1;
    c->batch = shape[0] = ffebm_tensor_shape(input, NULL)[0];
    code = judge(c, ffebm_tensor_create(c->context, &c->input, FFEBM_FLOAT64, shape, 2));
    if (code == 0 &&
        (ffebm_tensor_count(input) != ffebm_tensor_count(c->input) || ffebm_tensor_dtype(input) != FFEBM_FLOAT64))
        code = failure_set(c->failure, "%s: the input does not fit the first weight", c->path);
    if (code == 0)
        memcpy(ffebm_tensor_data(c->input), ffebm_tensor_const_data(input), ffebm_tensor_count(input) * sizeof(double));
    ffebm_tensor_destroy(input);
    return code;
}

/* ------------------------------------------------------------------------------------------------------------ circuit */

static int build_model(struct check *c, const struct circuit_block_config *config)
{
    const int64_t inputs[] = {(int64_t)c->network.inputs};
    struct circuit_block_config own = *config;
    char *text = resistive_netlist(&c->network);
    ffebm_energy *block = NULL;
    int code = text == NULL ? failure_set(c->failure, "out of memory") : 0;

    own.name = c->path;
    own.text = text;
    if (code == 0)
        code = circuit_block_create(c->context, &block, &c->block, &own, c->failure);
    if (code == 0)
        code = judge(c, ffebm_model_create(c->context, &c->model, FFEBM_FLOAT64, inputs, 1, FFEBM_LOSS_MSE));
    if (code == 0)
        code = judge(c, ffebm_model_add_energy(c->model, &block));
    if (code == 0)
        code = judge(c, ffebm_model_initialize(c->model, 0));
    ffebm_energy_destroy(block);
    free(text);
    return code;
}

static int read_values(struct check *c)
{
    for (size_t i = 0; i < 2 * c->network.layer_count; i++) {
        ffebm_parameter_info parameter = {.size = sizeof parameter};
        ffebm_tensor *value;
        char name[NAME];
        int code;

        if (judge(c, ffebm_model_inspect_parameter(c->model, &parameter, i)) != 0)
            return -1;
        snprintf(name, sizeof name, "param.%s", parameter.name);
        if (read_tensor(c, &value, name) != 0)
            return -1;
        code = judge(c, ffebm_tensor_copy(parameter.value, value));
        ffebm_tensor_destroy(value);
        if (code != 0)
            return code;
    }
    return 0;
}

static int make_engine(struct check *c)
{
    ffebm_engine_config config;
    ffebm_equilibrium_config equilibrium;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)c->batch;
    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    equilibrium.beta = beta;
    return judge(c, ffebm_engine_create(&c->engine, c->model, &config)) != 0
               ? -1
               : judge(c, ffebm_engine_configure(c->engine, FFEBM_ALL, &equilibrium));
}

/* ---------------------------------------------------------------------------------------------------------- comparing */

/* The largest difference over the largest number that the file has; what is not finite is as wrong as can be. */
static int compare(struct check *c, const char *name, const double *ours, size_t count, double *worst)
{
    ffebm_tensor *theirs;
    double difference = 0, size = 0;

    if (read_tensor(c, &theirs, name) != 0)
        return -1;
    if (ffebm_tensor_count(theirs) != count || ffebm_tensor_dtype(theirs) != FFEBM_FLOAT64)
        difference = INFINITY;
    else
        for (size_t i = 0; i < count; i++) {
            double value = ((const double *)ffebm_tensor_const_data(theirs))[i];

            difference = isfinite(ours[i]) ? fmax(difference, fabs(ours[i] - value)) : INFINITY;
            size = fmax(size, fabs(value));
        }
    *worst = fmax(*worst, difference == 0 ? 0 : difference / size);
    ffebm_tensor_destroy(theirs);
    return 0;
}

static void report(struct check *c, const char *what, double worst)
{
    printf("%s: %-34s %.1e%s\n", c->path, what, worst, worst <= bound ? "" : "  TOO LARGE");
    c->worst = fmax(c->worst, worst);
}

/* Where the voltage of a node is in the state. */
static size_t find_node(const struct circuit *circuit, size_t layer, size_t node)
{
    char name[NAME];
    size_t i = 0;

    snprintf(name, sizeof name, "v(s%zu_%zu)", layer, node);
    while (i < circuit->quantity_count && strcmp(circuit->quantities[i], name) != 0)
        i++;
    return i;
}

/* One state, layer by layer, with tensors "<name>.layer<l>". */
static int compare_state(struct check *c, const char *name, int32_t phase)
{
    const struct circuit *circuit = circuit_block_inspect(c->block).circuit;
    const int64_t shape[] = {c->batch, (int64_t)circuit->quantity_count};
    ffebm_tensor *state = NULL;
    double *voltages = NULL, worst = 0;
    int code = judge(c, ffebm_tensor_create(c->context, &state, FFEBM_FLOAT64, shape, 2));

    if (code == 0)
        code = judge(c, ffebm_engine_get_state(c->engine, state, 0, 0, phase));
    if (code == 0 && (voltages = malloc(ffebm_tensor_count(state) * sizeof *voltages)) == NULL)
        code = failure_set(c->failure, "out of memory");
    for (size_t layer = 0; layer < c->network.layer_count && code == 0; layer++) {
        const double *all = ffebm_tensor_const_data(state);
        size_t nodes = c->network.layers[layer];
        char tensor[NAME];

        for (size_t i = 0; i < (size_t)c->batch * nodes; i++)
            voltages[i] = all[i / nodes * circuit->quantity_count + find_node(circuit, layer + 1, i % nodes)];
        snprintf(tensor, sizeof tensor, "%s.layer%zu", name, layer);
        code = compare(c, tensor, voltages, (size_t)c->batch * nodes, &worst);
    }
    if (code == 0)
        report(c, name, worst);
    free(voltages);
    ffebm_tensor_destroy(state);
    return code;
}

/* - sign beta delta, as currents into the outputs. */
static int compare_nudged(struct check *c, const char *name, double sign)
{
    ffebm_tensor *force;
    double *numbers;
    int code;

    if (read_tensor(c, &force, "delta.output") != 0)
        return -1;
    numbers = ffebm_tensor_data(force);
    for (size_t i = 0; i < ffebm_tensor_count(force); i++)
        numbers[i] *= -sign * beta;
    code = judge(c, ffebm_engine_settle(c->engine, 0, c->input, force));
    ffebm_tensor_destroy(force);
    return code == 0 ? compare_state(c, name, FFEBM_PHASE_NUDGED) : code;
}

static int compare_states(struct check *c)
{
    return judge(c, ffebm_engine_settle(c->engine, 0, c->input, NULL)) != 0 ||
                   compare_state(c, "free.converged", FFEBM_PHASE_FREE) != 0 ||
                   compare_nudged(c, "nudged.linear.beta0.1.plus.converged", 1) != 0 ||
                   compare_nudged(c, "nudged.linear.beta0.1.minus.converged", -1) != 0
               ? -1
               : 0;
}

/* The file's parameter gradients are means over the batch, its input gradients those of each sample's own loss. */
static int compare_gradients(struct check *c, const double *input_gradient)
{
    static const char name[] = "grad.ep.linear.beta0.1.converged";
    const double *gradient = ffebm_tensor_const_data(ffebm_engine_flat_gradient(c->engine));
    double worst = 0, input = 0;
    char tensor[NAME];

    for (size_t i = 0; i < 2 * c->network.layer_count; i++) {
        ffebm_parameter_info p = {.size = sizeof p};

        if (judge(c, ffebm_model_inspect_parameter(c->model, &p, i)) != 0)
            return -1;
        snprintf(tensor, sizeof tensor, "%s.%s", name, p.name);
        if (compare(c, tensor, gradient + p.offset, p.count, &worst) != 0)
            return -1;
    }
    report(c, name, worst);
    snprintf(tensor, sizeof tensor, "%s.input", name);
    if (compare(c, tensor, input_gradient, ffebm_tensor_count(c->input), &input) != 0)
        return -1;
    report(c, tensor, input);
    return 0;
}

static int compare_output(struct check *c, const ffebm_tensor *output)
{
    double worst = 0;

    if (compare(c, "output", ffebm_tensor_const_data(output), ffebm_tensor_count(output), &worst) != 0)
        return -1;
    report(c, "output", worst);
    return 0;
}

/* The derivative of the batch's mean loss by the output, pulled back from the free equilibrium. */
static int compare_training(struct check *c)
{
    ffebm_tensor *delta, *output = NULL, *pulled = NULL;
    uint64_t ticket;
    int code;

    if (read_tensor(c, &delta, "delta.output") != 0)
        return -1;
    for (size_t i = 0; i < ffebm_tensor_count(delta); i++)
        ((double *)ffebm_tensor_data(delta))[i] /= (double)c->batch;
    code = judge(c, ffebm_tensor_create(c->context, &output, FFEBM_FLOAT64, ffebm_tensor_shape(delta, NULL), 2));
    if (code == 0)
        code = judge(c, ffebm_tensor_create(c->context, &pulled, FFEBM_FLOAT64, ffebm_tensor_shape(c->input, NULL), 2));
    if (code == 0)
        code = judge(c, ffebm_engine_forward(c->engine, output, &ticket, c->input));
    if (code == 0)
        code = judge(c, ffebm_engine_vjp(c->engine, pulled, ticket, delta, 0));
    for (size_t i = 0; i < ffebm_tensor_count(c->input) && code == 0; i++)
        ((double *)ffebm_tensor_data(pulled))[i] *= (double)c->batch;
    if (code == 0)
        code = compare_output(c, output);
    if (code == 0)
        code = compare_gradients(c, ffebm_tensor_const_data(pulled));
    ffebm_tensor_destroy(pulled);
    ffebm_tensor_destroy(output);
    ffebm_tensor_destroy(delta);
    return code;
}

/* ------------------------------------------------------------------------------------------------------------- growth */

/* KiB that are in memory of the process that simulates; 0 where the system does not say. */
static int64_t resident(const struct check *c)
{
    int64_t process = circuit_block_inspect(c->block).process;
    char path[64] = "/proc/self/status", line[128];
    FILE *file;
    int64_t size = 0;

    if (process != 0)
        snprintf(path, sizeof path, "/proc/%" PRId64 "/status", process);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmRSS: %" SCNd64, &size);
    if (file != NULL)
        fclose(file);
    return size;
}

static int settle_often(struct check *c, int64_t settles)
{
    struct circuit_block_report before = circuit_block_inspect(c->block), after = before;
    int64_t size = resident(c);

    while (after.settled < before.settled + (size_t)settles) {
        if (judge(c, ffebm_engine_settle(c->engine, 0, c->input, NULL)) != 0)
            return -1;
        after = circuit_block_inspect(c->block);
    }
    size = resident(c) - size;
    printf("%s: %zu settles more, %.2f ms each, grown by %" PRId64 " KiB\n", c->path, after.settled - before.settled,
           1e3 * (after.seconds - before.seconds) / (double)(after.settled - before.settled), size);
    return size <= GROWTH ? 0 : failure_set(c->failure, "%s: the process has grown by %" PRId64 " KiB", c->path, size);
}

static int check_all(struct check *c, const struct circuit_block_config *config, int64_t settles)
{
    if (read_layers(c) != 0 || read_gain(c) != 0 || read_input(c) != 0 || build_model(c, config) != 0 ||
        read_values(c) != 0 || make_engine(c) != 0 || compare_states(c) != 0 || compare_training(c) != 0)
        return -1;
    if (c->worst > bound)
        return failure_set(c->failure, "%s: an error of %.1e, expected at most %.0e", c->path, c->worst, bound);
    return settles > 0 ? settle_often(c, settles) : 0;
}

int reference_check(const char *path, const struct circuit_block_config *config, int64_t settles,
                    struct failure *failure)
{
    struct check c = {.path = path, .failure = failure};
    int code = ffebm_context_create(&c.context, NULL) == FFEBM_OK ? check_all(&c, config, settles)
                                                                  : failure_set(failure, "no context");

    ffebm_tensor_destroy(c.input);
    ffebm_engine_destroy(c.engine);
    ffebm_model_destroy(c.model);
    ffebm_context_destroy(c.context);
    return code;
}

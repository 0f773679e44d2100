#include "replace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/training.h"
#include "resistive.h"

enum { PIXELS = 64, INPUTS = 8, UNITS = 32, CLASSES = 10, BATCH = 32 };

static const struct resistive network = {.inputs = INPUTS, .layer_count = 2, .layers = {16, 12}, .gain = 4};

static const char description[] =
    "{\"dtype\": \"float64\", \"input\": [64], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 8}]},"
    "{\"energy\": {\"type\": \"resistive\", \"input_gain\": 4, \"couplings\": ["
    "  {\"type\": \"dense\", \"out_features\": 16}, {\"type\": \"dense\", \"out_features\": 12}]}},"
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 32}]},"
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 32}]}},"
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 10}]}]}";

static const double learning_rate = 0.01;

/* What the gradients of a batch may differ by, and the losses of an epoch: two trainings whose gradients differ in the eighth
 * digit drift apart, the sooner the faster they learn. */
static const double gradient_bound = 1e-5, loss_bound = 0.05;

/* ------------------------------------------------------------------------------------------------------------ chains */

static int build_own(struct training *t, uint64_t seed)
{
    if (training_check(t, ffebm_model_parse(t->context, &t->model, description, sizeof description - 1, NULL)) != 0)
        return -1;
    return training_check(t, ffebm_model_initialize(t->model, seed));
}

static int add_circuit(struct training *t, const struct circuit_block_config *config)
{
    struct circuit_block_config own = *config;
    const struct circuit_block *made;
    char *text = resistive_netlist(&network);
    ffebm_energy *block = NULL;
    int code = text == NULL ? failure_set(&t->failure, "out of memory") : 0;

    own.name = "resistive network";
    own.text = text;
    if (code == 0)
        code = circuit_block_create(t->context, &block, &made, &own, &t->failure);
    if (code == 0)
        code = training_check(t, ffebm_model_add_energy(t->model, &block));
    ffebm_energy_destroy(block);
    free(text);
    return code;
}

static ffebm_status add_hopfield(struct training *t)
{
    ffebm_energy *block = NULL;
    ffebm_coupling_config coupling;
    ffebm_status status;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = UNITS;
    if ((status = ffebm_energy_create_hopfield(t->context, &block, NULL)) == FFEBM_OK &&
        (status = ffebm_energy_add_coupling(block, &coupling)) == FFEBM_OK)
        status = ffebm_model_add_energy(t->model, &block);
    ffebm_energy_destroy(block);
    return status;
}

/* The same chain by calls, with values of its own for the moment. */
static int build_with_circuit(struct training *t, const struct circuit_block_config *config)
{
    static const int64_t pixels[] = {PIXELS};

    if (training_check(
            t, ffebm_model_create(t->context, &t->model, FFEBM_FLOAT64, pixels, 1, FFEBM_LOSS_CROSS_ENTROPY)) != 0 ||
        training_check(t, training_add_linear(t->context, t->model, INPUTS)) != 0 || add_circuit(t, config) != 0 ||
        training_check(t, training_add_linear(t->context, t->model, UNITS)) != 0 ||
        training_check(t, add_hopfield(t)) != 0 ||
        training_check(t, training_add_linear(t->context, t->model, CLASSES)) != 0)
        return -1;
    return training_check(t, ffebm_model_initialize(t->model, 0));
}

/* Tolerances at which blocks that sweep are as exact as one that solves. */
static ffebm_status configure(struct training *t, double beta)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = beta;
    config.free_tolerance = 1e-10;
    config.free_sweeps = 1000;
    config.nudged_tolerance = 1e-6;
    config.nudged_sweeps = 1000;
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

static int begin(struct training *t, double beta)
{
    return training_begin(t, BATCH) != 0 ? -1 : training_check(t, configure(t, beta));
}

/* ------------------------------------------------------------------------------------------------------- replacement */

static int32_t write_to_stream(void *user, const void *bytes, size_t count)
{
    return fwrite(bytes, 1, count, user) != count;
}

/* By the parameters' names, which are the same whoever simulates. */
static int take_over(struct training *to, struct training *from)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&bytes, &length);
    int code;

    if (stream == NULL)
        return failure_set(&to->failure, "out of memory for a checkpoint");
    code = training_check(from, ffebm_checkpoint_write(from->model, from->optimizer, NULL, write_to_stream, stream));
    if (code != 0)
        to->failure = from->failure;
    if (fclose(stream) != 0 && code == 0)
        code = failure_set(&to->failure, "out of memory for a checkpoint");
    if (code == 0)
        code = training_check(to, ffebm_checkpoint_read(to->model, to->optimizer, bytes, length));
    free(bytes);
    return code;
}

/* Of the first training samples. */
static int compute_gradient(struct training *t)
{
    const struct batch_plan plan = {.data = &t->data, .part = &t->data.train};

    if (batch_fill(&t->batch, &plan, 0, &t->failure) != 0)
        return -1;
    return training_check(t, ffebm_engine_gradient(t->engine, NULL, t->batch.input, t->batch.target, NULL));
}

/* The size of the difference of the two gradients, over that of the first: tensor by tensor, as they are named. */
static int compare_gradients(struct training *own, struct training *circuit, double *error)
{
    ffebm_parameter_info a = {.size = sizeof a}, b = {.size = sizeof b};
    const double *x = ffebm_tensor_const_data(ffebm_engine_flat_gradient(own->engine));
    const double *y = ffebm_tensor_const_data(ffebm_engine_flat_gradient(circuit->engine));
    double difference = 0, size = 0;

    for (size_t i = 0; ffebm_model_inspect_parameter(own->model, &a, i) == FFEBM_OK; i++) {
        size_t other = ffebm_model_find_parameter(circuit->model, a.name);

        if (ffebm_model_inspect_parameter(circuit->model, &b, other) != FFEBM_OK || b.count != a.count)
            return failure_set(&circuit->failure, "the chain with the circuit has no %s like the library's", a.name);
        for (size_t k = 0; k < a.count; k++) {
            difference += (x[a.offset + k] - y[b.offset + k]) * (x[a.offset + k] - y[b.offset + k]);
            size += x[a.offset + k] * x[a.offset + k];
        }
    }
    *error = sqrt(difference / size);
    return 0;
}

static int go_on(struct training *own, struct training *circuit, const struct replace_settings *s)
{
    uint64_t seed = (uint64_t)s->seed + 1;
    double error;

    if (training_run(own, 1, learning_rate / 2, seed) != 0) {
        circuit->failure = own->failure;
        return -1;
    }
    if (training_run(circuit, 1, learning_rate / 2, seed) != 0)
        return -1;
    error = fabs(circuit->loss - own->loss) / own->loss;
    printf("after: train loss %.6f with the library's block, %.6f with the circuit; test accuracy %.4f, %.4f\n",
           own->loss, circuit->loss, own->accuracy, circuit->accuracy);
    return error <= loss_bound ? 0 : failure_set(&circuit->failure, "the losses differ by %.1e of them", error);
}

static int replace(struct training *own, struct training *circuit, const struct replace_settings *s)
{
    double error = 0;

    if (take_over(circuit, own) != 0 || compute_gradient(circuit) != 0)
        return -1;
    if (compute_gradient(own) != 0) {
        circuit->failure = own->failure;
        return -1;
    }
    if (compare_gradients(own, circuit, &error) != 0)
        return -1;
    printf("before: train loss %.6f, test accuracy %.4f; replaced, the gradient differs by %.1e\n", own->loss,
           own->accuracy, error);
    if (!(error <= gradient_bound))
        return failure_set(&circuit->failure, "the gradients differ by %.1e", error);
    return go_on(own, circuit, s);
}

static int run(struct training *own, struct training *circuit, const struct circuit_block_config *config,
               const struct replace_settings *s)
{
    if (ffebm_context_create(&own->context, NULL) != FFEBM_OK ||
        ffebm_context_create(&circuit->context, NULL) != FFEBM_OK)
        return failure_set(&circuit->failure, "no context");
    if (build_own(own, (uint64_t)s->seed) != 0 || begin(own, s->beta) != 0 ||
        training_run(own, s->epochs, learning_rate, (uint64_t)s->seed) != 0) {
        circuit->failure = own->failure;
        return -1;
    }
    if (build_with_circuit(circuit, config) != 0 || begin(circuit, s->beta) != 0)
        return -1;
    return replace(own, circuit, s);
}

int replace_check(const struct circuit_block_config *config, const struct replace_settings *settings,
                  struct failure *failure)
{
    struct training own = {0}, circuit = {0};
    int code = run(&own, &circuit, config, settings);

    *failure = circuit.failure;
    training_end(&circuit);
    training_end(&own);
    return code;
}

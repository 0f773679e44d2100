/* Two different energies in one chain: a resistor network of the program's own (blocks/resistor_network.c), in which every
 * pair of nodes is joined, solved exactly, and a Hopfield network of the library's, with linear maps around them, trained end to
 * end on the digits. Resistors in layers, with diodes, are an energy of the library's own: resistive.c.
 *
 *   resistor_network [epochs, default 60]
 *
 * Ends with a certificate of the gradient of one batch: against implicit differentiation, for which the network brings its
 * adjoint, and against differences of the loss. */
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "blocks/resistor_network.h"
#include "support/blas_threads.h"
#include "support/training.h"

enum { PIXELS = 64, CURRENTS = 24, VOLTAGES = 24, NODES = 64, UNITS = 32, CLASSES = 10, BATCH = 32 };

static ffebm_status add_resistors(ffebm_context *context, ffebm_model *model)
{
    ffebm_energy *block = NULL;
    ffebm_status status = resistor_network_create(context, &block, CURRENTS, VOLTAGES, NODES, 0.05);

    if (status == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status add_hopfield(ffebm_context *context, ffebm_model *model)
{
    ffebm_energy *block = NULL;
    ffebm_activation activation;
    ffebm_hopfield_config config;
    ffebm_coupling_config coupling;
    ffebm_status status;

    ffebm_activation_init(&activation, sizeof activation, FFEBM_ACTIVATION_HARD_SIGMOID);
    activation.slope = 0.5;
    ffebm_hopfield_config_init(&config, sizeof config);
    config.activation = &activation;
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = UNITS;
    if ((status = ffebm_energy_create_hopfield(context, &block, &config)) == FFEBM_OK &&
        (status = ffebm_energy_add_coupling(block, &coupling)) == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

/* 64 pixels -> linear -> currents -> resistors -> voltages -> linear -> Hopfield -> linear -> 10 classes */
static ffebm_status build(ffebm_context *context, ffebm_model **model)
{
    static const int64_t pixels[] = {PIXELS};
    ffebm_status status;

    if ((status = ffebm_model_create(context, model, FFEBM_FLOAT64, pixels, 1, FFEBM_LOSS_CROSS_ENTROPY)) == FFEBM_OK &&
        (status = training_add_linear(context, *model, CURRENTS)) == FFEBM_OK &&
        (status = add_resistors(context, *model)) == FFEBM_OK &&
        (status = training_add_linear(context, *model, UNITS)) == FFEBM_OK &&
        (status = add_hopfield(context, *model)) == FFEBM_OK &&
        (status = training_add_linear(context, *model, CLASSES)) == FFEBM_OK)
        status = ffebm_model_initialize(*model, 0);
    return status;
}

/* A small beta and settled phases: what is certified is the blocks, not a compromise between speed and exactness. */
static ffebm_status certify(struct training *t, ffebm_certificate *worst)
{
    ffebm_equilibrium_config equilibrium;
    ffebm_certify_config config;
    ffebm_status status;

    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    equilibrium.beta = 1e-3;
    equilibrium.free_tolerance = 1e-10;
    equilibrium.free_sweeps = 500;
    equilibrium.nudged_tolerance = 1e-4;
    equilibrium.nudged_sweeps = 200;
    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 4;
    config.adjoint_tolerance = 1e-8;
    if ((status = ffebm_engine_configure(t->engine, FFEBM_ALL, &equilibrium)) != FFEBM_OK)
        return status;
    return ffebm_engine_certify(t->engine, worst, t->batch.input, t->batch.target, NULL, &config);
}

static int report(struct training *t)
{
    ffebm_certificate worst = {.size = sizeof worst};

    printf("test accuracy %.4f\n", t->accuracy);
    if (training_check(t, certify(t, &worst)) != 0)
        return -1;
    printf(
        "certificate %s; worst is %s: cosine %.6f to implicit differentiation, relative error %.1e to differences of "
        "the loss\n",
        worst.passed ? "passed" : "FAILED", worst.name, worst.cosine, worst.difference_error);
    return worst.passed ? 0 : failure_set(&t->failure, "the certificate has failed");
}

static int run(struct training *t, int64_t epochs)
{
    if (ffebm_context_create(&t->context, NULL) != FFEBM_OK)
        return failure_set(&t->failure, "no context");
    if (training_check(t, build(t->context, &t->model)) != 0 || training_begin(t, BATCH) != 0 ||
        training_run(t, epochs, 1e-2, 0) != 0)
        return -1;
    return report(t);
}

int main(int argc, char **argv)
{
    struct training training = {0};
    int64_t epochs = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
    int code;

    blas_threads_one();
    code = run(&training, epochs > 0 ? epochs : 60);
    if (code != 0)
        fprintf(stderr, "resistor_network: %s\n", training.failure.text);
    training_end(&training);
    return code == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

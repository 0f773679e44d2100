/* A circuit that ngspice simulates, as an energy block: 64 pixels -> linear -> circuit -> linear -> 10 classes, trained end
 * to end on the digits. The circuit is a deep resistive network, or yours:
 *
 *   spice_block                                      the deep resistive network, simulated in this process
 *   spice_block --netlist FILE --child               a circuit of your own, in a process of its own
 *   spice_block --replace                            the network takes the place of the library's own, in mid-training
 *   spice_block --reference FILE.safetensors         the network against a file that states what it settles to
 *
 * spice/circuit.h says how comments make a block of a netlist; circuits/ has two. Ends with a certificate of the gradient of
 * one batch, against differences of the loss: it fails where a circuit has no energy, because something in it drives what
 * does not drive it back. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "spice/block.h"
#include "spice/reference.h"
#include "spice/replace.h"
#include "spice/resistive.h"
#include "support/blas_threads.h"
#include "support/options.h"
#include "support/text_file.h"
#include "support/training.h"

enum { PIXELS = 64, CLASSES = 10, BATCH = 32 };

static const struct resistive network = {.inputs = 8, .layer_count = 2, .layers = {16, 12}, .gain = 4};

struct settings {
    const char *netlist;
    const char *reference;
    int64_t epochs;
    int64_t settles;
    int64_t patience;
    int64_t seed;
    double beta;
    double learning_rate;
    int32_t child;
    int32_t replace;
};

static const struct option options[] = {
    {"netlist", "FILE", "a circuit of your own", NULL, offsetof(struct settings, netlist), 0, 0, OPTION_PATH},
    {"child", NULL, "simulate in a process of its own", NULL, offsetof(struct settings, child), 0, 0, OPTION_FLAG},
    {"patience", "MS", "milliseconds until that process counts as hung (10000)", NULL,
     offsetof(struct settings, patience), 1, 86400000, OPTION_INTEGER},
    {"epochs", "N", "passes over the training samples (5)", NULL, offsetof(struct settings, epochs), 1, 1000000,
     OPTION_INTEGER},
    {"learning-rate", "R", "of Adam, at first (0.05)", NULL, offsetof(struct settings, learning_rate), 0, 0,
     OPTION_POSITIVE},
    {"beta", "B", "strength of the nudging (0.01)", NULL, offsetof(struct settings, beta), 0, 0, OPTION_POSITIVE},
    {"seed", "N", "of the first values and the order of samples (0)", NULL, offsetof(struct settings, seed), 0,
     INT64_MAX, OPTION_INTEGER},
    {"replace", NULL, "train the library's resistive network first, then go on with the circuit in its place", NULL,
     offsetof(struct settings, replace), 0, 0, OPTION_FLAG},
    {"reference", "FILE", "do not train; compare with a file that states what a network settles to", NULL,
     offsetof(struct settings, reference), 0, 0, OPTION_PATH},
    {"settles", "N", "and settle so many samples more, to see that nothing grows (2000)", NULL,
     offsetof(struct settings, settles), 0, INT64_MAX, OPTION_INTEGER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

/* ------------------------------------------------------------------------------------------------------------- model */

static int add_circuit(struct training *t, const struct circuit_block_config *config, const struct circuit_block **made)
{
    ffebm_energy *block;
    const size_t *counts;
    int code = circuit_block_create(t->context, &block, made, config, &t->failure);

    if (code != 0)
        return code;
    counts = circuit_block_inspect(*made).circuit->counts;
    code = training_check(t, training_add_linear(t->context, t->model, (int64_t)counts[CIRCUIT_INPUT]));
    if (code == 0)
        code = training_check(t, ffebm_model_add_energy(t->model, &block));
    ffebm_energy_destroy(block);
    return code;
}

static int build(struct training *t, const struct circuit_block_config *config, const struct settings *settings,
                 const struct circuit_block **made)
{
    static const int64_t pixels[] = {PIXELS};

    if (training_check(
            t, ffebm_model_create(t->context, &t->model, FFEBM_FLOAT64, pixels, 1, FFEBM_LOSS_CROSS_ENTROPY)) != 0 ||
        add_circuit(t, config, made) != 0 || training_check(t, training_add_linear(t->context, t->model, CLASSES)) != 0)
        return -1;
    return training_check(t, ffebm_model_initialize(t->model, (uint64_t)settings->seed));
}

static ffebm_status configure(struct training *t, double beta)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = beta;
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

static int report(struct training *t, const struct circuit_block *made)
{
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_certify_config config;
    struct circuit_block_report r = circuit_block_inspect(made);

    printf("test accuracy %.4f, train loss %.4f; %zu operating points, %.2f ms each\n", t->accuracy, t->loss, r.settled,
           1e3 * r.seconds / (double)r.settled);
    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 4;
    if (training_check(t, ffebm_engine_certify(t->engine, &worst, t->batch.input, t->batch.target, NULL, &config)) != 0)
        return -1;
    printf("certificate %s; worst is %s: relative error %.1e to differences of the loss\n",
           worst.passed ? "passed" : "FAILED", worst.name, worst.difference_error);
    return worst.passed ? 0 : failure_set(&t->failure, "the certificate has failed");
}

static int train(struct training *t, const struct circuit_block_config *config, const struct settings *settings)
{
    const struct circuit_block *made;

    if (ffebm_context_create(&t->context, NULL) != FFEBM_OK)
        return failure_set(&t->failure, "no context");
    if (build(t, config, settings, &made) != 0 || training_begin(t, BATCH) != 0 ||
        training_check(t, configure(t, settings->beta)) != 0 ||
        training_run(t, settings->epochs, settings->learning_rate, (uint64_t)settings->seed) != 0)
        return -1;
    return report(t, made);
}

/* -------------------------------------------------------------------------------------------------------------- main */

static int run(struct training *t, const struct settings *settings, const char *program)
{
    struct circuit_block_config config = {
        .program = program, .name = settings->netlist, .child = settings->child, .patience = settings->patience};
    char *text = NULL;
    size_t length;
    int code = 0;

    if (settings->reference != NULL)
        return reference_check(settings->reference, &config, settings->settles, &t->failure);
    if (settings->replace)
        return replace_check(&config, &(struct replace_settings){settings->epochs, settings->seed, settings->beta},
                             &t->failure);
    if (settings->netlist != NULL) {
        code = text_file_read(settings->netlist, &text, &length, &t->failure);
    } else {
        config.name = "resistive network";
        text = resistive_netlist(&network);
        code = text == NULL ? failure_set(&t->failure, "out of memory") : 0;
    }
    config.text = text;
    if (code == 0)
        code = train(t, &config, settings);
    free(text);
    return code;
}

int main(int argc, char **argv)
{
    struct settings settings = {.epochs = 5, .settles = 2000, .patience = 10000, .beta = 0.01, .learning_rate = 0.05};
    struct training training = {0};
    int code = 2;

    if (argc == 2 && strcmp(argv[1], "--serve") == 0)
        return simulator_serve();
    blas_threads_one();
    if (options_parse(&settings, options, argc, argv, &training.failure) == 0)
        code = run(&training, &settings, "/proc/self/exe") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (code != EXIT_SUCCESS)
        fprintf(stderr, "spice_block: %s\n", training.failure.text);
    if (code == 2)
        options_print(stderr, options, NULL);
    training_end(&training);
    return code;
}

/* Train through a board on the bench: digits -> linear -> board -> linear -> 10 classes. The board is another process,
 * behind a pipe (blocks/bench_board.c): slow, noisy, read with eight bits, busy at times.
 *
 *   bench_device [--epochs 20] [--delay 0] [--noise 0.005] [--mismatch 0.05] [--busy 0.02] [--dip 1e-4]
 *
 * Against noise the nudging is strong, and every nudged state read more than once. */
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "blocks/bench_device.h"
#include "support/blas_threads.h"
#include "support/options.h"
#include "support/training.h"

enum { PIXELS = 64, CLASSES = 10, BATCH = 32 };

struct settings {
    struct bench_device_config device;
    int64_t epochs;
    int64_t repeats;
    double beta;
};

static const struct option options[] = {
    {"epochs", "N", "passes over the training samples (20)", NULL, offsetof(struct settings, epochs), 1, 1000000,
     OPTION_INTEGER},
    {"repeats", "N", "readings of each nudged state (2)", NULL, offsetof(struct settings, repeats), 1, 1000,
     OPTION_INTEGER},
    {"beta", "B", "strength of the nudging (1)", NULL, offsetof(struct settings, beta), 0, 0, OPTION_POSITIVE},
    {"delay", "US", "microseconds that a settling takes (0)", NULL, offsetof(struct settings, device.delay), 0,
     10000000, OPTION_INTEGER},
    {"noise", "S", "standard deviation of a reading (0.005)", NULL, offsetof(struct settings, device.noise), 0, 0,
     OPTION_NUMBER},
    {"mismatch", "S", "relative, of the cells (0.05)", NULL, offsetof(struct settings, device.mismatch), 0, 0,
     OPTION_NUMBER},
    {"busy", "P", "probability of a busy answer (0.02)", NULL, offsetof(struct settings, device.busy), 0, 0,
     OPTION_NUMBER},
    {"dip", "P", "probability that the program is lost (1e-4)", NULL, offsetof(struct settings, device.dip), 0, 0,
     OPTION_NUMBER},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};

static ffebm_status add_board(ffebm_context *context, ffebm_model *model, const struct bench_device_config *config)
{
    ffebm_energy *block = NULL;
    ffebm_status status = bench_device_create(context, &block, config);

    if (status == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status build(struct training *t, const struct bench_device_config *config)
{
    static const int64_t pixels[] = {PIXELS};
    ffebm_context *context = t->context;
    ffebm_status status;

    if ((status = ffebm_model_create(context, &t->model, FFEBM_FLOAT32, pixels, 1, FFEBM_LOSS_CROSS_ENTROPY)) ==
            FFEBM_OK &&
        (status = training_add_linear(context, t->model, BENCH_DEVICE_INPUTS)) == FFEBM_OK &&
        (status = add_board(context, t->model, config)) == FFEBM_OK &&
        (status = training_add_linear(context, t->model, CLASSES)) == FFEBM_OK)
        status = ffebm_model_initialize(t->model, 0);
    return status;
}

static ffebm_status configure(struct training *t, const struct settings *settings)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = settings->beta;
    config.repeats = (int32_t)settings->repeats;
    return ffebm_engine_configure(t->engine, FFEBM_ALL, &config);
}

static int run(struct training *t, const struct settings *settings)
{
    if (ffebm_context_create(&t->context, NULL) != FFEBM_OK)
        return failure_set(&t->failure, "no context");
    if (training_check(t, build(t, &settings->device)) != 0 || training_begin(t, BATCH) != 0 ||
        training_check(t, configure(t, settings)) != 0 || training_run(t, settings->epochs, 1e-2, 0) != 0)
        return -1;
    printf("test accuracy %.4f; the board was busy %" PRId64 " times, %" PRId64 " calls were made again\n", t->accuracy,
           t->retries, t->repeated);
    return 0;
}

int main(int argc, char **argv)
{
    struct settings settings = {.epochs = 20, .repeats = 2, .beta = 1};
    struct training training = {0};
    int code = 2;

    signal(SIGPIPE, SIG_IGN); /* a board that is gone is an error of its block, not the end of the program */
    blas_threads_one();
    bench_device_config_init(&settings.device);
    if (options_parse(&settings, options, argc, argv, &training.failure) == 0)
        code = run(&training, &settings) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (code != EXIT_SUCCESS)
        fprintf(stderr, "bench_device: %s\n", training.failure.text);
    if (code == 2)
        options_print(stderr, options, NULL);
    training_end(&training);
    return code;
}

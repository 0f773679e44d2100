/* Train on a board: all memory is one array, and there are no files and no threads. The digits stand in the program, 8 x 8
 * pixels each; every fifth is for the test. C99 and C++17 alike. From the library in two files (docs/embedding.md):
 *
 *   cc -O2 -DFFEBM_STANDALONE -DFFEBM_NO_THREADS board.c ffebm.c -lm */
#include <ffebm.h>
#include <stdio.h>
#include <string.h>

#ifdef BOARD_DOUBLE
typedef double real;
#define DTYPE FFEBM_FLOAT64
#else
typedef float real;
#define DTYPE FFEBM_FLOAT32
#endif

#ifndef BOARD_EPOCHS
#define BOARD_EPOCHS 10
#endif
enum { PIXELS = 64, UNITS = 64, CLASSES = 10, TEST = 360, BATCH = 30, EPOCHS = BOARD_EPOCHS, MEMORY = 1 << 20 };

/* Of each the pixels, then the label. */
static const unsigned char digits[][PIXELS + 1] = {
#include "digits.inc"
};
enum { SAMPLES = (int)(sizeof digits / sizeof digits[0]), TRAIN = SAMPLES - TEST };

/* --------------------------------------------------------------------------------------------------------- memory */

/* Pieces lie one behind the other, and are given back from the last on: that is how the library takes them. */
struct arena {
    unsigned char *begin;
    size_t used;
    size_t most;
};
static unsigned char memory[MEMORY];

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    struct arena *arena = (struct arena *)user;
    const size_t over = (uintptr_t)(arena->begin + arena->used) % alignment, pad = over == 0 ? 0 : alignment - over;
    unsigned char *piece = arena->begin + arena->used + pad;

    if (pad + bytes < bytes || pad + bytes > MEMORY - arena->used)
        return NULL;
    arena->used += pad + bytes;
    if (arena->used > arena->most)
        arena->most = arena->used;
    return piece;
}

static void release(void *user, void *piece, size_t bytes, size_t alignment)
{
    struct arena *arena = (struct arena *)user;

    (void)alignment;
    if ((unsigned char *)piece + bytes == arena->begin + arena->used)
        arena->used -= bytes;
}

/* ---------------------------------------------------------------------------------------------------------- model */

/* Maps of a feedforward block, and couplings of an energy block. */
static ffebm_status add_linear(ffebm_context *context, ffebm_model *model, int64_t out)
{
    ffebm_feedforward *block = NULL;
    ffebm_op_config op;
    ffebm_status status;

    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = out;
    if ((status = ffebm_feedforward_create(context, &block)) == FFEBM_OK &&
        (status = ffebm_feedforward_add_op(block, &op)) == FFEBM_OK)
        status = ffebm_model_add_feedforward(model, &block);
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status add_hopfield(ffebm_context *context, ffebm_model *model, int64_t out)
{
    ffebm_coupling_config coupling;
    ffebm_energy *block = NULL;
    ffebm_status status;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = out;
    if ((status = ffebm_energy_create_hopfield(context, &block, NULL)) == FFEBM_OK &&
        (status = ffebm_energy_add_coupling(block, &coupling)) == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status build(ffebm_context *context, ffebm_model **model)
{
    static const int64_t shape[] = {PIXELS};
    ffebm_status status = ffebm_model_create(context, model, DTYPE, shape, 1, FFEBM_LOSS_CROSS_ENTROPY);

    if (status == FFEBM_OK && (status = add_linear(context, *model, UNITS)) == FFEBM_OK &&
        (status = add_hopfield(context, *model, UNITS)) == FFEBM_OK &&
        (status = add_linear(context, *model, CLASSES)) == FFEBM_OK)
        status = ffebm_model_initialize(*model, 1);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- training */

struct training {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *input;
    ffebm_tensor *target;
    real pixels[BATCH * PIXELS]; /* what input and target look at */
    int64_t labels[BATCH];
};
static struct training training;

static ffebm_status make(struct training *t, const ffebm_context_config *config)
{
    static const int64_t input[] = {BATCH, PIXELS}, target[] = {BATCH};
    ffebm_engine_config engine;
    ffebm_adam_config adam;
    ffebm_status status;

    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = BATCH;
    ffebm_adam_config_init(&adam, sizeof adam);
    if ((status = ffebm_context_create(&t->context, config)) == FFEBM_OK &&
        (status = build(t->context, &t->model)) == FFEBM_OK &&
        (status = ffebm_engine_create(&t->engine, t->model, &engine)) == FFEBM_OK &&
        (status = ffebm_optimizer_create_adam(&t->optimizer, t->model, &adam)) == FFEBM_OK &&
        (status = ffebm_tensor_wrap(t->context, &t->input, t->pixels, DTYPE, input, 2)) == FFEBM_OK)
        status = ffebm_tensor_wrap(t->context, &t->target, t->labels, FFEBM_INT64, target, 1);
    return status;
}

static void load(struct training *t, size_t row, size_t sample)
{
    for (size_t i = 0; i < PIXELS; i++)
        t->pixels[row * PIXELS + i] = (real)(digits[sample][i] / 16.0);
    t->labels[row] = digits[sample][PIXELS];
}

static size_t train_sample(size_t i)
{
    return i + i / 4 + 1;
}

/* A pass over the training samples in strides, each pass in others; as none divides TRAIN, 3 x 479, all are met. */
static ffebm_status train(struct training *t, size_t epoch)
{
    const double rate = ffebm_schedule_cosine(4e-3, 1e-4, (int64_t)epoch, EPOCHS);
    const size_t stride = 1001 + 3 * epoch;
    ffebm_status status = ffebm_optimizer_set_learning_rate(t->optimizer, rate);

    for (size_t begin = 0; status == FFEBM_OK && begin + BATCH <= TRAIN; begin += BATCH) {
        for (size_t row = 0; row < BATCH; row++)
            load(t, row, train_sample((begin + row) * stride % TRAIN));
        status = ffebm_engine_gradient(t->engine, NULL, t->input, t->target, NULL);
        if (status == FFEBM_OK)
            status = ffebm_optimizer_step(t->optimizer, t->engine);
    }
    return status;
}

static ffebm_status test(struct training *t, double *loss, unsigned *correct)
{
    ffebm_report report;
    ffebm_status status = FFEBM_OK;

    *loss = 0;
    *correct = 0;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    for (size_t begin = 0; status == FFEBM_OK && begin < TEST; begin += BATCH) {
        for (size_t row = 0; row < BATCH; row++)
            load(t, row, 5 * (begin + row));
        status = ffebm_engine_evaluate(t->engine, &report, NULL, t->input, t->target, NULL);
        *loss += report.loss * (double)BATCH / (double)TEST;
        *correct += (unsigned)report.correct;
    }
    return status;
}

static void end(struct training *t)
{
    ffebm_tensor_destroy(t->target);
    ffebm_tensor_destroy(t->input);
    ffebm_optimizer_destroy(t->optimizer);
    ffebm_engine_destroy(t->engine);
    ffebm_model_destroy(t->model);
    ffebm_context_destroy(t->context);
}

int main(void)
{
    struct arena arena = {memory, 0, 0};
    ffebm_context_config config;
    ffebm_status status;

    ffebm_context_config_init(&config, sizeof config);
    config.allocate = allocate;
    config.release = release;
    config.allocator_user = &arena;
    status = make(&training, &config);
    for (size_t epoch = 0; status == FFEBM_OK && epoch < EPOCHS; epoch++) {
        unsigned correct = 0;
        double loss = 0;

        if ((status = train(&training, epoch)) == FFEBM_OK && (status = test(&training, &loss, &correct)) == FFEBM_OK)
            printf("epoch %d: test loss %.12f, %u of %d right\n", (int)epoch + 1, loss, correct, (int)TEST);
    }
    if (status != FFEBM_OK)
        fprintf(stderr, "board: %s\n", ffebm_context_error(training.context));
    end(&training);
    printf("%s: %lu bytes at most, of %lu\n", ffebm_version(), (unsigned long)arena.most, (unsigned long)MEMORY);
    return status != FFEBM_OK;
}

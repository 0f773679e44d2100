#include "training.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shuffle.h"

enum { ATTEMPTS = 4 };

int training_check(struct training *t, ffebm_status status)
{
    return status == FFEBM_OK ? 0 : failure_set(&t->failure, "%s", ffebm_context_error(t->context));
}

ffebm_status training_add_linear(ffebm_context *context, ffebm_model *model, int64_t out)
{
    ffebm_feedforward *block = NULL;
    ffebm_op_config op;
    ffebm_status status = ffebm_feedforward_create(context, &block);

    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = out;
    if (status == FFEBM_OK && (status = ffebm_feedforward_add_op(block, &op)) == FFEBM_OK)
        status = ffebm_model_add_feedforward(model, &block);
    ffebm_feedforward_destroy(block);
    return status;
}

int training_begin(struct training *t, size_t batch)
{
    const struct dataset_source *digits = dataset_find("digits", &t->failure);
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = batch;
    if (digits == NULL || dataset_open(&t->data, digits, NULL, DATASET_SPLIT_MIXED, &t->failure) != 0)
        return -1;
    t->order = malloc(t->data.train.count * sizeof *t->order);
    if (t->order == NULL)
        return failure_set(&t->failure, "out of memory for the order of %zu samples", t->data.train.count);
    if (training_check(t, ffebm_engine_create(&t->engine, t->model, &config)) != 0 ||
        training_check(t, ffebm_optimizer_create_adam(&t->optimizer, t->model, NULL)) != 0)
        return -1;
    return training_check(t, batch_create(t->context, &t->batch, t->model, batch));
}

/* What the blocks of the program's did in the last call. */
static void add_retries(struct training *t)
{
    for (int32_t phase = FFEBM_PHASE_FREE; phase <= FFEBM_PHASE_NUDGED; phase++) {
        ffebm_phase_report report = {.size = sizeof report};

        if (ffebm_engine_inspect_phase(t->engine, &report, FFEBM_ALL, phase) == FFEBM_OK)
            t->retries += report.retries;
    }
}

/* A computing call that a block of the program's made fail has changed nothing: say so, and whether to make it again. */
static int again(struct training *t, ffebm_status status, int attempt)
{
    add_retries(t);
    if (status != FFEBM_ERR_USER || attempt + 1 == ATTEMPTS)
        return 0;
    fprintf(stderr, "%s; again\n", ffebm_context_error(t->context));
    t->repeated++;
    return 1;
}

static int step(struct training *t, ffebm_report *report)
{
    ffebm_status status;
    int attempt = 0;

    do
        status = ffebm_engine_gradient(t->engine, report, t->batch.input, t->batch.target, NULL);
    while (again(t, status, attempt++));
    if (status == FFEBM_OK)
        status = ffebm_optimizer_step(t->optimizer, t->engine);
    return training_check(t, status);
}

static int evaluate(struct training *t, ffebm_report *report)
{
    ffebm_status status;
    int attempt = 0;

    do
        status = ffebm_engine_evaluate(t->engine, report, NULL, t->batch.input, t->batch.target, NULL);
    while (again(t, status, attempt++));
    return training_check(t, status);
}

static int train_epoch(struct training *t, int64_t epoch, uint64_t seed)
{
    const struct batch_plan plan = {
        .data = &t->data, .part = &t->data.train, .order = t->order, .augment = FFEBM_AUGMENT_NONE};
    size_t count = plan.part->count;

    t->loss = 0;
    t->region_changes = 0;
    shuffle(t->order, count, stream_seed(seed, STREAM_SHUFFLE, (uint64_t)epoch));
    for (size_t first = 0; first < count; first += t->batch.capacity) {
        ffebm_report report = {.size = sizeof report};

        if (batch_fill(&t->batch, &plan, first, &t->failure) != 0 || step(t, &report) != 0)
            return -1;
        t->loss += report.loss * (double)t->batch.rows / (double)count;
        t->region_changes += report.region_changes;
    }
    return 0;
}

static int test(struct training *t)
{
    const struct batch_plan plan = {.data = &t->data, .part = &t->data.test, .augment = FFEBM_AUGMENT_NONE};
    size_t correct = 0;

    for (size_t first = 0; first < plan.part->count; first += t->batch.capacity) {
        ffebm_report report = {.size = sizeof report};

        if (batch_fill(&t->batch, &plan, first, &t->failure) != 0 || evaluate(t, &report) != 0)
            return -1;
        correct += report.correct;
    }
    t->accuracy = (double)correct / (double)plan.part->count;
    return 0;
}

int training_run(struct training *t, int64_t epochs, double lr, uint64_t seed)
{
    for (int64_t epoch = 0; epoch < epochs; epoch++) {
        ffebm_optimizer_set_learning_rate(t->optimizer, ffebm_schedule_cosine(lr, lr / 100, epoch, epochs));
        if (train_epoch(t, epoch, seed) != 0 || test(t) != 0)
            return -1;
        fprintf(stderr, "epoch %" PRId64 " of %" PRId64 ": train loss %.4f, test accuracy %.4f\n", epoch + 1, epochs,
                t->loss, t->accuracy);
    }
    return 0;
}

void training_end(struct training *t)
{
    batch_destroy(&t->batch);
    ffebm_optimizer_destroy(t->optimizer);
    ffebm_engine_destroy(t->engine);
    ffebm_model_destroy(t->model);
    ffebm_context_destroy(t->context);
    dataset_free(&t->data);
    free(t->order);
}

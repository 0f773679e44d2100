/* A Hopfield-ResNet by calls, on the digits: an energy block that is a graph. Its skip joins layers 1 and 3, and the image
 * comes to layer 1 a second time, by a tap. Neurons end at 6 (relu6); the last layer, one unit a class, has no bounds.
 *
 *   image --stem--> 0 --3x3/2--> 1 --3x3--> 2 --3x3--> 3 --dense--> 4 = output
 *     \------tap------------->/   \---------1x1---------/
 *
 *   hopfield_resnet [epochs, default 3]
 *
 * Prints the graph, a certificate of its gradient before and after the training, and what an epoch brings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <ffebm.h>

#include "support/batch.h"
#include "support/blas_threads.h"
#include "support/dataset.h"
#include "support/failure.h"
#include "support/shuffle.h"

enum { BATCH = 32, CHANNELS = 32, CLASSES = 10, BLOCK = 1 };

struct network {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    struct dataset data;
    struct batch batch;
    size_t *order;
    struct failure failure;
};

/* ---------------------------------------------------------------------------------------------------- the model */

/* One convolution as a row of ops: what drives a layer from outside. */
static ffebm_status create_row(ffebm_context *context, ffebm_feedforward **row, int64_t out, int64_t kernel,
                               int64_t stride)
{
    ffebm_op_config op;
    ffebm_status status = ffebm_feedforward_create(context, row);

    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_CONV2D);
    op.out = out;
    op.kernel[0] = op.kernel[1] = kernel;
    op.stride[0] = op.stride[1] = stride;
    op.padding[0] = op.padding[1] = kernel / 2;
    return status != FFEBM_OK ? status : ffebm_feedforward_add_op(*row, &op);
}

static ffebm_status add_inputs(ffebm_context *context, ffebm_model *model)
{
    ffebm_feedforward *stem = NULL, *tap = NULL;
    ffebm_status status;

    if ((status = create_row(context, &stem, CHANNELS / 2, 3, 1)) == FFEBM_OK &&
        (status = ffebm_model_add_feedforward(model, &stem)) == FFEBM_OK &&
        (status = create_row(context, &tap, CHANNELS, 1, 2)) == FFEBM_OK)
        status = ffebm_model_add_tap(model, &tap, 1);
    ffebm_feedforward_destroy(stem); /* NULL where the model has taken it */
    ffebm_feedforward_destroy(tap);
    return status;
}

/* A convolution between two layers, which keeps the size but for its stride. Skips have no bias: layer `to` has one. */
static ffebm_status couple(ffebm_energy *block, size_t from, size_t to, int64_t kernel, int64_t stride)
{
    ffebm_coupling_config coupling;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_CONV2D);
    coupling.from = from;
    coupling.to = to;
    coupling.out = CHANNELS;
    coupling.kernel[0] = coupling.kernel[1] = kernel;
    coupling.stride[0] = coupling.stride[1] = stride;
    coupling.padding[0] = coupling.padding[1] = kernel / 2;
    coupling.bias = to == FFEBM_LAYER_NEW;
    return ffebm_energy_add_coupling(block, &coupling);
}

static ffebm_status add_head(ffebm_energy *block)
{
    ffebm_coupling_config coupling;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = CLASSES;
    return ffebm_energy_add_coupling(block, &coupling);
}

static ffebm_status add_block(ffebm_context *context, ffebm_model *model)
{
    ffebm_energy *block = NULL;
    ffebm_hopfield_config config;
    ffebm_activation relu6;
    ffebm_status status;

    ffebm_activation_init(&relu6, sizeof relu6, FFEBM_ACTIVATION_HARD_SIGMOID);
    relu6.upper = 6;
    ffebm_hopfield_config_init(&config, sizeof config);
    config.activation = &relu6;
    if ((status = ffebm_energy_create_hopfield(context, &block, &config)) == FFEBM_OK &&
        (status = couple(block, 0, FFEBM_LAYER_NEW, 3, 2)) == FFEBM_OK && /* adds layer 1 */
        (status = couple(block, 1, FFEBM_LAYER_NEW, 3, 1)) == FFEBM_OK && /* 2 */
        (status = couple(block, 2, FFEBM_LAYER_NEW, 3, 1)) == FFEBM_OK && /* 3 */
        (status = couple(block, 1, 3, 1, 1)) == FFEBM_OK && (status = add_head(block)) == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status build(struct network *net)
{
    static const int64_t image[] = {1, 8, 8};
    ffebm_adam_config adam;
    ffebm_engine_config engine;
    ffebm_status status;

    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = BATCH;
    ffebm_adam_config_init(&adam, sizeof adam);
    if ((status = ffebm_context_create(&net->context, NULL)) != FFEBM_OK ||
        (status = ffebm_model_create(net->context, &net->model, FFEBM_FLOAT32, image, 3, FFEBM_LOSS_MSE)) != FFEBM_OK ||
        (status = add_inputs(net->context, net->model)) != FFEBM_OK ||
        (status = add_block(net->context, net->model)) != FFEBM_OK ||
        (status = ffebm_model_initialize(net->model, 0)) != FFEBM_OK ||
        (status = ffebm_engine_create(&net->engine, net->model, &engine)) != FFEBM_OK ||
        (status = ffebm_optimizer_create_adam(&net->optimizer, net->model, &adam)) != FFEBM_OK)
        return status;
    return batch_create(net->context, &net->batch, net->model, BATCH);
}

static void print_graph(const struct network *net)
{
    ffebm_stage_info stage = {.size = sizeof stage};

    ffebm_model_inspect_stage(net->model, &stage, BLOCK);
    printf("%zu layers, joined by %zu tensors:", stage.layer_count, stage.parameter_count);
    for (size_t i = 0; i < stage.layer_count; i++) {
        ffebm_layer_info layer = {.size = sizeof layer};

        ffebm_model_inspect_layer(net->model, &layer, BLOCK, i);
        for (size_t d = 0; d < layer.rank; d++)
            printf("%s%" PRId64, d == 0 ? " " : "x", layer.shape[d]);
    }
    printf("\n");
}

/* ------------------------------------------------------------------------------------------------------- training */

static int load(struct network *net, const struct dataset_part *part, const size_t *order, size_t first)
{
    struct batch_plan plan = {&net->data, part, order, FFEBM_AUGMENT_NONE, 0};

    return batch_fill(&net->batch, &plan, first, &net->failure);
}

static int certify(struct network *net, const char *when)
{
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_phase_report phase[2] = {{.size = sizeof phase[0]}, {.size = sizeof phase[0]}};
    ffebm_status status;

    if (load(net, &net->data.test, NULL, 0) != 0)
        return -1;
    if ((status = ffebm_engine_certify(net->engine, &worst, net->batch.input, net->batch.target, NULL, NULL)) !=
            FFEBM_OK ||
        (status = ffebm_engine_inspect_phase(net->engine, &phase[0], BLOCK, FFEBM_PHASE_FREE)) != FFEBM_OK ||
        (status = ffebm_engine_inspect_phase(net->engine, &phase[1], BLOCK, FFEBM_PHASE_NUDGED)) != FFEBM_OK)
        return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
    printf("%s: cosine to the exact gradient %.4f at worst (%s), %.0f + %.0f sweeps\n", when, worst.cosine, worst.name,
           phase[0].sweeps_mean, phase[1].sweeps_mean);
    return worst.passed ? 0 : failure_set(&net->failure, "the gradient is not certified");
}

static int train_epoch(struct network *net, uint64_t epoch, double *loss)
{
    const struct dataset_part *part = &net->data.train;
    size_t steps = 0;

    *loss = 0;
    shuffle(net->order, part->count, stream_seed(0, STREAM_SHUFFLE, epoch));
    for (size_t first = 0; first < part->count; first += BATCH, steps++) {
        ffebm_report report = {.size = sizeof report};

        if (load(net, part, net->order, first) != 0)
            return -1;
        if (ffebm_engine_gradient(net->engine, &report, net->batch.input, net->batch.target, NULL) != FFEBM_OK ||
            ffebm_optimizer_step(net->optimizer, net->engine) != FFEBM_OK)
            return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
        *loss += (report.loss - *loss) / (double)(steps + 1);
    }
    return 0;
}

static int test(struct network *net, size_t *correct)
{
    *correct = 0;
    for (size_t first = 0; first < net->data.test.count; first += BATCH) {
        ffebm_report report = {.size = sizeof report};

        if (load(net, &net->data.test, NULL, first) != 0)
            return -1;
        if (ffebm_engine_evaluate(net->engine, &report, NULL, net->batch.input, net->batch.target, NULL) != FFEBM_OK)
            return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
        *correct += (size_t)report.correct;
    }
    return 0;
}

static int run(struct network *net, uint64_t epochs)
{
    const struct dataset_source *digits = dataset_find("digits", &net->failure);

    if (digits == NULL || dataset_open(&net->data, digits, NULL, DATASET_SPLIT_MIXED, &net->failure) != 0)
        return -1;
    if (build(net) != FFEBM_OK)
        return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
    if ((net->order = malloc(net->data.train.count * sizeof *net->order)) == NULL)
        return failure_set(&net->failure, "out of memory");
    print_graph(net);
    if (certify(net, "first values") != 0)
        return -1;
    for (uint64_t epoch = 1; epoch <= epochs; epoch++) {
        size_t correct;
        double loss;

        if (train_epoch(net, epoch, &loss) != 0 || test(net, &correct) != 0)
            return -1;
        printf("epoch %" PRIu64 ": loss %.4f, %zu of %zu test digits right\n", epoch, loss, correct,
               net->data.test.count);
    }
    return certify(net, "trained");
}

int main(int argc, char **argv)
{
    struct network net = {0};
    long epochs = argc > 1 ? strtol(argv[1], NULL, 10) : 3;
    int failed;

    if (argc > 2 || epochs < 0 || epochs > 1000) {
        fprintf(stderr, "usage: %s [epochs]\n", argv[0]);
        return 2;
    }
    blas_threads_one();
    if ((failed = run(&net, (uint64_t)epochs)) != 0)
        fprintf(stderr, "hopfield_resnet: %s\n", net.failure.text);
    batch_destroy(&net.batch);
    dataset_free(&net.data);
    free(net.order);
    ffebm_optimizer_destroy(net.optimizer);
    ffebm_engine_destroy(net.engine);
    ffebm_model_destroy(net.model);
    ffebm_context_destroy(net.context);
    return failed != 0;
}

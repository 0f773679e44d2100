/* An ff-EBM as a layer of a program's own network. The program computes a tanh layer, hands its output to the library,
 * takes the equilibrium further to ten classes, and trains all of it with its own stochastic gradient descent:
 *
 *   64 pixels -> tanh(A x + a) -> [ ff-EBM: 48 -> 48 -> 32 ] -> softmax(C y + c)
 *
 * The library appears in three places: ffebm_engine_forward, ffebm_engine_vjp, and its flat parameters beside its flat
 * gradient, as two arrays of one more layer.
 *
 *   host_network [epochs, default 20]
 *
 * Before training, the gradient of the first layer, which has come through the ff-EBM, is held against differences. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/dataset.h"
#include "support/failure.h"
#include "support/shuffle.h"

enum { PIXELS = 64, HIDDEN = 48, FEATURES = 32, CLASSES = 10, BATCH = 32 };

static const char description[] =
    "{\"dtype\": \"float64\", \"input\": [48], \"loss\": \"none\","
    " \"initialization\": {\"type\": \"uniform\", \"gain\": 1.0, \"bias\": 0.5}, \"stages\": ["
    " {\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "
    "\"clamp_last\": true,"
    "  \"couplings\": [{\"type\": \"dense\", \"out_features\": 32}]}}]}";

/* A linear map of the program's: weight [out, in], and behind it bias [out]. */
struct layer {
    size_t in;
    size_t out;
    double *values;
    double *gradient;
    double *velocity;
    size_t count;
};

struct network {
    struct layer first;
    struct layer last;
    struct layer inner; /* the ff-EBM's parameters and gradient, which the library owns */
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    uint64_t ticket;          /* of the forward that the vjp belongs to */
    ffebm_tensor *tensors[4]; /* over the four arrays below, for the library */
    double hidden[BATCH * HIDDEN];
    double features[BATCH * FEATURES];
    double features_cotangent[BATCH * FEATURES];
    double hidden_cotangent[BATCH * HIDDEN];
    double scores[BATCH * CLASSES];
    double scores_cotangent[BATCH * CLASSES];
    double pixels[BATCH * PIXELS];
    int64_t labels[BATCH];
    struct dataset data;
    size_t *order;
    struct failure failure;
};

/* --------------------------------------------------------------------------------------- the program's own layers */

static int layer_create(struct layer *layer, size_t in, size_t out, uint64_t seed)
{
    *layer = (struct layer){.in = in, .out = out, .count = out * (in + 1)};
    layer->values = calloc(layer->count, sizeof(double));
    layer->gradient = calloc(layer->count, sizeof(double));
    layer->velocity = calloc(layer->count, sizeof(double));
    if (layer->values == NULL || layer->gradient == NULL || layer->velocity == NULL)
        return -1;
    for (size_t i = 0; i < in * out; i++)
        layer->values[i] = (2 * ffebm_random_uniform(seed, i) - 1) / sqrt((double)in);
    return 0;
}

static void layer_forward(const struct layer *layer, const double *x, double *y)
{
    for (size_t n = 0; n < BATCH; n++)
        for (size_t o = 0; o < layer->out; o++) {
            double sum = layer->values[layer->in * layer->out + o];

            for (size_t i = 0; i < layer->in; i++)
                sum += layer->values[o * layer->in + i] * x[n * layer->in + i];
            y[n * layer->out + o] = sum;
        }
}

/* The gradient of the sum over the batch, and where it is wanted the cotangent u of x. */
static void layer_vjp(struct layer *layer, const double *x, const double *v, double *u)
{
    memset(layer->gradient, 0, layer->count * sizeof(double));
    if (u != NULL)
        memset(u, 0, BATCH * layer->in * sizeof(double));
    for (size_t n = 0; n < BATCH; n++)
        for (size_t o = 0; o < layer->out; o++) {
            double error = v[n * layer->out + o];

            layer->gradient[layer->in * layer->out + o] += error;
            for (size_t i = 0; i < layer->in; i++) {
                layer->gradient[o * layer->in + i] += error * x[n * layer->in + i];
                if (u != NULL)
                    u[n * layer->in + i] += error * layer->values[o * layer->in + i];
            }
        }
}

static void layer_step(struct layer *layer, double rate)
{
    for (size_t i = 0; i < layer->count; i++) {
        layer->velocity[i] = 0.9 * layer->velocity[i] + layer->gradient[i];
        layer->values[i] -= rate * layer->velocity[i];
    }
}

/* The mean cross entropy; its derivative by the scores stays in the network. */
static double softmax_loss(struct network *net, size_t *correct)
{
    double loss = 0;

    for (size_t n = 0; n < BATCH; n++) {
        const double *o = net->scores + n * CLASSES;
        double largest = o[0], sum = 0;
        size_t best = 0;

        for (size_t c = 1; c < CLASSES; c++)
            if (o[c] > largest) {
                largest = o[c];
                best = c;
            }
        for (size_t c = 0; c < CLASSES; c++)
            sum += exp(o[c] - largest);
        for (size_t c = 0; c < CLASSES; c++)
            net->scores_cotangent[n * CLASSES + c] =
                (exp(o[c] - largest) / sum - ((int64_t)c == net->labels[n])) / BATCH;
        loss += (log(sum) + largest - o[net->labels[n]]) / BATCH;
        *correct += (int64_t)best == net->labels[n];
    }
    return loss;
}

/* ------------------------------------------------------------------------------------------- forward, and back again */

enum { HIDDEN_IN, FEATURES_OUT, FEATURES_COTANGENT, HIDDEN_COTANGENT };

static ffebm_status forward(struct network *net, double *loss, size_t *correct)
{
    ffebm_status status;

    layer_forward(&net->first, net->pixels, net->hidden);
    for (size_t i = 0; i < BATCH * HIDDEN; i++)
        net->hidden[i] = tanh(net->hidden[i]);
    status = ffebm_engine_forward(net->engine, net->tensors[FEATURES_OUT], &net->ticket, net->tensors[HIDDEN_IN]);
    layer_forward(&net->last, net->features, net->scores);
    *loss = softmax_loss(net, correct);
    return status;
}

/* The cotangents are those of a mean loss: the library's gradient is then a mean, too. */
static ffebm_status backward(struct network *net)
{
    ffebm_status status;

    layer_vjp(&net->last, net->features, net->scores_cotangent, net->features_cotangent);
    status =
        ffebm_engine_vjp(net->engine, net->tensors[HIDDEN_COTANGENT], net->ticket, net->tensors[FEATURES_COTANGENT], 0);
    for (size_t i = 0; i < BATCH * HIDDEN; i++)
        net->hidden_cotangent[i] *= 1 - net->hidden[i] * net->hidden[i];
    layer_vjp(&net->first, net->pixels, net->hidden_cotangent, NULL);
    return status;
}

/* ---------------------------------------------------------------------------------------------------- setting up */

static ffebm_status configure(struct network *net)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.beta = 0.01;
    config.free_tolerance = 1e-8;
    config.free_sweeps = 200;
    config.nudged_tolerance = 1e-4;
    config.nudged_sweeps = 100;
    return ffebm_engine_configure(net->engine, FFEBM_ALL, &config);
}

static ffebm_status wrap(struct network *net, size_t which, double *array, int64_t units)
{
    return ffebm_tensor_wrap(net->context, &net->tensors[which], array, FFEBM_FLOAT64, (int64_t[]){BATCH, units}, 2);
}

static ffebm_status create_library_part(struct network *net)
{
    ffebm_status status;

    if ((status = ffebm_context_create(&net->context, NULL)) != FFEBM_OK ||
        (status = ffebm_model_parse(net->context, &net->model, description, sizeof description - 1, NULL)) !=
            FFEBM_OK ||
        (status = ffebm_model_initialize(net->model, 0)) != FFEBM_OK ||
        (status = ffebm_engine_create(&net->engine, net->model, NULL)) != FFEBM_OK ||
        (status = configure(net)) != FFEBM_OK || (status = wrap(net, HIDDEN_IN, net->hidden, HIDDEN)) != FFEBM_OK ||
        (status = wrap(net, FEATURES_OUT, net->features, FEATURES)) != FFEBM_OK ||
        (status = wrap(net, FEATURES_COTANGENT, net->features_cotangent, FEATURES)) != FFEBM_OK ||
        (status = wrap(net, HIDDEN_COTANGENT, net->hidden_cotangent, HIDDEN)) != FFEBM_OK)
        return status;
    net->inner.count = ffebm_tensor_count(ffebm_model_flat_parameters(net->model));
    net->inner.values = ffebm_tensor_data(ffebm_model_flat_parameters(net->model));
    net->inner.gradient = ffebm_tensor_data(ffebm_engine_flat_gradient(net->engine));
    return FFEBM_OK;
}

static int create(struct network *net)
{
    const struct dataset_source *digits = dataset_find("digits", &net->failure);

    if (digits == NULL || dataset_open(&net->data, digits, NULL, DATASET_SPLIT_MIXED, &net->failure) != 0)
        return -1;
    if (create_library_part(net) != FFEBM_OK)
        return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
    net->inner.velocity = calloc(net->inner.count, sizeof(double));
    net->order = malloc(net->data.train.count * sizeof *net->order);
    if (net->inner.velocity == NULL || net->order == NULL || layer_create(&net->first, PIXELS, HIDDEN, 1) != 0 ||
        layer_create(&net->last, FEATURES, CLASSES, 2) != 0)
        return failure_set(&net->failure, "out of memory");
    return 0;
}

/* The last batch of a pass is filled up with the samples it began with. */
static ffebm_status load(struct network *net, const struct dataset_part *part, const size_t *order, size_t first)
{
    unsigned char pixels[PIXELS];

    for (size_t n = 0; n < BATCH; n++) {
        size_t at = (first + n) % part->count, sample = order == NULL ? at : order[at];

        if (dataset_read(&net->data, part, sample, pixels, &net->failure) != 0)
            return FFEBM_ERR_IO;
        net->labels[n] = part->labels[sample];
        for (size_t i = 0; i < PIXELS; i++)
            net->pixels[n * PIXELS + i] = (double)net->data.levels[0][pixels[i]];
    }
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------ training */

/* The derivative of the loss along a random direction of the first layer's weights, by its gradient and by differences. */
static ffebm_status compare_with_differences(struct network *net)
{
    const double step = 1e-5;
    double slope = 0, ends[2], loss;
    size_t correct = 0;
    ffebm_status status;

    if ((status = load(net, &net->data.train, NULL, 0)) != FFEBM_OK ||
        (status = forward(net, &loss, &correct)) != FFEBM_OK || (status = backward(net)) != FFEBM_OK)
        return status;
    for (size_t i = 0; i < net->first.count; i++)
        slope += net->first.gradient[i] * ffebm_random_normal(3, i);
    for (int side = 0; side < 2 && status == FFEBM_OK; side++) {
        double way = side == 0 ? step : -2 * step;

        for (size_t i = 0; i < net->first.count; i++)
            net->first.values[i] += way * ffebm_random_normal(3, i);
        status = forward(net, &ends[side], &correct);
    }
    for (size_t i = 0; i < net->first.count; i++)
        net->first.values[i] += step * ffebm_random_normal(3, i);
    printf("derivative through the ff-EBM: %.6f by its VJP, %.6f by differences\n", slope,
           (ends[0] - ends[1]) / (2 * step));
    return status;
}

static ffebm_status train_epoch(struct network *net, uint64_t epoch, double rate, double *mean_loss)
{
    size_t correct = 0, steps = 0;

    *mean_loss = 0;
    shuffle(net->order, net->data.train.count, stream_seed(0, STREAM_SHUFFLE, epoch));
    for (size_t first = 0; first < net->data.train.count; first += BATCH, steps++) {
        ffebm_status status;
        double loss;

        if ((status = load(net, &net->data.train, net->order, first)) != FFEBM_OK ||
            (status = forward(net, &loss, &correct)) != FFEBM_OK || (status = backward(net)) != FFEBM_OK)
            return status;
        layer_step(&net->first, rate);
        layer_step(&net->inner, rate);
        layer_step(&net->last, rate);
        *mean_loss += (loss - *mean_loss) / (double)(steps + 1);
    }
    return FFEBM_OK;
}

static ffebm_status test(struct network *net, double *accuracy)
{
    const struct dataset_part *part = &net->data.test;
    size_t correct = 0, tested = part->count - part->count % BATCH;
    ffebm_status status = FFEBM_OK;
    double loss;

    for (size_t first = 0; first < tested && status == FFEBM_OK; first += BATCH) {
        if ((status = load(net, part, NULL, first)) == FFEBM_OK)
            status = forward(net, &loss, &correct);
    }
    *accuracy = (double)correct / (double)tested;
    return status;
}

static int run(struct network *net, int64_t epochs)
{
    ffebm_status status;
    double loss, accuracy = 0;

    if (create(net) != 0)
        return -1;
    status = compare_with_differences(net);
    for (int64_t epoch = 0; epoch < epochs && status == FFEBM_OK; epoch++) {
        double rate = ffebm_schedule_cosine(0.05, 0.001, epoch, epochs);

        if ((status = train_epoch(net, (uint64_t)epoch, rate, &loss)) == FFEBM_OK &&
            (status = test(net, &accuracy)) == FFEBM_OK)
            fprintf(stderr, "epoch %" PRId64 " of %" PRId64 ": train loss %.4f, test accuracy %.4f\n", epoch + 1,
                    epochs, loss, accuracy);
    }
    if (status == FFEBM_ERR_IO)
        return -1; /* of the data set: the failure says why */
    if (status != FFEBM_OK)
        return failure_set(&net->failure, "%s", ffebm_context_error(net->context));
    printf("test accuracy %.4f\n", accuracy);
    return 0;
}

static void end(struct network *net)
{
    struct layer *own[] = {&net->first, &net->last};

    for (size_t i = 0; i < 2; i++) {
        free(own[i]->values);
        free(own[i]->gradient);
        free(own[i]->velocity);
    }
    for (size_t i = 0; i < 4; i++)
        ffebm_tensor_destroy(net->tensors[i]);
    ffebm_engine_destroy(net->engine);
    ffebm_model_destroy(net->model);
    ffebm_context_destroy(net->context);
    free(net->inner.velocity);
    free(net->order);
    dataset_free(&net->data);
}

int main(int argc, char **argv)
{
    static struct network network;
    int64_t epochs = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
    int code;

    blas_threads_one();
    code = run(&network, epochs > 0 ? epochs : 20);
    if (code != 0)
        fprintf(stderr, "host_network: %s\n", network.failure.text);
    end(&network);
    return code == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

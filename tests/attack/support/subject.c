#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"

enum { FREE_SWEEPS = 10, NUDGED_SWEEPS = 4, OWN_INPUTS = 6 };

const char *const subject_descriptions[SUBJECT_OWN] = {
    "{\"input\":[6],\"loss\":\"cross_entropy\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\",\"out_features\":20},"
    "{\"type\":\"relu\"}]},{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":\"dense\",\"out_features\":17},"
    "{\"type\":\"dense\",\"out_features\":9}]}},{\"feedforward\":[{\"type\":\"linear\",\"out_features\":3}]}]}",
    "{\"input\":[2,6,6],\"loss\":\"cross_entropy\",\"initialization\":{\"type\":\"uniform\",\"gain\":1.5},"
    "\"recipe\":{\"epochs\":3,\"lr\":0.01,\"optimizer\":\"sgd\"},\"stages\":[{\"feedforward\":[{\"type\":\"conv2d\","
    "\"out_channels\":3,\"kernel\":3,\"padding\":1},{\"type\":\"batchnorm2d\"},{\"type\":\"relu\"}]},{\"energy\":{"
    "\"type\":\"hopfield\",\"clamp_last\":true,\"couplings\":[{\"type\":\"conv2d\",\"out_channels\":4,\"kernel\":3,"
    "\"padding\":1,\"pool\":{\"type\":\"max\",\"kernel\":2}},{\"type\":\"dense\",\"out_features\":5}]}},"
    "{\"feedforward\":[{\"type\":\"layernorm\"},{\"type\":\"linear\",\"out_features\":3}]}]}",
    "{\"dtype\":\"float64\",\"input\":[2,6,6],\"loss\":\"mse\",\"stages\":[{\"feedforward\":[{\"type\":\"avgpool2d\","
    "\"kernel\":2},{\"type\":\"tanh\"}]},{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":\"conv2d\","
    "\"out_channels\":4,\"kernel\":3,\"padding\":1},{\"type\":\"conv2d\",\"out_channels\":3,\"kernel\":3}]}},"
    "{\"feedforward\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out_features\":3}]}]}",
};

void subject_check(const subject *s, ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    printf("the subject itself fails: %s\n", ffebm_context_error(s->context));
    exit(2);
}

void subject_context(subject *s, const ffebm_context_config *config)
{
    subject_check(s, ffebm_context_create(&s->context, config));
}

static void add_linear(subject *s, int64_t out)
{
    ffebm_feedforward *block;
    ffebm_op_config op;

    subject_check(s, ffebm_feedforward_create(s->context, &block));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = out;
    subject_check(s, ffebm_feedforward_add_op(block, &op));
    subject_check(s, ffebm_model_add_feedforward(s->model, &block));
}

static void add_dense(subject *s, int64_t out)
{
    ffebm_energy *block;
    ffebm_coupling_config coupling;

    subject_check(s, ffebm_energy_create_hopfield(s->context, &block, NULL));
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = out;
    subject_check(s, ffebm_energy_add_coupling(block, &coupling));
    subject_check(s, ffebm_model_add_energy(s->model, &block));
}

static void add_own(subject *s)
{
    ffebm_feedforward *feedforward;
    ffebm_energy *energy;
    ffebm_user_parameter b = blocks_parameter("b"), k = blocks_parameter("k");

    subject_check(s, ffebm_feedforward_create_user(s->context, &feedforward, &blocks_feedforward));
    subject_check(s, ffebm_feedforward_add_parameter(feedforward, &b));
    subject_check(s, ffebm_model_add_feedforward(s->model, &feedforward));
    subject_check(s, ffebm_energy_create_user(s->context, &energy, &blocks_energy));
    subject_check(s, ffebm_energy_add_parameter(energy, &k));
    subject_check(s, ffebm_model_add_energy(s->model, &energy));
}

void subject_model(subject *s, int kind)
{
    if (kind < SUBJECT_OWN) {
        const char *json = subject_descriptions[kind];

        subject_check(s, ffebm_model_parse(s->context, &s->model, json, strlen(json), NULL));
        return;
    }
    subject_check(s, ffebm_model_create(s->context, &s->model, FFEBM_FLOAT64, (int64_t[]){OWN_INPUTS}, 1,
                                        FFEBM_LOSS_CROSS_ENTROPY));
    add_linear(s, BLOCKS_UNITS);
    add_own(s);
    add_dense(s, SUBJECT_CLASSES);
}

void subject_batch(subject *s, int64_t rows)
{
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {rows}, *labels;

    subject_check(s, ffebm_model_inspect(s->model, &info));
    for (size_t i = 0; i < info.input_rank; i++)
        shape[i + 1] = info.input_shape[i];
    subject_check(s, ffebm_tensor_create(s->context, &s->x, info.dtype, shape, info.input_rank + 1));
    subject_check(s, ffebm_tensor_create(s->context, &s->y, FFEBM_INT64, shape, 1));
    for (size_t i = 0; i < ffebm_tensor_count(s->x); i++)
        if (info.dtype == FFEBM_FLOAT32)
            ((float *)ffebm_tensor_data(s->x))[i] = (float)ffebm_random_normal(7, i);
        else
            ((double *)ffebm_tensor_data(s->x))[i] = ffebm_random_normal(7, i);
    labels = ffebm_tensor_data(s->y);
    for (int64_t n = 0; n < rows; n++)
        labels[n] = n % SUBJECT_CLASSES;
    s->rows = rows;
}

void subject_train(subject *s, int32_t estimator)
{
    ffebm_engine_config config;
    ffebm_equilibrium_config equilibrium;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)s->rows;
    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    equilibrium.estimator = estimator;
    equilibrium.free_sweeps = FREE_SWEEPS;
    equilibrium.nudged_sweeps = NUDGED_SWEEPS;
    subject_check(s, ffebm_model_initialize(s->model, 3));
    subject_check(s, ffebm_engine_create(&s->engine, s->model, &config));
    subject_check(s, ffebm_engine_configure(s->engine, FFEBM_ALL, &equilibrium));
    subject_check(s, ffebm_optimizer_create_adam(&s->optimizer, s->model, NULL));
    subject_check(s, ffebm_engine_gradient(s->engine, NULL, s->x, s->y, NULL));
    subject_check(s, ffebm_optimizer_step(s->optimizer, s->engine));
}

void subject_open(subject *s, const ffebm_context_config *config, int kind, int64_t rows, int32_t estimator)
{
    *s = (subject){.context = NULL};
    subject_context(s, config);
    subject_model(s, kind);
    subject_batch(s, rows);
    subject_train(s, estimator);
}

void subject_close(subject *s)
{
    ffebm_tensor_destroy(s->x);
    ffebm_tensor_destroy(s->y);
    ffebm_context_destroy(s->context);
    ffebm_engine_destroy(s->engine);
    ffebm_optimizer_destroy(s->optimizer);
    ffebm_model_destroy(s->model);
    *s = (subject){.context = NULL};
}

uint64_t bits_of(uint64_t sum, const void *bytes, size_t count)
{
    const unsigned char *b = bytes;

    for (size_t i = 0; i < count; i++)
        sum = (sum ^ b[i]) * 1099511628211u;
    return sum;
}

static int32_t add_bits(void *user, const void *bytes, size_t count)
{
    uint64_t *sum = user;

    *sum = bits_of(*sum, bytes, count);
    return 0;
}

uint64_t subject_bits(const subject *s)
{
    ffebm_model_info info = {.size = sizeof info};
    uint64_t sum = 0;

    if (!s->model || ffebm_model_inspect(s->model, &info) != FFEBM_OK || !info.ready)
        return 0;
    subject_check(s, ffebm_checkpoint_write(s->model, s->optimizer, NULL, add_bits, &sum));
    return sum;
}

#include <string.h>

#include "attack/fuzz/target.h"
#include "attack/support/blocks.h"
#include "world.h"

static const char *const descriptions[] = {
    "{\"input\":[3],\"loss\":\"cross_entropy\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\",\"out_features\":4},"
    "{\"type\":\"relu\"}]},{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":\"dense\",\"out_features\":3},"
    "{\"type\":\"dense\",\"out_features\":3}]}},{\"feedforward\":[{\"type\":\"linear\",\"out_features\":3}]}]}",
    "{\"dtype\":\"float64\",\"input\":[1,4,4],\"loss\":\"mse\",\"stages\":[{\"feedforward\":[{\"type\":\"conv2d\","
    "\"out_channels\":2,\"kernel\":3,\"padding\":1},{\"type\":\"batchnorm2d\"}]},{\"energy\":{\"type\":\"hopfield\","
    "\"clamp_last\":true,\"couplings\":[{\"type\":\"conv2d\",\"out_channels\":2,\"kernel\":3,\"padding\":1,\"pool\":{"
    "\"type\":\"max\",\"kernel\":2}},{\"type\":\"dense\",\"out_features\":3}]}}]}",
    "{\"input\":[3],\"loss\":\"none\",\"stages\":[{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":"
    "\"dense\","
    "\"out_features\":3}]}}]}",
    "{\"input\":[2,2,2],\"loss\":\"cross_entropy\",\"stages\":[{\"feedforward\":[{\"type\":\"maxpool2d\",\"kernel\":2},"
    "{\"type\":\"layernorm\"},{\"type\":\"flatten\"},{\"type\":\"tanh\"},{\"type\":\"linear\",\"out_features\":3}]}]}",
    "{\"input\":[",
    "{}",
};
enum { DESCRIPTIONS = sizeof descriptions / sizeof *descriptions };

ffebm_status made(ffebm_status status, const void *where)
{
    const void *handle;

    memcpy(&handle, where, sizeof handle); /* all pointers to structs look the same */
    must((status == FFEBM_OK) == (handle != NULL), "status %d, and %s handle", status, handle ? "a" : "no");
    return status;
}

static ffebm_status parse(world *w, size_t i)
{
    const char *json = descriptions[next_below(w, DESCRIPTIONS)];
    ffebm_parse_config config;

    ffebm_parse_config_init(&config, sizeof config);
    config.dtype = (int32_t)next_below(w, 4);
    ffebm_model_destroy(w->models[i]);
    return made(ffebm_model_parse(next_context(w), &w->models[i], json, strlen(json), next_is(w, 2) ? &config : NULL),
                &w->models[i]);
}

static ffebm_status model(world *w, size_t i)
{
    int64_t shape[FFEBM_MAX_RANK] = {next_small(w), next_small(w), next_small(w), 1, 1, 1, 1, 1};

    if (next_is(w, 8))
        shape[0] = next_integer(w);
    ffebm_model_destroy(w->models[i]);
    return made(ffebm_model_create(next_context(w), &w->models[i], (int32_t)next_below(w, 4), shape,
                                   next_below(w, FFEBM_MAX_RANK + 2), (int32_t)next_below(w, 4)),
                &w->models[i]);
}

static ffebm_status feedforward(world *w, size_t i)
{
    ffebm_feedforward_destroy(w->feedforwards[i]);
    return made(ffebm_feedforward_create(next_context(w), &w->feedforwards[i]), &w->feedforwards[i]);
}

const ffebm_activation *next_activation(world *w, ffebm_activation *activation)
{
    if (next_is(w, 2))
        return NULL;
    ffebm_activation_init(activation, sizeof *activation, (int32_t)next_below(w, 7));
    if (next_is(w, 2))
        activation->slope = next_number(w);
    if (next_is(w, 4)) {
        activation->lower = next_number(w);
        activation->upper = next_number(w);
    }
    return activation;
}

static ffebm_status hopfield(world *w, size_t i)
{
    ffebm_activation activations[2];
    ffebm_hopfield_config config;

    ffebm_hopfield_config_init(&config, sizeof config);
    if (next_is(w, 2)) {
        config.activation = next_activation(w, &activations[0]);
        config.layer0 = next_activation(w, &activations[1]);
        config.clamp_last = (int32_t)next_below(w, 3);
    }
    ffebm_energy_destroy(w->energies[i]);
    return made(ffebm_energy_create_hopfield(next_context(w), &w->energies[i], &config), &w->energies[i]);
}

static ffebm_status own_feedforward(world *w, size_t i)
{
    ffebm_user_feedforward table = blocks_feedforward;
    const ffebm_user_parameter parameter = blocks_parameter("b");

    table.max_batch = next_below(w, 4);
    table.retry_limit = next_is(w, 2) ? 2 : 0;
    ffebm_feedforward_destroy(w->feedforwards[i]);
    if (made(ffebm_feedforward_create_user(next_context(w), &w->feedforwards[i], &table), &w->feedforwards[i]) < 0)
        return FFEBM_ERR_ARGUMENT;
    return ffebm_feedforward_add_parameter(w->feedforwards[i], &parameter);
}

static ffebm_status own_energy(world *w, size_t i)
{
    ffebm_user_energy table = blocks_energy;
    ffebm_user_parameter parameter = blocks_parameter("k");

    table.max_batch = next_below(w, 4);
    table.concurrent = 0; /* slots draw from the input */
    table.max_beta = next_is(w, 2) ? 0.5 : 0;
    table.adjoint = next_is(w, 2) ? table.adjoint : NULL;
    table.energy = next_is(w, 2) ? table.energy : NULL;
    parameter.lower = next_is(w, 2) ? 0.1 : parameter.lower;
    ffebm_energy_destroy(w->energies[i]);
    if (made(ffebm_energy_create_user(next_context(w), &w->energies[i], &table), &w->energies[i]) < 0)
        return FFEBM_ERR_ARGUMENT;
    return ffebm_energy_add_parameter(w->energies[i], &parameter);
}

/* Shapes that fit something, and others. */
static size_t shape_of_tensor(world *w, int64_t shape[FFEBM_MAX_RANK])
{
    static const int64_t tails[][4] = {{3}, {1, 4, 4}, {2, 2, 2}, {0}, {4}};
    const int64_t *tail = tails[next_below(w, 5)];
    size_t rank = 1;

    shape[0] = next_small(w);
    if (next_is(w, 8)) {
        for (rank = 0; rank < next_below(w, FFEBM_MAX_RANK + 1); rank++)
            shape[rank] = next_is(w, 8) ? next_integer(w) : next_small(w);
        return rank;
    }
    for (; *tail != 0; tail++)
        shape[rank++] = *tail;
    return rank;
}

static void fill(world *w, ffebm_tensor *t)
{
    const double bad = next_is(w, 4) ? next_number(w) : 0;
    const size_t count = ffebm_tensor_count(t);

    for (size_t i = 0; i < count && count < 1000; i++) {
        double value = i == 0 && bad != 0 ? bad : ffebm_random_normal(1, i);

        if (ffebm_tensor_dtype(t) == FFEBM_FLOAT32)
            ((float *)ffebm_tensor_data(t))[i] = (float)value;
        else if (ffebm_tensor_dtype(t) == FFEBM_FLOAT64)
            ((double *)ffebm_tensor_data(t))[i] = value;
        else
            ((int64_t *)ffebm_tensor_data(t))[i] = next_is(w, 16) ? next_integer(w) : (int64_t)(i % 3);
    }
}

static ffebm_status tensor(world *w, size_t i)
{
    ffebm_tensor **t = &w->tensors[next_below(w, API_TENSORS)];
    int64_t shape[FFEBM_MAX_RANK] = {0};
    size_t rank = shape_of_tensor(w, shape);
    int32_t dtype = rank == 1 ? FFEBM_INT64 : (int32_t)(1 + next_below(w, 2));
    ffebm_status status;

    (void)i;
    if (next_is(w, 16))
        dtype = (int32_t)next_integer(w);
    ffebm_tensor_destroy(*t);
    status = made(ffebm_tensor_create(next_context(w), t, dtype, shape, rank), t);
    if (*t)
        fill(w, *t);
    return status;
}

static ffebm_status engine(world *w, size_t i)
{
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = next_is(w, 16) ? (size_t)next_integer(w) : 1 + next_below(w, 4);
    config.seed = next(w);
    ffebm_engine_destroy(w->engines[i]);
    return made(ffebm_engine_create(&w->engines[i], w->models[next_below(w, API_OBJECTS)], &config), &w->engines[i]);
}

static ffebm_status adam(world *w, size_t i)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    if (next_is(w, 2)) {
        config.learning_rate = next_number(w);
        config.weight_decay = next_number(w);
        config.clip_norm = next_number(w);
    }
    ffebm_optimizer_destroy(w->optimizers[i]);
    return made(ffebm_optimizer_create_adam(&w->optimizers[i], w->models[next_below(w, API_OBJECTS)], &config),
                &w->optimizers[i]);
}

static ffebm_status sgd(world *w, size_t i)
{
    ffebm_sgd_config config;

    ffebm_sgd_config_init(&config, sizeof config);
    if (next_is(w, 2)) {
        config.learning_rate = next_number(w);
        config.momentum = next_number(w);
        config.clip_norm = next_number(w);
        config.nesterov = (int32_t)next_below(w, 3);
    }
    ffebm_optimizer_destroy(w->optimizers[i]);
    return made(ffebm_optimizer_create_sgd(&w->optimizers[i], w->models[next_below(w, API_OBJECTS)], &config),
                &w->optimizers[i]);
}

static ffebm_status load(world *w, size_t i)
{
    ffebm_model_destroy(w->models[i]);
    return made(ffebm_checkpoint_load(next_context(w), &w->models[i], w->path), &w->models[i]);
}

const api_call api_making[] = {parse,           parse,      model,  feedforward, hopfield,
                               own_feedforward, own_energy, tensor, tensor,      engine,
                               engine,          adam,       sgd,    load};
const size_t api_making_count = sizeof api_making / sizeof *api_making;

/* Three steps of training on fixed random numbers, and a fingerprint of what they leave: for comparing two builds of the
 * library to the bit (tests/check_bits.sh). It uses the public API alone, so that it compiles against either.
 *
 *   bits NAME..   of examples/models or tests/bench, without .json; "resistors" and "odd" are described here */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "blocks/resistor_network.h"

enum { BATCH = 3, STEPS = 3, FREE_SWEEPS = 6, NUDGED_SWEEPS = 3, MOST = 1 << 20 };

/* Strides, windows larger than others have, pools of averages, an image too large for a window of its size. */
static const char odd[] =
    "{\"input\": [3, 20, 18], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 20, \"kernel\": 5, \"stride\": 2, \"padding\": 2},"
    "{\"type\": \"relu\"}, {\"type\": \"conv2d\", \"out_channels\": 17, \"kernel\": [1, 3], \"padding\": [0, 1]}]},"
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "
    "\"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 21, \"kernel\": 5, \"padding\": 2},"
    "{\"type\": \"conv2d\", \"out_channels\": 19, \"kernel\": [4, 3], \"stride\": 2, \"padding\": 1},"
    "{\"type\": \"dense\", \"out_features\": 34}, {\"type\": \"dense\", \"out_features\": 12}]}},"
    "{\"feedforward\": [{\"type\": \"layernorm\"}, {\"type\": \"linear\", \"out_features\": 4}]}]}";

typedef struct run {
    const char *model;
    int32_t dtype;
    int32_t isa;
    int32_t threads;
    int32_t precision;
    double free_tolerance;
} run;

static ffebm_context *context;

static void check(ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    fprintf(stderr, "bits: %s\n", ffebm_context_error(context));
    exit(1);
}

/* ---------------------------------------------------------------------------------------------------------- models */

static void add_linear(ffebm_model *model, int64_t out)
{
    ffebm_feedforward *block;
    ffebm_op_config op;

    check(ffebm_feedforward_create(context, &block));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = out;
    check(ffebm_feedforward_add_op(block, &op));
    check(ffebm_model_add_feedforward(model, &block));
}

static void add_hopfield(ffebm_model *model, int64_t out)
{
    ffebm_energy *block;
    ffebm_activation activation;
    ffebm_hopfield_config config;
    ffebm_coupling_config coupling;

    ffebm_activation_init(&activation, sizeof activation, FFEBM_ACTIVATION_HARD_SIGMOID);
    activation.slope = 0.5;
    ffebm_hopfield_config_init(&config, sizeof config);
    config.activation = &activation;
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = out;
    check(ffebm_energy_create_hopfield(context, &block, &config));
    check(ffebm_energy_add_coupling(block, &coupling));
    check(ffebm_model_add_energy(model, &block));
}

/* The chain of examples/resistor_network.c. */
static ffebm_model *resistors(int32_t dtype)
{
    static const int64_t pixels[] = {64};
    ffebm_model *model;
    ffebm_energy *block;

    check(ffebm_model_create(context, &model, dtype, pixels, 1, FFEBM_LOSS_CROSS_ENTROPY));
    add_linear(model, 24);
    check(resistor_network_create(context, &block, 24, 24, 64, 0.05));
    check(ffebm_model_add_energy(model, &block));
    add_linear(model, 32);
    add_hopfield(model, 32);
    add_linear(model, 10);
    return model;
}

static ffebm_model *described(const char *json, size_t length, int32_t dtype)
{
    ffebm_model *model;
    ffebm_parse_config parse;

    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = dtype;
    check(ffebm_model_parse(context, &model, json, length, &parse));
    return model;
}

static ffebm_model *read_model(const char *name, int32_t dtype)
{
    static const char *const places[] = {"examples/models/%s.json", "tests/bench/%s.json"};
    static char text[MOST];

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[256];
        FILE *file;

        snprintf(path, sizeof path, places[i], name);
        file = fopen(path, "rb");
        if (file != NULL) {
            size_t length = fread(text, 1, MOST, file);

            fclose(file);
            return described(text, length, dtype);
        }
    }
    fprintf(stderr, "bits: no model %s\n", name);
    exit(1);
}

static ffebm_model *model_of(const run *r)
{
    if (strcmp(r->model, "resistors") == 0)
        return resistors(r->dtype);
    return strcmp(r->model, "odd") == 0 ? described(odd, sizeof odd - 1, r->dtype) : read_model(r->model, r->dtype);
}

/* -------------------------------------------------------------------------------------------------------- training */

static ffebm_tensor *input_of(const ffebm_model_info *info, uint64_t seed)
{
    int64_t shape[FFEBM_MAX_RANK] = {BATCH};
    ffebm_tensor *x;
    double *data;

    memcpy(shape + 1, info->input_shape, info->input_rank * sizeof *shape);
    check(ffebm_tensor_create(context, &x, FFEBM_FLOAT64, shape, info->input_rank + 1));
    data = ffebm_tensor_data(x);
    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        data[i] = info->input_rank == 3 ? ffebm_random_normal(seed, i) : ffebm_random_uniform(seed, i);
    return x;
}

static ffebm_tensor *converted(ffebm_tensor *from, int32_t dtype)
{
    size_t rank;
    const int64_t *shape = ffebm_tensor_shape(from, &rank);
    ffebm_tensor *to;

    check(ffebm_tensor_create(context, &to, dtype, shape, rank));
    check(ffebm_tensor_copy(to, from));
    ffebm_tensor_destroy(from);
    return to;
}

static ffebm_tensor *labels_of(const ffebm_model_info *info, uint64_t seed)
{
    static const int64_t shape[] = {BATCH};
    ffebm_tensor *y;

    check(ffebm_tensor_create(context, &y, FFEBM_INT64, shape, 1));
    for (size_t i = 0; i < BATCH; i++)
        ((int64_t *)ffebm_tensor_data(y))[i] =
            (int64_t)(ffebm_random_uniform(seed + 1, i) * (double)info->output_shape[0]);
    return y;
}

static void configure(ffebm_engine *engine, const run *r)
{
    ffebm_equilibrium_config e;

    ffebm_equilibrium_config_init(&e, sizeof e);
    e.free_sweeps = FREE_SWEEPS;
    e.nudged_sweeps = NUDGED_SWEEPS;
    e.free_tolerance = r->free_tolerance;
    e.nudged_tolerance = 0;
    e.precision = r->precision;
    e.switches = r->free_tolerance > 0 ? FFEBM_SWITCHES_FOLLOW : FFEBM_SWITCHES_HOLD;
    check(ffebm_engine_configure(engine, FFEBM_ALL, &e));
}

/* FNV-1a */
static uint64_t mix(uint64_t hash, const ffebm_tensor *tensor)
{
    const unsigned char *bytes = ffebm_tensor_const_data(tensor);
    size_t count = ffebm_tensor_count(tensor) * (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT64 ? 8 : 4);

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t train(ffebm_model *model, const run *r)
{
    ffebm_model_info info = {.size = sizeof info};
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_engine_config config;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    uint64_t hash = 0xcbf29ce484222325u;

    check(ffebm_model_initialize(model, 1));
    check(ffebm_model_inspect(model, &info));
    check(ffebm_model_recipe(model, &recipe));
    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = BATCH;
    check(ffebm_engine_create(&engine, model, &config));
    configure(engine, r);
    check(ffebm_recipe_optimizer(&optimizer, model, &recipe));
    for (uint64_t step = 0; step < STEPS; step++) {
        ffebm_tensor *x = converted(input_of(&info, 10 + 2 * step), r->dtype), *y = labels_of(&info, 10 + 2 * step);

        check(ffebm_engine_gradient(engine, NULL, x, y, NULL));
        hash = mix(hash, ffebm_engine_flat_gradient(engine));
        check(ffebm_optimizer_step(optimizer, engine));
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(y);
    }
    hash = mix(hash, ffebm_model_flat_parameters(model));
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    return hash;
}

static void print_run(const run *r)
{
    static const char *const sets[] = {"any", "portable", "avx2", "avx512"};
    ffebm_context_config config;
    ffebm_model *model;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = r->threads;
    config.max_isa = r->isa;
    if (ffebm_context_create(&context, &config) != FFEBM_OK)
        exit(1);
    model = model_of(r);
    printf("%s %s %s threads=%d %s tolerance=%g %016llx\n", r->model, r->dtype == FFEBM_FLOAT64 ? "float64" : "float32",
           sets[r->isa], (int)r->threads, r->precision == FFEBM_PRECISION_MIXED ? "mixed" : "full", r->free_tolerance,
           (unsigned long long)train(model, r));
    fflush(stdout);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
}

int main(int argc, char **argv)
{
    static const int32_t sets[] = {FFEBM_ISA_PORTABLE, FFEBM_ISA_AVX2, FFEBM_ISA_AVX512};

    for (int i = 1; i < argc; i++)
        for (int32_t threads = 1; threads <= 2; threads++) {
            print_run(&(run){argv[i], FFEBM_FLOAT64, 0, threads, FFEBM_PRECISION_FULL, 0});
            for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
                print_run(&(run){argv[i], FFEBM_FLOAT32, sets[s], threads, FFEBM_PRECISION_FULL, 0});
                print_run(&(run){argv[i], FFEBM_FLOAT32, sets[s], threads, FFEBM_PRECISION_FULL, 1e-7});
                print_run(&(run){argv[i], FFEBM_FLOAT32, sets[s], threads, FFEBM_PRECISION_MIXED, 0});
            }
        }
    return 0;
}

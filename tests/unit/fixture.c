#include "fixture.h"

#include <math.h>
#include <string.h>

uint64_t ticket;

#define BLOCK(units)                                                                                                   \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "             \
    "\"couplings\": [{\"type\": \"dense\", \"out_features\": " units "}, "                                             \
    "{\"type\": \"dense\", \"out_features\": 4}]}}"
#define INTERIOR "\"initialization\": {\"type\": \"uniform\", \"gain\": 0.5, \"bias\": 0.8}"
#define CHAIN(loss, last)                                                                                              \
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"" loss "\", " INTERIOR ", \"stages\": ["                     \
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 5}]}, " BLOCK(                                        \
        "7") ", "                                                                                                      \
             "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 6}]}, " BLOCK("5") last "]}"
#define READOUT ", {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}"

const char interior_readout[] = CHAIN("cross_entropy", READOUT);
const char interior_bare[] = CHAIN("mse", "");

static size_t product(const int64_t *shape, size_t rank)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    return count;
}

fixture fixture_of(const char *json, int32_t dtype, int32_t threads, uint64_t seed)
{
    fixture f = {.info = {.size = sizeof f.info}};
    ffebm_context_config context;
    ffebm_parse_config parse;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = threads;
    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = dtype;
    ck_assert_int_eq(ffebm_context_create(&f.context, &context), FFEBM_OK);
    assert_ok(f.context, ffebm_model_parse(f.context, &f.model, json, strlen(json), &parse));
    assert_ok(f.context, ffebm_model_initialize(f.model, seed));
    assert_ok(f.context, ffebm_engine_create(&f.engine, f.model, NULL));
    assert_ok(f.context, ffebm_model_inspect(f.model, &f.info));
    f.inputs = product(f.info.input_shape, f.info.input_rank);
    f.outputs = product(f.info.output_shape, f.info.output_rank);
    return f;
}

void fixture_end(fixture *f)
{
    ffebm_engine_destroy(f->engine);
    ffebm_model_destroy(f->model);
    ffebm_context_destroy(f->context);
}

ffebm_tensor *random_batch(ffebm_context *context, int32_t dtype, int64_t rows, const int64_t *sample, size_t rank,
                           double low, double high, uint64_t seed)
{
    int64_t shape[FFEBM_MAX_RANK] = {rows};
    ffebm_tensor *tensor;

    if (rank > 0)
        memcpy(shape + 1, sample, rank * sizeof *sample);
    assert_ok(context, ffebm_tensor_create(context, &tensor, dtype, shape, rank + 1));
    for (size_t i = 0; i < ffebm_tensor_count(tensor); i++)
        set_element(tensor, i, low + (high - low) * ffebm_random_uniform(seed, i));
    return tensor;
}

ffebm_tensor *random_input(const fixture *f, int64_t rows, uint64_t seed)
{
    return random_batch(f->context, f->info.dtype, rows, f->info.input_shape, f->info.input_rank, -1, 1, seed);
}

ffebm_tensor *random_labels(const fixture *f, int64_t rows, uint64_t seed)
{
    ffebm_tensor *labels;

    assert_ok(f->context, ffebm_tensor_create(f->context, &labels, FFEBM_INT64, &rows, 1));
    for (size_t i = 0; i < (size_t)rows; i++)
        ((int64_t *)ffebm_tensor_data(labels))[i] =
            (int64_t)((double)f->outputs * ffebm_random_uniform(seed + 1000, i));
    return labels;
}

double element(const ffebm_tensor *tensor, size_t i)
{
    const void *data = ffebm_tensor_const_data(tensor);

    return ffebm_tensor_dtype(tensor) == FFEBM_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

void set_element(ffebm_tensor *tensor, size_t i, double value)
{
    if (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT32)
        ((float *)ffebm_tensor_data(tensor))[i] = (float)value;
    else
        ((double *)ffebm_tensor_data(tensor))[i] = value;
}

double relative_error(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double difference = 0, size = 0;

    for (size_t i = 0; i < ffebm_tensor_count(b); i++) {
        difference += pow(element(a, i) - element(b, i), 2);
        size += pow(element(b, i), 2);
    }
    return sqrt(difference) / fmax(sqrt(size), 1e-300);
}

ffebm_tensor *copy_of(ffebm_context *context, const ffebm_tensor *tensor)
{
    ffebm_tensor *copy;
    size_t rank;
    const int64_t *shape = ffebm_tensor_shape(tensor, &rank);

    assert_ok(context, ffebm_tensor_create(context, &copy, ffebm_tensor_dtype(tensor), shape, rank));
    assert_ok(context, ffebm_tensor_copy(copy, tensor));
    return copy;
}

ffebm_equilibrium_config converged(void)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_sweeps = config.nudged_sweeps = 2000;
    config.free_tolerance = 1e-15;
    config.nudged_tolerance = 1e-12;
    return config;
}

static ffebm_stage_info block_info(const fixture *f, size_t *stage)
{
    ffebm_stage_info info = {.size = sizeof info};

    for (*stage = 0; *stage < f->info.stage_count; ++*stage) {
        assert_ok(f->context, ffebm_model_inspect_stage(f->model, &info, *stage));
        if (info.kind == FFEBM_STAGE_ENERGY)
            return info;
    }
    ck_abort_msg("no energy block");
    return info;
}

size_t block_stage(const fixture *f)
{
    size_t stage;

    block_info(f, &stage);
    return stage;
}

size_t layer_count(const fixture *f)
{
    size_t stage;

    return block_info(f, &stage).layer_count;
}

ffebm_tensor *random_layer(const fixture *f, size_t layer, int64_t rows, double low, double high, uint64_t seed)
{
    ffebm_layer_info info = {.size = sizeof info};

    assert_ok(f->context, ffebm_model_inspect_layer(f->model, &info, block_stage(f), layer));
    return random_batch(f->context, f->info.dtype, rows, info.shape, info.rank, low, high, seed);
}

ffebm_tensor *layer_state(const fixture *f, size_t layer, int64_t rows, int32_t phase)
{
    ffebm_tensor *state = random_layer(f, layer, rows, 0, 1, 0);

    assert_ok(f->context, ffebm_engine_get_state(f->engine, state, block_stage(f), layer, phase));
    return state;
}

void set_random_state(const fixture *f, int64_t rows, uint64_t seed)
{
    for (size_t l = 0; l < layer_count(f); l++) {
        ffebm_tensor *layer = random_layer(f, l, rows, 0, 1, seed + l);

        assert_ok(f->context, ffebm_engine_set_state(f->engine, block_stage(f), l, layer));
        ffebm_tensor_destroy(layer);
    }
}

ffebm_tensor *energies_of(const fixture *f, const ffebm_tensor *x, int64_t rows)
{
    ffebm_tensor *energies;

    assert_ok(f->context, ffebm_tensor_create(f->context, &energies, f->info.dtype, &rows, 1));
    assert_ok(f->context, ffebm_engine_energy(f->engine, energies, block_stage(f), FFEBM_PHASE_FREE, x));
    return energies;
}

problem problem_of(const char *json, int32_t dtype, int32_t threads, int64_t rows)
{
    problem p = {.f = fixture_of(json, dtype, threads, 3)};

    p.x = random_input(&p.f, rows, 5);
    p.y = random_labels(&p.f, rows, 6);
    return p;
}

ffebm_optimizer *sgd_of(problem *p, double learning_rate)
{
    ffebm_sgd_config config;
    ffebm_optimizer *sgd;

    ffebm_sgd_config_init(&config, sizeof config);
    config.learning_rate = learning_rate;
    config.momentum = 0;
    assert_ok(p->f.context, ffebm_optimizer_create_sgd(&sgd, p->f.model, &config));
    return sgd;
}

void problem_end(problem *p)
{
    ffebm_tensor_destroy(p->x);
    ffebm_tensor_destroy(p->y);
    fixture_end(&p->f);
}

void destroy_all(ffebm_tensor **tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ffebm_tensor_destroy(tensors[i]);
}

ffebm_tensor *gradient_of(problem *p, ffebm_report *report)
{
    if (report != NULL)
        *report = (ffebm_report){.size = sizeof *report};
    assert_ok(p->f.context, ffebm_engine_gradient(p->f.engine, report, p->x, p->y, NULL));
    return copy_of(p->f.context, ffebm_engine_flat_gradient(p->f.engine));
}

double worst_error(const fixture *f, const ffebm_tensor *a, const ffebm_tensor *b)
{
    double worst = 0;

    for (size_t i = 0; i < f->info.parameter_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        double difference = 0, size = 0;

        assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, i));
        for (size_t k = info.offset; k < info.offset + info.count; k++) {
            difference += pow(element(a, k) - element(b, k), 2);
            size += pow(element(b, k), 2);
        }
        worst = fmax(worst, difference == 0 ? 0 : sqrt(difference / size));
    }
    return worst;
}

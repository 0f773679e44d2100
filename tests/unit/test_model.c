/* Models: built by calls or parsed, described, initialised, inspected. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

/* Everything that a description can say, away from its defaults. */
static const char full[] =
    "{\"dtype\": \"float64\", \"input\": [2, 3], \"loss\": \"cross_entropy\", "
    "\"initialization\": {\"type\": \"uniform\", \"gain\": 0.5, \"bias\": -0.25}, "
    "\"recipe\": {\"epochs\": 3, \"batch\": 17, \"optimizer\": \"adamw\", \"lr\": 0.1, \"lr_min\": 1e-6, \"schedule\": "
    "\"cosine\", \"schedule_per\": \"step\", \"weight_decay\": 3e-4, \"momentum\": 0.8, \"nesterov\": true, "
    "\"augment\": \"flip-crop\", \"clip_norm\": 2.5, \"lr_factor\": 0.5, \"lr_period\": 7, \"warmup\": 9, \"nudging\": "
    "\"linear\", \"label_smoothing\": 0.125, \"beta\": 0.3, \"switches\": \"hold\", \"estimator\": "
    "\"four_point\", \"free_order\": \"forward\", \"nudged_order\": \"synchronous\", \"repeats\": 2, "
    "\"require_convergence\": true, \"free_sweeps\": 61, \"nudged_sweeps\": "
    "21, \"free_tolerance\": 1e-5, \"nudged_tolerance\": 0.001, \"relaxation\": 1.25, \"precision\": \"mixed\"}, "
    "\"stages\": ["
    "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 7, \"bias\": false}, "
    "{\"type\": \"sigmoid\"}, {\"type\": \"linear\", \"out_features\": 5, \"frozen\": true, \"initialization\": "
    "{\"type\": \"uniform\", \"gain\": 2}}]}, "
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.3}, "
    "\"clamp_last\": true, \"couplings\": [{\"type\": \"dense\", \"out_features\": 8, \"initialization\": {\"type\": "
    "\"uniform\", \"gain\": 0.125, \"bias\": 0.5}}, {\"type\": \"dense\", \"out_features\": 6, \"bias\": false}]}}, "
    "{\"feedforward\": []}, {\"feedforward\": [{\"type\": \"relu\"}, {\"type\": \"linear\", \"out_features\": 4}, "
    "{\"type\": \"tanh\"}]}]}";
static const char small[] = "{\"input\": [3], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "
                            "\"couplings\": [{\"type\": \"dense\", \"out_features\": 2}]}}]}";
static const char bare[] = "{\"input\": [2, 1], \"loss\": \"none\", \"dtype\": \"float32\", \"stages\": [{\"energy\": "
                           "{\"type\": \"hopfield\", \"couplings\": []}}]}";

static const char *const descriptions[] = {full, small, bare};

/* What `full` has inside. */
static const struct {
    const char *name;
    size_t stage;
    int64_t shape[2];
    size_t rank;
    int32_t frozen;
    double gain, bias; /* bias 9: drawn */
} parameters[] = {
    {"stage0.1.weight", 0, {7, 6}, 2, 0, 0.5, 9}, {"stage0.3.weight", 0, {5, 7}, 2, 1, 2, 9},
    {"stage0.3.bias", 0, {5}, 1, 1, 2, 9},        {"stage1.0.weight", 1, {8, 5}, 2, 0, 0.125, 9},
    {"stage1.0.bias", 1, {8}, 1, 0, 0.125, 0.5},  {"stage1.1.weight", 1, {6, 8}, 2, 0, 0.5, 9},
    {"stage3.1.weight", 3, {4, 6}, 2, 0, 0.5, 9}, {"stage3.1.bias", 3, {4}, 1, 0, 0.5, -0.25},
};

enum { PARAMETERS = sizeof parameters / sizeof parameters[0] };

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

static ffebm_model *parsed(const char *json, int32_t dtype)
{
    ffebm_parse_config config = {.size = sizeof config, .dtype = dtype};
    ffebm_model *model;

    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), &config));
    return model;
}

static const char *description_of(ffebm_model *model)
{
    const char *json;
    size_t length;

    assert_ok(context, ffebm_model_description(model, &json, &length));
    ck_assert_uint_eq(strlen(json), length);
    return json;
}

/* ------------------------------------------------------------------------------------------------- builder and parse */

static void add_op(ffebm_feedforward *block, int32_t type, int64_t out, int32_t bias, int32_t frozen,
                   const ffebm_initialization *initialization)
{
    ffebm_op_config config;

    ffebm_op_config_init(&config, sizeof config, type);
    ck_assert_int_eq(config.bias, type == FFEBM_OP_LINEAR);
    config.out = out;
    config.bias = bias;
    config.frozen = frozen;
    config.initialization = initialization;
    assert_ok(context, ffebm_feedforward_add_op(block, &config));
}

static void add_coupling(ffebm_energy *block, int64_t out, int32_t bias, const ffebm_initialization *initialization)
{
    ffebm_coupling_config config;

    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    ck_assert(config.bias == 1 && config.frozen == 0 && config.out == 0 && config.initialization == NULL);
    config.out = out;
    config.bias = bias;
    config.initialization = initialization;
    assert_ok(context, ffebm_energy_add_coupling(block, &config));
}

static void give_feedforward(ffebm_model *model, ffebm_feedforward *block)
{
    assert_ok(context, ffebm_model_add_feedforward(model, &block));
    ck_assert_ptr_null(block);
}

static ffebm_feedforward *new_feedforward(void)
{
    ffebm_feedforward *block;

    assert_ok(context, ffebm_feedforward_create(context, &block));
    return block;
}

static void build_first_stage(ffebm_model *model)
{
    ffebm_initialization wide;
    ffebm_feedforward *block = new_feedforward();

    ffebm_initialization_init(&wide, sizeof wide);
    wide.gain = 2;
    add_op(block, FFEBM_OP_FLATTEN, 0, 0, 0, NULL);
    add_op(block, FFEBM_OP_LINEAR, 7, 0, 0, NULL);
    add_op(block, FFEBM_OP_SIGMOID, 0, 0, 0, NULL);
    add_op(block, FFEBM_OP_LINEAR, 5, 1, 1, &wide);
    wide.gain = 77; /* it was copied */
    give_feedforward(model, block);
}

static void build_energy_stage(ffebm_model *model)
{
    ffebm_initialization own;
    ffebm_activation activation;
    ffebm_hopfield_config config;
    ffebm_energy *block;

    ffebm_initialization_init(&own, sizeof own);
    own.gain = 0.125;
    own.bias = 0.5;
    own.constant_bias = 1;
    ffebm_activation_init(&activation, sizeof activation, FFEBM_ACTIVATION_HARD_SIGMOID);
    activation.slope = 0.3;
    ffebm_hopfield_config_init(&config, sizeof config);
    config.activation = &activation;
    config.clamp_last = 1;
    assert_ok(context, ffebm_energy_create_hopfield(context, &block, &config));
    add_coupling(block, 8, 1, &own);
    add_coupling(block, 6, 0, NULL);
    assert_ok(context, ffebm_model_add_energy(model, &block));
    ck_assert_ptr_null(block);
}

/* `full`, but for its recipe. */
static ffebm_model *built(void)
{
    static const int64_t shape[] = {2, 3};
    ffebm_initialization initialization;
    ffebm_feedforward *last = new_feedforward();
    ffebm_model *model;

    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT64, shape, 2, FFEBM_LOSS_CROSS_ENTROPY));
    ffebm_initialization_init(&initialization, sizeof initialization);
    initialization.gain = 0.5;
    initialization.bias = -0.25;
    initialization.constant_bias = 1;
    assert_ok(context, ffebm_model_set_initialization(model, &initialization));
    build_first_stage(model);
    build_energy_stage(model);
    give_feedforward(model, new_feedforward());
    add_op(last, FFEBM_OP_RELU, 0, 0, 0, NULL);
    add_op(last, FFEBM_OP_LINEAR, 4, 1, 0, NULL);
    add_op(last, FFEBM_OP_TANH, 0, 0, 0, NULL);
    give_feedforward(model, last);
    return model;
}

/* The description without "recipe", which cannot be built. */
static void cut_recipe(char *to, size_t capacity, const char *json)
{
    const char *from = strstr(json, "\"recipe\""), *end = strstr(json, "\"stages\"");

    ck_assert(from != NULL && end != NULL && from < end);
    snprintf(to, capacity, "%.*s%s", (int)(from - json), json, end);
}

START_TEST(builder_equals_parse)
{
    ffebm_model *models[2] = {built(), parsed(full, 0)};
    char texts[2][4096];
    ffebm_tensor *values[2];

    for (size_t i = 0; i < 2; i++) {
        cut_recipe(texts[i], sizeof texts[i], description_of(models[i]));
        assert_ok(context, ffebm_model_initialize(models[i], 5));
        values[i] = ffebm_model_flat_parameters(models[i]);
    }
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_uint_eq(ffebm_tensor_count(values[0]), ffebm_tensor_count(values[1]));
    ck_assert(memcmp(ffebm_tensor_data(values[0]), ffebm_tensor_data(values[1]), ffebm_tensor_count(values[0]) * 8) ==
              0);
    ffebm_model_destroy(models[0]);
    ffebm_model_destroy(models[1]);
}
END_TEST

/* The output for an input that depends on nothing but its shape. */
static ffebm_tensor *output_of(ffebm_model *model)
{
    ffebm_model_info info = {.size = sizeof info};
    ffebm_tensor *x, *output;
    ffebm_engine *engine;

    assert_ok(context, ffebm_model_inspect(model, &info));
    assert_ok(context, ffebm_engine_create(&engine, model, NULL));
    x = random_batch(context, info.dtype, 5, info.input_shape, info.input_rank, -1, 1, 2);
    output = random_batch(context, info.dtype, 5, info.output_shape, info.output_rank, 0, 0, 0);
    assert_ok(context, ffebm_engine_forward(engine, output, &ticket, x));
    ffebm_tensor_destroy(x);
    ffebm_engine_destroy(engine);
    return output;
}

/* Same parameters, drawn alike, with the same output. */
static void assert_equal_models(ffebm_model *a, ffebm_model *b)
{
    ffebm_model_info info = {.size = sizeof info};
    ffebm_tensor *outputs[2];

    assert_ok(context, ffebm_model_inspect(a, &info));
    assert_ok(context, ffebm_model_initialize(a, 9));
    assert_ok(context, ffebm_model_initialize(b, 9));
    for (size_t p = 0; p < info.parameter_count; p++) {
        ffebm_parameter_info pa = {.size = sizeof pa}, pb = {.size = sizeof pb};

        assert_ok(context, ffebm_model_inspect_parameter(a, &pa, p));
        assert_ok(context, ffebm_model_inspect_parameter(b, &pb, p));
        ck_assert_str_eq(pa.name, pb.name);
        ck_assert_msg(pa.frozen == pb.frozen, "%s", pa.name);
        ck_assert_msg(relative_error(pa.value, pb.value) == 0, "%s", pa.name);
    }
    outputs[0] = output_of(a);
    outputs[1] = output_of(b);
    ck_assert(relative_error(outputs[0], outputs[1]) == 0);
    ffebm_tensor_destroy(outputs[0]);
    ffebm_tensor_destroy(outputs[1]);
}

/* Parsing a description gives that description; so it says all that it was told. */
START_TEST(description_round_trip)
{
    for (int32_t dtype = 0; dtype <= FFEBM_FLOAT64; dtype++) {
        ffebm_model *first = parsed(descriptions[_i], dtype), *second = parsed(description_of(first), 0);

        ck_assert_str_eq(description_of(first), description_of(second));
        assert_ok(context, ffebm_model_initialize(first, 1));
        ck_assert_str_eq(description_of(first), description_of(second));
        ck_assert_ptr_eq(description_of(first), description_of(first));
        assert_ok(context,
                  ffebm_model_set_initialization(first, &(ffebm_initialization){.size = sizeof(ffebm_initialization),
                                                                                .gain = 1.0 / 3,
                                                                                .bias = 0.1,
                                                                                .constant_bias = 1,
                                                                                .type = FFEBM_INITIALIZATION_UNIFORM}));
        ck_assert_str_ne(description_of(first), description_of(second));
        ffebm_model_destroy(second);
        second = parsed(description_of(first), 0);
        ck_assert_str_eq(description_of(first), description_of(second));
        assert_equal_models(first, second);
        ffebm_model_destroy(first);
        ffebm_model_destroy(second);
    }
}
END_TEST

/* Key order and white space mean nothing. */
START_TEST(description_is_canonical)
{
    static const char spaced[] =
        " {\n\t\"stages\" : [ { \"energy\" : {\"couplings\":[{\"out_features\":2e0,\"type\":"
        "\"dense\",\"bias\":true}],\"type\":\"hopfield\"}}],\r\n\"loss\":\"mse\",\"input\":[3]} ";
    ffebm_model *a = parsed(small, 0), *b = parsed(spaced, 0);

    ck_assert_str_eq(description_of(a), description_of(b));
    ffebm_model_destroy(a);
    ffebm_model_destroy(b);
}
END_TEST

START_TEST(dtype_of_parse)
{
    static const struct {
        const char *json;
        int32_t ask, get;
    } cases[] = {{small, 0, FFEBM_FLOAT32},
                 {small, FFEBM_FLOAT64, FFEBM_FLOAT64},
                 {full, 0, FFEBM_FLOAT64},
                 {full, FFEBM_FLOAT32, FFEBM_FLOAT32}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ffebm_model *model = parsed(cases[i].json, cases[i].ask);
        ffebm_model_info info = {.size = sizeof info};

        assert_ok(context, ffebm_model_inspect(model, &info));
        ck_assert_int_eq(info.dtype, cases[i].get);
        assert_ok(context, ffebm_model_initialize(model, 1));
        ck_assert_int_eq(ffebm_tensor_dtype(ffebm_model_flat_parameters(model)), cases[i].get);
        ffebm_model_destroy(model);
    }
}
END_TEST

/* ------------------------------------------------------------------------------------- first values where nobody says */

/* A map, pools and flattening below a block with two couplings, and a readout; TOP stands in the model. */
#define PLACES(top)                                                                                                    \
    "{\"dtype\": \"float64\", \"input\": [2, 4, 4], \"loss\": \"none\", " top                                          \
    "\"stages\": [{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 1}, {\"type\": "          \
    "\"conv2d\", "                                                                                                     \
    "\"out_channels\": 3, \"kernel\": 1}, {\"type\": \"avgpool2d\", \"kernel\": 2}]}, {\"feedforward\": [{\"type\": "  \
    "\"flatten\"}]}, {\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": "   \
    "5}, "                                                                                                             \
    "{\"type\": \"dense\", \"out_features\": 4}]}}, {\"feedforward\": [{\"type\": \"linear\", \"out_features\": "      \
    "2}]}]}"

static const struct {
    const char *weight; /* its name without "weight" */
    size_t fan_in;
    double gain;
    double bias; /* 9: drawn as the weight */
} placed[] = {{"stage0.0.", 2, 1, 9},
              {"stage0.1.", 3, 8, 1},
              {"stage2.0.", 12, 2, 2},
              {"stage2.1.", 5, 0.5, 0},
              {"stage3.0.", 4, 1, 9}};

static ffebm_parameter_info named(ffebm_model *model, const char *start, const char *end)
{
    ffebm_parameter_info info = {.size = sizeof info};
    char name[64];

    snprintf(name, sizeof name, "%s%s", start, end);
    ck_assert_int_eq(ffebm_model_inspect_parameter(model, &info, ffebm_model_find_parameter(model, name)), FFEBM_OK);
    return info;
}

/* The largest weight as a part of 1 / sqrt(fan_in): at most the gain, and of many nearly that. */
static void check_drawn(ffebm_model *model, size_t place, bool by_place)
{
    ffebm_parameter_info weight = named(model, placed[place].weight, "weight");
    ffebm_parameter_info bias = named(model, placed[place].weight, "bias");
    double most = 0, gain = by_place ? placed[place].gain : 1;

    for (size_t i = 0; i < weight.count; i++)
        most = fmax(most, fabs(((double *)ffebm_tensor_data(weight.value))[i]) * sqrt((double)placed[place].fan_in));
    ck_assert_msg(most <= gain && most > gain / 2, "%s: %g", weight.name, most);
    for (size_t i = 0; i < bias.count; i++) {
        double value = ((double *)ffebm_tensor_data(bias.value))[i];

        ck_assert(by_place && placed[place].bias != 9 ? value == placed[place].bias : fabs(value) <= 1);
    }
}

/* Without an initialisation parameters are drawn by their place, and the description says so: parsing it gives the same
 * values and the same text. With one of the model it counts everywhere. */
START_TEST(first_values_by_place)
{
    ffebm_model *by_place = parsed(PLACES(""), 0), *again,
                *plain = parsed(PLACES("\"initialization\": {\"type\": \"uniform\"}, "), 0);

    again = parsed(description_of(by_place), 0);
    ck_assert_str_eq(description_of(again), description_of(by_place));
    ck_assert_ptr_null(strstr(description_of(plain), "\"bias\":2"));
    assert_ok(context, ffebm_model_initialize(by_place, 5));
    assert_ok(context, ffebm_model_initialize(again, 5));
    assert_ok(context, ffebm_model_initialize(plain, 5));
    ck_assert_mem_eq(ffebm_tensor_data(ffebm_model_flat_parameters(by_place)),
                     ffebm_tensor_data(ffebm_model_flat_parameters(again)),
                     ffebm_tensor_count(ffebm_model_flat_parameters(again)) * sizeof(double));
    for (size_t i = 0; i < sizeof placed / sizeof placed[0]; i++) {
        check_drawn(by_place, i, true);
        check_drawn(plain, i, false);
    }
    ffebm_model_destroy(by_place);
    ffebm_model_destroy(again);
    ffebm_model_destroy(plain);
}
END_TEST

/* In parts of a layer's range, 1 / slope: all biases and a clamped layer's gains grow with it, the gain below a last layer
 * without bounds with its root. There a pool has the bias of clamped layers. */
START_TEST(first_values_by_slope)
{
    static const struct {
        const char *block;
        double gain, bias;
    } cases[] = {{"\"clamp_last\": true, \"couplings\": [{\"type\": \"conv2d\", ", 0.5, 0.5},
                 {"\"couplings\": [{\"type\": \"conv2d\", ", 0.25, 0},
                 {"\"couplings\": [{\"pool\": {\"type\": \"max\", \"kernel\": 2}, \"type\": \"conv2d\", ", 0.25, 0.5}};
    const double slope = _i / 3 == 0 ? 1 : 1.0 / 16, range = 1 / slope;
    const double power = _i % 3 == 0 ? 1 : 0.5;
    char json[512];
    ffebm_model *model;
    double most = 0;

    snprintf(json, sizeof json,
             "{\"dtype\": \"float64\", \"input\": [4, 2, 2], \"loss\": \"none\", \"stages\": [{\"energy\": {\"type\": "
             "\"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": %.17g}, %s\"out_channels\": 32, "
             "\"kernel\": 1}]}}]}",
             slope, cases[_i % 3].block);
    model = parsed(json, 0);
    assert_ok(context, ffebm_model_initialize(model, 3));
    for (int i = 0; i < 32 * 4; i++)
        most = fmax(most, fabs(((double *)ffebm_tensor_data(named(model, "stage0.0.", "weight").value))[i]) * 2);
    ck_assert_double_le(most, cases[_i % 3].gain * pow(range, power));
    ck_assert_double_gt(most, 0.9 * cases[_i % 3].gain * pow(range, power));
    ck_assert_double_eq(((double *)ffebm_tensor_data(named(model, "stage0.0.", "bias").value))[31],
                        cases[_i % 3].bias * range);
    ffebm_model_destroy(model);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ recipe */

static void check_recipe(const ffebm_model *model, const ffebm_recipe *expected,
                         const ffebm_equilibrium_config *settled)
{
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_equilibrium_config equilibrium = {.size = sizeof equilibrium};

    assert_ok(context, ffebm_model_recipe(model, &recipe));
    assert_ok(context, ffebm_model_equilibrium(model, &equilibrium));
    ck_assert_mem_eq(&recipe, expected, sizeof recipe);
    ck_assert_mem_eq(&equilibrium, settled, sizeof equilibrium);
}

START_TEST(recipe_defaults)
{
    static const ffebm_recipe expected = {.size = sizeof expected,
                                          .epochs = 10,
                                          .batch = 64,
                                          .lr = 1e-3,
                                          .momentum = 0.9,
                                          .optimizer = FFEBM_OPTIMIZER_ADAM,
                                          .schedule = FFEBM_SCHEDULE_CONSTANT,
                                          .schedule_per = FFEBM_PER_EPOCH,
                                          .augment = FFEBM_AUGMENT_NONE,
                                          .lr_factor = 0.1};
    static const ffebm_equilibrium_config settled = {.size = sizeof settled,
                                                     .beta = 1e-3,
                                                     .free_tolerance = 1e-4,
                                                     .nudged_tolerance = 1e-2,
                                                     .free_sweeps = 200,
                                                     .nudged_sweeps = 100,
                                                     .estimator = FFEBM_ESTIMATOR_CENTERED,
                                                     .switches = FFEBM_SWITCHES_HOLD,
                                                     .nudging = FFEBM_NUDGING_AUTO,
                                                     .precision = FFEBM_PRECISION_FULL,
                                                     .free_order = FFEBM_ORDER_COLORS,
                                                     .nudged_order = FFEBM_ORDER_REVERSED,
                                                     .start = FFEBM_START_ZEROS,
                                                     .repeats = 1};
    ffebm_model *models[2] = {built(), parsed(small, 0)};

    for (size_t i = 0; i < 2; i++) {
        check_recipe(models[i], &expected, &settled);
        ffebm_model_destroy(models[i]);
    }
}
END_TEST

START_TEST(recipe_values)
{
    static const ffebm_recipe expected = {.size = sizeof expected,
                                          .epochs = 3,
                                          .batch = 17,
                                          .lr = 0.1,
                                          .lr_min = 1e-6,
                                          .weight_decay = 3e-4,
                                          .momentum = 0.8,
                                          .optimizer = FFEBM_OPTIMIZER_ADAMW,
                                          .schedule = FFEBM_SCHEDULE_COSINE,
                                          .schedule_per = FFEBM_PER_STEP,
                                          .augment = FFEBM_AUGMENT_FLIP_CROP,
                                          .nesterov = 1,
                                          .label_smoothing = 0.125,
                                          .clip_norm = 2.5,
                                          .lr_factor = 0.5,
                                          .lr_period = 7,
                                          .warmup = 9};
    static const ffebm_equilibrium_config settled = {.size = sizeof settled,
                                                     .beta = 0.3,
                                                     .free_tolerance = 1e-5,
                                                     .nudged_tolerance = 1e-3,
                                                     .free_sweeps = 61,
                                                     .nudged_sweeps = 21,
                                                     .estimator = FFEBM_ESTIMATOR_FOUR_POINT,
                                                     .switches = FFEBM_SWITCHES_HOLD,
                                                     .nudging = FFEBM_NUDGING_LINEAR,
                                                     .relaxation = 1.25,
                                                     .precision = FFEBM_PRECISION_MIXED,
                                                     .free_order = FFEBM_ORDER_FORWARD,
                                                     .nudged_order = FFEBM_ORDER_SYNCHRONOUS,
                                                     .start = FFEBM_START_ZEROS,
                                                     .repeats = 2,
                                                     .require_convergence = 1};
    ffebm_model *first = parsed(full, 0), *second = parsed(description_of(first), 0);

    check_recipe(first, &expected, &settled);
    check_recipe(second, &expected, &settled);
    ffebm_model_destroy(first);
    ffebm_model_destroy(second);
}
END_TEST

struct both {
    ffebm_recipe recipe;
    ffebm_equilibrium_config equilibrium;
};

static const struct {
    const char *key, *text;
    size_t offset;
    int32_t value;
} words[] = {
#define WORD(key, text, value)                                                                                         \
    {                                                                                                                  \
#key, "\"" text "\"", offsetof(struct both, recipe.key), value                                                 \
    }
#define SETTLING(key, text, value)                                                                                     \
    {                                                                                                                  \
#key, "\"" text "\"", offsetof(struct both, equilibrium.key), value                                            \
    }
    WORD(optimizer, "sgd", FFEBM_OPTIMIZER_SGD),
    WORD(optimizer, "adam", FFEBM_OPTIMIZER_ADAM),
    WORD(optimizer, "adamw", FFEBM_OPTIMIZER_ADAMW),
    WORD(schedule, "constant", FFEBM_SCHEDULE_CONSTANT),
    WORD(schedule, "cosine", FFEBM_SCHEDULE_COSINE),
    WORD(schedule, "step", FFEBM_SCHEDULE_STEP),
    WORD(schedule_per, "step", FFEBM_PER_STEP),
    WORD(schedule_per, "epoch", FFEBM_PER_EPOCH),
    WORD(augment, "none", FFEBM_AUGMENT_NONE),
    WORD(augment, "flip", FFEBM_AUGMENT_FLIP),
    WORD(augment, "flip-crop", FFEBM_AUGMENT_FLIP_CROP),
    SETTLING(estimator, "centered", FFEBM_ESTIMATOR_CENTERED),
    SETTLING(estimator, "positive", FFEBM_ESTIMATOR_POSITIVE),
    SETTLING(estimator, "negative", FFEBM_ESTIMATOR_NEGATIVE),
    SETTLING(estimator, "four_point", FFEBM_ESTIMATOR_FOUR_POINT),
    SETTLING(estimator, "random_sign", FFEBM_ESTIMATOR_RANDOM_SIGN),
    SETTLING(estimator, "implicit", FFEBM_ESTIMATOR_IMPLICIT),
    SETTLING(switches, "follow", FFEBM_SWITCHES_FOLLOW),
    SETTLING(switches, "hold", FFEBM_SWITCHES_HOLD),
    SETTLING(nudging, "auto", FFEBM_NUDGING_AUTO),
    SETTLING(nudging, "loss", FFEBM_NUDGING_LOSS),
    SETTLING(nudging, "linear", FFEBM_NUDGING_LINEAR),
    {"nesterov", "false", offsetof(struct both, recipe.nesterov), 0},
    {"nesterov", "true", offsetof(struct both, recipe.nesterov), 1},
};

START_TEST(recipe_words)
{
    char json[512];
    struct both read = {{.size = sizeof read.recipe}, {.size = sizeof read.equilibrium}};
    ffebm_model *model;

    snprintf(json, sizeof json,
             "{\"input\": [1], \"loss\": \"none\", \"recipe\": {\"%s\": %s}, \"stages\": [{\"feedforward\": []}]}",
             words[_i].key, words[_i].text);
    model = parsed(json, 0);
    assert_ok(context, ffebm_model_recipe(model, &read.recipe));
    assert_ok(context, ffebm_model_equilibrium(model, &read.equilibrium));
    ck_assert_int_eq(*(const int32_t *)((const char *)&read + words[_i].offset), words[_i].value);
    ffebm_model_destroy(model);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ initial values */

static size_t fan_in(size_t p)
{
    for (; parameters[p].rank < 2; p--) /* a bias stands behind its weight */
        ;
    return (size_t)parameters[p].shape[1];
}

START_TEST(initial_values)
{
    ffebm_model *model = parsed(full, _i % 2 == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64);

    assert_ok(context, ffebm_model_initialize(model, (uint64_t)_i));
    for (size_t p = 0; p < PARAMETERS; p++) {
        ffebm_parameter_info info = {.size = sizeof info};
        double bound = parameters[p].gain / sqrt((double)fan_in(p)), largest = 0, least = 0;

        assert_ok(context, ffebm_model_inspect_parameter(model, &info, p));
        for (size_t i = 0; i < info.count; i++) {
            double value = element(info.value, i);

            largest = fmax(largest, value);
            least = fmin(least, value);
            if (parameters[p].bias != 9)
                ck_assert_msg(value == parameters[p].bias, "seed %d: %s is %g", _i, info.name, value);
        }
        if (parameters[p].bias != 9)
            continue;
        ck_assert_msg(largest <= bound * (1 + 1e-7) && -least <= bound * (1 + 1e-7), "seed %d: %s in %g .. %g, not %g",
                      _i, info.name, least, largest, bound);
        if (info.count >= 20) /* enough to come near both bounds */
            ck_assert_msg(largest > 0.6 * bound && -least > 0.6 * bound, "seed %d: %s in %g .. %g, hardly %g", _i,
                          info.name, least, largest, bound);
    }
    ffebm_model_destroy(model);
}
END_TEST

/* Each number is finite, and what it asks for is beyond float32. */
static const struct {
    const char *initialization;
    const char *named;
} huge[] = {
    {"{\"type\": \"uniform\", \"gain\": 1e300}", "stage0.0.weight"},
    {"{\"type\": \"uniform\", \"gain\": 1, \"bias\": -1e39}", "stage0.0.bias"},
    {"{\"type\": \"goe\", \"variance\": 1e78}", "stage0.0.weight"},
};

START_TEST(values_beyond_the_type)
{
    static const char format[] =
        "{\"input\": [1, 4, 4], \"loss\": \"mse\", \"initialization\": %s,"
        " \"stages\": [{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 2, \"kernel\": 3}]}]}";
    char json[512];
    ffebm_model *model, *good;
    ffebm_tensor *values;
    float before[20];

    snprintf(json, sizeof json, format, huge[_i].initialization);
    model = parsed(json, FFEBM_FLOAT32);
    ck_assert_int_eq(ffebm_model_initialize(model, 1), FFEBM_ERR_NUMERIC);
    ck_assert_ptr_nonnull(strstr(ffebm_context_error(context), huge[_i].named));
    ck_assert_ptr_null(ffebm_model_flat_parameters(model));
    assert_ok(context, ffebm_model_set_bounds(model, "", -2, 2)); /* what is projected can be held */
    assert_ok(context, ffebm_model_initialize(model, 1));
    values = ffebm_model_flat_parameters(model);
    memcpy(before, ffebm_tensor_data(values), sizeof before);
    assert_ok(context, ffebm_model_set_bounds(model, "", -INFINITY, INFINITY));
    ck_assert_int_eq(ffebm_model_initialize(model, 2), FFEBM_ERR_NUMERIC);
    ck_assert(memcmp(before, ffebm_tensor_data(values), sizeof before) == 0);
    ffebm_model_destroy(model);

    good = parsed(json, FFEBM_FLOAT64);
    assert_ok(context, ffebm_model_initialize(good, 1));
    ffebm_model_destroy(good);
}
END_TEST

START_TEST(seeds)
{
    ffebm_model *model = parsed(full, 0), *narrow = parsed(full, FFEBM_FLOAT32), *again = parsed(full, 0);
    ffebm_tensor *values, *other, *single;
    size_t same = 0, constants = 12;

    assert_ok(context, ffebm_model_initialize(model, 7));
    assert_ok(context, ffebm_model_initialize(narrow, 7));
    assert_ok(context, ffebm_model_initialize(again, 8));
    values = ffebm_model_flat_parameters(model);
    single = ffebm_model_flat_parameters(narrow);
    other = ffebm_model_flat_parameters(again);
    for (size_t i = 0; i < ffebm_tensor_count(values); i++) {
        same += element(values, i) == element(other, i);
        ck_assert(element(single, i) == (double)(float)element(values, i));
    }
    ck_assert_uint_eq(same, constants);
    assert_ok(context, ffebm_model_initialize(again, 7));
    ck_assert_ptr_eq(ffebm_model_flat_parameters(again), other);
    ck_assert(memcmp(ffebm_tensor_data(other), ffebm_tensor_data(values), ffebm_tensor_count(values) * 8) == 0);
    ffebm_model_destroy(model);
    ffebm_model_destroy(narrow);
    ffebm_model_destroy(again);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------ inspect */

static void assert_shape(const int64_t *shape, size_t rank, const int64_t *expected, size_t expected_rank)
{
    ck_assert_uint_eq(rank, expected_rank);
    ck_assert(memcmp(shape, expected, rank * sizeof *shape) == 0);
}

START_TEST(inspect_model_and_stages)
{
    static const int64_t in[] = {2, 3}, five[] = {5}, six[] = {6}, four[] = {4};
    static const struct {
        size_t layers, first, parameters;
        const int64_t *in, *out;
        size_t in_rank;
        int32_t kind;
    } stages[] = {{4, 0, 3, in, five, 2, FFEBM_STAGE_FEEDFORWARD},
                  {3, 3, 3, five, six, 1, FFEBM_STAGE_ENERGY},
                  {0, 6, 0, six, six, 1, FFEBM_STAGE_FEEDFORWARD},
                  {3, 6, 2, six, four, 1, FFEBM_STAGE_FEEDFORWARD}};
    ffebm_model *model = parsed(full, 0);
    ffebm_model_info info = {.size = sizeof info};

    assert_ok(context, ffebm_model_inspect(model, &info));
    ck_assert(info.stage_count == 4 && info.parameter_count == PARAMETERS && info.buffer_count == 0 && !info.ready);
    ck_assert(info.dtype == FFEBM_FLOAT64 && info.loss == FFEBM_LOSS_CROSS_ENTROPY && info.reserved_ == 0);
    assert_shape(info.input_shape, info.input_rank, in, 2);
    assert_shape(info.output_shape, info.output_rank, four, 1);
    for (size_t i = 0; i < 4; i++) {
        ffebm_stage_info s = {.size = sizeof s};

        assert_ok(context, ffebm_model_inspect_stage(model, &s, i));
        ck_assert(s.layer_count == stages[i].layers && s.first_parameter == stages[i].first &&
                  s.parameter_count == stages[i].parameters && s.kind == stages[i].kind);
        ck_assert_str_eq(s.type, s.kind == FFEBM_STAGE_ENERGY ? "hopfield" : "feedforward");
        assert_shape(s.input_shape, s.input_rank, stages[i].in, stages[i].in_rank);
        assert_shape(s.output_shape, s.output_rank, stages[i].out, 1);
    }
    assert_ok(context, ffebm_model_initialize(model, 1));
    assert_ok(context, ffebm_model_inspect(model, &info));
    ck_assert_int_eq(info.ready, 1);
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(inspect_layers)
{
    static const int64_t units[][4] = {{6, 7, 7, 5}, {5, 8, 6}, {0}, {6, 4, 4}};
    ffebm_model *model = parsed(full, 0);

    for (size_t s = 0; s < 4; s++)
        for (size_t l = 0; l < 4 && units[s][l] != 0; l++) {
            ffebm_layer_info layer = {.size = sizeof layer};

            assert_ok(context, ffebm_model_inspect_layer(model, &layer, s, l));
            assert_shape(layer.shape, layer.rank, &units[s][l], 1);
            ck_assert_uint_eq(layer.units, (size_t)units[s][l]);
        }
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(inspect_parameters)
{
    ffebm_model *model = parsed(full, 0);
    ffebm_model_info all = {.size = sizeof all};
    size_t offset = 0;

    assert_ok(context, ffebm_model_inspect(model, &all));
    ck_assert_ptr_null(ffebm_model_flat_parameters(model));
    for (int ready = 0; ready < 2; ready++, offset = 0) {
        for (size_t p = 0; p < PARAMETERS; p++) {
            ffebm_parameter_info info = {.size = sizeof info};

            assert_ok(context, ffebm_model_inspect_parameter(model, &info, p));
            ck_assert_str_eq(info.name, parameters[p].name);
            assert_shape(info.shape, info.rank, parameters[p].shape, parameters[p].rank);
            ck_assert(info.stage == parameters[p].stage && info.frozen == parameters[p].frozen &&
                      info.role == FFEBM_ROLE_PARAMETER && info.offset == offset);
            ck_assert((info.value != NULL) == ready);
            ck_assert_uint_eq(ffebm_model_find_parameter(model, info.name), p);
            if (ready)
                ck_assert_ptr_eq(ffebm_tensor_data(info.value),
                                 (double *)ffebm_tensor_data(ffebm_model_flat_parameters(model)) + offset);
            ck_assert(!ready || ffebm_tensor_count(info.value) == info.count);
            offset += info.count;
        }
        ck_assert_uint_eq(offset, all.element_count);
        assert_ok(context, ffebm_model_initialize(model, 1));
        ck_assert_uint_eq(ffebm_tensor_count(ffebm_model_flat_parameters(model)), all.element_count);
    }
    ffebm_model_destroy(model);
}
END_TEST

static int32_t never(void *user, const void *bytes, size_t count)
{
    (void)user, (void)bytes, (void)count;
    ck_abort_msg("bytes that cannot be read back");
}

/* One long list of each kind, which would not end if adding one copied all. Every name is found where it stands. */
START_TEST(many)
{
    enum { MANY = 13000 };
    const int64_t shape[] = {1, 1, 1};
    ffebm_op_config op;
    ffebm_coupling_config coupling;
    ffebm_model *model;
    ffebm_feedforward *ops;
    ffebm_energy *energy;
    ffebm_model_info all = {.size = sizeof all};
    size_t right = 0;

    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_BATCHNORM2D);
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = 1;
    assert_ok(context, ffebm_model_create(context, &model, FFEBM_FLOAT32, shape, 3, FFEBM_LOSS_NONE));
    assert_ok(context, ffebm_feedforward_create(context, &ops));
    assert_ok(context, ffebm_energy_create_hopfield(context, &energy, NULL));
    for (int i = 0; i < MANY; i++)
        right +=
            ffebm_feedforward_add_op(ops, &op) == FFEBM_OK && ffebm_energy_add_coupling(energy, &coupling) == FFEBM_OK;
    assert_ok(context, ffebm_model_add_feedforward(model, &ops));
    assert_ok(context, ffebm_model_add_energy(model, &energy));
    for (int i = 0; i < MANY; i++)
        right +=
            ffebm_feedforward_create(context, &ops) == FFEBM_OK && ffebm_model_add_feedforward(model, &ops) == FFEBM_OK;
    assert_ok(context, ffebm_model_inspect(model, &all));
    ck_assert_uint_eq(all.stage_count, MANY + 2);
    ck_assert_uint_eq(all.parameter_count, 4 * MANY);
    ck_assert_uint_eq(all.buffer_count, 2 * MANY);
    for (size_t i = 0; i < all.parameter_count + all.buffer_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};

        right += ffebm_model_inspect_parameter(model, &info, i) == FFEBM_OK &&
                 ffebm_model_find_parameter(model, info.name) == i;
    }
    ck_assert_uint_eq(right, 2 * MANY + all.parameter_count + all.buffer_count);
    assert_ok(context, ffebm_model_initialize(model, 1));
    ck_assert_int_eq(ffebm_checkpoint_write(model, NULL, NULL, never, NULL), FFEBM_ERR_UNSUPPORTED);
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(find_nothing)
{
    static const char *const names[] = {"",
                                        "stage0",
                                        "stage0.1",
                                        "stage0.1.weight ",
                                        "stage0.1.bias",
                                        "stage0.1.weigh",
                                        "Stage0.1.weight",
                                        "stage4.0.weight",
                                        "stage01.0.weight",
                                        "stage0.01.weight",
                                        "stage0",
                                        "stage0.",
                                        "stage0..weight",
                                        "stage.1.weight",
                                        "stage0.1weight",
                                        "stage18446744073709551616.1.weight",
                                        "stage0.18446744073709551617.weight"};
    ffebm_model *model = parsed(full, 0);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(ffebm_model_find_parameter(model, names[i]) == FFEBM_NONE, "\"%s\"", names[i]);
    ck_assert_uint_eq(ffebm_model_find_parameter(model, NULL), FFEBM_NONE);
    ck_assert_uint_eq(ffebm_model_find_parameter(NULL, "stage0.1.weight"), FFEBM_NONE);
    ck_assert_ptr_null(ffebm_model_flat_parameters(NULL));
    ffebm_model_destroy(NULL);
    ffebm_model_destroy(model);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, builder_equals_parse);
    tcase_add_loop_test(tests, description_round_trip, 0, COUNT(descriptions));
    tcase_add_test(tests, description_is_canonical);
    tcase_add_test(tests, dtype_of_parse);
    tcase_add_test(tests, first_values_by_place);
    tcase_add_loop_test(tests, first_values_by_slope, 0, 6);
    tcase_add_test(tests, recipe_defaults);
    tcase_add_test(tests, recipe_values);
    tcase_add_loop_test(tests, recipe_words, 0, COUNT(words));
    tcase_add_loop_test(tests, initial_values, 0, 8);
    tcase_add_loop_test(tests, values_beyond_the_type, 0, sizeof huge / sizeof huge[0]);
    tcase_add_test(tests, seeds);
    tcase_add_test(tests, inspect_model_and_stages);
    tcase_add_test(tests, inspect_layers);
    tcase_add_test(tests, inspect_parameters);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, many);
    tcase_add_test(tests, find_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

/* What the library refuses: with which status, in which words, and that what refused it still works. */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

/* Stage 0 feedforward, 1 energy, 2 feedforward, 3 energy, 4 readout of 3 classes. */
#define BLOCK "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 5}]}}"
#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
#define CHAIN(loss)                                                                                                    \
    "{\"dtype\": \"float64\", \"input\": [4], \"loss\": \"" loss "\", \"initialization\": {\"type\": \"uniform\", "    \
    "\"gain\": 0.5}, \"stages\": [" LINEAR("6") ", " BLOCK ", " LINEAR("6") ", " BLOCK ", " LINEAR("3") "]}"

static const char chain[] = CHAIN("cross_entropy");

static fixture f;
static ffebm_optimizer *optimizer;
static ffebm_tensor *x, *y, *expected; /* a good batch of 4, and the gradient that it gives */

static void *gradient_data(void)
{
    return ffebm_tensor_data(ffebm_engine_flat_gradient(f.engine));
}

static void setup(void)
{
    f = fixture_of(chain, 0, 1, 3);
    assert_ok(f.context, ffebm_sgd_create(&optimizer, f.model, NULL));
    x = random_input(&f, 4, 5);
    y = random_labels(&f, 4, 6);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    expected = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
}

/* Whatever was refused: the same batch gives the same bits. */
static void teardown(void)
{
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    ck_assert(memcmp(gradient_data(), ffebm_tensor_data(expected), ffebm_tensor_count(expected) * 8) == 0);
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(expected);
    ffebm_optimizer_destroy(optimizer);
    fixture_end(&f);
}

/* This status, in a sentence that begins with its name and has these words. */
static void refused_with(const char *call, ffebm_status found, ffebm_status status, const char *words)
{
    const char *text = ffebm_context_error(f.context), *name = ffebm_status_text(status);
    size_t length = (size_t)(strchr(name, ':') - name) + 2;

    ck_assert_msg(found == status, "%s: %s (%s), expected %s", call, ffebm_status_text(found), text, name);
    ck_assert_msg(strncmp(text, name, length) == 0 && strlen(text) > length, "%s: \"%s\" is not of %s", call, text,
                  name);
    ck_assert_msg(strstr(text, words) != NULL, "%s: \"%s\" lacks \"%s\"", call, text, words);
}

#define REFUSED(call, status, words) refused_with(#call, call, status, words)
/* Where there is no handle to leave a text in. */
#define NO_HANDLE(call) ck_assert_msg((call) == FFEBM_ERR_ARGUMENT, "%s", #call)

/* --------------------------------------------------------------------------------------------------- descriptions */

static const struct {
    const char *json;
    ffebm_status status;
    const char *words;
} descriptions[] = {
#define TOP(rest) "{\"input\": [4], \"loss\": \"mse\", " rest "}"
#define ONE_STAGE(stage) TOP("\"stages\": [" stage "]")
#define ONE_OP(op) ONE_STAGE("{\"feedforward\": [" op "]}")
#define ONE_BLOCK(keys) ONE_STAGE("{\"energy\": {" keys "}}")
#define ONE_COUPLING(keys) ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [{" keys "}]")
#define RECIPE(keys) TOP("\"recipe\": {" keys "}, \"stages\": [{\"feedforward\": []}]")
#define INIT(keys) TOP("\"initialization\": {" keys "}, \"stages\": [{\"feedforward\": []}]")
#define INPUT(dims) "{\"loss\": \"mse\", \"stages\": [{\"feedforward\": []}], \"input\": " dims "}"
    {"", FFEBM_ERR_PARSE, "byte"},
    {"[]", FFEBM_ERR_PARSE, "object"},
    {"null", FFEBM_ERR_PARSE, "object"},
    {"3", FFEBM_ERR_PARSE, "object"},
    {TOP("\"stages\": [{\"feedforward\": []}]") " x", FFEBM_ERR_PARSE, "behind"},
    {TOP("\"stages\": [{\"feedforward\": []}]") "{}", FFEBM_ERR_PARSE, "behind"},
    {TOP("\"stages\": [{\"feedforward\": []},]"), FFEBM_ERR_PARSE, ""},
    {"{'input': [4]}", FFEBM_ERR_PARSE, ""},
    {TOP("\"stages\": []"), FFEBM_ERR_PARSE, "stages"},
    {TOP("\"stages\": {}"), FFEBM_ERR_PARSE, "stages"},
    {TOP("\"dtype\": \"float32\""), FFEBM_ERR_PARSE, "stages"},
    {"{\"input\": [4], \"stages\": [{\"feedforward\": []}]}", FFEBM_ERR_PARSE, "loss"},
    {"{\"loss\": \"mse\", \"stages\": [{\"feedforward\": []}]}", FFEBM_ERR_PARSE, "input"},
    {TOP("\"stages\": [{\"feedforward\": []}], \"Stages\": []"), FFEBM_ERR_PARSE, "Stages"},
    {TOP("\"stages\": [{\"feedforward\": []}], \"loss\": \"mse\""), FFEBM_ERR_PARSE, "loss"},
    {TOP("\"stages\": [{\"feedforward\": []}], \"comment\": 1"), FFEBM_ERR_PARSE, "comment"},
    {TOP("\"stages\": [{\"feedforward\": []}], \"dtype\": \"int64\""), FFEBM_ERR_PARSE, "int64"},
    {TOP("\"stages\": [{\"feedforward\": []}], \"dtype\": 32"), FFEBM_ERR_PARSE, "dtype"},
    {"{\"input\": [4], \"loss\": \"hinge\", \"stages\": [{\"feedforward\": []}]}", FFEBM_ERR_PARSE, "hinge"},
    {"{\"input\": [4], \"loss\": null, \"stages\": [{\"feedforward\": []}]}", FFEBM_ERR_PARSE, "loss"},
    {INPUT("4"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[]"), FFEBM_ERR_SHAPE, "rank 0"},
    {INPUT("[0]"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[-4]"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[2.5]"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[\"4\"]"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[4, 1e999]"), FFEBM_ERR_PARSE, "dimension 1"},
    {INPUT("[9223372036854775808]"), FFEBM_ERR_PARSE, "input"},
    {INPUT("[2000000000, 2000000000]"), FFEBM_ERR_SHAPE, "overflow"},
    {INPUT("[1, 1, 1, 1, 1, 1, 1, 1]"), FFEBM_ERR_SHAPE, "rank 8"},
    {INPUT("[1, 1, 1, 1, 1, 1, 1, 1, 1]"), FFEBM_ERR_SHAPE, "input"},
    {ONE_STAGE("3"), FFEBM_ERR_PARSE, "stage 0"},
    {ONE_STAGE("{}"), FFEBM_ERR_PARSE, "stage 0"},
    {ONE_STAGE("{\"feedforward\": []}, {\"digital\": []}"), FFEBM_ERR_PARSE, "stage 1: unknown key \"digital\""},
    {ONE_STAGE("{\"feedforward\": [], \"energy\": {}}"), FFEBM_ERR_PARSE, "stage 0"},
    {ONE_STAGE("{\"feedforward\": [], \"feedforward\": []}"), FFEBM_ERR_PARSE, "feedforward"},
    {ONE_STAGE("{\"feedforward\": {}}"), FFEBM_ERR_PARSE, "stage 0"},
    {ONE_STAGE("{\"energy\": []}"), FFEBM_ERR_PARSE, "stage 0"},
    {ONE_OP("{\"type\": \"relu\"}, 7"), FFEBM_ERR_PARSE, "stage 0 op 1"},
    {ONE_OP("{}"), FFEBM_ERR_PARSE, "type"},
    {ONE_OP("{\"type\": \"gelu\"}"), FFEBM_ERR_PARSE, "gelu"},
    {ONE_OP("{\"type\": 8}"), FFEBM_ERR_PARSE, "type"},
    {ONE_OP("{\"type\": \"relu\", \"type\": \"relu\"}"), FFEBM_ERR_PARSE, "type"},
    {ONE_OP("{\"type\": \"relu\", \"out_features\": 3}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\"}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 0}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 1.5}"), FFEBM_ERR_PARSE, "1.5"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 1e999}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": -1e999}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 1e18}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 9007199254740992}"), FFEBM_ERR_SHAPE, "stage 0 op 0 (linear)"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": \"3\"}"), FFEBM_ERR_PARSE, "out_features"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 3, \"bias\": 1}"), FFEBM_ERR_PARSE, "bias"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 3, \"frozen\": \"yes\"}"), FFEBM_ERR_PARSE, "frozen"},
    {ONE_OP("{\"type\": \"linear\", \"out_features\": 3, \"initialization\": 1}"), FFEBM_ERR_PARSE, "initialization"},
    {"{\"input\": [2, 2], \"loss\": \"mse\", \"stages\": [" LINEAR("3") "]}", FFEBM_ERR_SHAPE, "[2, 2]"},
    {"{\"input\": [2000000000], \"loss\": \"mse\", \"stages\": [" LINEAR("2000000000") "]}", FFEBM_ERR_SHAPE,
     "overflow"},
    {ONE_BLOCK("\"couplings\": []"), FFEBM_ERR_PARSE, "type"},
    {ONE_BLOCK("\"type\": \"hopfield\""), FFEBM_ERR_PARSE, "couplings"},
    {ONE_BLOCK("\"type\": \"ising\", \"couplings\": []"), FFEBM_ERR_PARSE, "ising"},
    {ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": {}"), FFEBM_ERR_PARSE, "couplings"},
    {ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [], \"clamp_last\": 0"), FFEBM_ERR_PARSE, "clamp_last"},
    {ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [], \"slope\": 1"), FFEBM_ERR_PARSE, "slope"},
#define ACTIVATION(keys) ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [], \"activation\": {" keys "}")
    {ACTIVATION("\"slope\": 1"), FFEBM_ERR_PARSE, "type"},
    {ACTIVATION("\"type\": \"tanh\""), FFEBM_ERR_PARSE, "tanh"},
    {ACTIVATION("\"type\": \"hard_sigmoid\", \"slope\": 0"), FFEBM_ERR_PARSE, "slope"},
    {ACTIVATION("\"type\": \"hard_sigmoid\", \"slope\": 1e999"), FFEBM_ERR_PARSE, "slope"},
    {ACTIVATION("\"type\": \"hard_sigmoid\", \"gain\": 1"), FFEBM_ERR_PARSE, "gain"},
    {ONE_COUPLING("\"out_features\": 3"), FFEBM_ERR_PARSE, "type"},
    {ONE_COUPLING("\"type\": \"sparse\", \"out_features\": 3"), FFEBM_ERR_PARSE, "sparse"},
    {ONE_COUPLING("\"type\": \"dense\""), FFEBM_ERR_PARSE, "coupling 0"},
    {ONE_COUPLING("\"type\": \"dense\", \"out_features\": -3"), FFEBM_ERR_PARSE, "-3"},
    {ONE_COUPLING("\"type\": \"dense\", \"out_features\": 3, \"pond\": 1"), FFEBM_ERR_PARSE, "pond"},
    {ONE_COUPLING("\"type\": \"dense\", \"out_features\": 3000000000"), FFEBM_ERR_SHAPE, "stage 0 coupling 0"},
    {INIT("\"gain\": 1"), FFEBM_ERR_PARSE, "type"},
    {INIT("\"type\": \"uniform\", \"gain\": 0"), FFEBM_ERR_PARSE, "gain"},
    {INIT("\"type\": \"uniform\", \"gain\": -1"), FFEBM_ERR_PARSE, "-1"},
    {INIT("\"type\": \"uniform\", \"bias\": 1e999"), FFEBM_ERR_PARSE, "bias"},
    {INIT("\"type\": \"ones\""), FFEBM_ERR_PARSE, "ones"},
    {INIT("\"type\": \"uniform\", \"std\": 1"), FFEBM_ERR_PARSE, "std"},
    {TOP("\"recipe\": [], \"stages\": [{\"feedforward\": []}]"), FFEBM_ERR_PARSE, "recipe"},
    {RECIPE("\"epoch\": 1"), FFEBM_ERR_PARSE, "epoch"},
    {RECIPE("\"epochs\": 0"), FFEBM_ERR_PARSE, "epochs"},
    {RECIPE("\"batch\": 1.5"), FFEBM_ERR_PARSE, "batch"},
    {RECIPE("\"label_smoothing\": 1"), FFEBM_ERR_PARSE, "\"label_smoothing\" is 1, expected less than 1"},
    {RECIPE("\"label_smoothing\": -0.5"), FFEBM_ERR_PARSE, "label_smoothing"},
    {RECIPE("\"lr\": -1"), FFEBM_ERR_PARSE, "lr"},
    {RECIPE("\"lr\": 1e999"), FFEBM_ERR_PARSE, "lr"},
    {RECIPE("\"beta\": 0"), FFEBM_ERR_PARSE, "beta"},
    {RECIPE("\"optimizer\": \"lion\""), FFEBM_ERR_PARSE, "lion"},
    {RECIPE("\"nesterov\": 1"), FFEBM_ERR_PARSE, "nesterov"},
    {RECIPE("\"lr\": 1, \"lr\": 1"), FFEBM_ERR_PARSE, "lr"},
};

static ffebm_status parse(const char *json, size_t length)
{
    ffebm_model *model = f.model;
    ffebm_status status = ffebm_model_parse(f.context, &model, json, length, NULL);

    ck_assert((status == FFEBM_OK) == (model != NULL));
    ffebm_model_destroy(model);
    return status;
}

START_TEST(description)
{
    const char *json = descriptions[_i].json;

    refused_with(json, parse(json, strlen(json)), descriptions[_i].status, descriptions[_i].words);
}
END_TEST

/* Cut at any byte, in memory that ends there. */
START_TEST(description_truncated)
{
    for (size_t length = 0; length < sizeof chain - 1; length++) {
        char *part = malloc(length + (length == 0)), message[64];

        memcpy(part, chain, length);
        snprintf(message, sizeof message, "the first %zu bytes", length);
        refused_with(message, parse(part, length), FFEBM_ERR_PARSE, "");
        free(part);
    }
}
END_TEST

/* A NUL is no JSON, wherever it stands: between words it is no space, in a word not its end. */
START_TEST(description_with_nul)
{
    size_t accepted = 0, first = 0;

    for (size_t at = 0; at < sizeof chain; at++) {
        char text[sizeof chain] = {0};

        memcpy(text, chain, at);
        memcpy(text + at + 1, chain + at, sizeof chain - 1 - at);
        if (parse(text, sizeof text) == FFEBM_ERR_PARSE)
            continue;
        if (accepted++ == 0)
            first = at;
    }
    ck_assert_msg(accepted == 0, "NUL accepted at %zu places, first at byte %zu", accepted, first);
}
END_TEST

START_TEST(description_with_escaped_nul)
{
    static const char *const texts[] = {
        "{\"input\": [4], \"loss\": \"mse\\u0000x\", \"stages\": [{\"feedforward\": []}]}",
        "{\"input\": [4], \"loss\\u0000\": \"mse\", \"stages\": [{\"feedforward\": []}]}"};

    refused_with(texts[_i], parse(texts[_i], strlen(texts[_i])), FFEBM_ERR_PARSE, "");
}
END_TEST

/* Nested deeper than any description, in any kind of bracket, closed or not. */
START_TEST(description_too_deep)
{
    enum { DEEP = 200000 };
    static const char *const units[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"stages\":", "}]"}};
    const char *open = units[_i][0], *close = units[_i][1];
    char *text = malloc(DEEP * (strlen(open) + strlen(close)) + 2), *at = text;

    for (int i = 0; i < DEEP; i++)
        at += sprintf(at, "%s", open);
    refused_with("open brackets", parse(text, (size_t)(at - text)), FFEBM_ERR_PARSE, "levels");
    *at++ = '1';
    for (int i = 0; i < DEEP; i++)
        at += sprintf(at, "%s", close);
    refused_with("brackets", parse(text, (size_t)(at - text)), FFEBM_ERR_PARSE, "levels");
    free(text);
}
END_TEST

START_TEST(description_too_long)
{
    size_t length = (size_t)17 << 20;
    char *text = malloc(length);

    memset(text, ' ', length);
    memcpy(text + length - (sizeof chain - 1), chain, sizeof chain - 1);
    refused_with("17 MiB", parse(text, length), FFEBM_ERR_PARSE, "bytes");
    free(text);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- creating handles */

START_TEST(nulls_leave_null_handles)
{
    static const int64_t shape[] = {4};
    double data[4] = {0};
    union {
        void *any;
        ffebm_tensor *tensor;
        ffebm_model *model;
        ffebm_feedforward *feedforward;
        ffebm_energy *energy;
        ffebm_engine *engine;
        ffebm_optimizer *optimizer;
    } h;

#define GIVES_NULL(call)                                                                                               \
    do {                                                                                                               \
        h.any = &h;                                                                                                    \
        NO_HANDLE(call);                                                                                               \
        ck_assert_msg(h.any == NULL, "%s: the handle is not NULL", #call);                                             \
    } while (0)
    switch (_i) {
    case 0:
        GIVES_NULL(ffebm_engine_create(&h.engine, NULL, NULL));
        GIVES_NULL(ffebm_sgd_create(&h.optimizer, NULL, NULL));
        GIVES_NULL(ffebm_adam_create(&h.optimizer, NULL, NULL));
        GIVES_NULL(ffebm_model_parse(f.context, &h.model, NULL, 3, NULL));
        GIVES_NULL(ffebm_model_create(f.context, &h.model, FFEBM_FLOAT32, NULL, 1, FFEBM_LOSS_MSE));
        break;
    case 1:
        GIVES_NULL(ffebm_tensor_create(NULL, &h.tensor, FFEBM_FLOAT32, shape, 1));
        break;
    case 2:
        GIVES_NULL(ffebm_tensor_wrap(NULL, &h.tensor, data, FFEBM_FLOAT64, shape, 1));
        break;
    case 3:
        GIVES_NULL(ffebm_model_create(NULL, &h.model, FFEBM_FLOAT32, shape, 1, FFEBM_LOSS_MSE));
        break;
    case 4:
        GIVES_NULL(ffebm_model_parse(NULL, &h.model, chain, sizeof chain - 1, NULL));
        break;
    case 5:
        GIVES_NULL(ffebm_feedforward_create(NULL, &h.feedforward));
        break;
    default:
        GIVES_NULL(ffebm_energy_create_hopfield(NULL, &h.energy, NULL));
    }
}
END_TEST

START_TEST(nulls)
{
    ffebm_report report = {.size = sizeof report};
    const char *text = chain;

    REFUSED(ffebm_model_create(f.context, NULL, FFEBM_FLOAT32, (const int64_t[]){4}, 1, FFEBM_LOSS_MSE),
            FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_parse(f.context, NULL, chain, sizeof chain - 1, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_feedforward_create(f.context, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_energy_create_hopfield(f.context, NULL, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_engine_create(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_sgd_create(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_adam_create(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_description(f.model, NULL, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_add_feedforward(f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_model_add_energy(f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    REFUSED(ffebm_engine_gradient(f.engine, &report, NULL, y, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_gradient(f.engine, &report, x, NULL, NULL), FFEBM_ERR_ARGUMENT, "target");
    REFUSED(ffebm_engine_evaluate(f.engine, &report, NULL, y, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_evaluate(f.engine, &report, x, NULL, NULL), FFEBM_ERR_ARGUMENT, "target");
    REFUSED(ffebm_engine_forward(f.engine, NULL, NULL), FFEBM_ERR_ARGUMENT, "input");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, NULL, 0), FFEBM_ERR_ARGUMENT, "output_cotangent");
    REFUSED(ffebm_engine_settle(f.engine, 1, NULL, NULL), FFEBM_ERR_ARGUMENT, "input");
    REFUSED(ffebm_engine_energy(f.engine, NULL, 1, FFEBM_PHASE_FREE, x), FFEBM_ERR_ARGUMENT, "energies");
    REFUSED(ffebm_engine_get_state(f.engine, NULL, 1, 0, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "state");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 0, NULL), FFEBM_ERR_ARGUMENT, "state");
    NO_HANDLE(ffebm_model_description(NULL, &text, NULL));
    ck_assert_ptr_null(text);
    NO_HANDLE(ffebm_model_initialize(NULL, 1));
    NO_HANDLE(ffebm_model_set_initialization(NULL, NULL));
    NO_HANDLE(ffebm_model_add_feedforward(NULL, NULL));
    NO_HANDLE(ffebm_model_add_energy(NULL, NULL));
    NO_HANDLE(ffebm_model_recipe(NULL, NULL));
    NO_HANDLE(ffebm_model_inspect(NULL, NULL));
    NO_HANDLE(ffebm_model_inspect_stage(NULL, NULL, 0));
    NO_HANDLE(ffebm_model_inspect_layer(NULL, NULL, 0, 0));
    NO_HANDLE(ffebm_model_inspect_parameter(NULL, NULL, 0));
    NO_HANDLE(ffebm_feedforward_add_op(NULL, NULL));
    NO_HANDLE(ffebm_energy_add_coupling(NULL, NULL));
    NO_HANDLE(ffebm_engine_configure(NULL, 1, NULL));
    NO_HANDLE(ffebm_engine_gradient(NULL, NULL, x, y, NULL));
    NO_HANDLE(ffebm_engine_evaluate(NULL, NULL, x, y, NULL));
    NO_HANDLE(ffebm_engine_forward(NULL, NULL, x));
    NO_HANDLE(ffebm_engine_vjp(NULL, NULL, x, 0));
    NO_HANDLE(ffebm_engine_settle(NULL, 1, x, NULL));
    NO_HANDLE(ffebm_engine_energy(NULL, x, 1, FFEBM_PHASE_FREE, x));
    NO_HANDLE(ffebm_engine_energy_gradient(NULL, 1, FFEBM_PHASE_FREE));
    NO_HANDLE(ffebm_engine_get_state(NULL, x, 1, 0, FFEBM_PHASE_FREE));
    NO_HANDLE(ffebm_engine_set_state(NULL, 1, 0, x));
    NO_HANDLE(ffebm_engine_inspect_phase(NULL, NULL, 1, FFEBM_PHASE_FREE));
    ck_assert_ptr_null(ffebm_engine_flat_gradient(NULL));
    ffebm_engine_destroy(NULL);
    ffebm_optimizer_destroy(NULL);
    ffebm_feedforward_destroy(NULL);
    ffebm_energy_destroy(NULL);
}
END_TEST

/* A configuration with one field out of range, and the word that the text must have. */
enum { SGD, ADAM, EQUILIBRIUM, HOPFIELD, LINEAR_OP, RELU_OP, COUPLING, INITIALIZATION };

static const struct {
    int kind;
    size_t offset;
    int is_number;
    double number;
    int64_t integer; /* written as int32_t if not `out` */
    const char *word;
} fields[] = {
#define NUMBER(kind, type, field, value)                                                                               \
    {                                                                                                                  \
        kind, offsetof(type, field), 1, value, 0, #field                                                               \
    }
#define INTEGER(kind, type, field, value)                                                                              \
    {                                                                                                                  \
        kind, offsetof(type, field), 0, 0, value, #field                                                               \
    }
#define RATES(kind, type, field)                                                                                       \
    NUMBER(kind, type, field, -1), NUMBER(kind, type, field, NAN), NUMBER(kind, type, field, INFINITY)
    RATES(SGD, ffebm_sgd_config, learning_rate),
    RATES(SGD, ffebm_sgd_config, momentum),
    NUMBER(SGD, ffebm_sgd_config, momentum, 1),
    RATES(SGD, ffebm_sgd_config, weight_decay),
    RATES(SGD, ffebm_sgd_config, clip_norm),
    INTEGER(SGD, ffebm_sgd_config, nesterov, 2),
    INTEGER(SGD, ffebm_sgd_config, reserved_, 1),
    RATES(ADAM, ffebm_adam_config, learning_rate),
    RATES(ADAM, ffebm_adam_config, beta1),
    NUMBER(ADAM, ffebm_adam_config, beta1, 1),
    RATES(ADAM, ffebm_adam_config, beta2),
    NUMBER(ADAM, ffebm_adam_config, beta2, 1),
    RATES(ADAM, ffebm_adam_config, epsilon),
    NUMBER(ADAM, ffebm_adam_config, epsilon, 0),
    RATES(ADAM, ffebm_adam_config, weight_decay),
    RATES(ADAM, ffebm_adam_config, clip_norm),
    INTEGER(ADAM, ffebm_adam_config, decoupled_decay, -1),
    INTEGER(ADAM, ffebm_adam_config, reserved_, 1),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, beta),
    NUMBER(EQUILIBRIUM, ffebm_equilibrium_config, beta, 0),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, free_tolerance),
    RATES(EQUILIBRIUM, ffebm_equilibrium_config, nudged_tolerance),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, estimator, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, estimator, 99),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, nudging, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, nudging, 4),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, start, 0),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, start, 3),
    INTEGER(EQUILIBRIUM, ffebm_equilibrium_config, require_convergence, 2),
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, free_order), 0, 0, 6, "order"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, nudged_order), 0, 0, 0, "order"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, free_sweeps), 2, 0, 0, "free_sweeps"},
    {EQUILIBRIUM, offsetof(ffebm_equilibrium_config, nudged_sweeps), 2, 0, INT64_MIN, "nudged_sweeps"},
    RATES(HOPFIELD, ffebm_hopfield_config, slope),
    NUMBER(HOPFIELD, ffebm_hopfield_config, slope, 0),
    INTEGER(HOPFIELD, ffebm_hopfield_config, activation, 0),
    INTEGER(HOPFIELD, ffebm_hopfield_config, clamp_last, 2),
    {LINEAR_OP, offsetof(ffebm_op_config, out), 2, 0, 0, "out"},
    {LINEAR_OP, offsetof(ffebm_op_config, out), 2, 0, -5, "-5"},
    INTEGER(LINEAR_OP, ffebm_op_config, type, 99),
    INTEGER(LINEAR_OP, ffebm_op_config, bias, 2),
    INTEGER(LINEAR_OP, ffebm_op_config, frozen, -1),
    {RELU_OP, offsetof(ffebm_op_config, out), 2, 0, 3, "out"},
    INTEGER(RELU_OP, ffebm_op_config, bias, 1),
    INTEGER(RELU_OP, ffebm_op_config, frozen, 1),
    {COUPLING, offsetof(ffebm_coupling_config, out), 2, 0, 0, "out"},
    INTEGER(COUPLING, ffebm_coupling_config, type, 0),
    INTEGER(COUPLING, ffebm_coupling_config, bias, 2),
    INTEGER(COUPLING, ffebm_coupling_config, frozen, 2),
    RATES(INITIALIZATION, ffebm_initialization, gain),
    NUMBER(INITIALIZATION, ffebm_initialization, gain, 0),
    NUMBER(INITIALIZATION, ffebm_initialization, bias, NAN),
    INTEGER(INITIALIZATION, ffebm_initialization, type, 9),
    INTEGER(INITIALIZATION, ffebm_initialization, constant_bias, 2),
};

typedef union settings {
    ffebm_sgd_config sgd;
    ffebm_adam_config adam;
    ffebm_equilibrium_config equilibrium;
    ffebm_hopfield_config hopfield;
    ffebm_op_config op;
    ffebm_coupling_config coupling;
    ffebm_initialization initialization;
} settings;

static void fill(settings *s, int kind)
{
    ffebm_sgd_config_init(&s->sgd, kind == SGD ? sizeof s->sgd : 0);
    ffebm_adam_config_init(&s->adam, kind == ADAM ? sizeof s->adam : 0);
    ffebm_equilibrium_config_init(&s->equilibrium, kind == EQUILIBRIUM ? sizeof s->equilibrium : 0);
    ffebm_hopfield_config_init(&s->hopfield, kind == HOPFIELD ? sizeof s->hopfield : 0);
    ffebm_initialization_init(&s->initialization, kind == INITIALIZATION ? sizeof s->initialization : 0);
    ffebm_coupling_config_init(&s->coupling, kind == COUPLING ? sizeof s->coupling : 0, FFEBM_COUPLING_DENSE);
    if (kind == LINEAR_OP || kind == RELU_OP)
        ffebm_op_config_init(&s->op, sizeof s->op, kind == LINEAR_OP ? FFEBM_OP_LINEAR : FFEBM_OP_RELU);
    if (kind == LINEAR_OP)
        s->op.out = 3;
    if (kind == COUPLING)
        s->coupling.out = 3;
}

static ffebm_status use_op(const settings *s)
{
    ffebm_feedforward *block;
    ffebm_status status;

    assert_ok(f.context, ffebm_feedforward_create(f.context, &block));
    status = ffebm_feedforward_add_op(block, &s->op);
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status use_block(const settings *s, int kind)
{
    ffebm_energy *block = (void *)&f;
    ffebm_status status = ffebm_energy_create_hopfield(f.context, &block, kind == HOPFIELD ? &s->hopfield : NULL);

    ck_assert((status == FFEBM_OK) == (block != NULL));
    if (kind == COUPLING)
        status = ffebm_energy_add_coupling(block, &s->coupling);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status use_optimizer(const settings *s, int kind)
{
    ffebm_optimizer *made = optimizer;
    ffebm_status status =
        kind == SGD ? ffebm_sgd_create(&made, f.model, &s->sgd) : ffebm_adam_create(&made, f.model, &s->adam);

    ck_assert((status == FFEBM_OK) == (made != NULL));
    ffebm_optimizer_destroy(made);
    return status;
}

static ffebm_status use(const settings *s, int kind)
{
    switch (kind) {
    case SGD:
    case ADAM:
        return use_optimizer(s, kind);
    case EQUILIBRIUM:
        return ffebm_engine_configure(f.engine, FFEBM_ALL, &s->equilibrium);
    case LINEAR_OP:
    case RELU_OP:
        return use_op(s);
    case INITIALIZATION:
        return ffebm_model_set_initialization(f.model, &s->initialization);
    default:
        return use_block(s, kind);
    }
}

START_TEST(field_out_of_range)
{
    const int32_t small = (int32_t)fields[_i].integer;
    settings s;
    char *at = (char *)&s + fields[_i].offset;

    memset(&s, 0, sizeof s);
    fill(&s, fields[_i].kind);
    assert_ok(f.context, use(&s, fields[_i].kind));
    if (fields[_i].is_number == 1)
        memcpy(at, &fields[_i].number, sizeof fields[_i].number);
    else if (fields[_i].is_number == 2)
        memcpy(at, &fields[_i].integer, sizeof fields[_i].integer);
    else
        memcpy(at, &small, sizeof small);
    refused_with(fields[_i].word, use(&s, fields[_i].kind), FFEBM_ERR_ARGUMENT, fields[_i].word);
    fill(&s, fields[_i].kind);
    assert_ok(f.context, use(&s, fields[_i].kind));
}
END_TEST

START_TEST(model_refuses)
{
    static const int64_t good[] = {2, 2}, bad[] = {2, 0}, eight[] = {1, 1, 1, 1, 1, 1, 1, 1};
    ffebm_parse_config config = {.size = sizeof config, .dtype = FFEBM_INT64};
    ffebm_model *model = f.model;

#define CREATE(dtype, shape, rank, loss) ffebm_model_create(f.context, &model, dtype, shape, rank, loss)
    REFUSED(CREATE(FFEBM_INT64, good, 2, FFEBM_LOSS_MSE), FFEBM_ERR_DTYPE, "3");
    ck_assert_ptr_null(model);
    REFUSED(CREATE(0, good, 2, FFEBM_LOSS_MSE), FFEBM_ERR_DTYPE, "dtype 0");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 2, 7), FFEBM_ERR_ARGUMENT, "loss 7");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 2, -1), FFEBM_ERR_ARGUMENT, "loss -1");
    REFUSED(CREATE(FFEBM_FLOAT32, good, 0, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "rank 0");
    REFUSED(CREATE(FFEBM_FLOAT32, eight, 8, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "rank 8");
    REFUSED(CREATE(FFEBM_FLOAT32, bad, 2, FFEBM_LOSS_MSE), FFEBM_ERR_SHAPE, "dimension 1 is 0");
#undef CREATE
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_DTYPE, "3");
    config.dtype = 9;
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_DTYPE, "9");
    config = (ffebm_parse_config){.size = sizeof config, .reserved_ = 1};
    REFUSED(ffebm_model_parse(f.context, &model, chain, sizeof chain - 1, &config), FFEBM_ERR_ARGUMENT, "reserved_");
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(index_out_of_range)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_layer_info layer = {.size = sizeof layer};
    ffebm_parameter_info parameter = {.size = sizeof parameter};
    ffebm_phase_report phase = {.size = sizeof phase};
    static const size_t stages[] = {0, 5, 99, FFEBM_ALL};

    REFUSED(ffebm_model_inspect_stage(f.model, &stage, 5), FFEBM_ERR_ARGUMENT, "stage 5 of 5");
    REFUSED(ffebm_model_inspect_stage(f.model, &stage, FFEBM_ALL), FFEBM_ERR_ARGUMENT, "stage");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 9, 0), FFEBM_ERR_ARGUMENT, "9");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 1, 2), FFEBM_ERR_ARGUMENT, "2");
    REFUSED(ffebm_model_inspect_layer(f.model, &layer, 0, FFEBM_ALL), FFEBM_ERR_ARGUMENT, "stage 0");
    REFUSED(ffebm_model_inspect_parameter(f.model, &parameter, 10), FFEBM_ERR_ARGUMENT, "10");
    REFUSED(ffebm_model_inspect_parameter(f.model, &parameter, FFEBM_NONE), FFEBM_ERR_ARGUMENT, "parameter");
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        REFUSED(ffebm_engine_settle(f.engine, stages[i], x, NULL), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_energy(f.engine, x, stages[i], FFEBM_PHASE_FREE, x), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_energy_gradient(f.engine, stages[i], FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_get_state(f.engine, x, stages[i], 0, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_set_state(f.engine, stages[i], 0, x), FFEBM_ERR_ARGUMENT, "stage");
        if (stages[i] == FFEBM_ALL)
            continue;
        REFUSED(ffebm_engine_configure(f.engine, stages[i], NULL), FFEBM_ERR_ARGUMENT, "stage");
        REFUSED(ffebm_engine_inspect_phase(f.engine, &phase, stages[i], FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "stage");
    }
    for (int32_t p = 0; p <= 3; p += 3) {
        REFUSED(ffebm_engine_energy(f.engine, x, 1, p, x), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_energy_gradient(f.engine, 1, p), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_get_state(f.engine, x, 1, 0, p), FFEBM_ERR_ARGUMENT, "phase");
        REFUSED(ffebm_engine_inspect_phase(f.engine, &phase, 1, p), FFEBM_ERR_ARGUMENT, "phase");
    }
    REFUSED(ffebm_engine_get_state(f.engine, x, 1, 2, FFEBM_PHASE_FREE), FFEBM_ERR_ARGUMENT, "2 layers");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 2, x), FFEBM_ERR_ARGUMENT, "2 layers");
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- adding stages */

static ffebm_model *parsed(ffebm_context *context, const char *json)
{
    ffebm_model *model;

    assert_ok(context, ffebm_model_parse(context, &model, json, strlen(json), NULL));
    return model;
}

START_TEST(stages_refused)
{
    static const char plain[] = "{\"input\": [2, 2], \"loss\": \"none\", \"stages\": [{\"feedforward\": []}]}";
    ffebm_model *building = parsed(f.context, plain), *kept = building;
    ffebm_context *another;
    ffebm_feedforward *block, *foreign, *same;
    ffebm_op_config config;

    ck_assert_int_eq(ffebm_context_create(&another, NULL), FFEBM_OK);
    assert_ok(another, ffebm_feedforward_create(another, &foreign));
    assert_ok(f.context, ffebm_feedforward_create(f.context, &block));
    ffebm_op_config_init(&config, sizeof config, FFEBM_OP_LINEAR);
    config.out = 2;
    assert_ok(f.context, ffebm_feedforward_add_op(block, &config));
    same = block;
    REFUSED(ffebm_model_add_feedforward(f.model, &block), FFEBM_ERR_STATE, "model");
    REFUSED(ffebm_model_add_feedforward(building, &foreign), FFEBM_ERR_ARGUMENT, "another context");
    REFUSED(ffebm_model_add_feedforward(building, &block), FFEBM_ERR_SHAPE, "stage 1 op 0 (linear)");
    ck_assert(strstr(ffebm_context_error(f.context), "[2, 2]") != NULL);
    ck_assert_ptr_eq(block, same);
    ck_assert_ptr_nonnull(foreign);
    REFUSED(ffebm_feedforward_add_op(block, NULL), FFEBM_ERR_ARGUMENT, "config");

    assert_ok(f.context, ffebm_model_create(f.context, &building, FFEBM_FLOAT32, (const int64_t[]){4}, 1,
                                            FFEBM_LOSS_CROSS_ENTROPY));
    assert_ok(f.context, ffebm_model_add_feedforward(building, &block)); /* refused there, it fits here */
    assert_ok(f.context, ffebm_model_initialize(building, 1));
    assert_ok(f.context, ffebm_model_initialize(kept, 1));
    ffebm_feedforward_destroy(foreign);
    ffebm_context_destroy(another);
    ffebm_model_destroy(building);
    ffebm_model_destroy(kept);
}
END_TEST

START_TEST(energy_stages_refused)
{
    ffebm_energy *block, *same;
    ffebm_coupling_config config;
    ffebm_model *model;

    assert_ok(f.context, ffebm_model_create(f.context, &model, FFEBM_FLOAT32, (const int64_t[]){2000000000}, 1, 0));
    assert_ok(f.context, ffebm_energy_create_hopfield(f.context, &block, NULL));
    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_DENSE);
    config.out = 2000000000;
    assert_ok(f.context, ffebm_energy_add_coupling(block, &config));
    same = block;
    REFUSED(ffebm_model_add_energy(f.model, &block), FFEBM_ERR_STATE, "model");
    REFUSED(ffebm_model_add_energy(model, &block), FFEBM_ERR_SHAPE, "stage 0 coupling 0");
    ck_assert_ptr_eq(block, same);
    REFUSED(ffebm_energy_add_coupling(block, NULL), FFEBM_ERR_ARGUMENT, "config");
    REFUSED(ffebm_model_initialize(model, 1), FFEBM_ERR_STATE, "no stages");
    ffebm_energy_destroy(block);
    ffebm_model_destroy(model);
}
END_TEST

START_TEST(models_not_ready)
{
    static const char image[] =
        "{\"input\": [2, 2], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": [{\"type\": \"relu\"}]}]}";
    ffebm_model *building = parsed(f.context, chain), *flat = parsed(f.context, image);
    ffebm_engine *engine = f.engine;
    ffebm_optimizer *step = optimizer;

    REFUSED(ffebm_engine_create(&engine, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(engine);
    REFUSED(ffebm_sgd_create(&step, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(step);
    step = optimizer;
    REFUSED(ffebm_adam_create(&step, building, NULL), FFEBM_ERR_STATE, "model");
    ck_assert_ptr_null(step);
    REFUSED(ffebm_model_initialize(flat, 1), FFEBM_ERR_SHAPE, "[2, 2]");
    REFUSED(ffebm_engine_create(&engine, flat, NULL), FFEBM_ERR_STATE, "model");
    ffebm_model_destroy(building);
    ffebm_model_destroy(flat);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- computing */

static ffebm_tensor *zeros(int32_t dtype, int64_t rows, int64_t units)
{
    const int64_t shape[] = {rows, units};
    ffebm_tensor *tensor;

    assert_ok(f.context, ffebm_tensor_create(f.context, &tensor, dtype, shape, units == 0 ? 1 : 2));
    return tensor;
}

/* Every input of every computing call, of a wrong shape or type. */
START_TEST(tensors_refused)
{
    static const struct {
        int32_t dtype;
        int64_t rows, units;
        ffebm_status status; /* where double [4, 4] is right */
    } wrong[] = {{FFEBM_FLOAT64, 4, 7, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT64, 16, 0, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT64, 3, 9, FFEBM_ERR_SHAPE},
                 {FFEBM_FLOAT32, 4, 4, FFEBM_ERR_DTYPE},
                 {FFEBM_INT64, 4, 4, FFEBM_ERR_DTYPE}};
    ffebm_status status = wrong[_i].status;
    ffebm_tensor *bad = zeros(wrong[_i].dtype, wrong[_i].rows, wrong[_i].units), *in = zeros(FFEBM_FLOAT64, 4, 6);
    ffebm_status target = wrong[_i].dtype == FFEBM_INT64 ? FFEBM_ERR_SHAPE : status;

    REFUSED(ffebm_engine_gradient(f.engine, NULL, bad, y, NULL), status, "input");
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, bad, NULL), target, "target");
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, bad), status, "weights");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, bad, y, NULL), status, "input");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, bad, NULL), target, "target");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, y, bad), status, "weights");
    REFUSED(ffebm_engine_forward(f.engine, NULL, bad), status, "input");
    REFUSED(ffebm_engine_forward(f.engine, bad, x), status, "output");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, bad, 0), status, "output_cotangent");
    REFUSED(ffebm_engine_settle(f.engine, 1, bad, NULL), status, "input");
    REFUSED(ffebm_engine_settle(f.engine, 1, in, bad), status, "force");
    REFUSED(ffebm_engine_get_state(f.engine, bad, 1, 0, FFEBM_PHASE_FREE), status, "state");
    REFUSED(ffebm_engine_set_state(f.engine, 1, 0, bad), status, "state");
    REFUSED(ffebm_engine_energy(f.engine, bad, 1, FFEBM_PHASE_FREE, in), status, "energies");
    ffebm_tensor_destroy(bad);
    ffebm_tensor_destroy(in);
}
END_TEST

START_TEST(label_out_of_range)
{
    static const int64_t labels[] = {-1, 3, INT64_MAX, INT64_MIN};
    int64_t *data = ffebm_tensor_data(y), good = data[2];
    char words[64];

    data[2] = labels[_i];
    snprintf(words, sizeof words, "%lld at 2", (long long)labels[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, words);
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, words);
    data[2] = good;
}
END_TEST

START_TEST(batch_above_the_most)
{
    ffebm_engine_config config = {.size = sizeof config, .max_batch = 3};
    ffebm_engine *engine = f.engine;
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6);
    ffebm_report small = {.size = sizeof small}, large = {.size = sizeof large};

    assert_ok(f.context, ffebm_engine_create(&engine, f.model, &config));
    REFUSED(ffebm_engine_gradient(engine, NULL, x, y, NULL), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_forward(engine, NULL, x), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_settle(engine, 1, in, NULL), FFEBM_ERR_SHAPE, "max_batch 3");
    REFUSED(ffebm_engine_set_state(engine, 1, 0, in), FFEBM_ERR_SHAPE, "max_batch 3");
    assert_ok(f.context, ffebm_engine_evaluate(engine, &small, x, y, NULL)); /* in slices */
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, &large, x, y, NULL));
    ck_assert_double_eq_tol(small.loss, large.loss, 1e-12);
    ck_assert_uint_eq(small.correct, large.correct);
    ck_assert_uint_eq(small.batch, 4);
    ffebm_engine_destroy(engine);

    config.max_batch = 0;
    REFUSED(ffebm_engine_create(&engine, f.model, &config), FFEBM_ERR_ARGUMENT, "max_batch 0");
    ck_assert_ptr_null(engine);
    for (config.max_batch = SIZE_MAX; config.max_batch > SIZE_MAX / 8; config.max_batch /= 2)
        REFUSED(ffebm_engine_create(&engine, f.model, &config), FFEBM_ERR_SHAPE, "max_batch");
    ck_assert_ptr_null(engine);
    ffebm_tensor_destroy(in);
}
END_TEST

START_TEST(nudging_by_loss_refused)
{
    fixture lossless = fixture_of(CHAIN("none"), 0, 1, 3);
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.nudging = FFEBM_NUDGING_LOSS;
    config.beta = 0.7; /* nothing of it may stay behind, in any block */
    REFUSED(ffebm_engine_configure(f.engine, 1, &config), FFEBM_ERR_UNSUPPORTED, "stage 1");
    REFUSED(ffebm_engine_configure(f.engine, FFEBM_ALL, &config), FFEBM_ERR_UNSUPPORTED, "stage 1");
    ck_assert_int_eq(ffebm_engine_configure(lossless.engine, 3, &config), FFEBM_ERR_UNSUPPORTED);
    ck_assert_int_eq(ffebm_engine_gradient(lossless.engine, NULL, x, y, NULL), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_engine_evaluate(lossless.engine, NULL, x, y, NULL), FFEBM_ERR_STATE);
    ck_assert(strstr(ffebm_context_error(lossless.context), "loss") != NULL);
    fixture_end(&lossless);
}
END_TEST

START_TEST(states_lacking)
{
    ffebm_engine *fresh;
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6), *out = zeros(FFEBM_FLOAT64, 4, 5), *e = zeros(FFEBM_FLOAT64, 4, 0);
    ffebm_equilibrium_config config;

    assert_ok(f.context, ffebm_engine_create(&fresh, f.model, NULL));
    REFUSED(ffebm_engine_settle(fresh, 1, in, out), FFEBM_ERR_STATE, "stage 1");
    REFUSED(ffebm_engine_energy(fresh, e, 1, FFEBM_PHASE_FREE, in), FFEBM_ERR_STATE, "free");
    REFUSED(ffebm_engine_energy_gradient(fresh, 1, FFEBM_PHASE_FREE), FFEBM_ERR_STATE, "free");
    REFUSED(ffebm_engine_get_state(fresh, in, 1, 0, FFEBM_PHASE_FREE), FFEBM_ERR_STATE, "free");
    assert_ok(f.context, ffebm_engine_settle(fresh, 1, in, NULL));
    REFUSED(ffebm_engine_energy(fresh, e, 1, FFEBM_PHASE_NUDGED, in), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_energy_gradient(fresh, 1, FFEBM_PHASE_NUDGED), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_get_state(fresh, in, 1, 0, FFEBM_PHASE_NUDGED), FFEBM_ERR_STATE, "nudged");
    REFUSED(ffebm_engine_energy(fresh, e, 3, FFEBM_PHASE_FREE, in), FFEBM_ERR_STATE, "stage 3");

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.start = FFEBM_START_STATE;
    assert_ok(f.context, ffebm_engine_configure(fresh, FFEBM_ALL, &config));
    REFUSED(ffebm_engine_gradient(fresh, NULL, x, y, NULL), FFEBM_ERR_STATE, "stage 3");
    ffebm_engine_destroy(fresh);
    ffebm_tensor_destroy(in);
    ffebm_tensor_destroy(out);
    ffebm_tensor_destroy(e);
}
END_TEST

START_TEST(vjp_refused)
{
    static const double scales[] = {-1, NAN, INFINITY, -INFINITY};
    ffebm_tensor *v = zeros(FFEBM_FLOAT64, 4, 3), *values = copy_of(f.context, ffebm_model_flat_parameters(f.model));

    REFUSED(ffebm_engine_vjp(f.engine, NULL, v, 0), FFEBM_ERR_STATE, "forward"); /* the last call was a gradient */
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
        REFUSED(ffebm_engine_vjp(f.engine, NULL, v, scales[i]), FFEBM_ERR_ARGUMENT, "scale");
    }
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, NULL, v, 0));
    assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, v, 0), FFEBM_ERR_STATE, "parameters");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    assert_ok(f.context, ffebm_model_initialize(f.model, 3));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, v, 0), FFEBM_ERR_STATE, "parameters");
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    assert_ok(f.context, ffebm_engine_evaluate(f.engine, NULL, x, y, NULL));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, v, 0), FFEBM_ERR_STATE, "forward");
    assert_ok(f.context, ffebm_tensor_copy(ffebm_model_flat_parameters(f.model), values));
    ffebm_tensor_destroy(v);
    ffebm_tensor_destroy(values);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- NaN, infinity, failure */

static void check_parameters(const ffebm_tensor *before)
{
    ck_assert(memcmp(ffebm_tensor_data(ffebm_model_flat_parameters(f.model)), ffebm_tensor_const_data(before),
                     ffebm_tensor_count(before) * sizeof(double)) == 0);
}

static const double poisons[] = {NAN, INFINITY, -INFINITY};

START_TEST(not_finite_input)
{
    ffebm_tensor *before = copy_of(f.context, ffebm_model_flat_parameters(f.model)),
                 *weights = zeros(FFEBM_FLOAT64, 4, 0);
    double good = element(x, 9);

    set_element(x, 9, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "input");
    REFUSED(ffebm_engine_forward(f.engine, NULL, x), FFEBM_ERR_NUMERIC, "input");
    set_element(x, 9, good);
    set_element(weights, 2, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, weights), FFEBM_ERR_NUMERIC, "weights");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, y, weights), FFEBM_ERR_NUMERIC, "weights");
    check_parameters(before);
    ffebm_tensor_destroy(before);
    ffebm_tensor_destroy(weights);
}
END_TEST

START_TEST(not_finite_target_and_cotangent)
{
    ffebm_tensor *values = zeros(FFEBM_FLOAT64, 4, 3);

    set_element(values, 5, poisons[_i]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, values, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, values, NULL), FFEBM_ERR_NUMERIC, "");
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, x));
    REFUSED(ffebm_engine_vjp(f.engine, NULL, values, 0), FFEBM_ERR_NUMERIC, "output_cotangent");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    ffebm_tensor_destroy(values);
}
END_TEST

/* Found in any parameter, in whatever stage it is. */
START_TEST(not_finite_parameter)
{
    ffebm_tensor *before = copy_of(f.context, ffebm_model_flat_parameters(f.model));
    ffebm_parameter_info info = {.size = sizeof info};
    double good;

    assert_ok(f.context, ffebm_model_inspect_parameter(f.model, &info, (size_t)_i % 10));
    good = element(info.value, 1);
    set_element(info.value, 1, poisons[_i / 10]);
    REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    REFUSED(ffebm_engine_evaluate(f.engine, NULL, x, y, NULL), FFEBM_ERR_NUMERIC, "");
    REFUSED(ffebm_engine_forward(f.engine, NULL, x), FFEBM_ERR_NUMERIC, "");
    set_element(info.value, 1, good);
    check_parameters(before);
    ffebm_tensor_destroy(before);
}
END_TEST

START_TEST(not_a_number_in_a_block)
{
    ffebm_tensor *in = zeros(FFEBM_FLOAT64, 4, 6), *force = zeros(FFEBM_FLOAT64, 4, 5);

    set_element(force, 7, NAN);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 1, in, NULL));
    REFUSED(ffebm_engine_settle(f.engine, 1, in, force), FFEBM_ERR_NUMERIC, "stage 1");
    set_element(in, 7, NAN);
    REFUSED(ffebm_engine_settle(f.engine, 1, in, NULL), FFEBM_ERR_NUMERIC, "stage 1");
    ffebm_tensor_destroy(in);
    ffebm_tensor_destroy(force);
}
END_TEST

/* After a gradient that failed for whatever reason, there is none to step with. */
START_TEST(no_step_after_a_failure)
{
    ffebm_tensor *bad = zeros(FFEBM_FLOAT32, 4, 4), *v = zeros(FFEBM_FLOAT64, 4, 3);
    ffebm_equilibrium_config config;

    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    switch (_i) {
    case 0:
        REFUSED(ffebm_engine_gradient(f.engine, NULL, bad, y, NULL), FFEBM_ERR_DTYPE, "input");
        break;
    case 1:
        ((int64_t *)ffebm_tensor_data(y))[0] += 100;
        REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_ARGUMENT, "label");
        ((int64_t *)ffebm_tensor_data(y))[0] -= 100;
        break;
    case 2:
        REFUSED(ffebm_engine_vjp(f.engine, NULL, v, 0), FFEBM_ERR_STATE, "forward");
        break;
    default:
        ffebm_equilibrium_config_init(&config, sizeof config);
        config.free_sweeps = 1;
        config.require_convergence = 1;
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
        REFUSED(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_CONVERGENCE, "stage 1");
        assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, NULL));
    }
    REFUSED(ffebm_optimizer_step(optimizer, f.engine), FFEBM_ERR_STATE, "gradient");
    ffebm_tensor_destroy(bad);
    ffebm_tensor_destroy(v);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void add_description_tests(TCase *tests)
{
    tcase_add_loop_test(tests, description, 0, COUNT(descriptions));
    tcase_add_test(tests, description_truncated);
    tcase_add_test(tests, description_with_nul);
    tcase_add_loop_test(tests, description_with_escaped_nul, 0, 2);
    tcase_add_loop_test(tests, description_too_deep, 0, 3);
    tcase_add_test(tests, description_too_long);
}

Suite *test_bad_input_suite(void)
{
    Suite *suite = suite_create("bad_input");
    TCase *tests = tcase_create("bad input");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    add_description_tests(tests);
    tcase_add_loop_test(tests, nulls_leave_null_handles, 0, 7);
    tcase_add_test(tests, nulls);
    tcase_add_loop_test(tests, field_out_of_range, 0, COUNT(fields));
    tcase_add_test(tests, model_refuses);
    tcase_add_test(tests, index_out_of_range);
    tcase_add_test(tests, stages_refused);
    tcase_add_test(tests, energy_stages_refused);
    tcase_add_test(tests, models_not_ready);
    tcase_add_loop_test(tests, tensors_refused, 0, 5);
    tcase_add_loop_test(tests, label_out_of_range, 0, 4);
    tcase_add_test(tests, batch_above_the_most);
    tcase_add_test(tests, nudging_by_loss_refused);
    tcase_add_test(tests, states_lacking);
    tcase_add_test(tests, vjp_refused);
    tcase_add_loop_test(tests, not_finite_input, 0, COUNT(poisons));
    tcase_add_loop_test(tests, not_finite_target_and_cotangent, 0, COUNT(poisons));
    tcase_add_loop_test(tests, not_finite_parameter, 0, 30);
    tcase_add_test(tests, not_a_number_in_a_block);
    tcase_add_loop_test(tests, no_step_after_a_failure, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

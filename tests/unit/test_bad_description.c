/* Descriptions that are refused: with which status, in which words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refusal.h"

static const char chain[] = CHAIN("cross_entropy");

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
    {"", FFEBM_ERR_PARSE, "line 1, column 1"},
    /* what is unknown is told what there is */
    {ONE_OP("{\"type\": \"rulu\"}"), FFEBM_ERR_PARSE,
     "\"rulu\", expected one of linear, conv2d, flatten, maxpool2d, avgpool2d, batchnorm2d, layernorm, relu, tanh, "
     "sigmoid"},
    {ONE_COUPLING("\"type\": \"Dense\""), FFEBM_ERR_PARSE, "\"Dense\", expected one of dense, conv2d"},
    {ONE_BLOCK("\"type\": \"boltzmann\""), FFEBM_ERR_PARSE, "expected one of hopfield"},
    {ONE_BLOCK("\"type\": \"hopfield\", \"activation\": {\"type\": \"step\"}"), FFEBM_ERR_PARSE,
     "expected one of hard_sigmoid, relu, identity, sigmoid, tanh"},
    {"{\"input\": [4], \"loss\": \"nll\", \"stages\": [{\"feedforward\": []}]}", FFEBM_ERR_PARSE,
     "expected one of none, cross_entropy, mse"},
    {RECIPE("\"estimator\": \"central\""), FFEBM_ERR_PARSE,
     "expected one of centered, positive, negative, four_point, random_sign, implicit"},
    {RECIPE("\"learning_rate\": 1"), FFEBM_ERR_PARSE, "expected one of epochs, batch, optimizer, schedule, "},
    {RECIPE("\"learning_rate\": 1"), FFEBM_ERR_PARSE, ", relaxation, precision"},
    {INIT("\"type\": \"normal\""), FFEBM_ERR_PARSE, "expected one of uniform, goe"},
    /* bytes that a terminal obeys are shown */
    {TOP("\"\\u001b[31mred\": 1"), FFEBM_ERR_PARSE, "unknown key \"\\x1b[31mred\""},
    {TOP("\"a\\nb\": 1"), FFEBM_ERR_PARSE, "unknown key \"a\\x0ab\""},
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
    {ACTIVATION("\"type\": \"step\""), FFEBM_ERR_PARSE, "stage 0 activation"},
    {ACTIVATION("\"type\": \"tanh\", \"upper\": 1"), FFEBM_ERR_PARSE, "unknown key \"upper\""},
    {ACTIVATION("\"type\": \"hard_sigmoid\", \"lower\": 1"), FFEBM_ERR_PARSE,
     "stage 0: hard_sigmoid activation: lower is 1, expected less than upper, which is 1"},
#define LAYER0(keys)                                                                                                   \
    ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [], \"clamp_last\": true, \"layer0\": {" keys "}")
    {LAYER0("\"slope\": 1"), FFEBM_ERR_PARSE, "unknown key \"slope\""},
    {LAYER0("\"activation\": {\"type\": \"relu\", \"slope\": -1}"), FFEBM_ERR_PARSE,
     "stage 0 layer0 activation: \"slope\" is -1"},
    {LAYER0("\"activation\": {\"type\": \"hard_sigmoid\", \"lower\": 2}"), FFEBM_ERR_PARSE, "lower is 2"},
    /* the last layer is the identity, unless it is clamped */
    {ONE_BLOCK("\"type\": \"hopfield\", \"couplings\": [], \"layer0\": {\"activation\": {\"type\": \"tanh\"}}"),
     FFEBM_ERR_PARSE, "stage 0: its last layer, 0, has an activation of its own, expected clamp_last"},
    {ONE_COUPLING("\"type\": \"dense\", \"out_features\": 3, \"activation\": {\"type\": \"relu\"}"), FFEBM_ERR_PARSE,
     "stage 0: its last layer, 1, has an activation of its own, expected clamp_last"},
    {ONE_COUPLING("\"type\": \"dense\", \"out_features\": 3, \"activation\": {\"type\": \"hard_sigmoid\", "
                  "\"upper\": -1}"),
     FFEBM_ERR_PARSE, "stage 0 coupling 0: hard_sigmoid activation: lower is 0, expected less than upper, which is -1"},
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
    {RECIPE("\"label_smoothing\": 1"), FFEBM_ERR_PARSE, "\"label_smoothing\" is 1, expected 0 or more and less than 1"},
    {RECIPE("\"relaxation\": 2"), FFEBM_ERR_PARSE, "\"relaxation\" is 2, expected 0 or more and less than 2"},
    {RECIPE("\"label_smoothing\": -0.5"), FFEBM_ERR_PARSE, "label_smoothing"},
    {RECIPE("\"lr\": -1"), FFEBM_ERR_PARSE, "lr"},
    {RECIPE("\"lr\": 1e999"), FFEBM_ERR_PARSE, "lr"},
    {RECIPE("\"beta\": 0"), FFEBM_ERR_PARSE, "beta"},
    {RECIPE("\"lr_period\": -1"), FFEBM_ERR_PARSE, "lr_period"},
    {RECIPE("\"warmup\": 0.5"), FFEBM_ERR_PARSE, "warmup"},
    {RECIPE("\"clip_norm\": -1"), FFEBM_ERR_PARSE, "clip_norm"},
    {RECIPE("\"schedule\": \"stairs\""), FFEBM_ERR_PARSE, "stairs"},
    {RECIPE("\"nudging\": \"hold\""), FFEBM_ERR_PARSE, "nudging"},
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

Suite *test_bad_description_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("bad_description", &tests);

    tcase_add_loop_test(tests, description, 0, COUNT(descriptions));
    tcase_add_test(tests, description_truncated);
    tcase_add_test(tests, description_with_nul);
    tcase_add_loop_test(tests, description_with_escaped_nul, 0, 2);
    tcase_add_loop_test(tests, description_too_deep, 0, 3);
    tcase_add_test(tests, description_too_long);
    return suite;
}

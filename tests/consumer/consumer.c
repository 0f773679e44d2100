/* A program that knows libffebm by its installed headers only; C99 and C++17 alike. It trains in both precisions, saves,
 * restores, and asks for what cannot be. Says how well it has learned. */
#include <ffebm.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 8, CLASSES = 3, ROWS = 60, STEPS = 60, CAPACITY = 65536 };

static const char description[] =
    "{\"input\": [8], \"loss\": \"cross_entropy\", \"stages\": ["
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 12}]},"
    " {\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 12}]}},"
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}]}";

static ffebm_context *context;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "consumer: %s: %s\n", what, ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static void check(ffebm_status status, const char *what)
{
    require(status == FFEBM_OK, what);
}

/* Points around a centre for each class. */
static void draw(ffebm_tensor *x, ffebm_tensor *y)
{
    int64_t *labels = (int64_t *)ffebm_tensor_data(y);
    void *data = ffebm_tensor_data(x);

    for (int n = 0; n < ROWS; n++) {
        labels[n] = n % CLASSES;
        for (int i = 0; i < INPUTS; i++) {
            uint64_t at = (uint64_t)(n * INPUTS + i), centre = (uint64_t)(labels[n] * INPUTS + i);
            double value = ffebm_random_normal(1, centre) + 0.5 * ffebm_random_normal(2, at);

            if (ffebm_tensor_dtype(x) == FFEBM_FLOAT32)
                ((float *)data)[at] = (float)value;
            else
                ((double *)data)[at] = value;
        }
    }
}

typedef struct saved {
    unsigned char bytes[CAPACITY];
    size_t length;
} saved;

static int32_t append(void *user, const void *bytes, size_t count)
{
    saved *s = (saved *)user;

    if (count > CAPACITY - s->length)
        return -1;
    memcpy(s->bytes + s->length, bytes, count);
    s->length += count;
    return 0;
}

static void learn(int32_t dtype)
{
    static saved file;
    const int64_t points[] = {ROWS, INPUTS}, labels[] = {ROWS};
    ffebm_parse_config config;
    ffebm_adam_config adam;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x, *y;
    ffebm_report first, last, again;

    memset(&first, 0, sizeof first);
    first.size = sizeof first;
    last = again = first;
    file.length = 0;
    ffebm_parse_config_init(&config, sizeof config);
    config.dtype = dtype;
    check(ffebm_model_parse(context, &model, description, sizeof description - 1, &config), "parse");
    check(ffebm_model_initialize(model, 1), "initialize");
    check(ffebm_engine_create(&engine, model, NULL), "engine");
    ffebm_adam_config_init(&adam, sizeof adam);
    adam.learning_rate = 0.02;
    check(ffebm_optimizer_create_adam(&optimizer, model, &adam), "adam");
    check(ffebm_tensor_create(context, &x, dtype, points, 2), "x");
    check(ffebm_tensor_create(context, &y, FFEBM_INT64, labels, 1), "y");
    draw(x, y);
    check(ffebm_engine_evaluate(engine, &first, NULL, x, y, NULL), "evaluate");
    for (int step = 0; step < STEPS; step++) {
        check(ffebm_engine_gradient(engine, NULL, x, y, NULL), "gradient");
        check(ffebm_optimizer_step(optimizer, engine), "step");
    }
    check(ffebm_engine_evaluate(engine, &last, NULL, x, y, NULL), "evaluate");
    require(last.loss < first.loss / 4 && last.correct > ROWS * 9 / 10, "it has not learned");

    check(ffebm_checkpoint_write(model, optimizer, NULL, append, &file), "write");
    check(ffebm_model_initialize(model, 2), "initialize");
    check(ffebm_checkpoint_read(model, optimizer, file.bytes, file.length), "read");
    check(ffebm_engine_evaluate(engine, &again, NULL, x, y, NULL), "evaluate");
    require(again.loss == last.loss, "what was saved is not what was read");
    printf("%s float%d: loss %.17g to %.17g, %" PRIu64 " of %d right\n", ffebm_version(),
           dtype == FFEBM_FLOAT32 ? 32 : 64, first.loss, last.loss, (uint64_t)last.correct, ROWS);

    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
}

int main(void)
{
    ffebm_context_config config;
    ffebm_model *model;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = 2;
    check(ffebm_context_create(&context, &config), "context");
    learn(FFEBM_FLOAT32);
    learn(FFEBM_FLOAT64);
    require(ffebm_model_parse(context, &model, "{\"inputs\": [8]}", 15, NULL) == FFEBM_ERR_PARSE && model == NULL &&
                strstr(ffebm_context_error(context), "inputs") != NULL,
            "an unknown key is not refused by its name");
    ffebm_context_destroy(context);
    return EXIT_SUCCESS;
}

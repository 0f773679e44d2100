/* Train digits with nothing but the library: digits DIGITS.csv. Lines of the file are 64 pixels from 0 to 16 and the digit. Says
 * how many of the first ones it gets right after a few passes over the others. */
#include <ffebm.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 64, TESTED = 389, TRAINED = 1408, BATCH = 32, EPOCHS = 6 };

static const char description[] =
    "{\"input\": [64], \"loss\": \"cross_entropy\", \"recipe\": {\"lr\": 3e-3, \"beta\": 0.1}, \"stages\": ["
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 128}]},"
    " {\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5},"
    "  \"couplings\": [{\"type\": \"dense\", \"out_features\": 64}]}},"
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 10}]}]}";

static ffebm_context *context;

static void check(ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    fprintf(stderr, "digits: %s\n", ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static void need(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "digits: %s\n", what);
    exit(EXIT_FAILURE);
}

static void read_digits(const char *path, ffebm_tensor *x, ffebm_tensor *y)
{
    float *pixels = ffebm_tensor_data(x);
    int64_t *labels = ffebm_tensor_data(y);
    FILE *file = fopen(path, "r");

    need(file != NULL, "cannot open the digits");
    for (int i = 0; i < TRAINED + TESTED; i++) {
        int value;

        for (int p = 0; p < PIXELS; p++) {
            need(fscanf(file, "%d,", &value) == 1, "a line has no 64 pixels");
            pixels[i * PIXELS + p] = (float)value / 16;
        }
        need(fscanf(file, "%d", &value) == 1, "a line has no digit");
        labels[i] = value;
    }
    fclose(file);
}

static void train(ffebm_model *model, ffebm_tensor *x, ffebm_tensor *y)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_optimizer *optimizer;
    ffebm_engine_config size;
    ffebm_engine *engine;
    ffebm_tensor *rows, *labels;

    ffebm_engine_config_init(&size, sizeof size);
    size.max_batch = TESTED;
    check(ffebm_engine_create(&engine, model, &size));
    check(ffebm_recipe_optimizer(&optimizer, model, NULL));
    for (int step = 0; step < EPOCHS * TRAINED / BATCH; step++) {
        const int64_t first = TESTED + (int64_t)step * BATCH % TRAINED;

        check(ffebm_tensor_rows(x, &rows, first, BATCH));
        check(ffebm_tensor_rows(y, &labels, first, BATCH));
        check(ffebm_engine_gradient(engine, NULL, rows, labels, NULL));
        check(ffebm_optimizer_step(optimizer, engine));
        ffebm_tensor_destroy(labels);
        ffebm_tensor_destroy(rows);
    }
    check(ffebm_tensor_rows(x, &rows, 0, TESTED));
    check(ffebm_tensor_rows(y, &labels, 0, TESTED));
    check(ffebm_engine_evaluate(engine, &report, NULL, rows, labels, NULL));
    printf("digits: loss %.9g, %zu of %d right\n", report.loss, report.correct, TESTED);
    fflush(stdout);
    need(report.correct > TESTED * 9 / 10, "it has not learned");
    ffebm_tensor_destroy(labels);
    ffebm_tensor_destroy(rows);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
}

int main(int argc, char **argv)
{
    static const int64_t images[] = {TRAINED + TESTED, PIXELS};
    ffebm_tensor *x, *y;
    ffebm_model *model;

    need(argc == 2, "usage: digits DIGITS.csv");
    need(ffebm_context_create(&context, NULL) == FFEBM_OK, "no context");
    check(ffebm_model_parse(context, &model, description, sizeof description - 1, NULL));
    check(ffebm_model_initialize(model, 1));
    check(ffebm_tensor_create(context, &x, FFEBM_FLOAT32, images, 2));
    check(ffebm_tensor_create(context, &y, FFEBM_INT64, images, 1));
    read_digits(argv[1], x, y);
    train(model, x, y);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return EXIT_SUCCESS;
}

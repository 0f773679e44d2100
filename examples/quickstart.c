/* Train an energy block between two linear maps; needs nothing but the library. The task: points around eight random
 * centres in 16 dimensions; two centres share a class. Every batch is drawn anew. */
#include <ffebm.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 16, CENTRES = 8, CLASSES = 4, BATCH = 128, STEPS = 300 };

static const char description[] =
    "{\"input\": [16], \"loss\": \"cross_entropy\", \"stages\": ["
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 32}]},"
    " {\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 32}]}},"
    " {\"feedforward\": [{\"type\": \"linear\", \"out_features\": 4}]}]}";

static void check(ffebm_context *context, ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    fprintf(stderr, "quickstart: %s\n", ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static void draw_batch(float *points, int64_t *labels, uint64_t step)
{
    for (uint64_t n = 0; n < BATCH; n++) {
        uint64_t sample = step * BATCH + n, centre = (uint64_t)(CENTRES * ffebm_random_uniform(1, sample));

        labels[n] = (int64_t)(centre % CLASSES);
        for (uint64_t i = 0; i < INPUTS; i++)
            *points++ = (float)(ffebm_random_normal(2, centre * INPUTS + i) +
                                0.7 * ffebm_random_normal(3, sample * INPUTS + i));
    }
}

int main(int argc, char **argv)
{
    static float points[BATCH * INPUTS];
    static int64_t labels[BATCH];
    ffebm_context *context = NULL;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *input, *target;
    ffebm_report report = {.size = sizeof report};
    ffebm_certificate worst = {.size = sizeof worst};

    check(context, ffebm_context_create(&context, NULL));
    check(context, ffebm_model_parse(context, &model, description, sizeof description - 1, NULL));
    check(context, ffebm_model_initialize(model, 0));
    check(context, ffebm_engine_create(&engine, model, NULL));
    check(context, ffebm_optimizer_create_adam(&optimizer, model, NULL));
    check(context, ffebm_tensor_wrap(context, &input, points, FFEBM_FLOAT32, (int64_t[]){BATCH, INPUTS}, 2));
    check(context, ffebm_tensor_wrap(context, &target, labels, FFEBM_INT64, (int64_t[]){BATCH}, 1));
    for (uint64_t step = 0; step < STEPS; step++) {
        draw_batch(points, labels, step);
        check(context, ffebm_engine_gradient(engine, NULL, input, target, NULL));
        check(context, ffebm_optimizer_step(optimizer, engine));
    }
    draw_batch(points, labels, STEPS); /* points that training has not seen */
    check(context, ffebm_engine_evaluate(engine, &report, NULL, input, target, NULL));
    printf("test loss %.4f, accuracy %.4f\n", report.loss, (double)report.correct / BATCH);
    check(context, ffebm_engine_certify(engine, &worst, input, target, NULL, NULL)); /* against the exact gradient */
    printf("gradient %s, cosine %.4f at worst\n", worst.passed ? "certified" : "NOT certified", worst.cosine);
    if (argc > 1) /* a path, to save at */
        check(context, ffebm_checkpoint_save(model, optimizer, NULL, argv[1]));
    ffebm_tensor_destroy(target);
    ffebm_tensor_destroy(input);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    return worst.passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

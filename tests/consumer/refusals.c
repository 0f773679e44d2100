/* What a build without JSON and without threads refuses, and that it says so; C99 and C++17 alike. */
#include <ffebm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN = 5, OUT = 3, ROWS = 40 };

static ffebm_context *context;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "refusals: %s: %s\n", what, ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static void refused(ffebm_status status, const char *name)
{
    require(status == FFEBM_ERR_UNSUPPORTED && strstr(ffebm_context_error(context), name) != NULL &&
                strstr(ffebm_context_error(context), "no JSON") != NULL,
            name);
}

static int32_t take(void *user, const void *bytes, size_t count)
{
    (void)user, (void)bytes, (void)count;
    return 0;
}

/* The host's threads: here one, which does the last task first. */
static void run(void *user, ffebm_task_fn task, void *task_user, size_t count)
{
    (void)user;
    while (count-- > 0)
        task(task_user, count);
}

static ffebm_model *make(ffebm_context *c)
{
    static const int64_t shape[] = {IN};
    ffebm_coupling_config coupling;
    ffebm_energy *block = NULL;
    ffebm_model *model = NULL;

    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    coupling.out = OUT;
    require(ffebm_model_create(c, &model, FFEBM_FLOAT64, shape, 1, FFEBM_LOSS_MSE) == FFEBM_OK &&
                ffebm_energy_create_hopfield(c, &block, NULL) == FFEBM_OK &&
                ffebm_energy_add_coupling(block, &coupling) == FFEBM_OK &&
                ffebm_model_add_energy(model, &block) == FFEBM_OK && ffebm_model_initialize(model, 1) == FFEBM_OK,
            "a model by calls");
    return model;
}

/* The gradient's sum of squares, with so many tasks by `run`. */
static double gradient(int32_t tasks)
{
    static double x[ROWS * IN], y[ROWS * OUT];
    static const int64_t in[] = {ROWS, IN}, out[] = {ROWS, OUT};
    ffebm_context_config config;
    ffebm_context *own = NULL;
    ffebm_engine *engine = NULL;
    ffebm_tensor *input = NULL, *target = NULL;
    ffebm_report report;
    ffebm_model *model;

    for (size_t i = 0; i < ROWS * IN; i++)
        x[i] = ffebm_random_uniform(1, i);
    for (size_t i = 0; i < ROWS * OUT; i++)
        y[i] = ffebm_random_uniform(2, i);
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    ffebm_context_config_init(&config, sizeof config);
    config.run = run;
    config.threads = tasks;
    require(ffebm_context_create(&own, &config) == FFEBM_OK, "a context with a run");
    model = make(own);
    require(ffebm_engine_create(&engine, model, NULL) == FFEBM_OK &&
                ffebm_tensor_wrap(own, &input, x, FFEBM_FLOAT64, in, 2) == FFEBM_OK &&
                ffebm_tensor_wrap(own, &target, y, FFEBM_FLOAT64, out, 2) == FFEBM_OK &&
                ffebm_engine_gradient(engine, &report, input, target, NULL) == FFEBM_OK,
            "a gradient");
    ffebm_tensor_destroy(target);
    ffebm_tensor_destroy(input);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(own);
    return report.gradient_norm;
}

int main(void)
{
    const char *text = "?";
    char names[8] = "?";
    ffebm_context_config config;
    ffebm_context *none;
    ffebm_tensor *tensor = NULL;
    ffebm_model *model, *parsed = NULL;
    size_t length = 1;

    require(ffebm_context_create(&context, NULL) == FFEBM_OK, "context");
    model = make(context);
    refused(ffebm_model_parse(context, &parsed, "{}", 2, NULL), "ffebm_model_parse");
    refused(ffebm_model_description(model, &text, NULL), "ffebm_model_description");
    refused(ffebm_checkpoint_save(model, NULL, NULL, "file"), "ffebm_checkpoint_save");
    refused(ffebm_checkpoint_write(model, NULL, NULL, take, NULL), "ffebm_checkpoint_write");
    refused(ffebm_checkpoint_load(context, &parsed, "file"), "ffebm_checkpoint_load");
    refused(ffebm_checkpoint_restore(model, NULL, "file"), "ffebm_checkpoint_restore");
    refused(ffebm_checkpoint_read(model, NULL, "", 0), "ffebm_checkpoint_read");
    refused(ffebm_checkpoint_metadata(context, names, sizeof names, &length, "file", "note"),
            "ffebm_checkpoint_metadata");
    refused(ffebm_checkpoint_tensor(context, &tensor, "file", "name"), "ffebm_checkpoint_tensor");
    refused(ffebm_checkpoint_tensor_names(context, names, sizeof names, &length, "file"),
            "ffebm_checkpoint_tensor_names");
    require(text == NULL && parsed == NULL && tensor == NULL && names[0] == '\0' && length == 0,
            "something came of what was refused");
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    context = NULL;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = 2;
    require(ffebm_context_create(&none, &config) == FFEBM_ERR_UNSUPPORTED && none == NULL, "threads");
    config.threads = 0;
    require(ffebm_context_create(&none, &config) == FFEBM_OK, "threads as there are");
    ffebm_context_destroy(none);
    require(gradient(1) == gradient(3) && gradient(1) > 0, "tasks of the host's change bits");
    return EXIT_SUCCESS;
}

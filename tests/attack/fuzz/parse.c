/* Descriptions. A text gives a model or a status that says why not. A model's description is canonical: parsed again it
 * gives itself. A small model also computes. */
#include <ctype.h>
#include <string.h>

#include "attack/support/modest.h"
#include "target.h"

enum { MOST_BYTES = 32 << 20, MOST_UNITS = 2000, MOST_PARAMETERS = 4000, MOST_INPUTS = 4000, ROWS = 2 };

const size_t fuzz_mutants = 4000;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void is_refusal(ffebm_context *context, ffebm_status status)
{
    const char *text = ffebm_context_error(context);
    static const ffebm_status allowed[] = {FFEBM_ERR_PARSE, FFEBM_ERR_SHAPE, FFEBM_ERR_NOMEM, FFEBM_ERR_UNSUPPORTED};
    int known = 0;

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        known |= status == allowed[i];
    must(known, "refused with status %d: %s", status, text);
    must(strncmp(text, "FFEBM_ERR_", 10) == 0 && strlen(text) > 20, "refused without a sentence: %s", text);
    for (const char *c = text; *c; c++)
        must(!iscntrl((unsigned char)*c), "a control character in an error text: %s", text);
}

static void is_canonical(ffebm_context *context, ffebm_model *model)
{
    const char *first, *second;
    size_t first_length, second_length;
    ffebm_model *again = NULL;
    ffebm_status status = ffebm_model_description(model, &first, &first_length);

    if (status == FFEBM_ERR_NOMEM)
        return;
    must(status == FFEBM_OK, "no description: %s", ffebm_context_error(context));
    must(strlen(first) == first_length, "a description of another length");
    status = ffebm_model_parse(context, &again, first, first_length, NULL);
    must(status == FFEBM_OK || status == FFEBM_ERR_NOMEM, "%s\nof its own description: %s",
         ffebm_context_error(context), first);
    if (again && ffebm_model_description(again, &second, &second_length) == FFEBM_OK)
        must(strcmp(first, second) == 0, "descriptions differ:\n%s\n%s", first, second);
    ffebm_model_destroy(again);
}

/* May a fuzzer afford to compute with it? */
static int is_small(const ffebm_model *model, const ffebm_model_info *info)
{
    size_t units = 0, inputs = 1;

    for (size_t i = 0; i < info->input_rank; i++)
        inputs = inputs > MOST_INPUTS ? inputs : inputs * (size_t)info->input_shape[i];
    for (size_t s = 0; s < info->stage_count; s++) {
        ffebm_stage_info stage = {.size = sizeof stage};

        ffebm_model_inspect_stage(model, &stage, s);
        for (size_t l = 0; l < stage.layer_count && units < MOST_UNITS; l++) {
            ffebm_layer_info layer = {.size = sizeof layer};

            ffebm_model_inspect_layer(model, &layer, s, l);
            units += layer.units;
        }
    }
    return units < MOST_UNITS && inputs < MOST_INPUTS && info->element_count < MOST_PARAMETERS &&
           info->stage_count < 20 && info->input_rank < FFEBM_MAX_RANK;
}

static ffebm_tensor *batch_of(ffebm_context *context, const ffebm_model_info *info)
{
    int64_t shape[FFEBM_MAX_RANK] = {ROWS};
    ffebm_tensor *x = NULL;

    for (size_t i = 0; i < info->input_rank; i++)
        shape[i + 1] = info->input_shape[i];
    if (ffebm_tensor_create(context, &x, info->dtype, shape, info->input_rank + 1) != FFEBM_OK)
        return NULL;
    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        if (info->dtype == FFEBM_FLOAT32)
            ((float *)ffebm_tensor_data(x))[i] = (float)ffebm_random_normal(1, i);
        else
            ((double *)ffebm_tensor_data(x))[i] = ffebm_random_normal(1, i);
    return x;
}

static void step(ffebm_engine *engine, ffebm_optimizer *optimizer, const ffebm_tensor *x, const ffebm_tensor *y)
{
    for (int i = 0; i < 2; i++) {
        ffebm_status status = ffebm_engine_gradient(engine, NULL, x, y, NULL);

        must(status != FFEBM_ERR_INTERNAL && status != FFEBM_ERR_NOMEM, "a gradient with status %d", status);
        status = ffebm_optimizer_step(optimizer, engine);
        must(status != FFEBM_ERR_INTERNAL && status != FFEBM_ERR_NOMEM, "a step with status %d", status);
    }
}

/* Whatever the recipe says, few sweeps have to do. */
static void few_sweeps(ffebm_engine *engine, const ffebm_model *model)
{
    ffebm_equilibrium_config config = {.size = sizeof config};

    if (ffebm_model_equilibrium(model, &config) != FFEBM_OK)
        return;
    config.free_sweeps = config.free_sweeps > 10 ? 10 : config.free_sweeps;
    config.nudged_sweeps = config.nudged_sweeps > 5 ? 5 : config.nudged_sweeps;
    config.repeats = 1;
    ffebm_engine_configure(engine, FFEBM_ALL, &config);
}

static void compute(ffebm_context *context, ffebm_model *model, const ffebm_model_info *info)
{
    ffebm_engine_config config;
    ffebm_engine *engine = NULL;
    ffebm_optimizer *optimizer = NULL;
    ffebm_tensor *x = batch_of(context, info), *y = NULL;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = ROWS;
    if (ffebm_model_initialize(model, 1) == FFEBM_OK && ffebm_engine_create(&engine, model, &config) == FFEBM_OK &&
        ffebm_recipe_optimizer(&optimizer, model, NULL) == FFEBM_OK && x &&
        ffebm_tensor_create(context, &y, FFEBM_INT64, (int64_t[]){ROWS}, 1) == FFEBM_OK) {
        few_sweeps(engine, model);
        step(engine, optimizer, x, y);
    }
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    modest memory = {.most = MOST_BYTES};
    ffebm_context_config config;
    ffebm_context *context = NULL;
    ffebm_model *model = NULL;
    ffebm_model_info info = {.size = sizeof info};
    ffebm_status status;

    modest_config(&config, &memory);
    if (ffebm_context_create(&context, &config) != FFEBM_OK)
        return 0;
    status = ffebm_model_parse(context, &model, (const char *)data, size, NULL);
    must((status == FFEBM_OK) == (model != NULL), "status %d, and %s model", status, model ? "a" : "no");
    if (model) {
        is_canonical(context, model);
        ffebm_model_inspect(model, &info);
        if (is_small(model, &info))
            compute(context, model, &info);
    } else
        is_refusal(context, status);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
    must(memory.pieces == 0, "%ld pieces of memory are left", memory.pieces);
    return 0;
}

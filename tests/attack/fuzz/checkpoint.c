/* Checkpoints, which are untrusted files: read into a model and an optimizer, which are as before where that fails, loaded
 * as a model, and looked into name by name. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attack/support/modest.h"
#include "target.h"

enum { MOST_BYTES = 32 << 20, MOST_PARAMETERS = 64, NAMES = 5, SHORT_TEXT = 40 };

const size_t fuzz_mutants = 8000;

static const char description[] =
    "{\"input\":[2],\"loss\":\"cross_entropy\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\",\"out_features\":3}]}"
    ","
    "{\"energy\":{\"type\":\"hopfield\",\"couplings\":[{\"type\":\"dense\",\"out_features\":2}]}}]}";

/* A file without a name, and a path that leads to it. */
static int file;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("checkpoint", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return 0;
}

static void is_refusal(ffebm_context *context, ffebm_status status)
{
    const char *text = ffebm_context_error(context);

    must(status < 0 && status != FFEBM_ERR_INTERNAL && status != FFEBM_ERR_ARGUMENT, "status %d: %s", status, text);
    must(strncmp(text, "FFEBM_ERR_", 10) == 0 && strlen(text) > 20, "refused without a sentence: %s", text);
    for (const char *c = text; *c; c++)
        must(!iscntrl((unsigned char)*c), "a control character in an error text: %s", text);
}

static size_t values_of(ffebm_model *model, float values[MOST_PARAMETERS])
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(model);
    size_t bytes = ffebm_tensor_count(flat) * sizeof *values;

    memcpy(values, ffebm_tensor_data(flat), bytes);
    return bytes;
}

static void read_into_a_model(ffebm_context *context, const uint8_t *data, size_t size)
{
    float before[MOST_PARAMETERS], after[MOST_PARAMETERS];
    ffebm_model *model = NULL;
    ffebm_optimizer *optimizer = NULL;
    size_t bytes;
    ffebm_status status;

    must(ffebm_model_parse(context, &model, description, sizeof description - 1, NULL) == FFEBM_OK &&
             ffebm_model_initialize(model, 1) == FFEBM_OK &&
             ffebm_optimizer_create_adam(&optimizer, model, NULL) == FFEBM_OK,
         "no model: %s", ffebm_context_error(context));
    bytes = values_of(model, before);
    status = ffebm_checkpoint_read(model, optimizer, data, size);
    if (status != FFEBM_OK) {
        is_refusal(context, status);
        values_of(model, after);
        must(memcmp(before, after, bytes) == 0, "values have changed");
    }
    ffebm_checkpoint_read(model, NULL, data, size);
    ffebm_optimizer_destroy(optimizer);
    ffebm_model_destroy(model);
}

static void load(ffebm_context *context)
{
    ffebm_model *model = NULL;
    ffebm_status status = ffebm_checkpoint_load(context, &model, path);
    const char *json;

    must((status == FFEBM_OK) == (model != NULL), "status %d, and %s model", status, model ? "a" : "no");
    if (model)
        ffebm_model_description(model, &json, NULL);
    else
        is_refusal(context, status);
    ffebm_model_destroy(model);
}

/* Read all of a tensor: a tool that watches memory then sees whether it is there. */
static void read_tensor(ffebm_context *context, const char *name)
{
    ffebm_tensor *tensor = NULL;
    ffebm_status status = ffebm_checkpoint_tensor(context, &tensor, path, name);
    volatile unsigned char sum = 0;

    must((status == FFEBM_OK) == (tensor != NULL), "status %d, and %s tensor", status, tensor ? "a" : "no");
    if (tensor) {
        const unsigned char *bytes = ffebm_tensor_const_data(tensor);
        size_t item = ffebm_tensor_dtype(tensor) == FFEBM_FLOAT32 ? 4 : 8;

        for (size_t i = 0; i < ffebm_tensor_count(tensor) * item; i++)
            sum ^= bytes[i];
    } else
        is_refusal(context, status);
    ffebm_tensor_destroy(tensor);
}

static void look_into(ffebm_context *context)
{
    char text[SHORT_TEXT];
    size_t length;

    if (ffebm_checkpoint_tensor_names(context, text, sizeof text, &length, path) == FFEBM_OK && length > 0) {
        char *names = malloc(length), *name = names;

        must(ffebm_checkpoint_tensor_names(context, names, length, NULL, path) == FFEBM_OK, "the names go away");
        must(memcmp(text, names, (length < SHORT_TEXT ? length : SHORT_TEXT) - 1) == 0, "other names");
        for (int i = 0; i < NAMES && name < names + length; i++, name += strlen(name) + 1)
            read_tensor(context, name);
        free(names);
    }
    ffebm_checkpoint_metadata(context, text, sizeof text, &length, path, "note");
    ffebm_checkpoint_metadata(context, NULL, 0, &length, path, "model");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    modest memory = {.most = MOST_BYTES};
    ffebm_context_config config;
    ffebm_context *context = NULL;

    modest_config(&config, &memory);
    if (ffebm_context_create(&context, &config) != FFEBM_OK)
        return 0;
    read_into_a_model(context, data, size);
    if (ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size) {
        load(context);
        look_into(context);
    }
    ffebm_context_destroy(context);
    must(memory.pieces == 0, "%ld pieces of memory are left", memory.pieces);
    return 0;
}

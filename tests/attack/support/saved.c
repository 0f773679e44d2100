#include "saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "campaign.h"

saved saved_make(int64_t inputs, int64_t outputs)
{
    saved s = {NULL};
    char json[160];

    snprintf(json, sizeof json,
             "{\"input\":[%" PRId64 "],\"loss\":\"mse\",\"stages\":[{\"feedforward\":[{\"type\":\"linear\","
             "\"out_features\":%" PRId64 "}]}]}",
             inputs, outputs);
    campaign_must(ffebm_context_create(&s.context, NULL) == FFEBM_OK &&
                      ffebm_model_parse(s.context, &s.model, json, strlen(json), NULL) == FFEBM_OK &&
                      ffebm_model_initialize(s.model, 1) == FFEBM_OK &&
                      ffebm_optimizer_create_adam(&s.optimizer, s.model, NULL) == FFEBM_OK,
                  "make a model");
    return s;
}

void saved_close(const saved *s)
{
    ffebm_optimizer_destroy(s->optimizer);
    ffebm_model_destroy(s->model);
    ffebm_context_destroy(s->context);
}

void saved_fill(const saved *s, float value)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(s->model);
    float *values = ffebm_tensor_data(flat);

    for (size_t i = 0; i < ffebm_tensor_count(flat); i++)
        values[i] = value;
}

float saved_value(ffebm_model *model)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(model);
    const float *values = ffebm_tensor_data(flat);

    for (size_t i = 1; i < ffebm_tensor_count(flat); i++)
        if (values[i] != values[0])
            return -1;
    return values[0];
}

float saved_held(const saved *s, const char *path)
{
    ffebm_model *loaded;
    float value = -1;

    if (ffebm_checkpoint_load(s->context, &loaded, path) == FFEBM_OK)
        value = saved_value(loaded);
    ffebm_model_destroy(loaded);
    return value;
}

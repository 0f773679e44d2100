/* A model's description: complete, in canonical form, so that parsing it gives an equal model. */
#include <string.h>

#include "core/context.h"
#include "energy/description.h"
#include "feedforward/description.h"
#include "model/model.h"
#include "model/recipe.h"
#include "relax/equilibrium.h"
#include "json/settings.h"

static cJSON *describe_tap(const ffebmi_row *tap, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateObject();

    return ffebmi_keep_if(json, json != NULL && ffebmi_give(json, "to", ffebmi_json_number((double)tap->layer)) &&
                                    ffebmi_give(json, "ops", ffebmi_feedforward_describe(tap->block, common)));
}

static cJSON *describe_taps(const ffebmi_stage *stage, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t r = 1; good && r < stage->row_count; r++)
        good = ffebmi_give(json, NULL, describe_tap(&stage->rows[r], common));
    return ffebmi_keep_if(json, good);
}

static cJSON *describe_stage(const ffebmi_stage *stage, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL;

    if (good && stage->energy != NULL)
        good = ffebmi_give(json, "energy", ffebmi_energy_describe(stage->energy, common));
    else if (good)
        good = ffebmi_give(json, "feedforward", ffebmi_feedforward_describe(stage->rows[0].block, common));
    if (good && stage->row_count > 1)
        good = ffebmi_give(json, "taps", describe_taps(stage, common));
    return ffebmi_keep_if(json, good);
}

static cJSON *describe_stages(const ffebm_model *model)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < model->stage_count; i++)
        good = ffebmi_give(json, NULL, describe_stage(&model->stages[i], ffebmi_model_initialization(model)));
    return ffebmi_keep_if(json, good);
}

static cJSON *describe_shape(const ffebmi_shape *shape)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < shape->rank; i++)
        good = ffebmi_give(json, NULL, ffebmi_json_number((double)shape->dims[i]));
    return ffebmi_keep_if(json, good);
}

static cJSON *describe_recipe(const ffebm_model *model)
{
    cJSON *json = cJSON_CreateObject();

    return ffebmi_keep_if(json, json != NULL && ffebmi_settings_give(json, &ffebmi_recipe_settings, &model->recipe) &&
                                    ffebmi_settings_give(json, &ffebmi_equilibrium_settings, &model->equilibrium));
}

static cJSON *describe_model(const ffebm_model *model)
{
    cJSON *json = cJSON_CreateObject();

    return ffebmi_keep_if(
        json,
        json != NULL && ffebmi_give(json, "dtype", cJSON_CreateString(ffebmi_dtype_name(model->dtype))) &&
            ffebmi_give(json, "input", describe_shape(&model->input)) &&
            ffebmi_give(json, "loss", cJSON_CreateString(model->loss->name)) &&
            ffebmi_settings_give_key(json, "initialization", &ffebmi_initialization_settings, &model->initialization) &&
            ffebmi_give(json, "recipe", describe_recipe(model)) && ffebmi_give(json, "stages", describe_stages(model)));
}

static ffebm_status make_description(ffebm_model *model)
{
    cJSON *json = describe_model(model);
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    if (text != NULL)
        model->description = ffebmi_copy_text(model->context, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(json);
    return model->description != NULL ? FFEBM_OK : ffebmi_fail_memory(model->context, "a model description");
}

ffebm_status ffebm_model_description(ffebm_model *model, const char **json, size_t *length)
{
    if (json != NULL)
        *json = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, json != NULL, "ffebm_model_description: json is NULL");
    if (model->description == NULL)
        FFEBMI_TRY(make_description(model));
    *json = model->description;
    if (length != NULL)
        *length = strlen(model->description);
    return FFEBM_OK;
}

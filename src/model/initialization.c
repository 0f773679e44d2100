#include "model/initialization.h"

#include <stdio.h>

#include "core/context.h"

static const ffebmi_choice types[] = {
    {"uniform", FFEBM_INITIALIZATION_UNIFORM}, {"goe", FFEBM_INITIALIZATION_GOE}, {NULL, 0}};

/* So that Hopfield blocks settle, and go on settling while they learn: layers begin amid their bounds, of 0 and 1 / slope
 * in what they feel, and couplings are weak. Chosen by measurement: docs/settings.md. */
static const ffebm_initialization places[] = {
    [FFEBMI_ELSEWHERE] = {.size = sizeof places[0], .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 1},
    [FFEBMI_INTO_BLOCK] =
        {.size = sizeof places[0], .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 8, .constant_bias = 1, .bias = 1},
    [FFEBMI_IN_BLOCK] =
        {.size = sizeof places[0], .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 0.25, .constant_bias = 1, .bias = 2},
};

const ffebm_initialization *ffebmi_initialization_of(const ffebm_model *model, const ffebmi_learnable *learnable)
{
    if (learnable->own_initialization)
        return &learnable->initialization;
    return model->own_initialization ? &model->initialization : &places[learnable->place];
}

ffebm_status ffebmi_initialization_parse(const ffebmi_fields *parent, ffebm_initialization *initialization)
{
    static const char *const keys[] = {"type", "gain", "variance", "bias", NULL};
    ffebmi_fields fields;
    char where[128];

    ffebm_initialization_init(initialization, sizeof *initialization);
    snprintf(where, sizeof where, "%s initialization", parent->where);
    FFEBMI_TRY(
        ffebmi_fields_begin(&fields, parent->context, ffebmi_fields_item(parent, "initialization"), where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    FFEBMI_TRY(ffebmi_fields_choice(&fields, "type", types, &initialization->type));
    FFEBMI_TRY(ffebmi_fields_number(&fields, "gain", &initialization->gain));
    FFEBMI_CHECK(parent->context, initialization->gain > 0, FFEBM_ERR_PARSE, "%s: \"gain\" is %g, expected more than 0",
                 where, initialization->gain);
    if (initialization->type == FFEBM_INITIALIZATION_GOE)
        FFEBMI_TRY(ffebmi_fields_require(&fields, "variance"));
    FFEBMI_TRY(ffebmi_fields_number(&fields, "variance", &initialization->variance));
    FFEBMI_CHECK(parent->context,
                 initialization->type == FFEBM_INITIALIZATION_GOE ? initialization->variance > 0
                                                                  : !ffebmi_fields_have(&fields, "variance"),
                 FFEBM_ERR_PARSE, "%s: \"variance\" must be positive, and stands only with type goe", where);
    initialization->constant_bias = ffebmi_fields_have(&fields, "bias");
    return ffebmi_fields_number(&fields, "bias", &initialization->bias);
}

cJSON *ffebmi_initialization_describe(const ffebm_initialization *initialization)
{
    cJSON *object = cJSON_CreateObject();

    if (object == NULL ||
        cJSON_AddStringToObject(object, "type", ffebmi_choice_name(types, initialization->type)) == NULL ||
        ffebmi_json_add_number(object, "gain", initialization->gain) == NULL ||
        (initialization->type == FFEBM_INITIALIZATION_GOE &&
         ffebmi_json_add_number(object, "variance", initialization->variance) == NULL) ||
        (initialization->constant_bias == 1 && ffebmi_json_add_number(object, "bias", initialization->bias) == NULL)) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

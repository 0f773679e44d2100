#include "model/initialization.h"

#include <stdio.h>

#include "core/context.h"

static const ffebmi_choice types[] = {
    {"uniform", FFEBM_INITIALIZATION_UNIFORM}, {"goe", FFEBM_INITIALIZATION_GOE}, {NULL, 0}};

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
        cJSON_AddNumberToObject(object, "gain", initialization->gain) == NULL ||
        (initialization->type == FFEBM_INITIALIZATION_GOE &&
         cJSON_AddNumberToObject(object, "variance", initialization->variance) == NULL) ||
        (initialization->constant_bias == 1 && cJSON_AddNumberToObject(object, "bias", initialization->bias) == NULL)) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

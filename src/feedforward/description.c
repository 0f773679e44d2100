/* Each op is read and written by its kind's table of settings. */
#include "feedforward/description.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/text.h"
#include "tensor/parameter.h"
#include "json/settings.h"

enum { WHERE = 96 };

static ffebm_status parse_op(ffebm_feedforward *block, const cJSON *json, const char *where)
{
    ffebm_context *context = block->context;
    ffebm_op_config config;
    char known[FFEBMI_LISTED];
    const ffebmi_op_kind *kind;
    const char *type = "";
    ffebm_status status;

    FFEBMI_TRY(ffebmi_context_ask(context));
    FFEBMI_TRY(ffebmi_fields_type(context, json, where, &type));
    FFEBMI_TRY(ffebmi_fields_refuse_user(context, where, type, ffebmi_op_user.name));
    kind = ffebmi_op_kind_named(type);
    FFEBMI_CHECK(context, kind != NULL, FFEBM_ERR_PARSE, "%s: unknown op type \"%.40s\", expected one of %s", where,
                 type, ffebmi_text_list(known, ffebmi_op_kind_name));
    status = ffebmi_settings_parse_type(context, json, where, &ffebmi_op_settings, kind->type, &config);
    if (status == FFEBM_OK)
        status = ffebmi_fields_refused(context, where, ffebm_feedforward_add_op(block, &config));
    ffebmi_settings_release(context, &ffebmi_op_settings, &config);
    return status;
}

ffebm_status ffebmi_feedforward_parse(ffebm_feedforward *block, const cJSON *ops, const char *where)
{
    const cJSON *item;
    char op[WHERE];
    size_t i = 0;

    FFEBMI_CHECK(block->context, cJSON_IsArray(ops), FFEBM_ERR_PARSE, "%s: \"feedforward\" must be an array", where);
    cJSON_ArrayForEach(item, ops)
    {
        snprintf(op, sizeof op, "%s op %zu", where, i++);
        FFEBMI_TRY(parse_op(block, item, op));
    }
    return FFEBM_OK;
}

static cJSON *describe_op(const ffebmi_op *op, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ffebmi_give(json, "type", cJSON_CreateString(op->kind->name));
    ffebm_op_config config = op->config;

    if (op->user != NULL)
        return ffebmi_keep_if(json, good && ffebmi_give(json, "name", cJSON_CreateString(ffebmi_op_user_name(op))));
    config.initialization = ffebmi_learnable_drawn_alone(&op->learnable, common);
    return ffebmi_keep_if(json, good && ffebmi_settings_give(json, op->kind->settings, &config));
}

cJSON *ffebmi_feedforward_describe(const ffebm_feedforward *block, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < block->op_count; i++)
        good = ffebmi_give(json, NULL, describe_op(&block->ops[i], common));
    return ffebmi_keep_if(json, good);
}

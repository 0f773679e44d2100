/* Energy blocks in a model description: an object whose "type" is a kind's, and the rest is the kind's own. */
#include <string.h>

#include "core/context.h"
#include "core/text.h"
#include "device/device.h"
#include "energy/description.h"
#include "json/settings.h"

static const ffebmi_energy_description *description_named(const char *type)
{
    const ffebmi_energy_description *const *list = ffebmi_energy_descriptions();

    while (*list != NULL && strcmp((*list)->kind->type, type) != 0)
        list++;
    return *list;
}

/* The kinds that can be parsed, for lists of what there is. */
static const char *parsed_type(size_t index)
{
    const ffebmi_energy_description *const *list = ffebmi_energy_descriptions();

    for (; *list != NULL; list++)
        if ((*list)->parse != NULL && index-- == 0)
            return (*list)->kind->type;
    return NULL;
}

static ffebm_status parse_device(ffebm_energy *block, const cJSON *json, const char *where)
{
    const ffebmi_fields fields = {.context = block->context, .object = json, .where = where};
    ffebm_device_config read;

    if (!ffebmi_fields_have(&fields, "device"))
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_settings_parse_key(&fields, "device", &ffebmi_device_settings, &read));
    block->device = ffebmi_allocate(block->context, 1, sizeof *block->device);
    if (block->device == NULL)
        return ffebmi_fail_memory(block->context, "a device's configuration");
    return ffebmi_fields_refused(block->context, where,
                                 ffebmi_device_read(block->context, "device", block->device, &read));
}

ffebm_status ffebmi_energy_parse(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where)
{
    const ffebmi_energy_description *description;
    char known[FFEBMI_LISTED];
    const char *type = "";
    ffebm_status status;

    FFEBMI_TRY(ffebmi_fields_type(context, json, where, &type));
    description = description_named(type);
    FFEBMI_CHECK(context, description != NULL, FFEBM_ERR_PARSE, "%s: unknown energy type \"%.40s\", expected one of %s",
                 where, type, ffebmi_text_list(known, parsed_type));
    FFEBMI_CHECK(context, description->parse != NULL, FFEBM_ERR_UNSUPPORTED,
                 "%s: it is a block of the user's; build the model by calls, then restore its values", where);
    FFEBMI_TRY(description->parse(context, block, json, where));
    status = parse_device(*block, json, where);
    if (status != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

cJSON *ffebmi_energy_describe(const ffebm_energy *block, const ffebm_initialization *common)
{
    const ffebmi_energy_description *description = description_named(block->kind->type);
    cJSON *json = cJSON_CreateObject();

    return ffebmi_keep_if(json, json != NULL && ffebmi_give(json, "type", cJSON_CreateString(block->kind->type)) &&
                                    description->describe(block, common, json) &&
                                    (block->device == NULL ||
                                     ffebmi_settings_give_key(json, "device", &ffebmi_device_settings, block->device)));
}

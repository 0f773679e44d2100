/* A Hopfield block in a model description: its settings, and its couplings by their kinds' tables of settings. */
#include <stdio.h>

#include "core/context.h"
#include "core/text.h"
#include "energy/description.h"
#include "energy/hopfield.h"
#include "json/settings.h"

enum { WHERE = 96 };

static ffebm_status parse_coupling(ffebm_energy *block, const cJSON *json, const char *where)
{
    ffebm_context *context = block->context;
    ffebm_coupling_config config;
    char known[FFEBMI_LISTED];
    const ffebmi_coupling_kind *kind;
    const char *type = "";
    ffebm_status status;

    FFEBMI_TRY(ffebmi_context_ask(context));
    FFEBMI_TRY(ffebmi_fields_type(context, json, where, &type));
    kind = ffebmi_coupling_kind_named(type);
    FFEBMI_CHECK(context, kind != NULL, FFEBM_ERR_PARSE, "%s: unknown coupling type \"%.40s\", expected one of %s",
                 where, type, ffebmi_text_list(known, ffebmi_coupling_kind_name));
    status = ffebmi_settings_parse_type(context, json, where, &ffebmi_coupling_settings, kind->type, &config);
    if (status == FFEBM_OK)
        status = ffebmi_fields_refused(context, where, ffebm_energy_add_coupling(block, &config));
    ffebmi_settings_release(context, &ffebmi_coupling_settings, &config);
    return status;
}

ffebm_status ffebmi_couplings_parse(ffebm_energy *block, const cJSON *couplings, const char *where)
{
    const cJSON *item;
    char coupling[WHERE];
    size_t i = 0;

    cJSON_ArrayForEach(item, couplings)
    {
        snprintf(coupling, sizeof coupling, "%s coupling %zu", where, i++);
        FFEBMI_TRY(parse_coupling(block, item, coupling));
    }
    return FFEBM_OK;
}

static ffebm_status parse_config(ffebm_context *context, const cJSON *json, const char *where,
                                 ffebm_hopfield_config *config, const cJSON **couplings)
{
    static const char *const others[] = {"type", "couplings", "device", NULL};
    ffebmi_fields fields;

    FFEBMI_TRY(ffebmi_settings_begin(&fields, context, json, where, others,
                                     (const ffebmi_settings *[2]){&ffebmi_hopfield_settings, NULL}));
    FFEBMI_TRY(ffebmi_settings_parse(&fields, &ffebmi_hopfield_settings, config));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "couplings"));
    return ffebmi_fields_array(&fields, "couplings", couplings);
}

static ffebm_status parse(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where)
{
    const cJSON *couplings = NULL;
    ffebm_hopfield_config config;
    ffebm_status status;

    ffebm_hopfield_config_init(&config, sizeof config);
    status = parse_config(context, json, where, &config, &couplings);
    if (status == FFEBM_OK)
        status = ffebmi_fields_refused(context, where, ffebm_energy_create_hopfield(context, block, &config));
    ffebmi_settings_release(context, &ffebmi_hopfield_settings, &config);
    if (status == FFEBM_OK)
        status = ffebmi_couplings_parse(*block, couplings, where);
    if (status != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

static cJSON *describe_coupling(const ffebmi_coupling *coupling, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateObject();
    ffebm_coupling_config config = coupling->config;

    config.initialization = ffebmi_learnable_drawn_alone(&coupling->learnable, common);
    return ffebmi_keep_if(json, json != NULL && ffebmi_give(json, "type", cJSON_CreateString(coupling->kind->name)) &&
                                    ffebmi_settings_give(json, coupling->kind->settings, &config));
}

cJSON *ffebmi_couplings_describe(const ffebmi_coupling *couplings, size_t count, const ffebm_initialization *common)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < count; i++)
        good = ffebmi_give(json, NULL, describe_coupling(&couplings[i], common));
    return ffebmi_keep_if(json, good);
}

static bool describe(const ffebm_energy *block, const ffebm_initialization *common, cJSON *to)
{
    const ffebmi_hopfield *h = (const ffebmi_hopfield *)block;

    return ffebmi_settings_give(to, &ffebmi_hopfield_settings, &h->config) &&
           ffebmi_give(to, "couplings", ffebmi_couplings_describe(h->couplings, h->coupling_count, common));
}

const ffebmi_energy_description ffebmi_hopfield_description = {
    .kind = &ffebmi_energy_hopfield, .describe = describe, .parse = parse};

/* A resistive block in a model description. */
#include "core/context.h"
#include "energy/description.h"
#include "energy/resistive.h"
#include "json/settings.h"

static ffebm_status parse(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where)
{
    static const char *const others[] = {"type", "couplings", "device", NULL};
    const cJSON *couplings = NULL;
    ffebm_resistive_config config;
    ffebmi_fields read;
    ffebm_status status;

    ffebm_resistive_config_init(&config, sizeof config);
    FFEBMI_TRY(ffebmi_settings_begin(&read, context, json, where, others,
                                     (const ffebmi_settings *[2]){&ffebmi_resistive_settings, NULL}));
    FFEBMI_TRY(ffebmi_settings_parse(&read, &ffebmi_resistive_settings, &config));
    FFEBMI_TRY(ffebmi_fields_require(&read, "couplings"));
    FFEBMI_TRY(ffebmi_fields_array(&read, "couplings", &couplings));
    FFEBMI_TRY(ffebmi_fields_refused(context, where, ffebm_energy_create_resistive(context, block, &config)));
    status = ffebmi_couplings_parse(*block, couplings, where);
    if (status != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

static bool describe(const ffebm_energy *block, const ffebm_initialization *common, cJSON *to)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);

    return ffebmi_settings_give(to, &ffebmi_resistive_settings, &r->config) &&
           ffebmi_give(to, "couplings", ffebmi_couplings_describe(r->couplings, r->coupling_count, common));
}

const ffebmi_energy_description ffebmi_resistive_description = {
    .kind = &ffebmi_energy_resistive, .describe = describe, .parse = parse};

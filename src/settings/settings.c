/* Every setting by its key, for programs: the tables of all configurations in one list. */
#include <ffebm/settings.h>

#include <stdio.h>
#include <string.h>

#include "analysis/certify.h"
#include "analysis/ledger.h"
#include "core/context.h"
#include "core/sized.h"
#include "device/device.h"
#include "energy/coupling.h"
#include "energy/neuron.h"
#include "feedforward/op.h"
#include "gradient/engine.h"
#include "model/recipe.h"
#include "optimizer/optimizer.h"
#include "relax/equilibrium.h"
#include "settings/text.h"

static const ffebmi_settings *const tables[] = {
    [FFEBM_CONFIG_CONTEXT] = &ffebmi_context_settings,
    [FFEBM_CONFIG_INITIALIZATION] = &ffebmi_initialization_settings,
    [FFEBM_CONFIG_OP] = &ffebmi_op_settings,
    [FFEBM_CONFIG_COUPLING] = &ffebmi_coupling_settings,
    [FFEBM_CONFIG_EQUILIBRIUM] = &ffebmi_equilibrium_settings,
    [FFEBM_CONFIG_RECIPE] = &ffebmi_recipe_settings,
    [FFEBM_CONFIG_ENGINE] = &ffebmi_engine_settings,
    [FFEBM_CONFIG_CERTIFY] = &ffebmi_certify_settings,
    [FFEBM_CONFIG_SGD] = &ffebmi_sgd_settings,
    [FFEBM_CONFIG_ADAM] = &ffebmi_adam_settings,
    [FFEBM_CONFIG_ACTIVATION] = &ffebmi_activation_settings,
    [FFEBM_CONFIG_DEVICE] = &ffebmi_device_settings,
    [FFEBM_CONFIG_LEDGER] = &ffebmi_ledger_settings,
};

/* Of those above, or of a kind of energy. */
static const ffebmi_settings *table_of(int32_t kind)
{
    if (kind >= 1 && kind < (int32_t)(sizeof tables / sizeof tables[0]) && tables[kind] != NULL)
        return tables[kind];
    for (const ffebmi_energy_kind *const *k = ffebmi_energy_kinds(); *k != NULL; k++)
        if ((*k)->settings != NULL && (*k)->config == kind)
            return (*k)->settings;
    return NULL;
}

/* What an object is a configuration of. */
static int32_t kind_of(const ffebmi_settings *object)
{
    for (size_t kind = 1; object != NULL && kind < sizeof tables / sizeof tables[0]; kind++)
        if (tables[kind] == object)
            return (int32_t)kind;
    return 0;
}

ffebm_status ffebm_setting_inspect(ffebm_setting_info *info, int32_t kind, size_t index)
{
    const ffebmi_settings *table = table_of(kind);
    ffebm_setting_info facts;

    if (info == NULL || table == NULL)
        return FFEBM_ERR_ARGUMENT;
    if (index >= table->count)
        return FFEBM_ERR_NOT_FOUND;
    facts = table->list[index].info;
    facts.object = kind_of(table->list[index].object);
    return ffebmi_sized_write(NULL, "setting", info, &facts, sizeof facts);
}

size_t ffebm_setting_find(int32_t kind, const char *key)
{
    const ffebmi_settings *table = table_of(kind);
    const ffebmi_setting *found = table == NULL || key == NULL ? NULL : ffebmi_setting_named(table, key);

    return found == NULL ? FFEBM_NONE : (size_t)(found - table->list);
}

/* ----------------------------------------------------------------------------------------------------------- one value */

static ffebm_status unknown_key(ffebm_context *context, const ffebmi_settings *table, const char *key)
{
    char known[384];
    size_t used = 0;

    for (size_t i = 0; i < table->count && used < sizeof known; i++)
        used +=
            (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ", table->list[i].info.key);
    return ffebmi_fail(context, FFEBM_ERR_NOT_FOUND, "%s: no setting \"%.40s\", expected one of %s", table->name, key,
                       known);
}

/* The setting that a caller means, of a struct that has it. */
static ffebm_status find(ffebm_context *context, const ffebmi_setting **setting, int32_t kind, const char *key,
                         const void *config)
{
    const ffebmi_settings *table = table_of(kind);
    const ffebm_setting_info *info;
    size_t size;

    FFEBMI_CHECK_ARGUMENT(context, table != NULL, "settings: kind %d is none of FFEBM_CONFIG_", (int)kind);
    FFEBMI_CHECK_ARGUMENT(context, key != NULL && config != NULL, "%s: key or config is NULL", table->name);
    *setting = ffebmi_setting_named(table, key);
    if (*setting == NULL)
        return unknown_key(context, table, key);
    info = &(*setting)->info;
    memcpy(&size, config, sizeof size);
    FFEBMI_CHECK(context, info->type != FFEBM_SETTING_OBJECT, FFEBM_ERR_UNSUPPORTED,
                 "%s: %s is a configuration of its own", table->name, key);
    FFEBMI_CHECK(context, info->offset + info->count * info->bytes <= size, FFEBM_ERR_UNSUPPORTED,
                 "%s: the struct's size is %zu, too short for %s", table->name, size, key);
    return FFEBM_OK;
}

ffebm_status ffebm_setting_read(ffebm_context *context, char *text, size_t capacity, size_t *length, int32_t kind,
                                const char *key, const void *config)
{
    const ffebmi_setting *setting = NULL;
    char value[FFEBMI_VALUE_TEXT];

    if (length != NULL)
        *length = 0;
    if (text != NULL && capacity > 0)
        text[0] = '\0';
    FFEBMI_CHECK_ARGUMENT(context, text != NULL || capacity == 0, "ffebm_setting_read: text is NULL");
    FFEBMI_TRY(find(context, &setting, kind, key, config));
    ffebmi_setting_show(setting, value, config);
    if (length != NULL)
        *length = strlen(value);
    if (capacity > 0)
        snprintf(text, capacity, "%s", value);
    return FFEBM_OK;
}

ffebm_status ffebm_setting_read_number(ffebm_context *context, double *number, int32_t kind, const char *key,
                                       const void *config)
{
    const ffebmi_setting *setting = NULL;

    if (number != NULL)
        *number = NAN;
    FFEBMI_CHECK_ARGUMENT(context, number != NULL, "ffebm_setting_read_number: number is NULL");
    FFEBMI_TRY(find(context, &setting, kind, key, config));
    *number = ffebmi_setting_number(setting, config, 0);
    return FFEBM_OK;
}

static const char *expected(const ffebmi_setting *setting, char words[FFEBMI_SETTING_WORDS])
{
    return setting->info.type == FFEBM_SETTING_FLAG ? "true or false" : ffebmi_setting_expected(setting, words);
}

ffebm_status ffebm_setting_write(ffebm_context *context, void *config, int32_t kind, const char *key, const char *value)
{
    const ffebmi_setting *setting = NULL;
    char words[FFEBMI_SETTING_WORDS];

    FFEBMI_CHECK_ARGUMENT(context, value != NULL, "ffebm_setting_write: value is NULL");
    FFEBMI_TRY(find(context, &setting, kind, key, config));
    FFEBMI_CHECK_ARGUMENT(context, ffebmi_setting_take(setting, config, value), "%s is \"%.40s\", expected %s", key,
                          value, expected(setting, words));
    return FFEBM_OK;
}

ffebm_status ffebm_setting_write_number(ffebm_context *context, void *config, int32_t kind, const char *key,
                                        double value)
{
    static const double most = 9007199254740992.0; /* 2^53 */
    const ffebmi_setting *setting = NULL;
    char words[FFEBMI_SETTING_WORDS];

    FFEBMI_TRY(find(context, &setting, kind, key, config));
    FFEBMI_CHECK_ARGUMENT(context,
                          ffebmi_setting_allows(setting, value) &&
                              (setting->info.type == FFEBM_SETTING_NUMBER || fabs(value) <= most),
                          "%s is %.15g, expected %s", key, value, ffebmi_setting_expected(setting, words));
    ffebmi_setting_set(setting, config, value);
    return FFEBM_OK;
}

#include "json/settings.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"

enum { MOST_KEYS = 64, WHERE = 160 };

/* A setting's key in the object that it stands in. */
static const char *key_of(const ffebmi_setting *setting)
{
    return setting->group == NULL ? setting->info.key : setting->info.key + strlen(setting->group) + strlen(".");
}

static bool is_object(const ffebmi_setting *setting)
{
    return setting->info.type == FFEBM_SETTING_OBJECT;
}

static bool same_group(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Is it the first of its table that stands in its group? */
static bool is_first(const ffebmi_settings *table, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (same_group(table->list[i].group, table->list[index].group))
            return false;
    return true;
}

/* ----------------------------------------------------------------------------------------------------------- reading */

/* Append a table's keys: those of a group, or (NULL) of the whole, where a group is one key. */
static size_t add_keys(const char *keys[MOST_KEYS], size_t count, const ffebmi_settings *table, const char *group)
{
    for (size_t i = 0; i < table->count && count + 1 < MOST_KEYS; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (s->json & FFEBMI_JSON_NONE)
            continue;
        if (same_group(s->group, group))
            keys[count++] = key_of(s);
        else if (group == NULL && is_first(table, i))
            keys[count++] = s->group;
    }
    keys[count] = NULL;
    return count;
}

ffebm_status ffebmi_settings_begin(ffebmi_fields *fields, ffebm_context *context, const cJSON *object,
                                   const char *where, const char *const *others, const ffebmi_settings *const tables[2])
{
    const char *keys[MOST_KEYS] = {NULL};
    size_t count = 0;

    for (; others != NULL && *others != NULL; others++)
        keys[count++] = *others;
    for (int i = 0; i < 2; i++)
        if (tables[i] != NULL)
            count = add_keys(keys, count, tables[i], NULL);
    return ffebmi_fields_begin(fields, context, object, where, keys);
}

static ffebm_status parse_number(const ffebmi_fields *fields, const ffebmi_setting *s, void *config)
{
    const ffebm_setting_info *info = &s->info;
    char words[FFEBMI_SETTING_WORDS];
    int64_t integer = 0;
    double number = 0;

    if (info->type == FFEBM_SETTING_INTEGER) {
        FFEBMI_TRY(ffebmi_fields_integer(fields, key_of(s), &integer));
        number = (double)integer;
    } else
        FFEBMI_TRY(ffebmi_fields_number(fields, key_of(s), &number));
    FFEBMI_CHECK(fields->context, ffebmi_setting_allows(s, number), FFEBM_ERR_PARSE, "%s: \"%s\" is %.15g, expected %s",
                 fields->where, key_of(s), number, ffebmi_setting_expected(s, words));
    ffebmi_setting_set(s, config, number);
    return FFEBM_OK;
}

static ffebm_status parse_one(const ffebmi_fields *fields, const ffebmi_setting *s, void *config)
{
    const ffebm_setting_info *info = &s->info;
    void *field = (char *)config + info->offset;
    const int32_t given = 1;

    if (s->json & FFEBMI_JSON_REQUIRED)
        FFEBMI_TRY(ffebmi_fields_require(fields, key_of(s)));
    if (!ffebmi_fields_have(fields, key_of(s)))
        return FFEBM_OK;
    if (s->given != 0)
        memcpy((char *)config + s->given, &given, sizeof given);
    switch (info->type) {
    case FFEBM_SETTING_CHOICE:
        return ffebmi_fields_choice(fields, key_of(s), info->choices, info->values, info->choice_count, field);
    case FFEBM_SETTING_FLAG:
        return ffebmi_fields_flag(fields, key_of(s), field);
    case FFEBM_SETTING_WINDOW:
        return ffebmi_fields_pair(fields, key_of(s), (int64_t)info->lower, field);
    default:
        return parse_number(fields, s, config);
    }
}

static ffebm_status parse_object(const ffebmi_fields *fields, const ffebmi_setting *s, void *config)
{
    void *object;

    if (!ffebmi_fields_have(fields, key_of(s)))
        return FFEBM_OK;
    object = ffebmi_allocate(fields->context, 1, s->object->bytes);
    if (object == NULL)
        return ffebmi_fail_memory(fields->context, "a configuration");
    ffebmi_setting_set_object(s, config, object);
    return ffebmi_settings_parse_key(fields, key_of(s), s->object, object);
}

static ffebm_status parse_settings(const ffebmi_fields *fields, const ffebmi_settings *table, const char *group,
                                   void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (same_group(s->group, group) && !(s->json & FFEBMI_JSON_NONE))
            FFEBMI_TRY(is_object(s) ? parse_object(fields, s, config) : parse_one(fields, s, config));
    }
    return FFEBM_OK;
}

static ffebm_status parse_group(const ffebmi_fields *parent, const ffebmi_settings *table, const char *group,
                                void *config)
{
    const char *keys[MOST_KEYS];
    char where[WHERE];
    ffebmi_fields fields;

    if (!ffebmi_fields_have(parent, group))
        return FFEBM_OK;
    snprintf(where, sizeof where, "%s %s", parent->where, group);
    add_keys(keys, 0, table, group);
    FFEBMI_TRY(ffebmi_fields_begin(&fields, parent->context, ffebmi_fields_item(parent, group), where, keys));
    return parse_settings(&fields, table, group, config);
}

ffebm_status ffebmi_settings_parse(const ffebmi_fields *fields, const ffebmi_settings *table, void *config)
{
    FFEBMI_TRY(parse_settings(fields, table, NULL, config));
    for (size_t i = 0; i < table->count; i++)
        if (table->list[i].group != NULL && is_first(table, i))
            FFEBMI_TRY(parse_group(fields, table, table->list[i].group, config));
    return FFEBM_OK;
}

/* Over the defaults, of its type. */
static ffebm_status parse_whole(const ffebmi_fields *from, const char *const *others, const ffebmi_settings *table,
                                void *config)
{
    const ffebmi_settings *reads = ffebmi_settings_of(table, config);
    ffebmi_fields fields;

    FFEBMI_TRY(ffebmi_settings_begin(&fields, from->context, from->object, from->where, others,
                                     (const ffebmi_settings *[2]){reads, NULL}));
    return ffebmi_settings_parse(&fields, reads, config);
}

ffebm_status ffebmi_settings_parse_type(ffebm_context *context, const cJSON *object, const char *where,
                                        const ffebmi_settings *table, int32_t type, void *config)
{
    static const char *const others[] = {"type", NULL};
    const ffebmi_fields from = {.context = context, .object = object, .where = where};

    ffebmi_settings_init_type(table, config, table->bytes, type);
    return parse_whole(&from, others, table, config);
}

/* Which type it is, out of the choices that its table has. */
static ffebm_status find_type(const ffebmi_fields *fields, const ffebmi_settings *table, int32_t *type)
{
    const ffebmi_setting *s = ffebmi_setting_named(table, "type");
    const char *text = NULL;

    FFEBMI_TRY(ffebmi_fields_type(fields->context, fields->object, fields->where, &text));
    return ffebmi_fields_choice(fields, "type", s->info.choices, s->info.values, s->info.choice_count, type);
}

ffebm_status ffebmi_settings_parse_key(const ffebmi_fields *parent, const char *key, const ffebmi_settings *table,
                                       void *config)
{
    char where[WHERE];
    const ffebmi_fields fields = {
        .context = parent->context, .object = ffebmi_fields_item(parent, key), .where = where};
    int32_t type = 0;

    ffebmi_settings_init(table, config, table->bytes);
    snprintf(where, sizeof where, "%s %s", parent->where, key);
    if (table->of_type != NULL) {
        FFEBMI_TRY(find_type(&fields, table, &type));
        ffebmi_settings_init_type(table, config, table->bytes, type);
    }
    return parse_whole(&fields, NULL, table, config);
}

/* ----------------------------------------------------------------------------------------------------------- writing */

static cJSON *describe_window(const void *field)
{
    int64_t pair[2];
    double numbers[2];

    memcpy(pair, field, sizeof pair);
    numbers[0] = (double)pair[0];
    numbers[1] = (double)pair[1];
    return pair[0] == pair[1] ? ffebmi_json_number(numbers[0]) : cJSON_CreateDoubleArray(numbers, 2);
}

static cJSON *describe_choice(const ffebm_setting_info *info, double number)
{
    for (size_t i = 0; i < info->choice_count; i++)
        if (info->values[i] == number)
            return cJSON_CreateString(info->choices[i]);
    return NULL;
}

static cJSON *describe_one(const ffebmi_setting *s, const void *config)
{
    const double number = ffebmi_setting_number(s, config, 0);

    switch (s->info.type) {
    case FFEBM_SETTING_CHOICE:
        return describe_choice(&s->info, number);
    case FFEBM_SETTING_FLAG:
        return cJSON_CreateBool(number != 0);
    case FFEBM_SETTING_WINDOW:
        return describe_window((const char *)config + s->info.offset);
    default:
        return ffebmi_json_number(number);
    }
}

static bool is_written(const ffebmi_setting *s, const void *config)
{
    int32_t given = 1;

    if (s->json & FFEBMI_JSON_NONE || is_object(s))
        return false;
    if (s->given != 0)
        memcpy(&given, (const char *)config + s->given, sizeof given);
    return given && !(s->json & FFEBMI_JSON_SPARSE && ffebmi_setting_is_initial(s, config));
}

/* Behind all others of its group. */
static bool give_objects(cJSON *to, const ffebmi_settings *table, const char *group, const void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];
        const void *object = is_object(s) && same_group(s->group, group) ? ffebmi_setting_object(s, config) : NULL;

        if (object != NULL && !ffebmi_settings_give_key(to, key_of(s), s->object, object))
            return false;
    }
    return true;
}

static bool give_group(cJSON *to, const ffebmi_settings *table, const char *group, const void *config)
{
    cJSON *object = cJSON_CreateObject();
    bool good = object != NULL;

    for (size_t i = 0; good && i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (same_group(s->group, group) && is_written(s, config))
            good = ffebmi_give(object, key_of(s), describe_one(s, config));
    }
    good = good && give_objects(object, table, group, config);
    if (good && object->child != NULL)
        return ffebmi_give(to, group, object);
    cJSON_Delete(object);
    return good;
}

bool ffebmi_settings_give(cJSON *to, const ffebmi_settings *table, const void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (s->group == NULL ? is_written(s, config) && !ffebmi_give(to, key_of(s), describe_one(s, config))
                             : is_first(table, i) && !give_group(to, table, s->group, config))
            return false;
    }
    return give_objects(to, table, NULL, config);
}

bool ffebmi_settings_give_key(cJSON *to, const char *key, const ffebmi_settings *table, const void *config)
{
    cJSON *object = cJSON_CreateObject();

    return ffebmi_give(
        to, key,
        ffebmi_keep_if(object,
                       object != NULL && ffebmi_settings_give(object, ffebmi_settings_of(table, config), config)));
}

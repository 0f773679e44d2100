/* A whole configuration by its table of settings: its defaults, its check, and a copy of a caller's. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/setting.h"
#include "core/sized.h"

enum { WHAT = 96 };

/* Any configuration. */
typedef union whole {
    size_t size;
    double number;
    void *pointer;
    unsigned char bytes[512];
} whole;

static bool is_object(const ffebmi_setting *setting)
{
    return setting->info.type == FFEBM_SETTING_OBJECT;
}

/* ----------------------------------------------------------------------------------------------------------- defaults */

void ffebmi_settings_init(const ffebmi_settings *table, void *config, size_t size)
{
    if (config == NULL || size < sizeof size)
        return;
    memset(config, 0, size);
    memcpy(config, &size, sizeof size);
    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (!is_object(s) && s->info.offset + s->info.count * s->info.bytes <= size)
            ffebmi_setting_set(s, config, s->initial);
    }
}

void ffebmi_settings_init_type(const ffebmi_settings *table, void *config, size_t size, int32_t type)
{
    static const ffebmi_settings none;
    const ffebmi_settings *reads = table->of_type(type);

    ffebmi_settings_init(reads == NULL ? &none : reads, config, size);
    if (config != NULL && size >= table->type + sizeof type)
        memcpy((char *)config + table->type, &type, sizeof type);
}

static int32_t type_of(const ffebmi_settings *table, const void *config)
{
    int32_t type;

    memcpy(&type, (const char *)config + table->type, sizeof type);
    return type;
}

const ffebmi_settings *ffebmi_settings_of(const ffebmi_settings *table, const void *config)
{
    return table->of_type == NULL ? table : table->of_type(type_of(table, config));
}

/* -------------------------------------------------------------------------------------------------------------- check */

static ffebm_status check_reserved(ffebm_context *context, const ffebmi_settings *table, const char *what,
                                   const void *config)
{
    int32_t reserved = 0;

    if (table->reserved != 0)
        memcpy(&reserved, (const char *)config + table->reserved, sizeof reserved);
    FFEBMI_CHECK_ARGUMENT(context, reserved == 0, "%s: reserved_ is %d, expected 0", what, (int)reserved);
    return FFEBM_OK;
}

/* Numbers alone: objects are checked as they are copied. */
static ffebm_status check(ffebm_context *context, const ffebmi_settings *table, const char *what, const void *config)
{
    char words[FFEBMI_SETTING_WORDS];

    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        for (size_t j = 0; j < s->info.count && !is_object(s); j++) {
            const double number = ffebmi_setting_number(s, config, j);

            FFEBMI_CHECK_ARGUMENT(context, ffebmi_setting_allows(s, number), "%s: %s is %.15g, expected %s", what,
                                  s->info.field, number, ffebmi_setting_expected(s, words));
        }
    }
    return FFEBM_OK;
}

static ffebm_status refuse_type(ffebm_context *context, const ffebmi_settings *table, const char *what, int32_t type)
{
    const ffebmi_setting *s = ffebmi_setting_named(table, "type");
    char words[FFEBMI_SETTING_WORDS];

    return ffebmi_fail(context, FFEBM_ERR_ARGUMENT, "%s: type is %d, expected %s", what, (int)type,
                       s != NULL ? ffebmi_setting_expected(s, words) : "a constant that its header has");
}

static bool has_field(const ffebmi_settings *table, size_t offset)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->list[i].info.offset == offset)
            return true;
    return false;
}

/* What stands in `all` but not in `reads` must be zero. */
static ffebm_status check_unread(ffebm_context *context, const ffebmi_settings *all, const ffebmi_settings *reads,
                                 const char *what, const void *config)
{
    for (size_t i = 0; i < all->count; i++) {
        const ffebmi_setting *s = &all->list[i];

        if (has_field(reads, s->info.offset))
            continue;
        FFEBMI_CHECK_ARGUMENT(context, !is_object(s) || ffebmi_setting_object(s, config) == NULL,
                              "%s does not read %s, which is not NULL", what, s->info.field);
        for (size_t j = 0; j < s->info.count && !is_object(s); j++)
            FFEBMI_CHECK_ARGUMENT(context, ffebmi_setting_number(s, config, j) == 0,
                                  "%s does not read %s, which is %.15g", what, s->info.field,
                                  ffebmi_setting_number(s, config, j));
    }
    return FFEBM_OK;
}

/* -------------------------------------------------------------------------------------------------------------- a copy */

/* In place of a caller's object, NULL on failure. */
static ffebm_status copy_object(ffebm_context *context, const ffebmi_setting *s, const char *what, void *config)
{
    const void *from = ffebmi_setting_object(s, config);
    char own_what[WHAT];
    void *copy;
    ffebm_status status;

    ffebmi_setting_set_object(s, config, NULL);
    if (from == NULL && s->initial == FFEBMI_ABSENT)
        return FFEBM_OK;
    copy = ffebmi_allocate(context, 1, s->object->bytes);
    if (copy == NULL)
        return ffebmi_fail_memory(context, "a configuration");
    snprintf(own_what, sizeof own_what, "%s %s", what, s->info.field);
    status = ffebmi_settings_read_as(context, s->object, own_what, copy, from);
    if (status == FFEBM_OK)
        ffebmi_setting_set_object(s, config, copy);
    else
        ffebmi_release(context, copy);
    return status;
}

/* All of them or none. */
static ffebm_status copy_objects(ffebm_context *context, const ffebmi_settings *table, const char *what, void *config)
{
    ffebm_status status = FFEBM_OK;

    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];

        if (is_object(s) && status == FFEBM_OK)
            status = copy_object(context, s, what, config);
        else if (is_object(s))
            ffebmi_setting_set_object(s, config, NULL);
    }
    if (status != FFEBM_OK)
        ffebmi_settings_release(context, table, config);
    return status;
}

void ffebmi_settings_release(ffebm_context *context, const ffebmi_settings *table, void *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const ffebmi_setting *s = &table->list[i];
        void *object = is_object(s) ? ffebmi_setting_object(s, config) : NULL;

        if (object == NULL)
            continue;
        ffebmi_settings_release(context, s->object, object);
        ffebmi_release(context, object);
        ffebmi_setting_set_object(s, config, NULL);
    }
}

/* The type is read first: what a short struct leaves out has its defaults. */
static ffebm_status read_over(ffebm_context *context, const ffebmi_settings *table, const char *what, void *to,
                              const void *from)
{
    ffebmi_settings_init(table, to, table->bytes);
    FFEBMI_TRY(ffebmi_sized_read(context, what, to, table->bytes, from));
    if (table->of_type == NULL)
        return FFEBM_OK;
    ffebmi_settings_init_type(table, to, table->bytes, type_of(table, to));
    return ffebmi_sized_read(context, what, to, table->bytes, from);
}

ffebm_status ffebmi_settings_read_as(ffebm_context *context, const ffebmi_settings *table, const char *what, void *to,
                                     const void *from)
{
    const ffebmi_settings *reads;
    whole read;

    FFEBMI_TRY(read_over(context, table, what, &read, from));
    reads = ffebmi_settings_of(table, &read);
    if (reads == NULL)
        return refuse_type(context, table, what, type_of(table, &read));
    what = reads->name != NULL && reads != table ? reads->name : what;
    FFEBMI_TRY(check_unread(context, table, reads, what, &read));
    FFEBMI_TRY(check(context, reads, what, &read));
    FFEBMI_TRY(check_reserved(context, table, what, &read));
    FFEBMI_TRY(copy_objects(context, reads, what, &read));
    memcpy(to, &read, table->bytes);
    return FFEBM_OK;
}

ffebm_status ffebmi_settings_read(ffebm_context *context, const ffebmi_settings *table, void *to, const void *from)
{
    return ffebmi_settings_read_as(context, table, table->name, to, from);
}

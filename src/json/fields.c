#include "json/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/text.h"

enum { SHOWN = 40 };

static const double max_integer = 9007199254740992.0; /* 2^53: beyond it a JSON number is no exact integer */

#define PARSE_CHECK(context, condition, ...) FFEBMI_CHECK(context, condition, FFEBM_ERR_PARSE, __VA_ARGS__)

static bool listed(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

ffebm_status ffebmi_fields_begin(ffebmi_fields *fields, ffebm_context *context, const cJSON *object, const char *where,
                                 const char *const *keys)
{
    char known[FFEBMI_LISTED];
    size_t used = 0;

    *fields = (ffebmi_fields){.context = context, .object = object, .where = where};
    PARSE_CHECK(context, cJSON_IsObject(object), "%s: expected an object", where);
    for (size_t i = 0; keys[i] != NULL; i++)
        used = ffebmi_text_list_add(known, used, keys[i]);
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        PARSE_CHECK(context, listed(item->string, keys), "%s: unknown key \"%.*s\", expected one of %s", where, SHOWN,
                    item->string, known);
        PARSE_CHECK(context, cJSON_GetObjectItemCaseSensitive(object, item->string) == item,
                    "%s: key \"%s\" stands there twice", where, item->string);
    }
    return FFEBM_OK;
}

const cJSON *ffebmi_fields_item(const ffebmi_fields *fields, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(fields->object, key);
}

bool ffebmi_fields_have(const ffebmi_fields *fields, const char *key)
{
    return ffebmi_fields_item(fields, key) != NULL;
}

ffebm_status ffebmi_fields_require(const ffebmi_fields *fields, const char *key)
{
    PARSE_CHECK(fields->context, ffebmi_fields_have(fields, key), "%s: key \"%s\" is missing", fields->where, key);
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_number(const ffebmi_fields *fields, const char *key, double *value)
{
    const cJSON *item = ffebmi_fields_item(fields, key);

    if (item == NULL)
        return FFEBM_OK;
    PARSE_CHECK(fields->context, cJSON_IsNumber(item) && isfinite(item->valuedouble),
                "%s: \"%s\" must be a finite number", fields->where, key);
    *value = item->valuedouble;
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_integer(const ffebmi_fields *fields, const char *key, int64_t *value)
{
    double number = 0;

    if (!ffebmi_fields_have(fields, key))
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_fields_number(fields, key, &number));
    PARSE_CHECK(fields->context, number == floor(number) && fabs(number) <= max_integer,
                "%s: \"%s\" is %g, expected an integer", fields->where, key, number);
    *value = (int64_t)number;
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_pair(const ffebmi_fields *fields, const char *key, int64_t smallest, int64_t pair[2])
{
    const cJSON *item = ffebmi_fields_item(fields, key);

    if (item == NULL)
        return FFEBM_OK;
    PARSE_CHECK(fields->context, cJSON_IsNumber(item) || (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2),
                "%s: \"%s\" must be an integer or [height, width]", fields->where, key);
    for (int i = 0; i < 2; i++) {
        const cJSON *number = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, i) : item;

        PARSE_CHECK(fields->context,
                    cJSON_IsNumber(number) && number->valuedouble == floor(number->valuedouble) &&
                        number->valuedouble >= (double)smallest && number->valuedouble <= INT32_MAX,
                    "%s: \"%s\" must be made of integers of %d or more", fields->where, key, (int)smallest);
        pair[i] = (int64_t)number->valuedouble;
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_flag(const ffebmi_fields *fields, const char *key, int32_t *value)
{
    const cJSON *item = ffebmi_fields_item(fields, key);

    if (item == NULL)
        return FFEBM_OK;
    PARSE_CHECK(fields->context, cJSON_IsBool(item), "%s: \"%s\" must be true or false", fields->where, key);
    *value = cJSON_IsTrue(item) ? 1 : 0;
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_text(const ffebmi_fields *fields, const char *key, const char **value)
{
    const cJSON *item = ffebmi_fields_item(fields, key);

    if (item == NULL)
        return FFEBM_OK;
    PARSE_CHECK(fields->context, cJSON_IsString(item), "%s: \"%s\" must be a text", fields->where, key);
    *value = item->valuestring;
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_array(const ffebmi_fields *fields, const char *key, const cJSON **value)
{
    const cJSON *item = ffebmi_fields_item(fields, key);

    if (item == NULL)
        return FFEBM_OK;
    PARSE_CHECK(fields->context, cJSON_IsArray(item), "%s: \"%s\" must be an array", fields->where, key);
    *value = item;
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_choice(const ffebmi_fields *fields, const char *key, const char *const *names,
                                  const int32_t *values, size_t count, int32_t *value)
{
    const char *text = NULL;
    char known[FFEBMI_LISTED];
    size_t used = 0;

    FFEBMI_TRY(ffebmi_fields_text(fields, key, &text));
    if (text == NULL)
        return FFEBM_OK;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = values[i];
            return FFEBM_OK;
        }
        used = ffebmi_text_list_add(known, used, names[i]);
    }
    return ffebmi_fail(fields->context, FFEBM_ERR_PARSE, "%s: \"%s\" is \"%.*s\", expected one of %s", fields->where,
                       key, SHOWN, text, known);
}

ffebm_status ffebmi_fields_type(ffebm_context *context, const cJSON *object, const char *where, const char **type)
{
    const ffebmi_fields fields = {.context = context, .object = object, .where = where};

    PARSE_CHECK(context, cJSON_IsObject(object), "%s: expected an object", where);
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    return ffebmi_fields_text(&fields, "type", type);
}

ffebm_status ffebmi_fields_refuse_user(ffebm_context *context, const char *where, const char *type, const char *user)
{
    FFEBMI_CHECK(context, strcmp(type, user) != 0, FFEBM_ERR_UNSUPPORTED,
                 "%s: it is a block of the user's; build the model by calls, then restore its values", where);
    return FFEBM_OK;
}

ffebm_status ffebmi_fields_refused(ffebm_context *context, const char *where, ffebm_status status)
{
    char text[FFEBMI_ERROR_CAPACITY];
    const char *sentence = strstr(context->error, ": ");
    size_t length = strlen(where);

    if (status != FFEBM_ERR_ARGUMENT)
        return status;
    snprintf(text, sizeof text, "%s", sentence == NULL ? context->error : sentence + strlen(": "));
    if (strncmp(text, where, length) == 0 && text[length] == ':')
        return ffebmi_fail(context, FFEBM_ERR_PARSE, "%s", text);
    return ffebmi_fail(context, FFEBM_ERR_PARSE, "%s: %s", where, text);
}

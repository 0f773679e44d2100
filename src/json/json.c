/* cJSON makes the tree of a text that a scan has found good. So what it then fails for is memory; and numbers, which it
 * would read as the locale writes them, are read here: the text that it is given has zeros in their places. */
#include "json/json.h"

#include <errno.h>
#include <string.h>

#include "core/context.h"
#include "json/number.h"
#include "json/scan.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* Lines end with LF; columns count characters; both from 1. */
typedef struct place {
    size_t line;
    size_t column;
} place;

static place place_of(const char *json, size_t at)
{
    place p = {1, 1};

    for (size_t i = 0; i < at; i++) {
        if (json[i] == '\n')
            p = (place){p.line + 1, 1};
        else if (((unsigned char)json[i] & 0xc0) != 0x80)
            p.column++;
    }
    return p;
}

/* The mark at the beginning, which editors leave behind, is no part of the text. */
static void skip_mark(const char **json, size_t *length)
{
    size_t mark = strlen(byte_order_mark);

    if (*length >= mark && memcmp(*json, byte_order_mark, mark) == 0) {
        *json += mark;
        *length -= mark;
    }
}

static ffebm_status check(ffebm_context *context, ffebmi_scan *scan, const ffebmi_json_form *form, const char *json,
                          size_t length)
{
    place p;

    FFEBMI_CHECK(context, length <= form->most_bytes, form->refusal, "%s: %zu bytes, expected at most %zu", form->name,
                 length, form->most_bytes);
    *scan = (ffebmi_scan){.json = json,
                          .length = length,
                          .most_values = form->most_values,
                          .most_texts = form->most_texts,
                          .most_levels = form->most_levels};
    if (ffebmi_scan_json(scan) == NULL)
        return FFEBM_OK;
    p = place_of(json, scan->at);
    FFEBMI_CHECK(context, scan->values <= form->most_values, form->refusal,
                 "%s: line %zu, column %zu: more than %zu values", form->name, p.line, p.column, form->most_values);
    FFEBMI_CHECK(context, form->most_texts == 0 || scan->texts <= form->most_texts, form->refusal,
                 "%s: line %zu, column %zu: more than %zu keys and texts", form->name, p.line, p.column,
                 form->most_texts);
    FFEBMI_CHECK(context, scan->level <= form->most_levels, form->refusal,
                 "%s: line %zu, column %zu: more than %zu levels", form->name, p.line, p.column, form->most_levels);
    return ffebmi_fail(context, form->refusal, "%s: not JSON: line %zu, column %zu: %s", form->name, p.line, p.column,
                       scan->fault);
}

ffebm_status ffebmi_json_check(ffebm_context *context, const ffebmi_json_form *form, const char *json, size_t length)
{
    ffebmi_scan scan;

    skip_mark(&json, &length);
    return check(context, &scan, form, json, length);
}

/* Read the numbers of good JSON in their order, and put a zero in the place of each. */
static void take_numbers(char *json, size_t length, double *numbers)
{
    for (size_t i = 0; i < length; i++) {
        size_t start = i;

        if (json[i] == '"') {
            for (i++; json[i] != '"'; i++)
                i += json[i] == '\\';
        } else if (json[i] == '-' || (json[i] >= '0' && json[i] <= '9')) {
            i += strspn(json + i, "+-.0123456789eE") - 1;
            *numbers++ = ffebmi_number_read(json + start, i + 1 - start);
            memset(json + start, ' ', i + 1 - start);
            json[start] = '0';
        }
    }
}

/* The tree's numbers, in the order of the text; returns those that are left. */
static const double *give_numbers(cJSON *item, const double *numbers)
{
    for (; item != NULL; item = item->next) {
        if (cJSON_IsNumber(item))
            item->valuedouble = *numbers++;
        numbers = give_numbers(item->child, numbers);
    }
    return numbers;
}

static cJSON *tree_of(char *json, size_t length, double *numbers)
{
    int before = errno;
    cJSON *root;

    take_numbers(json, length, numbers);
    root = cJSON_ParseWithLength(json, length);
    if (root != NULL)
        give_numbers(root, numbers);
    errno = before;
    return root;
}

ffebm_status ffebmi_json_parse(ffebm_context *context, cJSON **root, const ffebmi_json_form *form, const char *json,
                               size_t length)
{
    ffebmi_scan scan;
    double *numbers;
    char *copy;

    *root = NULL;
    skip_mark(&json, &length);
    FFEBMI_TRY(check(context, &scan, form, json, length));
    copy = ffebmi_copy_text(context, json, length);
    numbers = ffebmi_allocate(context, scan.numbers, sizeof *numbers);
    if (copy != NULL && numbers != NULL)
        *root = tree_of(copy, length, numbers);
    ffebmi_release(context, numbers);
    ffebmi_release(context, copy);
    FFEBMI_CHECK(context, *root != NULL, FFEBM_ERR_NOMEM, "%s: no memory for its JSON", form->name);
    return FFEBM_OK;
}

cJSON *ffebmi_json_number(double number)
{
    char text[FFEBMI_NUMBER_TEXT];

    return cJSON_CreateRaw(ffebmi_number_write(text, number));
}

cJSON *ffebmi_json_add_number(cJSON *object, const char *key, double number)
{
    char text[FFEBMI_NUMBER_TEXT];

    return cJSON_AddRawToObject(object, key, ffebmi_number_write(text, number));
}

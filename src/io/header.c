#include "io/header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "io/element.h"
#include "io/text.h"
#include "model/fields.h"

/* {tensors: {fields: [numbers]}} */
enum { MAX_DEPTH = 3 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Space before it is against the format's text, but its own reader takes it. */
static bool starts_object(const char *json, size_t length)
{
    size_t at = 0;

    while (at < length && is_space(json[at]))
        at++;
    return at < length && json[at] == '{';
}

/* The parser recurses, and ends texts at a NUL: both are looked for before it runs. */
static ffebm_status check_text(ffebm_context *context, const ffebmi_source *source, const char *json, size_t length)
{
    size_t good = ffebmi_text_good(json, length);
    int depth = 0;
    bool in_text = false;

    FFEBMI_CHECK_FORMAT(context, source, starts_object(json, length),
                        "not a safetensors file: its header is no JSON object (%zu bytes)", length);
    FFEBMI_CHECK_FORMAT(context, source, good == length, "header: not UTF-8 at byte %zu", good);
    for (size_t i = 0; i < length; i++) {
        if (in_text) {
            FFEBMI_CHECK_FORMAT(context, source, length - i < 6 || memcmp(json + i, "\\u0000", 6) != 0,
                                "header: a NUL character in a text, at byte %zu", i);
            if (json[i] == '\\')
                i++;
            else if (json[i] == '"')
                in_text = false;
        } else if (json[i] == '"') {
            in_text = true;
        } else if (json[i] == '{' || json[i] == '[') {
            depth++;
        } else if (json[i] == '}' || json[i] == ']') {
            depth--;
        }
        FFEBMI_CHECK_FORMAT(context, source, depth <= MAX_DEPTH, "header: more than %d levels at byte %zu", MAX_DEPTH,
                            i);
    }
    return FFEBM_OK;
}

static bool only_space(const char *from, const char *end)
{
    while (from < end && is_space(*from))
        from++;
    return from == end;
}

static ffebm_status parse(ffebm_context *context, const ffebmi_source *source, cJSON **root, const char *json,
                          size_t length)
{
    const char *end = NULL;
    bool out_of_memory;

    FFEBMI_TRY(check_text(context, source, json, length));
    *root = ffebmi_json_read(json, length, &end, &out_of_memory);
    if (out_of_memory)
        return ffebmi_fail_memory(context, "the JSON of a file's header");
    FFEBMI_CHECK_FORMAT(context, source, *root != NULL, "header: not JSON, at byte %zu of %zu",
                        end == NULL || end < json ? 0 : (size_t)(end - json), length);
    FFEBMI_CHECK_FORMAT(context, source, only_space(end, json + length), "header: text behind its end, at byte %zu",
                        (size_t)(end - json));
    return FFEBM_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ffebm_status check_keys(ffebm_context *context, const ffebmi_source *source, const cJSON *object)
{
    size_t count = 0, twice = 0;
    char shown[FFEBMI_SHOWN];
    const char **keys;

    for (const cJSON *item = object->child; item != NULL; item = item->next)
        count++;
    keys = ffebmi_allocate(context, count, sizeof *keys);
    if (keys == NULL)
        return ffebmi_fail_memory(context, "the header of a file");
    count = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        keys[count++] = item->string;
    qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 1; i < count && twice == 0; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            twice = i;
    if (twice > 0)
        ffebmi_text_shown(shown, keys[twice]);
    ffebmi_release(context, keys);
    FFEBMI_CHECK_FORMAT(context, source, twice == 0, "header: \"%s\" stands there twice", shown);
    return FFEBM_OK;
}

static ffebm_status check_metadata(ffebm_context *context, const ffebmi_source *source, const cJSON *metadata)
{
    char shown[FFEBMI_SHOWN];

    if (metadata == NULL || cJSON_IsNull(metadata)) /* what some programs write for none */
        return FFEBM_OK;
    FFEBMI_CHECK_FORMAT(context, source, cJSON_IsObject(metadata), "header: \"%s\" must be an object",
                        metadata->string);
    for (const cJSON *item = metadata->child; item != NULL; item = item->next)
        FFEBMI_CHECK_FORMAT(context, source, cJSON_IsString(item), "header: __metadata__ \"%s\" must be a text",
                            ffebmi_text_shown(shown, item->string));
    return check_keys(context, source, metadata);
}

static ffebm_status read_tree(ffebm_context *context, const ffebmi_source *source, cJSON **root, char *json,
                              size_t length)
{
    FFEBMI_TRY(ffebmi_source_read(context, source, json, FFEBMI_HEADER_START, length));
    FFEBMI_TRY(parse(context, source, root, json, length));
    FFEBMI_TRY(check_keys(context, source, *root));
    return check_metadata(context, source, cJSON_GetObjectItemCaseSensitive(*root, "__metadata__"));
}

ffebm_status ffebmi_header_read(ffebm_context *context, const ffebmi_source *source, cJSON **root, uint64_t *data)
{
    unsigned char start[FFEBMI_HEADER_START];
    uint64_t length;
    ffebm_status status;
    char *json;

    *root = NULL;
    FFEBMI_CHECK_FORMAT(context, source, source->length >= sizeof start,
                        "not a safetensors file: %" PRIu64 " bytes are too few", source->length);
    FFEBMI_TRY(ffebmi_source_read(context, source, start, 0, sizeof start));
    length = ffebmi_load(start, sizeof start);
    FFEBMI_CHECK_FORMAT(context, source, length <= FFEBMI_HEADER_MOST,
                        "not a safetensors file: a header of %" PRIu64 " bytes, expected at most %d", length,
                        FFEBMI_HEADER_MOST);
    FFEBMI_CHECK_FORMAT(context, source, length <= source->length - sizeof start,
                        "not a safetensors file, or truncated: a header of %" PRIu64 " bytes in %" PRIu64, length,
                        source->length);

    json = ffebmi_allocate(context, (size_t)length, 1);
    if (json == NULL)
        return ffebmi_fail_memory(context, "the header of a file");
    status = read_tree(context, source, root, json, (size_t)length);
    ffebmi_release(context, json);
    if (status != FFEBM_OK) {
        cJSON_Delete(*root);
        *root = NULL;
    }
    *data = sizeof start + length;
    return status;
}

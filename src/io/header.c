#include "io/header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "io/element.h"

/* {tensors: {fields: [numbers]}}. A tensor has seven values and five keys and texts: this is room for 74,000. A pair of texts
 * takes 180 bytes, so that metadata, of which a file has little to say, takes 36 MiB at the most. */
enum { MOST_VALUES = 1 << 19, MOST_TEXTS = 3 << 17, MOST_LEVELS = 3 };

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

static ffebmi_json_form form_of(ffebm_status refusal, const char *name)
{
    return (ffebmi_json_form){.refusal = refusal,
                              .name = name,
                              .most_bytes = FFEBMI_HEADER_MOST,
                              .most_values = MOST_VALUES,
                              .most_texts = MOST_TEXTS,
                              .most_levels = MOST_LEVELS};
}

ffebm_status ffebmi_header_check(ffebm_context *context, const char *json, size_t length)
{
    const ffebmi_json_form form = form_of(FFEBM_ERR_UNSUPPORTED, "checkpoint: its header could not be read back");

    return ffebmi_json_check(context, &form, json, length);
}

static ffebm_status parse(ffebm_context *context, const ffebmi_source *source, cJSON **root, const char *json,
                          size_t length)
{
    char name[224];
    const ffebmi_json_form form = form_of(FFEBM_ERR_FORMAT, name);

    FFEBMI_CHECK_FORMAT(context, source, starts_object(json, length),
                        "not a safetensors file: its header is no JSON object (%zu bytes)", length);
    snprintf(name, sizeof name, "%.200s: header", source->name);
    return ffebmi_json_parse(context, root, &form, json, length);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static ffebm_status check_keys(ffebm_context *context, const ffebmi_source *source, const cJSON *object)
{
    const char **keys, *twice = NULL;
    size_t count = 0;

    for (const cJSON *item = object->child; item != NULL; item = item->next)
        count++;
    keys = ffebmi_allocate(context, count, sizeof *keys);
    if (keys == NULL)
        return ffebmi_fail_memory(context, "the header of a file");
    count = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        keys[count++] = item->string;
    qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 1; i < count && twice == NULL; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            twice = keys[i];
    ffebmi_release(context, keys);
    FFEBMI_CHECK_FORMAT(context, source, twice == NULL, "header: \"%.80s\" stands there twice", twice);
    return FFEBM_OK;
}

static ffebm_status check_metadata(ffebm_context *context, const ffebmi_source *source, const cJSON *metadata)
{

    if (metadata == NULL || cJSON_IsNull(metadata)) /* what some programs write for none */
        return FFEBM_OK;
    FFEBMI_CHECK_FORMAT(context, source, cJSON_IsObject(metadata), "header: \"%s\" must be an object",
                        metadata->string);
    for (const cJSON *item = metadata->child; item != NULL; item = item->next)
        FFEBMI_CHECK_FORMAT(context, source, cJSON_IsString(item), "header: __metadata__ \"%.80s\" must be a text",
                            item->string);
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

#include "io/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"

enum { CHUNK = 8192 };

static const double max_integer = 9007199254740992.0; /* 2^53: beyond it a JSON number is no exact integer */
static const uint64_t max_count = UINT64_MAX / 64;    /* so that bits do not overflow */

#define CHECK_ENTRY(table, entry, condition, format, ...)                                                              \
    do {                                                                                                               \
        FFEBMI_CHECK_FORMAT((table)->context, (table)->source, condition, "tensor \"%.80s\": " format, (entry)->name,  \
                            __VA_ARGS__);                                                                              \
    } while (0)

/* ---------------------------------------------------------------------------------------------------- reading it */

static bool is_natural(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max_integer &&
           item->valuedouble == floor(item->valuedouble);
}

/* The fields of one entry, each of which must be there once. Others are none of the format's, and passed over. */
typedef struct fields {
    const cJSON *dtype;
    const cJSON *shape;
    const cJSON *offsets;
} fields;

static ffebm_status read_fields(const ffebmi_table *table, const ffebmi_entry *entry, const cJSON *object, fields *to)
{
    CHECK_ENTRY(table, entry, cJSON_IsObject(object), "%s", "expected an object");
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        const cJSON **field = strcmp(item->string, "dtype") == 0          ? &to->dtype
                              : strcmp(item->string, "shape") == 0        ? &to->shape
                              : strcmp(item->string, "data_offsets") == 0 ? &to->offsets
                                                                          : NULL;

        if (field == NULL)
            continue;
        CHECK_ENTRY(table, entry, *field == NULL, "key \"%s\" stands there twice", item->string);
        *field = item;
    }
    CHECK_ENTRY(table, entry, cJSON_IsString(to->dtype), "%s", "\"dtype\" must be there and a text");
    CHECK_ENTRY(table, entry, cJSON_IsArray(to->shape), "%s", "\"shape\" must be there and an array");
    CHECK_ENTRY(table, entry,
                cJSON_IsArray(to->offsets) && cJSON_GetArraySize(to->offsets) == 2 && is_natural(to->offsets->child) &&
                    is_natural(to->offsets->child->next),
                "%s", "\"data_offsets\" must be there and two natural numbers");
    return FFEBM_OK;
}

static ffebm_status read_entry(const ffebmi_table *table, ffebmi_entry *entry, const cJSON *object, uint64_t data)
{
    uint64_t length = table->source->length - data, count = 1, begin, end;
    fields found = {0};

    entry->name = object->string;
    FFEBMI_TRY(read_fields(table, entry, object, &found));
    entry->shape = found.shape;
    entry->element = ffebmi_element_named(found.dtype->valuestring);
    CHECK_ENTRY(table, entry, entry->element != NULL, "unknown dtype \"%.80s\"", found.dtype->valuestring);
    for (const cJSON *item = found.shape->child; item != NULL; item = item->next) {
        uint64_t dimension;

        CHECK_ENTRY(table, entry, is_natural(item), "%s", "\"shape\" must hold natural numbers");
        dimension = (uint64_t)item->valuedouble;
        CHECK_ENTRY(table, entry, dimension == 0 || count <= max_count / dimension,
                    "its size overflows at dimension %" PRIu64, dimension);
        count *= dimension;
    }

    begin = (uint64_t)found.offsets->child->valuedouble;
    end = (uint64_t)found.offsets->child->next->valuedouble;
    CHECK_ENTRY(table, entry, begin <= end && end <= length,
                "data_offsets %" PRIu64 ", %" PRIu64 " in a file with %" PRIu64 " bytes of data (truncated?)", begin,
                end, length);
    CHECK_ENTRY(table, entry, count * entry->element->bits % 8 == 0 && count * entry->element->bits / 8 == end - begin,
                "%" PRIu64 " bytes do not fit its %" PRIu64 " elements of %s", end - begin, count,
                entry->element->name);
    entry->begin = data + begin;
    entry->end = data + end;
    return FFEBM_OK;
}

/* Entries without elements come before the one that begins where they lie. */
static int compare_places(const void *a, const void *b)
{
    const ffebmi_entry *x = a, *y = b;

    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end > y->end) - (x->end < y->end);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const ffebmi_entry *)a)->name, ((const ffebmi_entry *)b)->name);
}

static ffebm_status read_entries(ffebmi_table *table, uint64_t data)
{
    uint64_t at = data;
    size_t count = 0;

    for (const cJSON *item = table->root->child; item != NULL; item = item->next)
        if (item != table->metadata) {
            FFEBMI_TRY(ffebmi_context_ask(table->context));
            FFEBMI_TRY(read_entry(table, &table->entries[count++], item, data));
        }
    table->entry_count = count;

    if (count > 0)
        qsort(table->entries, count, sizeof *table->entries, compare_places);
    for (size_t i = 0; i < count; i++) {
        CHECK_ENTRY(table, &table->entries[i], table->entries[i].begin == at,
                    "begins at byte %" PRIu64 " of the data, expected %" PRIu64 " where the one before it ends",
                    table->entries[i].begin - data, at - data);
        at = table->entries[i].end;
    }
    FFEBMI_CHECK_FORMAT(table->context, table->source, at == table->source->length,
                        "%" PRIu64 " bytes of data, but its tensors fill %" PRIu64, table->source->length - data,
                        at - data);
    if (count > 0)
        qsort(table->entries, count, sizeof *table->entries, compare_names);
    return FFEBM_OK;
}

ffebm_status ffebmi_table_open(ffebm_context *context, ffebmi_table *table, const ffebmi_source *source)
{
    size_t most = 0;
    uint64_t data = 0;
    ffebm_status status;

    *table = (ffebmi_table){.context = context, .source = source};
    FFEBMI_TRY(ffebmi_header_read(context, source, &table->root, &data));
    table->metadata = cJSON_GetObjectItemCaseSensitive(table->root, "__metadata__");
    for (const cJSON *item = table->root->child; item != NULL; item = item->next)
        most++;
    table->entries = ffebmi_allocate(context, most, sizeof *table->entries);
    status = table->entries == NULL ? ffebmi_fail_memory(context, "the header of a file") : read_entries(table, data);
    if (status != FFEBM_OK)
        ffebmi_table_close(table);
    return status;
}

void ffebmi_table_close(ffebmi_table *table)
{
    ffebmi_release(table->context, table->entries);
    cJSON_Delete(table->root);
    *table = (ffebmi_table){.context = table->context};
}

/* ---------------------------------------------------------------------------------------------------- asking it */

const ffebmi_entry *ffebmi_table_find(const ffebmi_table *table, const char *name)
{
    ffebmi_entry wanted = {.name = name};

    return table->entry_count == 0 ? NULL
                                   : bsearch(&wanted, table->entries, table->entry_count, sizeof wanted, compare_names);
}

const char *ffebmi_table_metadata(const ffebmi_table *table, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(table->metadata, key);

    return item == NULL ? NULL : item->valuestring;
}

ffebm_status ffebmi_table_shape(const ffebmi_table *table, const ffebmi_entry *entry, ffebmi_shape *shape)
{
    char what[96];
    int64_t dims[FFEBM_MAX_RANK] = {1};
    size_t rank = 0;

    snprintf(what, sizeof what, "tensor %.80s", entry->name);
    for (const cJSON *item = entry->shape->child; item != NULL; item = item->next) {
        if (rank < FFEBM_MAX_RANK)
            dims[rank] = (int64_t)item->valuedouble;
        rank++;
    }
    return ffebmi_shape_set(table->context, shape, dims, rank == 0 ? 1 : rank, what);
}

ffebm_status ffebmi_table_values(const ffebmi_table *table, const ffebmi_entry *entry, void *to, int32_t dtype)
{
    size_t from_size = entry->element->bits / 8, to_size = ffebmi_element_of(dtype)->bits / 8;
    unsigned char chunk[CHUNK];
    char *at = to;

    for (uint64_t place = entry->begin; place < entry->end;) {
        size_t bytes = entry->end - place < CHUNK ? (size_t)(entry->end - place) : CHUNK;

        FFEBMI_TRY(ffebmi_source_read(table->context, table->source, chunk, place, bytes));
        ffebmi_element_decode(at, dtype, chunk, entry->element, bytes / from_size);
        at += bytes / from_size * to_size;
        place += bytes;
    }
    return FFEBM_OK;
}

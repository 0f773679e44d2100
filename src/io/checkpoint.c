#include <ffebm/io.h>

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "io/replace.h"
#include "io/restore.h"
#include "io/system.h"
#include "io/table.h"
#include "io/write.h"

/* --------------------------------------------------------------------------------------------------------- writing */

static ffebm_status write_to_file(const ffebmi_writing *writing, const char *path)
{
    ffebmi_replacement replacement;
    ffebm_status status;

    FFEBMI_TRY(ffebmi_replacement_begin(writing->context, &replacement, path));
    status = ffebmi_writing_run(writing, ffebmi_replacement_write, &replacement);
    if (status == FFEBM_OK)
        return ffebmi_replacement_commit(&replacement);
    ffebmi_replacement_abandon(&replacement);
    return ffebmi_fail_system(writing->context, path, "the temporary file beside it cannot be written",
                              replacement.error);
}

ffebm_status ffebm_checkpoint_save(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                   const char *path)
{
    ffebmi_writing writing;
    ffebm_status status;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, path != NULL, "ffebm_checkpoint_save: path is NULL");
    FFEBMI_TRY(ffebmi_writing_begin(&writing, model, optimizer, note));
    status = write_to_file(&writing, path);
    ffebmi_writing_end(&writing);
    return status;
}

ffebm_status ffebm_checkpoint_write(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                    ffebm_write_fn write, void *user)
{
    ffebmi_writing writing;
    ffebm_status status;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, write != NULL, "ffebm_checkpoint_write: write is NULL");
    FFEBMI_TRY(ffebmi_writing_begin(&writing, model, optimizer, note));
    status = ffebmi_writing_run(&writing, write, user);
    ffebmi_writing_end(&writing);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- reading */

/* A file and its table, open together. */
typedef struct reading {
    ffebmi_source source;
    ffebmi_table table;
} reading;

static ffebm_status open_file(ffebm_context *context, reading *file, const char *path)
{
    ffebm_status status;

    FFEBMI_CHECK_ARGUMENT(context, path != NULL, "checkpoint: path is NULL");
    FFEBMI_TRY(ffebmi_source_open(context, &file->source, path));
    status = ffebmi_table_open(context, &file->table, &file->source);
    if (status != FFEBM_OK)
        ffebmi_source_close(&file->source);
    return status;
}

static void close_file(reading *file)
{
    ffebmi_table_close(&file->table);
    ffebmi_source_close(&file->source);
}

static ffebm_status load(ffebm_context *context, ffebm_model **model, const ffebmi_table *table)
{
    const char *description = ffebmi_table_metadata(table, "model");
    ffebm_status status;

    FFEBMI_CHECK_FORMAT(context, table->source, description != NULL, "%s",
                        "no checkpoint of a model: __metadata__ has no \"model\"");
    FFEBMI_TRY(ffebm_model_parse(context, model, description, strlen(description), NULL));
    status = ffebmi_restore(table, *model, NULL);
    if (status != FFEBM_OK) {
        ffebm_model_destroy(*model);
        *model = NULL;
    }
    return status;
}

ffebm_status ffebm_checkpoint_load(ffebm_context *context, ffebm_model **model, const char *path)
{
    ffebm_status status;
    reading file;

    if (model != NULL)
        *model = NULL;
    if (context == NULL || model == NULL)
        return ffebmi_fail(context, FFEBM_ERR_ARGUMENT, "ffebm_checkpoint_load: model is NULL");
    FFEBMI_TRY(open_file(context, &file, path));
    status = load(context, model, &file.table);
    close_file(&file);
    return status;
}

ffebm_status ffebm_checkpoint_restore(ffebm_model *model, ffebm_optimizer *optimizer, const char *path)
{
    ffebm_status status;
    reading file;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(open_file(model->context, &file, path));
    status = ffebmi_restore(&file.table, model, optimizer);
    close_file(&file);
    return status;
}

ffebm_status ffebm_checkpoint_read(ffebm_model *model, ffebm_optimizer *optimizer, const void *bytes, size_t length)
{
    ffebmi_source source = ffebmi_source_memory(bytes, length);
    ffebmi_table table;
    ffebm_status status;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, bytes != NULL, "ffebm_checkpoint_read: bytes is NULL");
    FFEBMI_TRY(ffebmi_table_open(model->context, &table, &source));
    status = ffebmi_restore(&table, model, optimizer);
    ffebmi_table_close(&table);
    return status;
}

/* ------------------------------------------------------------------------------------------------- of any such file */

static ffebm_status copy_text(const ffebmi_table *table, char *text, size_t capacity, size_t *length, const char *key)
{
    const char *found = ffebmi_table_metadata(table, key);
    size_t count;

    FFEBMI_CHECK(table->context, found != NULL, FFEBM_ERR_NOT_FOUND, "%.200s: __metadata__ has no \"%.80s\"",
                 table->source->name, key);
    count = strlen(found);
    if (length != NULL)
        *length = count;
    if (capacity > 0) {
        size_t fits = count < capacity ? count : capacity - 1;

        memcpy(text, found, fits);
        text[fits] = '\0';
    }
    return FFEBM_OK;
}

ffebm_status ffebm_checkpoint_metadata(ffebm_context *context, char *text, size_t capacity, size_t *length,
                                       const char *path, const char *key)
{
    ffebm_status status;
    reading file;

    if (length != NULL)
        *length = 0;
    if (text != NULL && capacity > 0)
        text[0] = '\0';
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, text != NULL || capacity == 0,
                          "ffebm_checkpoint_metadata: text is NULL, but capacity is %zu", capacity);
    FFEBMI_CHECK_ARGUMENT(context, key != NULL, "ffebm_checkpoint_metadata: key is NULL");
    FFEBMI_TRY(open_file(context, &file, path));
    status = copy_text(&file.table, text, capacity, length, key);
    close_file(&file);
    return status;
}

static ffebm_status read_tensor(const ffebmi_table *table, ffebm_tensor **tensor, const char *name)
{
    const ffebmi_entry *entry = ffebmi_table_find(table, name);
    ffebmi_shape shape;
    ffebm_status status;

    FFEBMI_CHECK(table->context, entry != NULL, FFEBM_ERR_NOT_FOUND, "%.200s: no tensor \"%.80s\"", table->source->name,
                 name);
    FFEBMI_CHECK(table->context, entry->element->dtype != 0, FFEBM_ERR_DTYPE,
                 "%.200s: tensor \"%.80s\" is %s, expected one whose values float32, float64 or int64 can hold",
                 table->source->name, name, entry->element->name);
    FFEBMI_TRY(ffebmi_table_shape(table, entry, &shape));
    FFEBMI_TRY(ffebm_tensor_create(table->context, tensor, entry->element->dtype, shape.dims, shape.rank));
    status = ffebmi_table_values(table, entry, ffebm_tensor_data(*tensor), entry->element->dtype);
    if (status != FFEBM_OK) {
        ffebm_tensor_destroy(*tensor);
        *tensor = NULL;
    }
    return status;
}

ffebm_status ffebm_checkpoint_tensor(ffebm_context *context, ffebm_tensor **tensor, const char *path, const char *name)
{
    ffebm_status status;
    reading file;

    if (tensor != NULL)
        *tensor = NULL;
    if (context == NULL || tensor == NULL)
        return ffebmi_fail(context, FFEBM_ERR_ARGUMENT, "ffebm_checkpoint_tensor: tensor is NULL");
    FFEBMI_CHECK_ARGUMENT(context, name != NULL, "ffebm_checkpoint_tensor: name is NULL");
    FFEBMI_TRY(open_file(context, &file, path));
    status = read_tensor(&file.table, tensor, name);
    close_file(&file);
    return status;
}

/* As many bytes as fit, the last of them NUL. */
static size_t copy_names(const ffebmi_table *table, char *names, size_t capacity)
{
    size_t length = 0;

    for (size_t i = 0; i < table->entry_count; i++) {
        const char *name = table->entries[i].name;
        size_t bytes = strlen(name) + 1;

        if (length < capacity)
            memcpy(names + length, name, bytes < capacity - length ? bytes : capacity - length);
        length += bytes;
    }
    if (capacity > 0)
        names[length < capacity ? length : capacity - 1] = '\0';
    return length;
}

ffebm_status ffebm_checkpoint_tensor_names(ffebm_context *context, char *names, size_t capacity, size_t *length,
                                           const char *path)
{
    size_t count;
    reading file;

    if (length != NULL)
        *length = 0;
    if (names != NULL && capacity > 0)
        names[0] = '\0';
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, names != NULL || capacity == 0,
                          "ffebm_checkpoint_tensor_names: names is NULL, but capacity is %zu", capacity);
    FFEBMI_TRY(open_file(context, &file, path));
    count = copy_names(&file.table, names, capacity);
    if (length != NULL)
        *length = count;
    close_file(&file);
    return FFEBM_OK;
}

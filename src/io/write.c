#include "io/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arrays/arrays.h"
#include "core/context.h"
#include "core/text.h"
#include "io/element.h"
#include "io/header.h"

enum { CHUNK = 16384, ALIGNMENT = 64 };

/* ---------------------------------------------------------------------------------------------------------- header */

/* Give `item`, if it is one, to `object`. */
static bool give(cJSON *object, const char *key, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, key, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_tensor(cJSON *root, const ffebmi_content *content, const ffebmi_element *element, uint64_t *at)
{
    uint64_t end = *at + (uint64_t)content->shape->count * (element->bits / 8);
    const double offsets[2] = {(double)*at, (double)end};
    double dims[FFEBM_MAX_RANK];
    cJSON *entry = cJSON_AddObjectToObject(root, content->name);

    *at = end;
    for (size_t i = 0; i < content->shape->rank; i++)
        dims[i] = (double)content->shape->dims[i];
    return entry != NULL && cJSON_AddStringToObject(entry, "dtype", element->name) != NULL &&
           give(entry, "shape", cJSON_CreateDoubleArray(dims, (int)content->shape->rank)) &&
           give(entry, "data_offsets", cJSON_CreateDoubleArray(offsets, 2));
}

static bool add_optimizer(cJSON *metadata, const ffebm_optimizer *optimizer)
{
    cJSON *state = cJSON_CreateObject();
    char *text = NULL;
    bool good;

    if (cJSON_AddStringToObject(state, "algorithm", ffebmi_optimizer_algorithm(optimizer)) != NULL &&
        ffebmi_json_add_number(state, "steps", (double)ffebmi_optimizer_steps(optimizer)) != NULL)
        text = cJSON_PrintUnformatted(state);
    good = text != NULL && cJSON_AddStringToObject(metadata, "optimizer", text) != NULL;
    cJSON_free(text);
    cJSON_Delete(state);
    return good;
}

/* What devices go by. */
static bool add_history(cJSON *metadata, const ffebm_model *model)
{
    const ffebmi_history *h = &model->history;
    cJSON *state = cJSON_CreateObject();
    char *text = NULL;
    bool good = true;

    if (ffebmi_model_remembers(model)) {
        if (ffebmi_json_add_number(state, "updates", (double)h->updates) != NULL &&
            ffebmi_json_add_number(state, "clock", h->clock) != NULL &&
            ffebmi_json_add_number(state, "written", h->written) != NULL)
            text = cJSON_PrintUnformatted(state);
        good = text != NULL && cJSON_AddStringToObject(metadata, "devices", text) != NULL;
    }
    cJSON_free(text);
    cJSON_Delete(state);
    return good;
}

/* The header as text, to be freed with cJSON_free; NULL if there is no memory. */
static char *header_text(const ffebmi_contents *contents, const char *description, const char *note, uint64_t *length)
{
    const ffebmi_element *element = ffebmi_element_of(contents->model->dtype);
    cJSON *root = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(root, "__metadata__");
    char *text = NULL;
    bool good = cJSON_AddStringToObject(metadata, "model", description) != NULL &&
                add_history(metadata, contents->model) &&
                (note == NULL || cJSON_AddStringToObject(metadata, "note", note) != NULL) &&
                (contents->optimizer == NULL || add_optimizer(metadata, contents->optimizer));
    ffebmi_content content;

    *length = 0;
    for (size_t i = 0; good && i < contents->count; i++) {
        ffebmi_contents_inspect(contents, &content, i);
        good = add_tensor(root, &content, element, length);
    }
    if (good)
        text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

static ffebm_status make_start(ffebmi_writing *writing, const char *header)
{
    size_t length = strlen(header), whole = FFEBMI_HEADER_START + length;

    whole = (whole + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    FFEBMI_CHECK_ARGUMENT(writing->context, whole - FFEBMI_HEADER_START <= FFEBMI_HEADER_MOST,
                          "checkpoint: a header of %zu bytes, expected at most %d; is the note too long?", whole,
                          FFEBMI_HEADER_MOST);
    FFEBMI_TRY(ffebmi_header_check(writing->context, header, length));
    writing->start = ffebmi_allocate(writing->context, whole, 1);
    if (writing->start == NULL)
        return ffebmi_fail_memory(writing->context, "the header of a checkpoint");
    memset(writing->start, ' ', whole);
    ffebmi_store((unsigned char *)writing->start, whole - FFEBMI_HEADER_START, FFEBMI_HEADER_START);
    memcpy(writing->start + FFEBMI_HEADER_START, header, length);
    writing->start_length = whole;
    writing->length += whole;
    return FFEBM_OK;
}

/* ----------------------------------------------------------------------------------------------------------- checks */

/* What could not be read back must not take the place of what can. */
static ffebm_status check_values(const ffebmi_contents *contents)
{
    const ffebmi_arrays *arrays = ffebmi_arrays_for(contents->model->dtype, 0);
    ffebmi_content content;

    for (size_t i = 0; i < contents->count; i++) {
        ffebmi_contents_inspect(contents, &content, i);
        FFEBMI_CHECK(contents->model->context,
                     arrays->finite(content.shape->count,
                                    ffebmi_at(arrays, ffebmi_contents_array(contents, content.array), content.offset)),
                     FFEBM_ERR_NUMERIC, "checkpoint: NaN or infinity in \"%s\"; nothing is written", content.name);
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_writing_begin(ffebmi_writing *writing, ffebm_model *model, const ffebm_optimizer *optimizer,
                                  const char *note)
{
    size_t note_length = note == NULL ? 0 : strlen(note);
    const char *description;
    ffebm_status status;
    char *header;

    *writing = (ffebmi_writing){.context = model->context};
    FFEBMI_TRY(ffebmi_contents_of(&writing->contents, model, optimizer));
    FFEBMI_CHECK(model->context, ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "checkpoint: the model has no parameter values yet");
    FFEBMI_CHECK_ARGUMENT(model->context, note == NULL || ffebmi_text_good(note, note_length) == note_length,
                          "checkpoint: the note is not UTF-8 at byte %zu", ffebmi_text_good(note, note_length));
    FFEBMI_CHECK_ARGUMENT(model->context, note_length <= FFEBMI_HEADER_MOST, "checkpoint: a note of %zu bytes",
                          note_length);
    FFEBMI_TRY(check_values(&writing->contents));
    FFEBMI_TRY(ffebm_model_description(model, &description, NULL));
    header = header_text(&writing->contents, description, note, &writing->length);
    if (header == NULL)
        return ffebmi_fail_memory(model->context, "the header of a checkpoint");
    status = make_start(writing, header);
    cJSON_free(header);
    return status;
}

void ffebmi_writing_end(ffebmi_writing *writing)
{
    ffebmi_release(writing->context, writing->start);
    writing->start = NULL;
}

/* ------------------------------------------------------------------------------------------------------------ bytes */

typedef struct sink {
    ffebm_write_fn write;
    void *user;
    uint64_t taken;
} sink;

static ffebm_status put(const ffebmi_writing *writing, sink *to, const void *bytes, size_t count)
{
    int32_t answer = to->write(to->user, bytes, count);

    FFEBMI_CHECK(writing->context, answer == 0, FFEBM_ERR_IO,
                 "checkpoint: write returned %" PRId32 " at byte %" PRIu64 " of %" PRIu64, answer, to->taken,
                 writing->length);
    to->taken += count;
    return FFEBM_OK;
}

ffebm_status ffebmi_writing_run(const ffebmi_writing *writing, ffebm_write_fn write, void *user)
{
    const ffebm_model *model = writing->contents.model;
    size_t size = ffebmi_dtype_size(model->dtype);
    sink to = {.write = write, .user = user};
    unsigned char chunk[CHUNK];

    FFEBMI_TRY(put(writing, &to, writing->start, writing->start_length));
    for (size_t array = 0; array < writing->contents.array_count; array++) {
        const char *values = ffebmi_contents_array(&writing->contents, array);
        size_t elements = ffebmi_contents_elements(&writing->contents, array);

        for (size_t i = 0; i < elements; i += CHUNK / size) {
            size_t count = elements - i < CHUNK / size ? elements - i : CHUNK / size;

            ffebmi_element_encode(chunk, values + i * size, model->dtype, count);
            FFEBMI_TRY(put(writing, &to, chunk, count * size));
        }
    }
    return FFEBM_OK;
}

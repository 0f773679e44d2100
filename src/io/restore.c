#include "io/restore.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arrays/arrays.h"
#include "core/context.h"
#include "json/json.h"

#define CHECK_FORMAT(table, condition, ...)                                                                            \
    FFEBMI_CHECK_FORMAT((table)->context, (table)->source, condition, __VA_ARGS__)

/* ----------------------------------------------------------------------------------------------- what must be there */

static bool is_float(const ffebmi_element *element)
{
    return element->dtype == FFEBM_FLOAT32 || element->dtype == FFEBM_FLOAT64;
}

/* A parameter that the model lacks: the file is of another model. Other names are none of ours, and what is no float is
 * no parameter, such as the num_batches_tracked that others keep beside the statistics of a batch normalisation. */
static ffebm_status check_surplus(const ffebmi_table *table, const ffebm_model *model)
{

    for (size_t i = 0; i < table->entry_count; i++) {
        const char *name = table->entries[i].name;

        if (strncmp(name, "stage", 5) != 0 || name[5] < '0' || name[5] > '9' || !is_float(table->entries[i].element))
            continue;
        CHECK_FORMAT(table, ffebm_model_find_parameter(model, name) != FFEBM_NONE,
                     "has a tensor \"%.80s\", but the model has no such parameter", name);
    }
    return FFEBM_OK;
}

static ffebm_status check_tensor(const ffebmi_table *table, const ffebmi_content *content)
{
    const ffebmi_entry *entry = ffebmi_table_find(table, content->name);
    char text[2][FFEBMI_SHAPE_TEXT];
    ffebmi_shape shape;

    CHECK_FORMAT(table, entry != NULL, "the tensor \"%s\" is missing", content->name);
    FFEBMI_CHECK(table->context, is_float(entry->element), FFEBM_ERR_DTYPE,
                 "%.200s: the tensor \"%s\" is %s, expected F32, F64, F16 or BF16", table->source->name, content->name,
                 entry->element->name);
    FFEBMI_TRY(ffebmi_table_shape(table, entry, &shape));
    FFEBMI_CHECK(table->context, ffebmi_shape_equal(&shape, content->shape), FFEBM_ERR_SHAPE,
                 "%.200s: the tensor \"%s\" is %s, expected %s", table->source->name, content->name,
                 ffebmi_shape_text(text[0], &shape), ffebmi_shape_text(text[1], content->shape));
    return FFEBM_OK;
}

static ffebm_status read_optimizer(const ffebmi_table *table, const ffebm_optimizer *optimizer, const cJSON *state,
                                   int64_t *steps)
{
    const cJSON *algorithm = cJSON_GetObjectItemCaseSensitive(state, "algorithm");
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(state, "steps");
    const char *expected = ffebmi_optimizer_algorithm(optimizer);

    CHECK_FORMAT(table, cJSON_IsString(algorithm), "%s", "__metadata__ \"optimizer\" names no algorithm");
    CHECK_FORMAT(table, strcmp(algorithm->valuestring, expected) == 0,
                 "has the state of an optimizer \"%.80s\", expected \"%s\"", algorithm->valuestring, expected);
    CHECK_FORMAT(table,
                 cJSON_IsNumber(number) && number->valuedouble >= 0 && number->valuedouble < 0x1p53 &&
                     number->valuedouble == floor(number->valuedouble),
                 "%s", "__metadata__ \"optimizer\": \"steps\" must be a natural number");
    *steps = (int64_t)number->valuedouble;
    return FFEBM_OK;
}

static ffebm_status check_optimizer(const ffebmi_table *table, const ffebm_optimizer *optimizer, int64_t *steps)
{
    const char *text = ffebmi_table_metadata(table, "optimizer");
    char name[256];
    const ffebmi_json_form form = {
        .refusal = FFEBM_ERR_FORMAT, .name = name, .most_bytes = 256, .most_values = 16, .most_levels = 2};
    ffebm_status status;
    cJSON *state;

    CHECK_FORMAT(table, text != NULL, "has no state for an optimizer \"%s\"", ffebmi_optimizer_algorithm(optimizer));
    snprintf(name, sizeof name, "%.200s: __metadata__ \"optimizer\"", table->source->name);
    FFEBMI_TRY(ffebmi_json_parse(table->context, &state, &form, text, strlen(text)));
    status = read_optimizer(table, optimizer, state, steps);
    cJSON_Delete(state);
    return status;
}

static double number_of(const cJSON *state, const char *key)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(state, key);

    return cJSON_IsNumber(number) ? number->valuedouble : -1;
}

/* What devices go by; new ones where nothing says. */
static ffebm_status read_history(const ffebmi_table *table, ffebmi_history *history)
{
    const char *text = ffebmi_table_metadata(table, "devices");
    char name[256];
    const ffebmi_json_form form = {
        .refusal = FFEBM_ERR_FORMAT, .name = name, .most_bytes = 256, .most_values = 16, .most_levels = 2};
    double updates;
    cJSON *state;

    *history = (ffebmi_history){0};
    if (text == NULL)
        return FFEBM_OK;
    snprintf(name, sizeof name, "%.200s: __metadata__ \"devices\"", table->source->name);
    FFEBMI_TRY(ffebmi_json_parse(table->context, &state, &form, text, strlen(text)));
    updates = number_of(state, "updates");
    history->clock = number_of(state, "clock");
    history->written = number_of(state, "written");
    cJSON_Delete(state);
    CHECK_FORMAT(
        table,
        updates >= 0 && updates < 0x1p53 && updates == floor(updates) && history->written >= 0 &&
            history->written <= history->clock && history->clock < INFINITY,
        "%s", "__metadata__ \"devices\" must have natural \"updates\", and times \"clock\" and \"written\" before it");
    history->updates = (int64_t)updates;
    return FFEBM_OK;
}

static ffebm_status check_all(const ffebmi_table *table, const ffebmi_contents *contents, int64_t *steps)
{
    ffebmi_content content;

    FFEBMI_TRY(check_surplus(table, contents->model));
    if (contents->optimizer != NULL)
        FFEBMI_TRY(check_optimizer(table, contents->optimizer, steps));
    for (size_t i = 0; i < contents->count; i++) {
        FFEBMI_TRY(ffebmi_context_ask(table->context));
        ffebmi_contents_inspect(contents, &content, i);
        FFEBMI_TRY(check_tensor(table, &content));
    }
    return FFEBM_OK;
}

/* --------------------------------------------------------------------------------------------- values, in two steps */

/* Read all arrays into `staged`, one behind the other: what can fail fails here. */
static ffebm_status stage_values(const ffebmi_table *table, const ffebmi_contents *contents, void *staged)
{
    const ffebm_model *model = contents->model;
    const ffebmi_arrays *arrays = ffebmi_arrays_for(model->dtype, 0);
    ffebmi_content content;

    for (size_t i = 0; i < contents->count; i++) {
        void *to;

        FFEBMI_TRY(ffebmi_context_ask(table->context));
        ffebmi_contents_inspect(contents, &content, i);
        to = ffebmi_at(arrays, staged, ffebmi_contents_start(contents, content.array) + content.offset);
        FFEBMI_TRY(ffebmi_table_values(table, ffebmi_table_find(table, content.name), to, model->dtype));
        CHECK_FORMAT(table, arrays->finite(content.shape->count, to),
                     "the tensor \"%s\" has a value that is not finite as %s", content.name,
                     ffebmi_dtype_name(model->dtype));
    }
    return FFEBM_OK;
}

static void take_values(const ffebmi_contents *contents, const void *staged)
{
    const ffebmi_arrays *arrays = ffebmi_arrays_for(contents->model->dtype, 0);

    for (size_t array = 0; array < contents->array_count; array++) {
        size_t count = ffebmi_contents_elements(contents, array);

        if (count > 0)
            memcpy(ffebmi_contents_array(contents, array),
                   ffebmi_at(arrays, staged, ffebmi_contents_start(contents, array)), count * arrays->element);
    }
}

ffebm_status ffebmi_restore(const ffebmi_table *table, ffebm_model *model, ffebm_optimizer *optimizer)
{
    ffebmi_contents contents = {0};
    ffebmi_history history;
    int64_t steps = 0;
    ffebm_status status;
    void *staged;

    FFEBMI_TRY(ffebmi_contents_of(&contents, model, optimizer));
    FFEBMI_TRY(check_all(table, &contents, &steps));
    FFEBMI_TRY(read_history(table, &history));
    staged = ffebmi_allocate(model->context, ffebmi_contents_start(&contents, contents.array_count),
                             ffebmi_dtype_size(model->dtype));
    if (staged == NULL)
        return ffebmi_fail_memory(model->context, "the values of a checkpoint");
    status = stage_values(table, &contents, staged);
    if (status == FFEBM_OK)
        status = ffebmi_model_make_ready(model);
    if (status == FFEBM_OK) { /* from here on nothing fails */
        take_values(&contents, staged);
        model->history = history;
        if (optimizer != NULL)
            ffebmi_optimizer_set_steps(optimizer, steps);
        ffebmi_model_touch(model);
    }
    ffebmi_release(model->context, staged);
    return status;
}

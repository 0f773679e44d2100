/* A model from its description: JSON to the same calls that a program makes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "core/text.h"
#include "energy/description.h"
#include "feedforward/description.h"
#include "model/model.h"
#include "model/recipe.h"
#include "relax/equilibrium.h"
#include "json/settings.h"

/* MOST_PARTS: written in full, a description of so many keeps the limits of `form`, and their tensors, with an optimizer's,
 * those of a checkpoint's header. */
enum { WHERE = 64, MOST_PARTS = 8192, MOST_BYTES = 16 << 20, MOST_VALUES = 1 << 18, MOST_LEVELS = 32 };

/* What a text may be, before it is looked at as a description. */
static const ffebmi_json_form form = {.refusal = FFEBM_ERR_PARSE,
                                      .name = "model description",
                                      .most_bytes = MOST_BYTES,
                                      .most_values = MOST_VALUES,
                                      .most_levels = MOST_LEVELS};

/* ------------------------------------------------------------------------------------------------------------ stages */

static ffebm_status add_feedforward(ffebm_model *model, const cJSON *ops, const char *where)
{
    ffebm_feedforward *block = NULL;
    ffebm_status status;

    FFEBMI_TRY(ffebm_feedforward_create(model->context, &block));
    status = ffebmi_feedforward_parse(block, ops, where);
    if (status == FFEBM_OK)
        status = ffebm_model_add_feedforward(model, &block);
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status add_tap(ffebm_model *model, const cJSON *json, const char *where)
{
    static const char *const keys[] = {"to", "ops", NULL};
    ffebm_feedforward *block = NULL;
    const cJSON *ops = NULL;
    ffebmi_fields fields;
    int64_t layer = 0;
    ffebm_status status;

    FFEBMI_TRY(ffebmi_fields_begin(&fields, model->context, json, where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "to"));
    FFEBMI_TRY(ffebmi_fields_integer(&fields, "to", &layer));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "ops"));
    FFEBMI_TRY(ffebmi_fields_array(&fields, "ops", &ops));
    FFEBMI_CHECK(model->context, layer >= 0, FFEBM_ERR_PARSE, "%s: \"to\" is %" PRId64 ", expected 1 or more", where,
                 layer);
    FFEBMI_TRY(ffebm_feedforward_create(model->context, &block));
    status = ffebmi_feedforward_parse(block, ops, where);
    if (status == FFEBM_OK)
        status = ffebmi_fields_refused(model->context, where, ffebm_model_add_tap(model, &block, (size_t)layer));
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status add_taps(ffebm_model *model, const ffebmi_fields *fields)
{
    const cJSON *taps = NULL, *item;
    size_t stage = model->stage_count - 1, row = 0;
    char where[FFEBMI_ROW_TEXT];

    FFEBMI_TRY(ffebmi_fields_array(fields, "taps", &taps));
    cJSON_ArrayForEach(item, taps) FFEBMI_TRY(add_tap(model, item, ffebmi_row_text(where, stage, ++row)));
    return FFEBM_OK;
}

static ffebm_status add_energy(ffebm_model *model, const cJSON *json, const char *where)
{
    ffebm_energy *block = NULL;
    ffebm_status status;

    FFEBMI_TRY(ffebmi_energy_parse(model->context, &block, json, where));
    status = ffebmi_fields_refused(model->context, "model description", ffebm_model_add_energy(model, &block));
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status add_stage(ffebm_model *model, const cJSON *json)
{
    static const char *const keys[] = {"feedforward", "taps", "energy", NULL};
    const cJSON *feedforward, *energy;
    ffebmi_fields fields;
    char where[WHERE];

    FFEBMI_TRY(ffebmi_context_ask(model->context));
    snprintf(where, sizeof where, "stage %zu", model->stage_count);
    FFEBMI_TRY(ffebmi_fields_begin(&fields, model->context, json, where, keys));
    feedforward = ffebmi_fields_item(&fields, "feedforward");
    energy = ffebmi_fields_item(&fields, "energy");
    FFEBMI_CHECK(model->context, (feedforward == NULL) != (energy == NULL), FFEBM_ERR_PARSE,
                 "%s: expected one of \"feedforward\" and \"energy\"", where);
    FFEBMI_CHECK(model->context, energy == NULL || !ffebmi_fields_have(&fields, "taps"), FFEBM_ERR_PARSE,
                 "%s: \"taps\" beside \"energy\", expected them in the feedforward stage before it", where);
    if (energy != NULL)
        return add_energy(model, energy, where);
    FFEBMI_TRY(add_feedforward(model, feedforward, where));
    return add_taps(model, &fields);
}

/* ------------------------------------------------------------------------------------------------------- the whole */

static ffebm_status parse_shape(const ffebmi_fields *fields, int64_t dims[FFEBM_MAX_RANK], size_t *rank)
{
    const cJSON *array = NULL, *item;

    FFEBMI_TRY(ffebmi_fields_require(fields, "input"));
    FFEBMI_TRY(ffebmi_fields_array(fields, "input", &array));
    *rank = 0;
    cJSON_ArrayForEach(item, array)
    {
        FFEBMI_CHECK(fields->context, *rank < FFEBM_MAX_RANK, FFEBM_ERR_SHAPE,
                     "model description: \"input\" has more than %d dimensions", FFEBM_MAX_RANK);
        FFEBMI_CHECK(fields->context,
                     cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= INT32_MAX &&
                         item->valuedouble == (double)(int64_t)item->valuedouble,
                     FFEBM_ERR_PARSE, "model description: \"input\" dimension %zu is no integer above 0", *rank);
        dims[(*rank)++] = (int64_t)item->valuedouble;
    }
    return FFEBM_OK;
}

static ffebm_status parse_loss(const ffebmi_fields *fields, int32_t *loss)
{
    const ffebmi_loss_kind *kind;
    char known[FFEBMI_LISTED];
    const char *name = "";

    FFEBMI_TRY(ffebmi_fields_require(fields, "loss"));
    FFEBMI_TRY(ffebmi_fields_text(fields, "loss", &name));
    kind = ffebmi_loss_kind_named(name);
    FFEBMI_CHECK(fields->context, kind != NULL, FFEBM_ERR_PARSE,
                 "model description: \"loss\" is \"%.40s\", expected one of %s", name,
                 ffebmi_text_list(known, ffebmi_loss_kind_name));
    *loss = kind->type;
    return FFEBM_OK;
}

static ffebm_status new_model(const ffebmi_fields *fields, ffebm_model **model, int32_t dtype)
{
    static const char *const dtypes[] = {"float32", "float64"};
    static const int32_t values[] = {FFEBM_FLOAT32, FFEBM_FLOAT64};
    int64_t dims[FFEBM_MAX_RANK];
    int32_t described = FFEBM_FLOAT32, loss = 0;
    size_t rank = 0;

    FFEBMI_TRY(ffebmi_fields_choice(fields, "dtype", dtypes, values, 2, &described));
    FFEBMI_TRY(parse_shape(fields, dims, &rank));
    FFEBMI_TRY(parse_loss(fields, &loss));
    return ffebm_model_create(fields->context, model, dtype != 0 ? dtype : described, dims, rank, loss);
}

/* Stages, ops, couplings and taps. */
static size_t parts_of(const cJSON *stages)
{
    const cJSON *stage;
    size_t parts = 0;

    cJSON_ArrayForEach(stage, stages)
    {
        const cJSON *ops = cJSON_GetObjectItemCaseSensitive(stage, "feedforward");
        const cJSON *block = cJSON_GetObjectItemCaseSensitive(stage, "energy");
        const cJSON *couplings = cJSON_GetObjectItemCaseSensitive(block, "couplings"), *tap;

        parts += 1 + (size_t)cJSON_GetArraySize(ops) + (size_t)cJSON_GetArraySize(couplings);
        cJSON_ArrayForEach(tap, cJSON_GetObjectItemCaseSensitive(stage, "taps")) parts +=
            1 + (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(tap, "ops"));
    }
    return parts;
}

static ffebm_status parse_recipe(ffebm_model *model, const cJSON *json)
{
    ffebmi_fields fields;

    FFEBMI_TRY(
        ffebmi_settings_begin(&fields, model->context, json, "recipe", NULL,
                              (const ffebmi_settings *[2]){&ffebmi_recipe_settings, &ffebmi_equilibrium_settings}));
    FFEBMI_TRY(ffebmi_settings_parse(&fields, &ffebmi_recipe_settings, &model->recipe));
    return ffebmi_settings_parse(&fields, &ffebmi_equilibrium_settings, &model->equilibrium);
}

static ffebm_status parse_initialization(ffebm_model *model, const ffebmi_fields *fields)
{
    ffebm_initialization parsed;

    if (!ffebmi_fields_have(fields, "initialization"))
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_settings_parse_key(fields, "initialization", &ffebmi_initialization_settings, &parsed));
    return ffebmi_fields_refused(fields->context, "model description", ffebm_model_set_initialization(model, &parsed));
}

static ffebm_status fill(ffebm_model *model, const ffebmi_fields *fields)
{
    const cJSON *stages = NULL, *item;

    FFEBMI_TRY(ffebmi_fields_require(fields, "stages"));
    FFEBMI_TRY(ffebmi_fields_array(fields, "stages", &stages));
    FFEBMI_CHECK(fields->context, cJSON_GetArraySize(stages) > 0, FFEBM_ERR_PARSE,
                 "model description: \"stages\" is empty");
    FFEBMI_CHECK(fields->context, parts_of(stages) <= MOST_PARTS, FFEBM_ERR_PARSE,
                 "model description: %zu stages, ops, couplings and taps, expected at most %d", parts_of(stages),
                 MOST_PARTS);
    FFEBMI_TRY(parse_initialization(model, fields));
    if (ffebmi_fields_have(fields, "recipe"))
        FFEBMI_TRY(parse_recipe(model, ffebmi_fields_item(fields, "recipe")));
    cJSON_ArrayForEach(item, stages) FFEBMI_TRY(add_stage(model, item));
    return FFEBM_OK;
}

static ffebm_status from_json(ffebm_context *context, ffebm_model **model, const cJSON *root, int32_t dtype)
{
    static const char *const keys[] = {"dtype", "input", "loss", "initialization", "recipe", "stages", NULL};
    ffebmi_fields fields;
    ffebm_status status;

    FFEBMI_TRY(ffebmi_fields_begin(&fields, context, root, "model description", keys));
    FFEBMI_TRY(new_model(&fields, model, dtype));
    status = fill(*model, &fields);
    if (status != FFEBM_OK) {
        ffebm_model_destroy(*model);
        *model = NULL;
    }
    return status;
}

ffebm_status ffebm_model_parse(ffebm_context *context, ffebm_model **model, const char *json, size_t length,
                               const ffebm_parse_config *config)
{
    ffebm_parse_config c;
    cJSON *root = NULL;
    ffebm_status status;

    if (model != NULL)
        *model = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, model != NULL, "ffebm_model_parse: model is NULL");
    FFEBMI_CHECK_ARGUMENT(context, json != NULL, "ffebm_model_parse: json is NULL");
    ffebm_parse_config_init(&c, sizeof c);
    FFEBMI_TRY(ffebmi_sized_read(context, "parse configuration", &c, sizeof c, config));
    FFEBMI_CHECK_ARGUMENT(context, c.reserved_ == 0, "ffebm_model_parse: reserved_ is not zero");
    FFEBMI_CHECK(context, c.dtype == 0 || c.dtype == FFEBM_FLOAT32 || c.dtype == FFEBM_FLOAT64, FFEBM_ERR_DTYPE,
                 "ffebm_model_parse: dtype %" PRId32 " is no float type", c.dtype);
    FFEBMI_TRY(ffebmi_json_parse(context, &root, &form, json, length));
    status = from_json(context, model, root, c.dtype);
    cJSON_Delete(root);
    return status;
}

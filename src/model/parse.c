/* A model from its description: JSON to the same calls that a program makes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "energy/coupling.h"
#include "model/fields.h"
#include "model/initialization.h"
#include "model/model.h"
#include "model/recipe.h"

/* MOST_PARTS: written in full, a description of so many keeps the limits of ffebmi_description_form, and their tensors, with
 * an optimizer's, those of a checkpoint's header. */
enum { WHERE = 64, MOST_PARTS = 8192 };

static const ffebm_parse_config defaults = {.size = sizeof defaults};

void ffebm_parse_config_init(ffebm_parse_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
}

/* ------------------------------------------------------------------------------------------------------------ blocks */

/* The keys that a type allows, from what it reads. */
enum { MAX_KEYS = 12 };

static void keys_of(unsigned reads, const char *out_key, const char *keys[MAX_KEYS])
{
    static const struct {
        unsigned reads;
        const char *key;
    } all[] = {
        {FFEBMI_READS_WINDOW, "kernel"},   {FFEBMI_READS_WINDOW, "stride"},       {FFEBMI_READS_WINDOW, "padding"},
        {FFEBMI_READS_BIAS, "bias"},       {FFEBMI_READS_BIAS, "initialization"}, {FFEBMI_READS_FROZEN, "frozen"},
        {FFEBMI_READS_EPSILON, "epsilon"}, {FFEBMI_READS_MOMENTUM, "momentum"},   {FFEBMI_READS_POOL, "pool"}};
    size_t count = 0;

    keys[count++] = "type";
    if (reads & FFEBMI_READS_OUT)
        keys[count++] = out_key;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (reads & all[i].reads)
            keys[count++] = all[i].key;
    keys[count] = NULL;
}

/* Where the keys that ops and couplings share go. */
typedef struct shared_keys {
    int64_t *out;
    int64_t *kernel;
    int64_t *stride;
    int64_t *padding;
    int32_t *bias;
    int32_t *frozen;
    const ffebm_initialization **initialization;
} shared_keys;

static ffebm_status parse_window(const ffebmi_fields *fields, const shared_keys *to)
{
    FFEBMI_TRY(ffebmi_fields_require(fields, "kernel"));
    FFEBMI_TRY(ffebmi_fields_pair(fields, "kernel", 1, to->kernel));
    FFEBMI_TRY(ffebmi_fields_pair(fields, "stride", 1, to->stride));
    return ffebmi_fields_pair(fields, "padding", 0, to->padding);
}

/* Begin to read an op or coupling: refuse what its type does not read, and read what both have. An initialisation of
 * its own goes into *own. */
static ffebm_status parse_shared(ffebmi_fields *fields, ffebm_context *context, const cJSON *json, const char *where,
                                 unsigned reads, const char *out_key, const shared_keys *to, ffebm_initialization *own)
{
    const char *keys[MAX_KEYS];

    keys_of(reads, out_key, keys);
    FFEBMI_TRY(ffebmi_fields_begin(fields, context, json, where, keys));
    if (reads & FFEBMI_READS_OUT) {
        FFEBMI_TRY(ffebmi_fields_require(fields, out_key));
        FFEBMI_TRY(ffebmi_fields_integer(fields, out_key, to->out));
        FFEBMI_CHECK(context, *to->out >= 1, FFEBM_ERR_PARSE, "%s: \"%s\" is %" PRId64 ", expected 1 or more", where,
                     out_key, *to->out);
    }
    FFEBMI_TRY(ffebmi_fields_flag(fields, "bias", to->bias));
    FFEBMI_TRY(ffebmi_fields_flag(fields, "frozen", to->frozen));
    if (ffebmi_fields_have(fields, "initialization")) {
        FFEBMI_TRY(ffebmi_initialization_parse(fields, own));
        *to->initialization = own;
    }
    return reads & FFEBMI_READS_WINDOW ? parse_window(fields, to) : FFEBM_OK;
}

/* The "type" of an op or coupling, read before the keys that it allows are known. */
static ffebm_status type_of(ffebm_context *context, const cJSON *json, const char *where, const char **type)
{
    ffebmi_fields fields = {.context = context, .object = json, .where = where};

    FFEBMI_CHECK(context, cJSON_IsObject(json), FFEBM_ERR_PARSE, "%s: expected an object", where);
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    return ffebmi_fields_text(&fields, "type", type);
}

/* What the program brought, a description can name but not bring. */
static ffebm_status refuse_user(ffebm_context *context, const char *where, const char *type)
{
    FFEBMI_CHECK(context, strcmp(type, "user") != 0, FFEBM_ERR_UNSUPPORTED,
                 "%s: it is a block of the user's; build the model by calls, then restore its values", where);
    return FFEBM_OK;
}

/* What a builder refuses is malformed here: say where it stands in the description. */
static ffebm_status refused_at(ffebm_context *context, const char *where, ffebm_status status)
{
    char text[FFEBMI_ERROR_CAPACITY];
    const char *sentence = strstr(context->error, ": ");

    if (status != FFEBM_ERR_ARGUMENT)
        return status;
    snprintf(text, sizeof text, "%s", sentence == NULL ? context->error : sentence + strlen(": "));
    return ffebmi_fail(context, FFEBM_ERR_PARSE, "%s: %s", where, text);
}

static ffebm_status parse_op(ffebm_feedforward *block, const cJSON *json, const char *where)
{
    ffebm_context *context = block->context;
    ffebm_initialization own;
    ffebm_op_config c;
    char known[FFEBMI_LISTED];
    const shared_keys to = {&c.out, c.kernel, c.stride, c.padding, &c.bias, &c.frozen, &c.initialization};
    const ffebmi_op_kind *kind;
    const char *type = "";
    ffebmi_fields fields;

    FFEBMI_TRY(ffebmi_context_ask(context));
    FFEBMI_TRY(type_of(context, json, where, &type));
    kind = ffebmi_op_kind_named(type);
    FFEBMI_TRY(refuse_user(context, where, type));
    FFEBMI_CHECK(context, kind != NULL, FFEBM_ERR_PARSE, "%s: unknown op type \"%.40s\", expected one of %s", where,
                 type, ffebmi_fields_list(known, ffebmi_op_kind_name));
    ffebm_op_config_init(&c, sizeof c, kind->type);
    FFEBMI_TRY(parse_shared(&fields, context, json, where, kind->reads, kind->out_key, &to, &own));
    FFEBMI_TRY(ffebmi_fields_number(&fields, "epsilon", &c.epsilon));
    FFEBMI_TRY(ffebmi_fields_number(&fields, "momentum", &c.momentum));
    return refused_at(context, where, ffebm_feedforward_add_op(block, &c));
}

static ffebm_status parse_pool(const ffebmi_fields *coupling, int64_t kernel[2])
{
    static const char *const keys[] = {"type", "kernel", "stride", NULL};
    static const ffebmi_choice types[] = {{"max", 1}, {NULL, 0}};
    int64_t stride[2];
    ffebmi_fields fields;
    char where[WHERE + 48];
    int32_t type = 0;

    snprintf(where, sizeof where, "%s pool", coupling->where);
    FFEBMI_TRY(ffebmi_fields_begin(&fields, coupling->context, ffebmi_fields_item(coupling, "pool"), where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    FFEBMI_TRY(ffebmi_fields_choice(&fields, "type", types, &type));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "kernel"));
    FFEBMI_TRY(ffebmi_fields_pair(&fields, "kernel", 1, kernel));
    stride[0] = kernel[0];
    stride[1] = kernel[1];
    FFEBMI_TRY(ffebmi_fields_pair(&fields, "stride", 1, stride));
    FFEBMI_CHECK(coupling->context, stride[0] == kernel[0] && stride[1] == kernel[1], FFEBM_ERR_PARSE,
                 "%s: \"stride\" must equal \"kernel\"", where);
    return FFEBM_OK;
}

static ffebm_status parse_coupling(ffebm_energy *block, const cJSON *json, const char *where)
{
    ffebm_context *context = block->context;
    ffebm_initialization own;
    ffebm_coupling_config c;
    char known[FFEBMI_LISTED];
    const shared_keys to = {&c.out, c.kernel, c.stride, c.padding, &c.bias, &c.frozen, &c.initialization};
    const ffebmi_coupling_kind *kind;
    const char *type = "";
    ffebmi_fields fields;

    FFEBMI_TRY(ffebmi_context_ask(context));
    FFEBMI_TRY(type_of(context, json, where, &type));
    kind = ffebmi_coupling_kind_named(type);
    FFEBMI_CHECK(context, kind != NULL, FFEBM_ERR_PARSE, "%s: unknown coupling type \"%.40s\", expected one of %s",
                 where, type, ffebmi_fields_list(known, ffebmi_coupling_kind_name));
    ffebm_coupling_config_init(&c, sizeof c, kind->type);
    FFEBMI_TRY(parse_shared(&fields, context, json, where, kind->reads, kind->out_key, &to, &own));
    if (ffebmi_fields_have(&fields, "pool"))
        FFEBMI_TRY(parse_pool(&fields, c.pool_kernel));
    return refused_at(context, where, ffebm_energy_add_coupling(block, &c));
}

static ffebm_status parse_ops(ffebm_feedforward *block, const cJSON *ops, size_t stage)
{
    const cJSON *item;
    char where[WHERE];
    size_t i = 0;

    FFEBMI_CHECK(block->context, cJSON_IsArray(ops), FFEBM_ERR_PARSE, "stage %zu: \"feedforward\" must be an array",
                 stage);
    cJSON_ArrayForEach(item, ops)
    {
        snprintf(where, sizeof where, "stage %zu op %zu", stage, i++);
        FFEBMI_TRY(parse_op(block, item, where));
    }
    return FFEBM_OK;
}

static ffebm_status add_feedforward(ffebm_model *model, const cJSON *ops)
{
    ffebm_feedforward *block = NULL;
    ffebm_status status;

    FFEBMI_TRY(ffebm_feedforward_create(model->context, &block));
    status = parse_ops(block, ops, model->stage_count);
    if (status == FFEBM_OK)
        status = ffebm_model_add_feedforward(model, &block);
    ffebm_feedforward_destroy(block);
    return status;
}

static ffebm_status parse_activation(const ffebmi_fields *energy, ffebm_hopfield_config *config)
{
    static const char *const keys[] = {"type", "slope", NULL};
    static const ffebmi_choice types[] = {{"hard_sigmoid", FFEBM_ACTIVATION_HARD_SIGMOID}, {NULL, 0}};
    char where[WHERE + 16];
    ffebmi_fields fields;

    if (!ffebmi_fields_have(energy, "activation"))
        return FFEBM_OK;
    snprintf(where, sizeof where, "%s activation", energy->where);
    FFEBMI_TRY(ffebmi_fields_begin(&fields, energy->context, ffebmi_fields_item(energy, "activation"), where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    FFEBMI_TRY(ffebmi_fields_choice(&fields, "type", types, &config->activation));
    FFEBMI_TRY(ffebmi_fields_number(&fields, "slope", &config->slope));
    FFEBMI_CHECK(energy->context, config->slope > 0, FFEBM_ERR_PARSE, "%s: \"slope\" is %g, expected more than 0",
                 where, config->slope);
    return FFEBM_OK;
}

static ffebm_status parse_couplings(ffebm_energy *block, const ffebmi_fields *fields)
{
    const cJSON *couplings = NULL, *item;
    char where[WHERE + 32];
    size_t i = 0;

    FFEBMI_TRY(ffebmi_fields_require(fields, "couplings"));
    FFEBMI_TRY(ffebmi_fields_array(fields, "couplings", &couplings));
    cJSON_ArrayForEach(item, couplings)
    {
        snprintf(where, sizeof where, "%s coupling %zu", fields->where, i++);
        FFEBMI_TRY(parse_coupling(block, item, where));
    }
    return FFEBM_OK;
}

static ffebm_status add_energy(ffebm_model *model, const cJSON *json)
{
    static const char *const keys[] = {"type", "activation", "clamp_last", "couplings", NULL};
    const char *name = "";
    static const ffebmi_choice types[] = {{"hopfield", 1}, {NULL, 0}};
    ffebm_context *context = model->context;
    ffebm_hopfield_config config;
    ffebm_energy *block = NULL;
    ffebm_status status;
    ffebmi_fields fields;
    char where[WHERE];
    int32_t type = 0;

    snprintf(where, sizeof where, "stage %zu", model->stage_count);
    ffebm_hopfield_config_init(&config, sizeof config);
    FFEBMI_TRY(type_of(context, json, where, &name));
    FFEBMI_TRY(refuse_user(context, where, name));
    FFEBMI_TRY(ffebmi_fields_begin(&fields, context, json, where, keys));
    FFEBMI_TRY(ffebmi_fields_require(&fields, "type"));
    FFEBMI_TRY(ffebmi_fields_choice(&fields, "type", types, &type));
    FFEBMI_TRY(parse_activation(&fields, &config));
    FFEBMI_TRY(ffebmi_fields_flag(&fields, "clamp_last", &config.clamp_last));
    FFEBMI_TRY(ffebm_energy_create_hopfield(context, &block, &config));
    status = parse_couplings(block, &fields);
    if (status == FFEBM_OK)
        status = ffebm_model_add_energy(model, &block);
    ffebm_energy_destroy(block);
    return status;
}

static ffebm_status add_stage(ffebm_model *model, const cJSON *json)
{
    static const char *const keys[] = {"feedforward", "energy", NULL};
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
    return feedforward != NULL ? add_feedforward(model, feedforward) : add_energy(model, energy);
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
                 ffebmi_fields_list(known, ffebmi_loss_kind_name));
    *loss = kind->type;
    return FFEBM_OK;
}

static ffebm_status new_model(const ffebmi_fields *fields, ffebm_model **model, int32_t dtype)
{
    static const ffebmi_choice dtypes[] = {{"float32", FFEBM_FLOAT32}, {"float64", FFEBM_FLOAT64}, {NULL, 0}};
    int64_t dims[FFEBM_MAX_RANK];
    int32_t described = FFEBM_FLOAT32, loss = 0;
    size_t rank = 0;

    FFEBMI_TRY(ffebmi_fields_choice(fields, "dtype", dtypes, &described));
    FFEBMI_TRY(parse_shape(fields, dims, &rank));
    FFEBMI_TRY(parse_loss(fields, &loss));
    return ffebm_model_create(fields->context, model, dtype != 0 ? dtype : described, dims, rank, loss);
}

/* Stages, ops and couplings. */
static size_t parts_of(const cJSON *stages)
{
    const cJSON *stage;
    size_t parts = 0;

    cJSON_ArrayForEach(stage, stages)
    {
        const cJSON *ops = cJSON_GetObjectItemCaseSensitive(stage, "feedforward");
        const cJSON *block = cJSON_GetObjectItemCaseSensitive(stage, "energy");
        const cJSON *couplings = cJSON_GetObjectItemCaseSensitive(block, "couplings");

        parts += 1 + (size_t)cJSON_GetArraySize(ops) + (size_t)cJSON_GetArraySize(couplings);
    }
    return parts;
}

static ffebm_status fill(ffebm_model *model, const ffebmi_fields *fields)
{
    const cJSON *stages = NULL, *item;

    FFEBMI_TRY(ffebmi_fields_require(fields, "stages"));
    FFEBMI_TRY(ffebmi_fields_array(fields, "stages", &stages));
    FFEBMI_CHECK(fields->context, cJSON_GetArraySize(stages) > 0, FFEBM_ERR_PARSE,
                 "model description: \"stages\" is empty");
    FFEBMI_CHECK(fields->context, parts_of(stages) <= MOST_PARTS, FFEBM_ERR_PARSE,
                 "model description: %zu stages, ops and couplings, expected at most %d", parts_of(stages), MOST_PARTS);
    model->own_initialization = ffebmi_fields_have(fields, "initialization");
    if (model->own_initialization)
        FFEBMI_TRY(ffebmi_initialization_parse(fields, &model->initialization));
    if (ffebmi_fields_have(fields, "recipe"))
        FFEBMI_TRY(ffebmi_recipe_parse(fields->context, &model->recipe, ffebmi_fields_item(fields, "recipe")));
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
    ffebm_parse_config c = defaults;
    cJSON *root = NULL;
    ffebm_status status;

    if (model != NULL)
        *model = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, model != NULL, "ffebm_model_parse: model is NULL");
    FFEBMI_CHECK_ARGUMENT(context, json != NULL, "ffebm_model_parse: json is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "parse configuration", &c, sizeof c, config));
    FFEBMI_CHECK_ARGUMENT(context, c.reserved_ == 0, "ffebm_model_parse: reserved_ is not zero");
    FFEBMI_CHECK(context, c.dtype == 0 || c.dtype == FFEBM_FLOAT32 || c.dtype == FFEBM_FLOAT64, FFEBM_ERR_DTYPE,
                 "ffebm_model_parse: dtype %" PRId32 " is no float type", c.dtype);
    FFEBMI_TRY(ffebmi_json_parse(context, &root, &ffebmi_description_form, json, length));
    status = from_json(context, model, root, c.dtype);
    cJSON_Delete(root);
    return status;
}

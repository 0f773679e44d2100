/* A model's description: complete, in canonical form, so that parsing it gives an equal model. Building the tree can
 * only fail for want of memory; a NULL then travels up. */
#include <string.h>

#include "core/context.h"
#include "core/json.h"
#include "energy/hopfield.h"
#include "energy/user.h"
#include "model/initialization.h"
#include "model/model.h"
#include "model/recipe.h"

/* Give `item` to the object or array; false, and the item is gone, if that or making it failed. */
static bool give(cJSON *to, const char *key, cJSON *item)
{
    if (item == NULL)
        return false;
    if (key != NULL ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static cJSON *keep_if(cJSON *item, bool good)
{
    if (good)
        return item;
    cJSON_Delete(item);
    return NULL;
}

static cJSON *describe_pair(const int64_t pair[2])
{
    double numbers[2] = {(double)pair[0], (double)pair[1]};

    return pair[0] == pair[1] ? ffebmi_json_number(numbers[0]) : cJSON_CreateDoubleArray(numbers, 2);
}

static bool give_window(cJSON *to, const ffebmi_window *window)
{
    return give(to, "kernel", describe_pair(window->kernel)) && give(to, "stride", describe_pair(window->stride)) &&
           give(to, "padding", describe_pair(window->padding));
}

/* An initialisation that is not the model's stands beside its op or coupling, also where nobody has said it. */
static bool give_learnable(cJSON *to, const ffebm_model *model, unsigned reads, const char *out_key,
                           const ffebmi_learnable *learnable, int64_t out)
{
    const ffebm_initialization *how = ffebmi_initialization_of(model, learnable);
    bool own = learnable->own_initialization || (!model->own_initialization && learnable->place != FFEBMI_ELSEWHERE);

    return (!(reads & FFEBMI_READS_OUT) || give(to, out_key, ffebmi_json_number((double)out))) &&
           (!(reads & FFEBMI_READS_BIAS) || give(to, "bias", cJSON_CreateBool(learnable->bias))) &&
           (!learnable->frozen || give(to, "frozen", cJSON_CreateTrue())) &&
           (!own || give(to, "initialization", ffebmi_initialization_describe(how)));
}

static cJSON *describe_op(const ffebm_model *model, const ffebmi_op *op)
{
    cJSON *json = cJSON_CreateObject();
    unsigned reads = op->kind->reads;

    if (op->user != NULL)
        return keep_if(json, json != NULL && give(json, "type", cJSON_CreateString(op->kind->name)) &&
                                 give(json, "name", cJSON_CreateString(ffebmi_op_user_name(op))));
    return keep_if(json,
                   json != NULL && give(json, "type", cJSON_CreateString(op->kind->name)) &&
                       give_learnable(json, model, reads, op->kind->out_key, &op->learnable, op->out) &&
                       (!(reads & FFEBMI_READS_WINDOW) || give_window(json, &op->window)) &&
                       (!(reads & FFEBMI_READS_EPSILON) || give(json, "epsilon", ffebmi_json_number(op->epsilon))) &&
                       (!(reads & FFEBMI_READS_MOMENTUM) || give(json, "momentum", ffebmi_json_number(op->momentum))));
}

static cJSON *describe_feedforward(const ffebm_model *model, const ffebm_feedforward *block)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < block->op_count; i++)
        good = give(json, NULL, describe_op(model, &block->ops[i]));
    return keep_if(json, good);
}

static cJSON *describe_pool(const ffebmi_window *pool)
{
    cJSON *json = cJSON_CreateObject();

    return keep_if(json, json != NULL && give(json, "type", cJSON_CreateString("max")) &&
                             give(json, "kernel", describe_pair(pool->kernel)) &&
                             give(json, "stride", describe_pair(pool->stride)));
}

static cJSON *describe_coupling(const ffebm_model *model, const ffebmi_coupling *coupling)
{
    cJSON *json = cJSON_CreateObject();
    unsigned reads = coupling->kind->reads;

    return keep_if(
        json, json != NULL && give(json, "type", cJSON_CreateString(coupling->kind->name)) &&
                  give_learnable(json, model, reads, coupling->kind->out_key, &coupling->learnable, coupling->out) &&
                  (!(reads & FFEBMI_READS_WINDOW) || give_window(json, &coupling->window)) &&
                  (!coupling->pooled || give(json, "pool", describe_pool(&coupling->pool))));
}

static cJSON *describe_couplings(const ffebm_model *model, const ffebmi_hopfield *block)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < block->coupling_count; i++)
        good = give(json, NULL, describe_coupling(model, &block->couplings[i]));
    return keep_if(json, good);
}

static cJSON *describe_activation(const ffebmi_hopfield *block)
{
    cJSON *json = cJSON_CreateObject();

    return keep_if(json, json != NULL && give(json, "type", cJSON_CreateString("hard_sigmoid")) &&
                             give(json, "slope", ffebmi_json_number(block->slope)));
}

static cJSON *describe_energy(const ffebm_model *model, const ffebm_energy *block)
{
    const ffebmi_hopfield *hopfield = ffebmi_hopfield_of(block);
    cJSON *json = cJSON_CreateObject();

    if (hopfield == NULL)
        return keep_if(json, json != NULL && give(json, "type", cJSON_CreateString(block->kind->type)) &&
                                 give(json, "name", cJSON_CreateString(ffebmi_user_energy_of(block)->name)));
    return keep_if(json, json != NULL && give(json, "type", cJSON_CreateString(block->kind->type)) &&
                             give(json, "activation", describe_activation(hopfield)) &&
                             give(json, "clamp_last", cJSON_CreateBool(hopfield->clamp_last)) &&
                             give(json, "couplings", describe_couplings(model, hopfield)));
}

static cJSON *describe_stage(const ffebm_model *model, const ffebmi_stage *stage)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL;

    if (good && stage->energy != NULL)
        good = give(json, "energy", describe_energy(model, stage->energy));
    else if (good)
        good = give(json, "feedforward", describe_feedforward(model, stage->feedforward));
    return keep_if(json, good);
}

static cJSON *describe_stages(const ffebm_model *model)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < model->stage_count; i++)
        good = give(json, NULL, describe_stage(model, &model->stages[i]));
    return keep_if(json, good);
}

static cJSON *describe_shape(const ffebmi_shape *shape)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (size_t i = 0; good && i < shape->rank; i++)
        good = give(json, NULL, ffebmi_json_number((double)shape->dims[i]));
    return keep_if(json, good);
}

static cJSON *describe_model(const ffebm_model *model)
{
    cJSON *json = cJSON_CreateObject();

    return keep_if(json, json != NULL && give(json, "dtype", cJSON_CreateString(ffebmi_dtype_name(model->dtype))) &&
                             give(json, "input", describe_shape(&model->input)) &&
                             give(json, "loss", cJSON_CreateString(model->loss->name)) &&
                             give(json, "initialization", ffebmi_initialization_describe(&model->initialization)) &&
                             give(json, "recipe", ffebmi_recipe_describe(&model->recipe)) &&
                             give(json, "stages", describe_stages(model)));
}

static ffebm_status make_description(ffebm_model *model)
{
    cJSON *json = describe_model(model);
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    if (text != NULL)
        model->description = ffebmi_copy_text(model->context, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(json);
    return model->description != NULL ? FFEBM_OK : ffebmi_fail_memory(model->context, "a model description");
}

ffebm_status ffebm_model_description(ffebm_model *model, const char **json, size_t *length)
{
    if (json != NULL)
        *json = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, json != NULL, "ffebm_model_description: json is NULL");
    if (model->description == NULL)
        FFEBMI_TRY(make_description(model));
    *json = model->description;
    if (length != NULL)
        *length = strlen(model->description);
    return FFEBM_OK;
}

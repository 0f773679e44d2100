/* What is inside a model. */
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "model/model.h"

ffebm_status ffebm_model_inspect(const ffebm_model *model, ffebm_model_info *info)
{
    ffebm_model_info facts = {0};

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    facts.stage_count = model->stage_count;
    facts.parameter_count = model->parameter_count;
    facts.buffer_count = model->buffer_count;
    facts.element_count = model->element_count;
    facts.input_shape = model->input.dims;
    facts.input_rank = model->input.rank;
    facts.output_shape = ffebmi_model_output(model)->dims;
    facts.output_rank = ffebmi_model_output(model)->rank;
    facts.ready = ffebmi_model_ready(model);
    facts.dtype = model->dtype;
    facts.loss = model->loss->type;
    return ffebmi_sized_write(model->context, "model info", info, &facts, sizeof facts);
}

ffebm_status ffebm_model_inspect_stage(const ffebm_model *model, ffebm_stage_info *info, size_t stage)
{
    ffebm_stage_info facts = {0};
    const ffebmi_stage *s;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, stage < model->stage_count, "model: stage %zu of %zu", stage,
                          model->stage_count);
    s = &model->stages[stage];
    facts.layer_count = s->energy != NULL ? s->energy->layer_count : s->feedforward->op_count;
    facts.first_parameter = s->first_parameter;
    facts.parameter_count = s->parameter_count;
    facts.type = s->energy != NULL ? s->energy->kind->type : "feedforward";
    facts.input_shape = s->input.dims;
    facts.input_rank = s->input.rank;
    facts.output_shape = s->output.dims;
    facts.output_rank = s->output.rank;
    facts.kind = s->energy != NULL ? FFEBM_STAGE_ENERGY : FFEBM_STAGE_FEEDFORWARD;
    return ffebmi_sized_write(model->context, "stage info", info, &facts, sizeof facts);
}

static const ffebmi_shape *layer_shape(const ffebmi_stage *s, size_t layer)
{
    return s->energy != NULL ? &s->energy->layers[layer] : &s->feedforward->ops[layer].output;
}

ffebm_status ffebm_model_inspect_layer(const ffebm_model *model, ffebm_layer_info *info, size_t stage, size_t layer)
{
    ffebm_stage_info s = {.size = sizeof s};
    ffebm_layer_info facts = {0};
    const ffebmi_shape *shape;

    FFEBMI_TRY(ffebm_model_inspect_stage(model, &s, stage));
    FFEBMI_CHECK_ARGUMENT(model->context, layer < s.layer_count, "model: stage %zu has %zu layers, asked for %zu",
                          stage, s.layer_count, layer);
    shape = layer_shape(&model->stages[stage], layer);
    facts.shape = shape->dims;
    facts.rank = shape->rank;
    facts.units = shape->count;
    return ffebmi_sized_write(model->context, "layer info", info, &facts, sizeof facts);
}

ffebm_status ffebm_model_inspect_parameter(ffebm_model *model, ffebm_parameter_info *info, size_t index)
{
    ffebm_parameter_info facts = {0};
    ffebmi_model_parameter *p;
    bool buffer;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, index < model->parameter_count + model->buffer_count,
                          "model: parameter or buffer %zu of %zu", index, model->parameter_count + model->buffer_count);
    buffer = index >= model->parameter_count;
    p = buffer ? &model->buffers[index - model->parameter_count] : &model->parameters[index];
    facts.name = p->name;
    facts.shape = p->parameter.shape.dims;
    facts.rank = p->parameter.shape.rank;
    facts.value = ffebmi_model_ready(model) ? &p->value : NULL;
    facts.stage = p->stage;
    facts.offset = buffer ? 0 : p->offset;
    facts.count = p->parameter.shape.count;
    facts.role = buffer ? FFEBM_ROLE_BUFFER : FFEBM_ROLE_PARAMETER;
    facts.frozen = p->learnable->frozen;
    facts.lower = p->lower;
    facts.upper = p->upper;
    return ffebmi_sized_write(model->context, "parameter info", info, &facts, sizeof facts);
}

/* The number that `text` begins with, and where it ends; so large that there is no such stage or op if it is none. */
static size_t place_in(const char **text)
{
    size_t number = **text >= '0' && **text <= '9' ? 0 : SIZE_MAX;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = number < SIZE_MAX / 16 ? 10 * number + (size_t)(**text - '0') : SIZE_MAX / 16;
    return number;
}

/* Does `p` stand before that op of that stage? */
static bool stands_before(const ffebmi_model_parameter *p, size_t stage, size_t position)
{
    return p->stage != stage ? p->stage < stage : p->position < position;
}

/* Where a name is in a list, or `count`. A name says where it stands, so most of the list is not looked at. */
static size_t find_in(const ffebmi_model_parameter *list, size_t count, const char *name)
{
    const char *at = name + strlen("stage");
    size_t stage, position, low = 0, high = count;

    if (strncmp(name, "stage", strlen("stage")) != 0)
        return count;
    stage = place_in(&at);
    at += *at == '.';
    position = place_in(&at);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (stands_before(&list[middle], stage, position))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && list[low].stage == stage && list[low].position == position; low++)
        if (strcmp(list[low].name, name) == 0)
            return low;
    return count;
}

size_t ffebm_model_find_parameter(const ffebm_model *model, const char *name)
{
    size_t found;

    if (model == NULL || name == NULL)
        return FFEBM_NONE;
    found = find_in(model->parameters, model->parameter_count, name);
    if (found == model->parameter_count)
        found += find_in(model->buffers, model->buffer_count, name);
    return found < model->parameter_count + model->buffer_count ? found : FFEBM_NONE;
}

ffebm_tensor *ffebm_model_flat_parameters(ffebm_model *model)
{
    return model == NULL || !ffebmi_model_ready(model) || model->element_count == 0 ? NULL : &model->flat;
}

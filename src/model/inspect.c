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
    facts.layer_count = s->energy != NULL ? s->energy->layer_count : s->rows[0].block->op_count;
    facts.first_parameter = s->first_parameter;
    facts.parameter_count = s->parameter_count;
    facts.type = s->energy != NULL ? s->energy->kind->type : "feedforward";
    facts.input_shape = s->input.dims;
    facts.input_rank = s->input.rank;
    facts.output_shape = s->output.dims;
    facts.output_rank = s->output.rank;
    facts.device = s->energy != NULL && s->energy->device != NULL;
    facts.kind = s->energy != NULL ? FFEBM_STAGE_ENERGY : FFEBM_STAGE_FEEDFORWARD;
    facts.tap_count = s->row_count > 0 ? s->row_count - 1 : 0;
    return ffebmi_sized_write(model->context, "stage info", info, &facts, sizeof facts);
}

static const ffebmi_shape *layer_shape(const ffebmi_stage *s, size_t layer)
{
    return s->energy != NULL ? &s->energy->layers[layer] : &s->rows[0].block->ops[layer].output;
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
    facts.effective = buffer || !ffebmi_model_ready(model) ? facts.value : &p->effective;
    if (!buffer && ffebmi_model_ready(model))
        ffebmi_model_take_effect(model, p->stage);
    return ffebmi_sized_write(model->context, "parameter info", info, &facts, sizeof facts);
}

/* The number that `text` begins with, and where it ends; so large that there is no such stage, tap or op if it is none. */
static size_t number_in(const char **text)
{
    size_t number = **text >= '0' && **text <= '9' ? 0 : SIZE_MAX / 2;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = number < SIZE_MAX / 16 ? 10 * number + (size_t)(**text - '0') : SIZE_MAX / 16;
    return number;
}

/* Where a parameter stands, as its name says. */
typedef struct place {
    size_t stage;
    size_t row;
    size_t position;
} place;

/* "stage1.0.weight", or "stage1.tap0.0.weight" in a tap. */
static place place_of(const char *name)
{
    const char *at = name + strlen("stage");
    place of = {.stage = number_in(&at)};

    at += *at == '.';
    if (strncmp(at, "tap", strlen("tap")) == 0) {
        at += strlen("tap");
        of.row = number_in(&at) + 1;
        at += *at == '.';
    }
    of.position = number_in(&at);
    return of;
}

/* Less than 0 if `p` stands before that place, 0 if there. */
static int compare(const ffebmi_model_parameter *p, const place *with)
{
    if (p->stage != with->stage)
        return p->stage < with->stage ? -1 : 1;
    if (p->row != with->row)
        return p->row < with->row ? -1 : 1;
    return p->position == with->position ? 0 : p->position < with->position ? -1 : 1;
}

/* Where a name is in a list, or `count`. A name says where it stands, so most of the list is not looked at. */
static size_t find_in(const ffebmi_model_parameter *list, size_t count, const char *name)
{
    size_t low = 0, high = count;
    place wanted;

    if (strncmp(name, "stage", strlen("stage")) != 0)
        return count;
    wanted = place_of(name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && compare(&list[low], &wanted) == 0; low++)
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

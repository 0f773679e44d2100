#include "io/contents.h"

#include <stdio.h>

#include "core/context.h"

ffebm_status ffebmi_contents_of(ffebmi_contents *contents, ffebm_model *model, const ffebm_optimizer *optimizer)
{
    FFEBMI_CHECK_ARGUMENT(model->context, optimizer == NULL || ffebmi_optimizer_model(optimizer) == model,
                          "checkpoint: the optimizer is of another model");
    contents->model = model;
    contents->optimizer = optimizer;
    contents->array_count = 1 + (optimizer == NULL ? 0 : ffebmi_optimizer_slot_count(optimizer));
    contents->count = contents->array_count * model->parameter_count;
    return FFEBM_OK;
}

void ffebmi_contents_inspect(const ffebmi_contents *contents, ffebmi_content *content, size_t index)
{
    const ffebm_model *model = contents->model;
    const ffebmi_model_parameter *parameter = &model->parameters[index % model->parameter_count];

    content->array = index / model->parameter_count;
    content->offset = parameter->offset;
    content->shape = &parameter->parameter.shape;
    if (content->array == 0)
        snprintf(content->name, sizeof content->name, "%s", parameter->name);
    else
        snprintf(content->name, sizeof content->name, "optimizer.%s.%s",
                 ffebmi_optimizer_slot_name(contents->optimizer, content->array - 1), parameter->name);
}

void *ffebmi_contents_array(const ffebmi_contents *contents, size_t array)
{
    return array == 0 ? contents->model->values : ffebmi_optimizer_slot(contents->optimizer, array - 1);
}

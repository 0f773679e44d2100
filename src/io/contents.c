#include "io/contents.h"

#include <stdio.h>

#include "core/context.h"

ffebm_status ffebmi_contents_of(ffebmi_contents *contents, ffebm_model *model, const ffebm_optimizer *optimizer)
{
    FFEBMI_CHECK_ARGUMENT(model->context, optimizer == NULL || ffebmi_optimizer_model(optimizer) == model,
                          "checkpoint: the optimizer is of another model");
    contents->model = model;
    contents->optimizer = optimizer;
    contents->array_count = 1 + (optimizer == NULL ? 0 : ffebmi_optimizer_moment_count(optimizer));
    contents->count = contents->array_count * model->parameter_count + model->buffer_count;
    return FFEBM_OK;
}

static void inspect_value(const ffebm_model *model, ffebmi_content *content, size_t index)
{
    bool buffer = index >= model->parameter_count;
    const ffebmi_model_parameter *p =
        buffer ? &model->buffers[index - model->parameter_count] : &model->parameters[index];

    content->array = 0;
    content->offset = buffer ? model->element_count + p->offset : p->offset;
    content->shape = &p->parameter.shape;
    snprintf(content->name, sizeof content->name, "%s", p->name);
}

static void inspect_moment(const ffebmi_contents *contents, ffebmi_content *content, size_t index)
{
    const ffebm_model *model = contents->model;
    const ffebmi_model_parameter *p = &model->parameters[index % model->parameter_count];

    content->array = 1 + index / model->parameter_count;
    content->offset = p->offset;
    content->shape = &p->parameter.shape;
    snprintf(content->name, sizeof content->name, "optimizer.%s.%s",
             ffebmi_optimizer_moment_name(contents->optimizer, content->array - 1), p->name);
}

void ffebmi_contents_inspect(const ffebmi_contents *contents, ffebmi_content *content, size_t index)
{
    size_t values = contents->model->parameter_count + contents->model->buffer_count;

    if (index < values)
        inspect_value(contents->model, content, index);
    else
        inspect_moment(contents, content, index - values);
}

size_t ffebmi_contents_elements(const ffebmi_contents *contents, size_t array)
{
    return contents->model->element_count + (array == 0 ? contents->model->buffer_element_count : 0);
}

size_t ffebmi_contents_start(const ffebmi_contents *contents, size_t array)
{
    return array == 0 ? 0 : contents->model->buffer_element_count + array * contents->model->element_count;
}

void *ffebmi_contents_array(const ffebmi_contents *contents, size_t array)
{
    return array == 0 ? contents->model->values : ffebmi_optimizer_moment(contents->optimizer, array - 1);
}

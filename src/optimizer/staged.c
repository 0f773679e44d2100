/* Parameters that an update rule of the user's writes: asked before anything moves, and kept aside until nothing can fail. */
#include <string.h>

#include "core/context.h"
#include "optimizer/optimizer.h"
#include "tensor/doubles.h"
#include "tensor/user_slots.h"

ffebm_status ffebmi_staged_create(ffebm_optimizer *o)
{
    size_t element = ffebmi_dtype_size(o->model->dtype), most = 0;

    for (size_t i = 0; i < o->model->parameter_count; i++)
        if (o->model->parameters[i].update != NULL && o->model->parameters[i].parameter.shape.count > most)
            most = o->model->parameters[i].parameter.shape.count;
    if (most == 0)
        return FFEBM_OK;
    for (size_t i = 0; i < 3; i++)
        if ((o->asked[i] = ffebmi_allocate(o->context, most, sizeof(double))) == NULL)
            return ffebmi_fail_memory(o->context, "what an update rule is asked");
    for (size_t i = 0; i <= o->rule->moment_count; i++)
        if ((o->staged[i] = ffebmi_allocate(o->context, o->model->element_count, element)) == NULL)
            return ffebmi_fail_memory(o->context, "what update rules leave");
    return FFEBM_OK;
}

void ffebmi_staged_destroy(ffebm_optimizer *o)
{
    for (size_t i = 0; i < 3; i++)
        ffebmi_release(o->context, o->asked[i]);
    for (size_t i = 0; i <= FFEBMI_MAX_MOMENTS; i++)
        ffebmi_release(o->context, o->staged[i]);
}

static void *live(const ffebm_optimizer *o, const ffebmi_arrays *k, size_t array, size_t parameter)
{
    const ffebmi_model_parameter *p = &o->model->parameters[parameter];

    return array == 0 ? p->value.data : ffebmi_at(k, o->moments[array - 1], p->offset);
}

static void *aside(const ffebm_optimizer *o, const ffebmi_arrays *k, size_t array, size_t parameter)
{
    return ffebmi_at(k, o->staged[array], o->model->parameters[parameter].offset);
}

void ffebmi_staged_begin(const ffebm_optimizer *o, const ffebmi_arrays *k, size_t parameter, ffebmi_update *update)
{
    for (size_t i = 0; i <= o->rule->moment_count; i++)
        memcpy(aside(o, k, i, parameter), live(o, k, i, parameter), update->n * k->element);
    update->parameters = aside(o, k, 0, parameter);
    for (size_t i = 0; i < o->rule->moment_count; i++)
        update->moments[i] = aside(o, k, i + 1, parameter);
}

void ffebmi_staged_take(const ffebm_optimizer *o, const ffebmi_arrays *k, size_t parameter)
{
    for (size_t i = 0; i <= o->rule->moment_count; i++)
        memcpy(live(o, k, i, parameter), aside(o, k, i, parameter),
               o->model->parameters[parameter].parameter.shape.count * k->element);
}

/* ------------------------------------------------------------------------------------------------------------- asking */

typedef struct asked {
    const ffebm_update_rule *rule;
    ffebm_update_call *call;
} asked;

static int32_t ask(void *user, int32_t attempt)
{
    const asked *a = user;

    a->call->attempt = attempt;
    return a->rule->update(a->rule->self, a->call);
}

ffebm_status ffebmi_staged_ask(const ffebm_optimizer *o, const ffebmi_arrays *k, size_t parameter)
{
    const ffebmi_model_parameter *p = &o->model->parameters[parameter];
    size_t count = p->parameter.shape.count;
    double *before = o->asked[0], *request = o->asked[1], *values = o->asked[2];
    ffebm_update_call call = {.size = sizeof call,
                              .parameter = parameter,
                              .stage = p->stage,
                              .count = count,
                              .step = o->model->history.updates + 1,
                              .request = request,
                              .values = values,
                              .lower = p->lower,
                              .upper = p->upper};
    asked a = {&p->update->rule, &call};
    ffebmi_user_slot slot = {
        .what = p->name,
        .name = "update",
        .retry_limit = p->update->rule.retry_limit,
        .ask = ask,
        .asked = &a,
        .outputs = {{.name = "values", .at = values, .count = count, .element = k->element, .start = before}}};
    ffebmi_failure failure;
    ffebm_status status;

    ffebmi_get_numbers(k->element, count, p->value.data, before);
    ffebmi_get_numbers(k->element, count, aside(o, k, 0, parameter), request);
    for (size_t i = 0; i < count; i++)
        request[i] -= before[i];
    call.message = slot.message;
    call.message_capacity = sizeof slot.message;
    status = ffebmi_user_ask(&slot, &failure);
    if (status != FFEBM_OK)
        return ffebmi_fail(o->context, status, "%s", failure.text);
    for (size_t i = 0; i < count; i++)
        values[i] = values[i] < p->lower ? p->lower : values[i] > p->upper ? p->upper : values[i];
    ffebmi_put_numbers(k->element, count, values, aside(o, k, 0, parameter));
    return FFEBM_OK;
}

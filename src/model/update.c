/* Update rules of the user's: which parameters have one, and when it goes. */
#include <inttypes.h>

#include "core/context.h"
#include "core/sized.h"
#include "model/model.h"
#include "tensor/user_slots.h"

void ffebmi_update_drop(ffebm_context *context, ffebmi_user_update *update)
{
    if (update == NULL || --update->references > 0)
        return;
    if (update->rule.destroy != NULL)
        update->rule.destroy(update->rule.self);
    ffebmi_release(context, update);
}

bool ffebmi_model_has_updates(const ffebm_model *model)
{
    for (size_t i = 0; i < model->parameter_count; i++)
        if (model->parameters[i].update != NULL)
            return true;
    return false;
}

static ffebm_status read_rule(const ffebm_model *model, ffebm_update_rule *to, const ffebm_update_rule *from)
{
    *to = (ffebm_update_rule){0};
    FFEBMI_TRY(ffebmi_sized_read(model->context, "update rule", to, sizeof *to, from));
    FFEBMI_CHECK_ARGUMENT(model->context, to->update != NULL, "update rule: it has no update");
    FFEBMI_CHECK_ARGUMENT(model->context, to->retry_limit >= 0,
                          "update rule: retry_limit %" PRId32 ", expected 0 or more", to->retry_limit);
    FFEBMI_CHECK_ARGUMENT(model->context, to->reserved_ == 0, "update rule: reserved_ is not zero");
    to->retry_limit = to->retry_limit == 0 ? FFEBMI_USER_RETRIES : to->retry_limit;
    return FFEBM_OK;
}

static size_t count_of(const ffebm_model *model, const char *prefix)
{
    size_t found = 0;

    for (size_t i = 0; i < model->parameter_count; i++)
        found += ffebmi_model_has_prefix(&model->parameters[i], prefix);
    return found;
}

ffebm_status ffebm_model_set_update(ffebm_model *model, const char *prefix, const ffebm_update_rule *rule)
{
    ffebmi_user_update *created = NULL;
    ffebm_update_rule read;
    size_t found;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, prefix != NULL, "ffebm_model_set_update: prefix is NULL");
    if (rule != NULL)
        FFEBMI_TRY(read_rule(model, &read, rule));
    found = count_of(model, prefix);
    FFEBMI_CHECK(model->context, found > 0, FFEBM_ERR_NOT_FOUND, "model: no parameter is named \"%.60s...\"", prefix);
    FFEBMI_CHECK(model->context, model->references == 1, FFEBM_ERR_STATE,
                 "model: an update rule, but an engine or optimizer of it exists");
    if (rule != NULL) {
        created = ffebmi_allocate(model->context, 1, sizeof *created);
        if (created == NULL)
            return ffebmi_fail_memory(model->context, "an update rule");
        *created = (ffebmi_user_update){read, found};
    }
    for (size_t i = 0; i < model->parameter_count; i++)
        if (ffebmi_model_has_prefix(&model->parameters[i], prefix)) {
            ffebmi_update_drop(model->context, model->parameters[i].update);
            model->parameters[i].update = created;
        }
    return FFEBM_OK;
}

/* What takes or gives JSON, in a build that has none. */
#include <ffebm/io.h>

#include "core/context.h"
#include "core/parts.h"
#include "model/model.h"

#ifndef FFEBMI_WITH_JSON

static ffebm_status refuse(ffebm_context *context, const char *function)
{
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    return ffebmi_fail(context, FFEBM_ERR_UNSUPPORTED,
                       "%s: this build has no JSON, for want of cJSON.h beside ffebm.c; make models by calls, and take "
                       "their values from ffebm_model_flat_parameters",
                       function);
}

static ffebm_status refuse_model(ffebm_model *model, const char *function)
{
    return refuse(model == NULL ? NULL : model->context, function);
}

ffebm_status ffebm_model_parse(ffebm_context *context, ffebm_model **model, const char *json, size_t length,
                               const ffebm_parse_config *config)
{
    (void)json, (void)length, (void)config;
    if (model != NULL)
        *model = NULL;
    return refuse(context, "ffebm_model_parse");
}

ffebm_status ffebm_model_description(ffebm_model *model, const char **json, size_t *length)
{
    (void)length;
    if (json != NULL)
        *json = NULL;
    return refuse_model(model, "ffebm_model_description");
}

ffebm_status ffebm_checkpoint_save(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                   const char *path)
{
    (void)optimizer, (void)note, (void)path;
    return refuse_model(model, "ffebm_checkpoint_save");
}

ffebm_status ffebm_checkpoint_write(ffebm_model *model, const ffebm_optimizer *optimizer, const char *note,
                                    ffebm_write_fn write, void *user)
{
    (void)optimizer, (void)note, (void)write, (void)user;
    return refuse_model(model, "ffebm_checkpoint_write");
}

ffebm_status ffebm_checkpoint_load(ffebm_context *context, ffebm_model **model, const char *path)
{
    (void)path;
    if (model != NULL)
        *model = NULL;
    return refuse(context, "ffebm_checkpoint_load");
}

ffebm_status ffebm_checkpoint_restore(ffebm_model *model, ffebm_optimizer *optimizer, const char *path)
{
    (void)optimizer, (void)path;
    return refuse_model(model, "ffebm_checkpoint_restore");
}

ffebm_status ffebm_checkpoint_read(ffebm_model *model, ffebm_optimizer *optimizer, const void *bytes, size_t length)
{
    (void)optimizer, (void)bytes, (void)length;
    return refuse_model(model, "ffebm_checkpoint_read");
}

ffebm_status ffebm_checkpoint_metadata(ffebm_context *context, char *text, size_t capacity, size_t *length,
                                       const char *path, const char *key)
{
    (void)path, (void)key;
    if (text != NULL && capacity > 0)
        text[0] = '\0';
    if (length != NULL)
        *length = 0;
    return refuse(context, "ffebm_checkpoint_metadata");
}

ffebm_status ffebm_checkpoint_tensor(ffebm_context *context, ffebm_tensor **tensor, const char *path, const char *name)
{
    (void)path, (void)name;
    if (tensor != NULL)
        *tensor = NULL;
    return refuse(context, "ffebm_checkpoint_tensor");
}

ffebm_status ffebm_checkpoint_tensor_names(ffebm_context *context, char *names, size_t capacity, size_t *length,
                                           const char *path)
{
    (void)path;
    if (names != NULL && capacity > 0)
        names[0] = '\0';
    if (length != NULL)
        *length = 0;
    return refuse(context, "ffebm_checkpoint_tensor_names");
}

#endif

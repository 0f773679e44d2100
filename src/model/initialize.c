/* First values of parameters. */
#include <math.h>

#include "core/context.h"
#include "core/random.h"
#include "model/model.h"

ffebm_status ffebm_model_set_initialization(ffebm_model *model, const ffebm_initialization *initialization)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_initialization_read(model->context, &model->initialization, "model", initialization));
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

static void set(const ffebm_tensor *value, size_t i, double number)
{
    if (value->dtype == FFEBM_FLOAT32)
        ((float *)value->data)[i] = (float)number;
    else
        ((double *)value->data)[i] = number;
}

static void draw(const ffebm_model *model, const ffebmi_model_parameter *p, uint64_t stream)
{
    const ffebm_initialization *how =
        p->learnable->own_initialization ? &p->learnable->initialization : &model->initialization;
    bool constant = p->parameter.role == FFEBMI_BIAS && how->constant_bias == 1;
    double bound = how->gain / sqrt((double)p->parameter.fan_in);

    for (size_t i = 0; i < p->parameter.shape.count; i++)
        set(&p->value, i, constant ? how->bias : bound * (2 * ffebm_random_uniform(stream, i) - 1));
}

ffebm_status ffebm_model_initialize(ffebm_model *model, uint64_t seed)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_model_make_ready(model));
    for (size_t i = 0; i < model->parameter_count; i++)
        draw(model, &model->parameters[i], ffebmi_random_stream(seed, i));
    ffebmi_model_touch(model);
    return FFEBM_OK;
}

/* Bounds of parameters, and which parameters a prefix names. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "model/model.h"

bool ffebmi_model_has_prefix(const ffebmi_model_parameter *parameter, const char *prefix)
{
    const char *name = parameter->name;
    size_t length = strlen(prefix);

    return strncmp(name, prefix, length) == 0 && (length == 0 || name[length] == '.' || name[length] == '\0');
}

/* To the model's type, so that what is projected onto a bound equals it. */
static double rounded(const ffebm_model *model, double bound)
{
    if (model->dtype == FFEBM_FLOAT64)
        return bound;
    if (fabs(bound) > (double)FLT_MAX)
        return bound < 0 ? -INFINITY : INFINITY;
    return (double)(float)bound;
}

ffebm_status ffebmi_model_check_bounds(const ffebm_model *model, double lower, double upper)
{
    FFEBMI_CHECK_ARGUMENT(model->context,
                          lower <= upper && rounded(model, lower) < INFINITY && rounded(model, upper) > -INFINITY,
                          "model: bounds %g and %g, expected a lower and an upper one with a %s between them", lower,
                          upper, ffebmi_dtype_name(model->dtype));
    return FFEBM_OK;
}

void ffebmi_model_bound(const ffebm_model *model, ffebmi_model_parameter *parameter, double lower, double upper)
{
    parameter->lower = rounded(model, lower);
    parameter->upper = rounded(model, upper);
}

ffebm_status ffebm_model_set_bounds(ffebm_model *model, const char *prefix, double lower, double upper)
{
    size_t found = 0;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, prefix != NULL, "ffebm_model_set_bounds: prefix is NULL");
    FFEBMI_TRY(ffebmi_model_check_bounds(model, lower, upper));
    for (size_t i = 0; i < model->parameter_count; i++)
        if (ffebmi_model_has_prefix(&model->parameters[i], prefix)) {
            ffebmi_model_bound(model, &model->parameters[i], lower, upper);
            found++;
        }
    FFEBMI_CHECK(model->context, found > 0, FFEBM_ERR_NOT_FOUND, "model: no parameter is named \"%.60s...\"", prefix);
    return FFEBM_OK;
}

#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double bound = 1e-8;

/* ---------------------------------------------------------------------------------------------------- the file */

ffebm_status reference_read_names(struct reference *r)
{
    ffebm_status status = ffebm_checkpoint_tensor_names(r->context, NULL, 0, &r->names_length, r->path);

    if (status != FFEBM_OK)
        return status;
    r->names = malloc(r->names_length + 1);
    if (r->names == NULL)
        return FFEBM_ERR_NOMEM;
    return ffebm_checkpoint_tensor_names(r->context, r->names, r->names_length, NULL, r->path);
}

const char *reference_next(const struct reference *r, const char *name)
{
    name = name == NULL ? r->names : name + strlen(name) + 1;
    return name < r->names + r->names_length ? name : NULL;
}

ffebm_status reference_metadata(struct reference *r, const char *key, char **text)
{
    size_t length;
    ffebm_status status = ffebm_checkpoint_metadata(r->context, NULL, 0, &length, r->path, key);

    if (status != FFEBM_OK)
        return status;
    *text = malloc(length + 1);
    if (*text == NULL)
        return FFEBM_ERR_NOMEM;
    return ffebm_checkpoint_metadata(r->context, *text, length + 1, NULL, r->path, key);
}

ffebm_status reference_read_model(struct reference *r)
{
    ffebm_parse_config config;
    char *description = NULL;
    ffebm_status status = reference_metadata(r, "model", &description);

    ffebm_parse_config_init(&config, sizeof config);
    config.dtype = FFEBM_FLOAT64;
    if (status == FFEBM_OK)
        status = ffebm_model_parse(r->context, &r->model, description, strlen(description), &config);
    if (status == FFEBM_OK)
        status = ffebm_model_initialize(r->model, 0);
    free(description);
    return status;
}

ffebm_status reference_read_values(struct reference *r)
{
    ffebm_model_info info = {.size = sizeof info};
    ffebm_parameter_info parameter = {.size = sizeof parameter};
    ffebm_status status = ffebm_model_inspect(r->model, &info);

    for (size_t i = 0; i < info.parameter_count + info.buffer_count && status == FFEBM_OK; i++) {
        ffebm_tensor *value = NULL;
        char name[NAME];

        if ((status = ffebm_model_inspect_parameter(r->model, &parameter, i)) != FFEBM_OK)
            break;
        snprintf(name, sizeof name, "%s.%s", parameter.role == FFEBM_ROLE_BUFFER ? "buffer" : "param", parameter.name);
        status = ffebm_checkpoint_tensor(r->context, &value, r->path, name);
        if (status == FFEBM_ERR_NOT_FOUND && parameter.role == FFEBM_ROLE_BUFFER)
            status = FFEBM_OK; /* files in training mode have none */
        else if (status == FFEBM_OK)
            status = ffebm_tensor_copy(parameter.value, value);
        ffebm_tensor_destroy(value);
    }
    return status;
}

/* --------------------------------------------------------------------------------------------------- comparing */

ffebm_status reference_compare(struct reference *r, const char *name, const double *ours, size_t count, double *worst)
{
    ffebm_tensor *theirs = NULL;
    ffebm_status status = ffebm_checkpoint_tensor(r->context, &theirs, r->path, name);
    double difference = 0, size = 0, error;

    if (status != FFEBM_OK)
        return status;
    if (ffebm_tensor_count(theirs) != count || ffebm_tensor_dtype(theirs) != FFEBM_FLOAT64) {
        difference = INFINITY;
    } else {
        const double *values = ffebm_tensor_const_data(theirs);

        for (size_t i = 0; i < count; i++) {
            difference = ours[i] == ours[i] ? fmax(difference, fabs(ours[i] - values[i])) : INFINITY;
            size = fmax(size, fabs(values[i]));
        }
    }
    error = difference == 0 ? 0 : difference / size;
    *worst = fmax(*worst, error);
    r->compared++;
    ffebm_tensor_destroy(theirs);
    return FFEBM_OK;
}

ffebm_status reference_compare_state(struct reference *r, const char *name, size_t stage, size_t l, int32_t phase,
                                     double *worst)
{
    ffebm_layer_info layer = {.size = sizeof layer};
    int64_t shape[FFEBM_MAX_RANK] = {ffebm_tensor_shape(r->input, NULL)[0]};
    ffebm_tensor *state = NULL;
    ffebm_status status = ffebm_model_inspect_layer(r->model, &layer, stage, l);

    if (status != FFEBM_OK)
        return status;
    memcpy(shape + 1, layer.shape, layer.rank * sizeof *shape);
    if ((status = ffebm_tensor_create(r->context, &state, FFEBM_FLOAT64, shape, layer.rank + 1)) == FFEBM_OK &&
        (status = ffebm_engine_get_state(r->engine, state, stage, l, phase)) == FFEBM_OK)
        status = reference_compare(r, name, ffebm_tensor_const_data(state), ffebm_tensor_count(state), worst);
    ffebm_tensor_destroy(state);
    return status;
}

ffebm_status reference_compare_gradient(struct reference *r, const char *name, const char *parameter_name,
                                        double *worst)
{
    ffebm_parameter_info parameter = {.size = sizeof parameter};
    const double *gradient = ffebm_tensor_const_data(ffebm_engine_flat_gradient(r->engine));
    size_t index = ffebm_model_find_parameter(r->model, parameter_name);
    ffebm_status status;

    if (index == FFEBM_NONE)
        return FFEBM_ERR_NOT_FOUND;
    if ((status = ffebm_model_inspect_parameter(r->model, &parameter, index)) != FFEBM_OK)
        return status;
    return reference_compare(r, name, gradient + parameter.offset, parameter.count, worst);
}

void reference_print(struct reference *r, const char *group, size_t tensors, double worst)
{
    printf("%s %-24s %3zu tensors, largest relative error %.1e%s\n", r->path, group, tensors, worst,
           worst <= bound ? "" : "  TOO LARGE");
    r->worst = fmax(r->worst, worst);
}

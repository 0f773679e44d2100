#include "tensor/user_parameters.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/sized.h"
#include "tensor/doubles.h"

static const ffebm_user_parameter defaults = {.size = sizeof defaults, .lower = -INFINITY, .upper = INFINITY};

void ffebm_user_parameter_init(ffebm_user_parameter *parameter, size_t size)
{
    ffebmi_sized_init(parameter, size, &defaults, sizeof defaults);
}

static bool name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

ffebm_status ffebmi_user_name(ffebm_context *context, char to[FFEBMI_USER_NAME], const char *what, const char *name)
{
    size_t length = 0;

    FFEBMI_CHECK_ARGUMENT(context, name != NULL && name[0] != '\0', "%s: it has no name", what);
    for (; name[length] != '\0'; length++)
        FFEBMI_CHECK_ARGUMENT(context, length + 1 < FFEBMI_USER_NAME && name_character(name[length]),
                              "%s: name \"%.40s\", expected at most %d letters, digits and _", what, name,
                              FFEBMI_USER_NAME - 1);
    memcpy(to, name, length + 1);
    return FFEBM_OK;
}

static ffebm_status read_parameter(ffebm_context *context, ffebm_user_parameter *to, const char *what,
                                   int32_t positions, const ffebm_user_parameter *from)
{
    *to = defaults;
    FFEBMI_CHECK_ARGUMENT(context, from != NULL, "%s: parameter is NULL", what);
    FFEBMI_TRY(ffebmi_sized_read(context, "user parameter", to, sizeof *to, from));
    FFEBMI_CHECK_ARGUMENT(context, to->lower < to->upper, "%s: parameter bounds [%g, %g], expected lower below upper",
                          what, to->lower, to->upper);
    FFEBMI_CHECK_ARGUMENT(context, to->frozen == 0 || to->frozen == 1,
                          "%s: parameter with frozen %" PRId32 ", expected 0 or 1", what, to->frozen);
    FFEBMI_CHECK_ARGUMENT(context, to->position >= 0 && to->position < positions,
                          "%s: parameter with position %" PRId32 ", expected 0 to %" PRId32, what, to->position,
                          positions - 1);
    return FFEBM_OK;
}

ffebm_status ffebmi_user_parameters_add(ffebm_context *context, ffebmi_user_parameters *all, const char *what,
                                        int32_t positions, const ffebm_user_parameter *parameter)
{
    ffebm_user_parameter p;
    ffebmi_parameter *to = &all->list[all->count];
    char name[FFEBMI_USER_NAME], shape_what[2 * FFEBMI_USER_NAME + 32];
    ffebmi_shape shape;

    FFEBMI_CHECK(context, all->count < FFEBM_USER_PARAMETERS_MAX, FFEBM_ERR_STATE, "%s: it has %d parameters already",
                 what, FFEBM_USER_PARAMETERS_MAX);
    FFEBMI_TRY(read_parameter(context, &p, what, positions, parameter));
    FFEBMI_TRY(ffebmi_user_name(context, name, "parameter", p.name));
    FFEBMI_CHECK_ARGUMENT(context, all->count == 0 || all->positions[all->count - 1] <= (size_t)p.position,
                          "%s: parameter \"%s\" with position %" PRId32 ", expected at least that of \"%s\", %zu", what,
                          name, p.position, all->names[all->count - 1], all->positions[all->count - 1]);
    for (size_t i = 0; i < all->count; i++)
        FFEBMI_CHECK_ARGUMENT(context, strcmp(all->names[i], name) != 0 || all->positions[i] != (size_t)p.position,
                              "%s: it has a parameter \"%s\" already", what, name);
    snprintf(shape_what, sizeof shape_what, "%s: parameter %s", what, name);
    FFEBMI_TRY(ffebmi_shape_set(context, &shape, p.shape, p.rank, shape_what));
    memcpy(all->names[all->count], name, sizeof name);
    all->positions[all->count] = (size_t)p.position;
    *to = (ffebmi_parameter){.name = all->names[all->count],
                             .role = FFEBMI_GIVEN,
                             .shape = shape,
                             .bounded = true,
                             .lower = p.lower,
                             .upper = p.upper};
    all->learnables[all->count] = (ffebmi_learnable){.frozen = p.frozen == 1};
    all->element_count += shape.count;
    all->count++;
    return FFEBM_OK;
}

ffebm_status ffebmi_user_parameters_allocate(ffebm_context *context, ffebmi_user_parameters *all)
{
    ffebmi_user_parameters_release(context, all);
    all->values = ffebmi_allocate(context, all->element_count, sizeof *all->values);
    all->gradient = ffebmi_allocate(context, all->element_count, sizeof *all->gradient);
    all->sum = ffebmi_allocate(context, all->element_count, sizeof *all->sum);
    if (all->values == NULL || all->gradient == NULL || all->sum == NULL)
        return ffebmi_fail_memory(context, "the parameters of a user block");
    all->version++; /* zeros are values, too */
    return FFEBM_OK;
}

void ffebmi_user_parameters_release(ffebm_context *context, ffebmi_user_parameters *all)
{
    ffebmi_release(context, all->values);
    ffebmi_release(context, all->gradient);
    ffebmi_release(context, all->sum);
    all->values = all->gradient = all->sum = NULL;
}

/* The values are compared, not a counter of the model's: the host may write into its parameters at any time. */
void ffebmi_user_parameters_refresh(ffebmi_user_parameters *all, size_t element, const void *const *parameters)
{
    double *to = all->values;
    bool changed = false;

    for (size_t p = 0; p < all->count; p++)
        for (size_t i = 0; i < all->list[p].shape.count; i++, to++) {
            double value = ffebmi_number_at(element, parameters[p], i);

            changed = changed || *to != value;
            *to = value;
        }
    all->version += changed;
}

void ffebmi_user_parameters_clear_sum(const ffebmi_user_parameters *all)
{
    memset(all->sum, 0, all->element_count * sizeof *all->sum);
}

void ffebmi_user_parameters_add_up(const ffebmi_user_parameters *all)
{
    for (size_t i = 0; i < all->element_count; i++)
        all->sum[i] += all->gradient[i];
}

void ffebmi_user_parameters_clear(const ffebmi_user_parameters *all, size_t element, void *const *gradients)
{
    for (size_t p = 0; p < all->count; p++)
        memset(gradients[p], 0, all->list[p].shape.count * element);
}

void ffebmi_user_parameters_add_sum(const ffebmi_user_parameters *all, size_t element, void *const *gradients)
{
    const double *from = all->sum;

    for (size_t p = 0; p < all->count; p++)
        for (size_t i = 0; i < all->list[p].shape.count; i++, from++) {
            if (element == sizeof(float))
                ((float *)gradients[p])[i] += (float)*from;
            else
                ((double *)gradients[p])[i] += *from;
        }
}

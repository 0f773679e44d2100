/* The parameters of a block of the user's: which there are, and their values as the block sees them. */
#ifndef FFEBMI_TENSOR_USER_PARAMETERS_H
#define FFEBMI_TENSOR_USER_PARAMETERS_H

#include "tensor/parameter.h"

enum { FFEBMI_USER_NAME = 24 };

typedef struct ffebmi_user_parameters {
    size_t count;
    ffebmi_parameter list[FFEBM_USER_PARAMETERS_MAX];
    ffebmi_learnable learnables[FFEBM_USER_PARAMETERS_MAX];
    char names[FFEBM_USER_PARAMETERS_MAX][FFEBMI_USER_NAME];
    size_t positions[FFEBM_USER_PARAMETERS_MAX]; /* in front of the names */
    size_t element_count;
    double *values;   /* all of them, as last handed over; these two from allocate on */
    double *gradient; /* what one call of a slot has written, */
    double *sum;      /* and what several have */
    uint64_t version; /* of values, from allocate on */
} ffebmi_user_parameters;

/* A name of letters, digits and _ that fits in FFEBMI_USER_NAME, or FFEBM_ERR_ARGUMENT. */
ffebm_status ffebmi_user_name(ffebm_context *context, char to[FFEBMI_USER_NAME], const char *what, const char *name);

/* `positions` is what a parameter's position is below: how many there are. */
ffebm_status ffebmi_user_parameters_add(ffebm_context *context, ffebmi_user_parameters *all, const char *what,
                                        int32_t positions, const ffebm_user_parameter *parameter);
ffebm_status ffebmi_user_parameters_allocate(ffebm_context *context, ffebmi_user_parameters *all);
void ffebmi_user_parameters_release(ffebm_context *context, ffebmi_user_parameters *all);

/* Take over the model's values; where they are others than before, so is the version. */
void ffebmi_user_parameters_refresh(ffebmi_user_parameters *all, size_t element, const void *const *parameters);

/* `sum` = 0; `sum` += `gradient`; the model's gradients = 0; and the model's gradients += `sum`. */
void ffebmi_user_parameters_clear_sum(const ffebmi_user_parameters *all);
void ffebmi_user_parameters_add_up(const ffebmi_user_parameters *all);
void ffebmi_user_parameters_clear(const ffebmi_user_parameters *all, size_t element, void *const *gradients);
void ffebmi_user_parameters_add_sum(const ffebmi_user_parameters *all, size_t element, void *const *gradients);

#endif

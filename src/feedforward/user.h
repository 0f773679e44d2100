/* A feedforward block of the user's: one op behind which is a table of functions. */
#ifndef FFEBMI_FEEDFORWARD_USER_H
#define FFEBMI_FEEDFORWARD_USER_H

#include "feedforward/feedforward.h"
#include "tensor/user_parameters.h"
#include "tensor/user_slots.h"

typedef struct ffebmi_user_op {
    ffebm_user_feedforward table;
    char name[FFEBMI_USER_NAME];
    char what[64]; /* "stage 3 (name)" for error texts; set by fit */
    ffebmi_shape input;
    ffebmi_shape output;
    ffebmi_user_parameters parameters;
} ffebmi_user_op;

#endif

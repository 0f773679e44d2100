/* A feedforward block: a row of ops. */
#ifndef FFEBMI_FEEDFORWARD_FEEDFORWARD_H
#define FFEBMI_FEEDFORWARD_FEEDFORWARD_H

#include "feedforward/op.h"

struct ffebm_feedforward {
    ffebm_context *context;
    bool user; /* its one op is the user's */
    size_t op_count;
    size_t op_capacity;
    ffebmi_op *ops;
    ffebmi_shape input; /* of a sample; set by fit */
    ffebmi_shape output;
};

/* Infer all shapes and parameters from a sample's shape. `what` ("stage 2") begins the error text. */
ffebm_status ffebmi_feedforward_fit(ffebm_feedforward *block, const ffebmi_shape *input, const char *what);

#endif

/* A feedforward block: a row of ops. */
#ifndef FFEBMI_FEEDFORWARD_FEEDFORWARD_H
#define FFEBMI_FEEDFORWARD_FEEDFORWARD_H

#include "feedforward/op.h"
#include "json/json.h"

struct ffebm_feedforward {
    ffebm_context *context;
    bool user; /* its one op is the user's */
    size_t op_count;
    size_t op_capacity;
    ffebmi_op *ops;
    ffebmi_shape input; /* of a sample; set by fit */
    ffebmi_shape output;
};

/* Add the ops of a JSON array; `where` ("stage 2") begins the error text. */
ffebm_status ffebmi_feedforward_parse(ffebm_feedforward *block, const cJSON *ops, const char *where);

/* Returns the array that parse would read, the caller's to delete; NULL without memory. An op of the user's is named. `common`
 * is as in ffebmi_learnable_drawn. */
cJSON *ffebmi_feedforward_describe(const ffebm_feedforward *block, const ffebm_initialization *common);

/* Infer all shapes and parameters from a sample's shape. `what` ("stage 2") begins the error text. */
ffebm_status ffebmi_feedforward_fit(ffebm_feedforward *block, const ffebmi_shape *input, const char *what);

#endif

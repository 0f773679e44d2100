/* Which tensors a checkpoint of a model, and an optimizer, holds: every parameter and buffer under its name, then for
 * each of the optimizer's moments every parameter as "optimizer.<moment>.<name>". */
#ifndef FFEBMI_IO_CONTENTS_H
#define FFEBMI_IO_CONTENTS_H

#include "model/model.h"
#include "optimizer/optimizer.h"

typedef struct ffebmi_contents {
    ffebm_model *model;
    const ffebm_optimizer *optimizer; /* NULL: none */
    size_t array_count;               /* the parameters with the buffers, then each moment */
    size_t count;                     /* tensors */
} ffebmi_contents;

typedef struct ffebmi_content {
    char name[FFEBMI_NAME + 48];
    const ffebmi_shape *shape;
    size_t array;
    size_t offset; /* of its first element in that array */
} ffebmi_content;

/* FFEBM_ERR_ARGUMENT if the optimizer is of another model. */
ffebm_status ffebmi_contents_of(ffebmi_contents *contents, ffebm_model *model, const ffebm_optimizer *optimizer);

/* Describe the tensor `index`, below count. */
void ffebmi_contents_inspect(const ffebmi_contents *contents, ffebmi_content *content, size_t index);

/* How many numbers an array has, and how many those before it have. */
size_t ffebmi_contents_elements(const ffebmi_contents *contents, size_t array);
size_t ffebmi_contents_start(const ffebmi_contents *contents, size_t array);

/* The numbers of the array `array`; of a building model NULL. */
void *ffebmi_contents_array(const ffebmi_contents *contents, size_t array);

#endif

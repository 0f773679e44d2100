/* The "initialization" of a model description, read and written. */
#ifndef FFEBMI_MODEL_INITIALIZATION_H
#define FFEBMI_MODEL_INITIALIZATION_H

#include <ffebm/block.h>

#include "model/fields.h"
#include "model/model.h"

/* How the parameters of an op or coupling are drawn: by its own initialisation, the model's, or that of its place. */
const ffebm_initialization *ffebmi_initialization_of(const ffebm_model *model, const ffebmi_learnable *learnable);

/* Read the key "initialization" of `parent`, which must be there. */
ffebm_status ffebmi_initialization_parse(const ffebmi_fields *parent, ffebm_initialization *initialization);

/* Returns a JSON object, the caller's to delete; NULL without memory. */
cJSON *ffebmi_initialization_describe(const ffebm_initialization *initialization);

#endif

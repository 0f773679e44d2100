/* The "initialization" of a model description, read and written. */
#ifndef FFEBMI_MODEL_INITIALIZATION_H
#define FFEBMI_MODEL_INITIALIZATION_H

#include <ffebm/feedforward.h>

#include "model/fields.h"

/* Read the key "initialization" of `parent`, which must be there. */
ffebm_status ffebmi_initialization_parse(const ffebmi_fields *parent, ffebm_initialization *initialization);

/* Returns a JSON object, the caller's to delete; NULL without memory. */
cJSON *ffebmi_initialization_describe(const ffebm_initialization *initialization);

#endif

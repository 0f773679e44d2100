/* The recipe of a model description: one table for its keys, read and written. */
#ifndef FFEBMI_MODEL_RECIPE_H
#define FFEBMI_MODEL_RECIPE_H

#include "model/fields.h"
#include "model/model.h"

ffebm_status ffebmi_recipe_parse(ffebm_context *context, ffebm_recipe *recipe, const cJSON *json);

/* Returns a JSON object, the caller's to delete; NULL without memory. */
cJSON *ffebmi_recipe_describe(const ffebm_recipe *recipe);

#endif

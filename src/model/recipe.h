/* How a model wants to be trained: the "recipe" of its description is one object of two configurations, the recipe itself and
 * how blocks settle. */
#ifndef FFEBMI_MODEL_RECIPE_H
#define FFEBMI_MODEL_RECIPE_H

#include "model/model.h"
#include "json/settings.h"

extern const ffebmi_settings ffebmi_recipe_settings;

/* Read the object over the model's recipe and equilibrium. */
ffebm_status ffebmi_recipe_parse(ffebm_model *model, const cJSON *json);

/* Returns the object, the caller's to delete; NULL without memory. */
cJSON *ffebmi_recipe_describe(const ffebm_model *model);

#endif

/* How a model wants to be trained: the "recipe" of its description is one object of two configurations, the recipe itself and
 * how blocks settle. */
#ifndef FFEBMI_MODEL_RECIPE_H
#define FFEBMI_MODEL_RECIPE_H

#include "core/setting.h"
#include "model/model.h"

extern const ffebmi_settings ffebmi_recipe_settings;

#endif

/* Feedforward blocks in a model description: arrays of ops. */
#ifndef FFEBMI_FEEDFORWARD_DESCRIPTION_H
#define FFEBMI_FEEDFORWARD_DESCRIPTION_H

#include "feedforward/feedforward.h"
#include "json/json.h"

/* Add the ops of a JSON array; `where` ("stage 2") begins the error text. */
ffebm_status ffebmi_feedforward_parse(ffebm_feedforward *block, const cJSON *ops, const char *where);

/* Returns the array that parse would read, the caller's to delete; NULL without memory. An op of the user's is named. `common`
 * is as in ffebmi_learnable_drawn. */
cJSON *ffebmi_feedforward_describe(const ffebm_feedforward *block, const ffebm_initialization *common);

#endif

/* Build a tree of JSON. That can only fail for want of memory: a NULL or false then travels up, and nothing is left behind. */
#ifndef FFEBMI_JSON_GIVE_H
#define FFEBMI_JSON_GIVE_H

#include <stdbool.h>

#include "json/json.h"

/* Give `item` to an object under `key`, or to an array (key NULL); false, and the item is gone, if that or making it (NULL)
 * failed. */
bool ffebmi_give(cJSON *to, const char *key, cJSON *item);

/* Returns `item` if all went well with it; else NULL, and it is gone. */
cJSON *ffebmi_keep_if(cJSON *item, bool good);

#endif

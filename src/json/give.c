#include "json/give.h"

bool ffebmi_give(cJSON *to, const char *key, cJSON *item)
{
    if (item == NULL)
        return false;
    if (key != NULL ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item))
        return true;
    cJSON_Delete(item);
    return false;
}

cJSON *ffebmi_keep_if(cJSON *item, bool good)
{
    if (good)
        return item;
    cJSON_Delete(item);
    return NULL;
}

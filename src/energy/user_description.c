/* A block of the user's in a model description: its name, which says what it was; a description cannot bring it. */
#include "energy/description.h"
#include "energy/user.h"
#include "json/give.h"

static bool describe(const ffebm_energy *block, const ffebm_initialization *common, cJSON *to)
{
    (void)common;
    return ffebmi_give(to, "name", cJSON_CreateString(((const ffebmi_user_energy *)block)->name));
}

const ffebmi_energy_description ffebmi_user_description = {.kind = &ffebmi_energy_user, .describe = describe};

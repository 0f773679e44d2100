/* What descriptions know of kinds. Alone in its file, as the list of kinds is. */
#include "energy/description.h"

const ffebmi_energy_description *const *ffebmi_energy_descriptions(void)
{
    static const ffebmi_energy_description *const list[] = {&ffebmi_hopfield_description, &ffebmi_resistive_description,
                                                            &ffebmi_user_description, NULL};

    return list;
}

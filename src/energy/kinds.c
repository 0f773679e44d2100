/* The kinds of energy blocks. Alone in its file, so that a program may put a longer list in its place. */
#include "energy/hopfield.h"
#include "energy/resistive.h"
#include "energy/user.h"

const ffebmi_energy_kind *const *ffebmi_energy_kinds(void)
{
    static const ffebmi_energy_kind *const list[] = {&ffebmi_energy_hopfield, &ffebmi_energy_resistive,
                                                     &ffebmi_energy_user, NULL};

    return list;
}

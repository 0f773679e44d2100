/* How many products couplings are made of: what a ledger counts. */
#include "energy/coupling.h"

void ffebmi_coupling_add_products(const ffebmi_coupling *coupling, bool entry, ffebmi_energy_products *to)
{
    size_t places = coupling->convolved.count / (size_t)coupling->out;
    double macs = (double)coupling->parameters[0].shape.count * (double)places;

    to->macs += macs;
    to->entry += entry ? macs : 0;
    to->places = places > to->places ? places : to->places;
}

/* The deep Hopfield network: layers of units, each coupled to the next. */
#ifndef FFEBMI_ENERGY_HOPFIELD_H
#define FFEBMI_ENERGY_HOPFIELD_H

#include "energy/coupling.h"

typedef struct ffebmi_hopfield {
    ffebm_energy base; /* first, so that a pointer to one is a pointer to the other */
    double slope;
    int32_t activation;
    bool clamp_last;
    size_t coupling_count;
    size_t coupling_capacity;
    ffebmi_coupling *couplings; /* i between layers i and i + 1 */
} ffebmi_hopfield;

extern const ffebmi_energy_kind ffebmi_energy_hopfield;

/* The block as a Hopfield network, or NULL if it is something else. */
const ffebmi_hopfield *ffebmi_hopfield_of(const ffebm_energy *block);

#endif

/* What of a Hopfield network is laid out before it settles: the plans of its couplings, once for an engine, and their packed
 * weights, once a phase. Slots of its kind (energy/energy.h). */
#ifndef FFEBMI_ENERGY_HOPFIELD_PLAN_H
#define FFEBMI_ENERGY_HOPFIELD_PLAN_H

#include "energy/hopfield.h"

typedef struct ffebmi_hopfield_plan {
    size_t element;
    ffebmi_coupling_plan couplings[]; /* [coupling] */
} ffebmi_hopfield_plan;

void *ffebmi_hopfield_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena);

/* The packed parameters are an ffebmi_packed for each coupling; `full` is NULL where a weight is used as it is. */
void *ffebmi_hopfield_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena);
void ffebmi_hopfield_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                          const void *const *parameters, void *packed);
void ffebmi_hopfield_lay_out_int16(const ffebm_energy *block, const void *plan, void *packed, ffebmi_arena *arena);
void ffebmi_hopfield_pack_int16(const ffebm_energy *block, const void *plan, void *packed);

/* Those of one coupling, of all in the order of couplings. */
const void *const *ffebmi_hopfield_parameters(const ffebmi_hopfield *h, const void *const *parameters, size_t coupling);

#endif

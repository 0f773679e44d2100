/* An energy block of the user's: a table of functions, behind which may be a simulator or a device. It has two layers,
 * its state and the output that is read from it. */
#ifndef FFEBMI_ENERGY_USER_H
#define FFEBMI_ENERGY_USER_H

#include "energy/batches.h"
#include "tensor/user_parameters.h"

typedef struct ffebmi_user_energy {
    ffebm_energy base;       /* first, so that a pointer to one is a pointer to the other */
    ffebm_user_energy table; /* its name and shapes point into this struct */
    char name[FFEBMI_USER_NAME];
    char what[64]; /* "stage 3 (name)" for error texts; set by fit */
    ffebmi_shape input;
    ffebmi_shape output;
    ffebmi_user_parameters parameters;
} ffebmi_user_energy;

extern const ffebmi_energy_kind ffebmi_energy_user;

/* Slots of the kind and its batch rules, over the table. */
extern const ffebmi_batch_rules ffebmi_user_rules;
void *ffebmi_user_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                               ffebmi_arena *arena);
ffebm_status ffebmi_user_initialize(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                                    ffebmi_failure *failure);

/* The block as a user's, or NULL if it is something else. */
const ffebmi_user_energy *ffebmi_user_energy_of(const ffebm_energy *block);

#endif

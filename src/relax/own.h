/* Phases of blocks that settle by their own means: slices of the batch instead of shards, calls instead of sweeps. */
#ifndef FFEBMI_RELAX_OWN_H
#define FFEBMI_RELAX_OWN_H

#include "relax/relax.h"

/* How many samples are settled at once. */
size_t ffebmi_relax_own_rows(const ffebm_energy *block, size_t max_batch);

/* The phase; the tallies are left in the works. FFEBM_ERR_USER and _NUMERIC with the block's text. */
ffebm_status ffebmi_relax_own(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works);

#endif

/* Ranks: processes, or contexts of one, that compute a call together, and add up over each other by the context's reduce.
 * Without one there is one rank, and nothing here does anything.
 *
 * Ranks meet where they add up. A rank that fails leaves its call by ffebmi_ranks_close, which meets too: there, or at
 * whatever sum they have come to, the others learn of it and leave, with FFEBM_ERR_RANK. So every call over ranks ends in
 * ffebmi_ranks_close, and what fails on all ranks alike needs no more care than anything else.
 */
#ifndef FFEBMI_CORE_RANKS_H
#define FFEBMI_CORE_RANKS_H

#include "core/context.h"

/* Is there a reduce? Without context, as on worker threads, no ranks meet. */
bool ffebmi_ranks_are_many(const ffebm_context *context);

/* So many numbers fit into a meeting. */
enum { FFEBMI_RANKS_NUMBERS = 7 };

/* Meet, and add up a few numbers. FFEBM_ERR_RANK if another rank, or the context's reduce, has failed. */
ffebm_status ffebmi_ranks_meet(ffebm_context *context, double *numbers, size_t count);

/* Meet, and add up values of a type, FFEBM_FLOAT32 or FFEBM_FLOAT64. Fails as above. */
ffebm_status ffebmi_ranks_sum(ffebm_context *context, void *values, size_t count, int32_t dtype);

/* Meet for the last time in a call, with what it came to on this rank; add up a few numbers if it went well on all. Returns
 * the status, or FFEBM_ERR_RANK as above. */
ffebm_status ffebmi_ranks_close(ffebm_context *context, ffebm_status status, double *numbers, size_t count);

#endif

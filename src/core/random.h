/* Counter-based random numbers. */
#ifndef FFEBMI_CORE_RANDOM_H
#define FFEBMI_CORE_RANDOM_H

#include <ffebm/core.h>

#include "core/strict.h"

/* Four random words for a key and a 128-bit counter. */
void ffebmi_philox(uint32_t out[4], uint64_t key, uint64_t counter_low, uint64_t counter_high);

/* The seed of the `stream`-th of a family of independent streams. */
uint64_t ffebmi_random_stream(uint64_t seed, uint64_t stream);

#endif

/* Orders of updating: a sweep is a sequence of half-sweeps, each a set of layers first, first + step, .. */
#ifndef FFEBMI_RELAX_ORDER_H
#define FFEBMI_RELAX_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strict.h"

typedef struct ffebmi_half_sweep {
    size_t first;
    size_t step;
} ffebmi_half_sweep;

/* How many half-sweeps make a sweep over `layers` layers, and which is the i-th. */
size_t ffebmi_order_count(int32_t order, size_t layers);
ffebmi_half_sweep ffebmi_order_half_sweep(int32_t order, size_t layers, size_t i);

/* Does the half-sweep update the last layer? */
bool ffebmi_half_sweep_has_last(ffebmi_half_sweep half, size_t layers);

#endif

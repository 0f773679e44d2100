/* Orders of updating: a sweep updates groups of layers one after the other, those of a group together. */
#ifndef FFEBMI_RELAX_ORDER_H
#define FFEBMI_RELAX_ORDER_H

#include <stdint.h>

#include "core/arena.h"
#include "energy/graph.h"

/* Laid out once for a block, and filled for a phase. */
typedef struct ffebmi_groups {
    size_t count;
    size_t *first;   /* [group], and one behind the last */
    size_t *layers;  /* of group g: first[g] .. first[g + 1] - 1, from below */
    size_t *reached; /* [layer]: after so many groups, while sweeps are counted */
} ffebmi_groups;

/* NULL while measuring. */
ffebmi_groups *ffebmi_groups_lay_out(ffebmi_arena *arena, size_t layers);

/* The groups of an order, FFEBM_ORDER_, or the same ones backwards. */
void ffebmi_groups_fill(ffebmi_groups *groups, const ffebmi_graph *graph, int32_t order, bool backwards);

/* How many sweeps it takes a force on the last layer to reach all others. */
int64_t ffebmi_groups_reach(const ffebmi_groups *groups, const ffebmi_graph *graph);

#endif

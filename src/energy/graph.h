/* Which layers of an energy block are coupled: made once, when its shapes are inferred. */
#ifndef FFEBMI_ENERGY_GRAPH_H
#define FFEBMI_ENERGY_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include <ffebm/core.h>

#include "core/strict.h"

/* A coupling, of layers from < to. */
typedef struct ffebmi_edge {
    size_t from;
    size_t to;
} ffebmi_edge;

/* A coupling as one of its two layers sees it. */
typedef struct ffebmi_link {
    size_t coupling;
    size_t layer; /* at the other end */
    bool from_below;
} ffebmi_link;

typedef struct ffebmi_graph {
    size_t layer_count;
    size_t coupling_count;
    ffebmi_edge *couplings; /* [coupling] */
    ffebmi_link *links; /* of layer l: first[l] .. first[l + 1] - 1; those from below, then those to above, each in the
                               order of couplings */
    size_t *first;      /* [layer], and one behind the last */
    size_t *color; /* [layer]: coupled layers differ. Layer by layer the first that is free: in a chain 0, 1, 0, .. */
} ffebmi_graph;

/* Take memory, in the place of what the graph had; then write `couplings`, then connect. */
ffebm_status ffebmi_graph_allocate(ffebm_context *context, ffebmi_graph *graph, size_t layers, size_t couplings);
void ffebmi_graph_connect(ffebmi_graph *graph);

/* The graph in which each layer is coupled with the next. */
ffebm_status ffebmi_graph_chain(ffebm_context *context, ffebmi_graph *graph, size_t layers);

void ffebmi_graph_release(ffebm_context *context, ffebmi_graph *graph);

#endif

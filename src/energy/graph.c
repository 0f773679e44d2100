#include "energy/graph.h"

#include "core/context.h"

void ffebmi_graph_release(ffebm_context *context, ffebmi_graph *graph)
{
    ffebmi_release(context, graph->couplings);
    ffebmi_release(context, graph->links);
    ffebmi_release(context, graph->first);
    ffebmi_release(context, graph->color);
    *graph = (ffebmi_graph){0};
}

ffebm_status ffebmi_graph_allocate(ffebm_context *context, ffebmi_graph *graph, size_t layers, size_t couplings)
{
    ffebmi_graph_release(context, graph);
    *graph = (ffebmi_graph){.layer_count = layers,
                            .coupling_count = couplings,
                            .couplings = ffebmi_allocate(context, couplings, sizeof *graph->couplings),
                            .links = ffebmi_allocate(context, couplings, 2 * sizeof *graph->links),
                            .first = ffebmi_allocate(context, layers + 1, sizeof *graph->first),
                            .color = ffebmi_allocate(context, layers, sizeof *graph->color)};
    if (graph->couplings != NULL && graph->links != NULL && graph->first != NULL && graph->color != NULL)
        return FFEBM_OK;
    ffebmi_graph_release(context, graph);
    return ffebmi_fail_memory(context, "the graph of an energy block");
}

/* Count each layer's links into the place behind it, and sum: first[l] is then where those of layer l begin. */
static void count_links(ffebmi_graph *graph)
{
    for (size_t c = 0; c < graph->coupling_count; c++) {
        graph->first[graph->couplings[c].from + 1]++;
        graph->first[graph->couplings[c].to + 1]++;
    }
    for (size_t l = 0; l < graph->layer_count; l++)
        graph->first[l + 1] += graph->first[l];
}

/* While links are written, color[l] counts those that layer l has. */
static void add_link(ffebmi_graph *graph, size_t layer, ffebmi_link link)
{
    graph->links[graph->first[layer] + graph->color[layer]++] = link;
}

static void write_links(ffebmi_graph *graph)
{
    for (size_t c = 0; c < graph->coupling_count; c++)
        add_link(graph, graph->couplings[c].to, (ffebmi_link){c, graph->couplings[c].from, true});
    for (size_t c = 0; c < graph->coupling_count; c++)
        add_link(graph, graph->couplings[c].from, (ffebmi_link){c, graph->couplings[c].to, false});
}

/* Has a coupling from below this colour at its other end? */
static bool is_taken(const ffebmi_graph *graph, size_t layer, size_t color)
{
    for (size_t i = graph->first[layer]; i < graph->first[layer + 1] && graph->links[i].from_below; i++)
        if (graph->color[graph->links[i].layer] == color)
            return true;
    return false;
}

static void choose_color(ffebmi_graph *graph, size_t layer)
{
    graph->color[layer] = 0;
    while (is_taken(graph, layer, graph->color[layer]))
        graph->color[layer]++;
}

void ffebmi_graph_connect(ffebmi_graph *graph)
{
    count_links(graph);
    write_links(graph);
    for (size_t l = 0; l < graph->layer_count; l++)
        choose_color(graph, l);
}

ffebm_status ffebmi_graph_chain(ffebm_context *context, ffebmi_graph *graph, size_t layers)
{
    FFEBMI_TRY(ffebmi_graph_allocate(context, graph, layers, layers - 1));
    for (size_t c = 0; c + 1 < layers; c++)
        graph->couplings[c] = (ffebmi_edge){c, c + 1};
    ffebmi_graph_connect(graph);
    return FFEBM_OK;
}

#include "relax/order.h"

#include <string.h>

#include <ffebm/equilibrium.h>

/* ----------------------------------------------------------------------------------------------------------- orders */

static size_t even_odd(const ffebmi_graph *graph, size_t layer)
{
    (void)graph;
    return layer % 2;
}

static size_t odd_even(const ffebmi_graph *graph, size_t layer)
{
    (void)graph;
    return 1 - layer % 2;
}

static size_t synchronous(const ffebmi_graph *graph, size_t layer)
{
    (void)graph;
    (void)layer;
    return 0;
}

static size_t forward(const ffebmi_graph *graph, size_t layer)
{
    (void)graph;
    return layer;
}

static size_t backward(const ffebmi_graph *graph, size_t layer)
{
    return graph->layer_count - 1 - layer;
}

static size_t colors(const ffebmi_graph *graph, size_t layer)
{
    return graph->color[layer];
}

/* In which group a layer is: below the number of layers, or 2. Groups that no layer is in are left out. */
static size_t (*const orders[])(const ffebmi_graph *graph, size_t layer) = {
    [FFEBM_ORDER_EVEN_ODD] = even_odd, [FFEBM_ORDER_ODD_EVEN] = odd_even, [FFEBM_ORDER_SYNCHRONOUS] = synchronous,
    [FFEBM_ORDER_FORWARD] = forward,   [FFEBM_ORDER_BACKWARD] = backward, [FFEBM_ORDER_COLORS] = colors};

/* ----------------------------------------------------------------------------------------------------------- groups */

ffebmi_groups *ffebmi_groups_lay_out(ffebmi_arena *arena, size_t layers)
{
    ffebmi_groups *groups = ffebmi_carve(arena, 1, sizeof *groups), placed = {0};

    placed.first = ffebmi_carve(arena, layers + 3, sizeof *placed.first);
    placed.layers = ffebmi_carve(arena, layers, sizeof *placed.layers);
    placed.reached = ffebmi_carve(arena, layers, sizeof *placed.reached);
    if (groups != NULL)
        *groups = placed;
    return groups;
}

static size_t group_of(const ffebmi_graph *graph, int32_t order, bool backwards, size_t most, size_t layer)
{
    size_t group = orders[order](graph, layer);

    return backwards ? most - group : group;
}

void ffebmi_groups_fill(ffebmi_groups *groups, const ffebmi_graph *graph, int32_t order, bool backwards)
{
    size_t layers = graph->layer_count, most = 0, *first = groups->first;

    memset(first, 0, (layers + 3) * sizeof *first);
    for (size_t l = 0; l < layers; l++)
        if (orders[order](graph, l) > most)
            most = orders[order](graph, l);
    /* Those of group g are counted two places on; summed up, that is one place behind where they begin. */
    for (size_t l = 0; l < layers; l++)
        first[group_of(graph, order, backwards, most, l) + 2]++;
    for (size_t g = 0; g <= most; g++)
        first[g + 2] += first[g + 1];
    for (size_t l = 0; l < layers; l++)
        groups->layers[first[group_of(graph, order, backwards, most, l) + 1]++] = l;
    groups->count = 0;
    for (size_t g = 0; g <= most; g++)
        if (first[g + 1] > first[groups->count])
            first[++groups->count] = first[g + 1];
}

/* Is a layer reached that this one feels, by the steps before? */
static bool is_driven(const ffebmi_groups *groups, const ffebmi_graph *graph, size_t layer, size_t step)
{
    for (size_t i = graph->first[layer]; i < graph->first[layer + 1]; i++)
        if (groups->reached[graph->links[i].layer] < step)
            return true;
    return layer + 1 == graph->layer_count;
}

int64_t ffebmi_groups_reach(const ffebmi_groups *groups, const ffebmi_graph *graph)
{
    size_t left = graph->layer_count, step = 0;
    int64_t sweeps = 0;

    for (size_t l = 0; l < graph->layer_count; l++)
        groups->reached[l] = SIZE_MAX;
    for (; left > 0; sweeps++)
        for (size_t g = 0; g < groups->count; g++, step++)
            for (size_t i = groups->first[g]; i < groups->first[g + 1]; i++) {
                size_t *reached = &groups->reached[groups->layers[i]];

                if (*reached == SIZE_MAX && is_driven(groups, graph, groups->layers[i], step)) {
                    *reached = step;
                    left--;
                }
            }
    return sweeps;
}

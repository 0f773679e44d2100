#include "energy/hopfield.h"

#include <string.h>

static const ffebmi_hopfield *hopfield(const ffebm_energy *block)
{
    return (const ffebmi_hopfield *)block;
}

/* ----------------------------------------------------------------------------------------------------------- memory */

static void **lay_out_layers(const ffebm_energy *block, size_t element, size_t rows, ffebmi_arena *arena)
{
    void **layers = ffebmi_carve(arena, block->layer_count, sizeof *layers);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, rows, block->layers[l].count * element);

        if (layers != NULL)
            layers[l] = memory;
    }
    return layers;
}

/* Is it the first coupling into its layer? That one is passed up in place. */
static bool is_first(const ffebmi_graph *graph, size_t c)
{
    return graph->links[graph->first[graph->couplings[c].to]].coupling == c;
}

static size_t units_aside(const ffebmi_hopfield *h)
{
    const ffebmi_graph *graph = &h->base.graph;
    size_t most = 0;

    for (size_t c = 0; c < h->coupling_count; c++) {
        size_t units = h->couplings[c].above.count;

        if ((h->couplings[c].switch_count > 0 || !is_first(graph, c)) && units > most)
            most = units;
    }
    return most;
}

void *ffebmi_hopfield_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                                   size_t rows, ffebmi_arena *arena)
{
    const ffebmi_hopfield *h = hopfield(block);
    const ffebmi_hopfield_plan *p = plan;
    ffebmi_hopfield_work *w = ffebmi_carve(arena, 1, sizeof *w), placed;
    size_t scratch = 0;

    placed.z = lay_out_layers(block, arrays->element, rows, arena);
    placed.base = lay_out_layers(block, arrays->element, rows, arena);
    placed.aside = ffebmi_carve(arena, rows, units_aside(h) * arrays->element);
    placed.switches = ffebmi_carve(arena, h->coupling_count, sizeof *placed.switches);
    placed.current = ffebmi_carve(arena, h->coupling_count, sizeof *placed.current);
    for (size_t c = 0; c < h->coupling_count; c++) {
        uint8_t *switches = ffebmi_carve(arena, rows, h->couplings[c].switch_count);

        if (w != NULL)
            placed.switches[c] = switches;
        if (p->couplings[c].scratch > scratch)
            scratch = p->couplings[c].scratch;
    }
    placed.scratch = ffebmi_carve(arena, scratch, arrays->element);
    if (w != NULL)
        *w = placed;
    return w;
}

/* ----------------------------------------------------------------------------------------------------------- passes */

static ffebmi_coupling_call call_of(const ffebmi_settling *s, size_t coupling)
{
    const ffebmi_hopfield_work *w = s->work;
    const void *const *parameters = ffebmi_hopfield_parameters(hopfield(s->block), s->parameters, coupling);
    ffebmi_packed packed = ((const ffebmi_packed *)s->packed)[coupling];
    ffebmi_coupling_call call = {
        .plan = &((const ffebmi_hopfield_plan *)s->plan)->couplings[coupling],
        .parameters = parameters,
        .packed = {.full = packed.full != NULL ? packed.full : parameters[0], .int16 = s->int16 ? packed.int16 : NULL},
        .rows = s->rows,
        .switches = w->switches[coupling],
        .held = s->hold_switches,
        .displacement = s->form != FFEBMI_WHOLE,
        .scratch = w->scratch};

    return call;
}

/* z = what coupling c sends up to the layer above it. */
static void pass_up(const ffebmi_settling *s, size_t c, void *z)
{
    const ffebmi_coupling *coupling = &hopfield(s->block)->couplings[c];
    ffebmi_coupling_call call = call_of(s, c);

    coupling->kind->up(coupling, &call, s->state[s->block->graph.couplings[c].from], z);
    ((ffebmi_hopfield_work *)s->work)->current[c] = true;
}

/* z += it */
static void add_up(const ffebmi_settling *s, size_t c, void *z)
{
    void *aside = ((const ffebmi_hopfield_work *)s->work)->aside;

    pass_up(s, c, aside);
    s->arrays->add(s->rows * hopfield(s->block)->couplings[c].above.count, aside, z);
}

/* z = what coupling c sends down to the layer below it, unpooled to where that layer's present state switches; if that
 * has moved since the last pass up, it is passed up for the switches alone. */
static void pass_down(const ffebmi_settling *s, size_t c, bool accumulate, void *z)
{
    const ffebmi_coupling *coupling = &hopfield(s->block)->couplings[c];
    const ffebmi_hopfield_work *w = s->work;
    ffebmi_coupling_call call = call_of(s, c);

    if (coupling->switch_count > 0 && !call.held && !w->current[c])
        pass_up(s, c, w->aside);
    call.packed = ffebmi_hopfield_packed_down(hopfield(s->block), s->packed, c, call.packed);
    coupling->kind->down(coupling, &call, accumulate, s->state[s->block->graph.couplings[c].to], z);
}

bool ffebmi_hopfield_drive_up(const ffebmi_settling *s, size_t layer, void *z)
{
    const ffebmi_graph *graph = &s->block->graph;
    size_t first = graph->first[layer], end = graph->first[layer + 1], i = first;

    for (; i < end && graph->links[i].from_below; i++)
        (i == first ? pass_up : add_up)(s, graph->links[i].coupling, z);
    return i > first;
}

void ffebmi_hopfield_drive(const ffebmi_settling *s, size_t layer, void *z)
{
    const ffebmi_graph *graph = &s->block->graph;
    bool accumulate = ffebmi_hopfield_drive_up(s, layer, z);

    for (size_t i = graph->first[layer]; i < graph->first[layer + 1]; i++)
        if (!graph->links[i].from_below) {
            pass_down(s, graph->links[i].coupling, accumulate, z);
            accumulate = true;
        }
    if (!accumulate)
        memset(z, 0, s->rows * s->block->layers[layer].count * s->arrays->element);
}

/* --------------------------------------------------------------------------------------------------------- switches */

void ffebmi_hopfield_moved(const ffebmi_settling *s, size_t layer)
{
    const ffebmi_graph *graph = &s->block->graph;

    for (size_t i = graph->first[layer]; i < graph->first[layer + 1]; i++)
        if (!graph->links[i].from_below)
            ((ffebmi_hopfield_work *)s->work)->current[graph->links[i].coupling] = false;
}

void ffebmi_hopfield_observe(ffebmi_settling *s, uint8_t *const *switches)
{
    const ffebmi_hopfield *h = hopfield(s->block);

    for (size_t c = 0; c < h->coupling_count; c++) {
        const ffebmi_coupling *coupling = &h->couplings[c];
        ffebmi_coupling_call call = call_of(s, c);

        call.switches = switches[c];
        if (coupling->switch_count > 0)
            coupling->kind->up(coupling, &call, s->state[h->base.graph.couplings[c].from],
                               ((const ffebmi_hopfield_work *)s->work)->aside);
    }
}

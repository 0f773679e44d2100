/* A Hopfield block gets its shapes: layers, parameters, the graph, and what its first values are drawn from. */
#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "energy/hopfield.h"

enum { WHAT = 96 };

/* So that blocks settle, and go on settling while they learn, clamped layers begin amid their bounds, from 0 to 1 / slope in
 * what they feel: that range is the unit here, its square root that of weights below a layer without bounds, which answers
 * with them squared. Chosen by measurement: docs/settings.md. */
static const struct {
    double gain;
    double power; /* of the range, in the gain */
    double bias;
} places[] = {
    [FFEBMI_BELOW_BLOCK] = {2, 1, 0.25},      [FFEBMI_IN_TAP] = {0.5, 1, 0},
    [FFEBMI_INSIDE] = {0.5, 1, 0.5},          [FFEBMI_TO_LAST] = {0.25, 0.5, 0},
    [FFEBMI_POOL_TO_LAST] = {0.25, 0.5, 0.5},
};

ffebm_initialization ffebmi_hopfield_first(ffebmi_hopfield_place place, double slope)
{
    return (ffebm_initialization){.size = sizeof(ffebm_initialization),
                                  .type = FFEBM_INITIALIZATION_UNIFORM,
                                  .gain = places[place].gain * pow(1 / slope, places[place].power),
                                  .constant_bias = 1,
                                  .bias = places[place].bias / slope};
}

static ffebmi_hopfield_place place_of(const ffebmi_hopfield *h, const ffebmi_coupling *coupling)
{
    if (h->config.clamp_last == 1 || coupling->layers.to + 1 < h->layer_count)
        return FFEBMI_INSIDE;
    return coupling->switch_count > 0 ? FFEBMI_POOL_TO_LAST : FFEBMI_TO_LAST;
}

static size_t links_of(const ffebmi_graph *graph, size_t layer, bool from_below)
{
    size_t count = 0;

    for (size_t i = graph->first[layer]; i < graph->first[layer + 1]; i++)
        count += graph->links[i].from_below == from_below;
    return count;
}

/* Couplings that meet in a layer share what it is to feel: the range of its bias, and the squares of the rest. */
static void set_first(ffebmi_hopfield *h, ffebmi_coupling *coupling)
{
    size_t into = links_of(&h->base.graph, coupling->layers.to, true);
    size_t out_of = links_of(&h->base.graph, coupling->layers.from, false);

    coupling->first = ffebmi_hopfield_first(place_of(h, coupling), h->config.slope);
    coupling->first.gain /= sqrt((double)(into > out_of ? into : out_of));
    coupling->first.bias /= (double)into;
    coupling->learnable.placed = &coupling->first;
}

static ffebm_status allocate_layers(ffebmi_hopfield *h)
{
    ffebm_energy *block = &h->base;
    ffebm_context *context = block->context;

    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->parameters);
    block->layer_count = h->layer_count;
    block->parameter_count = 0;
    block->layers = ffebmi_allocate(context, block->layer_count, sizeof *block->layers);
    block->parameters = ffebmi_allocate(context, 2 * h->coupling_count, sizeof *block->parameters);
    if (block->layers == NULL || block->parameters == NULL)
        return ffebmi_fail_memory(context, "the layers of an energy block");
    return ffebmi_graph_allocate(context, &block->graph, block->layer_count, h->coupling_count);
}

/* The layer that it makes, or the one that there is and that it has to fit. */
static ffebm_status fit_above(ffebm_energy *block, const ffebmi_coupling *coupling, const char *what)
{
    char texts[3][FFEBMI_SHAPE_TEXT];
    ffebmi_shape *above = &block->layers[coupling->layers.to];

    if (coupling->config.to == FFEBM_LAYER_NEW)
        *above = coupling->above;
    FFEBMI_CHECK(block->context, ffebmi_shape_equal(above, &coupling->above), FFEBM_ERR_SHAPE,
                 "%s: of layer %zu, %s, it makes %s, but layer %zu is %s", what, coupling->layers.from,
                 ffebmi_shape_text(texts[0], &coupling->below), ffebmi_shape_text(texts[1], &coupling->above),
                 coupling->layers.to, ffebmi_shape_text(texts[2], above));
    return FFEBM_OK;
}

static ffebm_status fit_coupling(ffebmi_hopfield *h, size_t i, const char *block_what)
{
    ffebm_energy *block = &h->base;
    ffebmi_coupling *coupling = &h->couplings[i];
    char what[WHAT];

    snprintf(what, sizeof what, "%s coupling %zu (%s)", block_what, i, coupling->kind->name);
    coupling->below = block->layers[coupling->layers.from];
    FFEBMI_TRY(coupling->kind->fit(coupling, block->context, what));
    FFEBMI_TRY(fit_above(block, coupling, what));
    block->graph.couplings[i] = coupling->layers;
    coupling->first_parameter = block->parameter_count;
    for (size_t p = 0; p < coupling->parameter_count; p++)
        block->parameters[block->parameter_count++] = (ffebmi_energy_parameter){.parameter = coupling->parameters[p],
                                                                                .learnable = &coupling->learnable,
                                                                                .position = i,
                                                                                .units = coupling->units[p],
                                                                                .grain = coupling->kind->grain};
    return FFEBM_OK;
}

ffebm_status ffebmi_hopfield_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    ffebmi_hopfield *h = (ffebmi_hopfield *)block;

    FFEBMI_TRY(allocate_layers(h));
    block->layers[0] = *input;
    for (size_t i = 0; i < h->coupling_count; i++)
        FFEBMI_TRY(fit_coupling(h, i, what));
    ffebmi_graph_connect(&block->graph);
    for (size_t i = 0; i < h->coupling_count; i++)
        set_first(h, &h->couplings[i]);
    return FFEBM_OK;
}

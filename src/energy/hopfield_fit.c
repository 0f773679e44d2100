/* A Hopfield block gets its shapes: layers, parameters, the graph, and what its first values are drawn from. */
#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "energy/hopfield.h"

enum { WHAT = 96 };

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

    ffebmi_hopfield_set_first_of(h, coupling);
    coupling->first.gain /= sqrt((double)(into > out_of ? into : out_of));
    coupling->first.bias /= (double)into;
}

static ffebm_status allocate_layers(ffebmi_hopfield *h)
{
    ffebm_energy *block = &h->base;
    ffebm_context *context = block->context;

    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->parameters);
    ffebmi_release(context, h->neurons);
    block->layer_count = h->layer_count;
    block->parameter_count = 0;
    block->layers = ffebmi_allocate(context, block->layer_count, sizeof *block->layers);
    block->parameters = ffebmi_allocate(context, 2 * h->coupling_count, sizeof *block->parameters);
    h->neurons = ffebmi_allocate(context, block->layer_count, sizeof *h->neurons);
    if (block->layers == NULL || block->parameters == NULL || h->neurons == NULL)
        return ffebmi_fail_memory(context, "the layers of an energy block");
    return ffebmi_graph_allocate(context, &block->graph, block->layer_count, h->coupling_count);
}

/* The activation that was asked for of a layer alone, NULL: none. */
static const ffebm_activation *own_activation(const ffebmi_hopfield *h, size_t layer)
{
    for (size_t i = 0; i < h->coupling_count; i++)
        if (h->couplings[i].config.to == FFEBM_LAYER_NEW && h->couplings[i].layers.to == layer)
            return h->couplings[i].config.activation;
    return h->config.layer0;
}

static ffebm_status set_neurons(ffebmi_hopfield *h, const char *what)
{
    static const ffebm_activation linear = {.size = sizeof linear, .slope = 1, .type = FFEBM_ACTIVATION_IDENTITY};
    size_t last = h->layer_count - 1;
    bool clamped = h->config.clamp_last == 1;

    FFEBMI_CHECK_ARGUMENT(h->base.context, clamped || own_activation(h, last) == NULL,
                          "%s: its last layer, %zu, has an activation of its own, expected clamp_last with it", what,
                          last);
    for (size_t l = 0; l <= last; l++) {
        const ffebm_activation *own = own_activation(h, l);

        h->neurons[l] = ffebmi_neurons_of(own != NULL ? own : h->config.activation);
    }
    if (!clamped)
        h->neurons[last] = ffebmi_neurons_of(&linear);
    h->base.yields = isinf(h->neurons[last].neuron.upper) ? ffebmi_neurons_steepest(&h->neurons[last]) : 0;
    return FFEBM_OK;
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
    FFEBMI_TRY(set_neurons(h, what));
    block->layers[0] = *input;
    for (size_t i = 0; i < h->coupling_count; i++)
        FFEBMI_TRY(fit_coupling(h, i, what));
    ffebmi_graph_connect(&block->graph);
    for (size_t i = 0; i < h->coupling_count; i++)
        set_first(h, &h->couplings[i]);
    return FFEBM_OK;
}

/* What the first values of a Hopfield block are drawn from where nobody says. So that blocks settle, and go on settling while
 * they learn: the weights of a coupling are small against what makes two layers answer each other with more than they got,
 * one over the root of both their slopes; and layers begin amid their bounds, in what they feel. Chosen by measurement:
 * docs/settings.md. */
#include <math.h>

#include "energy/hopfield.h"

static const struct {
    double gain;
    double amid;     /* of what neurons feel, for the bias: */
    bool amid_below; /* of those below the coupling */
    bool spans;      /* the gain is for bounds 1 apart: closer ones are a factor of it */
} places[] = {
    [FFEBMI_BELOW_BLOCK] = {2, 0.25, false, true},    [FFEBMI_IN_TAP] = {0.5, 0, false, true},
    [FFEBMI_INSIDE] = {0.5, 0.5, false, false},       [FFEBMI_TO_LAST] = {0.25, 0, true, false},
    [FFEBMI_POOL_TO_LAST] = {0.25, 0.5, true, false},
};

static ffebm_initialization first_values(ffebmi_hopfield_place place, const ffebmi_layer_neurons *below,
                                         const ffebmi_layer_neurons *above)
{
    const ffebmi_layer_neurons *amid = places[place].amid_below ? below : above;
    double ranges = (1 / ffebmi_neurons_steepest(below)) * (1 / ffebmi_neurons_steepest(above));

    return (ffebm_initialization){
        .size = sizeof(ffebm_initialization),
        .type = FFEBM_INITIALIZATION_UNIFORM,
        .gain = places[place].gain * pow(ranges, 0.5) * (places[place].spans ? ffebmi_neurons_span(above) : 1),
        .constant_bias = 1,
        .bias = places[place].amid == 0 ? 0 : ffebmi_neurons_drive_amid(amid, places[place].amid)};
}

void ffebmi_hopfield_set_first(ffebmi_hopfield *h)
{
    ffebmi_layer_neurons others = ffebmi_neurons_of(h->config.activation), first = others;

    if (h->config.layer0 != NULL)
        first = ffebmi_neurons_of(h->config.layer0);
    h->below = first_values(FFEBMI_BELOW_BLOCK, &first, &first);
    h->in_taps = first_values(FFEBMI_IN_TAP, &others, &others);
    h->base.below = &h->below;
    h->base.in_taps = &h->in_taps;
}

void ffebmi_hopfield_set_first_of(const ffebmi_hopfield *h, ffebmi_coupling *coupling)
{
    ffebmi_hopfield_place last = coupling->switch_count > 0 ? FFEBMI_POOL_TO_LAST : FFEBMI_TO_LAST;
    bool inside = h->config.clamp_last == 1 || coupling->layers.to + 1 < h->base.layer_count;

    coupling->first = first_values(inside ? FFEBMI_INSIDE : last, &h->neurons[coupling->layers.from],
                                   &h->neurons[coupling->layers.to]);
    coupling->learnable.placed = &coupling->first;
}

/* What the first values of a Hopfield block are drawn from where nobody says. So that blocks settle, and go on settling while
 * they learn: the weights of a coupling are small against what makes two layers answer each other with more than they got,
 * one over the root of both their slopes; and layers begin amid their bounds, in what they feel. Chosen by measurement:
 * docs/settings.md. */
#include <math.h>

#include "energy/hopfield.h"

typedef double (*narrow_fn)(const ffebmi_layer_neurons *below, const ffebmi_layer_neurons *above);

/* What comes from outside the block has a size of its own. */
static double as_above(const ffebmi_layer_neurons *below, const ffebmi_layer_neurons *above)
{
    (void)below;
    return ffebmi_neurons_span(above);
}

/* States below come with their own size. */
static double as_above_to_below(const ffebmi_layer_neurons *below, const ffebmi_layer_neurons *above)
{
    return fmin(1, ffebmi_neurons_span(above) / ffebmi_neurons_reach(below));
}

/* A nudge of the last layer has the loss's size: small weights keep it within the bounds below, and large ones let it get
 * there before sweeps end. */
static double as_root_of_below(const ffebmi_layer_neurons *below, const ffebmi_layer_neurons *above)
{
    (void)above;
    return sqrt(ffebmi_neurons_span(below));
}

static const struct {
    double gain;
    double amid;      /* of what neurons feel, for the bias: */
    bool amid_below;  /* of those below the coupling */
    narrow_fn narrow; /* the gain is for bounds 1 apart: a factor for closer ones */
} places[] = {
    [FFEBMI_BELOW_BLOCK] = {2, 0.25, false, as_above},           [FFEBMI_IN_TAP] = {0.5, 0, false, as_above},
    [FFEBMI_INSIDE] = {0.5, 0.5, false, as_above_to_below},      [FFEBMI_TO_LAST] = {0.25, 0, true, as_root_of_below},
    [FFEBMI_POOL_TO_LAST] = {0.25, 0.5, true, as_root_of_below},
};

static ffebm_initialization first_values(ffebmi_hopfield_place place, const ffebmi_layer_neurons *below,
                                         const ffebmi_layer_neurons *above)
{
    const ffebmi_layer_neurons *amid = places[place].amid_below ? below : above;
    double ranges = (1 / ffebmi_neurons_steepest(below)) * (1 / ffebmi_neurons_steepest(above));

    return (ffebm_initialization){
        .size = sizeof(ffebm_initialization),
        .type = FFEBM_INITIALIZATION_UNIFORM,
        .gain = places[place].gain * pow(ranges, 0.5) * places[place].narrow(below, above),
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

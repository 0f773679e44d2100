/* What is read off settled states: derivatives of the co-content, and the co-content itself. With A the amplifiers' gain and
 * v = A^-2l the weight of layer l, a resistor between node k of it and node j below has E = v / 2 G (s_k - A s_j)^2. */
#include <math.h>
#include <string.h>

#include "energy/resistive.h"
#include "tensor/doubles.h"

/* A gradient's share: of a layer's conductances those below nodes first .. first + count - 1, `in` a node. */
typedef struct share {
    const ffebmi_resistive *block;
    const ffebmi_contrast *contrast;
    const ffebmi_resistive_work *work;
    size_t layer;
    size_t first;
    size_t count;
    size_t in;
    double weight;
    void *to; /* the first node's */
} share;

/* own[k] = sum over samples of D(s_k^2 / 2) = difference mean, times the weight. */
static void take_own_squares(const share *g)
{
    const ffebmi_contrast *c = g->contrast;
    size_t units = g->block->base.layers[g->layer].count;

    memset(g->work->own, 0, g->count * c->arrays->element);
    c->arrays->add_column_products(c->batch, g->count, units, g->weight,
                                   ffebmi_at(c->arrays, c->difference[g->layer], g->first),
                                   ffebmi_at(c->arrays, c->mean[g->layer], g->first), g->work->own);
}

/* The same of the nodes or sources below; sources differ from nothing but in a state alone. */
static void take_squares_below(const share *g)
{
    const ffebmi_contrast *c = g->contrast;
    const ffebm_resistive_config *config = &g->block->config;
    double gain = g->layer == 0 ? config->input_gain : config->amplifier;
    const void *x = g->layer == 0 ? c->inputs[0] : c->difference[g->layer - 1];
    const void *y = g->layer == 0 ? c->inputs[0] : c->mean[g->layer - 1];
    double weight = g->weight * gain * gain / (g->layer == 0 ? 2 : 1);

    memset(g->work->below, 0, g->in * c->arrays->element);
    if (g->layer > 0 || c->alone)
        c->arrays->add_column_products(c->batch, g->in, g->in, weight, x, y, g->work->below);
}

/* Nodes k, each with the nodes below. */
static void add_squares(const share *g, size_t offset, size_t stride)
{
    const ffebmi_arrays *k = g->contrast->arrays;

    for (size_t i = 0; i < g->count; i++)
        k->add_shifted(g->in, ffebmi_number_at(k->element, g->work->own, i), g->work->below,
                       ffebmi_at(k, g->to, i * stride + offset));
}

/* In products of two layers the difference is D(s_k s_j) = D s_k M s_j + M s_k D s_j, M the mean: the same number with less
 * rounding than the two products. */
static void add_node_gradient(share *g)
{
    const ffebmi_contrast *c = g->contrast;
    const ffebmi_coupling *coupling = &g->block->couplings[g->layer];
    const ffebmi_coupling_contrast cross = {.plan = &((const ffebmi_resistive_plan *)c->plan)->couplings[g->layer],
                                            .batch = c->batch,
                                            .pairs = {.count = 2,
                                                      .v = {c->difference[g->layer], c->mean[g->layer]},
                                                      .s = {c->mean[g->layer - 1], c->difference[g->layer - 1]}},
                                            .weight = g->weight * g->block->config.amplifier,
                                            .scratch = g->work->scratch};

    coupling->kind->gradient(coupling, &cross, 0, ffebmi_at(c->arrays, g->to, 0), g->first, g->count);
    g->to = ffebmi_at(c->arrays, g->to, g->first * g->in);
    take_own_squares(g);
    take_squares_below(g);
    add_squares(g, 0, g->in);
}

/* sum, [count][in], += difference (x) x in the order of parameters: once for both signs of sources. */
static void take_cross(const share *g, const ffebmi_convolution *v, void *sum)
{
    const ffebmi_contrast *c = g->contrast;
    const ffebmi_pairs pairs = {.count = 1, .v = {c->difference[0]}, .s = {c->inputs[0]}};

    memset(sum, 0, g->count * g->in * c->arrays->element);
    ffebmi_convolution_outer(v, c->batch, &pairs, -g->weight * g->block->config.input_gain, g->first, g->count, sum);
}

static void add_row_turned(const ffebmi_arrays *k, const ffebmi_convolution *v, const void *row, void *to)
{
    if (v->taps > 1)
        k->add_transposed(v->taps, v->windows.channels, row, to);
    else
        k->add(v->patch, row, to);
}

/* An image's squares, in the order of parameters. */
static void turn_below(const share *g, const ffebmi_convolution *v)
{
    const ffebmi_arrays *k = g->contrast->arrays;

    if (v->taps == 1)
        return;
    k->transpose(v->taps, v->windows.channels, g->work->below, g->work->input);
    memcpy(g->work->below, g->work->input, g->in * k->element);
}

static void add_source_gradient(share *g)
{
    const ffebmi_contrast *c = g->contrast;
    const ffebmi_convolution *v = &((const ffebmi_resistive_plan *)c->plan)->couplings[0].convolution;
    const ffebmi_arrays *k = c->arrays;
    void *sum = g->work->scratch;
    size_t sources = ffebmi_resistive_sources(g->block), stride = sources * g->in;

    g->to = ffebmi_at(k, g->to, g->first * stride);
    take_own_squares(g);
    take_squares_below(g);
    turn_below(g, v);
    take_cross(g, v, sum);
    for (size_t s = 0; s < sources; s++) {
        for (size_t i = 0; i < g->count; i++)
            add_row_turned(k, v, ffebmi_at(k, sum, i * g->in), ffebmi_at(k, g->to, i * stride + s * g->in));
        add_squares(g, s * g->in, stride);
        k->scale(g->count * g->in, -1, sum, sum);
    }
}

static void add_bias_gradient(const share *g)
{
    const ffebmi_contrast *c = g->contrast;
    size_t units = g->block->base.layers[g->layer].count;

    c->arrays->add_column_sums(c->batch, g->count, units, -g->weight,
                               ffebmi_at(c->arrays, c->difference[g->layer], g->first),
                               ffebmi_at(c->arrays, g->to, g->first));
}

void ffebmi_resistive_gradient(const ffebm_energy *block, const ffebmi_contrast *of, size_t parameter, size_t first,
                               size_t count, void *work)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    size_t layer = block->parameters[parameter].position;
    share g = {.block = r,
               .contrast = of,
               .work = work,
               .layer = layer,
               .first = first,
               .count = count,
               .in = layer == 0 ? block->input.count : block->layers[layer - 1].count,
               .weight = of->weight * ffebmi_resistive_weight(r, layer),
               .to = of->gradients[parameter]};

    if (block->parameters[parameter].parameter.role == FFEBMI_BIAS)
        add_bias_gradient(&g);
    else if (layer == 0)
        add_source_gradient(&g);
    else
        add_node_gradient(&g);
}

/* ------------------------------------------------------------------------------------------------------ the input's */

/* Of one row: sum_k gain^2 (G_plus + G_minus)[k,j] x_j, which a difference of states does not have. */
static void add_sources_own(const ffebmi_resistive *r, const ffebmi_contrast *c, const void *x, void *out,
                            const ffebmi_resistive_work *w)
{
    const ffebmi_convolution *v = &((const ffebmi_resistive_plan *)c->plan)->couplings[0].convolution;
    const ffebmi_arrays *k = c->arrays;
    const void *weight = ffebmi_resistive_parameters(r, c->parameters, 0)[0];
    size_t inputs = r->base.input.count, sources = ffebmi_resistive_sources(r), units = r->base.layers[0].count;
    double gain = r->config.input_gain;

    memset(w->below, 0, inputs * k->element);
    for (size_t s = 0; s < sources; s++)
        k->add_column_sums(units, inputs, sources * inputs, c->weight * gain * gain, ffebmi_at(k, weight, s * inputs),
                           w->below);
    if (v->taps > 1) {
        k->transpose(v->windows.channels, v->taps, w->below, w->input);
        memcpy(w->below, w->input, inputs * k->element);
    }
    k->add_column_products(1, inputs, inputs, 1, w->below, x, out);
}

/* dE/dx = gain (i_plus - i_minus), i the currents out of the sources. */
void ffebmi_resistive_input_gradient(const ffebm_energy *block, const ffebmi_contrast *c, size_t first, size_t count,
                                     void *out, void *work)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    const ffebmi_resistive_work *w = work;
    const ffebmi_arrays *k = c->arrays;
    size_t units = block->layers[0].count, inputs = block->input.count;
    ffebmi_coupling_call call = ffebmi_resistive_call(block, c->plan, c->packed, c->parameters, 0, count, w->scratch);

    k->scale(count * units, -c->weight, ffebmi_at(k, c->difference[0], first * units), w->z[0]);
    r->couplings[0].kind->down(&r->couplings[0], &call, true, w->z[0], ffebmi_at(k, out, first * inputs));
    for (size_t i = first; c->alone && i < first + count; i++)
        add_sources_own(r, c, ffebmi_at(k, c->inputs[0], i * inputs), ffebmi_at(k, out, i * inputs), w);
}

/* ---------------------------------------------------------------------------------------------------- energy and power */

/* The input in the order of parameters. */
static const void *plain_input(const ffebmi_settling *s, size_t row)
{
    const ffebmi_convolution *v = &((const ffebmi_resistive_plan *)s->plan)->couplings[0].convolution;
    const ffebmi_resistive_work *w = s->work;
    const void *x = ffebmi_at(s->arrays, s->inputs[0], row * s->block->input.count);

    if (v->taps == 1)
        return x;
    s->arrays->transpose(v->taps, v->windows.channels, x, w->below);
    return w->below;
}

/* sum_j G[k,j] (s_k - s_j)^2 */
static double resistors(const ffebmi_settling *s, size_t layer, const void *weight, const void *below, double voltage)
{
    const ffebm_resistive_config *config = &ffebmi_resistive_of(s->block)->config;
    size_t inputs = s->block->input.count;
    double sum = 0;

    if (layer > 0)
        return s->arrays->weighted_square(s->block->layers[layer - 1].count, weight, voltage, -config->amplifier,
                                          below);
    for (size_t i = 0; i < ffebmi_resistive_sources(ffebmi_resistive_of(s->block)); i++)
        sum += s->arrays->weighted_square(inputs, ffebmi_at(s->arrays, weight, i * inputs), voltage,
                                          i == 0 ? -config->input_gain : config->input_gain, below);
    return sum;
}

/* The current of a diode, and how far it is beyond its threshold. An ideal one has no voltage. */
static double diode_current(const ffebm_resistive_config *config, double forward, double *beyond)
{
    *beyond = fmax(0, forward - config->diode_threshold);
    return isfinite(config->diode_conductance) ? config->diode_conductance * *beyond : 0;
}

/* What lies below a node's layer, and its resistors to there. */
typedef struct layer_below {
    const void *state; /* of one row */
    const void *const *parameters;
    size_t units;
} layer_below;

static layer_below below_of(const ffebmi_settling *s, size_t layer, size_t row)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(s->block);
    size_t units = layer == 0 ? ffebmi_resistive_sources(r) * s->block->input.count : s->block->layers[layer - 1].count;

    return (layer_below){layer == 0 ? plain_input(s, row) : ffebmi_at(s->arrays, s->state[layer - 1], row * units),
                         ffebmi_resistive_parameters(r, s->parameters, layer), units};
}

static double voltage_of(const ffebmi_settling *s, size_t layer, size_t row, size_t node)
{
    return ffebmi_number_at(s->arrays->element, s->state[layer], row * s->block->layers[layer].count + node);
}

static double layer_energy(const ffebmi_settling *s, size_t layer, size_t row)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(s->block);
    const layer_below b = below_of(s, layer, row);
    double sum = 0;

    for (size_t k = 0; k < s->block->layers[layer].count; k++) {
        double v = voltage_of(s, layer, row, k), beyond;
        double current = diode_current(&r->config, -ffebmi_resistive_side(r, layer, k) * v, &beyond);

        sum += resistors(s, layer, ffebmi_at(s->arrays, b.parameters[0], k * b.units), b.state, v) / 2;
        if (r->couplings[layer].learnable.bias)
            sum -= ffebmi_number_at(s->arrays->element, b.parameters[1], k) * v;
        sum += current * beyond / 2;
    }
    return sum * ffebmi_resistive_weight(r, layer);
}

/* Of resistors and diodes: G v^2 and i v. */
static double layer_power(const ffebmi_settling *s, size_t layer, size_t row)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(s->block);
    const layer_below b = below_of(s, layer, row);
    double sum = 0;

    for (size_t k = 0; k < s->block->layers[layer].count; k++) {
        double v = voltage_of(s, layer, row, k), forward = -ffebmi_resistive_side(r, layer, k) * v, beyond;

        sum += resistors(s, layer, ffebmi_at(s->arrays, b.parameters[0], k * b.units), b.state, v);
        sum += diode_current(&r->config, forward, &beyond) * forward;
    }
    return sum;
}

static void sum_layers(ffebmi_settling *s, double (*of_layer)(const ffebmi_settling *s, size_t layer, size_t row),
                       double *out)
{
    for (size_t row = 0; row < s->rows; row++) {
        out[row] = 0;
        for (size_t l = 0; l < s->block->layer_count; l++)
            out[row] += of_layer(s, l, row);
    }
}

void ffebmi_resistive_energies(ffebmi_settling *s, double *energies)
{
    sum_layers(s, layer_energy, energies);
}

void ffebmi_resistive_powers(ffebmi_settling *s, double *powers)
{
    sum_layers(s, layer_power, powers);
}

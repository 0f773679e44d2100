/* Physics of the deep Hopfield network. With Phi = <x, s_0> + sum_i <pool_i(W_i s_i + b_i), s_{i+1}> (layers from 0),
 * and <x_i, s_i> for each inner layer that has an input x_i, and E = G - Phi, settling is s_i <- sigma(dPhi/ds_i): what layer i
 * feels from below, pool(W_{i-1} s_{i-1} + b_{i-1}), from above, W_i^T unpool(s_{i+1}) or the force, and its input. */
#include "energy/hopfield.h"

#include <math.h>
#include <string.h>

#include "core/context.h"
#include "tensor/doubles.h"

static const ffebmi_hopfield *hopfield(const ffebm_energy *block)
{
    return (const ffebmi_hopfield *)block;
}

/* --------------------------------------------------------------------------------------------------------- settling */

static size_t units_of(const ffebmi_settling *s, size_t layer)
{
    return s->block->layers[layer].count;
}

static void settle_layer(const ffebmi_settling *s, size_t layer)
{
    ffebmi_hopfield_work *w = s->work;
    size_t layers = s->block->layer_count;
    bool last = layer + 1 == layers;
    const ffebmi_layer_update update = {.rows = s->rows,
                                        .n = units_of(s, layer),
                                        .z = w->z[layer],
                                        .input = s->inputs[layer],
                                        .force = last ? s->force : NULL,
                                        .stiffness = last ? s->stiffness : NULL,
                                        .base = w->base[layer],
                                        .neuron = hopfield(s->block)->neurons[layer].neuron,
                                        .relaxations = s->relaxations,
                                        .free = s->free_state == NULL ? NULL : s->free_state[layer],
                                        .s = s->state[layer],
                                        .norms = s->norms + layer,
                                        .norm_stride = layers};

    ffebmi_neurons_update(s->form, s->arrays, &update);
    ffebmi_hopfield_moved(s, layer);
}

/* What a layer feels of the couplings, as much of it as reaches its neurons. */
static void feel(const ffebmi_settling *s, size_t layer)
{
    void *z = ((const ffebmi_hopfield_work *)s->work)->z[layer];

    ffebmi_hopfield_drive(s, layer, z);
    if (s->gains != NULL)
        s->arrays->scale_columns(s->rows, units_of(s, layer), s->gains[layer], z);
}

/* All drives first, then all states: so that layers updated together do not see each other's new values. */
static void update(ffebmi_settling *s, const size_t *layers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        feel(s, layers[i]);
    for (size_t i = 0; i < count; i++)
        settle_layer(s, layers[i]);
}

/* Row i of an array becomes rows i * copies and on: from the last row down, since it may be the same memory. */
static void spread_rows(size_t rows, size_t copies, size_t bytes, const void *from, void *to)
{
    for (size_t i = rows; i-- > 0;)
        for (size_t n = copies; n-- > 0;)
            memmove((char *)to + (i * copies + n) * bytes, (const char *)from + i * bytes, bytes);
}

/* The free state, once for all copies, in place of the displacements, which are zero before the first sweep. */
static void borrow_states(ffebmi_settling *s, size_t rows)
{
    for (size_t l = 0; l < s->block->layer_count; l++) {
        size_t units = s->block->layers[l].count;

        for (size_t i = 0; i < rows; i++)
            memcpy(ffebmi_at(s->arrays, s->state[l], i * units),
                   ffebmi_at(s->arrays, s->free_state[l], i * s->copies * units), units * s->arrays->element);
    }
}

static void give_states_back(ffebmi_settling *s, size_t rows)
{
    for (size_t l = 0; l < s->block->layer_count; l++)
        memset(s->state[l], 0, rows * s->block->layers[l].count * s->arrays->element);
}

/* The base of every layer. The switches stay as they are at the free state. */
static void take_base(ffebmi_settling *s)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    const ffebmi_hopfield_work *w = s->work;
    ffebmi_settling at_free = *s;

    at_free.rows = s->rows / s->copies;
    at_free.form = FFEBMI_WHOLE;
    at_free.hold_switches = false;
    borrow_states(s, at_free.rows);
    for (size_t l = 0; l < s->block->layer_count; l++) {
        feel(&at_free, l);
        spread_rows(at_free.rows, s->copies, units_of(s, l) * s->arrays->element, w->z[l], w->base[l]);
        ffebmi_neurons_keep_base(s->form, s->arrays,
                                 &(ffebmi_layer_update){.rows = s->rows,
                                                        .n = units_of(s, l),
                                                        .z = w->base[l],
                                                        .input = s->inputs[l],
                                                        .neuron = h->neurons[l].neuron});
    }
    for (size_t c = 0; c < h->coupling_count; c++)
        spread_rows(at_free.rows, s->copies, h->couplings[c].switch_count, w->switches[c], w->switches[c]);
    give_states_back(s, at_free.rows);
}

/* Leave the free state's switches. */
static void hold(ffebmi_settling *s)
{
    ffebmi_settling at_free = *s;

    at_free.state = (void **)(uintptr_t)s->free_state;
    at_free.hold_switches = false;
    ffebmi_hopfield_observe(&at_free, ((const ffebmi_hopfield_work *)s->work)->switches);
}

static void begin(ffebmi_settling *s)
{
    ffebmi_hopfield_work *w = s->work;

    for (size_t c = 0; c < hopfield(s->block)->coupling_count; c++)
        w->current[c] = false;
    if (s->form != FFEBMI_WHOLE)
        take_base(s);
    else if (s->hold_switches)
        hold(s);
}

static void move(ffebmi_settling *s, size_t to, size_t from)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    ffebmi_hopfield_work *w = s->work;

    for (size_t c = 0; c < h->coupling_count; c++) {
        size_t count = h->couplings[c].switch_count;

        memcpy(w->switches[c] + to * count, w->switches[c] + from * count, count);
    }
    for (size_t l = 0; s->form != FFEBMI_WHOLE && l < s->block->layer_count; l++) {
        size_t units = s->block->layers[l].count;

        memcpy(ffebmi_at(s->arrays, w->base[l], to * units), ffebmi_at(s->arrays, w->base[l], from * units),
               units * s->arrays->element);
    }
}

static size_t switch_count(const ffebm_energy *block, size_t coupling)
{
    return hopfield(block)->couplings[coupling].switch_count;
}

static size_t region_changes(const ffebmi_settling *s, size_t row)
{
    size_t changes = 0;

    for (size_t l = 0; l < s->block->layer_count; l++) {
        size_t units = units_of(s, l);
        const void *state = ffebmi_at(s->arrays, s->state[l], row * units);
        const void *free = ffebmi_at(s->arrays, s->free_state[l], row * units);

        changes +=
            ffebmi_neurons_region_changes(s->form, s->arrays, &hopfield(s->block)->neurons[l], units, state, free);
    }
    return changes;
}

static size_t saturated(const ffebm_energy *block, size_t layer, const ffebmi_arrays *arrays, size_t count,
                        const void *state)
{
    return ffebmi_neurons_saturated(&hopfield(block)->neurons[layer], arrays, count, state);
}

static void gradient(const ffebm_energy *block, const ffebmi_contrast *of, size_t parameter, size_t first, size_t count,
                     void *memory)
{
    size_t c = block->parameters[parameter].position;
    size_t within = block->parameters[parameter].parameter.role == FFEBMI_WEIGHT ? 0 : 1;
    const ffebmi_coupling *coupling = &hopfield(block)->couplings[c];
    ffebmi_edge ends = block->graph.couplings[c];
    ffebmi_coupling_contrast contrast = {.plan = &((const ffebmi_hopfield_plan *)of->plan)->couplings[c],
                                         .batch = of->batch,
                                         .pairs = {.count = 2,
                                                   .v = {of->difference[ends.to], of->mean[ends.to]},
                                                   .s = {of->mean[ends.from], of->difference[ends.from]}},
                                         .weight = of->weight,
                                         .scratch = ((ffebmi_hopfield_work *)memory)->scratch};

    if (coupling->switch_count > 0)
        for (size_t state = 0; state < 2; state++)
            contrast.switches[state] = of->switches[state][c];
    coupling->kind->gradient(coupling, &contrast, within, of->gradients[parameter], first, count);
}

/* dE/dx_l = - s_l */
static void input_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t first, size_t count,
                           void *out, void *memory)
{
    const ffebmi_arrays *k = contrast->arrays;

    (void)memory;
    for (size_t l = 0; l < block->layer_count; l++) {
        size_t units = ffebmi_energy_input_units(block, l),
               from = contrast->batch * ffebmi_energy_input_offset(block, l);

        k->add_scaled(count * units, -contrast->weight, ffebmi_at(k, contrast->difference[l], first * units),
                      ffebmi_at(k, out, from + first * units));
    }
}

/* G of a row whose units have gains: each has as many times the slope. */
static double own_energy_of_gains(const ffebmi_settling *s, size_t layer, const void *row)
{
    const ffebmi_arrays *k = s->arrays;
    double energy = 0;

    for (size_t i = 0; i < units_of(s, layer); i++)
        energy += ffebmi_neurons_energy(&hopfield(s->block)->neurons[layer], k, 1, ffebmi_at(k, row, i)) /
                  ffebmi_number_at(k->element, s->gains[layer], i);
    return energy;
}

static void energies(ffebmi_settling *s, double *out)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    const ffebmi_arrays *k = s->arrays;
    void **z = ((ffebmi_hopfield_work *)s->work)->z;

    for (size_t r = 0; r < s->rows; r++)
        out[r] = 0;
    for (size_t l = 0; l < h->base.layer_count; l++) {
        size_t units = h->base.layers[l].count;
        bool driven = ffebmi_hopfield_drive_up(s, l, z[l]);

        for (size_t r = 0; r < s->rows; r++) {
            const void *row = ffebmi_at(k, s->state[l], r * units);
            double energy = s->gains == NULL ? ffebmi_neurons_energy(&h->neurons[l], k, units, row)
                                             : own_energy_of_gains(s, l, row);

            if (driven)
                energy -= k->dot(units, ffebmi_at(k, z[l], r * units), row);
            if (s->inputs[l] != NULL)
                energy -= k->dot(units, ffebmi_at(k, s->inputs[l], r * units), row);
            out[r] += energy;
        }
    }
}

static void destroy(ffebm_energy *block)
{
    ffebmi_hopfield *h = (ffebmi_hopfield *)block;

    for (size_t i = 0; i < h->coupling_count; i++)
        ffebmi_settings_release(block->context, &ffebmi_coupling_settings, &h->couplings[i].config);
    ffebmi_settings_release(block->context, &ffebmi_hopfield_settings, &h->config);
    ffebmi_release(block->context, h->neurons);
    ffebmi_release(block->context, h->couplings);
}

static ffebmi_energy_products products(const ffebm_energy *block)
{
    const ffebmi_hopfield *h = hopfield(block);
    ffebmi_energy_products sum = {0};

    for (size_t i = 0; i < h->coupling_count; i++)
        ffebmi_coupling_add_products(&h->couplings[i], h->couplings[i].layers.from == 0, &sum);
    return sum;
}

static const ffebmi_sweep_rules sweeps = {.begin = begin,
                                          .update = update,
                                          .move = move,
                                          .gradient = gradient,
                                          .input_gradient = input_gradient,
                                          .energies = energies,
                                          .region_changes = region_changes,
                                          .observe = ffebmi_hopfield_observe};

const ffebmi_energy_kind ffebmi_energy_hopfield = {
    .type = "hopfield",
    .abilities = FFEBMI_HEEDS_LOSS | FFEBMI_HAS_ADJOINT | FFEBMI_DISPLACES | FFEBMI_TAKES_TAPS |
                 FFEBMI_HEEDS_STIFFNESS | FFEBMI_TAKES_GAINS | FFEBMI_TAKES_RETURNS,
    .fit = ffebmi_hopfield_fit,
    .destroy = destroy,
    .add_coupling = ffebmi_hopfield_add_coupling,
    .config = FFEBM_CONFIG_HOPFIELD,
    .settings = &ffebmi_hopfield_settings,
    .lay_out_work = ffebmi_hopfield_lay_out_work,
    .sweeps = &sweeps,
    .lay_out_plan = ffebmi_hopfield_lay_out_plan,
    .lay_out_packed = ffebmi_hopfield_lay_out_packed,
    .pack = ffebmi_hopfield_pack,
    .lay_out_int16 = ffebmi_hopfield_lay_out_int16,
    .pack_int16 = ffebmi_hopfield_pack_int16,
    .switch_count = switch_count,
    .products = products,
    .saturated = saturated};

const ffebmi_hopfield *ffebmi_hopfield_of(const ffebm_energy *block)
{
    return block->kind == &ffebmi_energy_hopfield ? hopfield(block) : NULL;
}

/* Physics of the deep Hopfield network. With Phi = <x, s_0> + sum_i <W_i s_i + b_i, s_{i+1}> (layers from 0) and
 * E = G - Phi, settling is s_i <- sigma(dPhi/ds_i): what layer i feels from below, W_{i-1} s_{i-1} + b_{i-1} or x, and
 * from above, W_i^T s_{i+1} or the force. */
#include "energy/hopfield.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"

typedef struct work {
    void **z; /* [layer]: rows x units, what a layer feels */
} work;

static const ffebmi_hopfield *hopfield(const ffebm_energy *block)
{
    return (const ffebmi_hopfield *)block;
}

static void *place_work(const ffebm_energy *block, const ffebmi_kernel *kernel, size_t rows, ffebmi_arena *arena)
{
    work *w = ffebmi_carve(arena, 1, sizeof *w);
    void **z = ffebmi_carve(arena, block->layer_count, sizeof *z);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, rows, block->layers[l].count * kernel->element);

        if (z != NULL)
            z[l] = memory;
    }
    if (w != NULL)
        w->z = z;
    return w;
}

static ffebmi_sigma sigma_of(const ffebmi_hopfield *h, size_t layer)
{
    bool last = layer + 1 == h->base.layer_count;
    ffebmi_sigma sigma = {.slope = h->slope, .clamped = !last || h->clamp_last};

    return sigma;
}

static const void *const *parameters_of(const ffebmi_hopfield *h, const void *const *parameters, size_t coupling)
{
    for (size_t i = 0; i < coupling; i++)
        parameters += h->couplings[i].parameter_count;
    return parameters;
}

/* z = what the couplings make layer `layer` feel; false if it has none, and z is left alone. */
static bool couplings_drive(const ffebmi_settling *s, size_t layer, void *z)
{
    const ffebmi_hopfield *h = hopfield(s->block);

    if (layer > 0) {
        const ffebmi_coupling *below = &h->couplings[layer - 1];

        below->kind->up(below, s->kernel, parameters_of(h, s->parameters, layer - 1), s->rows, s->state[layer - 1], z);
    }
    if (layer < h->coupling_count) {
        const ffebmi_coupling *above = &h->couplings[layer];

        above->kind->down(above, s->kernel, parameters_of(h, s->parameters, layer), s->rows, s->state[layer + 1],
                          layer > 0, z);
    }
    return h->coupling_count > 0;
}

static void settle_layer(ffebmi_settling *s, size_t layer, void *z)
{
    size_t layers = s->block->layer_count;

    s->kernel->settle(s->rows, s->block->layers[layer].count, z, layer == 0 ? s->input : NULL,
                      layer + 1 == layers ? s->force : NULL, sigma_of(hopfield(s->block), layer), s->state[layer],
                      s->free_state == NULL ? NULL : s->free_state[layer], s->norms + layer, layers);
}

/* All drives first, then all states: so that layers updated together do not see each other's new values, whatever the
 * step. */
static void half_sweep(ffebmi_settling *s, size_t first, size_t step)
{
    void **z = ((work *)s->work)->z;

    for (size_t l = first; l < s->block->layer_count; l += step)
        if (!couplings_drive(s, l, z[l]))
            memset(z[l], 0, s->rows * s->block->layers[l].count * s->kernel->element);
    for (size_t l = first; l < s->block->layer_count; l += step)
        settle_layer(s, l, z[l]);
}

static size_t region_changes(const ffebmi_settling *s, size_t row)
{
    size_t changes = 0;

    for (size_t l = 0; l < s->block->layer_count; l++) {
        size_t units = s->block->layers[l].count;

        if (sigma_of(hopfield(s->block), l).clamped)
            changes += s->kernel->region_changes(units, ffebmi_at(s->kernel, s->state[l], row * units),
                                                 ffebmi_at(s->kernel, s->free_state[l], row * units));
    }
    return changes;
}

static void gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t parameter, size_t first,
                     size_t count)
{
    size_t layer = block->parameters[parameter].position;
    size_t within = block->parameters[parameter].parameter.role == FFEBMI_WEIGHT ? 0 : 1;
    const ffebmi_coupling *coupling = &hopfield(block)->couplings[layer];

    coupling->kind->gradient(coupling, contrast, layer, within, contrast->gradients[parameter], first, count);
}

/* dE/dx = - s_0 */
static void input_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, void *out)
{
    contrast->kernel->add_scaled(contrast->batch * block->layers[0].count, -contrast->weight, contrast->difference[0],
                                 out);
}

/* G of one row: s^2 / (2 slope) where clamped, s^2 / 2 on an unclamped last layer. */
static double own_energy(const ffebmi_settling *s, size_t layer, const void *row)
{
    ffebmi_sigma sigma = sigma_of(hopfield(s->block), layer);

    return s->kernel->dot(s->block->layers[layer].count, row, row) / (sigma.clamped ? 2 * sigma.slope : 2);
}

static void energies(const ffebmi_settling *s, double *out)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    const ffebmi_kernel *k = s->kernel;
    void **z = ((work *)s->work)->z;

    for (size_t r = 0; r < s->rows; r++)
        out[r] = 0;
    for (size_t l = 0; l < h->base.layer_count; l++) {
        size_t units = h->base.layers[l].count;
        const void *drive = s->input;

        if (l > 0) {
            const ffebmi_coupling *below = &h->couplings[l - 1];

            below->kind->up(below, k, parameters_of(h, s->parameters, l - 1), s->rows, s->state[l - 1], z[l]);
            drive = z[l];
        }
        for (size_t r = 0; r < s->rows; r++) {
            const void *row = ffebmi_at(k, s->state[l], r * units);

            out[r] += own_energy(s, l, row) - k->dot(units, ffebmi_at(k, drive, r * units), row);
        }
    }
}

/* ------------------------------------------------------------------------------------------------- description */

static ffebm_status allocate_layers(ffebmi_hopfield *h)
{
    ffebm_energy *block = &h->base;
    ffebm_context *context = block->context;

    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->parameters);
    block->layer_count = h->coupling_count + 1;
    block->parameter_count = 0;
    block->layers = ffebmi_allocate(context, block->layer_count, sizeof *block->layers);
    block->parameters = ffebmi_allocate(context, 2 * h->coupling_count, sizeof *block->parameters);
    if (block->layers == NULL || block->parameters == NULL)
        return ffebmi_fail_memory(context, "the layers of an energy block");
    return FFEBM_OK;
}

static ffebm_status fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    ffebmi_hopfield *h = (ffebmi_hopfield *)block;

    FFEBMI_TRY(allocate_layers(h));
    block->layers[0] = *input;
    for (size_t i = 0; i < h->coupling_count; i++) {
        ffebmi_coupling *coupling = &h->couplings[i];
        char coupling_what[96];

        snprintf(coupling_what, sizeof coupling_what, "%s coupling %zu (%s)", what, i, coupling->kind->name);
        coupling->below = block->layers[i];
        FFEBMI_TRY(coupling->kind->fit(coupling, block->context, coupling_what));
        block->layers[i + 1] = coupling->above;
        for (size_t p = 0; p < coupling->parameter_count; p++)
            block->parameters[block->parameter_count++] =
                (ffebmi_energy_parameter){.parameter = coupling->parameters[p],
                                          .learnable = &coupling->learnable,
                                          .position = i,
                                          .units = (size_t)coupling->parameters[p].shape.dims[0]};
    }
    return FFEBM_OK;
}

static void destroy(ffebm_energy *block)
{
    ffebmi_release(block->context, ((ffebmi_hopfield *)block)->couplings);
}

const ffebmi_energy_kind ffebmi_energy_hopfield = {.type = "hopfield",
                                                   .fit = fit,
                                                   .destroy = destroy,
                                                   .place_work = place_work,
                                                   .half_sweep = half_sweep,
                                                   .region_changes = region_changes,
                                                   .gradient = gradient,
                                                   .input_gradient = input_gradient,
                                                   .energies = energies};

const ffebmi_hopfield *ffebmi_hopfield_of(const ffebm_energy *block)
{
    return block->kind == &ffebmi_energy_hopfield ? hopfield(block) : NULL;
}

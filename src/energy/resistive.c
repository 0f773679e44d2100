/* The kind: a deep resistive network. Kirchhoff's law at node k of layer l, where d is what flows in and v its voltage,
 *
 *   d = sum_j G_l[k,j] s_l-1[j] + sum_m G_l+1[m,k] s_l+1[m] + b_l[k],   c = sum_j G_l[k,j] + sum_m G_l+1[m,k],   c v = d,
 *
 * is the minimum of the co-content E over v. Nodes of one layer are not joined, so that a whole layer is solved at once, and
 * with a diode v is in closed form too (arrays/nodes.inc). docs/math.md, section 15. */
#include "energy/resistive.h"

#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "tensor/doubles.h"

int ffebmi_resistive_side(const ffebmi_resistive *r, size_t layer, size_t node)
{
    if (layer + 1 == r->base.layer_count && r->config.clamp_last == 0)
        return 0;
    return node < r->base.layers[layer].count / 2 ? 1 : -1;
}

double ffebmi_resistive_weight(const ffebmi_resistive *r, size_t layer)
{
    return pow(r->config.amplifier, -2.0 * (double)layer);
}

/* Diodes that conduct. */
static size_t saturated(const ffebm_energy *block, size_t layer, const ffebmi_arrays *arrays, size_t count,
                        const void *state)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    size_t conducting = 0;

    for (size_t i = 0; i < count; i++) {
        int side = ffebmi_resistive_side(r, layer, i % block->layers[layer].count);

        conducting += side != 0 && side * ffebmi_number_at(arrays->element, state, i) <= -r->config.diode_threshold;
    }
    return conducting;
}

/* ------------------------------------------------------------------------------------------------------ description */

static ffebm_status allocate_layers(ffebmi_resistive *r)
{
    ffebm_energy *block = &r->base;
    ffebm_context *context = block->context;

    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->parameters);
    block->layer_count = r->coupling_count;
    block->parameter_count = 0;
    block->layers = ffebmi_allocate(context, block->layer_count, sizeof *block->layers);
    block->parameters = ffebmi_allocate(context, 2 * r->coupling_count, sizeof *block->parameters);
    if (block->layers == NULL || block->parameters == NULL)
        return ffebmi_fail_memory(context, "the layers of an energy block");
    return FFEBM_OK;
}

/* What lies below a layer: the sources, or the layer before. */
static ffebm_status shape_below(const ffebmi_resistive *r, size_t layer, const char *what, ffebmi_shape *below)
{
    size_t sources = ffebmi_resistive_sources(r), inputs = r->base.input.count;

    if (layer > 0)
        *below = r->base.layers[layer - 1];
    FFEBMI_CHECK(r->base.context, layer > 0 || inputs <= INT64_MAX / sources, FFEBM_ERR_SHAPE,
                 "%s: too many voltage sources", what);
    if (layer == 0)
        *below = ffebmi_shape_vector((int64_t)(inputs * sources));
    return FFEBM_OK;
}

static void add_parameters(ffebmi_resistive *r, size_t layer)
{
    ffebmi_coupling *coupling = &r->couplings[layer];

    coupling->parameters[0].bounded = true;
    coupling->parameters[0].lower = r->config.g_min;
    coupling->parameters[0].upper = r->config.g_max;
    for (size_t p = 0; p < coupling->parameter_count; p++)
        r->base.parameters[r->base.parameter_count++] = (ffebmi_energy_parameter){.parameter = coupling->parameters[p],
                                                                                  .learnable = &coupling->learnable,
                                                                                  .position = layer,
                                                                                  .units = coupling->units[p],
                                                                                  .grain = coupling->kind->grain};
}

static ffebm_status fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    ffebmi_resistive *r = (ffebmi_resistive *)block;

    FFEBMI_CHECK(block->context, r->coupling_count > 0, FFEBM_ERR_SHAPE,
                 "%s: a resistive block without couplings has no nodes", what);
    FFEBMI_TRY(allocate_layers(r));
    for (size_t l = 0; l < r->coupling_count; l++) {
        ffebmi_coupling *coupling = &r->couplings[l];
        char coupling_what[96];

        snprintf(coupling_what, sizeof coupling_what, "%s coupling %zu (%s)", what, l, coupling->kind->name);
        FFEBMI_TRY(shape_below(r, l, coupling_what, &coupling->below));
        FFEBMI_TRY(coupling->kind->fit(coupling, block->context, coupling_what));
        block->layers[l] = coupling->above;
        add_parameters(r, l);
    }
    r->couplings[0].below = *input; /* where passes begin */
    return FFEBM_OK;
}

static void destroy(ffebm_energy *block)
{
    ffebmi_resistive *r = (ffebmi_resistive *)block;

    for (size_t i = 0; i < r->coupling_count; i++)
        ffebmi_settings_release(block->context, &ffebmi_coupling_settings, &r->couplings[i].config);
    ffebmi_release(block->context, r->couplings);
}

static ffebmi_energy_products products(const ffebm_energy *block)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    ffebmi_energy_products sum = {0};

    for (size_t l = 0; l < r->coupling_count; l++)
        ffebmi_coupling_add_products(&r->couplings[l], l == 0, &sum);
    return sum;
}

static const ffebmi_sweep_rules sweeps = {.begin = ffebmi_resistive_begin,
                                          .update = ffebmi_resistive_update,
                                          .move = ffebmi_resistive_move,
                                          .gradient = ffebmi_resistive_gradient,
                                          .input_gradient = ffebmi_resistive_input_gradient,
                                          .energies = ffebmi_resistive_energies,
                                          .powers = ffebmi_resistive_powers,
                                          .region_changes = ffebmi_resistive_region_changes,
                                          .stable = ffebmi_resistive_stable,
                                          .bears = ffebmi_resistive_bears};

const ffebmi_energy_kind ffebmi_energy_resistive = {.type = "resistive",
                                                    .abilities = FFEBMI_HAS_ADJOINT | FFEBMI_DISPLACES |
                                                                 FFEBMI_READS_INPUT | FFEBMI_HEEDS_STIFFNESS,
                                                    .fit = fit,
                                                    .destroy = destroy,
                                                    .add_coupling = ffebmi_resistive_add_coupling,
                                                    .config = FFEBM_CONFIG_RESISTIVE,
                                                    .settings = &ffebmi_resistive_settings,
                                                    .lay_out_work = ffebmi_resistive_lay_out_work,
                                                    .sweeps = &sweeps,
                                                    .lay_out_plan = ffebmi_resistive_lay_out_plan,
                                                    .lay_out_packed = ffebmi_resistive_lay_out_packed,
                                                    .pack = ffebmi_resistive_pack,
                                                    .check = ffebmi_resistive_check,
                                                    .bears_alone = ffebmi_resistive_bears_alone,
                                                    .products = products,
                                                    .saturated = saturated};

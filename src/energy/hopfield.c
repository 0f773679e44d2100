/* Physics of the deep Hopfield network. With Phi = <x, s_0> + sum_i <pool_i(W_i s_i + b_i), s_{i+1}> (layers from 0) and
 * E = G - Phi, settling is s_i <- sigma(dPhi/ds_i): what layer i feels from below, pool(W_{i-1} s_{i-1} + b_{i-1}) or x, and
 * from above, W_i^T unpool(s_{i+1}) or the force. */
#include "energy/hopfield.h"

#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "tensor/doubles.h"

typedef struct work {
    void **z; /* [layer]: rows x units, what a layer feels */
    void *
        *base; /* [layer]: rows x units, of the free state, where states are displacements: drives, or sigma' of them */
    uint8_t **switches; /* [coupling]: rows x switches */
    bool *current;      /* [coupling]: the switches are those of the present state below */
    void *scratch;
} work;

static const ffebmi_hopfield *hopfield(const ffebm_energy *block)
{
    return (const ffebmi_hopfield *)block;
}

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

static void *lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                          ffebmi_arena *arena)
{
    const ffebmi_hopfield *h = hopfield(block);
    const ffebmi_hopfield_plan *p = plan;
    work *w = ffebmi_carve(arena, 1, sizeof *w), placed;
    size_t scratch = 0;

    placed.z = lay_out_layers(block, arrays->element, rows, arena);
    placed.base = lay_out_layers(block, arrays->element, rows, arena);
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

/* --------------------------------------------------------------------------------------------------------- settling */

static ffebmi_sigma sigma_of(const ffebmi_hopfield *h, size_t layer, double relaxation)
{
    bool last = layer + 1 == h->base.layer_count;
    ffebmi_sigma sigma = {.slope = h->config.slope, .relaxation = relaxation, .clamped = !last || h->config.clamp_last};

    return sigma;
}

static ffebmi_coupling_call call_of(const ffebmi_settling *s, size_t coupling)
{
    const work *w = s->work;
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

    coupling->kind->up(coupling, &call, s->state[c], z);
    ((work *)s->work)->current[c] = true;
}

/* z = what coupling c sends down to the layer below it, unpooled to where that layer's present state switches; if that
 * has moved since the last pass up, it is passed up for the switches alone. */
static void pass_down(const ffebmi_settling *s, size_t c, bool accumulate, void *z)
{
    const ffebmi_coupling *coupling = &hopfield(s->block)->couplings[c];
    const work *w = s->work;
    ffebmi_coupling_call call = call_of(s, c);

    if (coupling->switch_count > 0 && !call.held && !w->current[c])
        pass_up(s, c, w->z[c + 1]);
    coupling->kind->down(coupling, &call, accumulate, s->state[c + 1], z);
}

/* z = all that the couplings make a layer feel. The next layer's z may be used up on the way: layers go upwards. */
static void couplings_drive(const ffebmi_settling *s, size_t layer, void *z)
{
    const ffebmi_hopfield *h = hopfield(s->block);

    if (h->coupling_count == 0)
        memset(z, 0, s->rows * s->block->layers[layer].count * s->arrays->element);
    if (layer > 0)
        pass_up(s, layer - 1, z);
    if (layer < h->coupling_count)
        pass_down(s, layer, layer > 0, z);
}

/* What differs between the forms of states. */
typedef struct form_rules {
    /* The new state of a layer from what it feels, and its norms. */
    void (*settle)(const ffebmi_arrays *arrays, const ffebmi_layer_update *update);
    /* base of a layer: what its drive at the free state, without the input, becomes. NULL where there is none. */
    void (*keep_base)(const ffebmi_settling *s, size_t layer, const void *input, ffebmi_sigma sigma);
    size_t (*region_changes)(const ffebmi_arrays *arrays, size_t units, const void *state, const void *free);
} form_rules;

static size_t units_of(const ffebmi_settling *s, size_t layer)
{
    return s->block->layers[layer].count;
}

static void settle_whole(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->settle(update);
}

static void settle_displaced(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->settle_displaced(update);
}

static void settle_tangent(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->displace(update);
}

static void keep_drive(const ffebmi_settling *s, size_t l, const void *input, ffebmi_sigma sigma)
{
    (void)sigma;
    if (input != NULL)
        s->arrays->add(s->rows * units_of(s, l), input, ((work *)s->work)->base[l]);
}

static void keep_slope(const ffebmi_settling *s, size_t l, const void *input, ffebmi_sigma sigma)
{
    void *base = ((work *)s->work)->base[l];

    s->arrays->linearize(s->rows, units_of(s, l), base, input, sigma, base);
}

static size_t whole_changes(const ffebmi_arrays *arrays, size_t units, const void *state, const void *free)
{
    return arrays->region_changes(units, state, free);
}

static size_t displaced_changes(const ffebmi_arrays *arrays, size_t units, const void *state, const void *free)
{
    return arrays->displaced_changes(units, state, free);
}

/* The tangent block has no regions. */
static size_t no_changes(const ffebmi_arrays *arrays, size_t units, const void *state, const void *free)
{
    (void)arrays;
    (void)units;
    (void)state;
    (void)free;
    return 0;
}

static const form_rules forms[] = {[FFEBMI_WHOLE] = {settle_whole, NULL, whole_changes},
                                   [FFEBMI_DISPLACED] = {settle_displaced, keep_drive, displaced_changes},
                                   [FFEBMI_TANGENT] = {settle_tangent, keep_slope, no_changes}};

static void settle_layer(const ffebmi_settling *s, size_t layer)
{
    work *w = s->work;
    size_t layers = s->block->layer_count;
    bool last = layer + 1 == layers;
    const ffebmi_layer_update update = {.rows = s->rows,
                                        .n = units_of(s, layer),
                                        .z = w->z[layer],
                                        .input = layer == 0 ? s->input : NULL,
                                        .force = last ? s->force : NULL,
                                        .base = w->base[layer],
                                        .sigma = sigma_of(hopfield(s->block), layer, s->relaxation),
                                        .free = s->free_state == NULL ? NULL : s->free_state[layer],
                                        .s = s->state[layer],
                                        .norms = s->norms + layer,
                                        .norm_stride = layers};

    forms[s->form].settle(s->arrays, &update);
    if (!last)
        w->current[layer] = false;
}

/* All drives first, then all states: so that layers updated together do not see each other's new values, whatever the
 * step. */
static void half_sweep(ffebmi_settling *s, size_t first, size_t step)
{
    const work *w = s->work;

    for (size_t l = first; l < s->block->layer_count; l += step)
        couplings_drive(s, l, w->z[l]);
    for (size_t l = first; l < s->block->layer_count; l += step)
        settle_layer(s, l);
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
    const work *w = s->work;
    ffebmi_settling at_free = *s;

    at_free.rows = s->rows / s->copies;
    at_free.form = FFEBMI_WHOLE;
    at_free.hold_switches = false;
    borrow_states(s, at_free.rows);
    for (size_t l = 0; l < s->block->layer_count; l++) {
        couplings_drive(&at_free, l, w->z[l]);
        spread_rows(at_free.rows, s->copies, units_of(s, l) * s->arrays->element, w->z[l], w->base[l]);
        forms[s->form].keep_base(s, l, l == 0 ? s->input : NULL, sigma_of(h, l, 1));
    }
    for (size_t c = 0; c < h->coupling_count; c++)
        spread_rows(at_free.rows, s->copies, h->couplings[c].switch_count, w->switches[c], w->switches[c]);
    give_states_back(s, at_free.rows);
}

/* Leave the free state's switches. */
static void hold(ffebmi_settling *s)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    ffebmi_settling at_free = *s;

    at_free.state = (void **)(uintptr_t)s->free_state;
    at_free.hold_switches = false;
    for (size_t c = 0; c < h->coupling_count; c++)
        if (h->couplings[c].switch_count > 0)
            pass_up(&at_free, c, ((const work *)s->work)->z[c + 1]);
}

static void begin(ffebmi_settling *s)
{
    work *w = s->work;

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
    work *w = s->work;

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

static size_t switch_count(const ffebm_energy *block, size_t layer)
{
    return layer < hopfield(block)->coupling_count ? hopfield(block)->couplings[layer].switch_count : 0;
}

static void observe(ffebmi_settling *s, uint8_t *const *switches)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    const work *w = s->work;

    for (size_t c = 0; c < h->coupling_count; c++) {
        ffebmi_coupling_call call = call_of(s, c);

        call.switches = switches[c];
        if (h->couplings[c].switch_count > 0)
            h->couplings[c].kind->up(&h->couplings[c], &call, s->state[c], w->z[c + 1]);
    }
}

static size_t region_changes(const ffebmi_settling *s, size_t row)
{
    size_t changes = 0;

    for (size_t l = 0; l < s->block->layer_count; l++) {
        size_t units = units_of(s, l);
        const void *state = ffebmi_at(s->arrays, s->state[l], row * units);
        const void *free = ffebmi_at(s->arrays, s->free_state[l], row * units);

        if (sigma_of(hopfield(s->block), l, 1).clamped)
            changes += forms[s->form].region_changes(s->arrays, units, state, free);
    }
    return changes;
}

/* At 0 or 1. */
static size_t saturated(const ffebm_energy *block, size_t layer, const ffebmi_arrays *arrays, size_t count,
                        const void *state)
{
    size_t at_bounds = 0;

    if (!sigma_of(hopfield(block), layer, 1).clamped)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double s = ffebmi_number_at(arrays->element, state, i);

        at_bounds += s == 0 || s == 1;
    }
    return at_bounds;
}

static void gradient(const ffebm_energy *block, const ffebmi_contrast *of, size_t parameter, size_t first, size_t count,
                     void *memory)
{
    size_t c = block->parameters[parameter].position;
    size_t within = block->parameters[parameter].parameter.role == FFEBMI_WEIGHT ? 0 : 1;
    const ffebmi_coupling *coupling = &hopfield(block)->couplings[c];
    ffebmi_coupling_contrast contrast = {
        .plan = &((const ffebmi_hopfield_plan *)of->plan)->couplings[c],
        .batch = of->batch,
        .pairs = {2, {of->difference[c + 1], of->mean[c + 1]}, {of->mean[c], of->difference[c]}},
        .weight = of->weight,
        .scratch = ((work *)memory)->scratch};

    if (coupling->switch_count > 0)
        for (size_t state = 0; state < 2; state++)
            contrast.switches[state] = of->switches[state][c];
    coupling->kind->gradient(coupling, &contrast, within, of->gradients[parameter], first, count);
}

/* dE/dx = - s_0 */
static void input_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, void *out)
{
    contrast->arrays->add_scaled(contrast->batch * block->layers[0].count, -contrast->weight, contrast->difference[0],
                                 out);
}

/* G of one row: s^2 / (2 slope) where clamped, s^2 / 2 on an unclamped last layer. */
static double own_energy(const ffebmi_settling *s, size_t layer, const void *row)
{
    ffebmi_sigma sigma = sigma_of(hopfield(s->block), layer, 1);

    return s->arrays->dot(s->block->layers[layer].count, row, row) / (sigma.clamped ? 2 * sigma.slope : 2);
}

static void energies(ffebmi_settling *s, double *out)
{
    const ffebmi_hopfield *h = hopfield(s->block);
    const ffebmi_arrays *k = s->arrays;
    void **z = ((work *)s->work)->z;

    for (size_t r = 0; r < s->rows; r++)
        out[r] = 0;
    for (size_t l = 0; l < h->base.layer_count; l++) {
        size_t units = h->base.layers[l].count;
        const void *drive = s->input;

        if (l > 0) {
            pass_up(s, l - 1, z[l]);
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
                                          .units = coupling->units[p],
                                          .grain = coupling->kind->grain};
    }
    return FFEBM_OK;
}

static void destroy(ffebm_energy *block)
{
    ffebmi_release(block->context, ((ffebmi_hopfield *)block)->couplings);
}

static const ffebmi_sweep_rules sweeps = {.begin = begin,
                                          .half_sweep = half_sweep,
                                          .move = move,
                                          .gradient = gradient,
                                          .input_gradient = input_gradient,
                                          .energies = energies,
                                          .region_changes = region_changes,
                                          .observe = observe};

const ffebmi_energy_kind ffebmi_energy_hopfield = {.type = "hopfield",
                                                   .abilities =
                                                       FFEBMI_HEEDS_LOSS | FFEBMI_HAS_ADJOINT | FFEBMI_DISPLACES,
                                                   .fit = fit,
                                                   .destroy = destroy,
                                                   .describe = ffebmi_hopfield_describe,
                                                   .parse = ffebmi_hopfield_parse,
                                                   .config = FFEBM_CONFIG_HOPFIELD,
                                                   .settings = &ffebmi_hopfield_settings,
                                                   .lay_out_work = lay_out_work,
                                                   .sweeps = &sweeps,
                                                   .lay_out_plan = ffebmi_hopfield_lay_out_plan,
                                                   .lay_out_packed = ffebmi_hopfield_lay_out_packed,
                                                   .pack = ffebmi_hopfield_pack,
                                                   .lay_out_int16 = ffebmi_hopfield_lay_out_int16,
                                                   .pack_int16 = ffebmi_hopfield_pack_int16,
                                                   .switch_count = switch_count,
                                                   .saturated = saturated};

const ffebmi_hopfield *ffebmi_hopfield_of(const ffebm_energy *block)
{
    return block->kind == &ffebmi_energy_hopfield ? hopfield(block) : NULL;
}

/* Settling: the currents into the nodes of a layer, and its voltages by them. */
#include "energy/resistive.h"

#include <string.h>

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

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void *ffebmi_resistive_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                                    size_t rows, ffebmi_arena *arena)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    const ffebmi_resistive_plan *p = plan;
    ffebmi_resistive_work *w = ffebmi_carve(arena, 1, sizeof *w), placed;
    size_t units = 0, scratch = 0, element = arrays->element;

    for (size_t l = 0; l < block->layer_count; l++) {
        units = larger(units, block->layers[l].count);
        scratch = larger(scratch, p->couplings[l].scratch);
    }
    placed.z = lay_out_layers(block, element, rows, arena);
    placed.base = lay_out_layers(block, element, rows, arena);
    placed.trial = lay_out_layers(block, element, 1, arena);
    placed.output = ffebmi_carve(arena, block->layers[block->layer_count - 1].count, sizeof *placed.output);
    placed.current = ffebmi_carve(arena, rows, block->layers[0].count * element);
    placed.amplified = ffebmi_carve(arena, rows, r->config.amplifier == 1 ? 0 : units * element);
    placed.input = ffebmi_carve(arena, rows, block->input.count * element);
    placed.own = ffebmi_carve(arena, units, element);
    placed.below = ffebmi_carve(arena, larger(units, block->input.count), element);
    placed.scratch = ffebmi_carve(arena, scratch, element);
    if (w != NULL)
        *w = placed;
    return w;
}

/* --------------------------------------------------------------------------------------------------------- currents */

ffebmi_nodes ffebmi_resistive_nodes(const ffebm_energy *block, const void *packed, size_t layer)
{
    const ffebm_resistive_config *config = &ffebmi_resistive_of(block)->config;
    const ffebmi_resistive_packed *from = packed;

    return (ffebmi_nodes){.conductance = from->conductance[layer],
                          .side = from->side[layer],
                          .threshold = config->diode_threshold,
                          .resistance = 1 / config->diode_conductance};
}

ffebmi_coupling_call ffebmi_resistive_call(const ffebm_energy *block, const void *plan, const void *packed,
                                           const void *const *parameters, size_t layer, size_t rows, void *scratch)
{
    const ffebmi_resistive_packed *from = packed;
    const void *const *own = ffebmi_resistive_parameters(ffebmi_resistive_of(block), parameters, layer);
    const void *as_it_is = layer == 0 ? from->effective : own[0];

    return (ffebmi_coupling_call){
        .plan = &((const ffebmi_resistive_plan *)plan)->couplings[layer],
        .parameters = own,
        .packed = {.full = from->weights[layer].full != NULL ? from->weights[layer].full : as_it_is},
        .rows = rows,
        .scratch = scratch};
}

static ffebmi_coupling_call call_of(const ffebmi_settling *s, size_t layer)
{
    const ffebmi_resistive_work *w = s->work;
    ffebmi_coupling_call call =
        ffebmi_resistive_call(s->block, s->plan, s->packed, s->parameters, layer, s->rows, w->scratch);

    call.displacement = s->form != FFEBMI_WHOLE;
    return call;
}

static const ffebmi_coupling *coupling_of(const ffebmi_settling *s, size_t layer)
{
    return &ffebmi_resistive_of(s->block)->couplings[layer];
}

static size_t units_of(const ffebmi_settling *s, size_t layer)
{
    return s->block->layers[layer].count;
}

/* A layer as its neighbours see it: through amplifiers. */
static const void *seen(const ffebmi_settling *s, size_t layer, double gain)
{
    const ffebmi_resistive_work *w = s->work;

    if (gain == 1)
        return s->state[layer];
    s->arrays->scale(s->rows * units_of(s, layer), gain, s->state[layer], w->amplified);
    return w->amplified;
}

/* What the sources send into the first layer does not change while it settles. */
static void take_source_current(const ffebmi_settling *s)
{
    ffebmi_coupling_call call = call_of(s, 0);

    coupling_of(s, 0)->kind->up(coupling_of(s, 0), &call, s->inputs[0],
                                ((const ffebmi_resistive_work *)s->work)->current);
}

void ffebmi_resistive_currents(const ffebmi_settling *s, size_t layer, void *z)
{
    const double gain = ffebmi_resistive_of(s->block)->config.amplifier;
    size_t bytes = s->rows * units_of(s, layer) * s->arrays->element;
    bool accumulate = true;

    if (layer > 0) {
        ffebmi_coupling_call call = call_of(s, layer);

        coupling_of(s, layer)->kind->up(coupling_of(s, layer), &call, seen(s, layer - 1, gain), z);
    } else if (s->form == FFEBMI_WHOLE) {
        memcpy(z, ((const ffebmi_resistive_work *)s->work)->current, bytes);
    } else {
        accumulate = false;
    }
    if (layer + 1 < s->block->layer_count) {
        ffebmi_coupling_call call = call_of(s, layer + 1);

        coupling_of(s, layer + 1)
            ->kind->down(coupling_of(s, layer + 1), &call, accumulate, seen(s, layer + 1, 1 / gain), z);
    } else if (!accumulate) {
        memset(z, 0, bytes);
    }
}

/* --------------------------------------------------------------------------------------------------------- voltages */

/* E weights the last layer's currents: a force is so many times as strong to its nodes. */
static void take_force(const ffebmi_settling *s, ffebmi_layer_update *update)
{
    size_t last = s->block->layer_count - 1, count = s->rows * update->n;
    double strength = 1 / ffebmi_resistive_weight(ffebmi_resistive_of(s->block), last);

    if (s->force != NULL)
        s->arrays->add_scaled(count, strength, s->force, update->z);
    update->stiffness = s->stiffness;
    if (s->stiffness != NULL && strength != 1) {
        update->stiffness = ((const ffebmi_resistive_work *)s->work)->amplified;
        s->arrays->scale(count, strength, s->stiffness, (void *)(uintptr_t)update->stiffness);
    }
}

static void settle_layer(const ffebmi_settling *s, size_t layer)
{
    const ffebmi_resistive_work *w = s->work;
    ffebmi_layer_update update = {.rows = s->rows,
                                  .n = units_of(s, layer),
                                  .z = w->z[layer],
                                  .base = w->base[layer],
                                  .nodes = ffebmi_resistive_nodes(s->block, s->packed, layer),
                                  .relaxations = s->relaxations,
                                  .free = s->free_state == NULL ? NULL : s->free_state[layer],
                                  .s = s->state[layer],
                                  .norms = s->norms + layer,
                                  .norm_stride = s->block->layer_count};

    if (layer + 1 == s->block->layer_count)
        take_force(s, &update);
    if (s->form == FFEBMI_WHOLE)
        s->arrays->settle_nodes(&update);
    else if (s->form == FFEBMI_DISPLACED)
        s->arrays->displace_nodes(&update);
    else
        s->arrays->displace(&update);
}

void ffebmi_resistive_update(ffebmi_settling *s, const size_t *layers, size_t count)
{
    const ffebmi_resistive_work *w = s->work;

    for (size_t i = 0; i < count; i++)
        ffebmi_resistive_currents(s, layers[i], w->z[layers[i]]);
    for (size_t i = 0; i < count; i++)
        settle_layer(s, layers[i]);
}

/* -------------------------------------------------------------------------------------------- the base of displacements */

/* Row i of an array becomes rows i * copies and on: from the last row down, since it may be the same memory. */
static void spread_rows(size_t rows, size_t copies, size_t bytes, const void *from, void *to)
{
    for (size_t i = rows; i-- > 0;)
        for (size_t n = copies; n-- > 0;)
            memmove((char *)to + (i * copies + n) * bytes, (const char *)from + i * bytes, bytes);
}

/* One row of each `copies`. */
static void gather_rows(size_t rows, size_t copies, size_t bytes, const void *from, void *to)
{
    for (size_t i = 0; i < rows; i++)
        memcpy((char *)to + i * bytes, (const char *)from + i * copies * bytes, bytes);
}

/* At the free state, once for all its copies, in the place of the displacements, which are zero before the first sweep. */
static void take_base(ffebmi_settling *s)
{
    const ffebmi_resistive_work *w = s->work;
    size_t element = s->arrays->element;
    const void *input = w->input;
    ffebmi_settling at_free = *s;

    at_free.rows = s->rows / s->copies;
    at_free.form = FFEBMI_WHOLE;
    at_free.inputs = &input;
    gather_rows(at_free.rows, s->copies, s->block->input.count * element, s->inputs[0], w->input);
    for (size_t l = 0; l < s->block->layer_count; l++)
        gather_rows(at_free.rows, s->copies, units_of(s, l) * element, s->free_state[l], s->state[l]);
    take_source_current(&at_free);
    for (size_t l = 0; l < s->block->layer_count; l++) {
        const ffebmi_nodes nodes = ffebmi_resistive_nodes(s->block, s->packed, l);

        ffebmi_resistive_currents(&at_free, l, w->z[l]);
        if (s->form == FFEBMI_TANGENT)
            s->arrays->node_gains(&nodes, at_free.rows, units_of(s, l), w->z[l]);
        spread_rows(at_free.rows, s->copies, units_of(s, l) * element, w->z[l], w->base[l]);
    }
    for (size_t l = 0; l < s->block->layer_count; l++)
        memset(s->state[l], 0, at_free.rows * units_of(s, l) * element);
}

void ffebmi_resistive_begin(ffebmi_settling *s)
{
    if (s->form == FFEBMI_WHOLE)
        take_source_current(s);
    else
        take_base(s);
}

static void move_row(size_t bytes, void *rows, size_t to, size_t from)
{
    memcpy((char *)rows + to * bytes, (char *)rows + from * bytes, bytes);
}

void ffebmi_resistive_move(ffebmi_settling *s, size_t to, size_t from)
{
    const ffebmi_resistive_work *w = s->work;
    size_t element = s->arrays->element;

    if (s->form == FFEBMI_WHOLE)
        move_row(units_of(s, 0) * element, w->current, to, from);
    for (size_t l = 0; s->form != FFEBMI_WHOLE && l < s->block->layer_count; l++)
        move_row(units_of(s, l) * element, w->base[l], to, from);
}

/* Diodes that the nudge has switched; the tangent block has none. */
size_t ffebmi_resistive_region_changes(const ffebmi_settling *s, size_t row)
{
    size_t changes = 0;

    for (size_t l = 0; s->form != FFEBMI_TANGENT && l < s->block->layer_count; l++) {
        const ffebmi_nodes nodes = ffebmi_resistive_nodes(s->block, s->packed, l);
        size_t units = units_of(s, l);

        changes +=
            s->arrays->switched_nodes(&nodes, units, ffebmi_at(s->arrays, s->state[l], row * units),
                                      ffebmi_at(s->arrays, s->free_state[l], row * units), s->form == FFEBMI_DISPLACED);
    }
    return changes;
}

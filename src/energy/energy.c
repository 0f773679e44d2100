#include "energy/energy.h"

#include "core/context.h"

ffebm_status ffebmi_energy_new(ffebm_context *context, ffebm_energy **block, const ffebmi_energy_kind *kind,
                               size_t bytes)
{
    ffebm_energy *created = ffebmi_allocate(context, 1, bytes);

    if (created == NULL)
        return ffebmi_fail_memory(context, "an energy block");
    created->context = context;
    created->kind = kind;
    created->abilities = kind->abilities;
    ffebmi_context_keep(context);
    *block = created;
    return FFEBM_OK;
}

void ffebm_energy_destroy(ffebm_energy *block)
{
    ffebm_context *context;

    if (block == NULL)
        return;
    context = block->context;
    block->kind->destroy(block);
    ffebmi_graph_release(context, &block->graph);
    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->tapped);
    ffebmi_release(context, block->parameters);
    ffebmi_release(context, block->chip);
    ffebmi_release(context, block->device);
    ffebmi_release(context, block);
    ffebmi_context_drop(context);
}

ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    block->input = *input;
    ffebmi_graph_release(block->context, &block->graph);
    FFEBMI_TRY(block->kind->fit(block, input, what));
    if (block->graph.layer_count == 0)
        FFEBMI_TRY(ffebmi_graph_chain(block->context, &block->graph, block->layer_count));
    ffebmi_release(block->context, block->tapped);
    block->tapped = ffebmi_allocate(block->context, block->layer_count, sizeof *block->tapped);
    return block->tapped != NULL ? FFEBM_OK : ffebmi_fail_memory(block->context, "the inputs of an energy block");
}

ffebm_status ffebmi_energy_tap(ffebm_energy *block, size_t layer, const ffebmi_shape *shape, const char *what)
{
    char given[FFEBMI_SHAPE_TEXT], expected[FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK(block->context, ffebmi_energy_can(block, FFEBMI_TAKES_TAPS), FFEBM_ERR_STATE,
                 "%s: the energy block behind it, a %s one, takes no inputs of inner layers", what, block->kind->type);
    FFEBMI_CHECK(block->context, layer < block->layer_count, FFEBM_ERR_SHAPE,
                 "%s: it gives %s to layer %zu, but the energy block behind it has %zu layers", what,
                 ffebmi_shape_text(given, shape), layer, block->layer_count);
    FFEBMI_CHECK(block->context, ffebmi_shape_equal(shape, &block->layers[layer]), FFEBM_ERR_SHAPE,
                 "%s: it gives %s to layer %zu of the energy block behind it, which is %s", what,
                 ffebmi_shape_text(given, shape), layer, ffebmi_shape_text(expected, &block->layers[layer]));
    block->tapped[layer] = true;
    return FFEBM_OK;
}

size_t ffebmi_energy_input_units(const ffebm_energy *block, size_t layer)
{
    if (layer == 0)
        return block->input.count;
    return block->tapped[layer] ? block->layers[layer].count : 0;
}

size_t ffebmi_energy_input_offset(const ffebm_energy *block, size_t layer)
{
    size_t offset = 0;

    for (size_t l = 0; l < layer; l++)
        offset += ffebmi_energy_input_units(block, l);
    return offset;
}

void *ffebmi_energy_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena)
{
    return block->kind->lay_out_plan == NULL ? NULL : block->kind->lay_out_plan(block, arithmetic, arena);
}

void *ffebmi_energy_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena)
{
    return block->kind->lay_out_packed == NULL ? NULL : block->kind->lay_out_packed(block, plan, arena);
}

void ffebmi_energy_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                        const void *const *parameters, void *packed)
{
    if (block->kind->pack != NULL)
        block->kind->pack(block, arrays, plan, parameters, packed);
}

const ffebmi_shape *ffebmi_energy_output(const ffebm_energy *block)
{
    return &block->layers[block->layer_count - 1];
}

size_t ffebmi_energy_switch_count(const ffebm_energy *block, size_t coupling)
{
    return block->kind->switch_count == NULL ? 0 : block->kind->switch_count(block, coupling);
}

bool ffebmi_energy_has_switches(const ffebm_energy *block)
{
    for (size_t c = 0; c < block->graph.coupling_count; c++)
        if (ffebmi_energy_switch_count(block, c) > 0)
            return true;
    return false;
}

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
    ffebmi_release(context, block->parameters);
    ffebmi_release(context, block);
    ffebmi_context_drop(context);
}

ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    block->input = *input;
    ffebmi_graph_release(block->context, &block->graph);
    FFEBMI_TRY(block->kind->fit(block, input, what));
    return block->graph.layer_count > 0 ? FFEBM_OK
                                        : ffebmi_graph_chain(block->context, &block->graph, block->layer_count);
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

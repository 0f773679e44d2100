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
    ffebmi_release(context, block->layers);
    ffebmi_release(context, block->parameters);
    ffebmi_release(context, block);
    ffebmi_context_drop(context);
}

ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    block->input = *input;
    return block->kind->fit(block, input, what);
}

bool ffebmi_energy_heeds_loss(const ffebm_energy *block)
{
    return block->own == NULL || block->own->loss_nudging;
}

bool ffebmi_energy_has_adjoint(const ffebm_energy *block)
{
    return block->own == NULL || block->own->adjoint;
}

const ffebmi_shape *ffebmi_energy_output(const ffebm_energy *block)
{
    return &block->layers[block->layer_count - 1];
}

bool ffebmi_energy_has_switches(const ffebm_energy *block)
{
    for (size_t l = 0; l < block->layer_count; l++)
        if (block->kind->switch_count(block, l) > 0)
            return true;
    return false;
}

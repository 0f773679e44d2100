/* Public description of a Hopfield block: create it, add couplings. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/list.h"
#include "core/sized.h"
#include "energy/hopfield.h"

static const ffebmi_coupling_kind *const kinds[] = {&ffebmi_coupling_dense, &ffebmi_coupling_conv2d};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

const ffebmi_coupling_kind *ffebmi_coupling_kind_of(int32_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i]->type == type)
            return kinds[i];
    return NULL;
}

const ffebmi_coupling_kind *ffebmi_coupling_kind_named(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

const char *ffebmi_coupling_kind_name(size_t index)
{
    return index < KIND_COUNT ? kinds[index]->name : NULL;
}

static const ffebm_hopfield_config hopfield_defaults = {
    .size = sizeof hopfield_defaults, .slope = 0.25, .activation = FFEBM_ACTIVATION_HARD_SIGMOID};

void ffebm_hopfield_config_init(ffebm_hopfield_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &hopfield_defaults, sizeof hopfield_defaults);
}

ffebm_status ffebm_energy_create_hopfield(ffebm_context *context, ffebm_energy **block,
                                          const ffebm_hopfield_config *config)
{
    ffebm_hopfield_config c = hopfield_defaults;
    ffebmi_hopfield *created;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_energy_create_hopfield: block is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "hopfield configuration", &c, sizeof c, config));
    FFEBMI_CHECK_ARGUMENT(context, isfinite(c.slope) && c.slope > 0, "hopfield: slope %g, expected a positive number",
                          c.slope);
    FFEBMI_CHECK_ARGUMENT(context, c.activation == FFEBM_ACTIVATION_HARD_SIGMOID,
                          "hopfield: activation %" PRId32 " is none of FFEBM_ACTIVATION_", c.activation);
    FFEBMI_CHECK_ARGUMENT(context, c.clamp_last == 0 || c.clamp_last == 1,
                          "hopfield: clamp_last %" PRId32 ", expected 0 or 1", c.clamp_last);

    FFEBMI_TRY(ffebmi_energy_new(context, block, &ffebmi_energy_hopfield, sizeof *created));
    created = (ffebmi_hopfield *)*block;
    created->slope = c.slope;
    created->activation = c.activation;
    created->clamp_last = c.clamp_last == 1;
    return FFEBM_OK;
}

void ffebm_coupling_config_init(ffebm_coupling_config *config, size_t size, int32_t type)
{
    const ffebmi_coupling_kind *kind = ffebmi_coupling_kind_of(type);
    ffebm_coupling_config defaults = {.size = sizeof defaults, .type = type, .bias = kind != NULL ? 1 : 0};

    if (kind != NULL && kind->reads & FFEBMI_READS_WINDOW)
        defaults.stride[0] = defaults.stride[1] = 1;
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
}

static ffebm_status read_windows(ffebm_context *context, ffebmi_coupling *coupling, const ffebm_coupling_config *config)
{
    const char *name = coupling->kind->name;
    bool window = coupling->kind->reads & FFEBMI_READS_WINDOW, pool = coupling->kind->reads & FFEBMI_READS_POOL;

    for (size_t i = 0; i < 2; i++) {
        FFEBMI_TRY(ffebmi_check_unread(context, name, "kernel", window, (double)config->kernel[i]));
        FFEBMI_TRY(ffebmi_check_unread(context, name, "stride", window, (double)config->stride[i]));
        FFEBMI_TRY(ffebmi_check_unread(context, name, "padding", window, (double)config->padding[i]));
        FFEBMI_TRY(ffebmi_check_unread(context, name, "pool_kernel", pool, (double)config->pool_kernel[i]));
        coupling->window.kernel[i] = config->kernel[i];
        coupling->window.stride[i] = config->stride[i];
        coupling->window.padding[i] = config->padding[i];
        coupling->pool.kernel[i] = coupling->pool.stride[i] = config->pool_kernel[i];
    }
    coupling->pooled = config->pool_kernel[0] != 0 || config->pool_kernel[1] != 0;
    if (coupling->pooled) {
        FFEBMI_TRY(ffebmi_window_check(context, &coupling->pool, "conv2d coupling, its pool"));
        FFEBMI_TRY(ffebmi_window_check_places(context, coupling->pool.kernel, "conv2d coupling, its pool"));
    }
    return window ? ffebmi_window_check(context, &coupling->window, "conv2d coupling") : FFEBM_OK;
}

static ffebm_status read_coupling(ffebm_context *context, ffebmi_coupling *coupling, const ffebm_coupling_config *from)
{
    ffebm_coupling_config config;

    ffebm_coupling_config_init(&config, sizeof config, 0);
    FFEBMI_CHECK_ARGUMENT(context, from != NULL, "ffebm_energy_add_coupling: config is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "coupling configuration", &config, sizeof config, from));
    coupling->kind = ffebmi_coupling_kind_of(config.type);
    FFEBMI_CHECK_ARGUMENT(context, coupling->kind != NULL, "coupling: type %" PRId32 " is none of FFEBM_COUPLING_",
                          config.type);
    FFEBMI_CHECK_ARGUMENT(context, config.reserved_ == 0, "coupling: reserved_ is not zero");
    FFEBMI_CHECK_ARGUMENT(context, config.out >= 1, "%s coupling: out is %" PRId64 ", expected at least 1",
                          coupling->kind->name, config.out);
    coupling->out = config.out;
    coupling->learnable.place = FFEBMI_IN_BLOCK;
    FFEBMI_TRY(read_windows(context, coupling, &config));
    return ffebmi_learnable_read(context, &coupling->learnable, coupling->kind->name, coupling->kind->reads,
                                 config.bias, config.frozen, config.initialization);
}

ffebm_status ffebm_energy_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config)
{
    ffebmi_hopfield *h = (ffebmi_hopfield *)block;
    ffebmi_coupling coupling = {0}, *couplings;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, ffebmi_hopfield_of(block) != NULL, FFEBM_ERR_STATE,
                 "ffebm_energy_add_coupling: the block is %s, couplings are a hopfield's", block->kind->type);
    FFEBMI_TRY(read_coupling(block->context, &coupling, config));
    couplings =
        ffebmi_list_room(block->context, h->couplings, &h->coupling_capacity, h->coupling_count, 1, sizeof *couplings);
    if (couplings == NULL)
        return ffebmi_fail_memory(block->context, "a coupling");
    h->couplings = couplings;
    h->couplings[h->coupling_count++] = coupling;
    return FFEBM_OK;
}

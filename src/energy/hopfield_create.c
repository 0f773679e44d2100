/* Public description of a Hopfield block: create it, add couplings. */
#include <string.h>

#include "core/context.h"
#include "core/list.h"
#include "energy/fields.h"
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

FFEBMI_CHOICES(all_pools, FFEBMI_POOLS);

#define FFEBMI_CONFIG ffebm_coupling_config
static const ffebmi_setting coupling_fields[] = {FFEBMI_FIELD_INITIALIZATION,
                                                 FFEBMI_FIELD_ACTIVATION,
                                                 FFEBMI_FIELD_FROM,
                                                 FFEBMI_FIELD_TO,
                                                 FFEBMI_FIELD_OUT("out"),
                                                 FFEBMI_FIELD_KERNEL,
                                                 FFEBMI_FIELD_STRIDE("", 0, 0),
                                                 FFEBMI_FIELD_PADDING,
                                                 FFEBMI_FIELD_POOL_KERNEL,
                                                 FFEBMI_FIELD_POOL_STRIDE,
                                                 FFEBMI_FIELD_POOL(all_pools),
                                                 FFEBMI_FIELD_BIAS,
                                                 FFEBMI_FIELD_FROZEN};

static const ffebmi_settings *settings_of(int32_t type)
{
    const ffebmi_coupling_kind *kind = ffebmi_coupling_kind_of(type);

    return kind == NULL ? NULL : kind->settings;
}

const ffebmi_settings ffebmi_coupling_settings = {FFEBMI_SETTINGS_IN("coupling configuration", 0, coupling_fields),
                                                  .of_type = settings_of,
                                                  .type = offsetof(ffebm_coupling_config, type)};

#undef FFEBMI_CONFIG
#define FFEBMI_CONFIG ffebm_hopfield_config
static const ffebmi_setting hopfield_fields[] = {
    FFEBMI_OBJECT(activation, &ffebmi_activation_settings, FFEBMI_DEFAULTS, "what neurons layers have"),
    FFEBMI_OBJECT_AS("layer0.activation", layer0, &ffebmi_activation_settings, FFEBMI_ABSENT,
                     "what neurons the first layer has", .group = "layer0"),
    FFEBMI_FLAG(clamp_last, 0, "the last layer has such neurons too, else it is linear")};
const ffebmi_settings ffebmi_hopfield_settings =
    FFEBMI_SETTINGS("hopfield", offsetof(ffebm_hopfield_config, reserved_), hopfield_fields);

void ffebm_hopfield_config_init(ffebm_hopfield_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_hopfield_settings, config, size);
}

static ffebm_status read_config(ffebmi_hopfield *h, const ffebm_hopfield_config *config)
{
    ffebm_context *context = h->base.context;

    FFEBMI_TRY(ffebmi_settings_read(context, &ffebmi_hopfield_settings, &h->config, config));
    FFEBMI_TRY(ffebmi_activation_check(context, h->config.activation));
    FFEBMI_TRY(ffebmi_activation_check(context, h->config.layer0));
    h->layer_count = 1;
    ffebmi_hopfield_set_first(h);
    return FFEBM_OK;
}

ffebm_status ffebm_energy_create_hopfield(ffebm_context *context, ffebm_energy **block,
                                          const ffebm_hopfield_config *config)
{
    ffebmi_hopfield *created;
    ffebm_status status;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_energy_create_hopfield: block is NULL");
    FFEBMI_TRY(ffebmi_energy_new(context, block, &ffebmi_energy_hopfield, sizeof *created));
    created = (ffebmi_hopfield *)*block;
    status = read_config(created, config);
    if (status != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

void ffebm_coupling_config_init(ffebm_coupling_config *config, size_t size, int32_t type)
{
    ffebmi_settings_init_type(&ffebmi_coupling_settings, config, size, type);
}

static ffebm_status read_pool(ffebm_context *context, ffebmi_coupling *coupling)
{
    static const char what[] = "conv2d coupling, its pool";
    ffebm_coupling_config *config = &coupling->config;

    coupling->pool = ffebmi_pool_kind_of(config->pool);
    for (size_t i = 0; i < 2; i++) {
        FFEBMI_CHECK_ARGUMENT(context,
                              coupling->pool != NULL || (config->pool_kernel[i] == 0 && config->pool_stride[i] == 0),
                              "%s: pool_kernel or pool_stride is set, but pool is FFEBM_POOL_NONE", what);
        FFEBMI_CHECK_ARGUMENT(context, config->pool_stride[i] == 0 || config->pool_stride[i] == config->pool_kernel[i],
                              "%s: its stride must equal its kernel", what);
        config->pool_stride[i] = config->pool_kernel[i];
        coupling->pool_window.kernel[i] = coupling->pool_window.stride[i] = config->pool_kernel[i];
    }
    if (coupling->pool == NULL)
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_window_check(context, &coupling->pool_window, what));
    return coupling->pool->has_switches ? ffebmi_window_check_places(context, config->pool_kernel, what) : FFEBM_OK;
}

static ffebm_status read_windows(ffebm_context *context, ffebmi_coupling *coupling)
{
    const ffebm_coupling_config *config = &coupling->config;

    for (size_t i = 0; i < 2; i++) {
        coupling->window.kernel[i] = config->kernel[i];
        coupling->window.stride[i] = config->stride[i];
        coupling->window.padding[i] = config->padding[i];
    }
    if (config->kernel[0] == 0)
        return FFEBM_OK;
    FFEBMI_TRY(read_pool(context, coupling));
    return ffebmi_window_check(context, &coupling->window, "conv2d coupling");
}

ffebm_status ffebmi_coupling_read(ffebm_context *context, ffebmi_coupling *coupling, const ffebm_coupling_config *from)
{
    ffebm_coupling_config *config = &coupling->config;
    ffebm_status status;

    FFEBMI_CHECK_ARGUMENT(context, from != NULL, "ffebm_energy_add_coupling: config is NULL");
    FFEBMI_TRY(ffebmi_settings_read(context, &ffebmi_coupling_settings, config, from));
    coupling->kind = ffebmi_coupling_kind_of(config->type);
    coupling->out = config->out;
    coupling->learnable =
        (ffebmi_learnable){.own = config->initialization, .bias = config->bias == 1, .frozen = config->frozen == 1};
    status = ffebmi_activation_check(context, config->activation);
    if (status == FFEBM_OK)
        status = read_windows(context, coupling);
    if (status != FFEBM_OK)
        ffebmi_settings_release(context, &ffebmi_coupling_settings, config);
    return status;
}

static ffebm_status make_room(ffebmi_hopfield *h)
{
    ffebmi_coupling *couplings =
        ffebmi_list_room(h->base.context, h->couplings, &h->coupling_capacity, h->coupling_count, 1, sizeof *couplings);

    if (couplings == NULL)
        return ffebmi_fail_memory(h->base.context, "a coupling");
    h->couplings = couplings;
    return FFEBM_OK;
}

/* Which of the layers that there are it joins. What is the default is kept as such, whichever way it was given. */
static ffebm_status read_layers(const ffebmi_hopfield *h, ffebmi_coupling *coupling)
{
    ffebm_context *context = h->base.context;
    ffebm_coupling_config *config = &coupling->config;
    size_t newest = h->layer_count - 1;

    if (config->from == newest)
        config->from = FFEBM_LAYER_NEWEST;
    coupling->layers.from = config->from == FFEBM_LAYER_NEWEST ? newest : config->from;
    coupling->layers.to = config->to == FFEBM_LAYER_NEW ? h->layer_count : config->to;
    FFEBMI_CHECK_ARGUMENT(context, coupling->layers.from <= newest, "%s coupling: from is %zu, the newest layer is %zu",
                          coupling->kind->name, config->from, newest);
    if (config->to == FFEBM_LAYER_NEW)
        return FFEBM_OK;
    FFEBMI_CHECK_ARGUMENT(context, config->to <= newest, "%s coupling: to is %zu, the newest layer is %zu",
                          coupling->kind->name, config->to, newest);
    FFEBMI_CHECK_ARGUMENT(context, coupling->layers.from < config->to,
                          "%s coupling: to is %zu, expected a layer above from, which is %zu", coupling->kind->name,
                          config->to, coupling->layers.from);
    FFEBMI_CHECK_ARGUMENT(context, config->activation == NULL,
                          "%s coupling: activation is set, but it joins layer %zu, which is there, expected NULL",
                          coupling->kind->name, config->to);
    return FFEBM_OK;
}

ffebm_status ffebm_energy_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config)
{
    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, block->kind->add_coupling != NULL, FFEBM_ERR_STATE,
                 "ffebm_energy_add_coupling: the block is %s, which takes no couplings", block->kind->type);
    return block->kind->add_coupling(block, config);
}

ffebm_status ffebmi_hopfield_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config)
{
    ffebmi_hopfield *h = (ffebmi_hopfield *)block;
    ffebmi_coupling coupling = {0};
    ffebm_status status;

    FFEBMI_TRY(make_room(h));
    FFEBMI_TRY(ffebmi_coupling_read(block->context, &coupling, config));
    status = read_layers(h, &coupling);
    if (status != FFEBM_OK) {
        ffebmi_settings_release(block->context, &ffebmi_coupling_settings, &coupling.config);
        return status;
    }
    h->couplings[h->coupling_count++] = coupling;
    if (coupling.layers.to == h->layer_count)
        h->layer_count++;
    return FFEBM_OK;
}

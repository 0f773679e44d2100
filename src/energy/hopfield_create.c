/* Public description of a Hopfield block: create it, add couplings. */
#include <math.h>
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

#define ACTIVATIONS(X) X("hard_sigmoid", FFEBM_ACTIVATION_HARD_SIGMOID)
FFEBMI_CHOICES(activations, ACTIVATIONS);
FFEBMI_CHOICES(all_pools, FFEBMI_POOLS);

#define FFEBMI_CONFIG ffebm_coupling_config
static const ffebmi_setting coupling_fields[] = {
    FFEBMI_FIELD_INITIALIZATION,   FFEBMI_FIELD_FROZEN,     FFEBMI_FIELD_OUT("out"), FFEBMI_FIELD_KERNEL,
    FFEBMI_FIELD_STRIDE("", 0, 0), FFEBMI_FIELD_PADDING,    FFEBMI_FIELD_BIAS,       FFEBMI_FIELD_POOL(all_pools),
    FFEBMI_FIELD_POOL_KERNEL,      FFEBMI_FIELD_POOL_STRIDE};

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
    FFEBMI_CHOICE_AS("activation.type", activation, "hard_sigmoid", FFEBM_ACTIVATION_HARD_SIGMOID, activations,
                     "what layers do with their input", FFEBMI_JSON("activation", FFEBMI_JSON_REQUIRED)),
    FFEBMI_FLAG(clamp_last, 0, "the last layer does it too, else it is linear"),
    FFEBMI_NUMBER_AS("activation.slope", slope, 0.25, FFEBMI_ABOVE(0), "", "of the activation",
                     FFEBMI_JSON("activation", 0))};
const ffebmi_settings ffebmi_hopfield_settings = FFEBMI_SETTINGS("hopfield", 0, hopfield_fields);

void ffebm_hopfield_config_init(ffebm_hopfield_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_hopfield_settings, config, size);
}

/* So that blocks settle, and go on settling while they learn, clamped layers begin amid their bounds, from 0 to 1 / slope in
 * what they feel: that range is the unit here, its square root that of weights below a layer without bounds, which answers
 * with them squared. Chosen by measurement: docs/settings.md. */
static const struct {
    double gain;
    double power; /* of the range, in the gain */
    double bias;
} places[FFEBMI_HOPFIELD_PLACES] = {
    [FFEBMI_BELOW_BLOCK] = {2, 1, 0.25},      [FFEBMI_IN_TAP] = {0.5, 1, 0},
    [FFEBMI_INSIDE] = {0.5, 1, 0.5},          [FFEBMI_TO_LAST] = {0.25, 0.5, 0},
    [FFEBMI_POOL_TO_LAST] = {0.25, 0.5, 0.5},
};

static ffebm_initialization first_values(ffebmi_hopfield_place place, double slope)
{
    return (ffebm_initialization){.size = sizeof(ffebm_initialization),
                                  .type = FFEBM_INITIALIZATION_UNIFORM,
                                  .gain = places[place].gain * pow(1 / slope, places[place].power),
                                  .constant_bias = 1,
                                  .bias = places[place].bias / slope};
}

ffebm_status ffebm_energy_create_hopfield(ffebm_context *context, ffebm_energy **block,
                                          const ffebm_hopfield_config *config)
{
    ffebm_hopfield_config c;
    ffebmi_hopfield *created;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_energy_create_hopfield: block is NULL");
    FFEBMI_TRY(ffebmi_settings_read(context, &ffebmi_hopfield_settings, &c, config));
    FFEBMI_TRY(ffebmi_energy_new(context, block, &ffebmi_energy_hopfield, sizeof *created));
    created = (ffebmi_hopfield *)*block;
    created->config = c;
    for (int place = 0; place < FFEBMI_HOPFIELD_PLACES; place++)
        created->first[place] = first_values((ffebmi_hopfield_place)place, c.slope);
    created->base.below = &created->first[FFEBMI_BELOW_BLOCK];
    created->base.in_taps = &created->first[FFEBMI_IN_TAP];
    return FFEBM_OK;
}

void ffebm_coupling_config_init(ffebm_coupling_config *config, size_t size, int32_t type)
{
    ffebmi_settings_init_type(&ffebmi_coupling_settings, config, size, type);
}

static ffebm_status read_pool(ffebm_context *context, ffebmi_coupling *coupling)
{
    static const char what[] = "conv2d coupling, its pool";
    ffebm_coupling_config *config = &coupling->config;

    coupling->pooled = config->pool != FFEBM_POOL_NONE;
    for (size_t i = 0; i < 2; i++) {
        FFEBMI_CHECK_ARGUMENT(context, coupling->pooled || (config->pool_kernel[i] == 0 && config->pool_stride[i] == 0),
                              "%s: pool_kernel or pool_stride is set, but pool is FFEBM_POOL_NONE", what);
        FFEBMI_CHECK_ARGUMENT(context, config->pool_stride[i] == 0 || config->pool_stride[i] == config->pool_kernel[i],
                              "%s: its stride must equal its kernel", what);
        config->pool_stride[i] = config->pool_kernel[i];
        coupling->pool.kernel[i] = coupling->pool.stride[i] = config->pool_kernel[i];
    }
    if (!coupling->pooled)
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_window_check(context, &coupling->pool, what));
    return ffebmi_window_check_places(context, coupling->pool.kernel, what);
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

/* The last coupling is another one than before. */
static void place_couplings(ffebmi_hopfield *h)
{
    for (size_t i = h->coupling_count > 1 ? h->coupling_count - 2 : 0; i < h->coupling_count; i++) {
        ffebmi_coupling *coupling = &h->couplings[i];
        ffebmi_hopfield_place last = coupling->pooled ? FFEBMI_POOL_TO_LAST : FFEBMI_TO_LAST;
        bool inside = h->config.clamp_last == 1 || i + 1 < h->coupling_count;

        coupling->learnable.placed = &h->first[inside ? FFEBMI_INSIDE : last];
    }
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

    FFEBMI_TRY(make_room(h));
    FFEBMI_TRY(ffebmi_coupling_read(block->context, &coupling, config));
    h->couplings[h->coupling_count++] = coupling;
    place_couplings(h);
    return FFEBM_OK;
}

/* Public description of a resistive block: create it, add couplings. */
#include <math.h>

#include "core/context.h"
#include "core/list.h"
#include "energy/resistive.h"

#define FFEBMI_CONFIG ffebm_resistive_config
#define inf INFINITY /* as texts have it */

static const ffebmi_setting fields[] = {
    FFEBMI_NUMBER(input_gain, 1, FFEBMI_ABOVE(0), "V", "voltage of a source where x is 1"),
    FFEBMI_NUMBER(g_min, 0, FFEBMI_FROM(0), "S", "the least conductance, which optimizers keep"),
    FFEBMI_NUMBER_AS("g_max", g_max, inf, FFEBMI_ABOVE_TO(0, INFINITY), "S", "the largest likewise",
                     FFEBMI_JSON(NULL, FFEBMI_JSON_SPARSE)),
    FFEBMI_NUMBER_AS("diode.threshold", diode_threshold, 0, FFEBMI_FROM(0), "V", "where a diode begins to conduct",
                     FFEBMI_JSON("diode", FFEBMI_JSON_SPARSE)),
    FFEBMI_NUMBER_AS("diode.conductance", diode_conductance, inf, FFEBMI_ABOVE_TO(0, INFINITY), "S",
                     "of a diode that conducts; infinite: an ideal one", FFEBMI_JSON("diode", FFEBMI_JSON_SPARSE)),
    FFEBMI_NUMBER(amplifier, 1, FFEBMI_ABOVE(0), "", "voltage gain behind every layer but the last"),
    FFEBMI_FLAG(paired_input, 1, "sources hold x and -x, else x alone"),
    FFEBMI_FLAG(clamp_last, 0, "the last layer has diodes as the others"),
};
const ffebmi_settings ffebmi_resistive_settings = FFEBMI_SETTINGS("resistive", 0, fields);

void ffebm_resistive_config_init(ffebm_resistive_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_resistive_settings, config, size);
}

static ffebm_status read_config(ffebm_context *context, ffebm_resistive_config *to, const ffebm_resistive_config *from)
{
    FFEBMI_TRY(ffebmi_settings_read(context, &ffebmi_resistive_settings, to, from));
    FFEBMI_CHECK_ARGUMENT(context, to->g_min <= to->g_max,
                          "resistive: g_min is %g and g_max %g, expected no more than that", to->g_min, to->g_max);
    FFEBMI_CHECK_ARGUMENT(context, to->diode_threshold == 0 || isfinite(to->diode_conductance),
                          "resistive: diode_threshold is %g without a diode_conductance: an ideal diode has none",
                          to->diode_threshold);
    return FFEBM_OK;
}

ffebm_status ffebm_energy_create_resistive(ffebm_context *context, ffebm_energy **block,
                                           const ffebm_resistive_config *config)
{
    ffebm_resistive_config c;
    ffebmi_resistive *created;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_energy_create_resistive: block is NULL");
    FFEBMI_TRY(read_config(context, &c, config));
    FFEBMI_TRY(ffebmi_energy_new(context, block, &ffebmi_energy_resistive, sizeof *created));
    created = (ffebmi_resistive *)*block;
    created->config = c;
    created->first = (ffebm_initialization){
        .size = sizeof created->first, .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 1, .constant_bias = 1};
    return FFEBM_OK;
}

/* Only dense couplings that add a layer. */
static ffebm_status check_coupling(ffebm_context *context, const ffebmi_coupling *coupling)
{
    FFEBMI_CHECK_ARGUMENT(context, coupling->kind == &ffebmi_coupling_dense,
                          "resistive: a coupling is %s, expected dense", coupling->kind->name);
    FFEBMI_CHECK(context, coupling->config.from == FFEBM_LAYER_NEWEST && coupling->config.to == FFEBM_LAYER_NEW,
                 FFEBM_ERR_UNSUPPORTED, "resistive: a coupling has from or to, but layers are a chain");
    FFEBMI_CHECK_ARGUMENT(context, coupling->config.activation == NULL,
                          "resistive: a coupling has an activation, expected NULL: nodes have diodes");
    return FFEBM_OK;
}

ffebm_status ffebmi_resistive_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config)
{
    ffebmi_resistive *r = (ffebmi_resistive *)block;
    ffebmi_coupling coupling = {0}, *couplings;
    ffebm_status status;

    couplings =
        ffebmi_list_room(block->context, r->couplings, &r->coupling_capacity, r->coupling_count, 1, sizeof *couplings);
    if (couplings == NULL)
        return ffebmi_fail_memory(block->context, "a coupling");
    r->couplings = couplings;
    FFEBMI_TRY(ffebmi_coupling_read(block->context, &coupling, config));
    status = check_coupling(block->context, &coupling);
    if (status != FFEBM_OK) {
        ffebmi_settings_release(block->context, &ffebmi_coupling_settings, &coupling.config);
        return status;
    }
    coupling.learnable.placed = &r->first;
    r->couplings[r->coupling_count++] = coupling;
    return FFEBM_OK;
}

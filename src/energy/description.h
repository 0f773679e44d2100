/* Energy blocks in a model description. The kinds themselves know no JSON: a build may leave out all that does. */
#ifndef FFEBMI_ENERGY_DESCRIPTION_H
#define FFEBMI_ENERGY_DESCRIPTION_H

#include "energy/coupling.h"
#include "json/json.h"

/* How blocks of a kind stand there. */
typedef struct ffebmi_energy_description {
    const ffebmi_energy_kind *kind; /* its `type` is the object's "type" */
    /* Give the object all that makes the block, but for its "type"; false without memory. `common` is as in
     * ffebmi_learnable_drawn. */
    bool (*describe)(const ffebm_energy *block, const ffebm_initialization *common, cJSON *to);
    /* OPTIONAL: make a block of that object; the error text begins with `where`. Without it a description can name such a
     * block but not bring it. */
    ffebm_status (*parse)(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where);
} ffebmi_energy_description;

extern const ffebmi_energy_description ffebmi_hopfield_description;
extern const ffebmi_energy_description ffebmi_resistive_description;
extern const ffebmi_energy_description ffebmi_user_description;

/* Those of all kinds, with a NULL behind them (energy/descriptions.c). */
const ffebmi_energy_description *const *ffebmi_energy_descriptions(void);

/* Make the block that an object describes, and the object of a block (NULL without memory). `where` ("stage 2") begins the
 * error text. */
ffebm_status ffebmi_energy_parse(ffebm_context *context, ffebm_energy **block, const cJSON *json, const char *where);
cJSON *ffebmi_energy_describe(const ffebm_energy *block, const ffebm_initialization *common);

/* Add all couplings of an array to a block; the error text begins with `where`. And make that array, NULL without memory. */
ffebm_status ffebmi_couplings_parse(ffebm_energy *block, const cJSON *couplings, const char *where);
cJSON *ffebmi_couplings_describe(const ffebmi_coupling *couplings, size_t count, const ffebm_initialization *common);

#endif

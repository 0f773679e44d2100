/* A gradient laid out as a model's flat parameters: what the engine makes and an optimizer takes. */
#ifndef FFEBMI_GRADIENT_FLAT_GRADIENT_H
#define FFEBMI_GRADIENT_FLAT_GRADIENT_H

#include <ffebm/gradient.h>

#include "model/model.h"

typedef struct ffebmi_flat_gradient {
    const ffebm_model *model;
    void *values;
    void *
        totals; /* as values, of stages that keep phases: sums of the readings whose difference these are; NULL: none does */
    bool phases; /* no energy stage was differentiated implicitly, without any */
    bool quiet;  /* the engine leaves out what devices draw anew */
    bool valid;  /* the last call that writes it succeeded */
} ffebmi_flat_gradient;

/* The engine's; defined there. */
const ffebmi_flat_gradient *ffebmi_engine_gradient(const ffebm_engine *engine);

#endif

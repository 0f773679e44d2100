#include "recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"

enum { PREFIX = 128 };

ffebm_status recipe_configure(ffebm_engine *engine, const ffebm_model *model, const ffebm_equilibrium_config *config)
{
    const size_t last = fit_find_energy(model);
    ffebm_equilibrium_config held = *config;
    ffebm_status status;

    if (config->nudging != FFEBM_NUDGING_LOSS || last == FFEBM_NONE)
        return ffebm_engine_configure(engine, FFEBM_ALL, config);
    held.nudging = FFEBM_NUDGING_LINEAR;
    status = ffebm_engine_configure(engine, FFEBM_ALL, &held);
    return status == FFEBM_OK ? ffebm_engine_configure(engine, last, config) : status;
}

/* Take the next part of "part,part,...". Returns where the one after it begins, NULL if it does not fit. */
static const char *next_part(char part[PREFIX], const char *list)
{
    size_t length = strcspn(list, ",");

    if (length == 0 || length >= PREFIX)
        return NULL;
    memcpy(part, list, length);
    part[length] = '\0';
    return list[length] == ',' ? list + length + 1 : list + length;
}

/* Split "PREFIX=RATE[:DECAY]" at its "=". */
static int read_factors(char *part, double *rate, double *decay)
{
    char *equals = strchr(part, '='), *end;

    if (equals == NULL)
        return -1;
    *equals = '\0';
    *rate = strtod(equals + 1, &end);
    *decay = 1;
    if (end == equals + 1)
        return -1;
    if (*end == ':') {
        char *from = end + 1;

        *decay = strtod(from, &end);
        if (end == from)
            return -1;
    }
    return *end == '\0' ? 0 : -1;
}

static int set_rates(ffebm_optimizer *optimizer, ffebm_context *context, const char *rates, struct failure *failure)
{
    char part[PREFIX];
    double rate, decay;

    for (const char *at = rates; *at != '\0';) {
        at = next_part(part, at);
        if (at == NULL || read_factors(part, &rate, &decay) != 0)
            return failure_set(failure, "--rates %s: expected PREFIX=RATE[:DECAY],...", rates);
        if (ffebm_optimizer_set_multipliers(optimizer, part, rate, decay) != FFEBM_OK)
            return failure_set(failure, "--rates %s: %s", part, ffebm_context_error(context));
    }
    return 0;
}

static int freeze(ffebm_optimizer *optimizer, ffebm_context *context, const char *frozen, struct failure *failure)
{
    char part[PREFIX];

    for (const char *at = frozen; *at != '\0';) {
        at = next_part(part, at);
        if (at == NULL)
            return failure_set(failure, "--freeze %s: expected PREFIX,...", frozen);
        if (ffebm_optimizer_set_multipliers(optimizer, part, 0, 0) != FFEBM_OK)
            return failure_set(failure, "--freeze %s: %s", part, ffebm_context_error(context));
    }
    return 0;
}

int recipe_rates(ffebm_optimizer *optimizer, ffebm_context *context, const char *rates, const char *frozen,
                 struct failure *failure)
{
    if (rates != NULL && set_rates(optimizer, context, rates, failure) != 0)
        return -1;
    return frozen != NULL ? freeze(optimizer, context, frozen, failure) : 0;
}

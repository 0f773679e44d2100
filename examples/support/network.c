#include "network.h"

#include <string.h>

enum { SHOWN = 80 }; /* characters of each description */

struct part {
    const char *text;
    size_t length;
};

/* A canonical description has its keys in this order: dtype, input, loss, initialization, recipe, stages. */
static struct part before_initialization(const char *description)
{
    return (struct part){description, (size_t)(strstr(description, "\"initialization\"") - description)};
}

static struct part from_stages(const char *description)
{
    const char *stages = strstr(description, "\"stages\"");

    return (struct part){stages, strlen(stages)};
}

/* Show both from where the key, or the item of a list, begins in which they differ. */
static int compare(struct part given, struct part wanted, const char *name, struct failure *failure)
{
    size_t at = 0, key = 0;

    for (; at < given.length && at < wanted.length && given.text[at] == wanted.text[at]; at++) {
        if (given.text[at] == ',' || given.text[at] == '{')
            key = at + 1;
    }
    if (at == given.length && at == wanted.length)
        return 0;
    return failure_set(failure, "%s: another network than that to resume: %.*s.., expected %.*s..", name, SHOWN,
                       given.text + key, SHOWN, wanted.text + key);
}

int network_compare(ffebm_context *context, ffebm_model *model, ffebm_model *expected, const char *name,
                    struct failure *failure)
{
    const char *given, *wanted;

    if (ffebm_model_description(model, &given, NULL) != FFEBM_OK ||
        ffebm_model_description(expected, &wanted, NULL) != FFEBM_OK)
        return failure_set(failure, "%s", ffebm_context_error(context));
    if (compare(before_initialization(given), before_initialization(wanted), name, failure) != 0)
        return -1;
    return compare(from_stages(given), from_stages(wanted), name, failure);
}

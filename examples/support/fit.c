#include <inttypes.h>
#include <stdio.h>

#include "fit.h"

/* Count the elements of a shape, and put it into words, as in "[1, 28, 28]". */
static size_t count_shape(char *words, size_t capacity, const int64_t *shape, size_t rank)
{
    size_t count = 1, used = 0;

    for (size_t i = 0; i < rank; i++) {
        count *= (size_t)shape[i];
        used += (size_t)snprintf(words + used, capacity - used, "%s%" PRId64, i == 0 ? "[" : ", ", shape[i]);
    }
    snprintf(words + used, capacity - used, "]");
    return count;
}

int fit_check(const ffebm_model *model, const struct dataset *data, const char *name, struct failure *failure)
{
    ffebm_model_info info = {.size = sizeof info};
    char words[FFEBM_MAX_RANK * 24];

    ffebm_model_inspect(model, &info);
    if (count_shape(words, sizeof words, info.input_shape, info.input_rank) != data->sample_size)
        return failure_set(failure, "the model's input %s does not fit data set %s, images of [%zu, %zu, %zu]", words,
                           name, data->channels, data->height, data->width);
    if (count_shape(words, sizeof words, info.output_shape, info.output_rank) != (size_t)data->classes)
        return failure_set(failure, "the model's output %s does not fit data set %s of %" PRId64 " classes", words,
                           name, data->classes);
    return 0;
}

size_t fit_find_energy(const ffebm_model *model)
{
    ffebm_stage_info stage = {.size = sizeof stage};
    size_t last = FFEBM_NONE;

    for (size_t i = 0; ffebm_model_inspect_stage(model, &stage, i) == FFEBM_OK; i++) {
        if (stage.kind == FFEBM_STAGE_ENERGY)
            last = i;
    }
    return last;
}

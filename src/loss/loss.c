#include "loss/loss.h"

#include <string.h>

static const ffebmi_loss_kind kinds[] = {
    {.type = FFEBM_LOSS_NONE, .name = "none"},
    {.type = FFEBM_LOSS_CROSS_ENTROPY,
     .name = "cross_entropy",
     .needs_classes = true,
     .most_curved = 0.5,
     .f32 = ffebmi_cross_entropy_f32,
     .f64 = ffebmi_cross_entropy_f64},
    {.type = FFEBM_LOSS_MSE,
     .name = "mse",
     .curvature = 1,
     .most_curved = 1,
     .f32 = ffebmi_mse_f32,
     .f64 = ffebmi_mse_f64},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

const ffebmi_loss_kind *ffebmi_loss_kind_of(int32_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

const ffebmi_loss_kind *ffebmi_loss_kind_named(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *ffebmi_loss_kind_name(size_t index)
{
    return index < KIND_COUNT ? kinds[index].name : NULL;
}

#include "tensor/parameter.h"

#include <inttypes.h>
#include <math.h>

#include "core/context.h"
#include "core/sized.h"

static const ffebm_initialization defaults = {.size = sizeof defaults, .gain = 1, .type = FFEBM_INITIALIZATION_UNIFORM};

void ffebm_initialization_init(ffebm_initialization *initialization, size_t size)
{
    ffebmi_sized_init(initialization, size, &defaults, sizeof defaults);
}

ffebm_status ffebmi_initialization_read(ffebm_context *context, ffebm_initialization *to, const char *what,
                                        const ffebm_initialization *from)
{
    ffebm_initialization read = defaults;

    FFEBMI_TRY(ffebmi_sized_read(context, what, &read, sizeof read, from));
    FFEBMI_CHECK_ARGUMENT(context, read.type == FFEBM_INITIALIZATION_UNIFORM,
                          "%s: initialization type %" PRId32 " is none of FFEBM_INITIALIZATION_", what, read.type);
    FFEBMI_CHECK_ARGUMENT(context, isfinite(read.gain) && read.gain > 0,
                          "%s: initialization gain %g, expected a positive number", what, read.gain);
    FFEBMI_CHECK_ARGUMENT(context, isfinite(read.bias), "%s: initialization bias %g, expected a number", what,
                          read.bias);
    FFEBMI_CHECK_ARGUMENT(context, read.constant_bias == 0 || read.constant_bias == 1,
                          "%s: initialization constant_bias %" PRId32 ", expected 0 or 1", what, read.constant_bias);
    *to = read;
    return FFEBM_OK;
}

ffebm_status ffebmi_learnable_read(ffebm_context *context, ffebmi_learnable *to, const char *what, bool has_parameters,
                                   int32_t bias, int32_t frozen, const ffebm_initialization *initialization)
{
    FFEBMI_CHECK_ARGUMENT(context, has_parameters || bias == 0, "%s has no parameters, but bias is %" PRId32, what,
                          bias);
    FFEBMI_CHECK_ARGUMENT(context, has_parameters || frozen == 0, "%s has no parameters, but frozen is %" PRId32, what,
                          frozen);
    FFEBMI_CHECK_ARGUMENT(context, has_parameters || initialization == NULL,
                          "%s has no parameters, but an initialization", what);
    FFEBMI_CHECK_ARGUMENT(context, bias == 0 || bias == 1, "%s: bias %" PRId32 ", expected 0 or 1", what, bias);
    FFEBMI_CHECK_ARGUMENT(context, frozen == 0 || frozen == 1, "%s: frozen %" PRId32 ", expected 0 or 1", what, frozen);
    FFEBMI_TRY(ffebmi_initialization_read(context, &to->initialization, what, initialization));
    to->own_initialization = initialization != NULL;
    to->bias = bias == 1;
    to->frozen = frozen == 1;
    return FFEBM_OK;
}

ffebm_status ffebmi_dense_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                     int64_t out, size_t in)
{
    int64_t dims[2] = {out, in > INT64_MAX ? INT64_MAX : (int64_t)in};

    parameters[0] = (ffebmi_parameter){.name = "weight", .role = FFEBMI_WEIGHT, .fan_in = in};
    parameters[1] = (ffebmi_parameter){.name = "bias", .role = FFEBMI_BIAS, .fan_in = in};
    FFEBMI_TRY(ffebmi_shape_set(context, &parameters[0].shape, dims, 2, what));
    return ffebmi_shape_set(context, &parameters[1].shape, dims, 1, what);
}

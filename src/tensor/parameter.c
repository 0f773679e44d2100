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
    FFEBMI_CHECK_ARGUMENT(context, read.type == FFEBM_INITIALIZATION_UNIFORM || read.type == FFEBM_INITIALIZATION_GOE,
                          "%s: initialization type %" PRId32 " is none of FFEBM_INITIALIZATION_", what, read.type);
    FFEBMI_CHECK_ARGUMENT(context, isfinite(read.gain) && read.gain > 0,
                          "%s: initialization gain %g, expected a positive number", what, read.gain);
    FFEBMI_CHECK_ARGUMENT(context,
                          isfinite(read.variance) &&
                              (read.type == FFEBM_INITIALIZATION_GOE ? read.variance > 0 : read.variance == 0),
                          "%s: initialization variance %g, expected %s", what, read.variance,
                          read.type == FFEBM_INITIALIZATION_GOE ? "a positive number" : "0, only GOE reads it");
    FFEBMI_CHECK_ARGUMENT(context, isfinite(read.bias), "%s: initialization bias %g, expected a number", what,
                          read.bias);
    FFEBMI_CHECK_ARGUMENT(context, read.constant_bias == 0 || read.constant_bias == 1,
                          "%s: initialization constant_bias %" PRId32 ", expected 0 or 1", what, read.constant_bias);
    *to = read;
    return FFEBM_OK;
}

ffebm_status ffebmi_check_unread(ffebm_context *context, const char *what, const char *field, bool read, double value)
{
    FFEBMI_CHECK_ARGUMENT(context, read || value == 0, "%s does not read %s, which is %g", what, field, value);
    return FFEBM_OK;
}

ffebm_status ffebmi_learnable_read(ffebm_context *context, ffebmi_learnable *to, const char *what, unsigned reads,
                                   int32_t bias, int32_t frozen, const ffebm_initialization *initialization)
{
    FFEBMI_TRY(ffebmi_check_unread(context, what, "bias", reads & FFEBMI_READS_BIAS, bias));
    FFEBMI_TRY(ffebmi_check_unread(context, what, "frozen", reads & FFEBMI_READS_FROZEN, frozen));
    FFEBMI_CHECK_ARGUMENT(context, (reads & FFEBMI_READS_BIAS) || initialization == NULL,
                          "%s does not read initialization, which is not NULL", what);
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

ffebm_status ffebmi_conv_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                    int64_t out, int64_t in, const int64_t kernel[2])
{
    int64_t dims[4] = {out, in, kernel[0], kernel[1]};
    size_t fan_in;

    parameters[0] = (ffebmi_parameter){.name = "weight", .role = FFEBMI_WEIGHT, .of_conv = true};
    parameters[1] = (ffebmi_parameter){.name = "bias", .role = FFEBMI_BIAS, .of_conv = true};
    FFEBMI_TRY(ffebmi_shape_set(context, &parameters[0].shape, dims, 4, what));
    FFEBMI_TRY(ffebmi_shape_set(context, &parameters[1].shape, dims, 1, what));
    fan_in = parameters[0].shape.count / (size_t)out;
    parameters[0].fan_in = parameters[1].fan_in = fan_in;
    return FFEBM_OK;
}

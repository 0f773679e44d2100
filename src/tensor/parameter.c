#include "tensor/parameter.h"

#include "core/context.h"
#include "core/sized.h"

#define FFEBMI_CONFIG ffebm_initialization
#define TYPES(X)                                                                                                       \
    X("uniform", FFEBM_INITIALIZATION_UNIFORM)                                                                         \
    X("goe", FFEBM_INITIALIZATION_GOE)
FFEBMI_CHOICES(types, TYPES);

static const ffebmi_setting list[] = {
    FFEBMI_CHOICE_AS("type", type, "uniform", FFEBM_INITIALIZATION_UNIFORM, types, "how weights are drawn",
                     FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED)),
    FFEBMI_FLAG_AS("constant_bias", constant_bias, 0, "all biases are `bias`, else drawn as the type says",
                   FFEBMI_JSON(NULL, FFEBMI_JSON_NONE)),
    FFEBMI_NUMBER(gain, 1, FFEBMI_ABOVE(0), "", "factor of what is drawn"),
    FFEBMI_NUMBER_AS("variance", variance, 0, FFEBMI_FROM(0), "", "of goe, which needs one; of others 0",
                     FFEBMI_JSON(NULL, FFEBMI_JSON_SPARSE)),
    FFEBMI_NUMBER_AS("bias", bias, 0, FFEBMI_FINITE, "", "the value of every bias, with constant_bias",
                     .given = offsetof(ffebm_initialization, constant_bias)),
};
const ffebmi_settings ffebmi_initialization_settings = FFEBMI_SETTINGS("initialization", 0, list);

void ffebm_initialization_init(ffebm_initialization *initialization, size_t size)
{
    ffebmi_settings_init(&ffebmi_initialization_settings, initialization, size);
}

ffebm_status ffebmi_initialization_read(ffebm_context *context, ffebm_initialization *to, const char *what,
                                        const ffebm_initialization *from)
{
    const ffebmi_settings *table = &ffebmi_initialization_settings;
    ffebm_initialization read;
    bool goe;

    ffebmi_settings_init(table, &read, sizeof read);
    FFEBMI_TRY(ffebmi_sized_read(context, what, &read, sizeof read, from));
    FFEBMI_TRY(ffebmi_settings_check(context, table, what, &read));
    goe = read.type == FFEBM_INITIALIZATION_GOE;
    FFEBMI_CHECK_ARGUMENT(context, !goe || read.variance > 0,
                          "%s: initialization variance is %g, expected more than 0 with goe", what, read.variance);
    FFEBMI_CHECK_ARGUMENT(context, goe || read.variance == 0,
                          "%s: initialization variance is %g, expected 0, only goe reads it", what, read.variance);
    *to = read;
    return FFEBM_OK;
}

ffebm_status ffebmi_learnable_read(ffebm_context *context, ffebmi_learnable *to, const char *what, int32_t bias,
                                   int32_t frozen, const ffebm_initialization *initialization)
{
    FFEBMI_TRY(ffebmi_initialization_read(context, &to->initialization, what, initialization));
    to->own_initialization = initialization != NULL;
    to->bias = bias == 1;
    to->frozen = frozen == 1;
    return FFEBM_OK;
}

bool ffebmi_learnable_drawn_alone(const ffebmi_learnable *learnable, const ffebm_initialization *common)
{
    return learnable->own_initialization || (common == NULL && learnable->placed != NULL);
}

const ffebm_initialization *ffebmi_learnable_drawn(const ffebmi_learnable *learnable,
                                                   const ffebm_initialization *common)
{
    static const ffebm_initialization elsewhere = {
        .size = sizeof elsewhere, .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 1};

    if (learnable->own_initialization)
        return &learnable->initialization;
    if (common != NULL)
        return common;
    return learnable->placed != NULL ? learnable->placed : &elsewhere;
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

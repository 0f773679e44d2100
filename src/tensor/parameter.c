#include "tensor/parameter.h"

#include "core/context.h"

#define FFEBMI_CONFIG ffebm_initialization
#define TYPES(X)                                                                                                       \
    X("uniform", FFEBM_INITIALIZATION_UNIFORM)                                                                         \
    X("goe", FFEBM_INITIALIZATION_GOE)
FFEBMI_CHOICES(types, TYPES);

#define TYPE                                                                                                           \
    FFEBMI_CHOICE_AS("type", type, "uniform", FFEBM_INITIALIZATION_UNIFORM, types, "how weights are drawn",            \
                     FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define CONSTANT_BIAS                                                                                                  \
    FFEBMI_FLAG_AS("constant_bias", constant_bias, 0, "all biases are `bias`, else drawn as the type says",            \
                   FFEBMI_JSON(NULL, FFEBMI_JSON_NONE))
#define GAIN FFEBMI_NUMBER(gain, 1, FFEBMI_ABOVE(0), "", "factor of what is drawn")
#define VARIANCE(within)                                                                                               \
    FFEBMI_NUMBER_AS("variance", variance, 0, within(0), "", "of goe, which needs one; of others 0",                   \
                     FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define BIAS                                                                                                           \
    FFEBMI_NUMBER_AS("bias", bias, 0, FFEBMI_ABOVE(-INFINITY), "", "the value of every bias, with constant_bias",      \
                     .given = offsetof(ffebm_initialization, constant_bias))

static const ffebmi_setting uniform_list[] = {TYPE, CONSTANT_BIAS, GAIN, BIAS};
static const ffebmi_setting goe_list[] = {TYPE, CONSTANT_BIAS, GAIN, VARIANCE(FFEBMI_ABOVE), BIAS};
static const ffebmi_setting list[] = {TYPE, CONSTANT_BIAS, GAIN, VARIANCE(FFEBMI_FROM), BIAS};

static const ffebmi_settings uniform = FFEBMI_SETTINGS(NULL, 0, uniform_list);
static const ffebmi_settings goe = FFEBMI_SETTINGS(NULL, 0, goe_list);

static const ffebmi_settings *of_type(int32_t type)
{
    return type == FFEBM_INITIALIZATION_UNIFORM ? &uniform : type == FFEBM_INITIALIZATION_GOE ? &goe : NULL;
}

const ffebmi_settings ffebmi_initialization_settings = {
    FFEBMI_SETTINGS_IN("initialization", 0, list), .of_type = of_type, .type = offsetof(ffebm_initialization, type)};

void ffebm_initialization_init(ffebm_initialization *initialization, size_t size)
{
    ffebmi_settings_init_type(&ffebmi_initialization_settings, initialization, size, FFEBM_INITIALIZATION_UNIFORM);
}

const ffebm_initialization *ffebmi_learnable_drawn_alone(const ffebmi_learnable *learnable,
                                                         const ffebm_initialization *common)
{
    if (learnable->own != NULL)
        return learnable->own;
    return common == NULL ? learnable->placed : NULL;
}

const ffebm_initialization *ffebmi_learnable_drawn(const ffebmi_learnable *learnable,
                                                   const ffebm_initialization *common)
{
    static const ffebm_initialization elsewhere = {
        .size = sizeof elsewhere, .type = FFEBM_INITIALIZATION_UNIFORM, .gain = 1};
    const ffebm_initialization *alone = ffebmi_learnable_drawn_alone(learnable, common);

    if (alone != NULL)
        return alone;
    return common != NULL ? common : &elsewhere;
}

ffebm_status ffebmi_dense_parameters(ffebm_context *context, ffebmi_parameter parameters[2], const char *what,
                                     int64_t out, size_t in)
{
    int64_t dims[2] = {out, in < SIZE_MAX / 2 ? (int64_t)in : INT64_MAX};

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

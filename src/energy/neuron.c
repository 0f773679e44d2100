/* The kinds of neurons. A new one is an entry here, its type in energy.h and, unless a rule there is serves it, its numbers in
 * arrays/neurons.inc. */
#include "energy/neuron.h"

#include <math.h>

#include "core/context.h"
#include "tensor/doubles.h"

#define FFEBMI_CONFIG ffebm_activation
#define TYPES(X)                                                                                                       \
    X("hard_sigmoid", FFEBM_ACTIVATION_HARD_SIGMOID)                                                                   \
    X("relu", FFEBM_ACTIVATION_RELU)                                                                                   \
    X("identity", FFEBM_ACTIVATION_IDENTITY)                                                                           \
    X("sigmoid", FFEBM_ACTIVATION_SIGMOID)                                                                             \
    X("tanh", FFEBM_ACTIVATION_TANH)
FFEBMI_CHOICES(neuron_types, TYPES);

#define TYPE                                                                                                           \
    FFEBMI_CHOICE_AS("type", type, "hard_sigmoid", FFEBM_ACTIVATION_HARD_SIGMOID, neuron_types,                        \
                     "how drives become states", FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define SLOPE FFEBMI_NUMBER(slope, 0.25, FFEBMI_ABOVE(0), "", "how steeply")
#define BOUND(member, start, text)                                                                                     \
    FFEBMI_NUMBER_AS(#member, member, start, FFEBMI_ABOVE(-INFINITY), "", text, FFEBMI_JSON(NULL, FFEBMI_JSON_SPARSE))

static const ffebmi_setting bounded[] = {TYPE, SLOPE, BOUND(lower, 0, "of hard_sigmoid: its least state"),
                                         BOUND(upper, 1, "of hard_sigmoid: its largest state")};
static const ffebmi_setting unbounded[] = {TYPE, SLOPE};

/* ---------------------------------------------------------------------------------------------------------------- G */

static double quadratic(const ffebmi_arrays *arrays, double slope, size_t units, const void *row)
{
    return arrays->dot(units, row, row) / (2 * slope);
}

static double x_log_x(double x)
{
    return x > 0 ? x * log(x) : 0;
}

static double of_sigmoid(const ffebmi_arrays *arrays, double slope, size_t units, const void *row)
{
    double sum = 0;

    for (size_t i = 0; i < units; i++) {
        double s = ffebmi_number_at(arrays->element, row, i);

        sum += x_log_x(s) + x_log_x(1 - s);
    }
    return sum / slope;
}

static double of_tanh(const ffebmi_arrays *arrays, double slope, size_t units, const void *row)
{
    double sum = 0;

    for (size_t i = 0; i < units; i++) {
        double s = ffebmi_number_at(arrays->element, row, i);

        sum += x_log_x(1 + s) + x_log_x(1 - s);
    }
    return sum / (2 * slope);
}

/* ------------------------------------------------------------------------------------------------------------ kinds */

static const ffebmi_neuron_kind kinds[] = {
    {.type = FFEBM_ACTIVATION_HARD_SIGMOID,
     .settings = FFEBMI_SETTINGS("hard_sigmoid activation", 0, bounded),
     .rule = FFEBMI_NEURON_CLAMPED,
     .own_bounds = true,
     .regions = true,
     .steepest = 1,
     .energy = quadratic},
    {.type = FFEBM_ACTIVATION_RELU,
     .settings = FFEBMI_SETTINGS("relu activation", 0, unbounded),
     .rule = FFEBMI_NEURON_CLAMPED,
     .lower = 0,
     .upper = INFINITY,
     .regions = true,
     .steepest = 1,
     .energy = quadratic},
    {.type = FFEBM_ACTIVATION_IDENTITY,
     .settings = FFEBMI_SETTINGS("identity activation", 0, unbounded),
     .rule = FFEBMI_NEURON_CLAMPED,
     .lower = -INFINITY,
     .upper = INFINITY,
     .steepest = 1,
     .energy = quadratic},
    {.type = FFEBM_ACTIVATION_SIGMOID,
     .settings = FFEBMI_SETTINGS("sigmoid activation", 0, unbounded),
     .rule = FFEBMI_NEURON_SIGMOID,
     .lower = 0,
     .upper = 1,
     .steepest = 0.25,
     .centred = true,
     .energy = of_sigmoid},
    {.type = FFEBM_ACTIVATION_TANH,
     .settings = FFEBMI_SETTINGS("tanh activation", 0, unbounded),
     .rule = FFEBMI_NEURON_TANH,
     .lower = -1,
     .upper = 1,
     .steepest = 1,
     .energy = of_tanh},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static const ffebmi_neuron_kind *kind_of(int32_t type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* ----------------------------------------------------------------------------------------------- the public struct */

static const ffebmi_settings *settings_of(int32_t type)
{
    const ffebmi_neuron_kind *kind = kind_of(type);

    return kind == NULL ? NULL : &kind->settings;
}

const ffebmi_settings ffebmi_activation_settings = {
    FFEBMI_SETTINGS_IN("activation", offsetof(ffebm_activation, reserved_), bounded), .of_type = settings_of,
    .type = offsetof(ffebm_activation, type)};

void ffebm_activation_init(ffebm_activation *activation, size_t size, int32_t type)
{
    ffebmi_settings_init_type(&ffebmi_activation_settings, activation, size, type);
}

ffebm_status ffebmi_activation_check(ffebm_context *context, const ffebm_activation *a)
{
    FFEBMI_CHECK_ARGUMENT(context, a == NULL || !kind_of(a->type)->own_bounds || a->lower < a->upper,
                          "%s: lower is %.15g, expected less than upper, which is %.15g",
                          kind_of(a->type)->settings.name, a->lower, a->upper);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------- neurons of a layer */

ffebmi_layer_neurons ffebmi_neurons_of(const ffebm_activation *activation)
{
    const ffebmi_neuron_kind *kind = kind_of(activation->type);

    return (ffebmi_layer_neurons){.kind = kind,
                                  .neuron = {.rule = kind->rule,
                                             .slope = activation->slope,
                                             .lower = kind->own_bounds ? activation->lower : kind->lower,
                                             .upper = kind->own_bounds ? activation->upper : kind->upper}};
}

double ffebmi_neurons_energy(const ffebmi_layer_neurons *of, const ffebmi_arrays *arrays, size_t units, const void *row)
{
    return of->kind->energy(arrays, of->neuron.slope, units, row);
}

size_t ffebmi_neurons_saturated(const ffebmi_layer_neurons *of, const ffebmi_arrays *arrays, size_t count,
                                const void *state)
{
    size_t at_bounds = 0;

    for (size_t i = 0; of->kind->regions && i < count; i++) {
        double s = ffebmi_number_at(arrays->element, state, i);

        at_bounds += s == of->neuron.lower || s == of->neuron.upper;
    }
    return at_bounds;
}

double ffebmi_neurons_span(const ffebmi_layer_neurons *of)
{
    return of->kind->own_bounds ? fmin(of->neuron.upper - of->neuron.lower, 1) : 1;
}

double ffebmi_neurons_reach(const ffebmi_layer_neurons *of)
{
    return ffebmi_neurons_span(of) + fmax(0, fmax(of->neuron.lower, -of->neuron.upper));
}

double ffebmi_neurons_drive_amid(const ffebmi_layer_neurons *of, double fraction)
{
    if (of->kind->centred || (of->neuron.lower < 0 && of->neuron.upper > 0))
        return 0;
    return (of->neuron.lower + ffebmi_neurons_span(of) * fraction) / of->neuron.slope;
}

double ffebmi_neurons_steepest(const ffebmi_layer_neurons *of)
{
    return of->kind->steepest * of->neuron.slope;
}

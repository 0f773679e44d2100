/* A layer's neurons in each form of states, by the table of arrays. */
#include "energy/neuron.h"

typedef struct form_rules {
    void (*update)(const ffebmi_arrays *arrays, const ffebmi_layer_update *update);
    void (*keep_base)(const ffebmi_arrays *arrays, const ffebmi_layer_update *update); /* NULL where there is none */
    size_t (*region_changes)(const ffebmi_arrays *arrays, ffebmi_neuron neuron, size_t units, const void *state,
                             const void *free);
} form_rules;

static void update_whole(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->settle(update);
}

static void update_displaced(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->settle_displaced(update);
}

static void update_tangent(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->displace(update);
}

static void keep_drive(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    if (update->input != NULL)
        arrays->add(update->rows * update->n, update->input, update->z);
}

static void keep_gain(const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    arrays->linearize(update->neuron, update->rows, update->n, update->z, update->input, update->z);
}

static size_t whole_changes(const ffebmi_arrays *arrays, ffebmi_neuron neuron, size_t units, const void *state,
                            const void *free)
{
    return arrays->region_changes(neuron, units, state, free);
}

static size_t displaced_changes(const ffebmi_arrays *arrays, ffebmi_neuron neuron, size_t units, const void *state,
                                const void *free)
{
    return arrays->displaced_changes(neuron, units, state, free);
}

/* The tangent block has no regions. */
static size_t no_changes(const ffebmi_arrays *arrays, ffebmi_neuron neuron, size_t units, const void *state,
                         const void *free)
{
    (void)arrays;
    (void)neuron;
    (void)units;
    (void)state;
    (void)free;
    return 0;
}

static const form_rules forms[] = {[FFEBMI_WHOLE] = {update_whole, NULL, whole_changes},
                                   [FFEBMI_DISPLACED] = {update_displaced, keep_drive, displaced_changes},
                                   [FFEBMI_TANGENT] = {update_tangent, keep_gain, no_changes}};

void ffebmi_neurons_update(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    forms[form].update(arrays, update);
}

void ffebmi_neurons_keep_base(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_update *update)
{
    forms[form].keep_base(arrays, update);
}

size_t ffebmi_neurons_region_changes(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_neurons *of,
                                     size_t units, const void *state, const void *free)
{
    return of->kind->regions ? forms[form].region_changes(arrays, of->neuron, units, state, free) : 0;
}

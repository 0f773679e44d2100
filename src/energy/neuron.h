/* What the neurons of a layer do: kinds in one table, and their layers in each form of states. */
#ifndef FFEBMI_ENERGY_NEURON_H
#define FFEBMI_ENERGY_NEURON_H

#include <ffebm/energy.h>

#include "core/setting.h"
#include "energy/energy.h"

typedef struct ffebmi_neuron_kind {
    int32_t type;
    ffebmi_settings settings; /* the fields of an ffebm_activation that it reads; the others must be zero */
    ffebmi_neuron_rule rule;
    bool own_bounds; /* states end at the activation's bounds, else at these: */
    double lower;
    double upper;
    bool regions;    /* bounds are reached, and sigma' jumps there; smooth neurons only come near */
    double steepest; /* the largest sigma', of slope 1 */
    bool centred;    /* its states are in the middle at a drive of 0, though they all have one sign */
    /* G of a row of states. */
    double (*energy)(const ffebmi_arrays *arrays, double slope, size_t units, const void *row);
} ffebmi_neuron_kind;

extern const ffebmi_settings ffebmi_activation_settings; /* of all kinds */

/* What the table cannot say of an activation that it has checked; NULL is good. */
ffebm_status ffebmi_activation_check(ffebm_context *context, const ffebm_activation *activation);

/* The neurons of one layer. */
typedef struct ffebmi_layer_neurons {
    const ffebmi_neuron_kind *kind;
    ffebmi_neuron neuron;
} ffebmi_layer_neurons;

/* Of an activation that has been read. */
ffebmi_layer_neurons ffebmi_neurons_of(const ffebm_activation *activation);

/* Their part of the energy, of a row of states. */
double ffebmi_neurons_energy(const ffebmi_layer_neurons *of, const ffebmi_arrays *arrays, size_t units,
                             const void *row);

/* How many of `count` states are at a bound. */
size_t ffebmi_neurons_saturated(const ffebmi_layer_neurons *of, const ffebmi_arrays *arrays, size_t count,
                                const void *state);

/* A drive `fraction` of the way from where they begin to where they end, or their span if that is less; 0 in the middle of
 * states of either sign. */
double ffebmi_neurons_drive_amid(const ffebmi_layer_neurons *of, double fraction);
/* How far apart their bounds are, at most 1. */
double ffebmi_neurons_span(const ffebmi_layer_neurons *of);
/* How far from 0 their states go: their span, and what lies between it and 0. */
double ffebmi_neurons_reach(const ffebmi_layer_neurons *of);

/* Their largest sigma'. */
double ffebmi_neurons_steepest(const ffebmi_layer_neurons *of);

/* ----------------------------------------------------------------------- in each form of states (neuron_forms.c) */

/* The new state of a layer from what it feels, and its norms. */
void ffebmi_neurons_update(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_update *update);

/* What displacements need of the free state: `drive`, rows x units without the input, becomes the drive with it, or sigma'. */
void ffebmi_neurons_keep_base(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_update *update);

/* How many units of a row are in another region than in the free state. */
size_t ffebmi_neurons_region_changes(ffebmi_form form, const ffebmi_arrays *arrays, const ffebmi_layer_neurons *of,
                                     size_t units, const void *state, const void *free);

#endif

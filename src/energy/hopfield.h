/* The deep Hopfield network: layers of units, each coupled to the next. */
#ifndef FFEBMI_ENERGY_HOPFIELD_H
#define FFEBMI_ENERGY_HOPFIELD_H

#include "energy/coupling.h"
#include "energy/neuron.h"

/* Where first values are others than elsewhere. */
typedef enum ffebmi_hopfield_place {
    FFEBMI_BELOW_BLOCK, /* the last map below it */
    FFEBMI_IN_TAP,      /* the last map of a tap: the coupling below the layer has the bias */
    FFEBMI_INSIDE,      /* a coupling below a clamped layer */
    FFEBMI_TO_LAST,     /* below a last layer that is not clamped */
    FFEBMI_POOL_TO_LAST /* as well, with a pool that chooses: where that layer is negative, its switches may cycle */
} ffebmi_hopfield_place;

typedef struct ffebmi_hopfield {
    ffebm_energy base; /* first, so that a pointer to one is a pointer to the other */
    ffebm_hopfield_config config;
    ffebm_initialization below;    /* how the last map below it is drawn where nobody says, */
    ffebm_initialization in_taps;  /* and those of taps */
    size_t layer_count;            /* those that the couplings so far make */
    ffebmi_layer_neurons *neurons; /* [layer]; set by fit */
    size_t coupling_count;
    size_t coupling_capacity;
    ffebmi_coupling *couplings;
} ffebmi_hopfield;

/* What first values are drawn from where nobody says (hopfield_first.c): around the block, and of a coupling below and above
 * such neurons. */
void ffebmi_hopfield_set_first(ffebmi_hopfield *h);
void ffebmi_hopfield_set_first_of(const ffebmi_hopfield *h, ffebmi_coupling *coupling);

extern const ffebmi_energy_kind ffebmi_energy_hopfield;
extern const ffebmi_settings ffebmi_hopfield_settings;

/* Its slots of fitting (hopfield_fit.c). */
ffebm_status ffebmi_hopfield_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what);
ffebm_status ffebmi_hopfield_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config);

/* The block as a Hopfield network, or NULL if it is something else. */
const ffebmi_hopfield *ffebmi_hopfield_of(const ffebm_energy *block);

/* What is laid out before it settles (hopfield_plan.c): the plans of its couplings, once for an engine, and their packed
 * weights, once a phase. Slots of the kind. */
typedef struct ffebmi_hopfield_plan {
    size_t element;
    ffebmi_coupling_plan couplings[]; /* [coupling] */
} ffebmi_hopfield_plan;

void *ffebmi_hopfield_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena);

/* The packed parameters are an ffebmi_packed for each coupling, and on a device with asymmetry one more for what each sends
 * down; `full` is NULL where a weight is used as it is. */
void *ffebmi_hopfield_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena);
void ffebmi_hopfield_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                          const void *const *parameters, void *packed);
/* What coupling c sends down with, which sends up with `up`: the same, but on a device whose weights differ. */
ffebmi_packed ffebmi_hopfield_packed_down(const ffebmi_hopfield *h, const void *packed, size_t c, ffebmi_packed up);
void ffebmi_hopfield_lay_out_int16(const ffebm_energy *block, const void *plan, void *packed, ffebmi_arena *arena);
void ffebmi_hopfield_pack_int16(const ffebm_energy *block, const void *plan, void *packed);

/* Those of one coupling, of all in the order of couplings. */
const void *const *ffebmi_hopfield_parameters(const ffebmi_hopfield *h, const void *const *parameters, size_t coupling);

/* Its couplings at work (hopfield_passes.c): what they make layers feel, and the memory in which they do. */
typedef struct ffebmi_hopfield_work {
    void **z;    /* [layer]: rows x units, what a layer feels */
    void **base; /* [layer]: likewise, of the free state, where states are displacements: drives, or sigma' of them */
    void *aside; /* rows x units of any layer that a coupling may not be passed up into */
    uint8_t **switches; /* [coupling]: rows x switches */
    bool *current;      /* [coupling]: the switches are those of the present state below */
    void *scratch;
} ffebmi_hopfield_work;

/* A slot of the kind. */
void *ffebmi_hopfield_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                                   size_t rows, ffebmi_arena *arena);

/* z = all that the couplings make a layer feel; zero if there are none. */
void ffebmi_hopfield_drive(const ffebmi_settling *settling, size_t layer, void *z);

/* z = what those from below do. Returns false, with z as it was, if there are none. */
bool ffebmi_hopfield_drive_up(const ffebmi_settling *settling, size_t layer, void *z);

/* The state of a layer is another one now. */
void ffebmi_hopfield_moved(const ffebmi_settling *settling, size_t layer);

/* Leave the switches of all couplings, [coupling], at settling->state. */
void ffebmi_hopfield_observe(ffebmi_settling *settling, uint8_t *const *switches);

#endif

/* The deep resistive network: layers of nodes, each joined with the next by resistors, the first with voltage sources. */
#ifndef FFEBMI_ENERGY_RESISTIVE_H
#define FFEBMI_ENERGY_RESISTIVE_H

#include "energy/coupling.h"

typedef struct ffebmi_resistive {
    ffebm_energy base; /* first, so that a pointer to one is a pointer to the other */
    ffebm_resistive_config config;
    ffebm_initialization first; /* of conductances */
    size_t coupling_count;
    size_t coupling_capacity;
    ffebmi_coupling *couplings; /* [layer]: the resistors below it; those of layer 0 lead to the sources */
} ffebmi_resistive;

extern const ffebmi_energy_kind ffebmi_energy_resistive;
extern const ffebmi_settings ffebmi_resistive_settings;

/* A slot of the kind. */
ffebm_status ffebmi_resistive_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config);

static inline const ffebmi_resistive *ffebmi_resistive_of(const ffebm_energy *block)
{
    return (const ffebmi_resistive *)block;
}

/* Sources for each number of the input: one that holds gain x, and where they are paired one behind all these that holds
 * - gain x. */
static inline size_t ffebmi_resistive_sources(const ffebmi_resistive *r)
{
    return r->config.paired_input == 1 ? 2 : 1;
}

/* Which way the diode of a node lets current in: 1 below, -1 above, 0: there is none. */
int ffebmi_resistive_side(const ffebmi_resistive *r, size_t layer, size_t node);

/* Behind every layer but the last there are amplifiers, of voltage gain A and current gain 1 / A. With u_l = A^-l s_l, layers
 * counted from 0, the energy is that of the circuit without them: a layer's part of it is weighted by A^-2l. */
double ffebmi_resistive_weight(const ffebmi_resistive *r, size_t layer);

/* What is laid out before it settles (resistive_plan.c), and what is made of the parameters, once a phase. Slots of the kind. */
typedef struct ffebmi_resistive_plan {
    size_t element;
    ffebmi_coupling_plan couplings[]; /* [layer]; the first one's passes are from x, not from the sources */
} ffebmi_resistive_plan;

typedef struct ffebmi_resistive_packed {
    size_t element;
    void *effective;        /* out x inputs: gain (G_plus - G_minus), what x sends into the first layer */
    ffebmi_packed *weights; /* [layer] */
    void **conductance;     /* [layer]: of all that joins a node */
    void **side;            /* [layer]: of each node, ffebmi_resistive_side */
    double **least;         /* [layer]: the least conductance below each of its nodes */
} ffebmi_resistive_packed;

void *ffebmi_resistive_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic,
                                    ffebmi_arena *arena);
void *ffebmi_resistive_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena);
void ffebmi_resistive_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                           const void *const *parameters, void *packed);
double ffebmi_resistive_bears_alone(const ffebm_energy *block, const void *packed);
ffebm_status ffebmi_resistive_check(const ffebm_energy *block, const void *packed, ffebmi_failure *failure);

/* Those of one coupling, of all in the order of couplings. */
const void *const *ffebmi_resistive_parameters(const ffebmi_resistive *r, const void *const *parameters, size_t layer);

/* The work memory of the kind, and passes in it (resistive_passes.c). */
typedef struct ffebmi_resistive_work {
    void **z;       /* [layer]: rows x units, currents into the nodes */
    void **base;    /* [layer]: likewise, of the free state, where states are displacements: currents, or dv/di there */
    void *current;  /* rows x units of layer 0: what the sources send, with its bias */
    void **trial;   /* [layer]: one row of units */
    double *output; /* one row of the last layer's */
    void *amplified; /* rows x units of the largest layer; with amplifiers */
    void *input;     /* rows x units of the input */
    void *own;       /* units of the largest layer */
    void *below;     /* numbers below the largest coupling */
    void *scratch;
} ffebmi_resistive_work;

void *ffebmi_resistive_lay_out_work(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                                    size_t rows, ffebmi_arena *arena);

/* A layer's nodes, and a coupling's call, of `rows` rows. */
ffebmi_nodes ffebmi_resistive_nodes(const ffebm_energy *block, const void *packed, size_t layer);
ffebmi_coupling_call ffebmi_resistive_call(const ffebm_energy *block, const void *plan, const void *packed,
                                           const void *const *parameters, size_t layer, size_t rows, void *scratch);

/* z = all currents into the nodes of a layer, but for a force; of displacements what they add. */
void ffebmi_resistive_currents(const ffebmi_settling *settling, size_t layer, void *z);

/* Slots of the sweep rules (resistive_sweeps.c, resistive_reading.c). */
void ffebmi_resistive_begin(ffebmi_settling *settling);
void ffebmi_resistive_update(ffebmi_settling *settling, const size_t *layers, size_t count);
void ffebmi_resistive_move(ffebmi_settling *settling, size_t to, size_t from);
size_t ffebmi_resistive_region_changes(const ffebmi_settling *settling, size_t row);
bool ffebmi_resistive_stable(const ffebmi_settling *settling, size_t row);
double ffebmi_resistive_bears(ffebmi_settling *settling, size_t row);
void ffebmi_resistive_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t parameter,
                               size_t first, size_t count, void *work);
void ffebmi_resistive_input_gradient(const ffebm_energy *block, const ffebmi_contrast *contrast, size_t first,
                                     size_t count, void *out, void *work);
void ffebmi_resistive_energies(ffebmi_settling *settling, double *energies);
void ffebmi_resistive_powers(ffebmi_settling *settling, double *powers);

#endif

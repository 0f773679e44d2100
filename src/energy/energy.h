/* An energy block, and the table that every kind of energy fills. Kinds know nothing of losses, nudging or stopping. */
#ifndef FFEBMI_ENERGY_ENERGY_H
#define FFEBMI_ENERGY_ENERGY_H

#include <ffebm/energy.h>

#include "convolution/arithmetic.h"
#include "core/arena.h"
#include "core/context.h"
#include "core/setting.h"
#include "energy/graph.h"
#include "tensor/parameter.h"
#include "tensor/shape.h"

typedef struct ffebmi_energy_kind ffebmi_energy_kind;
typedef struct ffebmi_chip ffebmi_chip;               /* energy/chip.h */
typedef struct ffebmi_sweep_rules ffebmi_sweep_rules; /* energy/sweeps.h */
typedef struct ffebmi_batch_rules ffebmi_batch_rules; /* energy/batches.h */

/* What a block can do, and what it asks of those who drive it: bits of `abilities`. */
enum {
    FFEBMI_HEEDS_LOSS = 1,   /* it can be nudged by a force that is evaluated anew at the present state */
    FFEBMI_HAS_ADJOINT = 2,  /* it can be differentiated implicitly */
    FFEBMI_DISPLACES = 4,    /* nudged states can be kept as displacements from the free state */
    FFEBMI_READS_INPUT = 8,  /* its derivatives at a state need the input that the state came from: it is kept */
    FFEBMI_MAY_FAIL = 16,    /* settling can fail half-way: the state that was there has to stay until it has not */
    FFEBMI_FINITE_ONLY = 32, /* its slots are promised finite numbers */
    FFEBMI_CONCURRENT = 64,  /* `settle` of its batch rules may run on several threads */
    FFEBMI_TAKES_TAPS =
        128, /* inner layers may have inputs of their own, of the layer's shape: each a term - <x_l, s_l> */
    FFEBMI_TAKES_RETURNS = 1024, /* what its couplings send down may have other weights than what they send up */
    FFEBMI_TAKES_GAINS = 512,    /* its neurons may make more or less of their drives, each unit by itself */
    FFEBMI_HEEDS_STIFFNESS = 256 /* it can be nudged by a force that falls with the displacement, in closed form */
};

/* A parameter of the block, and the coupling that it belongs to (its position in the parameter's name). */
typedef struct ffebmi_energy_parameter {
    ffebmi_parameter parameter;
    const ffebmi_learnable *learnable;
    size_t position;
    size_t units; /* the gradient is cut over so many, */
    size_t grain; /* and so many make a piece of work */
} ffebmi_energy_parameter;

struct ffebm_energy {
    ffebm_context *context;
    const ffebmi_energy_kind *kind;
    unsigned abilities; /* FFEBMI_HEEDS_LOSS, .. */
    unsigned withheld;  /* those of them that its device takes from it */
    size_t max_rows;    /* that its batch rules settle at once; 0: any number */
    double max_beta;    /* the strongest nudge that it bears; 0: any */
    double
        yields; /* the most that a unit of the last layer moves under a force of 1, where no bound stops it; 0: one does */
    const ffebm_initialization *below;   /* how the last map below it is drawn where nobody says; NULL: as elsewhere */
    const ffebm_initialization *in_taps; /* likewise the last map of a tap */
    ffebmi_shape input;                  /* of a sample; need not be that of the first layer */
    size_t layer_count;
    ffebmi_shape *layers; /* of a sample, the last is the output; set by fit, like the parameters */
    ffebmi_graph graph;   /* of a kind that has not made it in fit: each layer coupled with the next */
    bool *tapped;         /* [layer]: has it an input of its own, beside that of the block (layer 0)? */
    size_t parameter_count;
    ffebmi_energy_parameter *parameters;
    struct ffebm_device_config *device; /* that it is to be on; NULL: none */
    ffebmi_chip *chip;                  /* which it is on, in a model; NULL: none */
};

/* What one pass of all couplings in one direction takes. */
typedef struct ffebmi_energy_products {
    double macs;   /* multiply-adds, of a sample; */
    double entry;  /* of these, those that lead from the input or its layer */
    size_t places; /* the most at which one of them uses its weight */
} ffebmi_energy_products;

/* In which form a phase keeps states. */
typedef enum ffebmi_form {
    FFEBMI_WHOLE,     /* the states themselves */
    FFEBMI_DISPLACED, /* displacements from the free state, of the block itself */
    FFEBMI_TANGENT    /* displacements of the block linearised at the free state: implicit differentiation */
} ffebmi_form;

struct ffebmi_energy_kind {
    /* REQUIRED */
    const char *type;   /* "hopfield", in descriptions and reports */
    unsigned abilities; /* that all blocks of the kind have; a block may have more */
    /* Infer layers and parameters from a sample's shape; the error text begins with `what`. */
    ffebm_status (*fit)(ffebm_energy *block, const ffebmi_shape *input, const char *what);
    void (*destroy)(ffebm_energy *block);
    /* Lay out what settling up to `rows` rows needs beyond their states; returns it (NULL while measuring). It also serves
     * as scratch of what reads off states. */
    void *(*lay_out_work)(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan, size_t rows,
                          ffebmi_arena *arena);

    /* REQUIRED: one of the two, how its blocks settle. */
    const ffebmi_sweep_rules *sweeps;  /* layers are updated one after the other until they rest */
    const ffebmi_batch_rules *batches; /* by its own means, a whole batch a call */

    /* OPTIONAL: ffebm_energy_add_coupling, of a block that is not in a model yet. Without it a block takes no couplings. */
    ffebm_status (*add_coupling)(ffebm_energy *block, const ffebm_coupling_config *config);

    /* OPTIONAL, both or neither: the public configuration of its blocks, FFEBM_CONFIG_, and its settings. */
    int32_t config;
    const ffebmi_settings *settings;

    /* OPTIONAL: what can be decided once, for all phases, when an engine's memory is laid out; `plan` below is what it returned,
     * NULL without it. NULL while measuring. */
    void *(*lay_out_plan)(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena);

    /* OPTIONAL: memory for the parameters as settling wants them; and making them so, once a phase, for all workers. `packed`
     * is what lay_out_packed returned, NULL without it. */
    void *(*lay_out_packed)(const ffebm_energy *block, const void *plan, ffebmi_arena *arena);
    void (*pack)(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                 const void *const *parameters, void *packed);

    /* OPTIONAL: may a block settle with what has been packed? If not, the text says why, as a sentence about the block. */
    ffebm_status (*check)(const ffebm_energy *block, const void *packed, ffebmi_failure *failure);

    /* OPTIONAL, of kinds with FFEBMI_HEEDS_STIFFNESS: the stiffness below 0 from which on an output has no equilibrium by itself,
     * whatever the others do. Without it none is refused. */
    double (*bears_alone)(const ffebm_energy *block, const void *packed);

    /* OPTIONAL, both or neither: the same in 16-bit integers, beside what is packed, of which it is made; `packed` is NULL while
     * measuring. Without them sweeps are not rounded. */
    void (*lay_out_int16)(const ffebm_energy *block, const void *plan, void *packed, ffebmi_arena *arena);
    void (*pack_int16)(const ffebm_energy *block, const void *plan, void *packed);

    /* OPTIONAL: first values of all parameters in the order of the description, as doubles that the block keeps until the
     * next call. Parameters whose role is FFEBMI_GIVEN take theirs from here. */
    ffebm_status (*initialize)(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                               ffebmi_failure *failure);

    /* OPTIONAL: bytes of switches of one sample in a coupling of the graph, 0 where nothing chooses. Without it nothing does
     * anywhere. */
    size_t (*switch_count)(const ffebm_energy *block, size_t coupling);

    /* OPTIONAL: what a pass of its couplings takes. Without it nobody knows. */
    ffebmi_energy_products (*products)(const ffebm_energy *block);

    /* OPTIONAL: how many of a layer's `count` units sit at a bound. Without it a layer has no bounds. */
    size_t (*saturated)(const ffebm_energy *block, size_t layer, const ffebmi_arrays *arrays, size_t count,
                        const void *state);
};

/* The kinds that there are, with a NULL behind them (energy/kinds.c). */
const ffebmi_energy_kind *const *ffebmi_energy_kinds(void);

/* A block without layers yet, for a kind's create: `bytes` of memory that begin with a struct ffebm_energy. */
ffebm_status ffebmi_energy_new(ffebm_context *context, ffebm_energy **block, const ffebmi_energy_kind *kind,
                               size_t bytes);

static inline bool ffebmi_energy_can(const ffebm_energy *block, unsigned ability)
{
    return (block->abilities & ~block->withheld & ability) != 0;
}

/* The kind's slots of planning and packing: nothing is done where it has none. */
void *ffebmi_energy_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena);
void *ffebmi_energy_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena);
void ffebmi_energy_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                        const void *const *parameters, void *packed);

/* Bytes of switches of one sample in a coupling, 0 where nothing chooses; and does anything? */
size_t ffebmi_energy_switch_count(const ffebm_energy *block, size_t coupling);
bool ffebmi_energy_has_switches(const ffebm_energy *block);

/* Infer layers and parameters from a sample's shape. Inner layers have no inputs yet. */
ffebm_status ffebmi_energy_fit(ffebm_energy *block, const ffebmi_shape *input, const char *what);

/* Give an inner layer of a block that has been fitted an input of this shape; the error text begins with `what`, the tap that
 * it comes from. FFEBM_ERR_STATE: blocks of its kind take none. */
ffebm_status ffebmi_energy_tap(ffebm_energy *block, size_t layer, const ffebmi_shape *shape, const char *what);

/* A layer's input, a sample; 0: it has none. Layer 0 stands for the block's own input, whatever that is joined to. Where inputs
 * of a batch lie in one piece of memory, one input's part lies behind another's, from layer 0 on: before a layer's part there
 * are so many elements for each sample. */
size_t ffebmi_energy_input_units(const ffebm_energy *block, size_t layer);
size_t ffebmi_energy_input_offset(const ffebm_energy *block, size_t layer);

const ffebmi_shape *ffebmi_energy_output(const ffebm_energy *block);

#endif

/* The engine: memory and settings for computing on one model. */
#ifndef FFEBMI_GRADIENT_ENGINE_H
#define FFEBMI_GRADIENT_ENGINE_H

#include <ffebm/gradient.h>

#include "core/setting.h"
#include "feedforward/tape.h"
#include "gradient/estimator.h"
#include "gradient/flat_gradient.h"
#include "gradient/stream.h"
#include "gradient/workbench.h"

/* A row of ops of a feedforward stage. */
typedef struct ffebmi_engine_row {
    ffebmi_tape tape;
    const void *output; /* of the last forward: batch x units */
} ffebmi_engine_row;

/* How strongly a block was nudged by springs weaker than nothing, and how strongly it may be: as beta, or as the stiffness. */
typedef struct ffebmi_limit {
    double asked;
    double borne;
    bool by_hand; /* as the stiffness */
} ffebmi_limit;

typedef struct ffebmi_engine_stage {
    const void **parameters; /* of its block, in the block's order */
    void **gradients;
    void **totals; /* likewise, of the readings that a gradient is the difference of; NULL: not kept */
    void **buffers;
    const void *output; /* of the last forward: batch x units */

    /* of a feedforward stage: */
    ffebmi_engine_row *rows; /* [row] */
    const void *input;       /* of the last forward: batch x units */

    /* of an energy stage: */
    ffebm_equilibrium_config asked;       /* as it was set, */
    ffebm_equilibrium_config equilibrium; /* and as it is: AUTO decided, beta as strong as the block bears */
    void **free_state;                    /* [layer]: max_batch x units */
    void *handed_on;         /* max_batch x outputs: what its solver hands on in place of the last layer; else NULL */
    size_t free_rows;        /* how many rows of it hold; 0: none */
    void **inputs;           /* [layer]: max_batch x units, those of its last state; NULL where there is none */
    size_t input_rows;       /* how many rows of them hold; 0: no state yet, and taps' are zero */
    ffebmi_tally tallies[2]; /* of the last free and the last nudged phase */
    ffebmi_limit limit;      /* of the last nudged phase, where samples were beyond it */
    ffebmi_norms *norms[2];  /* likewise: [sample * layers + layer], of its last sweep, summed over nudges */
    size_t nudges;           /* how many that were; 0: no nudged phase since the free one */
} ffebmi_engine_stage;

struct ffebm_engine {
    ffebm_context *context;
    ffebm_model *model;
    ffebmi_arithmetic arithmetic;
    const ffebmi_arrays *arrays; /* those of it */
    size_t max_batch;
    ffebmi_stream stream;
    bool training;      /* mode */
    double smoothing;   /* of labels, where gradients are computed */
    size_t batch;       /* of the last computing call over the chain, */
    size_t whole;       /* and those of all ranks together */
    size_t last_energy; /* stage of the last energy block, or FFEBM_NONE; what follows is the readout */
    ffebmi_engine_stage *stages;
    void *memory;               /* all below but the workbench's */
    ffebmi_tape_work tape_work; /* of all feedforward stages */
    void *input;                /* max_batch x inputs: a copy, since the caller's is gone when vjp comes */
    void *cotangents[2];        /* max_batch x units of the largest boundary between stages, with its taps, in turn */
    const void **inputs;        /* [layer]: those of the phase to come */
    void *target_values;        /* max_batch x outputs: as images are stored; NULL where outputs are no images */
    void *nudged_output;        /* max_batch x units of the last energy block's output; NULL where there is none */
    double *losses;             /* max_batch */
    double *signs;              /* likewise: of the samples' nudges */
    ffebm_tensor flat_gradient;
    ffebmi_flat_gradient gradient;
    uint64_t tickets;     /* so many forwards have got one */
    uint64_t ticket;      /* of the forward whose tape and free states these are; 0: of none */
    uint64_t version;     /* of the model's values at that forward, */
    uint64_t fingerprint; /* and of their bits */
    bool profiled; /* the stages' norms are those of a gradient or vjp that succeeded, and no state has changed since */
    ffebmi_workbench bench;
    struct ffebm_certificate
        *certificates; /* of the last certify: [parameter], and behind them the input's; NULL: none yet */
};

extern const ffebmi_settings ffebmi_engine_settings;

/* The block of an energy stage. */
static inline const ffebm_energy *ffebmi_engine_block(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy;
}

static inline bool ffebmi_engine_is_energy(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy != NULL;
}

/* The plan that a stage's block settles by, in all phases, and that its contrasts are taken with. */
const void *ffebmi_engine_plan(const ffebm_engine *engine, size_t stage);

/* Are sweeps of its that may be rounded made in 16-bit integers? */
bool ffebmi_engine_int16(const ffebm_engine *engine, size_t stage);

/* An energy stage by its index: FFEBM_ERR_ARGUMENT otherwise. */
ffebm_status ffebmi_engine_check_energy(const ffebm_engine *engine, size_t stage);

/* A computing call begins; and so does analysis, which has no number of its own. */
void ffebmi_engine_begin_call(ffebm_engine *engine);

ffebmi_feedforward_values ffebmi_engine_values(const ffebm_engine *engine, size_t stage, size_t row, bool gradients,
                                               double scale);

#endif

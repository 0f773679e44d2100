/* The engine: memory and settings for computing on one model. */
#ifndef FFEBMI_GRADIENT_ENGINE_H
#define FFEBMI_GRADIENT_ENGINE_H

#include <ffebm/gradient.h>

#include "feedforward/tape.h"
#include "gradient/estimator.h"
#include "model/flat_gradient.h"
#include "model/model.h"
#include "relax/relax.h"

typedef struct ffebmi_engine_stage {
    const void **parameters; /* of its block, in the block's order */
    void **gradients;
    void **buffers;
    const void *input;  /* of the last forward: batch x units */
    const void *output; /* likewise */
    ffebmi_tape tape;   /* of a feedforward stage */

    /* of an energy stage: */
    ffebm_equilibrium_config equilibrium;
    void **free_state; /* [layer]: max_batch x units */
    size_t free_rows;  /* how many rows of it hold; 0: none */
    void *own_input;   /* of a block that settles by its own means: max_batch x units, the input of its last state */
    size_t own_rows;   /* how many rows of it hold */
    ffebmi_tally tallies[2]; /* of the last free and the last nudged phase */
    ffebmi_norms *norms[2];  /* likewise: [sample * layers + layer], of its last sweep, summed over nudges */
    size_t nudges;           /* how many that were; 0: no nudged phase since the free one */
} ffebmi_engine_stage;

/* Memory of one worker thread, for the largest block: laid out anew for each phase. */
typedef struct ffebmi_worker {
    void *relax_memory;
    ffebmi_tape_work readout_work;
    ffebmi_tape *readout; /* [stage - first readout stage], for a shard of nudged states */
    const void **readout_inputs;
    void *loss_cotangent; /* shard x outputs */
} ffebmi_worker;

/* What nudged phases need; grows when an estimator with more nudges is chosen. */
typedef struct ffebmi_nudging_memory {
    void *memory;
    size_t nudges;         /* states of a sample that there is room for; at least 2 */
    bool mixed;            /* is there room for coarse packed parameters? */
    void **states;         /* [nudge]: max_batch x units of the largest block's layers */
    uint8_t **switch_sets; /* [nudge], and behind them the free state's: likewise its switches */
    void *packed_memory;
    void *coarse_memory; /* NULL unless mixed */
    ffebmi_worker *workers;

    /* The present block's, laid out in the memory above: */
    void **layers;      /* [nudge * layers + layer] */
    uint8_t **switches; /* [nudge * layers + layer], the free state's behind those of the last nudge */
    void *packed;
    void *coarse_packed;       /* of phases with coarse sweeps */
    ffebmi_relax_work **works; /* [worker] */

    size_t settled_stage; /* whose state by hand is in nudge 0, or FFEBM_NONE */
    size_t settled_rows;
} ffebmi_nudging_memory;

typedef enum ffebmi_engine_state {
    FFEBMI_ENGINE_IDLE,   /* nothing to pull a cotangent through */
    FFEBMI_ENGINE_FORWARD /* tape and free states are those of a forward */
} ffebmi_engine_state;

struct ffebm_engine {
    ffebm_context *context;
    ffebm_model *model;
    const ffebmi_kernel *kernel;
    size_t max_batch;
    uint64_t seed;
    uint64_t step;      /* the number of the next computing call, */
    uint64_t stream;    /* and what the present one draws from, */
    uint64_t draws;     /* how often it has */
    bool training;      /* mode */
    double smoothing;   /* of labels, where gradients are computed */
    size_t batch;       /* of the last computing call over the chain */
    size_t last_energy; /* stage of the last energy block, or FFEBM_NONE; what follows is the readout */
    ffebmi_engine_stage *stages;
    void *memory;               /* all below but nudging */
    ffebmi_tape_work tape_work; /* of all feedforward stages */
    void *input;                /* max_batch x inputs: a copy, since the caller's is gone when vjp comes */
    void *cotangents[2];        /* max_batch x units of the largest boundary between stages, in turn */
    void *target_values;        /* max_batch x outputs: as images are stored; NULL where outputs are no images */
    void *nudged_output;        /* max_batch x units of the last energy block's output; NULL where there is none */
    double *losses;             /* max_batch */
    double *signs;              /* likewise: of the samples' nudges, for blocks that settle by their own means */
    ffebm_tensor flat_gradient;
    ffebmi_flat_gradient gradient;
    ffebmi_engine_state state;
    uint64_t version; /* of the model's values, at the forward */
    bool profiled; /* the stages' norms are those of a gradient or vjp that succeeded, and no state has changed since */
    ffebmi_nudging_memory nudging;
    ffebm_certificate *certificates; /* of the last certify: [parameter], and behind them the input's; NULL: none yet */
};

/* The readout: the stages behind the last energy block. */
size_t ffebmi_engine_first_readout(const ffebm_engine *engine);

/* The block of an energy stage. */
static inline const ffebm_energy *ffebmi_engine_block(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy;
}

static inline bool ffebmi_engine_is_energy(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy != NULL;
}

/* Take memory for estimators of up to `nudges` and, if so, for mixed precision; what there was stays on failure. */
ffebm_status ffebmi_engine_reserve(ffebm_engine *engine, size_t nudges, bool mixed);

/* The kernel that a stage's block settles by, in all phases, and that its contrasts are taken with. */
const ffebmi_kernel *ffebmi_engine_settling_kernel(const ffebm_engine *engine, size_t stage);

/* What its coarse sweeps are made by; NULL: it has none. */
const ffebmi_kernel *ffebmi_engine_coarse_kernel(const ffebm_engine *engine, size_t stage);

/* An energy stage by its index: FFEBM_ERR_ARGUMENT otherwise. */
ffebm_status ffebmi_engine_check_energy(const ffebm_engine *engine, size_t stage);

/* A computing call begins: what it draws follows from the seed and its number. */
void ffebmi_engine_begin_call(ffebm_engine *engine);

/* It ends, and if it has succeeded the next one has the next number. Returns the status. Analysis has no number of its
 * own: it begins and does not end. */
ffebm_status ffebmi_engine_end_call(ffebm_engine *engine, ffebm_status status);

/* The next seed of the present call, for a block of the user's. */
uint64_t ffebmi_engine_draw(ffebm_engine *engine);

/* +1 or -1, drawn for a sample of the present call. */
double ffebmi_engine_sign(const ffebm_engine *engine, size_t sample);

ffebmi_feedforward_values ffebmi_engine_values(const ffebm_engine *engine, size_t stage, bool gradients, double scale);

#endif

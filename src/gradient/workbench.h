/* Memory in which blocks settle, one at a time: states of nudged phases, switches, packed parameters, and what worker threads
 * need. Laid out anew for the block at hand. */
#ifndef FFEBMI_GRADIENT_WORKBENCH_H
#define FFEBMI_GRADIENT_WORKBENCH_H

#include "feedforward/tape.h"
#include "model/model.h"
#include "relax/solver.h"

/* Memory of one worker thread. */
typedef struct ffebmi_worker {
    ffebmi_tape_work readout_work;
    ffebmi_tape *readout; /* [stage - first readout stage], for a shard of nudged states */
    const void **readout_inputs;
    void *loss_cotangent; /* shard x outputs */
} ffebmi_worker;

/* Blocks are planned in these ways, once: which one they settle by depends on settings that may change. */
typedef enum ffebmi_plans {
    FFEBMI_MINIMAL, /* by minimal algorithms where they save */
    FFEBMI_PLAIN,   /* without them: they leave float32 some rounding more */
    FFEBMI_PLANS
} ffebmi_plans;

typedef struct ffebmi_workbench {
    /* Whom it serves: */
    ffebm_context *context;
    const ffebm_model *model;
    ffebmi_arithmetic arithmetic;
    const ffebmi_arrays *arrays; /* those of it */
    size_t max_batch;
    size_t first_readout; /* stage */

    void **plans; /* [FFEBMI_PLANS * stage + plan]: of the energy blocks, in the memory of whom it serves */

    /* Grows when an estimator with more nudges, or mixed precision, is chosen: */
    void *memory;
    size_t nudges;         /* states of a sample that there is room for; at least 2 */
    bool mixed;            /* is there room for parameters packed as 16-bit integers? */
    void **states;         /* [nudge]: max_batch x units of the largest block's layers */
    uint8_t **switch_sets; /* [nudge], and behind them the free state's: likewise its switches */
    void *block_memory;    /* for one block at a time; feedforward stages pack their weights where it begins */
    ffebmi_worker *workers;

    /* The present block's, laid out in the memory above: */
    void **layers;      /* [nudge * layers + layer] */
    uint8_t **switches; /* [nudge * couplings + coupling], the free state's behind those of the last nudge */
    void *packed;
    void *common;              /* of the solver, for all workers; NULL: it has none */
    ffebmi_relax_work **works; /* [worker] */

    /* Whose state by hand is in nudge 0: */
    size_t settled_stage; /* FFEBM_NONE: no one's */
    size_t settled_rows;
} ffebmi_workbench;

/* Lay out the plans, where the bench's owner has its memory; before all that follows. */
void ffebmi_workbench_lay_out_plans(ffebmi_workbench *bench, ffebmi_arena *arena);
const void *ffebmi_workbench_plan(const ffebmi_workbench *bench, size_t stage, ffebmi_plans plan);

/* Does this processor have products of 16-bit integers that pay? */
bool ffebmi_workbench_has_int16(const ffebmi_workbench *bench);

/* Take memory for phases of up to `nudges` and, if so, for mixed precision; what there was stays on failure. */
ffebm_status ffebmi_workbench_reserve(ffebmi_workbench *bench, size_t nudges, bool mixed);

/* Elements of packed weights that the feedforward stages need in turn: they are packed in the same place, since no phase of a
 * block outlasts its stage. */
size_t ffebmi_workbench_feedforward_packed(const ffebm_model *model, const ffebmi_arithmetic *arithmetic);

/* Lay out states and switches for a block. What is in them stays, if the block was the last one. */
void ffebmi_workbench_lay_out_states(const ffebmi_workbench *bench, const ffebm_energy *block);

/* The same, and work memory for phases of so many nudges by a plan; and pack the parameters, as 16-bit integers too, if so. */
void ffebmi_workbench_set_up(ffebmi_workbench *bench, const ffebm_energy *block, const void *plan,
                             const void *const *parameters, size_t nudges, bool int16);

/* The layers, [layer], and the switches, [coupling], of a nudge; of switches also those of the free state (FFEBM_NONE). */
void **ffebmi_workbench_layers(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge);
uint8_t **ffebmi_workbench_switches(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge);

#endif

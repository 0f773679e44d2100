/* Memory in which blocks settle, one at a time: states of nudged phases, switches, packed parameters, and what worker threads
 * need. Laid out anew for the block at hand. */
#ifndef FFEBMI_GRADIENT_WORKBENCH_H
#define FFEBMI_GRADIENT_WORKBENCH_H

#include "gradient/readout.h"
#include "model/model.h"
#include "relax/solver.h"

/* Memory of one worker thread. */
typedef struct ffebmi_worker {
    void *relax_memory; /* for the block at hand */
    ffebmi_tape_work readout_work;
    ffebmi_tape *readout_tapes; /* [stage - first readout stage], for a shard of nudged states */
    ffebmi_readout readout;
    void *loss_cotangent; /* shard x outputs */
} ffebmi_worker;

typedef struct ffebmi_workbench {
    /* Whom it serves: */
    ffebm_context *context;
    const ffebm_model *model;
    const ffebmi_kernel *kernel;
    size_t max_batch;
    size_t first_readout; /* stage */

    /* Grows when an estimator with more nudges, or mixed precision, is chosen: */
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

    /* Whose state by hand is in nudge 0: */
    size_t settled_stage; /* FFEBM_NONE: no one's */
    size_t settled_rows;
} ffebmi_workbench;

/* Take memory for phases of up to `nudges` and, if so, for mixed precision; what there was stays on failure. */
ffebm_status ffebmi_workbench_reserve(ffebmi_workbench *bench, size_t nudges, bool mixed);

/* Elements of packed weights that the feedforward stages need in turn: they are packed in the same place, since no phase of a
 * block outlasts its stage. */
size_t ffebmi_workbench_feedforward_packed(const ffebm_model *model, const ffebmi_kernel *kernel);

/* Lay out states and switches for a block. What is in them stays, if the block was the last one. */
void ffebmi_workbench_lay_out_states(const ffebmi_workbench *bench, const ffebm_energy *block);

/* The same, and work memory for phases of so many nudges by `kernel`; and pack the parameters, for `coarse` sweeps too, unless
 * that is NULL. */
void ffebmi_workbench_set_up(ffebmi_workbench *bench, const ffebm_energy *block, const ffebmi_kernel *kernel,
                             const ffebmi_kernel *coarse, const void *const *parameters, size_t nudges);

/* The layers, [layer], and the switches of a nudge; of switches also those of the free state (FFEBM_NONE). */
void **ffebmi_workbench_layers(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge);
uint8_t **ffebmi_workbench_switches(const ffebmi_workbench *bench, const ffebm_energy *block, size_t nudge);

#endif

/* How blocks are brought to equilibrium, and how states are read: a table that each way of doing so fills. Those above know
 * the table, never the solver. One may wrap another: it asks for the next that takes the block. */
#ifndef FFEBMI_RELAX_SOLVER_H
#define FFEBMI_RELAX_SOLVER_H

#include "core/context.h"
#include "relax/phase.h"
#include "relax/reading.h"

/* One worker's memory. A solver's own begins with it. */
typedef struct ffebmi_relax_work {
    void *kind_work; /* of the block's kind */
    ffebmi_tally tally;
    ffebmi_failure failure; /* status FFEBM_OK: none */
    size_t failed_at;       /* the first sample of those that failed */
} ffebmi_relax_work;

typedef struct ffebmi_solver {
    const char *name;
    /* Is it the one for this block? */
    bool (*takes)(const ffebm_energy *block);
    /* Lay out a worker's memory for phases of up to `nudges`, of batches up to max_batch; NULL while measuring. */
    ffebmi_relax_work *(*lay_out)(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                  const void *plan, size_t nudges, size_t max_batch);
    /* OPTIONAL: the same for all workers together; it is then in phases, readings and states. */
    void *(*lay_out_common)(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                            const void *plan, size_t nudges, size_t max_batch);
    /* Settle a batch. Tallies and failures are left in the works, which have been cleared of both. Samples that end in NaN or
     * infinity are counted, not a failure. */
    void (*settle)(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works);
    /* Add a reading to gradients and the input's cotangent. */
    ffebm_status (*read)(ffebm_context *context, const ffebmi_reading *reading, ffebmi_relax_work *const *works);
    /* The quantity that is asked for of each sample, as doubles. */
    ffebm_status (*measure)(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                            double *out);
    /* OPTIONAL: what is handed on of the states of a nudge or (FFEBM_NONE) of free ones: batch x units of the last layer. Without
     * it that layer itself. */
    void (*hand_on)(ffebm_context *context, const ffebmi_states *states, size_t nudge, void *out);
} ffebmi_solver;

extern const ffebmi_solver ffebmi_solver_sweeps;
extern const ffebmi_solver ffebmi_solver_batches;
extern const ffebmi_solver ffebmi_solver_device;

/* All of them, NULL at the end; the first that takes a block is its solver. */
const ffebmi_solver *const *ffebmi_solvers(void);

const ffebmi_solver *ffebmi_solver_of(const ffebm_energy *block);

/* Memory of the solver of a block that all workers share; NULL where it has none, and while measuring. */
void *ffebmi_solver_lay_out_common(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                   const void *plan, size_t nudges, size_t max_batch);

/* The next one behind `solver` that takes the block: what it wraps. */
const ffebmi_solver *ffebmi_solver_below(const ffebmi_solver *solver, const ffebm_energy *block);

/* A slot's failure becomes the context's. */
ffebm_status ffebmi_solver_tell(ffebm_context *context, ffebm_status status, const ffebmi_failure *failure);

/* Settle a batch by the block's solver. works[w] is worker w's. Only a block with FFEBMI_MAY_FAIL can fail. */
ffebm_status ffebmi_relax(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works,
                          ffebmi_tally *tally);

/* The stiffness below 0 from which on some sample's free state is no minimum any more under springs; - infinity: none is. */
double ffebmi_relax_bears(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works);

/* Where the switches stand: switches[coupling] becomes batch x the block's switch_count there. Of blocks that have them. */
void ffebmi_relax_observe(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                          uint8_t *const *switches);

#endif

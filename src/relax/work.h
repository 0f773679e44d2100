/* What a worker thread needs to settle. */
#ifndef FFEBMI_RELAX_WORK_H
#define FFEBMI_RELAX_WORK_H

#include "relax/relax.h"

/* A worker's memory holds the rows of one shard side by side. Samples that have settled leave: the last sample still at
 * work moves into their place, so that products always run over the first `active` samples without gaps. */
struct ffebmi_relax_work {
    void **state;       /* [layer]: rows x units */
    void **free_state;  /* [layer]: rows x units */
    void **view;        /* [layer]: rows of a batch looked at in place */
    uint8_t **switches; /* [layer]: likewise */
    void *input;        /* rows x units of the first layer */
    void *force;        /* rows x units of the last layer */
    void *last;         /* likewise: the last layer itself, where states are displacements */
    ffebmi_norms *norms;
    void *kind_work;              /* of both */
    size_t samples[FFEBMI_SHARD]; /* which sample is in which place */
    int64_t
        spent[FFEBMI_SHARD]; /* sweeps of each sample of the shard, counted from its first, before the present leg */
    ffebmi_tally tally;

    /* for blocks that settle by their own means, instead of all above but force: */
    size_t own_rows;     /* that are settled at once */
    size_t *samples_own; /* [own_rows] */
    void *forces;        /* own_rows x nudges x units of the last layer: as they are asked for */
    ffebmi_failure failure;
    size_t failed_at; /* the first sample of those that failed */
};

#endif

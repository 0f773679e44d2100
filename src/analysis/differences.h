/* Central differences of the loss at equilibrium, along random directions of one tensor. */
#ifndef FFEBMI_ANALYSIS_DIFFERENCES_H
#define FFEBMI_ANALYSIS_DIFFERENCES_H

#include "gradient/chain.h"

typedef struct ffebmi_differences {
    ffebm_engine *engine; /* settled freely, configured as ffebmi_differences_configure does */
    const ffebmi_targets *targets;
    void *const *states; /* [stage]: copies of the free states that settling starts from */
    void *values;        /* scratch, each as large as the largest tensor: its values, */
    void *direction;     /* and a direction */
    size_t directions;
    double step;
    uint64_t seed;
    double loss; /* mean, at the values as they are */
} ffebmi_differences;

/* What comparing a gradient with the differences came to, over all directions; NaN where the loss cannot tell. */
typedef struct ffebmi_difference {
    double cosine;
    double error;
} ffebmi_difference;

/* Let every energy block settle from its free state, as far as the type allows. */
void ffebmi_differences_configure(ffebm_engine *engine, int64_t sweeps);

/* One tensor, whose numbers may be moved between two bounds. */
typedef struct ffebmi_differences_subject {
    void *values;
    size_t count;
    double lower;
    double upper;
} ffebmi_differences_subject;

/* Compare with `gradient` the differences by one tensor, which is moved in place and put back to the bit, on failure,
 * too. Numbers that a step would take beyond a bound stay where they are. index: of the tensor among all, for its
 * directions. */
ffebm_status ffebmi_differences_compare(const ffebmi_differences *differences,
                                        const ffebmi_differences_subject *subject, size_t index, const void *gradient,
                                        ffebmi_difference *result);

/* Bytes of a copy of an energy stage's free state of a batch; and copy it out, or back. */
size_t ffebmi_differences_state_bytes(const ffebm_engine *engine, size_t stage, size_t batch);
void ffebmi_differences_save(const ffebm_engine *engine, void *const *states);
void ffebmi_differences_restore(ffebm_engine *engine, void *const *states);

#endif

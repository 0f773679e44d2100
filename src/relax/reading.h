/* What is read off settled states of a batch. */
#ifndef FFEBMI_RELAX_READING_H
#define FFEBMI_RELAX_READING_H

#include "core/draw.h"
#include "energy/energy.h"

enum { FFEBMI_READING_PAIRS = 2 };

/* weight * (f(first) - f(second)), or weight * f(first) where there is no second; f is dE/dtheta or dE/dx. */
typedef struct ffebmi_reading_pair {
    void **first;  /* [layer]: batch x units; may be the reading's `free` */
    void **second; /* likewise, or NULL */
    uint8_t **first_switches;
    uint8_t **second_switches;
    double weight;
    size_t nudges[2]; /* whose states they are; FFEBM_NONE: the free one */
} ffebmi_reading_pair;

/* A sum of such pairs. */
typedef struct ffebmi_reading {
    const ffebm_energy *block;
    const ffebmi_arrays *arrays;
    const void *plan;
    const void *const *parameters;
    const void *packed;
    size_t batch;
    const void *const *inputs; /* [layer]: batch x units, NULL where it has none: what the states have come from */
    ffebmi_form form; /* of the pairs' states. Tangent: the one pair has the adjoint's displacement as its first */
    void **free;      /* the free state; where the pairs are displacements its own is zero */
    size_t pair_count;
    ffebmi_reading_pair pairs[FFEBMI_READING_PAIRS];
    const double *signs;   /* NULL, or [batch]: a negative one makes a sample's states change places */
    void **memory[2];      /* [layer]: two states' worth, each may be one of a pair's: used up, as the pairs are */
    uint64_t seed;         /* for blocks that draw, */
    uint64_t first_sample; /* and the number of the first sample in what they draw from */
    void *common;          /* these two as in ffebmi_phase */
    ffebmi_occasion occasion;

    void *const *gradients; /* NULL, or [parameter]: added to, */
    double gradient_scale;  /* so many times the sum over the batch */
    bool replace;           /* what is there is replaced, once all has succeeded */
    void *input_cotangent;  /* NULL, or batch x units of each input, one input's behind another's: added to, */
    double input_scale;     /* so many times dE/dx */
} ffebmi_reading;

/* What can be measured of a state. */
typedef enum ffebmi_quantity {
    FFEBMI_ENERGY,
    FFEBMI_POWER /* that its block turns into heat, of kinds that know it */
} ffebmi_quantity;

/* What a look at the states of a whole batch needs. */
typedef struct ffebmi_states {
    const ffebm_energy *block;
    const ffebmi_arrays *arrays;
    const void *plan;
    const void *const *parameters;
    const void *packed;
    size_t batch;
    ffebmi_quantity quantity;  /* that is to be measured */
    void *const *state;        /* [layer]: batch x units */
    const void *const *inputs; /* [layer]: batch x units, likewise; not needed to observe */
    uint64_t seed;             /* for blocks that draw, */
    uint64_t first_sample;     /* likewise */
    const void *const *gains;  /* these three as in ffebmi_phase */
    void *common;
    ffebmi_occasion occasion;
} ffebmi_states;

#endif

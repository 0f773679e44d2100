/* population.h - many fitted devices together: what they have in common, their spread, and both as settings of the library. */
#ifndef EXAMPLES_FIT_POPULATION_H
#define EXAMPLES_FIT_POPULATION_H

#include "device_fit.h"

/* A number with its standard error; NaN where the readings do not tell. */
struct estimate {
    double value;
    double error;
};

struct population {
    const struct step_model *model;
    struct device_fit *devices; /* [trace] */
    size_t count;
    double criterion;  /* Bayesian information criterion: the least is the best */
    double reached[2]; /* how far weights come, down and up, by the model without noise */
    double distance;   /* of the mean trace from that of the model without noise, as a share of what weights span */

    /* settings of ffebm_device_config; all but the bounds are of `update` */
    struct estimate weight_min, weight_max, weight_min_dtod, weight_max_dtod;
    struct estimate dw_min, dw_min_dtod, dw_min_std;
    struct estimate up_down, up_down_dtod;
    struct estimate write_noise_std;
    struct estimate gamma[2], exp_a[2]; /* down, up */
    int bounded[2]; /* the readings show the bound, or the shape has it: else it is as far as they go */
};

/* Fit a model to all devices. Returns 0, or -1 with the failure filled; free it in both cases. */
int population_fit(struct population *population, const struct step_model *model, const struct traces *traces,
                   struct failure *failure);
void population_free(struct population *population);

#endif

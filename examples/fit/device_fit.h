/* device_fit.h - a step model fitted to one device's readings, by maximum likelihood. */
#ifndef EXAMPLES_FIT_DEVICE_FIT_H
#define EXAMPLES_FIT_DEVICE_FIT_H

#include "steps.h"

struct device_fit {
    double p[STEPS];
    unsigned free;                    /* bits of the parameters that were fitted */
    double cost;                      /* -log likelihood */
    double information[STEPS][STEPS]; /* second derivatives of the cost, where both are free */
    double slope[STEPS];              /* and first ones, of those that are in `watched` */
};

/* First values, and which parameters there are to fit. */
void device_fit_start(struct device_fit *fit, const struct step_model *model, const struct trace *trace);

/* Fit what is free, with all else as it stands. */
void device_fit_run(struct device_fit *fit, const struct step_model *model, const struct trace *trace);

/* Take derivatives by what is free and what is watched. */
void device_fit_inform(struct device_fit *fit, const struct step_model *model, const struct trace *trace,
                       unsigned watched);

/* The inverse of the part of a matrix with the rows and columns that are set; false if that is not positive definite. Others
 * are 0. */
int matrix_inverse(const double of[STEPS][STEPS], unsigned set, double inverse[STEPS][STEPS]);

#endif

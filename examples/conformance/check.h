/* check.h - the check of one energy block: memory that its properties share. */
#ifndef EXAMPLES_CONFORMANCE_CHECK_H
#define EXAMPLES_CONFORMANCE_CHECK_H

#include "reading.h"

/* Memory of the properties. */
struct check {
    struct energy_kit e;
    struct point at;           /* all samples, at the kit's point, from its free state, under a force */
    struct reading one, other; /* everything that can be read */
    double *theta, *x, *force; /* of a point nearby */
    double *directions[4];     /* of parameters, inputs, forces, forces */
    double *slopes[2];         /* a property's two sides, by trials */
};

/* Where a point moves to; NULL: not at all. */
struct direction {
    const double *theta;
    const double *x;
    const double *force;
};

/* Numbers in all samples' inputs, and outputs; and parameters. */
size_t check_inputs(const struct check *c);
size_t check_outputs(const struct check *c);
size_t check_parameters(const struct check *c);

/* Draw directions; and go along one, in units of the ranges: the point is valid until the next. */
void check_directions(struct check *c);
struct point check_moved(struct check *c, double factor, const struct direction *d);

/* All properties that are judged by differences. */
void check_slopes(struct check *c);

#endif

/* An energy that is no Hopfield network, as one who adds a kind would write it: springs in pairs, with an exact solution.
 *
 *   E = sum_i k_i / 2 (h_i - u_i)^2 + w_i / 2 (o_i - h_i)^2 + g / 2 o_i^2,   u_i = x_2i - x_(2i+1) / 2
 *
 * Its input has twice the units of its layers, its states no bounds, its derivatives at a state need the input, dE/dk is not
 * zero where the states are, and its parameters stay within [0.2, 5]. */
#ifndef FFEBM_TESTS_SPRINGS_H
#define FFEBM_TESTS_SPRINGS_H

#include "energy/sweeps.h"

static const double springs_ground = 1; /* g */

extern const ffebmi_energy_kind springs_kind;

/* A block of so many pairs. */
ffebm_status springs_create(ffebm_context *context, ffebm_energy **block, int64_t pairs);

/* Where one pair settles under a force on o. */
void springs_solve(double k, double w, double u, double force, double *h, double *o);

#endif

/* The products of settling and its estimates: couplings up and down, and gradients of their weights. */
#ifndef BENCH_COUPLING_H
#define BENCH_COUPLING_H

#include "team.h"

void coupling_measure(const team teams[TEAM_COUNT], size_t count);

#endif

/* The passes that settling consists of: couplings up and down. */
#ifndef BENCH_COUPLING_H
#define BENCH_COUPLING_H

#include "team.h"

void coupling_measure(const team teams[TEAM_COUNT], size_t count);

#endif

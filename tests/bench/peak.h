/* What the machine can do at best, and how near the BLAS comes to it. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include "team.h"

/* Measure and print a team's peak of fused multiply-adds, and set team->peak. */
void peak_measure(team *t);

/* Measure and print products of matrices, one on each thread. */
void peak_measure_blas(const team *t);

#endif

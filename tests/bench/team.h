/* The threads that a measurement runs on, and what they could do at best. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include <ffebm.h>

typedef struct team {
    ffebm_context *context; /* of so many threads */
    size_t threads;
    double peak;      /* GFLOP/s in float32, all threads together */
    double busy_peak; /* GFLOP in a second of processor time */
} team;

enum { TEAM_COUNT = 2 }; /* one thread, and one a processor */

#endif

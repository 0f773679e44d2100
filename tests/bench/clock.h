/* Time, and what is said of a few repeats of the same measurement. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stddef.h>

enum { CLOCK_REPEATS = 32 }; /* at most */

typedef struct repeats {
    double seconds[CLOCK_REPEATS];
    size_t count;
} repeats;

/* Seconds of a clock that never goes back. */
double clock_now(void);

/* Seconds that processors have spent on this process, all threads together. */
double clock_busy(void);

void repeats_add(repeats *r, double seconds);
double repeats_best(const repeats *r);
double repeats_median(const repeats *r);
double repeats_spread(const repeats *r); /* slowest / fastest */

#endif

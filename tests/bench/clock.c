#include "clock.h"

#include <stdlib.h>
#include <time.h>

double clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_busy(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

void repeats_add(repeats *r, double seconds)
{
    if (r->count < CLOCK_REPEATS)
        r->seconds[r->count++] = seconds;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static repeats sorted(const repeats *r)
{
    repeats s = *r;

    qsort(s.seconds, s.count, sizeof s.seconds[0], compare);
    return s;
}

double repeats_best(const repeats *r)
{
    return sorted(r).seconds[0];
}

double repeats_median(const repeats *r)
{
    repeats s = sorted(r);

    return (s.seconds[(s.count - 1) / 2] + s.seconds[s.count / 2]) / 2;
}

double repeats_spread(const repeats *r)
{
    repeats s = sorted(r);

    return s.seconds[s.count - 1] / s.seconds[0];
}

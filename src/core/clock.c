#include "core/clock.h"

#include <time.h>

#include "core/parts.h"

#ifdef FFEBMI_WITH_THREADS

double ffebmi_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#else

double ffebmi_clock(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

#endif

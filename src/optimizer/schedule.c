/* Learning-rate schedules: pure functions of the step. */
#include <math.h>

#include <ffebm/optimizer.h>

#include "core/strict.h"

static const double pi = 3.14159265358979323846;

double ffebm_schedule_cosine(double first, double last, int64_t step, int64_t steps)
{
    if (step >= steps)
        return last;
    if (step <= 0)
        return first;
    return last + (first - last) * (1 + cos(pi * (double)step / (double)steps)) / 2;
}

double ffebm_schedule_step(double first, double factor, int64_t step, int64_t period)
{
    int64_t periods = period < 1 || step < period ? 0 : step / period;

    return first * pow(factor, (double)periods);
}

double ffebm_schedule_warmup(int64_t step, int64_t steps)
{
    if (steps < 1 || step >= steps - 1)
        return 1;
    return step < 0 ? 1.0 / (double)steps : (double)(step + 1) / (double)steps;
}

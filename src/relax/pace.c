/* Chebyshev's iteration for two groups of layers that are updated in turn (Golub and Varga 1961), and Young's (1954) relation
 * between relaxation and rate, by which the rate shows through residuals that are relaxed already. */
#include "relax/pace.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* What residuals show early on is less than the rate, since what settles fast is still among it: so many times. */
static const double early = 1.3;
/* Two layers of couplings that a chain of any length would bear: where a rate begins. */
static const double first_rate = 0.25;
/* Beyond it rounding is made larger than it saves. */
static const double slowest = 0.99;
/* By how much a sweep must be slower than its relaxation for the block to be slower than is expected. */
static const double margin = 0.05;
/* First sweeps from afar, which choose the equilibrium: it is to be that of plain ones. Sweeps that a change of the rate takes to
 * show. Sweeps without a new least change before the rest is plain. */
enum { PLAIN = 4, SHOWN = 4, PATIENCE = 15 };

/* The rate of a chain all of whose couplings are as strong as one without end could bear. */
static double rate_of_chain(size_t layers)
{
    double largest = cos(pi / (double)(layers + 1));

    return layers > 1 ? largest * largest : 0;
}

ffebmi_pace ffebmi_pace_begin(size_t layers, bool near)
{
    double expected = rate_of_chain(layers);

    return (ffebmi_pace){
        .rate = near ? fmin(first_rate, expected) : 0, .expected = expected, .furthest = 1, .least = INFINITY};
}

double ffebmi_pace_next(ffebmi_pace *pace)
{
    double last = pace->relaxation;

    if (pace->plain || last == 0 || pace->rate == 0)
        pace->relaxation = 1;
    else
        pace->relaxation = 1 / (1 - pace->rate * (last == 1 ? 2 : last) / 4);
    pace->furthest = fmax(pace->furthest, pace->relaxation);
    return pace->relaxation;
}

/* What the last sweep, or the last two, have left of a residual. */
static double fall(const ffebmi_pace *pace)
{
    if (pace->changes[2] > 0)
        return sqrt(sqrt(pace->changes[0] / pace->changes[2]));
    return pace->changes[1] > 0 ? sqrt(pace->changes[0] / pace->changes[1]) : 0;
}

/* The rate that leaves so much of a residual under a relaxation w, by Young's relation; relaxed by too much, all rates leave
 * w - 1. */
static double rate_behind(double left, double w)
{
    double root = left + w - 1;

    return left > w - 1 ? root * root / (w * w * left) : 0;
}

static void raise_beyond(ffebmi_pace *pace, double left, double rate)
{
    if (left >= 1 || left <= pace->relaxation - 1 + margin || rate <= pace->rate || pace->since < SHOWN)
        return;
    pace->rate = fmin(slowest, pace->rate + (rate - pace->rate) / 2);
    pace->since = 0;
}

static void watch(ffebmi_pace *pace, double change)
{
    pace->stuck = change < pace->least ? 0 : pace->stuck + 1;
    pace->least = fmin(pace->least, change);
    pace->plain = pace->plain || pace->stuck > PATIENCE;
}

void ffebmi_pace_learn(ffebmi_pace *pace, double change)
{
    double left, rate;

    memmove(pace->changes + 1, pace->changes, sizeof pace->changes - sizeof *pace->changes);
    pace->changes[0] = change;
    pace->since++;
    pace->sweeps++;
    watch(pace, change);
    left = fall(pace);
    if (left == 0 || (pace->rate == 0 && pace->sweeps <= PLAIN))
        return;
    rate = rate_behind(left, pace->relaxation);
    pace->rate = fmax(pace->rate, fmin(pace->expected, early * rate));
    raise_beyond(pace, left, rate);
}

#include "steps.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------ the four models */

static double constant(const double *p, int up, double w, double *slope)
{
    (void)p;
    (void)up;
    (void)w;
    *slope = 0;
    return 1;
}

static void start_constant(double *p, int up, double intercept, double slope)
{
    (void)slope;
    p[STEP + up] = log(fmax(intercept, 1e-9));
}

/* h = 1 - k w, of a k that all devices share. */
static double linear(const double *p, int up, double w, double *slope)
{
    *slope = -p[SHAPE + up];
    return 1 - p[SHAPE + up] * w;
}

static void start_linear(double *p, int up, double intercept, double slope)
{
    start_constant(p, up, intercept, slope);
    p[SHAPE + up] = -slope / fmax(intercept, 1e-9);
}

/* h = 1 - w / bound, of a bound of the device's own: above 0 upwards, below downwards. */
static double soft_bounds(const double *p, int up, double w, double *slope)
{
    *slope = (up ? -1 : 1) * exp(-p[SHAPE + up]);
    return 1 + *slope * w;
}

static void start_soft_bounds(double *p, int up, double intercept, double slope)
{
    double k = -slope / fmax(intercept, 1e-9) * (up ? 1 : -1);

    start_constant(p, up, intercept, slope);
    p[SHAPE + up] = -log(fmin(fmax(k, 1e-2), 1e2));
}

/* h = 1 - exp(a + d g w), where that is above 0. */
static double exponential(const double *p, int up, double w, double *slope)
{
    double g = up ? p[CURVE + up] : -p[CURVE + up], e = exp(fmin(p[SHAPE + up] + g * w, 50));

    *slope = -g * e;
    return 1 - e;
}

/* The slope of the line is that of the curve where w is 0. */
static void start_exponential(double *p, int up, double intercept, double slope)
{
    start_constant(p, up, intercept, slope);
    p[CURVE + up] = 2;
    p[SHAPE + up] = log(fmin(fmax(fabs(slope) / (2 * fmax(intercept, 1e-9)), 1e-3), 0.5));
}

const struct step_model step_models[] = {{"constant", 0, 0, 1, constant, start_constant},
                                         {"linear", 1, 1, 1, linear, start_linear},
                                         {"soft_bounds", 1, 0, 0, soft_bounds, start_soft_bounds},
                                         {"exponential", 2, 1, 1, exponential, start_exponential}};

/* --------------------------------------------------------------------------------------------------------- likelihood */

/* What is known of a weight. */
struct belief {
    double mean;
    double variance;
};

/* A normal number, clipped to what is above 0: its mean and variance, which unlike the number's are smooth in both. Returns how
 * likely it is to be above. */
static double clip(struct belief *b)
{
    double sigma = sqrt(b->variance), z = b->mean / sigma, above, density, mean;

    if (sigma == 0) {
        b->mean = fmax(0, b->mean);
        return b->mean > 0;
    }
    if (z > 6)
        return 1;
    above = erfc(-z / sqrt(2)) / 2;
    density = exp(-z * z / 2) / sqrt(2 * acos(-1));
    mean = z * above + density;
    b->mean = sigma * mean;
    b->variance *= fmax(0, (z * z + 1) * above + z * density - mean * mean);
    return above;
}

static void bound_weight(struct belief *b, double bound, int up)
{
    double side = up ? -1 : 1;
    struct belief within = {side * (b->mean - bound), b->variance};

    clip(&within);
    b->mean = bound + side * within.mean;
    b->variance = within.variance;
}

static void pulse(const struct step_model *model, const double *p, int up, double size, double cycle, struct belief *b)
{
    double slope, turn;
    struct belief h = {model->h(p, up, b->mean, &slope), 0};

    h.variance = slope * slope * b->variance;
    if (model->clips) /* by soft bounds a weight that is beyond comes back */
        slope *= clip(&h);
    turn = 1 + (up ? size : -size) * slope;
    b->variance = turn * turn * b->variance + size * size * h.mean * h.mean * cycle * cycle;
    b->mean += (up ? size : -size) * h.mean;
    if (isfinite(p[BOUND + up]))
        bound_weight(b, p[BOUND + up], up);
}

static void pulses(const struct step_model *model, const double *p, int count, double cycle, struct belief *b)
{
    int up = count > 0;
    double size = exp(p[STEP + up]);

    for (int i = abs(count); i > 0; i--)
        pulse(model, p, up, size, cycle, b);
}

double step_pulses(const struct step_model *model, const double *p, int count, double w)
{
    struct belief b = {w, 0};

    pulses(model, p, count, 0, &b);
    return b.mean;
}

double step_cost(const struct step_model *model, const double *p, const struct trace *trace)
{
    const double cycle = exp(p[CYCLE]), noise = exp(2 * p[READING]), log_two_pi = 1.8378770664093453;
    struct belief b = {trace->readings[0].value, noise};
    double sum = 0;

    for (size_t i = 1; i < trace->count; i++) {
        double surprise, variance, gain;

        pulses(model, p, trace->readings[i].pulses, cycle, &b);
        surprise = trace->readings[i].value - b.mean;
        variance = b.variance + noise;
        sum += (surprise * surprise / variance + log(variance) + log_two_pi) / 2;
        gain = b.variance / variance;
        b.mean += gain * surprise;
        b.variance *= 1 - gain;
    }
    return isfinite(sum) ? sum : 1e30;
}

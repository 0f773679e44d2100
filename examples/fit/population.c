#include "population.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEWTON = 3 };

/* ------------------------------------------------------------------------------------------- what devices have in common */

/* Noise, and shapes that are no device's own. */
static unsigned common_of(const struct step_model *model)
{
    unsigned shapes = (model->shapes > 0 ? 3u << SHAPE : 0) | (model->shapes > 1 ? 3u << CURVE : 0);

    return 1u << CYCLE | 1u << READING | (model->common ? shapes : 0);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void set_to_medians(struct population *g, unsigned common, double *values)
{
    for (int i = 0; i < STEPS; i++) {
        if (!(common >> i & 1))
            continue;
        for (size_t d = 0; d < g->count; d++)
            values[d] = g->devices[d].p[i];
        qsort(values, g->count, sizeof *values, compare);
        for (size_t d = 0; d < g->count; d++)
            g->devices[d].p[i] = (values[(g->count - 1) / 2] + values[g->count / 2]) / 2;
    }
}

/* What a device says of the common parameters, its own being fitted again for each value of these. */
static void add_information(const struct device_fit *fit, unsigned common, double sum[STEPS][STEPS])
{
    double own[STEPS][STEPS];

    if (!matrix_inverse(fit->information, fit->free, own))
        return;
    for (int i = 0; i < STEPS; i++)
        for (int k = 0; k < STEPS; k++) {
            if (!(common >> i & 1) || !(common >> k & 1))
                continue;
            sum[i][k] += fit->information[i][k];
            for (int a = 0; a < STEPS; a++)
                for (int b = 0; b < STEPS; b++)
                    sum[i][k] -= fit->information[i][a] * own[a][b] * fit->information[b][k];
        }
}

/* No farther than where the cost may still be a parabola. */
static void move(struct population *g, double covariance[STEPS][STEPS], const double slope[STEPS])
{
    static const double farthest = 0.3;

    for (int i = 0; i < STEPS; i++) {
        double step = 0;

        for (int k = 0; k < STEPS; k++)
            step -= covariance[i][k] * slope[k];
        for (size_t d = 0; d < g->count; d++)
            g->devices[d].p[i] += fmax(-farthest, fmin(step, farthest));
    }
}

/* Newton's steps on the sum of all devices' costs, by the common parameters. */
static void fit_common(struct population *g, const struct traces *traces, unsigned common,
                       double covariance[STEPS][STEPS])
{
    memset(covariance, 0, STEPS * sizeof covariance[0]);
    for (int step = 0; step < NEWTON; step++) {
        double sum[STEPS][STEPS] = {{0}}, slope[STEPS] = {0};

        for (size_t d = 0; d < g->count; d++) {
            struct device_fit *fit = &g->devices[d];

            fit->free &= ~common;
            device_fit_run(fit, g->model, &traces->list[d]);
            device_fit_inform(fit, g->model, &traces->list[d], common);
            add_information(fit, common, sum);
            for (int i = 0; i < STEPS; i++)
                slope[i] += fit->slope[i];
        }
        if (!matrix_inverse(sum, common, covariance)) {
            for (int i = 0; i < STEPS; i++)
                covariance[i][i] = NAN;
            return;
        }
        if (step + 1 < NEWTON)
            move(g, covariance, slope);
    }
}

/* ------------------------------------------------------------------------------------------------- mean and spread */

/* Of the devices that have a number of a kind; those with NaN have none. */
struct sample {
    double *values;
    double *errors; /* squared */
    size_t count;
};

static void spread_of(const struct sample *s, struct estimate *mean, struct estimate *spread)
{
    double n = (double)s->count, sum = 0, squares = 0, errors = 0, variance;

    for (size_t i = 0; i < s->count; i++) {
        sum += s->values[i];
        errors += s->errors[i] / n;
    }
    for (size_t i = 0; i < s->count; i++)
        squares += pow(s->values[i] - sum / n, 2);
    *mean = (struct estimate){sum / n, sqrt(errors)};
    *spread = (struct estimate){0, NAN};
    if (s->count < 2)
        return;
    variance = squares / (n - 1);
    mean->error = sqrt(variance / n);
    spread->value = sqrt(fmax(0, variance - errors));
    spread->error = variance * sqrt(2 / (n - 1)) / (2 * fmax(spread->value, sqrt(errors)));
}

/* As a fraction of another estimate's size. */
static struct estimate relative(struct estimate of, struct estimate to)
{
    double ratio = of.value / fabs(to.value);

    return (struct estimate){ratio, sqrt(pow(of.error, 2) + pow(ratio * to.error, 2)) / fabs(to.value)};
}

/* --------------------------------------------------------------------------------------------------------- settings */

/* A sum and a difference of the steps up and down: dw_min times 1 + xi, and times the asymmetry. */
static void take_steps(struct population *g, struct sample *s, double covariances[][STEPS][STEPS])
{
    for (int sign = 1; sign >= -1; sign -= 2) {
        struct estimate mean, spread;

        s->count = g->count;
        for (size_t d = 0; d < g->count; d++) {
            double up = exp(g->devices[d].p[STEP + UP]), down = exp(g->devices[d].p[STEP + DOWN]);
            double(*c)[STEPS] = covariances[d];

            s->values[d] = (up + sign * down) / 2;
            s->errors[d] = (up * up * c[STEP + UP][STEP + UP] + down * down * c[STEP + DOWN][STEP + DOWN] +
                            2 * sign * up * down * c[STEP + UP][STEP + DOWN]) /
                           4;
        }
        spread_of(s, &mean, &spread);
        if (sign > 0) {
            g->dw_min = mean;
            g->dw_min_dtod = relative(spread, mean);
        } else {
            g->up_down = relative(mean, g->dw_min);
            g->up_down_dtod = relative(spread, g->dw_min);
        }
    }
}

/* Bounds are those where weights are clipped, or the shape's; where there are none, as far as weights go. */
static void take_bound(struct population *g, int up, struct sample *s, double covariances[][STEPS][STEPS])
{
    int own = !g->model->clips, at = own ? SHAPE + up : BOUND + up;
    struct estimate *bound = up ? &g->weight_max : &g->weight_min;
    struct estimate *dtod = up ? &g->weight_max_dtod : &g->weight_min_dtod, spread;

    s->count = 0;
    for (size_t d = 0; d < g->count; d++) {
        double size = exp(g->devices[d].p[at]), variance = covariances[d][at][at];

        if (!own && !isfinite(g->devices[d].p[at]))
            continue;
        s->values[s->count] = own ? (up ? size : -size) : g->devices[d].p[at];
        s->errors[s->count++] = own ? size * size * variance : variance;
    }
    g->bounded[up] = s->count > 0;
    *bound = (struct estimate){g->reached[up], NAN};
    *dtod = (struct estimate){0, NAN};
    if (s->count == 0)
        return;
    spread_of(s, bound, &spread);
    *dtod = relative(spread, *bound);
}

/* gamma of a linear step is k times the bound, that of an exponential one g times half the range. */
static void take_shape(struct population *g, double common[STEPS][STEPS])
{
    double half = (g->weight_max.value - g->weight_min.value) / 2;

    for (int up = DOWN; up <= UP; up++) {
        int shape = SHAPE + up, curve = CURVE + up;
        const double *p = g->devices[0].p;
        const struct estimate *bound = up ? &g->weight_max : &g->weight_min;

        g->gamma[up] = (struct estimate){1, NAN};
        if (g->model->shapes == 1 && g->model->common)
            g->gamma[up] = (struct estimate){p[shape] * bound->value,
                                             sqrt(common[shape][shape] * pow(bound->value, 2) +
                                                  pow(p[shape] * (isnan(bound->error) ? 0 : bound->error), 2))};
        if (g->model->shapes == 2) {
            g->gamma[up] = (struct estimate){p[curve] * half, sqrt(common[curve][curve]) * half};
            g->exp_a[up] = (struct estimate){exp(p[shape]), exp(p[shape]) * sqrt(common[shape][shape])};
        }
    }
}

/* Of the logarithm that was fitted. */
static struct estimate size_of(const struct population *g, double common[STEPS][STEPS], int parameter)
{
    double size = exp(g->devices[0].p[parameter]);

    return (struct estimate){size, size * sqrt(common[parameter][parameter])};
}

static void take_noise(struct population *g, double common[STEPS][STEPS])
{
    g->dw_min_std = size_of(g, common, CYCLE);
    g->write_noise_std = relative(size_of(g, common, READING), g->dw_min);
}

/* ------------------------------------------------------------------------------------------------------------- quality */

static unsigned parameters_of(const struct population *g, unsigned common)
{
    unsigned count = 0;

    for (int i = 0; i < STEPS; i++) {
        count += common >> i & 1;
        for (size_t d = 0; d < g->count; d++)
            count += g->devices[d].free >> i & 1;
    }
    return count;
}

static void take_criterion(struct population *g, const struct traces *traces, unsigned common)
{
    g->criterion = parameters_of(g, common) * log((double)traces_readings(traces));
    for (size_t d = 0; d < g->count; d++)
        g->criterion += 2 * g->devices[d].cost;
}

/* How far the model without noise comes in a device's trace. */
static void take_reached(struct population *g, const struct traces *traces)
{
    g->reached[UP] = -INFINITY;
    g->reached[DOWN] = INFINITY;
    for (size_t d = 0; d < g->count; d++) {
        double w = traces->list[d].readings[0].value;

        for (size_t i = 1; i < traces->list[d].count; i++) {
            w = step_pulses(g->model, g->devices[d].p, traces->list[d].readings[i].pulses, w);
            g->reached[UP] = fmax(g->reached[UP], w);
            g->reached[DOWN] = fmin(g->reached[DOWN], w);
        }
    }
}

/* At each place of the longest trace, the mean over devices of the reading less what the model without noise has come to. */
static int take_distance(struct population *g, const struct traces *traces)
{
    double *weights = calloc(g->count, sizeof *weights), sum = 0, places = 0;
    double span = g->reached[UP] - g->reached[DOWN];

    if (weights == NULL)
        return -1;
    for (size_t i = 0, there = 1; there > 0; i++) {
        double difference = 0;

        there = 0;
        for (size_t d = 0; d < g->count; d++) {
            const struct trace *t = &traces->list[d];

            if (i >= t->count)
                continue;
            weights[d] = i == 0 ? t->readings[0].value
                                : step_pulses(g->model, g->devices[d].p, t->readings[i].pulses, weights[d]);
            difference += t->readings[i].value - weights[d];
            there++;
        }
        if (there == 0)
            break;
        sum += pow(difference / (double)there, 2);
        places++;
    }
    free(weights);
    g->distance = sqrt(sum / places) / span;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- all together */

static int summarise(struct population *g, const struct traces *traces, double common[STEPS][STEPS])
{
    double(*covariances)[STEPS][STEPS] = calloc(g->count, sizeof *covariances);
    double *numbers = calloc(2 * g->count, sizeof *numbers);
    int failed = covariances == NULL || numbers == NULL;

    if (!failed) {
        struct sample s = {.values = numbers, .errors = numbers + g->count};

        for (size_t d = 0; d < g->count; d++)
            matrix_inverse(g->devices[d].information, g->devices[d].free, covariances[d]);
        take_reached(g, traces);
        take_steps(g, &s, covariances);
        take_bound(g, DOWN, &s, covariances);
        take_bound(g, UP, &s, covariances);
        take_shape(g, common);
        take_noise(g, common);
        failed = take_distance(g, traces);
    }
    free(covariances);
    free(numbers);
    return failed ? -1 : 0;
}

/* Both directions, and upwards is up. */
static int check(const struct traces *traces, struct failure *failure)
{
    for (size_t d = 0; d < traces->count; d++) {
        const struct trace *t = &traces->list[d];
        size_t counts[2] = {0, 0};
        double moves[2] = {0, 0};

        for (size_t i = 1; i < t->count; i++) {
            int up = t->readings[i].pulses > 0;

            counts[up]++;
            moves[up] += t->readings[i].value - t->readings[i - 1].value;
        }
        for (int up = DOWN; up <= UP; up++)
            if (counts[up] < STEPS)
                return failure_set(failure, "device \"%s\" has %zu readings behind pulses %s, expected %d or more",
                                   t->name, counts[up], up ? "up" : "down", STEPS);
        if (moves[UP] <= 0 || moves[DOWN] >= 0)
            return failure_set(
                failure,
                "device \"%s\": pulses up make %+.3g of its reading, pulses down %+.3g, expected more and less",
                t->name, moves[UP] * traces->scale, moves[DOWN] * traces->scale);
    }
    return 0;
}

void population_free(struct population *population)
{
    free(population->devices);
    population->devices = NULL;
}

int population_fit(struct population *g, const struct step_model *model, const struct traces *traces,
                   struct failure *failure)
{
    unsigned common = common_of(model);
    double covariance[STEPS][STEPS], *values;

    *g = (struct population){.model = model, .count = traces->count};
    if (check(traces, failure) != 0)
        return -1;
    g->devices = calloc(g->count, sizeof *g->devices);
    values = calloc(g->count, sizeof *values);
    if (g->devices == NULL || values == NULL) {
        free(values);
        return failure_set(failure, "out of memory");
    }
    for (size_t d = 0; d < g->count; d++) {
        device_fit_start(&g->devices[d], model, &traces->list[d]);
        device_fit_run(&g->devices[d], model, &traces->list[d]);
        device_fit_inform(&g->devices[d], model, &traces->list[d], 0);
    }
    set_to_medians(g, common, values);
    fit_common(g, traces, common, covariance);
    free(values);
    take_criterion(g, traces, common);
    return summarise(g, traces, covariance) == 0 ? 0 : failure_set(failure, "out of memory");
}

#include "device_fit.h"

#include <math.h>
#include <string.h>

#include <nlopt.h>

/* ---------------------------------------------------------------------------------------------------------- beginnings */

/* Sums over single steps of one direction: of w, of the step, and of their products. */
struct line {
    double n, x, y, xx, xy;
};

static struct line add_steps(const struct trace *trace, int up)
{
    struct line l = {0, 0, 0, 0, 0};

    for (size_t i = 1; i < trace->count; i++) {
        int n = trace->readings[i].pulses;
        double x = trace->readings[i - 1].value, y = (trace->readings[i].value - x) / n;

        if ((n > 0) != up)
            continue;
        l.n++;
        l.x += x;
        l.y += y;
        l.xx += x * x;
        l.xy += x * y;
    }
    return l;
}

/* y = intercept + slope x, y taken in the direction of the pulses; where x hardly varies a mean. */
static void fit_line(const struct line *l, double *intercept, double *slope)
{
    double spread = l->n * l->xx - l->x * l->x;

    *slope = spread > 1e-12 * l->n * l->xx ? (l->n * l->xy - l->x * l->y) / spread : 0;
    *intercept = l->n > 0 ? (l->y - *slope * l->x) / l->n : 0;
}

/* Half of what steps vary by is put down to readings. */
static double scatter(const struct trace *trace)
{
    double sum = 0, mean[2], n[2];

    for (int up = DOWN; up <= UP; up++) {
        struct line l = add_steps(trace, up);

        n[up] = l.n;
        mean[up] = l.n > 0 ? l.y / l.n : 0;
    }
    for (size_t i = 1; i < trace->count; i++) {
        double step = trace->readings[i].value - trace->readings[i - 1].value;
        int pulses = trace->readings[i].pulses;

        sum += pow(step - pulses * mean[pulses > 0], 2);
    }
    return sqrt(sum / fmax(n[DOWN] + n[UP], 1)) + 1e-9;
}

static double mean_of(const struct trace *trace, size_t first, size_t count)
{
    double sum = 0;

    for (size_t i = first; i < first + count; i++)
        sum += trace->readings[i].value;
    return sum / (double)count;
}

/* The mean of the last readings of the longest run one way, if the device has come to rest there: it may have a bound. */
static double plateau(const struct trace *trace, int up, double step)
{
    enum { LAST = 8 };
    size_t longest = 0, end = 0, run = 0;
    double last;

    for (size_t i = 1; i < trace->count; i++) {
        run = (trace->readings[i].pulses > 0) == up ? run + 1 : 0;
        if (run > longest) {
            longest = run;
            end = i;
        }
    }
    if (longest < 4 * LAST)
        return up ? INFINITY : -INFINITY;
    last = mean_of(trace, end + 1 - LAST, LAST);
    return fabs(last - mean_of(trace, end + 1 - 2 * LAST, LAST)) < step * LAST / 2 ? last : up ? INFINITY : -INFINITY;
}

static void start_direction(struct device_fit *fit, const struct step_model *model, const struct trace *trace, int up)
{
    struct line l = add_steps(trace, up);
    double intercept, slope;

    fit_line(&l, &intercept, &slope);
    model->start(fit->p, up, intercept, slope);
    fit->free |= 1u << (STEP + up);
    if (model->shapes > 0)
        fit->free |= 1u << (SHAPE + up);
    if (model->shapes > 1)
        fit->free |= 1u << (CURVE + up);
    fit->p[BOUND + up] = up ? INFINITY : -INFINITY;
}

/* Whether a device has bounds depends on what else it is taken to be. */
static void start_bounds(struct device_fit *fit, const struct step_model *model, const struct trace *trace)
{
    for (int up = DOWN; up <= UP; up++) {
        if (!model->clips || isfinite(fit->p[BOUND + up]))
            continue;
        fit->p[BOUND + up] = plateau(trace, up, exp(fit->p[STEP + up]));
        if (isfinite(fit->p[BOUND + up]))
            fit->free |= 1u << (BOUND + up);
    }
}

void device_fit_start(struct device_fit *fit, const struct step_model *model, const struct trace *trace)
{
    double noise = scatter(trace), step;

    *fit = (struct device_fit){.free = 1u << CYCLE | 1u << READING};
    start_direction(fit, model, trace, DOWN);
    start_direction(fit, model, trace, UP);
    step = exp((fit->p[STEP + UP] + fit->p[STEP + DOWN]) / 2);
    fit->p[READING] = log(noise / 2);
    fit->p[CYCLE] = log(fmin(noise / 2 / step, 10));
}

/* --------------------------------------------------------------------------------------------------------------- fitting */

/* What the optimiser sees: the free parameters alone, each in units by which the cost changes about as much. */
struct search {
    struct device_fit *fit;
    const struct step_model *model;
    const struct trace *trace;
};

static const double units[STEPS] = {0.02, 0.02, 0.05, 0.05, 0.1, 0.1, 0.05, 0.05, 0.005, 0.005};

static void put(struct device_fit *fit, const double *x)
{
    for (int i = 0, k = 0; i < STEPS; i++)
        if (fit->free >> i & 1)
            fit->p[i] = x[k++] * units[i];
}

static unsigned get(const struct device_fit *fit, double *x)
{
    unsigned k = 0;

    for (int i = 0; i < STEPS; i++)
        if (fit->free >> i & 1)
            x[k++] = fit->p[i] / units[i];
    return k;
}

static double cost_at(const struct search *s, const double *x)
{
    put(s->fit, x);
    return step_cost(s->model, s->fit->p, s->trace);
}

/* Slopes by central differences: the cost is smooth but for readings at a bound. */
static double objective(unsigned n, const double *x, double *gradient, void *data)
{
    enum { MOST = STEPS };
    static const double step = 1e-3;
    struct search *s = data;
    double at[MOST];

    memcpy(at, x, n * sizeof *at);
    for (unsigned i = 0; gradient != NULL && i < n; i++) {
        at[i] = x[i] + step;
        gradient[i] = cost_at(s, at);
        at[i] = x[i] - step;
        gradient[i] = (gradient[i] - cost_at(s, at)) / (2 * step);
        at[i] = x[i];
    }
    return cost_at(s, at);
}

/* Noise that is not there stays within reach: its logarithm would run away. */
static void bound(const struct device_fit *fit, double *least, double *most)
{
    for (int i = 0, k = 0; i < STEPS; i++)
        if (fit->free >> i & 1) {
            int noise = i == CYCLE || i == READING;

            least[k] = (noise ? fit->p[i] - 10 : fit->p[i] - 1000 * units[i]) / units[i];
            most[k++] = (noise ? fit->p[i] + 5 : fit->p[i] + 1000 * units[i]) / units[i];
        }
}

static void run(struct search *s, nlopt_algorithm algorithm, int evaluations)
{
    double x[STEPS], least[STEPS], most[STEPS], cost = HUGE_VAL;
    unsigned n = get(s->fit, x);
    nlopt_opt opt = nlopt_create(algorithm, n);

    if (opt == NULL)
        return;
    bound(s->fit, least, most);
    nlopt_set_lower_bounds(opt, least);
    nlopt_set_upper_bounds(opt, most);
    nlopt_set_min_objective(opt, objective, s);
    nlopt_set_ftol_abs(opt, 1e-4);
    nlopt_set_maxeval(opt, evaluations);
    nlopt_optimize(opt, x, &cost);
    nlopt_destroy(opt);
    put(s->fit, x);
    s->fit->cost = step_cost(s->model, s->fit->p, s->trace);
}

static void search(struct device_fit *fit, const struct step_model *model, const struct trace *trace)
{
    struct search s = {fit, model, trace};

    run(&s, NLOPT_LD_SLSQP, 2000);
}

/* A bound that readings say nothing of is none: with it they are hardly more likely than without. */
static void try_without_bounds(struct device_fit *fit, const struct step_model *model, const struct trace *trace)
{
    enum { WORTH = 3 };

    for (int up = DOWN; up <= UP; up++) {
        struct device_fit without = *fit;

        if (!(fit->free >> (BOUND + up) & 1))
            continue;
        without.free &= ~(1u << (BOUND + up));
        without.p[BOUND + up] = up ? INFINITY : -INFINITY;
        search(&without, model, trace);
        if (without.cost < fit->cost + WORTH)
            *fit = without;
    }
}

void device_fit_run(struct device_fit *fit, const struct step_model *model, const struct trace *trace)
{
    start_bounds(fit, model, trace);
    search(fit, model, trace);
    try_without_bounds(fit, model, trace);
}

/* ------------------------------------------------------------------------------------------------------------ information */

/* Far enough that the cost rises by about 1e-3: small beside what a standard error is made of, 1/2, and large beside rounding. */
static double reach(const struct device_fit *fit, const struct step_model *model, const struct trace *trace, int i)
{
    double step = 1e-4, p[STEPS];

    for (int tries = 0; tries < 12; tries++) {
        double rise;

        memcpy(p, fit->p, sizeof p);
        p[i] += step;
        rise = step_cost(model, p, trace);
        p[i] -= 2 * step;
        rise = (rise + step_cost(model, p, trace)) / 2 - fit->cost;
        if (rise > 3e-4 && rise < 3e-3)
            return step;
        step *= rise <= 0 ? 4 : fmin(fmax(sqrt(1e-3 / rise), 0.05), 20);
    }
    return step;
}

void device_fit_inform(struct device_fit *fit, const struct step_model *model, const struct trace *trace,
                       unsigned watched)
{
    unsigned set = fit->free | watched;
    double steps[STEPS], p[STEPS];

    for (int i = 0; i < STEPS; i++)
        steps[i] = set >> i & 1 ? reach(fit, model, trace, i) : 0;
    memset(fit->information, 0, sizeof fit->information);
    memset(fit->slope, 0, sizeof fit->slope);
    for (int i = 0; i < STEPS; i++)
        for (int k = 0; k <= i && set >> i & 1; k++) {
            double corner[2][2];

            if (!(set >> k & 1))
                continue;
            for (int a = 0; a < 2; a++)
                for (int b = 0; b < 2; b++) {
                    memcpy(p, fit->p, sizeof p);
                    p[i] += (a ? 1 : -1) * steps[i] / (i == k ? 2 : 1);
                    p[k] += (b ? 1 : -1) * steps[k] / (i == k ? 2 : 1);
                    corner[a][b] = step_cost(model, p, trace);
                }
            fit->information[i][k] = fit->information[k][i] =
                (corner[1][1] - corner[1][0] - corner[0][1] + corner[0][0]) / (i == k ? 1 : 4) / (steps[i] * steps[k]);
            if (i == k)
                fit->slope[i] = (corner[1][1] - corner[0][0]) / (2 * steps[i]);
        }
}

int matrix_inverse(const double of[STEPS][STEPS], unsigned set, double inverse[STEPS][STEPS])
{
    double work[STEPS][2 * STEPS] = {{0}};
    int rows[STEPS] = {0}, n = 0;

    for (int i = 0; i < STEPS; i++)
        if (set >> i & 1)
            rows[n++] = i;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++)
            work[i][k] = of[rows[i]][rows[k]];
        work[i][n + i] = 1;
    }
    /* Gauss and Jordan, without exchanges: what is positive definite needs none. */
    for (int i = 0; i < n; i++) {
        double pivot = work[i][i];

        if (!(pivot > 0))
            return 0;
        for (int k = 0; k < 2 * n; k++)
            work[i][k] /= pivot;
        for (int r = 0; r < n; r++)
            for (int k = 2 * n; k-- > 0 && r != i;)
                work[r][k] -= work[r][i] * work[i][k];
    }
    memset(inverse, 0, STEPS * sizeof inverse[0]);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            inverse[rows[i]][rows[k]] = work[i][n + k];
    return 1;
}

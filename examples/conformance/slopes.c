/* The properties that are judged by differences. */
#include <math.h>

#include "check.h"

size_t check_inputs(const struct check *c)
{
    return c->e.k.samples * c->e.k.counts[PER_INPUT];
}

size_t check_outputs(const struct check *c)
{
    return c->e.k.samples * c->e.k.counts[PER_OUTPUT];
}

size_t check_parameters(const struct check *c)
{
    return c->e.k.counts[PER_PARAMETER];
}

/* A number made of readings: sum_n w_n <output_n, .> + <gradient, .> + sum_n w_n <input_gradient_n, .>, of those that are
 * not NULL, and with `energy` sum_n w_n (energy_n - <force_n, output_n>). */
struct number {
    const double *output;
    const double *gradient;
    const double *input_gradient;
    int energy;
};

static double weighted(const struct check *c, const double *a, const double *b, size_t units)
{
    double sum = 0;

    for (size_t n = 0; n < c->e.k.samples; n++)
        sum += c->e.k.weight[n] * kit_dot(a + n * units, b + n * units, units);
    return sum;
}

static double number_at(struct check *c, const struct point *p, const struct number *of)
{
    struct reading r = {.output = c->other.output, .weight = c->e.k.weight};
    double sum = 0;

    r.gradient = of->gradient == NULL ? NULL : c->other.gradient;
    r.input_gradient = of->input_gradient == NULL ? NULL : c->other.input_gradient;
    r.energy = of->energy ? c->other.energy : NULL;
    read_all(&c->e, p, &r);
    if (of->output != NULL)
        sum += weighted(c, r.output, of->output, c->e.k.counts[PER_OUTPUT]);
    if (of->gradient != NULL)
        sum += kit_dot(r.gradient, of->gradient, check_parameters(c));
    if (of->input_gradient != NULL)
        sum += weighted(c, r.input_gradient, of->input_gradient, c->e.k.counts[PER_INPUT]);
    if (of->energy)
        sum += kit_dot(r.energy, c->e.k.weight, c->e.k.samples);
    if (of->energy && p->force != NULL)
        sum -= weighted(c, p->force, r.output, c->e.k.counts[PER_OUTPUT]);
    return sum;
}

struct point check_moved(struct check *c, double factor, const struct direction *d)
{
    struct point p = c->at;

    if (d->theta != NULL) {
        kit_move(c->theta, p.theta, factor, d->theta, check_parameters(c));
        p.theta = c->theta;
    }
    if (d->x != NULL) {
        kit_move(c->x, p.x, factor, d->x, check_inputs(c));
        p.x = c->x;
    }
    if (d->force != NULL) {
        kit_move(c->force, p.force, factor, d->force, check_outputs(c));
        p.force = c->force;
    }
    return p;
}

/* The number's derivative along a direction, by central differences. */
static double slope(struct check *c, const struct number *of, const struct direction *d)
{
    double step = c->e.k.settings.step, ends[2];

    for (int i = 0; i < 2; i++) {
        struct point p = check_moved(c, i == 0 ? step : -step, d);

        ends[i] = number_at(c, &p, of);
    }
    return (ends[0] - ends[1]) / (2 * step);
}

void check_directions(struct check *c)
{
    const struct conformance_settings *s = &c->e.k.settings;

    kit_parameter_direction(&c->e.k, c->directions[0]);
    kit_direction(&c->e.k, c->directions[1], check_inputs(c), s->input[1] - s->input[0]);
    kit_direction(&c->e.k, c->directions[2], check_outputs(c), s->force);
    kit_direction(&c->e.k, c->directions[3], check_outputs(c), s->force);
}

/* One trial: the two sides that must be equal. */
typedef void (*sides_fn)(struct check *c, double *one, double *other);

static void compare(struct check *c, const char *property, sides_fn sides)
{
    size_t trials = c->e.k.settings.trials;

    for (size_t t = 0; t < trials && !c->e.k.stopped; t++) {
        check_directions(c);
        sides(c, &c->slopes[0][t], &c->slopes[1][t]);
    }
    kit_judge(&c->e.k, property, kit_difference(c->slopes[0], c->slopes[1], trials));
}

#define ALONG(which, array) (&(struct direction){.which = (array)})
#define NUMBER(which, array) (&(struct number){.which = (array)})

/* d output_i / d force_j = d output_j / d force_i */
static void reciprocity(struct check *c, double *one, double *other)
{
    *one = slope(c, NUMBER(output, c->directions[2]), ALONG(force, c->directions[3]));
    *other = slope(c, NUMBER(output, c->directions[3]), ALONG(force, c->directions[2]));
}

/* d output / d theta = - d/d force (dE/d theta at the state settled to): what EP rests on. Likewise with the input. */
static void parameter_gradient(struct check *c, double *one, double *other)
{
    *one = slope(c, NUMBER(output, c->directions[2]), ALONG(theta, c->directions[0]));
    *other = -slope(c, NUMBER(gradient, c->directions[0]), ALONG(force, c->directions[2]));
}

static void input_gradient(struct check *c, double *one, double *other)
{
    *one = slope(c, NUMBER(output, c->directions[2]), ALONG(x, c->directions[1]));
    *other = -slope(c, NUMBER(input_gradient, c->directions[1]), ALONG(force, c->directions[2]));
}

/* The energy of the settled state, less the force's work, changes with what is set as it does at a fixed state. */
static void energy_and_parameters(struct check *c, double *one, double *other)
{
    *one = slope(c, NUMBER(energy, 1), ALONG(theta, c->directions[0]));
    *other = number_at(c, &c->at, NUMBER(gradient, c->directions[0]));
}

static void energy_and_input(struct check *c, double *one, double *other)
{
    *one = slope(c, NUMBER(energy, 1), ALONG(x, c->directions[1]));
    *other = number_at(c, &c->at, NUMBER(input_gradient, c->directions[1]));
}

static void energy_and_output(struct check *c, double *one, double *other)
{
    *one = -slope(c, NUMBER(energy, 1), ALONG(force, c->directions[2]));
    *other = number_at(c, &c->at, NUMBER(output, c->directions[2]));
}

/* At the free state, with a force's direction for the cotangent. */
static void read_adjoint(struct check *c)
{
    struct reading r = c->one;
    struct point p = c->at;

    r.cotangent = c->directions[2];
    p.force = NULL;
    read_all(&c->e, &p, &r);
}

static void adjoint_of_parameters(struct check *c, double *one, double *other)
{
    const double *force = c->at.force;

    c->at.force = NULL;
    *one = slope(c, NUMBER(output, c->directions[2]), ALONG(theta, c->directions[0]));
    c->at.force = force;
    read_adjoint(c);
    *other = kit_dot(c->one.gradient, c->directions[0], check_parameters(c));
}

static void adjoint_of_input(struct check *c, double *one, double *other)
{
    const double *force = c->at.force;

    c->at.force = NULL;
    *one = slope(c, NUMBER(output, c->directions[2]), ALONG(x, c->directions[1]));
    c->at.force = force;
    read_adjoint(c);
    *other = weighted(c, c->one.input_gradient, c->directions[1], c->e.k.counts[PER_INPUT]);
}

void check_slopes(struct check *c)
{
    struct kit *k = &c->e.k;

    compare(c, "reciprocity", reciprocity);
    compare(c, "input_gradient", input_gradient);
    if (c->e.table->energy != NULL) {
        compare(c, "energy and input", energy_and_input);
        compare(c, "energy and output", energy_and_output);
    } else {
        kit_skip(k, "energy", "not offered");
    }
    if (c->e.table->adjoint != NULL)
        compare(c, "adjoint of input", adjoint_of_input);
    else
        kit_skip(k, "adjoint", "not offered");
    if (check_parameters(c) == 0)
        return;
    compare(c, "parameter_gradient", parameter_gradient);
    if (c->e.table->energy != NULL)
        compare(c, "energy and parameters", energy_and_parameters);
    if (c->e.table->adjoint != NULL)
        compare(c, "adjoint of parameters", adjoint_of_parameters);
}

/* The contract of an energy block, property by property. */
#include <math.h>
#include <string.h>

#include "check.h"

/* ---------------------------------------------------------------------------------------------- samples and calls */

static double reading_difference(const struct check *c)
{
    const struct reading *a = &c->one, *b = &c->other;
    double worst = fmax(kit_difference(a->output, b->output, check_outputs(c)),
                        kit_difference(a->input_gradient, b->input_gradient, check_inputs(c)));

    worst = fmax(worst, kit_difference(a->state, b->state, c->e.k.samples * c->e.k.counts[PER_STATE]));
    if (a->gradient != NULL)
        worst = fmax(worst, kit_difference(a->gradient, b->gradient, check_parameters(c)));
    if (a->energy != NULL)
        worst = fmax(worst, kit_difference(a->energy, b->energy, c->e.k.samples));
    return worst;
}

/* Every sample settled and read alone is what it is among others. Gradients are sums: see weights. */
static void sample_alone(struct check *c)
{
    struct reading r = c->other;

    if (c->e.k.max_batch == 1) {
        kit_skip(&c->e.k, "sample alone", "one sample at a time");
        return;
    }
    read_all(&c->e, &c->at, &c->one);
    r.gradient = NULL;
    for (size_t n = 0; n < c->e.k.samples; n++) {
        struct point p = c->at;

        p.first = n;
        p.count = 1;
        read_all(&c->e, &p, &r);
    }
    if (c->one.gradient != NULL)
        memcpy(c->other.gradient, c->one.gradient, check_parameters(c) * sizeof *r.gradient);
    kit_judge(&c->e.k, "sample alone", reading_difference(c));
}

static void backwards(const struct check *c, double *to, const double *from, int per)
{
    size_t samples = c->e.k.samples, units = c->e.k.counts[per];

    for (size_t n = 0; n < samples; n++)
        memcpy(to + n * units, from + (samples - 1 - n) * units, units * sizeof *to);
}

static void any_order(struct check *c)
{
    struct point p = c->at;

    backwards(c, c->x, c->at.x, PER_INPUT);
    backwards(c, c->force, c->at.force, PER_OUTPUT);
    p.x = c->x;
    p.force = c->force;
    p.start = NULL;
    read_all(&c->e, &c->at, &c->one);
    read_all(&c->e, &p, &c->other);
    backwards(c, c->force, c->other.output, PER_OUTPUT);
    kit_judge(&c->e.k, "any order", kit_difference(c->one.output, c->force, check_outputs(c)));
}

/* The sum over samples, each with its weight, is that of the samples' own gradients. */
static void weights(struct check *c)
{
    double *sum = c->directions[0], *ones = c->e.energy;
    struct reading r = {.output = c->other.output, .gradient = c->other.gradient, .weight = ones};

    for (size_t n = 0; n < c->e.k.samples; n++)
        ones[n] = 1;
    memset(sum, 0, check_parameters(c) * sizeof *sum);
    for (size_t n = 0; n < c->e.k.samples; n++) {
        struct point p = c->at;

        p.first = n;
        p.count = 1;
        read_all(&c->e, &p, &r);
        kit_move(sum, sum, c->e.k.weight[n], r.gradient, check_parameters(c));
    }
    read_all(&c->e, &c->at, &c->one);
    kit_judge(&c->e.k, "weights", kit_difference(c->one.gradient, sum, check_parameters(c)));
}

static int same_bits(const struct check *c)
{
    const struct reading *a = &c->one, *b = &c->other;

    return memcmp(a->output, b->output, check_outputs(c) * sizeof(double)) == 0 &&
           memcmp(a->input_gradient, b->input_gradient, check_inputs(c) * sizeof(double)) == 0 &&
           (a->gradient == NULL || memcmp(a->gradient, b->gradient, check_parameters(c) * sizeof(double)) == 0) &&
           (a->energy == NULL || memcmp(a->energy, b->energy, c->e.k.samples * sizeof(double)) == 0);
}

static void same_seed(struct check *c)
{
    if (c->e.k.settings.noisy) {
        kit_skip(&c->e.k, "same seed", "its noise does not come from the seed");
        return;
    }
    c->e.k.seed_held = 1;
    read_all(&c->e, &c->at, &c->one);
    read_all(&c->e, &c->at, &c->other);
    c->e.k.seed_held = 0;
    kit_state(&c->e.k, "same seed", same_bits(c), "");
}

/* What was called before does not matter: here other inputs, forces and parameters, in between. */
static void calls_alone(struct check *c)
{
    struct direction d = {c->directions[0], c->directions[1], c->directions[2]};
    struct point p;

    check_directions(c);
    p = check_moved(c, c->e.k.settings.step, &d);
    read_all(&c->e, &c->at, &c->one);
    read_all(&c->e, &p, &c->other);
    read_all(&c->e, &c->at, &c->other);
    kit_judge(&c->e.k, "calls alone", reading_difference(c));
}

/* New parameters are heeded: something changes where their gradient says so. */
static void version(struct check *c)
{
    struct point p;

    check_directions(c);
    p = check_moved(c, c->e.k.settings.step, &(struct direction){.theta = c->directions[0]});
    read_all(&c->e, &c->at, &c->one);
    read_all(&c->e, &p, &c->other);
    kit_state(&c->e.k, "version",
              kit_difference(c->one.state, c->other.state, c->e.k.samples * c->e.k.counts[PER_STATE]) > 0 ||
                  kit_dot(c->one.gradient, c->one.gradient, check_parameters(c)) == 0,
              "");
}

/* -------------------------------------------------------------------------------------------------------- settling */

/* Settling again, from the equilibrium, stays there; free and under a force. */
static void stays(struct check *c)
{
    struct point p = c->at;
    double worst = 0;

    for (int i = 0; i < 2; i++) {
        p.force = i == 0 ? NULL : c->at.force;
        p.start = c->e.free_state;
        read_all(&c->e, &p, &c->one);
        p.start = c->one.state;
        read_all(&c->e, &p, &c->other);
        worst = fmax(worst, kit_difference(c->one.output, c->other.output, check_outputs(c)));
    }
    kit_judge(&c->e.k, "equilibrium stays", worst);
}

static void no_force(struct check *c)
{
    struct point p = c->at;

    p.force = NULL;
    read_all(&c->e, &p, &c->one);
    memset(c->force, 0, check_outputs(c) * sizeof *c->force);
    p.force = c->force;
    read_all(&c->e, &p, &c->other);
    kit_judge(&c->e.k, "no force", kit_difference(c->one.output, c->other.output, check_outputs(c)));
}

/* Where it settles under a force that answers, it also settles under that force held. */
static void loss_nudging(struct check *c)
{
    struct point p = c->at;
    double slope_of_force;

    if (!c->e.table->loss_nudging) {
        kit_skip(&c->e.k, "force_at", "nudged linearly");
        return;
    }
    read_all(&c->e, &p, &c->other);
    slope_of_force =
        0.3 * c->e.k.settings.force / (1e-300 + sqrt(kit_dot(c->other.output, c->other.output, check_outputs(c))));
    read_answering(&c->e, &p, &c->one, slope_of_force);
    kit_move(c->force, p.force, -slope_of_force, c->one.output, check_outputs(c));
    p.force = c->force;
    read_all(&c->e, &p, &c->other);
    kit_judge(&c->e.k, "force_at", kit_difference(c->one.output, c->other.output, check_outputs(c)));
}

/* ---------------------------------------------------------------------------------------------------- all together */

static struct reading reading_of(struct check *c)
{
    struct kit *k = &c->e.k;
    struct reading r = {.state = kit_numbers(k, k->samples * k->counts[PER_STATE]),
                        .output = kit_numbers(k, check_outputs(c)),
                        .input_gradient = kit_numbers(k, check_inputs(c)),
                        .weight = k->weight};

    r.gradient = check_parameters(c) > 0 ? kit_numbers(k, check_parameters(c)) : NULL;
    r.energy = c->e.table->energy != NULL ? kit_numbers(k, k->samples) : NULL;
    return r;
}

static void place(struct check *c)
{
    struct kit *k = &c->e.k;

    c->e.force = kit_numbers(k, check_outputs(c));
    c->e.free_state = kit_numbers(k, k->samples * k->counts[PER_STATE]);
    c->e.state = kit_numbers(k, k->samples * k->counts[PER_STATE]);
    c->e.residual = kit_numbers(k, k->samples);
    c->e.sweeps = kit_numbers(k, k->samples);
    c->e.output = kit_numbers(k, check_outputs(c));
    c->e.gradient = kit_numbers(k, check_parameters(c));
    c->e.input_gradient = kit_numbers(k, check_inputs(c));
    c->e.energy = kit_numbers(k, k->samples);
    c->theta = kit_numbers(k, check_parameters(c));
    c->x = kit_numbers(k, check_inputs(c));
    c->force = kit_numbers(k, check_outputs(c));
    c->directions[0] = kit_numbers(k, check_parameters(c));
    c->directions[1] = kit_numbers(k, check_inputs(c));
    c->directions[2] = kit_numbers(k, check_outputs(c));
    c->directions[3] = kit_numbers(k, check_outputs(c));
    c->slopes[0] = kit_numbers(k, k->settings.trials);
    c->slopes[1] = kit_numbers(k, k->settings.trials);
    c->one = reading_of(c);
    c->other = reading_of(c);
}

static size_t product(const int64_t *shape, size_t rank)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    return count;
}

static void begin(struct check *c, const ffebm_user_energy *table, const ffebm_user_parameter *list, size_t list_count)
{
    struct kit *k = &c->e.k;
    struct reading r;

    k->counts[PER_INPUT] = product(table->input_shape, table->input_rank);
    k->counts[PER_OUTPUT] = product(table->output_shape, table->output_rank);
    k->counts[PER_STATE] = table->state_count;
    k->counts[PER_SAMPLE] = 1;
    k->max_batch = table->max_batch;
    c->e.table = table;
    kit_draw_point(k, list, list_count);
    place(c);
    if (k->stopped)
        return;
    kit_direction(k, c->e.force, check_outputs(c), k->settings.force);
    c->at = (struct point){.theta = k->theta, .x = k->x, .count = k->samples};
    r = c->one;
    r.state = c->e.free_state;
    read_all(&c->e, &c->at, &r);
    c->at.force = c->e.force;
    c->at.start = c->e.free_state;
}

int conformance_energy(const ffebm_user_energy *table, const ffebm_user_parameter *list, size_t list_count,
                       const struct conformance_settings *settings, FILE *out)
{
    struct check c;
    int failures;

    memset(&c, 0, sizeof c);
    kit_init(&c.e.k, settings, out);
    begin(&c, table, list, list_count);
    if (!c.e.k.stopped) {
        same_seed(&c);
        sample_alone(&c);
        any_order(&c);
        calls_alone(&c);
        if (check_parameters(&c) > 0) {
            version(&c);
            weights(&c);
        }
        stays(&c);
        no_force(&c);
        loss_nudging(&c);
        check_slopes(&c);
    }
    failures = kit_verdict(&c.e.k);
    kit_end(&c.e.k);
    return failures;
}

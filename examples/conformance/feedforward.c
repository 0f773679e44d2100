/* The contract of a feedforward block, property by property. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kit.h"

enum { RETRIES = 8, MESSAGE = 160, IN = 0, OUT = 1 };

#define FIELD(name, per, output)                                                                                       \
    {                                                                                                                  \
        offsetof(ffebm_feedforward_call, name), per, output                                                            \
    }
static const struct field fields[] = {FIELD(parameters, PER_PARAMETER, IN),   FIELD(input, PER_INPUT, IN),
                                      FIELD(output, PER_OUTPUT, OUT),         FIELD(output_cotangent, PER_OUTPUT, IN),
                                      FIELD(input_cotangent, PER_INPUT, OUT), FIELD(gradient, PER_PARAMETER, OUT)};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* What is read of a batch; `y` alone, or with v the products. */
struct reading {
    double *y;
    double *dx;
    double *gradient;
};

struct check {
    struct kit k;
    const ffebm_user_feedforward *table;
    double *v; /* a cotangent of the output */
    struct reading one, other, part;
    double *theta, *x;
    double *directions[2]; /* of parameters, inputs */
    double *slopes[2];
};

static size_t inputs(const struct check *c)
{
    return c->k.samples * c->k.counts[PER_INPUT];
}

static size_t outputs(const struct check *c)
{
    return c->k.samples * c->k.counts[PER_OUTPUT];
}

static size_t parameters(const struct check *c)
{
    return c->k.counts[PER_PARAMETER];
}

/* ------------------------------------------------------------------------------------------------------------ calls */

static int32_t attempt(struct check *c, ffebm_feedforward_fn slot, const char *name, ffebm_feedforward_call *call)
{
    ffebm_feedforward_call before = *call;
    int32_t answer;

    call->message[0] = '\0';
    kit_guard(&c->k, call, call->batch, fields, FIELDS);
    answer = c->k.stopped ? -1 : slot(c->table->self, call);
    kit_unguard(&c->k, call, &before, before.batch, fields, FIELDS, name, answer == 0);
    return answer;
}

static void call_slot(struct check *c, ffebm_feedforward_fn slot, const char *name, ffebm_feedforward_call *call)
{
    int32_t limit = c->table->retry_limit > 0 ? c->table->retry_limit : RETRIES, answer = FFEBM_RETRY;
    char message[MESSAGE], reason[256];
    ffebm_feedforward_call first = *call;

    for (int32_t i = 0; answer > 0 && i <= limit; i++) {
        *call = first;
        call->message = message;
        call->message_capacity = sizeof message;
        call->attempt = i;
        answer = attempt(c, slot, name, call);
    }
    message[sizeof message - 1] = '\0';
    if (answer != 0) {
        snprintf(reason, sizeof reason, "%s returned %d %s", name, (int)answer, message);
        kit_stop(&c->k, reason);
    }
}

static void add(const struct check *c, double *mean, const double *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mean[i] += part[i] / (double)c->k.settings.repeats;
}

static double *cleared(double *numbers, size_t count)
{
    return memset(numbers, 0, count * sizeof *numbers);
}

/* Samples first .. first + count - 1, at once. */
static void read_slice(struct check *c, const double *theta, const double *x, size_t first, size_t count, double scale,
                       const struct reading *r)
{
    size_t in = c->k.counts[PER_INPUT], out = c->k.counts[PER_OUTPUT];
    ffebm_feedforward_call call = {.size = sizeof call,
                                   .batch = count,
                                   .first = first,
                                   .parameters = theta,
                                   .parameter_count = parameters(c),
                                   .input = x + first * in,
                                   .output = cleared(c->part.y, count * out),
                                   .seed = kit_next_seed(&c->k),
                                   .version = kit_version(&c->k, theta),
                                   .scale = scale,
                                   .training = 1};

    call_slot(c, c->table->forward, "forward", &call);
    add(c, r->y + first * out, c->part.y, count * out);
    call.output = NULL;
    call.output_cotangent = c->v + first * out;
    call.input_cotangent = cleared(c->part.dx, count * in);
    call.gradient = cleared(c->part.gradient, parameters(c));
    call.seed = kit_next_seed(&c->k);
    call_slot(c, c->table->vjp, "vjp", &call);
    add(c, r->dx + first * in, c->part.dx, count * in);
    add(c, r->gradient, c->part.gradient, parameters(c));
}

/* The whole batch, at most `most` samples at a time. */
static void read_all(struct check *c, const double *theta, const double *x, size_t most, double scale,
                     const struct reading *r)
{
    size_t samples = c->k.samples;

    if (c->k.max_batch > 0 && c->k.max_batch < most)
        most = c->k.max_batch;
    cleared(r->y, outputs(c));
    cleared(r->dx, inputs(c));
    cleared(r->gradient, parameters(c));
    for (size_t i = 0; i < c->k.settings.repeats; i++)
        for (size_t first = 0; first < samples && !c->k.stopped; first += most)
            read_slice(c, theta, x, first, samples - first < most ? samples - first : most, scale, r);
}

static void read_here(struct check *c, const struct reading *r)
{
    read_all(c, c->k.theta, c->k.x, c->k.samples, 1, r);
}

/* -------------------------------------------------------------------------------------------------------- properties */

static double difference(const struct check *c)
{
    double worst =
        fmax(kit_difference(c->one.y, c->other.y, outputs(c)), kit_difference(c->one.dx, c->other.dx, inputs(c)));

    return fmax(worst, kit_difference(c->one.gradient, c->other.gradient, parameters(c)));
}

static void same_seed(struct check *c)
{
    if (c->k.settings.noisy) {
        kit_skip(&c->k, "same seed", "its noise does not come from the seed");
        return;
    }
    c->k.seed_held = 1;
    read_here(c, &c->one);
    read_here(c, &c->other);
    c->k.seed_held = 0;
    kit_state(&c->k, "same seed",
              memcmp(c->one.y, c->other.y, outputs(c) * sizeof(double)) == 0 &&
                  memcmp(c->one.dx, c->other.dx, inputs(c) * sizeof(double)) == 0 &&
                  memcmp(c->one.gradient, c->other.gradient, parameters(c) * sizeof(double)) == 0,
              "");
}

static void sample_alone(struct check *c)
{
    if (c->k.max_batch == 1) {
        kit_skip(&c->k, "sample alone", "one sample at a time");
        return;
    }
    read_here(c, &c->one);
    read_all(c, c->k.theta, c->k.x, 1, 1, &c->other);
    kit_judge(&c->k, "sample alone", difference(c));
}

static void draw_directions(struct check *c)
{
    kit_parameter_direction(&c->k, c->directions[0]);
    kit_direction(&c->k, c->directions[1], inputs(c), c->k.settings.input[1] - c->k.settings.input[0]);
}

static void calls_alone(struct check *c)
{
    draw_directions(c);
    kit_move(c->theta, c->k.theta, c->k.settings.step, c->directions[0], parameters(c));
    kit_move(c->x, c->k.x, c->k.settings.step, c->directions[1], inputs(c));
    read_here(c, &c->one);
    read_all(c, c->theta, c->x, c->k.samples, 1, &c->other);
    read_here(c, &c->other);
    kit_judge(&c->k, "calls alone", difference(c));
}

/* The gradient is scaled, the input's cotangent is not. */
static void scale(struct check *c)
{
    read_here(c, &c->one);
    read_all(c, c->k.theta, c->k.x, c->k.samples, -2.5, &c->other);
    for (size_t i = 0; i < parameters(c); i++)
        c->other.gradient[i] /= -2.5;
    kit_judge(&c->k, "scale", difference(c));
}

/* <v, y> along a direction of parameters (0) or inputs (1), by differences; and what vjp says. */
static void transpose(struct check *c, const char *property, int which)
{
    size_t trials = c->k.settings.trials;
    double step = c->k.settings.step;

    read_here(c, &c->one);
    for (size_t t = 0; t < trials && !c->k.stopped; t++) {
        c->slopes[0][t] = 0;
        draw_directions(c);
        for (int sign = -1; sign <= 1; sign += 2) {
            kit_move(c->theta, c->k.theta, which == 0 ? sign * step : 0, c->directions[0], parameters(c));
            kit_move(c->x, c->k.x, which == 1 ? sign * step : 0, c->directions[1], inputs(c));
            read_all(c, c->theta, c->x, c->k.samples, 1, &c->other);
            c->slopes[0][t] += sign * kit_dot(c->v, c->other.y, outputs(c)) / (2 * step);
        }
        c->slopes[1][t] = which == 0 ? kit_dot(c->one.gradient, c->directions[0], parameters(c))
                                     : kit_dot(c->one.dx, c->directions[1], inputs(c));
    }
    kit_judge(&c->k, property, kit_difference(c->slopes[0], c->slopes[1], trials));
}

/* ---------------------------------------------------------------------------------------------------- all together */

static struct reading reading_of(struct check *c)
{
    struct reading r = {kit_numbers(&c->k, outputs(c)), kit_numbers(&c->k, inputs(c)),
                        kit_numbers(&c->k, parameters(c))};

    return r;
}

static size_t product(const int64_t *shape, size_t rank)
{
    size_t count = 1;

    for (size_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    return count;
}

static void begin(struct check *c, const ffebm_user_feedforward *table, const ffebm_user_parameter *list,
                  size_t list_count)
{
    struct kit *k = &c->k;

    c->table = table;
    k->counts[PER_INPUT] = product(table->input_shape, table->input_rank);
    k->counts[PER_OUTPUT] = product(table->output_shape, table->output_rank);
    k->counts[PER_SAMPLE] = 1;
    k->max_batch = table->max_batch;
    kit_draw_point(k, list, list_count);
    c->v = kit_numbers(k, outputs(c));
    c->theta = kit_numbers(k, parameters(c));
    c->x = kit_numbers(k, inputs(c));
    c->directions[0] = kit_numbers(k, parameters(c));
    c->directions[1] = kit_numbers(k, inputs(c));
    c->slopes[0] = kit_numbers(k, k->settings.trials);
    c->slopes[1] = kit_numbers(k, k->settings.trials);
    c->one = reading_of(c);
    c->other = reading_of(c);
    c->part = reading_of(c);
    if (!k->stopped)
        kit_direction(k, c->v, outputs(c), 1);
}

int conformance_feedforward(const ffebm_user_feedforward *table, const ffebm_user_parameter *list, size_t list_count,
                            const struct conformance_settings *settings, FILE *out)
{
    struct check c;
    int failures;

    memset(&c, 0, sizeof c);
    kit_init(&c.k, settings, out);
    begin(&c, table, list, list_count);
    if (!c.k.stopped) {
        same_seed(&c);
        sample_alone(&c);
        calls_alone(&c);
        transpose(&c, "vjp of input", 1);
        if (parameters(&c) > 0) {
            transpose(&c, "vjp of parameters", 0);
            scale(&c);
        }
    }
    failures = kit_verdict(&c.k);
    kit_end(&c.k);
    return failures;
}

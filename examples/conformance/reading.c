/* Calls of an energy block's slots, and readings made of them. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "reading.h"

enum { RETRIES = 8, MESSAGE = 160 };

/* ------------------------------------------------------------------------------------------------------------ calls */

enum { IN = 0, OUT = 1 };
#define FIELD(name, per, output)                                                                                       \
    {                                                                                                                  \
        offsetof(ffebm_energy_call, name), per, output                                                                 \
    }
enum { STATE_FIELD = 3 };
static const struct field fields[] = {
    FIELD(parameters, PER_PARAMETER, IN),  FIELD(input, PER_INPUT, IN),      FIELD(force, PER_OUTPUT, IN),
    FIELD(state, PER_STATE, OUT),          FIELD(output, PER_OUTPUT, OUT),   FIELD(output_cotangent, PER_OUTPUT, IN),
    FIELD(input_gradient, PER_INPUT, OUT), FIELD(weight, PER_SAMPLE, IN),    FIELD(gradient, PER_PARAMETER, OUT),
    FIELD(energy, PER_SAMPLE, OUT),        FIELD(residual, PER_SAMPLE, OUT), FIELD(sweeps, PER_SAMPLE, OUT)};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static int32_t attempt(struct energy_kit *e, ffebm_energy_fn slot, const char *name, int settles,
                       ffebm_energy_call *call)
{
    struct field these[FIELDS];
    ffebm_energy_call before = *call;
    int32_t answer;

    memcpy(these, fields, sizeof these);
    these[STATE_FIELD].output = settles;
    call->message[0] = '\0';
    kit_guard(&e->k, call, call->batch, these, FIELDS);
    answer = e->k.stopped ? -1 : slot(e->table->self, call);
    kit_unguard(&e->k, call, &before, before.batch, these, FIELDS, name, answer == 0);
    return answer;
}

/* As the library calls a slot: again where it asks for that, with its outputs as at first. */
static void call_slot(struct energy_kit *e, ffebm_energy_fn slot, const char *name, int settles,
                      ffebm_energy_call *call)
{
    int32_t limit = e->table->retry_limit > 0 ? e->table->retry_limit : RETRIES, answer = FFEBM_RETRY;
    char message[MESSAGE], reason[256];
    ffebm_energy_call first = *call;

    for (int32_t i = 0; answer > 0 && i <= limit; i++) {
        *call = first;
        call->message = message;
        call->message_capacity = sizeof message;
        call->attempt = i;
        answer = attempt(e, slot, name, settles, call);
    }
    message[sizeof message - 1] = '\0';
    if (answer != 0) {
        snprintf(reason, sizeof reason, "%s returned %d %s", name, (int)answer, message);
        kit_stop(&e->k, reason);
    }
}

static ffebm_energy_call call_at(struct energy_kit *e, const struct point *p)
{
    struct kit *k = &e->k;
    ffebm_energy_call call = {.size = sizeof call,
                              .batch = p->count,
                              .first = p->first,
                              .parameters = p->theta,
                              .parameter_count = k->counts[PER_PARAMETER],
                              .input = p->x + p->first * k->counts[PER_INPUT],
                              .state = e->state + p->first * k->counts[PER_STATE],
                              .seed = kit_next_seed(k),
                              .version = kit_version(k, p->theta),
                              .max_sweeps = k->settings.sweeps,
                              .tolerance = k->settings.settled};

    return call;
}

/* A force that answers to the output: f - slope * output. */
struct answering {
    const double *force;
    double slope;
    size_t count;
};

static void answer_output(void *user, const double *output, double *force)
{
    const struct answering *a = user;

    for (size_t i = 0; i < a->count; i++)
        force[i] = a->force[i] - a->slope * output[i];
}

static void settle(struct energy_kit *e, const struct point *p, int nudged, double slope)
{
    size_t outputs = e->k.counts[PER_OUTPUT];
    ffebm_energy_call call = call_at(e, p);
    struct answering answering = {p->force == NULL ? NULL : p->force + p->first * outputs, slope, p->count * outputs};

    memset(e->residual, 0, e->k.samples * sizeof *e->residual);
    memset(e->sweeps, 0, e->k.samples * sizeof *e->sweeps);
    call.residual = e->residual;
    call.sweeps = (int64_t *)(void *)e->sweeps;
    call.nudged = nudged;
    call.force = nudged ? answering.force : NULL;
    if (nudged && slope != 0) {
        call.force_at = answer_output;
        call.force_user = &answering;
    }
    call_slot(e, e->table->settle, "settle", 1, &call);
}

/* ------------------------------------------------------------------------------------------------------------ readings */

static double *cleared(double *numbers, size_t count)
{
    return memset(numbers, 0, count * sizeof *numbers);
}

static void read_output(struct energy_kit *e, const struct point *p)
{
    size_t units = e->k.counts[PER_OUTPUT], count = e->k.counts[PER_STATE];
    ffebm_energy_call call = call_at(e, p);

    call.output = cleared(e->output, p->count * units);
    if (e->table->output != NULL)
        call_slot(e, e->table->output, "output", 0, &call);
    for (size_t n = 0; n < p->count && e->table->output == NULL; n++)
        memcpy(e->output + n * units, call.state + (n + 1) * count - units, units * sizeof *e->output);
}

static void read_input_gradient(struct energy_kit *e, const struct point *p)
{
    size_t units = e->k.counts[PER_INPUT];
    ffebm_energy_call call = call_at(e, p);

    call.input_gradient = cleared(e->input_gradient, p->count * units);
    if (e->table->input_gradient != NULL)
        call_slot(e, e->table->input_gradient, "input_gradient", 0, &call);
    for (size_t i = 0; i < p->count * units && e->table->input_gradient == NULL; i++)
        e->input_gradient[i] = -call.state[i / units * e->k.counts[PER_STATE] + i % units];
}

static void read_adjoint(struct energy_kit *e, const struct point *p, const struct reading *r)
{
    ffebm_energy_call call = call_at(e, p);

    call.weight = r->weight + p->first;
    call.output_cotangent = r->cotangent + p->first * e->k.counts[PER_OUTPUT];
    call.input_gradient = cleared(e->input_gradient, p->count * e->k.counts[PER_INPUT]);
    call.gradient = cleared(e->gradient, e->k.counts[PER_PARAMETER]);
    call_slot(e, e->table->adjoint, "adjoint", 0, &call);
}

static void read_gradient(struct energy_kit *e, const struct point *p, const double *weight)
{
    ffebm_energy_call call = call_at(e, p);

    call.weight = weight + p->first;
    call.gradient = cleared(e->gradient, e->k.counts[PER_PARAMETER]);
    call_slot(e, e->table->parameter_gradient, "parameter_gradient", 0, &call);
}

static void read_energy(struct energy_kit *e, const struct point *p)
{
    ffebm_energy_call call = call_at(e, p);

    call.energy = cleared(e->energy, p->count);
    call_slot(e, e->table->energy, "energy", 0, &call);
}

/* Add a part of what was read, of each sample `units`, to the mean. */
static void add(struct energy_kit *e, const struct point *p, double *mean, const double *part, size_t units)
{
    for (size_t i = 0; i < p->count * units; i++)
        mean[p->first * units + i] += part[i] / (double)e->k.settings.repeats;
}

static void read_slice(struct energy_kit *e, const struct point *p, const struct reading *r, double slope)
{
    const struct kit *k = &e->k;
    size_t count = k->counts[PER_STATE], parameters = k->counts[PER_PARAMETER];
    double *state = cleared(e->state + p->first * count, p->count * count);
    struct point all = {.count = 1};

    if (p->start != NULL)
        memcpy(state, p->start + p->first * count, p->count * count * sizeof *state);
    settle(e, p, 0, 0);
    if (p->force != NULL)
        settle(e, p, 1, slope);
    if (r->state != NULL)
        add(e, p, r->state, state, count);
    read_output(e, p);
    add(e, p, r->output, e->output, k->counts[PER_OUTPUT]);
    if (r->cotangent != NULL)
        read_adjoint(e, p, r);
    else if (r->gradient != NULL)
        read_gradient(e, p, r->weight);
    if (r->gradient != NULL)
        add(e, &all, r->gradient, e->gradient, parameters);
    if (r->input_gradient != NULL && r->cotangent == NULL)
        read_input_gradient(e, p);
    if (r->input_gradient != NULL)
        add(e, p, r->input_gradient, e->input_gradient, k->counts[PER_INPUT]);
    if (r->energy == NULL)
        return;
    read_energy(e, p);
    add(e, p, r->energy, e->energy, 1);
}

static void clear_part(const struct energy_kit *e, const struct point *p, double *numbers, int per)
{
    if (numbers != NULL)
        cleared(numbers + p->first * e->k.counts[per], p->count * e->k.counts[per]);
}

void read_answering(struct energy_kit *e, const struct point *p, const struct reading *r, double slope)
{
    size_t most = e->k.max_batch > 0 ? e->k.max_batch : p->count, end = p->first + p->count;

    clear_part(e, p, r->state, PER_STATE);
    clear_part(e, p, r->output, PER_OUTPUT);
    clear_part(e, p, r->input_gradient, PER_INPUT);
    clear_part(e, p, r->energy, PER_SAMPLE);
    if (r->gradient != NULL)
        cleared(r->gradient, e->k.counts[PER_PARAMETER]);
    for (size_t i = 0; i < e->k.settings.repeats; i++)
        for (size_t first = p->first; first < end && !e->k.stopped; first += most) {
            struct point slice = *p;

            slice.first = first;
            slice.count = end - first < most ? end - first : most;
            read_slice(e, &slice, r, slope);
        }
}

void read_all(struct energy_kit *e, const struct point *p, const struct reading *r)
{
    read_answering(e, p, r, 0);
}

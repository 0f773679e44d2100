#include "relax/own.h"

#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "relax/work.h"
#include "tensor/doubles.h"

size_t ffebmi_relax_own_rows(const ffebm_energy *block, size_t max_batch)
{
    size_t most = block->own->max_rows;

    return most == 0 || most > max_batch ? max_batch : most;
}

/* One nudge of one slice: what the block is asked to settle, and what it asks back. */
typedef struct slice {
    const ffebmi_phase *phase;
    ffebmi_relax_work *work;
    size_t worker;
    size_t first;
    size_t rows;
    size_t nudge;
} slice;

static size_t outputs_of(const ffebmi_phase *p)
{
    return p->block->layers[p->block->layer_count - 1].count;
}

/* Forces come for all nudges of a sample together; take the one of this nudge. */
static void take_forces(const slice *s, size_t rows, void *to)
{
    const ffebmi_phase *p = s->phase;
    size_t units = outputs_of(p);

    for (size_t r = 0; r < rows; r++)
        memcpy(ffebmi_at(p->kernel, to, r * units),
               ffebmi_at(p->kernel, s->work->forces, (r * p->nudges + s->nudge) * units), units * p->kernel->element);
}

/* A ffebm_force_at_fn: the force at outputs of the whole slice, asked for in shards, since that is what readouts have
 * memory for. Every nudge of a sample is given this one's output. */
static void force_at(void *user, const double *output, double *force)
{
    const slice *s = user;
    const ffebmi_phase *p = s->phase;
    const ffebmi_shape *shape = &p->block->layers[p->block->layer_count - 1];
    size_t units = shape->count;

    for (size_t first = 0; first < s->rows; first += FFEBMI_SHARD) {
        size_t rows = s->rows - first < FFEBMI_SHARD ? s->rows - first : FFEBMI_SHARD;

        for (size_t r = 0; r < rows; r++)
            for (size_t n = 0; n < p->nudges; n++)
                ffebmi_from_doubles(p->kernel->element, shape, 1, output + (first + r) * units,
                                    ffebmi_at(p->kernel, s->work->forces, (r * p->nudges + n) * units));
        p->force(p->force_user, s->worker, s->work->samples_own + first, rows, s->work->forces, s->work->forces);
        take_forces(s, rows, s->work->force);
        ffebmi_to_doubles(p->kernel->element, shape, rows, s->work->force, force + first * units);
    }
}

/* The force at the free state, for a block that then asks for others or is held to this one. */
static void first_force(const slice *s)
{
    const ffebmi_phase *p = s->phase;
    size_t units = outputs_of(p);

    for (size_t first = 0; first < s->rows; first += FFEBMI_SHARD) {
        size_t rows = s->rows - first < FFEBMI_SHARD ? s->rows - first : FFEBMI_SHARD;
        const void *last = p->start[p->block->layer_count - 1];

        for (size_t r = 0; r < rows; r++)
            for (size_t n = 0; n < p->nudges; n++)
                memcpy(ffebmi_at(p->kernel, s->work->forces, (r * p->nudges + n) * units),
                       ffebmi_at(p->kernel, last, (s->first + first + r) * units), units * p->kernel->element);
        p->force(p->force_user, s->worker, s->work->samples_own + first, rows, s->work->forces, s->work->forces);
        take_forces(s, rows, ffebmi_at(p->kernel, s->work->force, first * units));
    }
}

static void add_to_tally(const slice *s, const ffebmi_own_settling *settled)
{
    for (size_t r = 0; r < s->rows; r++) {
        ffebmi_tally one = {.samples = 1,
                            .sweeps_min = settled->sweeps[r],
                            .sweeps_max = settled->sweeps[r],
                            .sweeps_sum = settled->sweeps[r],
                            .residual_max = settled->residual[r]};

        one.unconverged = s->phase->tolerance > 0 && settled->residual[r] > s->phase->tolerance;
        ffebmi_tally_add(&s->work->tally, &one);
    }
    s->work->tally.retries += settled->retries;
    s->work->tally.joules += settled->joules;
}

static double squared_distance(const ffebmi_kernel *k, size_t units, const void *a, const void *b)
{
    double sum = 0;

    for (size_t i = 0; i < units; i++) {
        double d = ffebmi_number_at(k->element, a, i) - ffebmi_number_at(k->element, b, i);

        sum += d * d;
    }
    return sum;
}

/* Add what sweeps would leave of a layer of a sample: the change is the part of the state that the block says is left. */
static void add_norms(const slice *s, size_t sample, size_t layer, double residual)
{
    const ffebmi_phase *p = s->phase;
    size_t layers = p->block->layer_count, units = p->block->layers[layer].count;
    const void *state = ffebmi_at(p->kernel, p->result[s->nudge * layers + layer], sample * units);
    ffebmi_norms *to = &p->norms[sample * layers + layer];

    if (s->nudge == 0)
        *to = (ffebmi_norms){0};
    to->size += p->kernel->dot(units, state, state);
    to->change += residual * residual * p->kernel->dot(units, state, state);
    if (p->nudged)
        to->displacement +=
            squared_distance(p->kernel, units, state, ffebmi_at(p->kernel, p->start[layer], sample * units));
}

static void keep_norms(const slice *s, const double *residual)
{
    for (size_t r = 0; r < s->rows; r++)
        for (size_t l = 0; l < s->phase->block->layer_count; l++)
            add_norms(s, s->first + r, l, residual[r]);
}

static ffebm_status settle_slice(slice *s)
{
    const ffebmi_phase *p = s->phase;
    const ffebm_energy *b = p->block;
    size_t state = b->layers[0].count;
    void *layers[2] = {ffebmi_at(p->kernel, p->result[s->nudge * b->layer_count], s->first * state),
                       ffebmi_at(p->kernel, p->result[s->nudge * b->layer_count + 1], s->first * outputs_of(p))};
    ffebmi_own_settling settling = {.kernel = p->kernel,
                                    .first = s->first,
                                    .rows = s->rows,
                                    .state = layers,
                                    .nudged = p->nudged,
                                    .max_sweeps = p->max_sweeps,
                                    .tolerance = p->tolerance,
                                    .seed = ffebmi_random_stream(p->seed, s->nudge)};

    settling.input = ffebmi_at(p->kernel, p->input, s->first * b->input.count);
    if (p->start != NULL)
        settling.start = ffebmi_at(p->kernel, p->start[0], s->first * state);
    if (p->force != NULL) {
        first_force(s);
        settling.force = s->work->force;
        settling.force_at = p->force_held ? NULL : force_at;
        settling.force_user = s;
    }
    FFEBMI_TRY(b->own->settle(b, &settling, s->work->kind_work, &s->work->failure));
    add_to_tally(s, &settling);
    if (p->norms != NULL)
        keep_norms(s, settling.residual);
    return FFEBM_OK;
}

typedef struct job {
    const ffebmi_phase *phase;
    ffebmi_relax_work *const *works;
} job;

/* All nudges of some samples. A worker whose slice has failed does no others. */
static void settle_range(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    ffebmi_relax_work *w = j->works[worker];
    slice s = {.phase = j->phase, .work = w, .worker = worker, .first = first, .rows = count};

    for (size_t i = 0; i < count; i++)
        w->samples_own[i] = first + i;
    for (s.nudge = 0; s.nudge < j->phase->nudges && w->failure.status == FFEBM_OK; s.nudge++)
        if (settle_slice(&s) != FFEBM_OK)
            w->failed_at = first;
}

/* Of several failures the one of the first samples is told. */
static ffebm_status verdict(ffebm_context *context, ffebmi_relax_work *const *works)
{
    const ffebmi_relax_work *worst = NULL;

    for (size_t w = 0; w < context->executor.workers; w++)
        if (works[w]->failure.status != FFEBM_OK && (worst == NULL || works[w]->failed_at < worst->failed_at))
            worst = works[w];
    return worst == NULL ? FFEBM_OK : ffebmi_fail(context, worst->failure.status, "%s", worst->failure.text);
}

ffebm_status ffebmi_relax_own(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works)
{
    job j = {phase, works};
    size_t rows = works[0]->own_rows;

    for (size_t w = 0; w < context->executor.workers; w++)
        works[w]->failure.status = FFEBM_OK;
    if (phase->block->own->concurrent) {
        ffebmi_parallel_ranges(context, phase->batch, rows, settle_range, &j);
    } else {
        for (size_t first = 0; first < phase->batch; first += rows)
            settle_range(&j, 0, first, phase->batch - first < rows ? phase->batch - first : rows);
    }
    return verdict(context, works);
}

/* The solver by whole batches, for blocks that settle by their own means: slices of the batch instead of shards, calls
 * instead of sweeps. */
#include <string.h>

#include "core/parallel.h"
#include "core/random.h"
#include "energy/batches.h"
#include "relax/solver.h"
#include "tensor/doubles.h"

/* A worker's memory, for one slice. */
typedef struct desk {
    ffebmi_relax_work base; /* first, so that a pointer to one is a pointer to the other */
    size_t rows;            /* that are settled at once */
    size_t *samples;        /* [rows] */
    void *force;            /* rows x units of the last layer */
    void *forces;           /* rows x nudges x units: as they are asked for */
} desk;

static bool takes(const ffebm_energy *block)
{
    return block->kind->batches != NULL;
}

static ffebmi_relax_work *lay_out(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                  const void *plan, size_t nudges, size_t max_batch)
{
    size_t row = block->layers[block->layer_count - 1].count * arrays->element;
    desk *d = ffebmi_carve(arena, 1, sizeof *d), placed = {0};

    placed.rows = block->max_rows == 0 || block->max_rows > max_batch ? max_batch : block->max_rows;
    placed.force = ffebmi_carve(arena, placed.rows, row);
    placed.forces = ffebmi_carve(arena, nudges * placed.rows, row);
    placed.samples = ffebmi_carve(arena, placed.rows, sizeof *placed.samples);
    placed.base.kind_work = block->kind->lay_out_work(block, arrays, plan, placed.rows, arena);
    if (d == NULL)
        return NULL;
    *d = placed;
    return &d->base;
}

/* ---------------------------------------------------------------------------------------------------------- settling */

/* One nudge of one slice: what the block is asked to settle, and what it asks back. */
typedef struct slice {
    const ffebmi_phase *phase;
    desk *desk;
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
        memcpy(ffebmi_at(p->arrays, to, r * units),
               ffebmi_at(p->arrays, s->desk->forces, (r * p->nudges + s->nudge) * units), units * p->arrays->element);
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
                ffebmi_from_doubles(p->arrays->element, shape, 1, output + (first + r) * units,
                                    ffebmi_at(p->arrays, s->desk->forces, (r * p->nudges + n) * units));
        p->force(p->force_user, s->worker, s->desk->samples + first, rows, s->desk->forces, s->desk->forces);
        take_forces(s, rows, s->desk->force);
        ffebmi_to_doubles(p->arrays->element, shape, rows, s->desk->force, force + first * units);
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
                memcpy(ffebmi_at(p->arrays, s->desk->forces, (r * p->nudges + n) * units),
                       ffebmi_at(p->arrays, last, (s->first + first + r) * units), units * p->arrays->element);
        p->force(p->force_user, s->worker, s->desk->samples + first, rows, s->desk->forces, s->desk->forces);
        take_forces(s, rows, ffebmi_at(p->arrays, s->desk->force, first * units));
    }
}

static void add_to_tally(const slice *s, const ffebmi_batch_settling *settled)
{
    for (size_t r = 0; r < s->rows; r++) {
        ffebmi_tally one = {.samples = 1,
                            .sweeps_min = settled->sweeps[r],
                            .sweeps_max = settled->sweeps[r],
                            .sweeps_sum = settled->sweeps[r],
                            .residual_max = settled->residual[r]};

        one.unconverged = s->phase->tolerance > 0 && settled->residual[r] > s->phase->tolerance;
        ffebmi_tally_add(&s->desk->base.tally, &one);
    }
    s->desk->base.tally.retries += settled->retries;
    s->desk->base.tally.joules += settled->joules;
}

static double squared_distance(const ffebmi_arrays *k, size_t units, const void *a, const void *b)
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
    const void *state = ffebmi_at(p->arrays, p->result[s->nudge * layers + layer], sample * units);
    ffebmi_norms *to = &p->norms[sample * layers + layer];

    if (s->nudge == 0)
        *to = (ffebmi_norms){0};
    to->size += p->arrays->dot(units, state, state);
    to->change += residual * residual * p->arrays->dot(units, state, state);
    if (p->nudged)
        to->displacement +=
            squared_distance(p->arrays, units, state, ffebmi_at(p->arrays, p->start[layer], sample * units));
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
    void *layers[2] = {ffebmi_at(p->arrays, p->result[s->nudge * b->layer_count], s->first * state),
                       ffebmi_at(p->arrays, p->result[s->nudge * b->layer_count + 1], s->first * outputs_of(p))};
    ffebmi_batch_settling settling = {.arrays = p->arrays,
                                      .first = s->first,
                                      .rows = s->rows,
                                      .state = layers,
                                      .nudged = p->nudged,
                                      .max_sweeps = p->max_sweeps,
                                      .tolerance = p->tolerance,
                                      .seed = ffebmi_random_stream(p->seed, s->nudge),
                                      .first_sample = p->first_sample};

    settling.input = ffebmi_at(p->arrays, p->inputs[0], s->first * b->input.count);
    if (p->start != NULL)
        settling.start = ffebmi_at(p->arrays, p->start[0], s->first * state);
    if (p->force != NULL) {
        first_force(s);
        settling.force = s->desk->force;
        settling.force_at = p->force_held ? NULL : force_at;
        settling.force_user = s;
    }
    FFEBMI_TRY(b->kind->batches->settle(b, &settling, s->desk->base.kind_work, &s->desk->base.failure));
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
    desk *d = (desk *)j->works[worker];
    slice s = {.phase = j->phase, .desk = d, .worker = worker, .first = first, .rows = count};

    for (size_t i = 0; i < count; i++)
        d->samples[i] = first + i;
    for (s.nudge = 0; s.nudge < j->phase->nudges && d->base.failure.status == FFEBM_OK; s.nudge++)
        if (settle_slice(&s) != FFEBM_OK)
            d->base.failed_at = first;
}

static void settle_batch(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works)
{
    job j = {phase, works};
    size_t rows = ((const desk *)works[0])->rows;

    if (ffebmi_energy_can(phase->block, FFEBMI_CONCURRENT)) {
        ffebmi_parallel_ranges(context, phase->batch, rows, settle_range, &j);
    } else {
        for (size_t first = 0; first < phase->batch; first += rows)
            settle_range(&j, 0, first, phase->batch - first < rows ? phase->batch - first : rows);
    }
}

/* Implicit differentiation moves no state: the block's adjoint is asked when the states are read. The force, minus the
 * cotangent of the output, waits in the place of the output's displacement. */
static void keep_forces(const ffebmi_phase *p, ffebmi_relax_work *const *works)
{
    size_t layers = p->block->layer_count, rows = ((const desk *)works[0])->rows;
    slice s = {.phase = p, .desk = (desk *)works[0]};

    for (s.first = 0; s.first < p->batch; s.first += s.rows) {
        s.rows = p->batch - s.first < rows ? p->batch - s.first : rows;
        for (size_t i = 0; i < s.rows; i++)
            s.desk->samples[i] = s.first + i;
        first_force(&s);
        memcpy(ffebmi_at(p->arrays, p->result[layers - 1], s.first * outputs_of(p)), s.desk->force,
               s.rows * outputs_of(p) * p->arrays->element);
    }
    if (p->norms != NULL)
        memset(p->norms, 0, p->batch * layers * sizeof *p->norms);
}

static void settle(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works)
{
    if (phase->form == FFEBMI_TANGENT)
        keep_forces(phase, works);
    else
        settle_batch(context, phase, works);
}

/* ----------------------------------------------------------------------------------------------------------- reading */

static ffebmi_batch_sum sum_over(const ffebmi_reading *r)
{
    return (ffebmi_batch_sum){.arrays = r->arrays,
                              .batch = r->batch,
                              .input = r->inputs[0],
                              .seed = r->seed,
                              .first_sample = r->first_sample};
}

static void add_term(ffebmi_batch_sum *sum, void *const *layers, double weight)
{
    sum->states[sum->count] = layers;
    sum->weights[sum->count] = weight;
    sum->count++;
}

static ffebmi_batch_sum sum_of(const ffebmi_reading *r, double scale)
{
    ffebmi_batch_sum sum = sum_over(r);

    sum.signs = r->signs;
    sum.replace = r->replace;
    for (size_t i = 0; i < r->pair_count; i++) {
        add_term(&sum, r->pairs[i].first, r->pairs[i].weight * scale);
        if (r->pairs[i].second != NULL)
            add_term(&sum, r->pairs[i].second, -r->pairs[i].weight * scale);
    }
    return sum;
}

static ffebm_status pull_back(const ffebmi_reading *r, ffebmi_relax_work *work)
{
    const ffebm_energy *b = r->block;
    size_t last = b->layer_count - 1;
    void *cotangent = r->pairs[0].first[last];
    ffebmi_batch_sum sum = sum_over(r);

    r->arrays->scale(r->batch * b->layers[last].count, -1, cotangent, cotangent);
    add_term(&sum, r->free, r->gradient_scale);
    return b->kind->batches->pull_back(b, &sum, cotangent, r->gradients, r->input_cotangent, work->kind_work,
                                       &work->failure);
}

static ffebm_status estimate(const ffebmi_reading *r, ffebmi_relax_work *work)
{
    const ffebm_energy *b = r->block;
    ffebmi_batch_sum sum = sum_of(r, r->gradient_scale);

    if (r->gradients != NULL)
        FFEBMI_TRY(b->kind->batches->gradient(b, &sum, r->gradients, work->kind_work, &work->failure));
    if (r->input_cotangent == NULL)
        return FFEBM_OK;
    sum = sum_of(r, r->input_scale);
    return b->kind->batches->input_gradient(b, &sum, r->input_cotangent, work->kind_work, &work->failure);
}

static ffebm_status read_states(ffebm_context *context, const ffebmi_reading *reading, ffebmi_relax_work *const *works)
{
    ffebm_status status = reading->form == FFEBMI_TANGENT ? pull_back(reading, works[0]) : estimate(reading, works[0]);

    return ffebmi_solver_tell(context, status, &works[0]->failure);
}

/* Kinds of this solver know energies alone. */
static ffebm_status measure(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                            double *out)
{
    const ffebm_energy *b = states->block;
    ffebmi_batch_sum sum = {.arrays = states->arrays,
                            .batch = states->batch,
                            .input = states->inputs[0],
                            .seed = states->seed,
                            .first_sample = states->first_sample};

    add_term(&sum, states->state, 1);
    return ffebmi_solver_tell(
        context, b->kind->batches->energies(b, &sum, out, works[0]->kind_work, &works[0]->failure), &works[0]->failure);
}

const ffebmi_solver ffebmi_solver_batches = {
    .name = "batches", .takes = takes, .lay_out = lay_out, .settle = settle, .read = read_states, .measure = measure};

#include "relax/relax.h"

#include <float.h>
#include <string.h>
#include <time.h>

#include "core/context.h"
#include "relax/order.h"
#include "relax/own.h"
#include "relax/stopping.h"
#include "relax/work.h"

static void **place_layers(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_kernel *kernel, size_t rows)
{
    void **layers = ffebmi_carve(arena, block->layer_count, sizeof *layers);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, rows, block->layers[l].count * kernel->element);

        if (layers != NULL)
            layers[l] = memory;
    }
    return layers;
}

ffebmi_relax_work *ffebmi_relax_place(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_kernel *kernel,
                                      size_t nudges, size_t max_batch)
{
    size_t rows = nudges * FFEBMI_SHARD, last = block->layer_count - 1;
    ffebmi_relax_work *w = ffebmi_carve(arena, 1, sizeof *w), placed = {0};

    if (block->own != NULL) {
        placed.own_rows = ffebmi_relax_own_rows(block, max_batch);
        placed.force = ffebmi_carve(arena, placed.own_rows, block->layers[last].count * kernel->element);
        placed.forces = ffebmi_carve(arena, nudges * placed.own_rows, block->layers[last].count * kernel->element);
        placed.samples_own = ffebmi_carve(arena, placed.own_rows, sizeof *placed.samples_own);
        placed.kind_work = block->kind->place_work(block, kernel, placed.own_rows, arena);
        if (w != NULL)
            *w = placed;
        return w;
    }

    placed.state = place_layers(arena, block, kernel, rows);
    placed.free_state = place_layers(arena, block, kernel, rows);
    placed.view = ffebmi_carve(arena, block->layer_count, sizeof *placed.view);
    placed.switches = ffebmi_carve(arena, block->layer_count, sizeof *placed.switches);
    placed.input = ffebmi_carve(arena, rows, block->layers[0].count * kernel->element);
    placed.force = ffebmi_carve(arena, rows, block->layers[last].count * kernel->element);
    placed.last = ffebmi_carve(arena, rows, block->layers[last].count * kernel->element);
    placed.norms = ffebmi_carve(arena, rows * block->layer_count, sizeof *placed.norms);
    placed.kind_work = block->kind->place_work(block, kernel, rows, arena);
    if (w != NULL)
        *w = placed;
    return w;
}

/* ------------------------------------------------------------------------------------- rows in, rows out, rows moved */

static void copy_rows(const ffebmi_kernel *k, size_t units, void *to, size_t to_row, const void *from, size_t from_row,
                      size_t rows)
{
    memmove(ffebmi_at(k, to, to_row * units), ffebmi_at(k, from, from_row * units), rows * units * k->element);
}

static void load(const ffebmi_phase *p, ffebmi_relax_work *w, size_t place, size_t sample)
{
    const ffebm_energy *b = p->block;

    w->samples[place] = sample;
    for (size_t n = 0; n < p->nudges; n++) {
        size_t row = place * p->nudges + n;

        copy_rows(p->kernel, b->layers[0].count, w->input, row, p->input, sample, 1);
        for (size_t l = 0; l < b->layer_count; l++) {
            size_t units = b->layers[l].count;

            if (p->start == NULL || p->linear || p->displaced)
                memset(ffebmi_at(p->kernel, w->state[l], row * units), 0, units * p->kernel->element);
            else
                copy_rows(p->kernel, units, w->state[l], row, p->start[l], sample, 1);
            if (p->nudged)
                copy_rows(p->kernel, units, w->free_state[l], row, p->start[l], sample, 1);
        }
    }
}

static void store(const ffebmi_phase *p, const ffebmi_relax_work *w, size_t place)
{
    const ffebm_energy *b = p->block;

    for (size_t n = 0; n < p->nudges; n++)
        for (size_t l = 0; l < b->layer_count; l++)
            copy_rows(p->kernel, b->layers[l].count, p->result[n * b->layer_count + l], w->samples[place], w->state[l],
                      place * p->nudges + n, 1);
}

static void move(const ffebmi_phase *p, ffebmi_relax_work *w, ffebmi_settling *s, size_t to, size_t from)
{
    const ffebm_energy *b = p->block;
    size_t r = p->nudges, last = b->layer_count - 1;

    if (to == from)
        return;
    w->samples[to] = w->samples[from];
    copy_rows(p->kernel, b->layers[0].count, w->input, to * r, w->input, from * r, r);
    copy_rows(p->kernel, b->layers[last].count, w->force, to * r, w->force, from * r, r);
    for (size_t l = 0; l < b->layer_count; l++) {
        copy_rows(p->kernel, b->layers[l].count, w->state[l], to * r, w->state[l], from * r, r);
        if (p->nudged)
            copy_rows(p->kernel, b->layers[l].count, w->free_state[l], to * r, w->free_state[l], from * r, r);
    }
    for (size_t n = 0; n < r; n++)
        b->kind->move(s, to * r + n, from * r + n);
}

/* ------------------------------------------------------------------------------------------------------- one shard */

/* Each sample has a place of its own, so that sums do not depend on who settles it. */
static void keep_norms(const ffebmi_phase *p, const ffebmi_relax_work *w, size_t place)
{
    size_t layers = p->block->layer_count;

    for (size_t l = 0; l < layers; l++) {
        ffebmi_norms sum = {0};

        for (size_t n = 0; n < p->nudges; n++) {
            const ffebmi_norms *one = &w->norms[(place * p->nudges + n) * layers + l];

            sum.change += one->change;
            sum.size += one->size;
            sum.displacement += one->displacement;
        }
        p->norms[w->samples[place] * layers + l] = sum;
    }
}

static void finish(const ffebmi_phase *p, ffebmi_relax_work *w, const ffebmi_settling *s, size_t place,
                   ffebmi_verdict verdict, int64_t sweeps)
{
    ffebmi_tally one = {.samples = 1, .sweeps_min = sweeps, .sweeps_max = sweeps, .sweeps_sum = sweeps};

    one.residual_max = verdict.residual;
    one.nonfinite = !verdict.finite;
    one.unconverged = p->tolerance > 0 && !verdict.settled;
    if (p->nudged && !p->linear)
        for (size_t n = 0; n < p->nudges; n++)
            one.region_changes += p->block->kind->region_changes(s, place * p->nudges + n);
    ffebmi_tally_add(&w->tally, &one);
    if (p->norms != NULL)
        keep_norms(p, w, place);
    store(p, w, place);
}

/* As forces are to see it. */
static const void *last_layer(const ffebmi_phase *p, const ffebmi_relax_work *w, size_t rows)
{
    size_t last = p->block->layer_count - 1, count = rows * p->block->layers[last].count;

    if (!p->displaced)
        return w->state[last];
    p->kernel->scale(count, 1, w->free_state[last], w->last);
    p->kernel->add(count, w->state[last], w->last);
    return w->last;
}

static void sweep(const ffebmi_phase *p, size_t worker, ffebmi_relax_work *w, ffebmi_settling *s, size_t active)
{
    size_t layers = p->block->layer_count;

    s->rows = active * p->nudges;
    for (size_t i = 0; i < ffebmi_order_count(p->order, layers); i++) {
        ffebmi_half_sweep half = ffebmi_order_half_sweep(p->order, layers, i);

        if (p->force != NULL && !p->force_held && ffebmi_half_sweep_has_last(half, layers))
            p->force(p->force_user, worker, w->samples, active, last_layer(p, w, s->rows), w->force);
        p->block->kind->half_sweep(s, half.first, half.step);
    }
}

/* Sweeps of a shard by one kernel. A free phase may have two legs: a coarse one, from which samples go on to the last. */
typedef struct leg {
    const ffebmi_phase *phase; /* its kernel aside */
    const ffebmi_kernel *kernel;
    const void *packed;
    double tolerance;
    int64_t end; /* so many sweeps at the most, with those of the leg before */
    bool last;
} leg;

/* Let go of the samples that this sweep of a leg has finished; returns how many stay. */
static size_t release_settled(const leg *of, ffebmi_relax_work *w, ffebmi_settling *s, size_t first, size_t active,
                              int64_t sweeps)
{
    const ffebmi_phase *p = of->phase;
    size_t layers = p->block->layer_count;
    double rounding = p->kernel->element == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;

    for (size_t place = active; place-- > 0;) {
        int64_t *spent = &w->spent[w->samples[place] - first], taken = *spent + sweeps;
        ffebmi_verdict verdict = ffebmi_judge(w->norms + place * p->nudges * layers, p->nudges, layers, p->nudged,
                                              of->tolerance, rounding, taken);

        if (!verdict.settled && verdict.finite && taken < of->end)
            continue;
        if (of->last) {
            finish(p, w, s, place, verdict, taken);
        } else {
            *spent = taken;
            store(p, w, place);
        }
        move(p, w, s, place, --active);
    }
    return active;
}

static void run_leg(const leg *of, ffebmi_relax_work *w, size_t worker, size_t first, size_t count)
{
    const ffebmi_phase *p = of->phase;
    ffebmi_settling s = {.block = p->block,
                         .kernel = p->kernel,
                         .parameters = p->parameters,
                         .packed = p->packed,
                         .linear = p->linear,
                         .hold_switches = p->hold_switches,
                         .displaced = p->displaced,
                         .copies = p->nudges,
                         .relaxation = p->relaxation,
                         .state = w->state,
                         .free_state = p->nudged ? w->free_state : NULL,
                         .input = w->input,
                         .force = p->force == NULL ? NULL : w->force,
                         .norms = w->norms,
                         .work = w->kind_work};
    size_t active = count;

    for (size_t i = 0; i < count; i++)
        load(p, w, i, first + i);
    s.rows = count * p->nudges;
    p->block->kind->begin(&s); /* with the free state, which is never coarse */
    s.kernel = of->kernel;
    s.packed = of->packed;
    if (p->force != NULL && p->force_held)
        p->force(p->force_user, worker, w->samples, active, w->state[p->block->layer_count - 1], w->force);
    for (int64_t sweeps = 1; active > 0; sweeps++) {
        sweep(p, worker, w, &s, active);
        active = release_settled(of, w, &s, first, active, sweeps);
    }
}

typedef struct job {
    const ffebmi_phase *phase;
    ffebmi_relax_work *const *works;
} job;

/* Coarse sweeps settle to about a thousandth, and no sweep in full precision is saved by going that far. */
static const double coarse_tolerance = 1e-2;

static void settle_shard(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const ffebmi_phase *p = j->phase;
    ffebmi_phase rest = *p;
    leg last = {p, p->kernel, p->packed, p->tolerance, p->max_sweeps, true};
    leg coarse = {p, p->coarse, p->coarse_packed, p->tolerance, p->max_sweeps / 2, false};

    memset(j->works[worker]->spent, 0, sizeof j->works[worker]->spent);
    if (p->coarse != NULL && p->nudged) {
        last.kernel = p->coarse;
        last.packed = p->coarse_packed;
    } else if (p->coarse != NULL && coarse.end > 0) {
        if (p->tolerance > 0 && p->tolerance < coarse_tolerance)
            coarse.tolerance = coarse_tolerance;
        run_leg(&coarse, j->works[worker], worker, first, count);
        rest.start = p->result;
        last.phase = &rest;
    }
    run_leg(&last, j->works[worker], worker, first, count);
}

/* ------------------------------------------------------------------------------------------------------ the phase */

void ffebmi_tally_add(ffebmi_tally *to, const ffebmi_tally *from)
{
    if (from->samples == 0)
        return;
    if (to->samples == 0 || from->sweeps_min < to->sweeps_min)
        to->sweeps_min = from->sweeps_min;
    if (from->sweeps_max > to->sweeps_max)
        to->sweeps_max = from->sweeps_max;
    if (from->residual_max > to->residual_max)
        to->residual_max = from->residual_max;
    to->samples += from->samples;
    to->unconverged += from->unconverged;
    to->nonfinite += from->nonfinite;
    to->region_changes += from->region_changes;
    to->sweeps_sum += from->sweeps_sum;
    to->retries += from->retries;
    to->seconds += from->seconds;
    to->joules += from->joules;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

ffebm_status ffebmi_relax(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works,
                          ffebmi_tally *tally)
{
    double start = now();
    size_t workers = context->executor.workers;
    ffebm_status status = FFEBM_OK;

    *tally = (ffebmi_tally){0};
    for (size_t w = 0; w < workers; w++)
        works[w]->tally = (ffebmi_tally){0};
    if (phase->block->own != NULL)
        status = ffebmi_relax_own(context, phase, works);
    else
        ffebmi_parallel_ranges(context, phase->batch, FFEBMI_SHARD, settle_shard, &(job){phase, works});
    for (size_t w = 0; w < workers; w++)
        ffebmi_tally_add(tally, &works[w]->tally);
    tally->seconds = now() - start;
    return status;
}

/* ------------------------------------------------------------------------------------------- looking at states */

static ffebmi_settling look_at(const ffebmi_states *states, ffebmi_relax_work *work, size_t first, size_t rows)
{
    ffebmi_settling s = {.block = states->block,
                         .kernel = states->kernel,
                         .parameters = states->parameters,
                         .packed = states->packed,
                         .rows = rows,
                         .state = work->view,
                         .work = work->kind_work};

    for (size_t l = 0; l < states->block->layer_count; l++)
        work->view[l] = ffebmi_at(states->kernel, states->state[l], first * states->block->layers[l].count);
    if (states->input != NULL)
        s.input = ffebmi_at(states->kernel, states->input, first * states->block->layers[0].count);
    return s;
}

void ffebmi_relax_energies(const ffebmi_states *states, ffebmi_relax_work *work, double *energies)
{
    for (size_t first = 0; first < states->batch; first += FFEBMI_SHARD) {
        size_t left = states->batch - first;
        ffebmi_settling s = look_at(states, work, first, left < FFEBMI_SHARD ? left : FFEBMI_SHARD);

        states->block->kind->energies(&s, energies + first);
    }
}

typedef struct observation {
    const ffebmi_states *states;
    ffebmi_relax_work *const *works;
    uint8_t *const *switches;
} observation;

static void observe_shard(void *user, size_t worker, size_t first, size_t count)
{
    const observation *o = user;
    const ffebm_energy *block = o->states->block;
    ffebmi_relax_work *w = o->works[worker];
    ffebmi_settling s = look_at(o->states, w, first, count);

    for (size_t l = 0; l < block->layer_count; l++)
        w->switches[l] = o->switches[l] + first * block->kind->switch_count(block, l);
    block->kind->observe(&s, w->switches);
}

void ffebmi_relax_observe(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                          uint8_t *const *switches)
{
    ffebmi_parallel_ranges(context, states->batch, FFEBMI_SHARD, observe_shard,
                           &(observation){states, works, switches});
}

void *ffebmi_relax_kind_work(const ffebmi_relax_work *work)
{
    return work->kind_work;
}

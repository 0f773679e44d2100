/* The solver by sweeps: layers are updated from one another until every sample of the batch is at rest. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "energy/sweeps.h"
#include "relax/contrast.h"
#include "relax/order.h"
#include "relax/pace.h"
#include "relax/solver.h"
#include "relax/stopping.h"

/* A worker's memory holds the rows of one shard side by side. Samples that have settled leave: the last sample still at
 * work moves into their seat, so that products always run over the first `active` samples without gaps. */
typedef struct shard {
    ffebmi_relax_work base;  /* first, so that a pointer to one is a pointer to the other */
    void **state;            /* [layer]: rows x units */
    void **free_state;       /* [layer]: rows x units */
    void **view;             /* [layer]: rows of a batch looked at in seat */
    const void **input_view; /* [layer]: likewise of the inputs; NULL where the phase has none */
    uint8_t **switches;      /* [coupling]: likewise */
    void **inputs;           /* [layer]: rows x units; 0: the block's own */
    void *force;             /* rows x units of the last layer */
    void *stiffness;         /* likewise */
    void *last;              /* likewise: the last layer itself, where states are displacements */
    ffebmi_norms *norms;
    ffebmi_groups *groups;           /* memory for those of the phase; the first worker's serves all */
    size_t samples[FFEBMI_SHARD];    /* which sample is in which seat */
    double bears;                    /* of the samples that this worker has looked at */
    int64_t spent[FFEBMI_SHARD];     /* sweeps of each sample of the shard, counted from its first, before this leg */
    ffebmi_pace paces[FFEBMI_SHARD]; /* likewise; of phases without a relaxation */
    double *relaxations;             /* [row] */
} shard;

static bool takes(const ffebm_energy *block)
{
    return block->kind->sweeps != NULL;
}

static void **lay_out_layers(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t rows)
{
    void **layers = ffebmi_carve(arena, block->layer_count, sizeof *layers);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, rows, block->layers[l].count * arrays->element);

        if (layers != NULL)
            layers[l] = memory;
    }
    return layers;
}

/* Of what a layer may be given, whether it is or not. */
static size_t input_width(const ffebm_energy *block, size_t layer)
{
    if (layer == 0)
        return block->input.count;
    return ffebmi_energy_can(block, FFEBMI_TAKES_TAPS) ? block->layers[layer].count : 0;
}

static void **lay_out_inputs(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t rows)
{
    void **inputs = ffebmi_carve(arena, block->layer_count, sizeof *inputs);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, rows, input_width(block, l) * arrays->element);

        if (inputs != NULL)
            inputs[l] = memory;
    }
    return inputs;
}

static ffebmi_relax_work *lay_out(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                  const void *plan, size_t nudges, size_t max_batch)
{
    size_t rows = nudges * FFEBMI_SHARD, last = block->layer_count - 1;
    shard *w = ffebmi_carve(arena, 1, sizeof *w), placed = {0};

    (void)max_batch;
    placed.state = lay_out_layers(arena, block, arrays, rows);
    placed.free_state = lay_out_layers(arena, block, arrays, rows);
    placed.view = ffebmi_carve(arena, block->layer_count, sizeof *placed.view);
    placed.switches = ffebmi_carve(arena, block->graph.coupling_count, sizeof *placed.switches);
    placed.inputs = lay_out_inputs(arena, block, arrays, rows);
    placed.input_view = ffebmi_carve(arena, block->layer_count, sizeof *placed.input_view);
    placed.force = ffebmi_carve(arena, rows, block->layers[last].count * arrays->element);
    placed.stiffness = ffebmi_carve(arena, rows, block->layers[last].count * arrays->element);
    placed.last = ffebmi_carve(arena, rows, block->layers[last].count * arrays->element);
    placed.norms = ffebmi_carve(arena, rows * block->layer_count, sizeof *placed.norms);
    placed.relaxations = ffebmi_carve(arena, rows, sizeof *placed.relaxations);
    placed.groups = ffebmi_groups_lay_out(arena, block->layer_count);
    placed.base.kind_work = block->kind->lay_out_work(block, arrays, plan, rows, arena);
    if (w == NULL)
        return NULL;
    *w = placed;
    return &w->base;
}

/* ------------------------------------------------------------------------------------- rows in, rows out, rows moved */

static void copy_rows(const ffebmi_arrays *k, size_t units, void *to, size_t to_row, const void *from, size_t from_row,
                      size_t rows)
{
    memmove(ffebmi_at(k, to, to_row * units), ffebmi_at(k, from, from_row * units), rows * units * k->element);
}

static void load(const ffebmi_phase *p, shard *w, size_t seat, size_t sample)
{
    const ffebm_energy *b = p->block;

    w->samples[seat] = sample;
    for (size_t n = 0; n < p->nudges; n++) {
        size_t row = seat * p->nudges + n;

        for (size_t l = 0; l < b->layer_count; l++) {
            size_t units = b->layers[l].count;

            if (p->inputs[l] != NULL)
                copy_rows(p->arrays, input_width(b, l), w->inputs[l], row, p->inputs[l], sample, 1);

            if (p->start == NULL || p->form != FFEBMI_WHOLE)
                memset(ffebmi_at(p->arrays, w->state[l], row * units), 0, units * p->arrays->element);
            else
                copy_rows(p->arrays, units, w->state[l], row, p->start[l], sample, 1);
            if (p->nudged)
                copy_rows(p->arrays, units, w->free_state[l], row, p->start[l], sample, 1);
        }
    }
}

static void store(const ffebmi_phase *p, const shard *w, size_t seat)
{
    const ffebm_energy *b = p->block;

    for (size_t n = 0; n < p->nudges; n++)
        for (size_t l = 0; l < b->layer_count; l++)
            copy_rows(p->arrays, b->layers[l].count, p->result[n * b->layer_count + l], w->samples[seat], w->state[l],
                      seat * p->nudges + n, 1);
}

static void move(const ffebmi_phase *p, shard *w, ffebmi_settling *s, size_t to, size_t from)
{
    const ffebm_energy *b = p->block;
    size_t r = p->nudges, last = b->layer_count - 1;

    if (to == from)
        return;
    w->samples[to] = w->samples[from];
    copy_rows(p->arrays, b->layers[last].count, w->force, to * r, w->force, from * r, r);
    if (p->stiffness != NULL)
        copy_rows(p->arrays, b->layers[last].count, w->stiffness, to * r, w->stiffness, from * r, r);
    for (size_t l = 0; l < b->layer_count; l++) {
        if (p->inputs[l] != NULL)
            copy_rows(p->arrays, input_width(b, l), w->inputs[l], to * r, w->inputs[l], from * r, r);
        copy_rows(p->arrays, b->layers[l].count, w->state[l], to * r, w->state[l], from * r, r);
        if (p->nudged)
            copy_rows(p->arrays, b->layers[l].count, w->free_state[l], to * r, w->free_state[l], from * r, r);
    }
    for (size_t n = 0; n < r; n++)
        b->kind->sweeps->move(s, to * r + n, from * r + n);
}

/* ------------------------------------------------------------------------------------------------------- one shard */

/* Each sample has a seat of its own, so that sums do not depend on who settles it. */
static void keep_norms(const ffebmi_phase *p, const shard *w, size_t seat)
{
    size_t layers = p->block->layer_count;

    for (size_t l = 0; l < layers; l++) {
        ffebmi_norms sum = {0};

        for (size_t n = 0; n < p->nudges; n++) {
            const ffebmi_norms *one = &w->norms[(seat * p->nudges + n) * layers + l];

            sum.change += one->change;
            sum.size += one->size;
            sum.displacement += one->displacement;
        }
        p->norms[w->samples[seat] * layers + l] = sum;
    }
}

/* All nudges of a sample. */
static bool is_stable(const ffebmi_phase *p, const ffebmi_settling *s, size_t seat)
{
    bool stable = true;

    for (size_t n = 0; p->block->kind->sweeps->stable != NULL && n < p->nudges; n++)
        stable = stable && p->block->kind->sweeps->stable(s, seat * p->nudges + n);
    return stable;
}

static void finish(const ffebmi_phase *p, shard *w, const ffebmi_settling *s, size_t seat, ffebmi_verdict verdict,
                   int64_t sweeps, double relaxation)
{
    ffebmi_tally one = {.samples = 1, .sweeps_min = sweeps, .sweeps_max = sweeps, .sweeps_sum = sweeps};

    one.residual_max = verdict.residual;
    one.relaxation_max = relaxation;
    one.nonfinite = !verdict.finite;
    one.unstable = p->stiffness != NULL && verdict.finite && !is_stable(p, s, seat);
    one.unconverged = one.unstable || (p->tolerance > 0 && !verdict.settled);
    if (p->nudged && p->block->kind->sweeps->region_changes != NULL)
        for (size_t n = 0; n < p->nudges; n++)
            one.region_changes += p->block->kind->sweeps->region_changes(s, seat * p->nudges + n);
    ffebmi_tally_add(&w->base.tally, &one);
    if (p->norms != NULL)
        keep_norms(p, w, seat);
    store(p, w, seat);
}

/* As forces are to see it. */
static const void *last_layer(const ffebmi_phase *p, const shard *w, size_t rows)
{
    size_t last = p->block->layer_count - 1, count = rows * p->block->layers[last].count;

    if (p->form != FFEBMI_DISPLACED)
        return w->state[last];
    p->arrays->scale(count, 1, w->free_state[last], w->last);
    p->arrays->add(count, w->state[last], w->last);
    return w->last;
}

/* In which groups layers are updated, how many sweeps a sample makes at the least, and how its pace begins. */
typedef struct schedule {
    ffebmi_groups *groups;
    int64_t least;
    ffebmi_pace pace;
} schedule;

/* Sweeps of a shard in one precision. A free phase may have two legs: one in integers, from which samples go on to the last. */
typedef struct leg {
    const ffebmi_phase *phase;
    const schedule *schedule;
    bool int16;
    double tolerance;
    int64_t end; /* so many sweeps at the most, with those of the leg before */
    bool last;
} leg;

/* Are relaxations left to the samples? Where all sweeps are made each is to be as any other. */
static bool is_paced(const ffebmi_phase *p)
{
    return p->relaxation == 0 && p->tolerance > 0;
}

static double fixed_relaxation(const ffebmi_phase *p)
{
    return p->relaxation == 0 ? 1 : p->relaxation;
}

/* Of all legs of a phase: what a sample has shown in one holds in the next. */
static void begin_relaxations(const ffebmi_phase *p, const schedule *order, shard *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        w->paces[i] = order->pace;
    for (size_t row = 0; row < count * p->nudges; row++)
        w->relaxations[row] = fixed_relaxation(p);
}

/* Those of the next half-sweep; all nudges of a sample go as far. */
static void choose_relaxations(const ffebmi_phase *p, shard *w, size_t first, size_t active)
{
    for (size_t seat = 0; seat < active; seat++) {
        double relaxation = ffebmi_pace_next(&w->paces[w->samples[seat] - first]);

        for (size_t n = 0; n < p->nudges; n++)
            w->relaxations[seat * p->nudges + n] = relaxation;
    }
}

static void learn_paces(const ffebmi_phase *p, shard *w, size_t first, size_t active)
{
    size_t norms = p->nudges * p->block->layer_count;

    for (size_t seat = 0; seat < active; seat++) {
        double change = 0;

        for (size_t i = 0; i < norms; i++)
            change += w->norms[seat * norms + i].change;
        ffebmi_pace_learn(&w->paces[w->samples[seat] - first], change);
    }
}

static void sweep(const leg *of, size_t worker, shard *w, ffebmi_settling *s, size_t first, size_t active)
{
    const ffebmi_phase *p = of->phase;
    const ffebmi_groups *groups = of->schedule->groups;

    s->rows = active * p->nudges;
    for (size_t g = 0; g < groups->count; g++) {
        const size_t *layers = groups->layers + groups->first[g];
        size_t count = groups->first[g + 1] - groups->first[g];

        if (p->force != NULL && !p->force_held && layers[count - 1] + 1 == p->block->layer_count)
            p->force(p->force_user, worker, w->samples, active, last_layer(p, w, s->rows), w->force);
        if (is_paced(p))
            choose_relaxations(p, w, first, active);
        p->block->kind->sweeps->update(s, layers, count);
    }
    if (is_paced(p))
        learn_paces(p, w, first, active);
}

/* Let go of the samples that this sweep of a leg has finished; returns how many stay. */
static size_t release_settled(const leg *of, shard *w, ffebmi_settling *s, size_t first, size_t active, int64_t sweeps)
{
    const ffebmi_phase *p = of->phase;
    size_t layers = p->block->layer_count;
    double rounding = p->arrays->element == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON;

    for (size_t seat = active; seat-- > 0;) {
        int64_t *spent = &w->spent[w->samples[seat] - first], taken = *spent + sweeps;
        ffebmi_verdict verdict = ffebmi_judge(w->norms + seat * p->nudges * layers, p->nudges, layers, p->nudged,
                                              of->tolerance, rounding, taken >= of->schedule->least);

        if (!verdict.settled && verdict.finite && taken < of->end)
            continue;
        if (of->last) {
            finish(p, w, s, seat, verdict, taken,
                   is_paced(p) ? w->paces[w->samples[seat] - first].furthest : fixed_relaxation(p));
        } else {
            *spent = taken;
            store(p, w, seat);
        }
        move(p, w, s, seat, --active);
    }
    return active;
}

static void run_leg(const leg *of, shard *w, size_t worker, size_t first, size_t count)
{
    const ffebmi_phase *p = of->phase;
    ffebmi_settling s = {.block = p->block,
                         .arrays = p->arrays,
                         .plan = p->plan,
                         .parameters = p->parameters,
                         .packed = p->packed,
                         .form = p->form,
                         .hold_switches = p->hold_switches || p->form != FFEBMI_WHOLE,
                         .copies = p->nudges,
                         .relaxations = w->relaxations,
                         .state = w->state,
                         .free_state = p->nudged ? w->free_state : NULL,
                         .inputs = w->input_view,
                         .gains = p->gains,
                         .force = p->force == NULL ? NULL : w->force,
                         .stiffness = p->stiffness == NULL ? NULL : w->stiffness,
                         .norms = w->norms,
                         .work = w->base.kind_work};
    size_t active = count;

    for (size_t l = 0; l < p->block->layer_count; l++)
        w->input_view[l] = p->inputs[l] == NULL ? NULL : w->inputs[l];
    for (size_t i = 0; i < count; i++)
        load(p, w, i, first + i);
    s.rows = count * p->nudges;
    p->block->kind->sweeps->begin(&s); /* with the free state, which is never rounded */
    s.int16 = of->int16;
    if (p->force != NULL && p->force_held)
        p->force(p->force_user, worker, w->samples, active, w->state[p->block->layer_count - 1], w->force);
    if (p->stiffness != NULL)
        p->stiffness(p->force_user, worker, w->samples, active, w->state[p->block->layer_count - 1], w->stiffness);
    for (int64_t sweeps = 1; active > 0; sweeps++) {
        sweep(of, worker, w, &s, first, active);
        active = release_settled(of, w, &s, first, active, sweeps);
    }
}

typedef struct job {
    const ffebmi_phase *phase;
    schedule schedule;
    ffebmi_relax_work *const *works;
} job;

/* Sweeps in integers settle to about a thousandth, and no sweep in full precision is saved by going that far. */
static const double int16_tolerance = 1e-2;

static void settle_shard(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const ffebmi_phase *p = j->phase;
    ffebmi_phase rest = *p;
    leg last = {p, &j->schedule, p->int16 && p->nudged, p->tolerance, p->max_sweeps, true};
    leg rough = {p, &j->schedule, true, p->tolerance, p->max_sweeps / 2, false};
    shard *w = (shard *)j->works[worker];

    memset(w->spent, 0, sizeof w->spent);
    begin_relaxations(p, &j->schedule, w, count);
    if (p->int16 && !p->nudged && rough.end > 0) {
        if (p->tolerance > 0 && p->tolerance < int16_tolerance)
            rough.tolerance = int16_tolerance;
        run_leg(&rough, w, worker, first, count);
        rest.start = p->result;
        last.phase = &rest;
    }
    run_leg(&last, w, worker, first, count);
}

static void settle(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works)
{
    const ffebmi_graph *graph = &phase->block->graph;
    schedule order = {.groups = ((shard *)works[0])->groups,
                      .pace = ffebmi_pace_begin(phase->block->layer_count, phase->nudged)};

    ffebmi_groups_fill(order.groups, graph, phase->order, phase->backwards);
    if (phase->nudged && phase->tolerance > 0)
        order.least = ffebmi_groups_reach(order.groups, graph);
    ffebmi_parallel_ranges(context, phase->batch, FFEBMI_SHARD, settle_shard, &(job){phase, order, works});
}

/* ------------------------------------------------------------------------------------------- looking at states */

static ffebmi_settling look_at(const ffebmi_states *states, shard *w, size_t first, size_t rows)
{
    ffebmi_settling s = {.block = states->block,
                         .arrays = states->arrays,
                         .plan = states->plan,
                         .parameters = states->parameters,
                         .packed = states->packed,
                         .rows = rows,
                         .state = w->view,
                         .inputs = w->input_view,
                         .gains = states->gains,
                         .work = w->base.kind_work};

    for (size_t l = 0; l < states->block->layer_count; l++) {
        const void *input = states->inputs == NULL ? NULL : states->inputs[l];

        w->view[l] = ffebmi_at(states->arrays, states->state[l], first * states->block->layers[l].count);
        w->input_view[l] =
            input == NULL ? NULL : ffebmi_at(states->arrays, input, first * input_width(states->block, l));
    }
    return s;
}

static ffebm_status measure(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                            double *out)
{
    const ffebmi_sweep_rules *rules = states->block->kind->sweeps;

    (void)context;
    for (size_t first = 0; first < states->batch; first += FFEBMI_SHARD) {
        size_t left = states->batch - first;
        ffebmi_settling s = look_at(states, (shard *)works[0], first, left < FFEBMI_SHARD ? left : FFEBMI_SHARD);

        (states->quantity == FFEBMI_POWER ? rules->powers : rules->energies)(&s, out + first);
    }
    return FFEBM_OK;
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
    shard *w = (shard *)o->works[worker];
    ffebmi_settling s = look_at(o->states, w, first, count);

    for (size_t c = 0; c < block->graph.coupling_count; c++)
        w->switches[c] = o->switches[c] + first * ffebmi_energy_switch_count(block, c);
    block->kind->sweeps->observe(&s, w->switches);
}

void ffebmi_relax_observe(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                          uint8_t *const *switches)
{
    ffebmi_parallel_ranges(context, states->batch, FFEBMI_SHARD, observe_shard,
                           &(observation){states, works, switches});
}

typedef struct bearing {
    const ffebmi_states *states;
    ffebmi_relax_work *const *works;
} bearing;

static void bear_shard(void *user, size_t worker, size_t first, size_t count)
{
    const bearing *b = user;
    shard *w = (shard *)b->works[worker];
    ffebmi_settling s = look_at(b->states, w, first, count);

    for (size_t row = 0; row < count; row++)
        w->bears = fmax(w->bears, b->states->block->kind->sweeps->bears(&s, row));
}

double ffebmi_relax_bears(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works)
{
    const ffebmi_sweep_rules *rules = states->block->kind->sweeps;
    double bears = -INFINITY;

    if (rules == NULL || rules->bears == NULL)
        return bears;
    for (size_t w = 0; w < context->executor.workers; w++)
        ((shard *)works[w])->bears = bears;
    ffebmi_parallel_ranges(context, states->batch, FFEBMI_SHARD, bear_shard, &(bearing){states, works});
    for (size_t w = 0; w < context->executor.workers; w++)
        bears = fmax(bears, ((shard *)works[w])->bears);
    return bears;
}

const ffebmi_solver ffebmi_solver_sweeps = {.name = "sweeps",
                                            .takes = takes,
                                            .lay_out = lay_out,
                                            .settle = settle,
                                            .read = ffebmi_contrast_read,
                                            .measure = measure};

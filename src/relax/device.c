/* The solver of blocks that stand on a device with more to it than its weights. It wraps the solver that settles them: that one
 * gets other inputs, gains, forces and parameters, and what is read off its states are readings of them. Whatever is drawn is
 * drawn before a settling begins, or is the same each time that it is asked for, so that it is held. */
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "relax/crossing.h"
#include "relax/solver.h"
#include "tensor/doubles.h"

/* One worker's. */
typedef struct desk {
    ffebmi_crossing_work crossing;
    void *seen; /* nudges x FFEBMI_SHARD rows of the last layer */
    void *forces;
} desk;

/* What all workers share. */
typedef struct common {
    desk *desks;             /* [worker] */
    void **inputs;           /* [layer]: batch x units */
    const void **given;      /* [layer]: those of the inputs that the phase has */
    const void **parameters; /* [parameter]: with noise */
    void *packed;            /* made of these */
    void **readings;     /* [copy * layers + layer]: batch x units; of the free state, and behind it of the nudges */
    ffebmi_norms *norms; /* [sample * layers + layer] */
} common;

static const ffebmi_solver *below(const ffebm_energy *block)
{
    return ffebmi_solver_below(&ffebmi_solver_device, block);
}

static bool takes(const ffebm_energy *block)
{
    return block->chip != NULL && ffebmi_chip_has_borders(block->chip);
}

/* ------------------------------------------------------------------------------------------------------------------ memory */

static ffebmi_relax_work *lay_out(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                                  const void *plan, size_t nudges, size_t max_batch)
{
    return below(block)->lay_out(arena, block, arrays, plan, nudges, max_batch);
}

static desk lay_out_desk(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t nudges)
{
    size_t outputs = nudges * FFEBMI_SHARD * ffebmi_energy_output(block)->count;
    size_t width = ffebmi_crossing_widest(block);
    desk placed = {.crossing.row = ffebmi_carve(arena, width, sizeof(double))};

    placed.crossing.noise = ffebmi_carve(arena, width, sizeof(double));
    placed.seen = ffebmi_carve(arena, outputs, arrays->element);
    placed.forces = ffebmi_carve(arena, outputs, arrays->element);
    return placed;
}

static void lay_out_readings(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t copies,
                             size_t max_batch, void **readings)
{
    for (size_t i = 0; i < copies * block->layer_count; i++) {
        void *memory = ffebmi_carve(arena, max_batch, block->layers[i % block->layer_count].count * arrays->element);

        if (readings != NULL)
            readings[i] = memory;
    }
}

static void lay_out_noisy(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                          common *c)
{
    c->parameters = ffebmi_carve(arena, block->parameter_count, sizeof *c->parameters);
    for (size_t p = 0; p < block->parameter_count; p++) {
        void *memory = ffebmi_carve(arena, block->parameters[p].parameter.shape.count, arrays->element);

        if (c->parameters != NULL)
            c->parameters[p] = memory;
    }
    c->packed = ffebmi_energy_lay_out_packed(block, plan, arena);
}

static void *lay_out_common(ffebmi_arena *arena, const ffebm_energy *block, const ffebmi_arrays *arrays,
                            const void *plan, size_t nudges, size_t max_batch)
{
    size_t workers = block->context->executor.workers, layers = block->layer_count;
    size_t copies = ffebmi_chip_reads(block->chip) ? 1 + nudges : 0;
    common *c = ffebmi_carve(arena, 1, sizeof *c), placed = {0};

    placed.desks = ffebmi_carve(arena, workers, sizeof *placed.desks);
    for (size_t w = 0; w < workers; w++) {
        desk d = lay_out_desk(arena, block, arrays, nudges);

        if (c != NULL)
            placed.desks[w] = d;
    }
    placed.inputs = ffebmi_carve(arena, layers, sizeof *placed.inputs);
    placed.given = ffebmi_carve(arena, layers, sizeof *placed.given);
    for (size_t l = 0; l < layers; l++) {
        void *memory = ffebmi_carve(arena, max_batch, ffebmi_crossing_width(block, l) * arrays->element);

        if (c != NULL)
            placed.inputs[l] = memory;
    }
    placed.readings = ffebmi_carve(arena, copies * layers, sizeof *placed.readings);
    lay_out_readings(arena, block, arrays, copies, max_batch, placed.readings);
    placed.norms = ffebmi_carve(arena, max_batch * layers, sizeof *placed.norms);
    if (block->chip->config.weight_read_noise > 0)
        lay_out_noisy(arena, block, arrays, plan, &placed);
    if (c != NULL)
        *c = placed;
    return c;
}

typedef struct input_job {
    ffebmi_crossing common;
    common *memory;
    const void *const *inputs; /* as they come */
    bool with_gains;
} input_job;

static void inputs_of_samples(void *user, size_t worker, size_t first, size_t count)
{
    const input_job *j = user;
    ffebmi_crossing x = j->common;

    x.work = &j->memory->desks[worker].crossing;
    for (x.sample = first; x.sample < first + count; x.sample++)
        for (size_t l = 0; l < x.block->layer_count; l++)
            if (j->memory->given[l] != NULL)
                ffebmi_cross_in(&x, l, j->inputs[l], j->with_gains, j->memory->inputs[l]);
}

/* [layer]: the inputs of a batch as they are on the device; NULL where there is nothing. */
static const void *const *take_inputs(ffebm_context *context, const input_job *j, size_t batch)
{
    const ffebm_device_config *c = &j->common.block->chip->config;
    bool drives = c->neuron_offset_dtod > 0 || c->neuron_drive_noise > 0;

    for (size_t l = 0; l < j->common.block->layer_count; l++)
        j->memory->given[l] = j->inputs[l] != NULL || drives ? j->memory->inputs[l] : NULL;
    ffebmi_parallel_ranges(context, batch, 1, inputs_of_samples, (void *)(uintptr_t)j);
    return j->memory->given;
}

/* ---------------------------------------------------------------------------------------------------------------- readings */

typedef struct reading_job {
    ffebmi_crossing common;
    common *memory;
    void *const *from; /* [layer] */
    void **to;
    bool (*converts)(const ffebm_energy *block, size_t layer); /* the other layers are copied */
} reading_job;

static void readings_of_samples(void *user, size_t worker, size_t first, size_t count)
{
    const reading_job *j = user;
    ffebmi_crossing x = j->common;

    x.work = &j->memory->desks[worker].crossing;
    for (x.sample = first; x.sample < first + count; x.sample++)
        for (size_t l = 0; l < x.block->layer_count; l++) {
            size_t units = x.block->layers[l].count;
            const void *from = ffebmi_at(x.arrays, j->from[l], x.sample * units);
            void *to = ffebmi_at(x.arrays, j->to[l], x.sample * units);

            if (j->converts(x.block, l))
                ffebmi_cross_out(&x, l, from, to);
            else
                memcpy(to, from, units * x.arrays->element);
        }
}

static bool any_layer(const ffebm_energy *block, size_t layer)
{
    (void)block;
    (void)layer;
    return true;
}

/* Those that the cotangent of the input is read from. */
static bool border_layer(const ffebm_energy *block, size_t layer)
{
    return ffebmi_energy_input_units(block, layer) > 0;
}

typedef struct output_job {
    ffebmi_crossing common;
    common *memory;
    const void *from;
    void *to;
} output_job;

static void outputs_of_samples(void *user, size_t worker, size_t first, size_t count)
{
    const output_job *j = user;
    ffebmi_crossing x = j->common;
    size_t last = x.block->layer_count - 1, units = x.block->layers[last].count;

    x.work = &j->memory->desks[worker].crossing;
    for (x.sample = first; x.sample < first + count; x.sample++)
        ffebmi_cross_out(&x, last, ffebmi_at(x.arrays, j->from, x.sample * units),
                         ffebmi_at(x.arrays, j->to, x.sample * units));
}

static void hand_on(ffebm_context *context, const ffebmi_states *states, size_t nudge, void *out)
{
    output_job j = {.common = {states->block, states->arrays, &states->occasion, NULL, 0, ffebmi_crossing_phase(nudge)},
                    .memory = states->common,
                    .from = states->state[states->block->layer_count - 1],
                    .to = out};

    ffebmi_parallel_ranges(context, states->batch, 1, outputs_of_samples, &j);
}

/* ------------------------------------------------------------------------------------------------------------------ forces */

/* `user` of the forces of a phase on the device. */
typedef struct border {
    const ffebmi_phase *phase; /* as it was asked for */
    common *memory;
    size_t first; /* nudges first .. first + count - 1 settle now */
    size_t count;
} border;

static ffebmi_crossing crossing_of(const border *b, size_t worker, size_t sample, size_t nudge)
{
    return (ffebmi_crossing){b->phase->block,
                             b->phase->arrays,
                             &b->phase->occasion,
                             &b->memory->desks[worker].crossing,
                             sample,
                             ffebmi_crossing_phase(nudge)};
}

/* What the host sees of the last layer, for all nudges of the phase; those that do not settle now see one that does. */
static const void *seen(const border *b, size_t worker, const size_t *samples, size_t count, const void *last_layer)
{
    const ffebmi_phase *p = b->phase;
    size_t last = p->block->layer_count - 1, units = p->block->layers[last].count;
    void *to = b->memory->desks[worker].seen;

    if (p->force_held)
        return last_layer;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < p->nudges; n++) {
            bool now = n >= b->first && n < b->first + b->count;
            size_t from = i * b->count + (now ? n - b->first : 0);
            ffebmi_crossing x = crossing_of(b, worker, samples[i], n);

            ffebmi_cross_out(&x, last, ffebmi_at(p->arrays, last_layer, from * units),
                             ffebmi_at(p->arrays, to, (i * p->nudges + n) * units));
        }
    return to;
}

/* A force or the stiffness of some samples, no more than a shard of them. */
static void bend(const border *b, size_t worker, ffebmi_force_fn call, bool converts, const size_t *samples,
                 size_t count, const void *last_layer, void *out)
{
    const ffebmi_phase *p = b->phase;
    size_t units = ffebmi_energy_output(p->block)->count;
    void *forces = b->memory->desks[worker].forces;

    call(p->force_user, worker, samples, count, seen(b, worker, samples, count, last_layer), forces);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < b->count; n++) {
            size_t nudge = b->first + n;
            ffebmi_crossing x = crossing_of(b, worker, samples[i], nudge);
            ffebmi_force_crossing how = {converts, p->form != FFEBMI_TANGENT,
                                         p->strengths == NULL ? 1 : p->strengths[nudge]};

            ffebmi_cross_force(&x, &how, ffebmi_at(p->arrays, forces, (i * p->nudges + nudge) * units),
                               ffebmi_at(p->arrays, out, (i * b->count + n) * units));
        }
}

static void bend_all(const border *b, size_t worker, ffebmi_force_fn call, bool converts, const size_t *samples,
                     size_t count, const void *last_layer, void *out)
{
    const ffebmi_arrays *k = b->phase->arrays;
    size_t units = ffebmi_energy_output(b->phase->block)->count;

    for (size_t first = 0; first < count; first += FFEBMI_SHARD) {
        size_t rows = count - first < FFEBMI_SHARD ? count - first : FFEBMI_SHARD, at = first * b->count * units;

        bend(b, worker, call, converts, samples + first, rows, ffebmi_at(k, last_layer, at), ffebmi_at(k, out, at));
    }
}

static void bent_force(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const border *b = user;

    bend_all(b, worker, b->phase->force, true, samples, count, last_layer, out);
}

static void bent_stiffness(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                           void *out)
{
    const border *b = user;

    bend_all(b, worker, b->phase->stiffness, false, samples, count, last_layer, out);
}

/* -------------------------------------------------------------------------------------------------------------- noisy weights */

typedef struct noise_job {
    const ffebmi_phase *phase;
    const common *memory;
    size_t parameter;
    unsigned of_phase;
} noise_job;

static void noise_of_some(const noise_job *j, size_t first, size_t count)
{
    const ffebmi_phase *p = j->phase;
    const ffebm_device_config *c = &p->block->chip->config;
    double spread = c->weight_read_noise * fabs(c->weight_max), least = ffebmi_chip_least(p->block, j->parameter);
    const ffebmi_crossing x = {p->block, p->arrays, &p->occasion, NULL, 0, j->of_phase};
    ffebmi_draw draw = ffebmi_crossing_draw(&x, FFEBMI_EFFECT_READ_NOISE);
    double weights[FFEBMI_CHIP_CHUNK];

    draw.sample = 0; /* the weights are those of all samples */
    ffebmi_draw_normal(&draw, ffebmi_chip_first_number(p->block, j->parameter) + first, count, weights);
    for (size_t i = 0; i < count; i++) {
        double weight =
            ffebmi_number_at(p->arrays->element, p->parameters[j->parameter], first + i) + spread * weights[i];

        weights[i] = weight < least ? least : weight;
    }
    ffebmi_put_numbers(p->arrays->element, count, weights,
                       ffebmi_at(p->arrays, j->memory->parameters[j->parameter], first));
}

static void noise_of_range(void *user, size_t worker, size_t first, size_t count)
{
    (void)worker;
    for (size_t i = 0; i < count; i += FFEBMI_CHIP_CHUNK)
        noise_of_some(user, first + i, count - i < FFEBMI_CHIP_CHUNK ? count - i : FFEBMI_CHIP_CHUNK);
}

enum { GRAIN = 4096 };

/* The phase's weights as they are read in this settling. */
static void take_noisy(ffebm_context *context, const border *b, unsigned of_phase, ffebmi_phase *to)
{
    for (size_t p = 0; p < to->block->parameter_count; p++) {
        size_t count = to->block->parameters[p].parameter.shape.count;

        if (ffebmi_chip_holds(to->block, p))
            ffebmi_parallel_ranges(context, count, GRAIN, noise_of_range,
                                   &(noise_job){b->phase, b->memory, p, of_phase});
        else
            memcpy((void *)(uintptr_t)b->memory->parameters[p], b->phase->parameters[p], count * to->arrays->element);
    }
    ffebmi_energy_pack(to->block, to->arrays, to->plan, b->memory->parameters, b->memory->packed);
    to->parameters = b->memory->parameters;
    to->packed = b->memory->packed;
    to->int16 = false;
}

/* ---------------------------------------------------------------------------------------------------------------- settling */

static void add_norms(const ffebmi_phase *p, const ffebmi_norms *from, bool first)
{
    for (size_t i = 0; i < p->batch * p->block->layer_count; i++) {
        if (first)
            p->norms[i] = (ffebmi_norms){0};
        p->norms[i].change += from[i].change;
        p->norms[i].size += from[i].size;
        p->norms[i].displacement += from[i].displacement;
    }
}

/* Some nudges side by side, of one draw. */
static void settle_together(ffebm_context *context, const border *b, ffebmi_relax_work *const *works)
{
    const ffebmi_phase *p = b->phase;
    const ffebmi_chip *chip = p->block->chip;
    bool tangent = p->form == FFEBMI_TANGENT;
    unsigned of_phase = p->nudged && !tangent ? ffebmi_crossing_phase(b->first) : 0;
    ffebmi_phase own = *p;

    own.inputs = take_inputs(context,
                             &(input_job){.common = {p->block, p->arrays, &p->occasion, NULL, 0, of_phase},
                                          .memory = b->memory,
                                          .inputs = p->inputs,
                                          .with_gains = true},
                             p->batch);
    own.gains = (const void *const *)chip->gains;
    if (chip->config.weight_read_noise > 0 && !tangent && !ffebmi_crossing_is_quiet(p->block, &p->occasion))
        take_noisy(context, b, of_phase, &own);
    own.force = p->force == NULL ? NULL : bent_force;
    own.stiffness = p->stiffness == NULL ? NULL : bent_stiffness;
    own.force_user = (void *)(uintptr_t)b;
    own.nudges = b->count;
    own.result = p->result + b->first * p->block->layer_count;
    own.norms = p->norms != NULL && b->count < p->nudges ? b->memory->norms : p->norms;
    below(p->block)->settle(context, &own, works);
    if (own.norms != p->norms)
        add_norms(p, own.norms, b->first == 0);
}

static bool has_failed(const ffebm_context *context, ffebmi_relax_work *const *works)
{
    for (size_t w = 0; w < context->executor.workers; w++)
        if (works[w]->failure.status != FFEBM_OK)
            return true;
    return false;
}

/* Each nudge is a settling of its own where draws differ between them. */
static void settle(ffebm_context *context, const ffebmi_phase *phase, ffebmi_relax_work *const *works)
{
    bool apart = phase->form != FFEBMI_TANGENT && ffebmi_chip_draws(phase->block->chip) &&
                 !ffebmi_crossing_is_quiet(phase->block, &phase->occasion);
    border b = {.phase = phase, .memory = phase->common, .count = apart ? 1 : phase->nudges};

    for (; b.first < phase->nudges && !has_failed(context, works); b.first += b.count)
        settle_together(context, &b, works);
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

static void **readings_at(const ffebmi_reading *r, size_t nudge)
{
    return ((const common *)r->common)->readings + ffebmi_crossing_phase(nudge) * r->block->layer_count;
}

static void **take_readings(ffebm_context *context, const ffebmi_reading *r, void **from, size_t nudge,
                            bool (*converts)(const ffebm_energy *block, size_t layer))
{
    reading_job j = {.common = {r->block, r->arrays, &r->occasion, NULL, 0, ffebmi_crossing_phase(nudge)},
                     .memory = r->common,
                     .from = from,
                     .to = readings_at(r, nudge),
                     .converts = converts};

    ffebmi_parallel_ranges(context, r->batch, 1, readings_of_samples, &j);
    return j.to;
}

/* The same reading, of states as they are read. */
static ffebmi_reading reading_through(ffebm_context *context, const ffebmi_reading *r,
                                      bool (*converts)(const ffebm_energy *block, size_t layer))
{
    ffebmi_reading own = *r;

    for (size_t i = 0; i < r->pair_count; i++) {
        ffebmi_reading_pair *pair = &own.pairs[i];

        pair->first = take_readings(context, r, pair->first, pair->nudges[0], converts);
        if (pair->second != NULL)
            pair->second = take_readings(context, r, pair->second, pair->nudges[1], converts);
    }
    own.free = readings_at(r, FFEBM_NONE);
    for (size_t i = 0; i < 2 && r->pairs[0].second != NULL; i++) /* a state alone may lie there, and is not used up */
        own.memory[i] = readings_at(r, i);
    return own;
}

/* The cotangent of the input alone: it leaves switches where they are. */
static ffebm_status read_border(ffebm_context *context, const ffebmi_reading *r, ffebmi_relax_work *const *works)
{
    ffebmi_reading own = reading_through(context, r, border_layer);

    own.gradients = NULL;
    own.replace = false;
    for (size_t i = 0; i < r->pair_count; i++)
        own.pairs[i].second_switches = own.pairs[i].first_switches;
    return below(r->block)->read(context, &own, works);
}

static ffebm_status read_states(ffebm_context *context, const ffebmi_reading *reading, ffebmi_relax_work *const *works)
{
    const ffebmi_chip *chip = reading->block->chip;
    bool reads = ffebmi_chip_reads(chip) && reading->form == FFEBMI_WHOLE;
    ffebmi_reading own = *reading;

    if (reads && chip->config.read == FFEBM_READ_ALL)
        own = reading_through(context, reading, any_layer);
    own.inputs = take_inputs(context,
                             &(input_job){.common = {reading->block, reading->arrays, &reading->occasion, NULL, 0, 0},
                                          .memory = reading->common,
                                          .inputs = reading->inputs},
                             reading->batch);
    if (reads && chip->config.read == FFEBM_READ_BORDER && reading->input_cotangent != NULL) {
        FFEBMI_TRY(read_border(context, &own, works));
        own.input_cotangent = NULL;
    }
    return below(reading->block)->read(context, &own, works);
}

static ffebm_status measure(ffebm_context *context, const ffebmi_states *states, ffebmi_relax_work *const *works,
                            double *out)
{
    ffebmi_states own = *states;

    own.inputs = take_inputs(context,
                             &(input_job){.common = {states->block, states->arrays, &states->occasion, NULL, 0, 0},
                                          .memory = states->common,
                                          .inputs = states->inputs},
                             states->batch);
    own.gains = (const void *const *)states->block->chip->gains;
    return below(states->block)->measure(context, &own, works, out);
}

const ffebmi_solver ffebmi_solver_device = {.name = "device",
                                            .takes = takes,
                                            .lay_out = lay_out,
                                            .lay_out_common = lay_out_common,
                                            .settle = settle,
                                            .read = read_states,
                                            .measure = measure,
                                            .hand_on = hand_on};

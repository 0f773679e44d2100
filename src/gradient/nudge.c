#include "gradient/nudge.h"

#include <inttypes.h>
#include <string.h>

#include "core/context.h"

enum { ELEMENT_GRAIN = 16384 }; /* cuts of the work; part of what fixes the bits */

static const ffebm_energy *block_of(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy;
}

/* The free state's switches stand behind those of the nudges. */
uint8_t **ffebmi_nudge_switches(const ffebm_engine *engine, size_t stage, size_t nudge)
{
    size_t set = nudge == FFEBM_NONE ? engine->nudging.nudges : nudge;

    return engine->nudging.switches + set * block_of(engine, stage)->layer_count;
}

void ffebmi_nudge_place_states(const ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = block_of(engine, stage);
    const ffebmi_nudging_memory *m = &engine->nudging;

    for (size_t n = 0; n <= m->nudges; n++) {
        ffebmi_arena state = {.base = n < m->nudges ? m->states[n] : NULL}, switches = {(char *)m->switch_sets[n], 0};

        for (size_t l = 0; l < block->layer_count; l++) {
            size_t at = n * block->layer_count + l;

            m->switches[at] = ffebmi_carve(&switches, engine->max_batch, block->kind->switch_count(block, l));
            if (n < m->nudges)
                m->layers[at] =
                    ffebmi_carve(&state, engine->max_batch, block->layers[l].count * engine->kernel->element);
        }
    }
}

void ffebmi_nudge_place(ffebm_engine *engine, size_t stage, size_t nudges)
{
    const ffebm_energy *block = block_of(engine, stage);
    ffebmi_arena packed = {.base = engine->nudging.packed_memory};

    ffebmi_nudge_place_states(engine, stage);
    engine->nudging.packed = block->kind->place_packed(block, engine->kernel, &packed);
    block->kind->pack(block, engine->kernel, engine->stages[stage].parameters, engine->nudging.packed);
    for (size_t w = 0; w < engine->context->executor.workers; w++) {
        ffebmi_arena arena = {.base = engine->nudging.workers[w].relax_memory};

        engine->nudging.works[w] = ffebmi_relax_place(&arena, block, engine->kernel, nudges);
    }
}

/* ------------------------------------------------------------------------------------------------------- the forces */

typedef struct force {
    const ffebm_engine *engine;
    const ffebmi_estimator *estimator;
    double beta;
    size_t units;                  /* of the block's last layer */
    const void *delta;             /* batch x units: linear nudging */
    const ffebmi_targets *targets; /* loss nudging */
} force;

static double strength(const force *f, size_t nudge)
{
    return -f->beta * f->estimator->strength[nudge];
}

static void linear_force(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                         void *out)
{
    const force *f = user;
    const ffebmi_kernel *k = f->engine->kernel;
    size_t nudges = f->estimator->nudge_count;

    (void)worker;
    (void)last_layer;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++)
            k->scale(f->units, strength(f, n), ffebmi_at(k, f->delta, samples[i] * f->units),
                     ffebmi_at(k, out, (i * nudges + n) * f->units));
}

/* Run the readout on a shard of states; returns its output. */
static const void *readout_forward(const ffebm_engine *engine, const ffebmi_worker *worker, size_t rows,
                                   const void *states)
{
    const void *at = states;

    for (size_t i = ffebmi_engine_first_readout(engine), r = 0; i < engine->model->stage_count; i++, r++) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        worker->readout_inputs[r] = at;
        at = ffebmi_feedforward_forward(NULL, engine->model->stages[i].feedforward, &worker->readout[r], &values, rows,
                                        at);
    }
    return at;
}

static const void *readout_vjp(const ffebm_engine *engine, const ffebmi_worker *worker, size_t rows,
                               const void *cotangent)
{
    size_t first = ffebmi_engine_first_readout(engine);

    for (size_t i = engine->model->stage_count; i-- > first;) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        cotangent = ffebmi_feedforward_vjp(NULL, engine->model->stages[i].feedforward, &worker->readout[i - first],
                                           &values, rows, worker->readout_inputs[i - first], cotangent, true);
    }
    return cotangent;
}

static void loss_force(void *user, size_t worker, const size_t *samples, size_t count, const void *last_layer,
                       void *out)
{
    const force *f = user;
    const ffebm_engine *engine = f->engine;
    const ffebmi_kernel *k = engine->kernel;
    const ffebmi_worker *w = &engine->nudging.workers[worker];
    size_t nudges = f->estimator->nudge_count, outputs = ffebmi_model_output(engine->model)->count;
    const void *output = readout_forward(engine, w, count * nudges, last_layer);

    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < nudges; n++) {
            size_t row = i * nudges + n;

            ffebmi_chain_loss(engine, ffebmi_at(k, output, row * outputs), f->targets, samples[i], strength(f, n),
                              ffebmi_at(k, w->loss_cotangent, row * outputs));
        }
    memcpy(out, readout_vjp(engine, w, count * nudges, w->loss_cotangent), count * nudges * f->units * k->element);
}

/* ------------------------------------------------------------------------------------------------------- the phases */

static ffebm_status settle(ffebm_engine *engine, size_t stage, ffebmi_force_fn call, force *f, bool held)
{
    const ffebm_energy *block = block_of(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_phase phase = {.block = block,
                          .kernel = engine->kernel,
                          .parameters = s->parameters,
                          .batch = engine->batch,
                          .nudged = true,
                          .order = s->equilibrium.nudged_order,
                          .max_sweeps = s->equilibrium.nudged_sweeps,
                          .tolerance = s->equilibrium.nudged_tolerance,
                          .input = s->input,
                          .start = s->free_state,
                          .force = call,
                          .force_user = f,
                          .force_held = held};

    f->engine = engine;
    f->estimator = ffebmi_estimator_of(s->equilibrium.estimator);
    f->beta = s->equilibrium.beta;
    f->units = ffebmi_energy_output(block)->count;
    phase.nudges = f->estimator->nudge_count;
    ffebmi_nudge_place(engine, stage, phase.nudges);
    phase.packed = engine->nudging.packed;
    phase.linear = s->equilibrium.estimator == FFEBM_ESTIMATOR_IMPLICIT;
    if (phase.linear)
        f->beta = 1; /* the adjoint is linear: it needs no small force */
    phase.result = engine->nudging.layers;
    ffebmi_relax(engine->context, &phase, engine->nudging.works, &s->tallies[1]);
    return ffebmi_nudge_check(engine, stage, FFEBM_PHASE_NUDGED);
}

ffebm_status ffebmi_nudge_linear(ffebm_engine *engine, size_t stage, const void *delta)
{
    return settle(engine, stage, linear_force, &(force){.delta = delta}, true);
}

ffebm_status ffebmi_nudge_loss(ffebm_engine *engine, size_t stage, const ffebmi_targets *targets)
{
    return settle(engine, stage, loss_force, &(force){.targets = targets}, false);
}

ffebm_status ffebmi_nudge_check(const ffebm_engine *engine, size_t stage, int32_t phase)
{
    const ffebmi_tally *tally = &engine->stages[stage].tallies[phase == FFEBM_PHASE_FREE ? 0 : 1];
    const char *name = phase == FFEBM_PHASE_FREE ? "free" : "nudged";

    FFEBMI_CHECK(engine->context, tally->nonfinite == 0, FFEBM_ERR_NUMERIC,
                 "stage %zu: %zu of %zu samples ended the %s phase in NaN or infinity", stage, tally->nonfinite,
                 tally->samples, name);
    FFEBMI_CHECK(engine->context, tally->unconverged == 0 || engine->stages[stage].equilibrium.require_convergence == 0,
                 FFEBM_ERR_CONVERGENCE, "stage %zu: %zu of %zu samples had not settled after %" PRId64 " %s sweeps",
                 stage, tally->unconverged, tally->samples, tally->sweeps_max, name);
    return FFEBM_OK;
}

/* --------------------------------------------------------------------------------------------------- the estimates */

void ffebmi_nudge_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale)
{
    size_t first = ffebmi_engine_first_readout(engine), stages = engine->model->stage_count;
    const ffebm_energy *block = block_of(engine, engine->last_energy);
    const ffebmi_estimator *estimator = ffebmi_estimator_of(engine->stages[engine->last_energy].equilibrium.estimator);

    if (first == stages || engine->model->stages[first].first_parameter == engine->model->parameter_count)
        return;
    for (size_t n = 0; n < estimator->nudge_count; n++) {
        const void *at = engine->nudging.layers[(n + 1) * block->layer_count - 1];
        const void *cotangent = engine->cotangents[0];

        for (size_t i = first; i < stages; i++) {
            ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

            engine->stages[i].input = at;
            at = ffebmi_feedforward_forward(engine->context, engine->model->stages[i].feedforward,
                                            &engine->stages[i].tape, &values, engine->batch, at);
        }
        for (size_t r = 0; r < engine->batch; r++) {
            size_t row = r * ffebmi_model_output(engine->model)->count;

            ffebmi_chain_loss(engine, ffebmi_at(engine->kernel, at, row), targets, r,
                              ffebmi_estimator_readout_weight(estimator, n),
                              ffebmi_at(engine->kernel, engine->cotangents[0], row));
        }
        for (size_t i = stages; i-- > first;) {
            ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, true, gradient_scale);

            cotangent =
                ffebmi_feedforward_vjp(engine->context, engine->model->stages[i].feedforward, &engine->stages[i].tape,
                                       &values, engine->batch, engine->stages[i].input, cotangent, i > first);
        }
    }
}

typedef struct difference_job {
    const ffebmi_kernel *kernel;
    const void *first;
    const void *second;
    void *difference;
    void *mean;
} difference_job;

static void difference_range(void *user, size_t worker, size_t first, size_t count)
{
    const difference_job *j = user;

    (void)worker;
    j->kernel->difference_and_mean(count, ffebmi_at(j->kernel, j->first, first), ffebmi_at(j->kernel, j->second, first),
                                   ffebmi_at(j->kernel, j->difference, first), ffebmi_at(j->kernel, j->mean, first));
}

typedef struct gradient_job {
    const ffebm_energy *block;
    const ffebmi_contrast *contrast;
    ffebmi_relax_work *const *works;
    size_t parameter;
} gradient_job;

static void gradient_range(void *user, size_t worker, size_t first, size_t count)
{
    const gradient_job *j = user;

    j->block->kind->gradient(j->block, j->contrast, j->parameter, first, count,
                             ffebmi_relax_kind_work(j->works[worker]));
}

static void contrast_states(const ffebm_engine *engine, size_t stage, void *const *first, void *const *second,
                            void *const *difference, void *const *mean)
{
    const ffebm_energy *block = block_of(engine, stage);

    for (size_t l = 0; l < block->layer_count; l++) {
        difference_job job = {engine->kernel, first[l], second[l], difference[l], mean[l]};

        ffebmi_parallel_ranges(engine->context, engine->batch * block->layers[l].count, ELEMENT_GRAIN, difference_range,
                               &job);
    }
}

void ffebmi_nudge_gradient(const ffebm_engine *engine, size_t stage, const ffebmi_contrast *contrast)
{
    const ffebm_energy *block = block_of(engine, stage);

    for (size_t p = 0; p < block->parameter_count; p++) {
        gradient_job job = {block, contrast, engine->nudging.works, p};

        ffebmi_parallel_ranges(engine->context, block->parameters[p].units, block->parameters[p].grain, gradient_range,
                               &job);
    }
}

/* ------------------------------------------------------------------------------------------------------- switches */

static bool has_switches(const ffebm_energy *block)
{
    for (size_t l = 0; l < block->layer_count; l++)
        if (block->kind->switch_count(block, l) > 0)
            return true;
    return false;
}

void ffebmi_nudge_observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch)
{
    ffebmi_states states = {.block = block_of(engine, stage),
                            .kernel = engine->kernel,
                            .parameters = engine->stages[stage].parameters,
                            .packed = engine->nudging.packed,
                            .batch = batch,
                            .state = layers};

    if (has_switches(states.block))
        ffebmi_relax_observe(engine->context, &states, engine->nudging.works,
                             ffebmi_nudge_switches(engine, stage, nudge));
}

/* Switches that a nudge has moved are region changes, too. */
static void count_switch_changes(ffebm_engine *engine, size_t stage, size_t nudge)
{
    const ffebm_energy *block = block_of(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];

    for (size_t l = 0; l + 1 < block->layer_count; l++)
        if (block->kind->switch_count(block, l) > 0)
            s->tallies[1].region_changes += engine->kernel->switch_changes(
                engine->batch * block->kind->switch_count(block, l),
                engine->nudging.layers[nudge * block->layer_count + l + 1], s->free_state[l + 1],
                ffebmi_nudge_switches(engine, stage, nudge)[l], ffebmi_nudge_switches(engine, stage, FFEBM_NONE)[l]);
}

static void observe_all(ffebm_engine *engine, size_t stage, size_t nudge_count)
{
    const ffebm_energy *block = block_of(engine, stage);

    if (!has_switches(block))
        return;
    ffebmi_nudge_observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    for (size_t n = 0; n < nudge_count; n++) {
        ffebmi_nudge_observe(engine, stage, n, engine->nudging.layers + n * block->layer_count, engine->batch);
        count_switch_changes(engine, stage, n);
    }
}

/* ----------------------------------------------------------------------------------------------- reading estimates */

static void add_contrast(ffebm_engine *engine, size_t stage, ffebmi_contrast *contrast, double weight,
                         double gradient_scale, void *input_cotangent)
{
    const ffebm_energy *block = block_of(engine, stage);

    contrast->kernel = engine->kernel;
    contrast->batch = engine->batch;
    contrast->gradients = engine->stages[stage].gradients;
    contrast->weight = weight * gradient_scale;
    ffebmi_nudge_gradient(engine, stage, contrast);
    if (input_cotangent == NULL)
        return;
    contrast->weight = weight;
    block->kind->input_gradient(block, contrast, input_cotangent);
}

/* A pair's difference and mean overwrite the states that it is made of; with the free state in it, which must stay,
 * they overwrite the first two nudges' memory, which is there for this. */
static void estimate_pair(ffebm_engine *engine, size_t stage, const ffebmi_pair *pair, double gradient_scale,
                          void *input_cotangent)
{
    const ffebm_energy *block = block_of(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];
    bool with_free = pair->first == FFEBM_NONE || pair->second == FFEBM_NONE;
    void **layers = engine->nudging.layers;
    void **first = pair->first == FFEBM_NONE ? s->free_state : layers + pair->first * block->layer_count;
    void **second = pair->second == FFEBM_NONE ? s->free_state : layers + pair->second * block->layer_count;
    void **difference = with_free ? layers : first;
    void **mean = with_free ? layers + block->layer_count : second;
    ffebmi_contrast contrast = {.difference = difference,
                                .mean = mean,
                                .switches = {ffebmi_nudge_switches(engine, stage, pair->first),
                                             ffebmi_nudge_switches(engine, stage, pair->second)}};

    contrast_states(engine, stage, first, second, difference, mean);
    add_contrast(engine, stage, &contrast, pair->weight / s->equilibrium.beta, gradient_scale, input_cotangent);
}

/* Implicit differentiation: the displacement takes the place of the difference, the free state that of the mean. */
static void estimate_implicit(ffebm_engine *engine, size_t stage, double gradient_scale, void *input_cotangent)
{
    uint8_t **switches = ffebmi_nudge_switches(engine, stage, FFEBM_NONE);
    ffebmi_contrast contrast = {.difference = engine->nudging.layers,
                                .mean = engine->stages[stage].free_state,
                                .switches = {switches, switches}};

    ffebmi_nudge_observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    add_contrast(engine, stage, &contrast, 1, gradient_scale, input_cotangent);
}

void ffebmi_nudge_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, void *input_cotangent)
{
    int32_t name = engine->stages[stage].equilibrium.estimator;
    const ffebmi_estimator *estimator = ffebmi_estimator_of(name);

    if (input_cotangent != NULL)
        memset(input_cotangent, 0, engine->batch * engine->model->stages[stage].input.count * engine->kernel->element);
    if (name == FFEBM_ESTIMATOR_IMPLICIT) {
        estimate_implicit(engine, stage, gradient_scale, input_cotangent);
        return;
    }
    observe_all(engine, stage, estimator->nudge_count);
    for (size_t i = 0; i < estimator->pair_count; i++)
        estimate_pair(engine, stage, &estimator->pairs[i], gradient_scale, input_cotangent);
}

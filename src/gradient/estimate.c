#include "gradient/estimate.h"

#include <string.h>

#include "core/executor.h"
#include "gradient/nudge.h"
#include "gradient/own.h"

/* ------------------------------------------------------------------------------------------------------ the readout */

/* The output of the last energy block under a nudge. */
static const void *last_layer(const ffebm_engine *engine, size_t nudge)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, engine->last_energy);
    size_t last = block->layer_count - 1, count = engine->batch * block->layers[last].count;
    const void *nudged = engine->nudging.layers[nudge * block->layer_count + last];

    if (!ffebmi_nudge_displaced(engine, engine->last_energy))
        return nudged;
    engine->kernel->scale(count, 1, engine->stages[engine->last_energy].free_state[last], engine->nudged_output);
    engine->kernel->add(count, nudged, engine->nudged_output);
    return engine->nudged_output;
}

void ffebmi_estimate_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale)
{
    size_t first = ffebmi_engine_first_readout(engine), stages = engine->model->stage_count;
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&engine->stages[engine->last_energy].equilibrium);

    if (first == stages || engine->model->stages[first].first_parameter == engine->model->parameter_count)
        return;
    for (size_t n = 0; n < estimator->nudge_count; n++) {
        const void *at = last_layer(engine, n);
        const void *cotangent = engine->cotangents[1];

        for (size_t i = first; i < stages; i++) {
            ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

            engine->stages[i].input = at;
            ffebmi_feedforward_forward(engine->context, engine->model->stages[i].feedforward, &engine->stages[i].tape,
                                       &values, engine->batch, at, &at); /* no ops of the user's: it cannot fail */
        }
        for (size_t r = 0; r < engine->batch; r++) {
            size_t row = r * ffebmi_model_output(engine->model)->count;

            ffebmi_chain_loss(engine, ffebmi_at(engine->kernel, at, row), targets, r,
                              ffebmi_estimator_readout_weight(estimator, n),
                              ffebmi_at(engine->kernel, engine->cotangents[1], row));
        }
        for (size_t i = stages; i-- > first;) {
            ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, true, gradient_scale);

            ffebmi_feedforward_vjp(engine->context, engine->model->stages[i].feedforward, &engine->stages[i].tape,
                                   &values, engine->batch, engine->stages[i].input, &cotangent, i > first);
        }
    }
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

void ffebmi_estimate_gradient(const ffebm_engine *engine, size_t stage, const ffebmi_contrast *contrast)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    for (size_t p = 0; p < block->parameter_count; p++) {
        gradient_job job = {block, contrast, engine->nudging.works, p};

        ffebmi_parallel_ranges(engine->context, block->parameters[p].units, block->parameters[p].grain, gradient_range,
                               &job);
    }
}

/* ------------------------------------------------------------------------------------------------------- switches */

void ffebmi_estimate_observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch)
{
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
                            .kernel = ffebmi_engine_settling_kernel(engine, stage),
                            .parameters = engine->stages[stage].parameters,
                            .packed = engine->nudging.packed,
                            .batch = batch,
                            .state = layers};

    if (ffebmi_energy_has_switches(states.block))
        ffebmi_relax_observe(engine->context, &states, engine->nudging.works,
                             ffebmi_nudge_switches(engine, stage, nudge));
}

/* Switches that a nudge has moved are region changes, too. */
static void count_switch_changes(ffebm_engine *engine, size_t stage, size_t nudge)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_engine_stage *s = &engine->stages[stage];

    for (size_t l = 0; l + 1 < block->layer_count; l++)
        if (block->kind->switch_count(block, l) > 0)
            s->tallies[1].region_changes += engine->kernel->switch_changes(
                engine->batch * block->kind->switch_count(block, l),
                engine->nudging.layers[nudge * block->layer_count + l + 1], s->free_state[l + 1],
                ffebmi_nudge_switches(engine, stage, nudge)[l], ffebmi_nudge_switches(engine, stage, FFEBM_NONE)[l]);
}

static bool held(const ffebm_engine *engine, size_t stage)
{
    return engine->stages[stage].equilibrium.switches == FFEBM_SWITCHES_HOLD;
}

void ffebmi_estimate_switches(ffebm_engine *engine, size_t stage)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebm_equilibrium_config *equilibrium = &engine->stages[stage].equilibrium;
    size_t nudge_count = ffebmi_estimator_of(equilibrium)->nudge_count;
    bool moved = !held(engine, stage) && equilibrium->estimator != FFEBM_ESTIMATOR_IMPLICIT;

    if (!ffebmi_energy_has_switches(block))
        return;
    ffebmi_estimate_observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    for (size_t n = 0; n < nudge_count && moved; n++) {
        ffebmi_estimate_observe(engine, stage, n, engine->nudging.layers + n * block->layer_count, engine->batch);
        count_switch_changes(engine, stage, n);
    }
}

/* ----------------------------------------------------------------------------------------------- reading estimates */

typedef struct states_pair {
    const ffebm_engine *engine;
    const ffebm_energy *block;
    bool random_sign;
    void **free;   /* NULL: the states are whole; else they are displacements from it, and its own are zero: */
    void **origin; /* first or second where that is the free state, or NULL */
    void **first;  /* [layer] */
    void **second;
    uint8_t **first_switches; /* [layer] */
    uint8_t **second_switches;
    void **difference;
    void **mean;
} states_pair;

/* A sample nudged by - beta contributes (f(-beta) - f(0)) / (-beta): its two states change places. */
static void swap_switches(const states_pair *p, size_t sample)
{
    for (size_t l = 0; l < p->block->layer_count; l++) {
        size_t count = p->block->kind->switch_count(p->block, l);

        for (size_t i = sample * count; p->first_switches != p->second_switches && i < (sample + 1) * count; i++) {
            uint8_t first = p->first_switches[l][i];

            p->first_switches[l][i] = p->second_switches[l][i];
            p->second_switches[l][i] = first;
        }
    }
}

/* Difference and mean of two states, each whole or a displacement; the free state's displacement is zero. */
static void contrast_layer(const states_pair *p, size_t layer, size_t sample, void **first, void **second)
{
    const ffebmi_kernel *k = p->engine->kernel;
    size_t units = p->block->layers[layer].count, at = sample * units;
    void *difference = ffebmi_at(k, p->difference[layer], at), *mean = ffebmi_at(k, p->mean[layer], at);

    if (p->free == NULL || p->origin == NULL) {
        k->difference_and_mean(units, ffebmi_at(k, first[layer], at), ffebmi_at(k, second[layer], at), difference,
                               mean);
    } else {
        const void *moved = ffebmi_at(k, (first == p->origin ? second : first)[layer], at);

        k->scale(units, 0.5, moved, mean);
        k->scale(units, first == p->origin ? -1 : 1, moved, difference);
    }
    if (p->free != NULL)
        k->add(units, ffebmi_at(k, p->free[layer], at), mean);
}

static void contrast_samples(void *user, size_t worker, size_t first, size_t count)
{
    const states_pair *p = user;

    (void)worker;
    for (size_t sample = first; sample < first + count; sample++) {
        bool swapped = p->random_sign && ffebmi_engine_sign(p->engine, sample) < 0;

        if (swapped)
            swap_switches(p, sample);
        for (size_t l = 0; l < p->block->layer_count; l++)
            contrast_layer(p, l, sample, swapped ? p->second : p->first, swapped ? p->first : p->second);
    }
}

static void add_contrast(ffebm_engine *engine, size_t stage, ffebmi_contrast *contrast, double weight,
                         double gradient_scale, double input_scale, void *input_cotangent)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    contrast->kernel = ffebmi_engine_settling_kernel(engine, stage);
    contrast->batch = engine->batch;
    contrast->gradients = engine->stages[stage].gradients;
    contrast->weight = weight * gradient_scale;
    ffebmi_estimate_gradient(engine, stage, contrast);
    if (input_cotangent == NULL)
        return;
    contrast->weight = weight * input_scale;
    block->kind->input_gradient(block, contrast, input_cotangent);
}

/* A pair's difference and mean overwrite the states that it is made of; with the free state in it, which must stay,
 * they overwrite the first two nudges' memory, which is there for this. */
static void estimate_pair(ffebm_engine *engine, size_t stage, const ffebmi_estimator *estimator,
                          const ffebmi_pair *pair, double gradient_scale, double input_scale, void *input_cotangent)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];
    bool with_free = pair->first == FFEBM_NONE || pair->second == FFEBM_NONE, hold = held(engine, stage);
    void **layers = engine->nudging.layers;
    states_pair p = {.engine = engine, .block = block, .random_sign = estimator->random_sign};
    ffebmi_contrast contrast;

    p.first = pair->first == FFEBM_NONE ? s->free_state : layers + pair->first * block->layer_count;
    p.second = pair->second == FFEBM_NONE ? s->free_state : layers + pair->second * block->layer_count;
    p.first_switches = ffebmi_nudge_switches(engine, stage, hold ? FFEBM_NONE : pair->first);
    p.second_switches = ffebmi_nudge_switches(engine, stage, hold ? FFEBM_NONE : pair->second);
    p.free = ffebmi_nudge_displaced(engine, stage) ? s->free_state : NULL;
    p.origin = with_free ? s->free_state : NULL;
    p.difference = with_free ? layers : p.first;
    p.mean = with_free ? layers + block->layer_count : p.second;
    ffebmi_parallel_ranges(engine->context, engine->batch, 1, contrast_samples, &p);
    contrast = (ffebmi_contrast){
        .difference = p.difference, .mean = p.mean, .switches = {p.first_switches, p.second_switches}};
    add_contrast(engine, stage, &contrast, pair->weight / s->equilibrium.beta, gradient_scale, input_scale,
                 input_cotangent);
}

/* Implicit differentiation: the displacement takes the place of the difference, the free state that of the mean. */
static void estimate_implicit(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                              void *input_cotangent)
{
    uint8_t **switches = ffebmi_nudge_switches(engine, stage, FFEBM_NONE);
    ffebmi_contrast contrast = {.difference = engine->nudging.layers,
                                .mean = engine->stages[stage].free_state,
                                .switches = {switches, switches}};

    add_contrast(engine, stage, &contrast, 1, gradient_scale, input_scale, input_cotangent);
}

ffebm_status ffebmi_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                             void *input_cotangent)
{
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&engine->stages[stage].equilibrium);

    if (ffebmi_engine_block(engine, stage)->own != NULL)
        return ffebmi_own_estimate(engine, stage, gradient_scale, input_scale, input_cotangent);
    if (engine->stages[stage].equilibrium.estimator == FFEBM_ESTIMATOR_IMPLICIT) {
        estimate_implicit(engine, stage, gradient_scale, input_scale, input_cotangent);
        return FFEBM_OK;
    }
    for (size_t i = 0; i < estimator->pair_count; i++)
        estimate_pair(engine, stage, estimator, &estimator->pairs[i], gradient_scale, input_scale, input_cotangent);
    return FFEBM_OK;
}

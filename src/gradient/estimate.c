#include "gradient/estimate.h"

#include <string.h>

#include "core/executor.h"
#include "gradient/nudge.h"

enum { ELEMENT_GRAIN = 16384 }; /* cuts of the work; part of what fixes the bits */

/* ------------------------------------------------------------------------------------------------------ the readout */

void ffebmi_estimate_readout(ffebm_engine *engine, const ffebmi_targets *targets, double gradient_scale)
{
    size_t first = ffebmi_engine_first_readout(engine), stages = engine->model->stage_count;
    const ffebm_energy *block = ffebmi_engine_block(engine, engine->last_energy);
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

/* Differences and means of two states of the batch, layer by layer. */
static void contrast_states(const ffebm_engine *engine, size_t stage, void *const *first, void *const *second,
                            void *const *difference, void *const *mean)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    for (size_t l = 0; l < block->layer_count; l++) {
        difference_job job = {engine->kernel, first[l], second[l], difference[l], mean[l]};

        ffebmi_parallel_ranges(engine->context, engine->batch * block->layers[l].count, ELEMENT_GRAIN, difference_range,
                               &job);
    }
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

static bool has_switches(const ffebm_energy *block)
{
    for (size_t l = 0; l < block->layer_count; l++)
        if (block->kind->switch_count(block, l) > 0)
            return true;
    return false;
}

void ffebmi_estimate_observe(const ffebm_engine *engine, size_t stage, size_t nudge, void *const *layers, size_t batch)
{
    ffebmi_states states = {.block = ffebmi_engine_block(engine, stage),
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
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
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
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    if (!has_switches(block))
        return;
    ffebmi_estimate_observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    for (size_t n = 0; n < nudge_count; n++) {
        ffebmi_estimate_observe(engine, stage, n, engine->nudging.layers + n * block->layer_count, engine->batch);
        count_switch_changes(engine, stage, n);
    }
}

/* ----------------------------------------------------------------------------------------------- reading estimates */

static void add_contrast(ffebm_engine *engine, size_t stage, ffebmi_contrast *contrast, double weight,
                         double gradient_scale, void *input_cotangent)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);

    contrast->kernel = engine->kernel;
    contrast->batch = engine->batch;
    contrast->gradients = engine->stages[stage].gradients;
    contrast->weight = weight * gradient_scale;
    ffebmi_estimate_gradient(engine, stage, contrast);
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
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
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

    ffebmi_estimate_observe(engine, stage, FFEBM_NONE, engine->stages[stage].free_state, engine->batch);
    add_contrast(engine, stage, &contrast, 1, gradient_scale, input_cotangent);
}

void ffebmi_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, void *input_cotangent)
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

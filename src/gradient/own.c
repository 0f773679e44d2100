#include "gradient/own.h"

#include "core/context.h"
#include "gradient/nudge.h"

static void *work_of(const ffebm_engine *engine)
{
    return ffebmi_relax_kind_work(engine->nudging.works[0]);
}

/* A slot's failure becomes the context's. */
static ffebm_status tell(const ffebm_engine *engine, ffebm_status status, const ffebmi_failure *failure)
{
    return status == FFEBM_OK ? FFEBM_OK : ffebmi_fail(engine->context, status, "%s", failure->text);
}

static ffebmi_own_sum sum_over(ffebm_engine *engine, size_t batch, const void *input)
{
    ffebmi_own_sum sum = {.kernel = engine->kernel, .batch = batch, .input = input, .seed = ffebmi_engine_draw(engine)};

    return sum;
}

static void add_term(ffebmi_own_sum *sum, void *const *layers, double weight)
{
    sum->states[sum->count] = layers;
    sum->weights[sum->count] = weight;
    sum->count++;
}

static void scale_terms(ffebmi_own_sum *sum, double factor)
{
    for (size_t i = 0; i < sum->count; i++)
        sum->weights[i] *= factor;
}

/* The estimator as a weighted sum of dE/dtheta, or dE/dx, at its states. */
static ffebmi_own_sum estimator_sum(ffebm_engine *engine, size_t stage)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    const ffebmi_estimator *estimator = ffebmi_estimator_of(&s->equilibrium);
    size_t layers = ffebmi_engine_block(engine, stage)->layer_count;
    ffebmi_own_sum sum = sum_over(engine, engine->batch, s->input);

    for (size_t i = 0; i < estimator->pair_count; i++) {
        const ffebmi_pair *pair = &estimator->pairs[i];
        double weight = pair->weight / s->equilibrium.beta;

        add_term(&sum, pair->first == FFEBM_NONE ? s->free_state : engine->nudging.layers + pair->first * layers,
                 weight);
        add_term(&sum, pair->second == FFEBM_NONE ? s->free_state : engine->nudging.layers + pair->second * layers,
                 -weight);
    }
    for (size_t i = 0; i < engine->batch && estimator->random_sign; i++)
        engine->signs[i] = ffebmi_engine_sign(engine, i);
    sum.signs = estimator->random_sign ? engine->signs : NULL;
    return sum;
}

ffebm_status ffebmi_own_estimate(ffebm_engine *engine, size_t stage, double gradient_scale, double input_scale,
                                 void *input_cotangent)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_own_sum sum = estimator_sum(engine, stage);
    ffebmi_failure failure;

    scale_terms(&sum, gradient_scale);
    FFEBMI_TRY(tell(engine,
                    block->own->gradient(block, &sum, engine->stages[stage].gradients, work_of(engine), &failure),
                    &failure));
    if (input_cotangent == NULL)
        return FFEBM_OK;
    scale_terms(&sum, input_scale / gradient_scale);
    return tell(engine, block->own->input_gradient(block, &sum, input_cotangent, work_of(engine), &failure), &failure);
}

ffebm_status ffebmi_own_pull_back(ffebm_engine *engine, size_t stage, const void *delta, double gradient_scale,
                                  void *input_cotangent)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_own_sum sum = sum_over(engine, engine->batch, s->input);
    ffebmi_failure failure;

    ffebmi_nudge_place(engine, stage, 1, NULL);
    add_term(&sum, s->free_state, gradient_scale);
    return tell(engine,
                block->own->pull_back(block, &sum, delta, s->gradients, input_cotangent, work_of(engine), &failure),
                &failure);
}

ffebm_status ffebmi_own_energies(ffebm_engine *engine, size_t stage, void *const *layers, size_t rows,
                                 const void *input, double *energies)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    ffebmi_own_sum sum = sum_over(engine, rows, input);
    ffebmi_failure failure;

    add_term(&sum, layers, 1);
    return tell(engine, block->own->energies(block, &sum, energies, work_of(engine), &failure), &failure);
}

ffebm_status ffebmi_own_energy_gradient(ffebm_engine *engine, size_t stage, void *const *layers, size_t rows)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_own_sum sum = sum_over(engine, rows, s->input);
    ffebmi_failure failure;

    FFEBMI_CHECK(engine->context, s->own_rows == rows, FFEBM_ERR_STATE,
                 "stage %zu: its state of %zu samples was written, but its last input was of %zu", stage, rows,
                 s->own_rows);
    add_term(&sum, layers, 1.0 / (double)rows);
    sum.replace = true;
    return tell(engine, block->own->gradient(block, &sum, s->gradients, work_of(engine), &failure), &failure);
}

/* The depth profile: how far each layer had settled, and how large the signal was that a nudge made there. */
#include <inttypes.h>
#include <math.h>

#include <ffebm/analysis.h>

#include "core/context.h"
#include "core/sized.h"
#include "gradient/engine.h"

/* The squares of a layer, summed over the batch in its order. */
static ffebmi_norms sum_of(const ffebm_engine *engine, const ffebmi_norms *norms, size_t layers, size_t layer)
{
    ffebmi_norms sum = {0};

    for (size_t i = 0; i < engine->batch; i++) {
        sum.change += norms[i * layers + layer].change;
        sum.displacement += norms[i * layers + layer].displacement;
    }
    return sum;
}

static void fill(const ffebm_engine *engine, ffebm_layer_report *facts, size_t stage, size_t layer)
{
    const ffebm_energy *block = ffebmi_engine_block(engine, stage);
    const ffebmi_engine_stage *s = &engine->stages[stage];
    double batch = (double)engine->batch;
    size_t count = engine->batch * block->layers[layer].count;

    facts->units = block->layers[layer].count;
    facts->free_norm = engine->arrays->norm(count, s->free_state[layer]) / sqrt(batch);
    facts->residual_norm = sqrt(sum_of(engine, s->norms[0], block->layer_count, layer).change / batch);
    if (s->nudges > 0)
        facts->nudge_norm =
            sqrt(sum_of(engine, s->norms[1], block->layer_count, layer).displacement / (batch * (double)s->nudges));
    facts->signal_to_residual = facts->nudge_norm == 0 ? 0 : facts->nudge_norm / facts->residual_norm;
    if (block->kind->saturated != NULL)
        facts->saturated =
            (double)block->kind->saturated(block, layer, engine->arrays, count, s->free_state[layer]) / (double)count;
}

ffebm_status ffebm_engine_inspect_layer(const ffebm_engine *engine, ffebm_layer_report *report, size_t stage,
                                        size_t layer)
{
    ffebm_layer_report facts = {0};

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    FFEBMI_CHECK_ARGUMENT(engine->context, layer < ffebmi_engine_block(engine, stage)->layer_count,
                          "stage %zu has %zu layers, asked for %zu", stage,
                          ffebmi_engine_block(engine, stage)->layer_count, layer);
    FFEBMI_CHECK(engine->context, engine->profiled, FFEBM_ERR_STATE,
                 "layer report: the last call that settled or wrote states was not a gradient or vjp that succeeded");
    FFEBMI_CHECK(engine->context, engine->batch > 0, FFEBM_ERR_STATE, "layer report: this rank had no samples");
    fill(engine, &facts, stage, layer);
    return ffebmi_sized_write(engine->context, "layer report", report, &facts, sizeof facts);
}

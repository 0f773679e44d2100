#include "gradient/readout.h"

#include "gradient/engine.h"

ffebmi_readout ffebmi_readout_lay_out(ffebmi_arena *arena, ffebm_context *context, size_t stages)
{
    return (ffebmi_readout){.context = context,
                            .tapes = ffebmi_carve(arena, stages, sizeof(ffebmi_tape *)),
                            .inputs = ffebmi_carve(arena, stages, sizeof(void *))};
}

const void *ffebmi_readout_forward(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                                   const void *states)
{
    const void *at = states;

    for (size_t i = engine->bench.first_readout, r = 0; i < engine->model->stage_count; i++, r++) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        readout->inputs[r] = at;
        ffebmi_feedforward_forward(readout->context, engine->model->stages[i].feedforward, readout->tapes[r], &values,
                                   rows, at, &at);
    }
    return at;
}

static void stage_down(const ffebm_engine *engine, const ffebmi_readout *readout, size_t stage, size_t rows,
                       const ffebmi_feedforward_values *values, const void **cotangent, bool want_input)
{
    size_t r = stage - engine->bench.first_readout;

    ffebmi_feedforward_vjp(readout->context, engine->model->stages[stage].feedforward, readout->tapes[r], values, rows,
                           readout->inputs[r], cotangent, want_input);
}

const void *ffebmi_readout_vjp(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                               const void *cotangent)
{
    for (size_t i = engine->model->stage_count; i-- > engine->bench.first_readout;) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, false, 0);

        stage_down(engine, readout, i, rows, &values, &cotangent, true);
    }
    return cotangent;
}

void ffebmi_readout_gradient(const ffebm_engine *engine, const ffebmi_readout *readout, size_t rows,
                             const void *cotangent, double gradient_scale)
{
    for (size_t i = engine->model->stage_count; i-- > engine->bench.first_readout;) {
        ffebmi_feedforward_values values = ffebmi_engine_values(engine, i, true, gradient_scale);

        stage_down(engine, readout, i, rows, &values, &cotangent, i > engine->bench.first_readout);
    }
}

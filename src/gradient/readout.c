#include "gradient/readout.h"

static size_t first_of(const ffebmi_readout *r)
{
    return r->engine->bench.first_readout;
}

static const ffebmi_tape *tape_of(const ffebmi_readout *r, size_t stage)
{
    return r->worker == NULL ? &r->engine->stages[stage].rows[0].tape : &r->worker->readout[stage - first_of(r)];
}

/* Where the input of a stage's last forward is kept. */
static const void **input_of(const ffebmi_readout *r, size_t stage)
{
    return r->worker == NULL ? &r->engine->stages[stage].input : &r->worker->readout_inputs[stage - first_of(r)];
}

/* Whose threads share the work; NULL: it is done on the calling thread. */
static ffebm_context *context_of(const ffebmi_readout *r)
{
    return r->worker == NULL ? r->engine->context : NULL;
}

const void *ffebmi_readout_forward(const ffebmi_readout *r, const void *states)
{
    const ffebm_model *model = r->engine->model;
    const void *at = states;

    for (size_t i = first_of(r); i < model->stage_count; i++) {
        ffebmi_feedforward_values values = ffebmi_engine_values(r->engine, i, 0, false, 0);

        *input_of(r, i) = at;
        ffebmi_feedforward_forward(context_of(r), model->stages[i].rows[0].block, tape_of(r, i), &values, r->rows, at,
                                   &at);
    }
    return at;
}

static void stage_down(const ffebmi_readout *r, size_t stage, const ffebmi_feedforward_values *values,
                       const void **cotangent, bool want_input)
{
    ffebmi_feedforward_vjp(context_of(r), r->engine->model->stages[stage].rows[0].block, tape_of(r, stage), values,
                           r->rows, *input_of(r, stage), cotangent, want_input);
}

const void *ffebmi_readout_vjp(const ffebmi_readout *r, const void *cotangent)
{
    for (size_t i = r->engine->model->stage_count; i-- > first_of(r);) {
        ffebmi_feedforward_values values = ffebmi_engine_values(r->engine, i, 0, false, 0);

        stage_down(r, i, &values, &cotangent, true);
    }
    return cotangent;
}

void ffebmi_readout_gradient(const ffebmi_readout *r, const void *cotangent, double gradient_scale)
{
    for (size_t i = r->engine->model->stage_count; i-- > first_of(r);) {
        ffebmi_feedforward_values values = ffebmi_engine_values(r->engine, i, 0, true, gradient_scale);

        stage_down(r, i, &values, &cotangent, i > first_of(r));
    }
}

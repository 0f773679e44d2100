#include "blocks.h"

#include <math.h>

enum { UNITS = BLOCKS_UNITS };

atomic_int blocks_destroyed;
int32_t (*blocks_answer)(double *output);

static const int64_t shape[] = {UNITS};

static int32_t answer(double *output)
{
    return blocks_answer ? blocks_answer(output) : 0;
}

static void count_destroyed(void *self)
{
    (void)self;
    blocks_destroyed++;
}

static int32_t forward(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->output[i] = tanh(call->input[i] + call->parameters[i % UNITS]);
    return answer(call->output);
}

static int32_t vjp(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        double t = tanh(call->input[i] + call->parameters[i % UNITS]);

        call->input_cotangent[i] = call->output_cotangent[i] * (1 - t * t);
        call->gradient[i % UNITS] += call->scale * call->input_cotangent[i];
    }
    return answer(call->input_cotangent);
}

static int32_t settle(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->state[i] = call->input[i] * call->parameters[i % UNITS] + (call->force ? call->force[i] : 0);
    return answer(call->state);
}

static int32_t parameter_gradient(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->gradient[i % UNITS] -= call->weight[i / UNITS] * call->input[i] * call->state[i];
    return answer(call->gradient);
}

static int32_t input_gradient(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->input_gradient[i] = -call->parameters[i % UNITS] * call->state[i];
    return answer(call->input_gradient);
}

static int32_t energy(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        double s = call->state[i];

        call->energy[i / UNITS] += s * s / 2 - s * call->input[i] * call->parameters[i % UNITS];
    }
    return answer(call->energy);
}

static int32_t adjoint(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        call->input_gradient[i] = call->parameters[i % UNITS] * call->output_cotangent[i];
        call->gradient[i % UNITS] += call->weight[i / UNITS] * call->input[i] * call->output_cotangent[i];
    }
    return answer(call->input_gradient);
}

static int32_t initialize(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->parameter_count; i++)
        call->values[i] = 1 + 0.1 * (double)i;
    return answer(call->values);
}

const ffebm_user_feedforward blocks_feedforward = {.size = sizeof blocks_feedforward,
                                                   .name = "shift",
                                                   .input_shape = shape,
                                                   .input_rank = 1,
                                                   .output_shape = shape,
                                                   .output_rank = 1,
                                                   .max_batch = 3,
                                                   .forward = forward,
                                                   .vjp = vjp,
                                                   .destroy = count_destroyed};

const ffebm_user_energy blocks_energy = {.size = sizeof blocks_energy,
                                         .name = "springs",
                                         .input_shape = shape,
                                         .input_rank = 1,
                                         .output_shape = shape,
                                         .output_rank = 1,
                                         .state_count = UNITS,
                                         .max_batch = 3,
                                         .settle = settle,
                                         .parameter_gradient = parameter_gradient,
                                         .input_gradient = input_gradient,
                                         .energy = energy,
                                         .adjoint = adjoint,
                                         .initialize = initialize,
                                         .destroy = count_destroyed,
                                         .concurrent = 1};

ffebm_user_parameter blocks_parameter(const char *name)
{
    ffebm_user_parameter parameter;

    ffebm_user_parameter_init(&parameter, sizeof parameter);
    parameter.name = name;
    parameter.shape = shape;
    parameter.rank = 1;
    return parameter;
}

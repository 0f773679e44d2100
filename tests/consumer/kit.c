/* A block of one's own and the conformance kit as it is installed: y = g x, number by number. */
#include <ffebm.h>
#include <stdio.h>

#include "conformance/conformance.h"

enum { UNITS = 3 };

static int32_t forward(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->output[i] = call->parameters[i % UNITS] * call->input[i];
    return 0;
}

static int32_t vjp(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        call->input_cotangent[i] += call->parameters[i % UNITS] * call->output_cotangent[i];
        call->gradient[i % UNITS] += call->scale * call->output_cotangent[i] * call->input[i];
    }
    return 0;
}

int main(void)
{
    static const struct conformance_settings settings = {.input = {-1, 1}, .parameter = {-1, 1}, .seed = 1};
    static const int64_t shape[] = {UNITS};
    const ffebm_user_feedforward table = {.size = sizeof table,
                                          .name = "gains",
                                          .input_shape = shape,
                                          .input_rank = 1,
                                          .output_shape = shape,
                                          .output_rank = 1,
                                          .forward = forward,
                                          .vjp = vjp};
    ffebm_user_parameter parameter;

    ffebm_user_parameter_init(&parameter, sizeof parameter);
    parameter.name = "gains";
    parameter.shape = shape;
    parameter.rank = 1;
    return conformance_feedforward(&table, &parameter, 1, &settings, stdout);
}

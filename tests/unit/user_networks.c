/* A resistor network and a digital layer that the tests hand to the library as the user's. */
#include <math.h>
#include <string.h>

#include "user_blocks.h"

void solve(size_t n, size_t stride, double *a, double *v)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = j + 1; i < n; i++) {
            double factor = a[i * stride + j] / a[j * stride + j];

            for (size_t k = j; k < n; k++)
                a[i * stride + k] -= factor * a[j * stride + k];
            v[i] -= factor * v[j];
        }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            v[i] -= a[i * stride + k] * v[k];
        v[i] /= a[i * stride + i];
    }
}

/* ------------------------------------------------------------------------------------------------- resistor network */

static const double leak = 0.5;

static void network_solve(const double *theta, double *v)
{
    double a[NETWORK_NODES][NETWORK_NODES] = {{0}};

    for (size_t i = 0, e = 0; i < NETWORK_NODES; i++) {
        a[i][i] += leak;
        for (size_t j = 0; j < i; j++, e++) {
            a[i][i] += exp(theta[e]);
            a[j][j] += exp(theta[e]);
            a[i][j] -= exp(theta[e]);
            a[j][i] -= exp(theta[e]);
        }
    }
    solve(NETWORK_NODES, NETWORK_NODES, a[0], v);
}

static int32_t network_settle(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++) {
        double *v = call->state + s * NETWORK_NODES;

        memset(v, 0, NETWORK_NODES * sizeof *v);
        memcpy(v, call->input + s * NETWORK_IN, NETWORK_IN * sizeof *v);
        for (size_t i = 0; call->force != NULL && i < NETWORK_OUT; i++)
            v[NETWORK_NODES - NETWORK_OUT + i] += call->force[s * NETWORK_OUT + i];
        network_solve(call->parameters, v);
        call->residual[s] = 1e-12 * (double)(call->first + s + 1);
        call->sweeps[s] = (int64_t)(call->first + s + 1);
    }
    call->joules = 0.25 * (double)call->batch;
    return 0;
}

static int32_t network_output(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++)
        memcpy(call->output + s * NETWORK_OUT, call->state + (s + 1) * NETWORK_NODES - NETWORK_OUT,
               NETWORK_OUT * sizeof *call->output);
    return 0;
}

static void add_products(const double *theta, double factor, const double *u, const double *v, double *gradient)
{
    for (size_t i = 0, e = 0; i < NETWORK_NODES; i++)
        for (size_t j = 0; j < i; j++, e++)
            gradient[e] += factor * exp(theta[e]) * (u[i] - u[j]) * (v[i] - v[j]);
}

static int32_t network_parameter_gradient(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++) {
        const double *v = call->state + s * NETWORK_NODES;

        add_products(call->parameters, call->weight[s] / 2, v, v, call->gradient);
    }
    return 0;
}

static int32_t network_input_gradient(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++)
        for (size_t i = 0; i < NETWORK_IN; i++)
            call->input_gradient[s * NETWORK_IN + i] = -call->state[s * NETWORK_NODES + i];
    return 0;
}

static int32_t network_energy(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++) {
        const double *v = call->state + s * NETWORK_NODES, *x = call->input + s * NETWORK_IN;

        for (size_t i = 0, e = 0; i < NETWORK_NODES; i++) {
            call->energy[s] += leak * v[i] * v[i] / 2 - (i < NETWORK_IN ? x[i] * v[i] : 0);
            for (size_t j = 0; j < i; j++, e++)
                call->energy[s] += exp(call->parameters[e]) * (v[i] - v[j]) * (v[i] - v[j]) / 2;
        }
    }
    return 0;
}

static int32_t network_adjoint(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++) {
        double u[NETWORK_NODES] = {0};

        memcpy(u + NETWORK_NODES - NETWORK_OUT, call->output_cotangent + s * NETWORK_OUT, NETWORK_OUT * sizeof *u);
        network_solve(call->parameters, u);
        memcpy(call->input_gradient + s * NETWORK_IN, u, NETWORK_IN * sizeof *u);
        add_products(call->parameters, -call->weight[s], u, call->state + s * NETWORK_NODES, call->gradient);
    }
    return 0;
}

static int32_t network_initialize(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->parameter_count; i++)
        call->values[i] = ffebm_random_uniform(call->seed, i) - 1;
    return 0;
}

void network_init(energy_block *b)
{
    static const int64_t in[] = {NETWORK_IN}, out[] = {NETWORK_OUT}, edges[] = {NETWORK_EDGES};
    ffebm_user_energy table = {.name = "network",
                               .input_shape = in,
                               .input_rank = 1,
                               .output_shape = out,
                               .output_rank = 1,
                               .state_count = NETWORK_NODES,
                               .settle = network_settle,
                               .output = network_output,
                               .parameter_gradient = network_parameter_gradient,
                               .input_gradient = network_input_gradient,
                               .energy = network_energy,
                               .adjoint = network_adjoint,
                               .initialize = network_initialize};

    energy_block_init(b, &table);
    energy_block_parameter(b, "theta", edges, 1);
}

/* ---------------------------------------------------------------------------------------------------- digital layer */

static double digital_unit(const ffebm_feedforward_call *call, size_t sample, size_t unit)
{
    const double *w = call->parameters + unit * DIGITAL_IN, *x = call->input + sample * DIGITAL_IN;
    double z = call->parameters[DIGITAL_OUT * DIGITAL_IN + unit];

    for (size_t i = 0; i < DIGITAL_IN; i++)
        z += w[i] * x[i];
    return tanh(z);
}

static int32_t digital_forward(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++)
        for (size_t u = 0; u < DIGITAL_OUT; u++)
            call->output[s * DIGITAL_OUT + u] = digital_unit(call, s, u);
    return 0;
}

static int32_t digital_vjp(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t s = 0; s < call->batch; s++)
        for (size_t u = 0; u < DIGITAL_OUT; u++) {
            double y = digital_unit(call, s, u), v = call->output_cotangent[s * DIGITAL_OUT + u] * (1 - y * y);

            for (size_t i = 0; i < DIGITAL_IN; i++) {
                call->input_cotangent[s * DIGITAL_IN + i] += v * call->parameters[u * DIGITAL_IN + i];
                call->gradient[u * DIGITAL_IN + i] += call->scale * v * call->input[s * DIGITAL_IN + i];
            }
            call->gradient[DIGITAL_OUT * DIGITAL_IN + u] += call->scale * v;
        }
    return 0;
}

static int32_t digital_initialize(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->parameter_count; i++)
        call->values[i] = ffebm_random_uniform(call->seed, i) - 0.5;
    return 0;
}

void digital_init(feedforward_block *b)
{
    static const int64_t in[] = {DIGITAL_IN}, out[] = {DIGITAL_OUT}, weight[] = {DIGITAL_OUT, DIGITAL_IN};
    ffebm_user_feedforward table = {.name = "digital",
                                    .input_shape = in,
                                    .input_rank = 1,
                                    .output_shape = out,
                                    .output_rank = 1,
                                    .forward = digital_forward,
                                    .vjp = digital_vjp,
                                    .initialize = digital_initialize};

    feedforward_block_init(b, &table);
    feedforward_block_parameter(b, "weight", weight, 2);
    feedforward_block_parameter(b, "bias", out, 1);
}

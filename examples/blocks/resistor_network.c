#include "resistor_network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resistor_network {
    int64_t inputs;
    int64_t outputs;
    int64_t nodes;
    int64_t edges;
    double mean;
    double *factor;   /* Cholesky factor of A, nodes x nodes, lower triangle */
    double *adjoint;  /* nodes: a solution of the adjoint */
    uint64_t version; /* of the conductances that it was made from; 0: none yet */
};

/* ---------------------------------------------------------------------------------------------------- linear algebra */

/* A, both triangles of which the lower one is used; edges are numbered (1,0), (2,0), (2,1), .. */
static void assemble(struct resistor_network *net, const double *conductance)
{
    int64_t n = net->nodes;
    double *a = net->factor;

    memset(a, 0, (size_t)(n * n) * sizeof *a);
    for (int64_t i = 0; i < n; i++) {
        a[i * n + i] += RESISTOR_LEAK;
        for (int64_t j = 0; j < i; j++, conductance++) {
            a[i * n + i] += *conductance;
            a[j * n + j] += *conductance;
            a[i * n + j] -= *conductance;
        }
    }
}

/* A = L L^T in place. A is positive definite whatever the conductances, as long as none is negative. */
static int factorize(struct resistor_network *net)
{
    int64_t n = net->nodes;
    double *l = net->factor;

    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j; i < n; i++) {
            for (int64_t k = 0; k < j; k++)
                l[i * n + j] -= l[i * n + k] * l[j * n + k];
            if (i == j && l[j * n + j] <= 0)
                return -1;
            l[i * n + j] = i == j ? sqrt(l[j * n + j]) : l[i * n + j] / l[j * n + j];
        }
    return 0;
}

/* v <- A^-1 v */
static void solve(const struct resistor_network *net, double *v)
{
    int64_t n = net->nodes;
    const double *l = net->factor;

    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++)
            v[i] -= l[i * n + k] * v[k];
        v[i] /= l[i * n + i];
    }
    for (int64_t i = n; i-- > 0;) {
        for (int64_t k = i + 1; k < n; k++)
            v[i] -= l[k * n + i] * v[k];
        v[i] /= l[i * n + i];
    }
}

/* Factorize anew only where the conductances have changed. */
static int32_t prepare(struct resistor_network *net, ffebm_energy_call *call)
{
    if (net->version == call->version)
        return 0;
    net->version = 0;
    assemble(net, call->parameters);
    if (factorize(net) != 0) {
        snprintf(call->message, call->message_capacity, "a conductance is negative");
        return -1;
    }
    net->version = call->version;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- slots */

static int32_t settle(void *self, ffebm_energy_call *call)
{
    struct resistor_network *net = self;
    int64_t first_output = net->nodes - net->outputs;
    int32_t answer = prepare(net, call);

    for (size_t s = 0; s < call->batch && answer == 0; s++) {
        double *v = call->state + s * (size_t)net->nodes;

        memset(v, 0, (size_t)net->nodes * sizeof *v);
        memcpy(v, call->input + s * (size_t)net->inputs, (size_t)net->inputs * sizeof *v);
        for (int64_t i = 0; i < net->outputs && call->force != NULL; i++)
            v[first_output + i] += call->force[s * (size_t)net->outputs + (size_t)i];
        solve(net, v);
    }
    return answer;
}

/* dE/dg_e = (v_a - v_b)^2 / 2; more generally the product of two voltage differences. */
static void add_products(const struct resistor_network *net, double factor, const double *u, const double *v,
                         double *gradient)
{
    for (int64_t i = 0; i < net->nodes; i++)
        for (int64_t j = 0; j < i; j++, gradient++)
            *gradient += factor * (u[i] - u[j]) * (v[i] - v[j]);
}

static int32_t parameter_gradient(void *self, ffebm_energy_call *call)
{
    const struct resistor_network *net = self;

    for (size_t s = 0; s < call->batch; s++) {
        const double *v = call->state + s * (size_t)net->nodes;

        add_products(net, call->weight[s] / 2, v, v, call->gradient);
    }
    return 0;
}

static int32_t energy(void *self, ffebm_energy_call *call)
{
    const struct resistor_network *net = self;

    for (size_t s = 0; s < call->batch; s++) {
        const double *v = call->state + s * (size_t)net->nodes, *g = call->parameters;

        for (int64_t i = 0; i < net->nodes; i++) {
            call->energy[s] += RESISTOR_LEAK * v[i] * v[i] / 2;
            if (i < net->inputs)
                call->energy[s] -= call->input[s * (size_t)net->inputs + (size_t)i] * v[i];
            for (int64_t j = 0; j < i; j++, g++)
                call->energy[s] += *g * (v[i] - v[j]) * (v[i] - v[j]) / 2;
        }
    }
    return 0;
}

/* A is symmetric, so the adjoint is the network itself, driven at its outputs: A u = cotangent, doutput/dx = u at the
 * inputs, doutput/dg_e = - (u_a - u_b) (v_a - v_b). */
static int32_t adjoint(void *self, ffebm_energy_call *call)
{
    struct resistor_network *net = self;
    size_t nodes = (size_t)net->nodes, inputs = (size_t)net->inputs, outputs = (size_t)net->outputs;
    int32_t answer = prepare(net, call);

    for (size_t s = 0; s < call->batch && answer == 0; s++) {
        memset(net->adjoint, 0, nodes * sizeof *net->adjoint);
        memcpy(net->adjoint + nodes - outputs, call->output_cotangent + s * outputs, outputs * sizeof *net->adjoint);
        solve(net, net->adjoint);
        memcpy(call->input_gradient + s * inputs, net->adjoint, inputs * sizeof *net->adjoint);
        add_products(net, -call->weight[s], net->adjoint, call->state + s * nodes, call->gradient);
    }
    return answer;
}

static int32_t initialize(void *self, ffebm_energy_call *call)
{
    const struct resistor_network *net = self;

    for (size_t e = 0; e < call->parameter_count; e++)
        call->values[e] = 2 * net->mean * ffebm_random_uniform(call->seed, e);
    return 0;
}

static void destroy(void *self)
{
    struct resistor_network *net = self;

    free(net->factor);
    free(net->adjoint);
    free(net);
}

/* ------------------------------------------------------------------------------------------------------- description */

struct resistor_network *resistor_network_table(ffebm_user_energy *table, int64_t inputs, int64_t outputs,
                                                int64_t nodes, double mean)
{
    struct resistor_network *net = calloc(1, sizeof *net);

    if (net == NULL)
        return NULL;
    *net = (struct resistor_network){.inputs = inputs,
                                     .outputs = outputs,
                                     .nodes = nodes,
                                     .edges = nodes * (nodes - 1) / 2,
                                     .mean = mean,
                                     .factor = calloc((size_t)(nodes * nodes), sizeof *net->factor),
                                     .adjoint = calloc((size_t)nodes, sizeof *net->adjoint)};
    if (net->factor == NULL || net->adjoint == NULL) {
        destroy(net);
        return NULL;
    }
    *table = (ffebm_user_energy){.size = sizeof *table,
                                 .self = net,
                                 .name = "resistor_network",
                                 .input_shape = &net->inputs,
                                 .input_rank = 1,
                                 .output_shape = &net->outputs,
                                 .output_rank = 1,
                                 .state_count = (size_t)nodes,
                                 .settle = settle,
                                 .parameter_gradient = parameter_gradient,
                                 .energy = energy,
                                 .adjoint = adjoint,
                                 .initialize = initialize,
                                 .destroy = destroy};
    return net;
}

void resistor_network_parameter(const struct resistor_network *net, ffebm_user_parameter *parameter)
{
    ffebm_user_parameter_init(parameter, sizeof *parameter);
    parameter->name = "conductance";
    parameter->shape = &net->edges;
    parameter->rank = 1;
    parameter->lower = 0;
}

ffebm_status resistor_network_create(ffebm_context *context, ffebm_energy **block, int64_t inputs, int64_t outputs,
                                     int64_t nodes, double mean)
{
    ffebm_user_energy table;
    ffebm_user_parameter parameter;
    struct resistor_network *net = resistor_network_table(&table, inputs, outputs, nodes, mean);
    ffebm_status status;

    *block = NULL;
    if (net == NULL)
        return FFEBM_ERR_NOMEM;
    if ((status = ffebm_energy_create_user(context, block, &table)) != FFEBM_OK) {
        destroy(net);
        return status;
    }
    resistor_network_parameter(net, &parameter);
    if ((status = ffebm_energy_add_parameter(*block, &parameter)) != FFEBM_OK) {
        ffebm_energy_destroy(*block);
        *block = NULL;
    }
    return status;
}

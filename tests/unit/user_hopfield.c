/* A dense Hopfield network that the tests hand to the library as the user's: what the library has, written anew. */
#include <math.h>
#include <string.h>

#include "user_blocks.h"

/* Where things begin in a state, and in the parameters. */
static size_t state_at(const hopfield *h, size_t layer)
{
    size_t at = 0;

    for (size_t l = 0; l < layer; l++)
        at += (size_t)h->units[l];
    return at;
}

static size_t weight_at(const hopfield *h, size_t coupling)
{
    size_t at = 0;

    for (size_t c = 0; c < coupling; c++)
        at += (size_t)((h->units[c] + 1) * h->units[c + 1]);
    return at;
}

static size_t bias_at(const hopfield *h, size_t coupling)
{
    return weight_at(h, coupling) + (size_t)(h->units[coupling] * h->units[coupling + 1]);
}

static double sigma(const hopfield *h, size_t layer, double z)
{
    if (layer == HOPFIELD_LAYERS - 1 && !h->clamp_last)
        return z;
    return fmin(fmax(h->slope * z, 0), 1);
}

/* What a unit gets from the layer below it, and from the one above. */
static double below(const hopfield *h, const double *p, const double *x, const double *s, size_t layer, size_t unit)
{
    size_t units = layer == 0 ? 0 : (size_t)h->units[layer - 1];
    double z = layer == 0 ? x[unit] : p[bias_at(h, layer - 1) + unit];

    for (size_t i = 0; i < units; i++)
        z += p[weight_at(h, layer - 1) + unit * units + i] * s[state_at(h, layer - 1) + i];
    return z;
}

static double above(const hopfield *h, const double *p, const double *s, size_t layer, size_t unit)
{
    double z = 0;

    if (layer + 1 < HOPFIELD_LAYERS)
        for (size_t i = 0; i < (size_t)h->units[layer + 1]; i++)
            z += p[weight_at(h, layer) + i * (size_t)h->units[layer] + unit] * s[state_at(h, layer + 1) + i];
    return z;
}

static double sweep(const hopfield *h, const double *p, const double *x, const double *force, double *s)
{
    double change = 0;

    for (size_t l = 0; l < HOPFIELD_LAYERS; l++)
        for (size_t u = 0; u < (size_t)h->units[l]; u++) {
            double *unit = &s[state_at(h, l) + u], pull = l + 1 == HOPFIELD_LAYERS && force != NULL ? force[u] : 0;
            double now = sigma(h, l, below(h, p, x, s, l, u) + above(h, p, s, l, u) + pull);

            change = fmax(change, fabs(now - *unit));
            *unit = now;
        }
    return change;
}

static int32_t hopfield_settle(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;
    size_t inputs = (size_t)h->units[0], outputs = (size_t)h->units[HOPFIELD_LAYERS - 1];
    size_t count = state_at(h, HOPFIELD_LAYERS);
    double at[HOPFIELD_ROWS * HOPFIELD_UNITS], force[HOPFIELD_ROWS * HOPFIELD_UNITS], change = 1;

    for (int64_t sweeps = 0; change > 1e-16 && sweeps < 3000; sweeps++) {
        change = 0;
        for (size_t s = 0; s < call->batch; s++)
            memcpy(at + s * outputs, call->state + (s + 1) * count - outputs, outputs * sizeof *at);
        if (call->force_at != NULL)
            call->force_at(call->force_user, at, force);
        else if (call->force != NULL)
            memcpy(force, call->force, call->batch * outputs * sizeof *force);
        for (size_t s = 0; s < call->batch; s++)
            change = fmax(change, sweep(h, call->parameters, call->input + s * inputs,
                                        call->force == NULL ? NULL : force + s * outputs, call->state + s * count));
    }
    return 0;
}

static int32_t hopfield_output(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;
    size_t outputs = (size_t)h->units[HOPFIELD_LAYERS - 1], count = state_at(h, HOPFIELD_LAYERS);

    for (size_t s = 0; s < call->batch; s++)
        memcpy(call->output + s * outputs, call->state + (s + 1) * count - outputs, outputs * sizeof *call->output);
    return 0;
}

static int32_t hopfield_input_gradient(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;
    size_t inputs = (size_t)h->units[0], count = state_at(h, HOPFIELD_LAYERS);

    for (size_t s = 0; s < call->batch; s++)
        for (size_t i = 0; i < inputs; i++)
            call->input_gradient[s * inputs + i] = -call->state[s * count + i];
    return 0;
}

/* Add factor times the sum of <W_i t_i, s_i+1>, and of <b_i, s_i+1>, by the parameters. */
static void add_phi(const hopfield *h, double factor, const double *t, const double *s, int biases, double *gradient)
{
    for (size_t c = 0; c + 1 < HOPFIELD_LAYERS; c++)
        for (size_t o = 0; o < (size_t)h->units[c + 1]; o++) {
            double upper = factor * s[state_at(h, c + 1) + o];

            for (size_t i = 0; i < (size_t)h->units[c]; i++)
                gradient[weight_at(h, c) + o * (size_t)h->units[c] + i] += upper * t[state_at(h, c) + i];
            gradient[bias_at(h, c) + o] += biases * upper;
        }
}

static int32_t hopfield_parameter_gradient(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;

    for (size_t n = 0; n < call->batch; n++) {
        const double *s = call->state + n * state_at(h, HOPFIELD_LAYERS);

        add_phi(h, -call->weight[n], s, s, 1, call->gradient);
    }
    return 0;
}

/* 1 / the curvature of G. */
static double slope_of(const hopfield *h, size_t layer)
{
    return layer + 1 < HOPFIELD_LAYERS || h->clamp_last ? h->slope : 1;
}

static int32_t hopfield_energy(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;

    for (size_t n = 0; n < call->batch; n++) {
        const double *s = call->state + n * state_at(h, HOPFIELD_LAYERS), *x = call->input + n * (size_t)h->units[0];

        for (size_t l = 0; l < HOPFIELD_LAYERS; l++)
            for (size_t u = 0; u < (size_t)h->units[l]; u++) {
                double unit = s[state_at(h, l) + u];

                call->energy[n] += unit * unit / (2 * slope_of(h, l)) - below(h, call->parameters, x, s, l, u) * unit;
            }
    }
    return 0;
}

enum { UNITS = HOPFIELD_LAYERS * HOPFIELD_UNITS };

/* The curvature of E; units at a bound do not move. */
static void curvature(const hopfield *h, const double *p, const double *s, double a[UNITS][UNITS])
{
    memset(a, 0, UNITS * sizeof *a);
    for (size_t l = 0; l < HOPFIELD_LAYERS; l++)
        for (size_t u = 0; u < (size_t)h->units[l]; u++) {
            size_t at = state_at(h, l) + u;

            a[at][at] = 1 / slope_of(h, l);
            for (size_t i = 0; l > 0 && i < (size_t)h->units[l - 1]; i++) {
                size_t other = state_at(h, l - 1) + i;

                a[at][other] = a[other][at] = -p[weight_at(h, l - 1) + u * (size_t)h->units[l - 1] + i];
            }
        }
    for (size_t i = 0; i < state_at(h, HOPFIELD_LAYERS); i++)
        if ((i < state_at(h, HOPFIELD_LAYERS - 1) || h->clamp_last) && (s[i] <= 0 || s[i] >= 1))
            for (size_t j = 0; j < UNITS; j++)
                a[i][j] = a[j][i] = i == j;
}

static int32_t hopfield_adjoint(void *self, ffebm_energy_call *call)
{
    const hopfield *h = self;
    size_t inputs = (size_t)h->units[0], outputs = (size_t)h->units[HOPFIELD_LAYERS - 1];
    size_t count = state_at(h, HOPFIELD_LAYERS);

    for (size_t n = 0; n < call->batch; n++) {
        const double *s = call->state + n * count;
        double a[UNITS][UNITS], lambda[UNITS] = {0};

        curvature(h, call->parameters, s, a);
        for (size_t i = 0; i < outputs; i++)
            if (!h->clamp_last || (s[count - outputs + i] > 0 && s[count - outputs + i] < 1))
                lambda[count - outputs + i] = call->output_cotangent[n * outputs + i];
        solve(count, UNITS, a[0], lambda);
        memcpy(call->input_gradient + n * inputs, lambda, inputs * sizeof *lambda);
        add_phi(h, call->weight[n], s, lambda, 1, call->gradient);
        add_phi(h, call->weight[n], lambda, s, 0, call->gradient);
    }
    return 0;
}

hopfield hopfield_of(int64_t a, int64_t b, int64_t c, double slope, int clamp_last)
{
    hopfield h = {{a, b, c}, {{b, a}, {c, b}}, slope, clamp_last};

    return h;
}

void hopfield_init(energy_block *b, hopfield *h, int all_slots)
{
    ffebm_user_energy table = {.self = h,
                               .name = "my_hopfield",
                               .input_shape = &h->units[0],
                               .input_rank = 1,
                               .output_shape = &h->units[HOPFIELD_LAYERS - 1],
                               .output_rank = 1,
                               .state_count = state_at(h, HOPFIELD_LAYERS),
                               .max_batch = HOPFIELD_ROWS,
                               .settle = hopfield_settle,
                               .output = all_slots ? hopfield_output : NULL,
                               .parameter_gradient = hopfield_parameter_gradient,
                               .input_gradient = all_slots ? hopfield_input_gradient : NULL,
                               .energy = hopfield_energy,
                               .adjoint = hopfield_adjoint,
                               .loss_nudging = 1};

    energy_block_init(b, &table);
    energy_block_parameter(b, "weight0", h->weight_shapes[0], 2);
    energy_block_parameter(b, "bias0", &h->units[1], 1);
    energy_block_parameter(b, "weight1", h->weight_shapes[1], 2);
    energy_block_parameter(b, "bias1", &h->units[2], 1);
}

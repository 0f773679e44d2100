/* The deep resistive network: Kirchhoff's laws, its energy, gradients and description. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

enum { BATCH = 3 };

/* clang-format off */
#define RESISTORS(input, keys, rest) \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"resistive\", " \
    keys "\"couplings\": [" rest "]}}]}"
#define NODES(n) "{\"type\": \"dense\", \"out_features\": " n "}"
#define BARE(n) "{\"type\": \"dense\", \"out_features\": " n ", \"bias\": false}"
/* clang-format on */

static const char *const circuits[] = {
    RESISTORS("[5]", "\"input_gain\": 8, ", NODES("7") ", " NODES("4")),
    RESISTORS("[5]", "\"input_gain\": 20, ", NODES("8") ", " NODES("7") ", " NODES("4")),
    RESISTORS("[5]", "\"input_gain\": 8, \"diode\": {\"threshold\": 0.2, \"conductance\": 5}, ",
              NODES("8") ", " NODES("4")),
    RESISTORS("[5]", "\"input_gain\": 8, \"diode\": {\"conductance\": 50}, \"amplifier\": 3, ",
              NODES("8") ", " BARE("6") ", " NODES("4")),
    RESISTORS("[5]", "\"input_gain\": 8, \"amplifier\": 0.5, \"clamp_last\": true, ", NODES("6") ", " NODES("4")),
    RESISTORS("[2, 3, 2]", "\"input_gain\": 8, \"g_min\": 0.01, \"g_max\": 0.2, ", NODES("8") ", " NODES("4")),
    RESISTORS("[2, 3, 2]", "\"input_gain\": 8, \"paired_input\": false, ", BARE("8") ", " NODES("4")),
    RESISTORS("[5]", "\"input_gain\": 8, ", NODES("4")),
};
enum { CIRCUITS = sizeof circuits / sizeof circuits[0] };

/* What the descriptions above say. */
static const struct circuit {
    double gain, threshold, conductance, amplifier;
    int paired, clamp_last;
} facts[CIRCUITS] = {{8, 0, INFINITY, 1, 1, 0}, {20, 0, INFINITY, 1, 1, 0},  {8, 0.2, 5, 1, 1, 0},
                     {8, 0, 50, 3, 1, 0},       {8, 0, INFINITY, 0.5, 1, 1}, {8, 0, INFINITY, 1, 1, 0},
                     {8, 0, INFINITY, 1, 0, 0}, {8, 0, INFINITY, 1, 1, 0}};

static ffebm_equilibrium_config settled_circuit(double beta)
{
    ffebm_equilibrium_config config = converged();

    config.free_tolerance = config.nudged_tolerance = 1e-15;
    config.free_sweeps = config.nudged_sweeps = 20000;
    config.nudging = FFEBM_NUDGING_LINEAR;
    config.beta = beta;
    return config;
}

static fixture circuit_of(int index, int32_t dtype, int32_t threads)
{
    fixture f = fixture_of(circuits[index], dtype, threads, 4);
    ffebm_equilibrium_config config = settled_circuit(1e-3);

    if (dtype == FFEBM_FLOAT32) {
        config.free_tolerance = 1e-7;
        config.nudged_tolerance = 1e-6;
    }
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    return f;
}

static ffebm_tensor *voltages_in(const fixture *f, uint64_t seed)
{
    return random_batch(f->context, f->info.dtype, BATCH, f->info.input_shape, f->info.input_rank, -1, 1, seed);
}

static const ffebm_tensor *parameter_of(const fixture *f, size_t layer, const char *which)
{
    ffebm_parameter_info info = {.size = sizeof info};
    char name[64];
    size_t index;

    snprintf(name, sizeof name, "stage0.%zu.%s", layer, which);
    index = ffebm_model_find_parameter(f->model, name);
    if (index == FFEBM_NONE)
        return NULL;
    assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, index));
    return info.value;
}

/* ------------------------------------------------------------------------------------------------------ Kirchhoff's laws */

typedef struct settled_state {
    const fixture *f;
    const struct circuit *of;
    const ffebm_tensor *x;
    size_t layers;
    ffebm_tensor *s[4];
    size_t units[4];
} settled_state;

/* The voltage that node `k` of layer `l` sees at node j below, a source or behind an amplifier. */
static double voltage_below(const settled_state *c, size_t row, size_t l, size_t j)
{
    if (l > 0)
        return c->of->amplifier * element(c->s[l - 1], row * c->units[l - 1] + j);
    return (j < c->f->inputs ? 1 : -1) * c->of->gain * element(c->x, row * c->f->inputs + j % c->f->inputs);
}

static size_t count_below(const settled_state *c, size_t l)
{
    return l > 0 ? c->units[l - 1] : c->f->inputs * (c->of->paired ? 2 : 1);
}

/* What flows into a node, and the size of it. */
static double net_current(const settled_state *c, size_t row, size_t l, size_t k, double *size)
{
    const ffebm_tensor *g = parameter_of(c->f, l, "weight"), *b = parameter_of(c->f, l, "bias");
    double v = element(c->s[l], row * c->units[l] + k), sum = b == NULL ? 0 : element(b, k);
    size_t below = count_below(c, l);

    for (size_t j = 0; j < below; j++) {
        double i = element(g, k * below + j) * (voltage_below(c, row, l, j) - v);

        sum += i;
        *size += fabs(i);
    }
    if (l + 1 == c->layers)
        return sum;
    g = parameter_of(c->f, l + 1, "weight");
    for (size_t m = 0; m < c->units[l + 1]; m++) {
        double above = element(c->s[l + 1], row * c->units[l + 1] + m);
        double i = element(g, m * c->units[l] + k) * (above - c->of->amplifier * v) / c->of->amplifier;

        sum += i;
        *size += fabs(i);
    }
    return sum;
}

/* A diode lets in just what flows out, or it does not conduct. */
static void check_node(const settled_state *c, size_t row, size_t l, size_t k, size_t *conducting)
{
    double v = element(c->s[l], row * c->units[l] + k), size = 1, current = net_current(c, row, l, k, &size);
    int none = l + 1 == c->layers && !c->of->clamp_last;
    double side = none ? 0 : k < c->units[l] / 2 ? 1 : -1, forward = -side * v - c->of->threshold;

    if (isfinite(c->of->conductance) && forward > 0) {
        current += side * c->of->conductance * forward;
        size += c->of->conductance * forward;
        (*conducting)++;
    } else if (!isfinite(c->of->conductance) && side != 0 && v == 0) {
        ck_assert_double_le(side * current, 1e-12 * size);
        (*conducting)++;
        return;
    } else {
        ck_assert_double_le(forward, 0);
    }
    ck_assert_double_le(fabs(current), 1e-12 * size);
}

static settled_state settled_state_of(const fixture *f, int circuit, const ffebm_tensor *x)
{
    settled_state c = {.f = f, .of = &facts[circuit], .x = x, .layers = layer_count(f)};

    assert_ok(f->context, ffebm_engine_settle(f->engine, 0, x, NULL));
    for (size_t l = 0; l < c.layers; l++) {
        c.s[l] = layer_state(f, l, BATCH, FFEBM_PHASE_FREE);
        c.units[l] = ffebm_tensor_count(c.s[l]) / BATCH;
    }
    return c;
}

START_TEST(currents_add_up_at_every_node)
{
    fixture f = circuit_of(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5);
    settled_state c = settled_state_of(&f, _i, x);
    size_t conducting = 0, nodes = 0;

    for (size_t l = 0; l < c.layers; l++)
        for (size_t i = 0; i < BATCH * c.units[l]; i++, nodes++)
            check_node(&c, i / c.units[l], l, i % c.units[l], &conducting);
    if (c.layers > 1)
        ck_assert(conducting > 0 && conducting < nodes);
    destroy_all(c.s, c.layers);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* From any state, with every layer that is solved. */
START_TEST(the_energy_falls_with_every_layer)
{
    fixture f = circuit_of(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *before, *after;
    ffebm_equilibrium_config config = settled_circuit(1e-3);

    config.start = FFEBM_START_STATE;
    config.free_sweeps = 1;
    config.free_tolerance = 0;
    set_random_state(&f, BATCH, 6);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL)); /* a state that diodes allow */
    before = energies_of(&f, x, BATCH);
    for (int sweep = 0; sweep < 12; sweep++) {
        config.free_order = sweep % 2 == 0 ? FFEBM_ORDER_FORWARD : FFEBM_ORDER_ODD_EVEN;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
        after = energies_of(&f, x, BATCH);
        for (size_t i = 0; i < BATCH; i++)
            ck_assert_double_le(element(after, i), element(before, i) + 1e-12 * fabs(element(before, i)));
        ffebm_tensor_destroy(before);
        before = after;
    }
    ffebm_tensor_destroy(before);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- gradients */

/* Centred EP, linear and by the loss, against implicit differentiation and differences of the loss; the input's too. Behind
 * amplifiers a force moves more. */
START_TEST(circuits_pass_their_certificate)
{
    fixture f = circuit_of(_i / 2, FFEBM_FLOAT64, 2);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6);
    ffebm_equilibrium_config config = settled_circuit(facts[_i / 2].amplifier > 1 ? 1e-6 : 1e-3);
    ffebm_certify_config certify;
    ffebm_certificate worst = {.size = sizeof worst};

    config.nudging = _i % 2 == 0 ? FFEBM_NUDGING_LINEAR : FFEBM_NUDGING_LOSS;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    ffebm_certify_config_init(&certify, sizeof certify);
    certify.directions = 3;
    certify.difference_step = 1e-7;
    certify.min_cosine = 0.999999;
    certify.max_difference_error = 1e-3;
    certify.adjoint_sweeps = 20000;
    assert_ok(f.context, ffebm_engine_certify(f.engine, &worst, x, y, NULL, &certify));
    ck_assert_msg(worst.passed == 1, "%s: %.9f %g", worst.name, worst.cosine, worst.difference_error);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

static double energy_sum(const fixture *f, const ffebm_tensor *x)
{
    ffebm_tensor *energies = energies_of(f, x, BATCH);
    double sum = 0;

    for (size_t i = 0; i < BATCH; i++)
        sum += element(energies, i);
    ffebm_tensor_destroy(energies);
    return sum;
}

/* The energy's slope by one number, at states that stay. */
static double slope_of_energy(const fixture *f, const ffebm_tensor *x, ffebm_tensor *of, size_t i)
{
    const double step = 1e-5, value = element(of, i);
    double difference = 0;

    for (int side = -1; side <= 1; side += 2) {
        set_element(of, i, value + side * step);
        difference += side * energy_sum(f, x) / (2 * step);
    }
    set_element(of, i, value);
    return difference;
}

START_TEST(derivatives_are_those_of_the_energy)
{
    fixture f = circuit_of(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *by_input = copy_of(f.context, x);
    ffebm_tensor *values = ffebm_model_flat_parameters(f.model), *gradient = ffebm_engine_flat_gradient(f.engine);
    double scale;

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_energy_gradient(f.engine, by_input, 0, FFEBM_PHASE_FREE));
    scale = fabs(energy_sum(&f, x)) + 1;
    for (size_t i = 0; i < ffebm_tensor_count(values); i++)
        ck_assert_double_eq_tol(BATCH * element(gradient, i), slope_of_energy(&f, x, values, i), 1e-8 * scale);
    for (size_t i = 0; i < ffebm_tensor_count(x); i++)
        ck_assert_double_eq_tol(element(by_input, i), slope_of_energy(&f, x, x, i), 1e-8 * scale);
    ffebm_tensor_destroy(by_input);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* In float32 the contrast of two states that are nearly the same keeps its digits. */
START_TEST(small_nudges_keep_their_digits_in_float32)
{
    ffebm_tensor *gradients[2];
    fixture f[2];

    for (int single = 0; single < 2; single++) {
        ffebm_tensor *x, *y;
        const ffebm_tensor *from;
        ffebm_tensor *to;

        f[single] = circuit_of(_i, single ? FFEBM_FLOAT32 : FFEBM_FLOAT64, 1);
        to = ffebm_model_flat_parameters(f[single].model);
        from = ffebm_model_flat_parameters(f[0].model);
        for (size_t i = 0; single && i < ffebm_tensor_count(to); i++)
            set_element(to, i, element(from, i));
        x = voltages_in(&f[single], 5);
        y = random_labels(&f[single], BATCH, 6);
        assert_ok(f[single].context, ffebm_engine_gradient(f[single].engine, NULL, x, y, NULL));
        gradients[single] = copy_of(f[single].context, ffebm_engine_flat_gradient(f[single].engine));
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(y);
    }
    ck_assert_double_lt(relative_error(gradients[1], gradients[0]), 1e-4);
    for (int single = 0; single < 2; single++) {
        ffebm_tensor_destroy(gradients[single]);
        fixture_end(&f[single]);
    }
}
END_TEST

static ffebm_tensor *gradient_by(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *y)
{
    assert_ok(f->context, ffebm_engine_gradient(f->engine, NULL, x, y, NULL));
    return copy_of(f->context, ffebm_engine_flat_gradient(f->engine));
}

START_TEST(threads_do_not_change_bits_of_circuits)
{
    ffebm_tensor *gradients[2];
    fixture f[2];

    for (int i = 0; i < 2; i++) {
        ffebm_tensor *x, *y;

        f[i] = circuit_of(_i, FFEBM_FLOAT32, i == 0 ? 1 : 3);
        x = random_batch(f[i].context, FFEBM_FLOAT32, 40, f[i].info.input_shape, f[i].info.input_rank, -1, 1, 5);
        y = random_labels(&f[i], 40, 6);
        gradients[i] = gradient_by(&f[i], x, y);
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(y);
    }
    ck_assert_mem_eq(ffebm_tensor_const_data(gradients[0]), ffebm_tensor_const_data(gradients[1]),
                     ffebm_tensor_count(gradients[0]) * sizeof(float));
    for (int i = 0; i < 2; i++) {
        ffebm_tensor_destroy(gradients[i]);
        fixture_end(&f[i]);
    }
}
END_TEST

static void copy_row(const ffebm_tensor *from, size_t row, size_t rows, ffebm_tensor *to)
{
    size_t bytes = ffebm_tensor_count(from) / rows * sizeof(double);

    memcpy(ffebm_tensor_data(to), (const char *)ffebm_tensor_const_data(from) + row * bytes, bytes);
}

/* The gradient of a batch is the mean of those of its samples. */
START_TEST(a_batch_is_its_samples)
{
    fixture f = circuit_of(_i, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6), *together = gradient_by(&f, x, y);
    ffebm_tensor *one = random_batch(f.context, FFEBM_FLOAT64, 1, f.info.input_shape, f.info.input_rank, 0, 1, 0);
    ffebm_tensor *label = random_labels(&f, 1, 0), *sum = copy_of(f.context, together);

    memset(ffebm_tensor_data(sum), 0, ffebm_tensor_count(sum) * sizeof(double));
    for (size_t row = 0; row < BATCH; row++) {
        ffebm_tensor *alone;

        copy_row(x, row, BATCH, one);
        copy_row(y, row, BATCH, label);
        alone = gradient_by(&f, one, label);
        for (size_t i = 0; i < ffebm_tensor_count(sum); i++)
            set_element(sum, i, element(sum, i) + element(alone, i) / BATCH);
        ffebm_tensor_destroy(alone);
    }
    ck_assert_double_lt(relative_error(sum, together), 1e-12);
    destroy_all((ffebm_tensor *[]){x, y, together, one, label, sum}, 6);
    fixture_end(&f);
}
END_TEST

/* linear - resistors - linear - Hopfield - linear, with both kinds of neurons in between. */
static const char mixed[] =
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"cross_entropy\", \"stages\": [{\"feedforward\": [{\"type\": "
    "\"linear\", \"out_features\": 5}]}, {\"energy\": {\"type\": \"resistive\", \"input_gain\": 4, \"diode\": "
    "{\"threshold\": 0.1, \"conductance\": 20}, \"couplings\": [" NODES("8") ", " NODES(
        "6") "]}}, {\"feedforward\": "
             "[{\"type\": \"linear\", \"out_features\": 7}]}, {\"energy\": {\"type\": \"hopfield\", \"activation\": "
             "{\"type\": "
             "\"hard_sigmoid\", \"slope\": 0.5}, \"couplings\": [" NODES(
                 "5") "]}}, {\"feedforward\": [{\"type\": \"linear\", "
                      "\"out_features\": 3}]}]}";

START_TEST(mixed_chains_pass_their_certificate)
{
    problem p = problem_of(mixed, _i == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, 2, BATCH);
    ffebm_equilibrium_config config = settled_circuit(1e-3);
    ffebm_certify_config certify;
    ffebm_certificate worst = {.size = sizeof worst};

    config.nudging = FFEBM_NUDGING_AUTO;
    if (_i == 1)
        config.free_tolerance = config.nudged_tolerance = 1e-6;
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &config));
    ffebm_certify_config_init(&certify, sizeof certify);
    certify.directions = _i == 0 ? 3 : 0;
    certify.min_cosine = _i == 0 ? 0.999999 : 0.999;
    assert_ok(p.f.context, ffebm_engine_certify(p.f.engine, &worst, p.x, p.y, NULL, &certify));
    ck_assert_msg(worst.passed == 1, "%s: %.9f %g", worst.name, worst.cosine, worst.difference_error);
    problem_end(&p);
}
END_TEST

/* Coupled learning follows the gradient of an error that is weighed by the conductance that the outputs see: of one output and
 * one sample it is the gradient, but for its length. Of several it turns. */
START_TEST(coupled_learning_weighs_errors_by_conductance)
{
    static const char *const nets[] = {RESISTORS("[4]", "\"input_gain\": 8, ", NODES("6") ", " NODES("1")),
                                       RESISTORS("[4]", "\"input_gain\": 8, ", NODES("6") ", " NODES("3"))};
    fixture f = fixture_of(nets[_i], FFEBM_FLOAT64, 1, 4);
    int64_t outputs = (int64_t)f.outputs;
    ffebm_tensor *x = random_batch(f.context, FFEBM_FLOAT64, 1, (int64_t[]){4}, 1, -1, 1, 5), *gradients[2];
    ffebm_tensor *y = random_batch(f.context, FFEBM_FLOAT64, 1, &outputs, 1, -1, 1, 6);
    ffebm_equilibrium_config config = settled_circuit(1e-4);
    ffebm_layer_report layer = {.size = sizeof layer};
    double products[3] = {0}, cosine;

    for (int clamp = 0; clamp < 2; clamp++) {
        config.nudging = clamp ? FFEBM_NUDGING_CLAMP : FFEBM_NUDGING_LINEAR;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        gradients[clamp] = gradient_by(&f, x, y);
    }
    for (size_t i = 0; i < ffebm_tensor_count(gradients[0]); i++)
        for (int p = 0; p < 3; p++)
            products[p] += element(gradients[p > 0], i) * element(gradients[p > 1], i);
    cosine = products[1] / sqrt(products[0] * products[2]);
    if (outputs == 1)
        ck_assert_double_ge(cosine, 1 - 1e-9);
    else
        ck_assert(cosine > 0.5 && cosine < 0.9999);
    assert_ok(f.context, ffebm_engine_inspect_layer(f.engine, &layer, 0, 1));
    ck_assert_double_gt(layer.nudge_norm, 0);
    destroy_all((ffebm_tensor *[]){x, y, gradients[0], gradients[1]}, 4);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- the largest beta */

enum { MOST_NODES = 24 };

/* The conductance matrix of a row's free nodes, the sources and those that ideal diodes hold at 0 left out, each layer weighted as
 * the energy does; and beta taken from the outputs. Is it positive definite? */
static int is_minimum(const settled_state *c, size_t row, double beta)
{
    double m[MOST_NODES][MOST_NODES] = {{0}}, weight = 1, a = c->of->amplifier;
    size_t first[5] = {0}, n;

    for (size_t l = 0; l < c->layers; l++)
        first[l + 1] = first[l] + c->units[l];
    n = first[c->layers];
    for (size_t l = 0; l < c->layers; l++, weight /= a * a)
        for (size_t k = 0; k < c->units[l]; k++)
            for (size_t j = 0, below = count_below(c, l), at = first[l] + k; j < below; j++) {
                double g = weight * element(parameter_of(c->f, l, "weight"), k * below + j);

                m[at][at] += g;
                if (l == 0)
                    continue;
                m[first[l - 1] + j][first[l - 1] + j] += g * a * a;
                m[at][first[l - 1] + j] -= g * a;
                m[first[l - 1] + j][at] -= g * a;
            }
    for (size_t k = first[c->layers - 1]; k < n; k++)
        m[k][k] -= beta;
    for (size_t l = 0; l < c->layers; l++)
        for (size_t k = 0; k < c->units[l]; k++) {
            double v = element(c->s[l], row * c->units[l] + k), side = k < c->units[l] / 2 ? 1 : -1;

            if ((l + 1 < c->layers || c->of->clamp_last) && side * v <= -c->of->threshold)
                m[first[l] + k][first[l] + k] += fmin(c->of->conductance, 1e12) * pow(a, -2.0 * (double)l);
        }
    for (size_t p = 0; p < n; p++) {
        if (m[p][p] <= 0)
            return 0;
        for (size_t i = p + 1; i < n; i++)
            for (size_t j = p + 1; j < n; j++)
                m[i][j] -= m[i][p] * m[p][j] / m[p][p];
    }
    return 1;
}

static int all_minima(const settled_state *c, double beta)
{
    int all = 1;

    for (size_t row = 0; row < BATCH; row++)
        all = all && is_minimum(c, row, beta);
    return all;
}

/* Where the free state of a sample stops being a minimum. */
static double largest_beta(const settled_state *c)
{
    double low = 0, high = 100;

    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;

        if (all_minima(c, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

static const double shares[] = {0.5, 0.8, 0.95, 1.05, 1.3, 3};
enum { SHARES = sizeof shares / sizeof shares[0] };

/* Nudged by the loss, a circuit beyond its largest beta is refused or reported, with all sweeps and with a tolerance, in either
 * type; well below it, it settles. */
START_TEST(too_large_a_beta_is_never_settled)
{
    int circuit = _i / SHARES % 4;
    double share = shares[_i % SHARES];
    fixture f = circuit_of(circuit, _i / SHARES < 4 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6);
    settled_state c = settled_state_of(&f, circuit, x);
    ffebm_equilibrium_config config = settled_circuit(share * largest_beta(&c));

    config.nudging = FFEBM_NUDGING_LOSS;
    config.free_tolerance = 1e-6;
    for (int loose = 0; loose < 3; loose++) {
        ffebm_report report = {.size = sizeof report};
        ffebm_status status;
        char text[512];

        config.nudged_tolerance = loose == 0 ? 1e-6 : loose == 1 ? 1e-2 : 0;
        config.nudged_sweeps = loose == 2 ? 30 : 20000;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        status = ffebm_engine_gradient(f.engine, &report, x, y, NULL);
        assert_ok(f.context, ffebm_engine_unsettled(f.engine, text, sizeof text, NULL));
        if (share < 1 && report.unconverged > 0) /* it is not beta alone */
            ck_assert_msg(strstr(text, "but the nudge switches some") != NULL, "%s", text);
        if (share > 1)
            ck_assert_msg(status == FFEBM_ERR_ARGUMENT || status == FFEBM_ERR_NUMERIC || report.unconverged > 0,
                          "beta %g: %d", config.beta, status);
        if (share < 0.6)
            ck_assert_msg(status == FFEBM_OK && report.unconverged == 0, "beta %g: %d %zu %s", config.beta, status,
                          report.unconverged, ffebm_context_error(f.context));
        ck_assert(status != FFEBM_ERR_ARGUMENT || strstr(ffebm_context_error(f.context), "lower beta") != NULL);
    }
    config.require_convergence = 1;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    if (share > 1)
        ck_assert_int_ne(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_OK);
    destroy_all(c.s, c.layers);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

static double stable_beta(const fixture *f)
{
    double beta = -1;

    assert_ok(f->context, ffebm_engine_stable_beta(f->engine, &beta, 0));
    return beta;
}

/* What the block states is where the matrix of its free states stops being positive definite. */
START_TEST(the_largest_stable_beta_is_stated)
{
    int32_t single = _i >= CIRCUITS;
    int circuit = _i % CIRCUITS;
    fixture f = circuit_of(circuit, single ? FFEBM_FLOAT32 : FFEBM_FLOAT64, 1 + _i % 2);
    ffebm_tensor *x = voltages_in(&f, 5);
    settled_state c = settled_state_of(&f, circuit, x);
    double expected = largest_beta(&c), beta = stable_beta(&f);
    ffebm_equilibrium_config config = settled_circuit(1e-3);

    ck_assert_double_eq_tol(beta / expected, 1, single ? 1e-4 : 1e-9);
    config.estimator = FFEBM_ESTIMATOR_FOUR_POINT;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    ck_assert_double_eq(stable_beta(&f), beta / 2);
    config.estimator = FFEBM_ESTIMATOR_POSITIVE;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    ck_assert(isinf(stable_beta(&f)));
    destroy_all(c.s, c.layers);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Just below it the free states are minima, just above it they are none; and what is refused or reported names it. */
START_TEST(texts_name_the_largest_stable_beta)
{
    fixture f = circuit_of(_i / 2, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6);
    settled_state c = settled_state_of(&f, _i / 2, x);
    double beta = stable_beta(&f);
    ffebm_equilibrium_config config = settled_circuit((_i % 2 == 0 ? 1.001 : 10) * beta);
    ffebm_status status;
    char expected[96], text[512];

    ck_assert(all_minima(&c, beta * (1 - 1e-9)) && !all_minima(&c, beta * (1 + 1e-9)));
    snprintf(expected, sizeof expected, "beta is %g, and the largest stable one %g: lower beta", config.beta, beta);
    config.nudging = FFEBM_NUDGING_LOSS;
    config.nudged_sweeps = 30;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    status = ffebm_engine_gradient(f.engine, NULL, x, y, NULL);
    if (_i % 2 == 0) {
        assert_ok(f.context, status);
        assert_ok(f.context, ffebm_engine_unsettled(f.engine, text, sizeof text, NULL));
        ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
        config.require_convergence = 1;
        assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
        ck_assert_int_eq(ffebm_engine_gradient(f.engine, NULL, x, y, NULL), FFEBM_ERR_CONVERGENCE);
    } else {
        ck_assert_int_eq(status, FFEBM_ERR_ARGUMENT);
    }
    ck_assert_msg(strstr(ffebm_context_error(f.context), expected) != NULL, "%s", ffebm_context_error(f.context));
    destroy_all(c.s, c.layers);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Beyond it no certificate passes, whatever it judges by. */
START_TEST(no_certificate_beyond_the_largest_stable_beta)
{
    fixture f = circuit_of(_i / 2, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6);
    ffebm_equilibrium_config config = settled_circuit(1e-3);
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_certify_config lenient;

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    config.beta = (_i % 2 == 0 ? 0.4 : 1.0001) * stable_beta(&f);
    config.nudging = FFEBM_NUDGING_LOSS;
    config.nudged_sweeps = 50;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    ffebm_certify_config_init(&lenient, sizeof lenient);
    lenient.min_cosine = -1;
    lenient.adjoint_sweeps = 20000;
    assert_ok(f.context, ffebm_engine_certify(f.engine, &worst, x, y, NULL, &lenient));
    ck_assert_int_eq(worst.passed, _i % 2 == 0);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* By hand it is springs that are too weak. */
START_TEST(springs_by_hand_have_the_same_limit)
{
    fixture f = circuit_of(0, FFEBM_FLOAT64, 1);
    int64_t outputs = (int64_t)f.outputs;
    ffebm_tensor *x = voltages_in(&f, 5),
                 *force = random_batch(f.context, FFEBM_FLOAT64, BATCH, &outputs, 1, -1e-3, 1e-3, 6);
    ffebm_phase_report report = {.size = sizeof report};
    char expected[96], text[512];
    double beta;

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    beta = stable_beta(&f);
    assert_ok(f.context, ffebm_engine_settle_springs(f.engine, 0, x, force, -0.9 * beta));
    assert_ok(f.context, ffebm_engine_inspect_phase(f.engine, &report, 0, FFEBM_PHASE_NUDGED));
    ck_assert_uint_eq(report.unconverged, 0);
    ck_assert_double_eq(stable_beta(&f), beta);
    assert_ok(f.context, ffebm_engine_settle_springs(f.engine, 0, x, force, -1.0001 * beta));
    assert_ok(f.context, ffebm_engine_unsettled(f.engine, text, sizeof text, NULL));
    snprintf(expected, sizeof expected, "stiffness is %g, and the least stable one %g", -1.0001 * beta, -beta);
    ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
    ffebm_tensor_destroy(force);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* Of the files of the published code the eigenvalue is known from a dense matrix, to three digits. */
static const struct {
    const char *path;
    double beta;
} known[] = {{"tests/reference/drn/drn_1h.safetensors", 0.394}, {"tests/reference/drn/drn_3h.safetensors", 0.339}};

static void load_parameters(const fixture *f, const char *path)
{
    for (size_t i = 0; i < f->info.parameter_count; i++) {
        ffebm_parameter_info info = {.size = sizeof info};
        ffebm_tensor *value;
        char name[64];

        assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, i));
        snprintf(name, sizeof name, "param.%s", info.name);
        assert_ok(f->context, ffebm_checkpoint_tensor(f->context, &value, path, name));
        assert_ok(f->context, ffebm_tensor_copy(info.value, value));
        ffebm_tensor_destroy(value);
    }
}

START_TEST(known_circuits_state_their_largest_stable_beta)
{
    char description[2048];
    ffebm_context *context;
    ffebm_equilibrium_config config = settled_circuit(1e-3);
    ffebm_tensor *x;
    fixture f;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    assert_ok(context,
              ffebm_checkpoint_metadata(context, description, sizeof description, NULL, known[_i].path, "model"));
    ffebm_context_destroy(context);
    f = fixture_of(description, FFEBM_FLOAT64, 1, 4);
    assert_ok(f.context, ffebm_engine_configure(f.engine, 0, &config));
    load_parameters(&f, known[_i].path);
    assert_ok(f.context, ffebm_checkpoint_tensor(f.context, &x, known[_i].path, "input"));
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    ck_assert_double_eq_tol(stable_beta(&f), known[_i].beta, 5e-4);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

static const char hopfield[] = "{\"input\": [3], \"loss\": \"mse\", \"stages\": [{\"energy\": {\"type\": \"hopfield\", "
                               "\"couplings\": [" NODES("2") "]}}]}";

/* No state, no value; and no other block has a limit. */
START_TEST(a_stable_beta_needs_a_state_and_resistors)
{
    fixture f = circuit_of(0, FFEBM_FLOAT64, 1), other = fixture_of(hopfield, FFEBM_FLOAT64, 1, 4);
    double beta = 7;

    ck_assert_int_eq(ffebm_engine_stable_beta(f.engine, &beta, 0), FFEBM_ERR_STATE);
    ck_assert_int_eq(ffebm_engine_stable_beta(f.engine, NULL, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_stable_beta(f.engine, &beta, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_stable_beta(NULL, &beta, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_stable_beta(other.engine, &beta, 0), FFEBM_ERR_UNSUPPORTED);
    ck_assert_double_eq(beta, 7);
    fixture_end(&other);
    fixture_end(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- parameters */

/* First values, and all that training makes of them, stay within g_min and g_max; biases are free. */
START_TEST(conductances_stay_within_bounds)
{
    fixture f = circuit_of(5, FFEBM_FLOAT32, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *y = random_labels(&f, BATCH, 6);
    const ffebm_tensor *g = parameter_of(&f, 0, "weight");
    ffebm_sgd_config sgd;
    ffebm_optimizer *optimizer;
    size_t bounds[2] = {0, 0};

    ffebm_sgd_config_init(&sgd, sizeof sgd);
    sgd.learning_rate = 0.05;
    assert_ok(f.context, ffebm_optimizer_create_sgd(&optimizer, f.model, &sgd));
    for (int step = 0; step < 20; step++) {
        for (size_t i = 0; i < ffebm_tensor_count(g); i++)
            ck_assert(element(g, i) >= (double)0.01f && element(g, i) <= (double)0.2f);
        assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
        assert_ok(f.context, ffebm_optimizer_step(optimizer, f.engine));
    }
    for (size_t i = 0; i < ffebm_tensor_count(g); i++) {
        bounds[0] += element(g, i) == (double)0.01f;
        bounds[1] += element(g, i) == (double)0.2f;
    }
    ck_assert(bounds[0] > 0 && bounds[1] > 0);
    ffebm_optimizer_destroy(optimizer);
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    fixture_end(&f);
}
END_TEST

/* A description is that of the model made by it, and a checkpoint brings both and the values. */
START_TEST(circuits_are_described_and_saved)
{
    fixture f = circuit_of(_i, FFEBM_FLOAT64, 1);
    char path[] = "/tmp/ffebm_resistive_XXXXXX";
    ffebm_model *again;
    const char *text, *other;
    int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    close(file);
    assert_ok(f.context, ffebm_model_description(f.model, &text, NULL));
    assert_ok(f.context, ffebm_model_parse(f.context, &again, text, strlen(text), NULL));
    assert_ok(f.context, ffebm_model_description(again, &other, NULL));
    ck_assert_str_eq(text, other);
    ffebm_model_destroy(again);
    assert_ok(f.context, ffebm_checkpoint_save(f.model, NULL, NULL, path));
    assert_ok(f.context, ffebm_checkpoint_load(f.context, &again, path));
    assert_ok(f.context, ffebm_model_description(again, &other, NULL));
    ck_assert_str_eq(text, other);
    ck_assert_mem_eq(ffebm_tensor_const_data(ffebm_model_flat_parameters(f.model)),
                     ffebm_tensor_const_data(ffebm_model_flat_parameters(again)),
                     ffebm_tensor_count(ffebm_model_flat_parameters(again)) * sizeof(double));
    ffebm_model_destroy(again);
    unlink(path);
    fixture_end(&f);
}
END_TEST

static const struct {
    const char *keys, *words;
} refused[] = {
    {"\"input_gain\": 0, ", "input_gain"},
    {"\"g_min\": -0.1, ", "g_min"},
    {"\"g_min\": 2, \"g_max\": 1, ", "g_min is 2 and g_max 1"},
    {"\"diode\": {\"threshold\": 0.2}, ", "diode_threshold is 0.2 without a diode_conductance"},
    {"\"diode\": {\"threshold\": -1, \"conductance\": 2}, ", "threshold"},
    {"\"diode\": {\"conductance\": 0}, ", "conductance"},
    {"\"amplifier\": 0, ", "amplifier"},
    {"\"clamp\": true, ", "unknown key \"clamp\""},
};

START_TEST(bad_circuits_are_refused)
{
    char json[512];
    ffebm_context *context;
    ffebm_model *model;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    snprintf(json, sizeof json, RESISTORS("[2]", "%s", NODES("3")), refused[_i].keys);
    ck_assert_int_eq(ffebm_model_parse(context, &model, json, strlen(json), NULL), FFEBM_ERR_PARSE);
    ck_assert_msg(strstr(ffebm_context_error(context), refused[_i].words) != NULL, "%s", ffebm_context_error(context));
    ffebm_context_destroy(context);
}
END_TEST

START_TEST(bad_couplings_are_refused)
{
    fixture f = circuit_of(0, FFEBM_FLOAT64, 1);
    ffebm_energy *block;
    ffebm_coupling_config config;
    ffebm_model *model;

    assert_ok(f.context, ffebm_energy_create_resistive(f.context, &block, NULL));
    ffebm_coupling_config_init(&config, sizeof config, FFEBM_COUPLING_CONV2D);
    config.out = 2;
    config.kernel[0] = config.kernel[1] = 1;
    ck_assert_int_eq(ffebm_energy_add_coupling(block, &config), FFEBM_ERR_ARGUMENT);
    assert_ok(f.context, ffebm_model_create(f.context, &model, FFEBM_FLOAT64, (int64_t[]){2}, 1, FFEBM_LOSS_MSE));
    ck_assert_int_eq(ffebm_model_add_energy(model, &block), FFEBM_ERR_SHAPE); /* no nodes */
    ffebm_model_destroy(model);
    ffebm_energy_destroy(block);
    fixture_end(&f);
}
END_TEST

/* A conductance that is negative is found where it is used, and the state stays. */
START_TEST(negative_conductances_are_refused)
{
    fixture f = circuit_of(1, FFEBM_FLOAT64, 1);
    ffebm_tensor *x = voltages_in(&f, 5), *before, *after;
    ffebm_tensor *g = (ffebm_tensor *)(uintptr_t)parameter_of(&f, 1, "weight");

    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    before = layer_state(&f, 0, BATCH, FFEBM_PHASE_FREE);
    set_element(g, 5, -0.25);
    ck_assert_int_eq(ffebm_engine_settle(f.engine, 0, x, NULL), FFEBM_ERR_NUMERIC);
    ck_assert_msg(strstr(ffebm_context_error(f.context), "stage 0: its coupling 1 has a conductance of -0.25") != NULL,
                  "%s", ffebm_context_error(f.context));
    after = layer_state(&f, 0, BATCH, FFEBM_PHASE_FREE);
    ck_assert_double_eq(relative_error(after, before), 0);
    destroy_all((ffebm_tensor *[]){x, before, after}, 3);
    fixture_end(&f);
}
END_TEST

/* By the loss a circuit is nudged only where springs can stand for it. */
START_TEST(loss_nudging_needs_mse_and_no_readout)
{
    problem p = problem_of(mixed, FFEBM_FLOAT64, 1, BATCH);
    ffebm_equilibrium_config config = settled_circuit(1e-3);

    config.nudging = FFEBM_NUDGING_LOSS;
    ck_assert_int_eq(ffebm_engine_configure(p.f.engine, 1, &config), FFEBM_ERR_UNSUPPORTED);
    problem_end(&p);
}
END_TEST

Suite *test_resistive_suite(void)
{
    Suite *suite = suite_create("resistive");
    TCase *tests = tcase_create("resistive");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, currents_add_up_at_every_node, 0, CIRCUITS);
    tcase_add_loop_test(tests, the_energy_falls_with_every_layer, 0, CIRCUITS);
    tcase_add_loop_test(tests, circuits_pass_their_certificate, 0, 2 * CIRCUITS);
    tcase_add_loop_test(tests, derivatives_are_those_of_the_energy, 0, CIRCUITS);
    tcase_add_loop_test(tests, small_nudges_keep_their_digits_in_float32, 0, CIRCUITS);
    tcase_add_loop_test(tests, threads_do_not_change_bits_of_circuits, 0, CIRCUITS);
    tcase_add_loop_test(tests, a_batch_is_its_samples, 0, CIRCUITS);
    tcase_add_loop_test(tests, coupled_learning_weighs_errors_by_conductance, 0, 2);
    tcase_add_loop_test(tests, too_large_a_beta_is_never_settled, 0, 8 * SHARES);
    tcase_add_loop_test(tests, the_largest_stable_beta_is_stated, 0, 2 * CIRCUITS);
    tcase_add_loop_test(tests, texts_name_the_largest_stable_beta, 0, 2 * 4);
    tcase_add_loop_test(tests, no_certificate_beyond_the_largest_stable_beta, 0, 2 * 4);
    tcase_add_test(tests, springs_by_hand_have_the_same_limit);
    tcase_add_loop_test(tests, known_circuits_state_their_largest_stable_beta, 0, sizeof known / sizeof known[0]);
    tcase_add_test(tests, a_stable_beta_needs_a_state_and_resistors);
    tcase_add_loop_test(tests, mixed_chains_pass_their_certificate, 0, 2);
    tcase_add_test(tests, conductances_stay_within_bounds);
    tcase_add_loop_test(tests, circuits_are_described_and_saved, 0, CIRCUITS);
    tcase_add_loop_test(tests, bad_circuits_are_refused, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(tests, bad_couplings_are_refused);
    tcase_add_test(tests, negative_conductances_are_refused);
    tcase_add_test(tests, loss_nudging_needs_mse_and_no_readout);
    suite_add_tcase(suite, tests);
    return suite;
}

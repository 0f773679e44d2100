/* The ledger against counts by hand, and its power against the sources'. */
#include <math.h>
#include <stdio.h>

#include "fixture.h"

#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " #out "}"
#define RECIPE(sweeps)                                                                                                 \
    "\"recipe\": {\"free_sweeps\": 7, \"nudged_sweeps\": 3, \"free_tolerance\": 0, \"nudged_tolerance\": 0," sweeps "}"
#define TWO_BLOCKS(recipe, device)                                                                                     \
    "{\"dtype\": \"float64\", \"input\": [6], \"loss\": \"cross_entropy\"," RECIPE(                                    \
        recipe) ", \"stages\": ["                                                                                      \
                "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 5}]},"                                    \
                "{\"energy\": {\"type\": \"hopfield\"" device ", \"couplings\": [" DENSE(                              \
                    4) "]}},"                                                                                          \
                       "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}, {\"type\": \"relu\"}]},"       \
                       "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [" DENSE(4) ", " DENSE(                   \
                           2) "]}},"                                                                                   \
                              "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 3}]}]}"

enum { ROWS = 3, STAGES = 5 };

/* A problem whose gradient has been computed, so that there are sweeps. */
static problem solved(const char *json)
{
    problem p = problem_of(json, 0, 1, ROWS);

    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    return p;
}

static ffebm_ledger_config defaults(void)
{
    ffebm_ledger_config config;

    ffebm_ledger_config_init(&config, sizeof config);
    return config;
}

static ffebm_ledger ledger_of(const fixture *f, size_t stage, int32_t part, const ffebm_ledger_config *config)
{
    ffebm_ledger ledger = {.size = sizeof ledger};

    assert_ok(f->context, ffebm_engine_ledger(f->engine, &ledger, stage, part, config));
    return ledger;
}

/* What is counted of a stage in a part, by hand. */
typedef struct hand {
    double settlings, sweeps, dac, adc, sweep_conversions, digital, crossbar, backprop;
} hand;

static void check_hand(const fixture *f, size_t stage, int32_t part, const ffebm_ledger_config *config, hand h)
{
    ffebm_ledger l = ledger_of(f, stage, part, config);

#define SAME(what, expected)                                                                                           \
    ck_assert_msg(l.what == (expected), "stage %zu, part %d: " #what " %g, by hand %g", stage, part, l.what, expected)
    SAME(settlings, h.settlings);
    SAME(sweeps, h.sweeps);
    SAME(dac, h.dac);
    SAME(adc, h.adc);
    SAME(sweep_conversions, h.sweep_conversions);
    SAME(digital_macs, h.digital);
    SAME(crossbar_macs, h.crossbar);
    SAME(backprop_macs, h.backprop);
    SAME(pulses, 0.0);
}

/* -------------------------------------------------------------------------------------------------------- counts by hand */

/* Held errors, centred: every block settles once freely, in 7 sweeps, and twice nudged, in 3 each. */
START_TEST(two_blocks_by_hand)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\"", ""));
    const hand by_hand[STAGES][2] = {
        /* 6 x 5 products up; and down 30 for the gradient, 30 for the input's cotangent */
        {{.digital = 30, .backprop = 30}, {.digital = 60, .backprop = 60}},
        /* 5 inputs are written, 4 outputs read. 5 x 4 products: 7 sweeps of them up and down. The error of 4 is written once,
         * the 5 units of the first layer are read in both nudged states */
        {{.settlings = 1, .sweeps = 7, .dac = 5, .adc = 4, .crossbar = 7 * 2 * 20, .backprop = 20},
         {.settlings = 2, .sweeps = 6, .dac = 4, .adc = 2 * 5, .crossbar = 6 * 2 * 20, .backprop = 40}},
        {{.digital = 12, .backprop = 12}, {.digital = 24, .backprop = 24}}, /* 4 x 3 */
        /* 3 x 4 and 4 x 2 products */
        {{.settlings = 1, .sweeps = 7, .dac = 3, .adc = 2, .crossbar = 7 * 2 * 20, .backprop = 20},
         {.settlings = 2, .sweeps = 6, .dac = 2, .adc = 2 * 3, .crossbar = 6 * 2 * 20, .backprop = 40}},
        {{.digital = 6, .backprop = 6}, {.digital = 12, .backprop = 12}}, /* 2 x 3 */
    };
    ffebm_ledger all = ledger_of(&p.f, FFEBM_ALL, FFEBM_LEDGER_ALL, NULL);

    for (size_t i = 0; i < STAGES; i++)
        for (int32_t part = FFEBM_LEDGER_FREE; part <= FFEBM_LEDGER_NUDGED; part++)
            check_hand(&p.f, i, part, NULL, by_hand[i][part - FFEBM_LEDGER_FREE]);
    ck_assert(all.settlings == 6 && all.sweeps == 26 && all.dac == 5 + 4 + 3 + 2 && all.adc == 4 + 10 + 2 + 6);
    ck_assert(all.digital_macs == 3 * (30 + 12 + 6) && all.crossbar_macs == 2 * 13 * 2 * 20);
    ck_assert(all.backprop_macs == 3 * (30 + 20 + 12 + 20 + 6) && all.unknown == 0 && all.measured == 0);
    problem_end(&p);
}
END_TEST

/* The loss nudges the last block: 2 nudged states of 3 sweeps write and read 2 outputs in each, and its readout of 6 products
 * runs there and back in each, and once more for the gradient at each state. */
START_TEST(nudging_by_the_loss_converts_in_every_sweep)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"auto\"", ""));

    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 2, .sweeps = 6, .dac = 4, .adc = 10, .crossbar = 240, .backprop = 40});
    check_hand(&p.f, 3, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 2,
                      .sweeps = 6,
                      .dac = 2 * 3 * 2,
                      .adc = 2 * 3 * 2 + 2 * 3,
                      .sweep_conversions = 2 * (2 * 3 * 2),
                      .crossbar = 240,
                      .backprop = 40});
    check_hand(&p.f, 4, FFEBM_LEDGER_NUDGED, NULL, (hand){.digital = 2 * 3 * (6 + 6) + 2 * 6, .backprop = 12});
    problem_end(&p);
}
END_TEST

/* Without an error for the input the lowest op hands none down, and a block with nothing below reads none. */
START_TEST(what_nobody_wants_is_not_counted)
{
    static const char bottom[] = "{\"input\": [5], \"loss\": \"mse\"," RECIPE(
        "\"nudging\": \"linear\"") ", \"stages\": ["
                                   "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [" DENSE(4) ", " DENSE(
                                       2) "]}}]}";
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\"", ""));
    ffebm_ledger_config config = defaults();

    config.input_cotangent = 0;
    check_hand(&p.f, 0, FFEBM_LEDGER_NUDGED, &config, (hand){.digital = 30, .backprop = 30});
    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, &config,
               (hand){.settlings = 2, .sweeps = 6, .dac = 4, .adc = 10, .crossbar = 240, .backprop = 40});
    problem_end(&p);
    p = solved(bottom);
    check_hand(&p.f, 0, FFEBM_LEDGER_NUDGED, &config,
               (hand){.settlings = 2, .sweeps = 6, .dac = 2, .crossbar = 6 * 2 * 28, .backprop = 28 + 8});
    problem_end(&p);
}
END_TEST

/* One nudge and the free state, three times; the free one is read anew as often. Then once: it is read, too. */
START_TEST(one_sided_estimates_read_the_free_state)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\", \"estimator\": \"positive\", \"repeats\": 3", ""));

    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 6, .sweeps = 18, .dac = 4, .adc = 6 * 5, .crossbar = 18 * 2 * 20, .backprop = 40});
    problem_end(&p);
    p = solved(TWO_BLOCKS("\"nudging\": \"linear\", \"estimator\": \"positive\"", ""));
    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 1, .sweeps = 3, .dac = 4, .adc = 2 * 5, .crossbar = 3 * 2 * 20, .backprop = 40});
    problem_end(&p);
}
END_TEST

/* Readings of all 9 units, two averaged of each state: of both nudged ones, whose products of 20 are then digital. */
#define READ_ALL                                                                                                       \
    ", \"device\": {\"read\": \"all\", \"output\": {\"noise\": 1e-3, \"repeats\": 2, \"bits\": 6, \"bound\": 2}}"
START_TEST(readings_of_all_layers)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\"", READ_ALL));
    ffebm_ledger_config config = defaults();

    check_hand(&p.f, 1, FFEBM_LEDGER_FREE, NULL,
               (hand){.settlings = 1, .sweeps = 7, .dac = 5, .adc = 2 * 4, .crossbar = 280, .backprop = 20});
    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 2,
                      .sweeps = 6,
                      .dac = 4,
                      .adc = 2 * 2 * 9,
                      .digital = 2 * 20,
                      .crossbar = 240,
                      .backprop = 40});
    config.converter_clock = 0;
    config.dac_share = 0;
    ck_assert_double_eq(ledger_of(&p.f, 1, FFEBM_LEDGER_FREE, &config).conversion_joules, 2 * 4 * 1.1 * 1e-12);
    ck_assert_double_eq(ledger_of(&p.f, 1, FFEBM_LEDGER_FREE, &config).conversion_seconds, 0);
    problem_end(&p);
    p = solved(TWO_BLOCKS("\"nudging\": \"linear\", \"estimator\": \"positive\"", READ_ALL));
    check_hand(&p.f, 1, FFEBM_LEDGER_NUDGED, NULL,
               (hand){.settlings = 1,
                      .sweeps = 3,
                      .dac = 4,
                      .adc = 2 * (2 * 9 - 4), /* the free state's outputs have been read */
                      .digital = 2 * 20,
                      .crossbar = 120,
                      .backprop = 40});
    problem_end(&p);
}
END_TEST

/* Pulses are those that the device counts, and cost what one does. */
START_TEST(pulses_are_those_of_the_device)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\"",
                                  ", \"device\": {\"update\": {\"mode\": \"difference\", \"dw_min\": 1e-4}}"));
    ffebm_ledger_config config = defaults();
    ffebm_pulse_info pulses = {.size = sizeof pulses};
    ffebm_optimizer *optimizer = NULL;
    ffebm_ledger l;
    double count;

    assert_ok(p.f.context, ffebm_optimizer_create_adam(&optimizer, p.f.model, NULL));
    assert_ok(p.f.context, ffebm_optimizer_step(optimizer, p.f.engine));
    assert_ok(p.f.context, ffebm_model_inspect_pulses(p.f.model, &pulses, 1));
    count = (double)(pulses.up + pulses.down);
    ck_assert_double_gt(count, 0);
    config.trained_samples = ROWS;
    l = ledger_of(&p.f, FFEBM_ALL, FFEBM_LEDGER_UPDATE, &config);
    ck_assert_double_eq(l.pulses, count / ROWS);
    ck_assert_double_eq_tol(l.pulse_joules, count / ROWS * 1e-9, 1e-22);
    ck_assert(l.settlings == 0 && l.adc == 0 && l.digital_macs == 0);
    ck_assert_double_eq(ledger_of(&p.f, FFEBM_ALL, FFEBM_LEDGER_ALL, &config).pulses, l.pulses);
    ck_assert_double_eq(ledger_of(&p.f, FFEBM_ALL, FFEBM_LEDGER_ALL, NULL).pulses, 0);
    ffebm_optimizer_destroy(optimizer);
    problem_end(&p);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------- constants */

/* Energy and time are linear in counts and constants. */
START_TEST(constants_multiply_counts)
{
    problem p = solved(TWO_BLOCKS("\"nudging\": \"linear\"", ""));
    ffebm_ledger_config c = defaults();
    ffebm_ledger l;

    c.digital_reads = 2;
    c.converter_bits = 11;
    l = ledger_of(&p.f, FFEBM_ALL, FFEBM_LEDGER_ALL, &c);
#define CLOSE(a, b) ck_assert_msg(fabs((a) / (b)-1) < 1e-12, #a " is %g, expected %g", a, b)
    CLOSE(l.digital_joules, l.digital_macs * (0.9 + 3.7 + 2 * 5) * 1e-12);
    CLOSE(l.backprop_joules, l.backprop_macs * (0.9 + 3.7 + 2 * 5) * 1e-12);
    CLOSE(l.digital_seconds, l.digital_macs / 1000 * 1e-9);
    CLOSE(l.conversion_joules, (l.adc + 0.25 * l.dac) * sqrt(3.3 * 29) * 1e-12); /* 11 bits: between 10 and 12 */
    CLOSE(l.conversion_seconds, (l.adc + l.dac) * (11 + 1) * 1e-9 / 256);
    CLOSE(l.unrolled_joules, 6 * 100e-9 * 20 * 5e-6 * 0.1 * 0.1); /* 20 elements in either block */
    CLOSE(l.unrolled_seconds, 6 * 100e-9);
    CLOSE(l.crossbar_joules, l.crossbar_macs * 0.2e-12);
    CLOSE(l.crossbar_joules_most, l.crossbar_macs * 0.81e-12);
    CLOSE(l.crossbar_seconds, 26 * 2 * 130e-9);
    for (int64_t bits = 2; bits <= 24; bits++) { /* wider costs no less; beyond 12 bits four times as much a bit */
        ffebm_ledger_config narrow = c, wide = c;
        double cost[2];

        narrow.converter_bits = bits == 2 ? 2 : bits - 1;
        wide.converter_bits = bits;
        cost[0] = ledger_of(&p.f, 1, FFEBM_LEDGER_FREE, &narrow).conversion_joules;
        cost[1] = ledger_of(&p.f, 1, FFEBM_LEDGER_FREE, &wide).conversion_joules;
        ck_assert_double_ge(cost[1], cost[0]);
        if (bits > 12)
            CLOSE(cost[1], 4 * cost[0]);
    }
    problem_end(&p);
}
END_TEST

/* The chain of splitting_small, in one, two and three blocks: images of 32 x 32, 60 free and 20 nudged sweeps. */
#define CONV(out) "{\"type\": \"conv2d\", \"out_channels\": " #out ", \"kernel\": 3, \"padding\": 1}"
#define POOLED(out)                                                                                                    \
    "{\"type\": \"conv2d\", \"out_channels\": " #out ", \"kernel\": 3, \"padding\": 1, "                               \
    "\"pool\": {\"type\": \"max\", \"kernel\": 2, \"stride\": 2}}"
#define POOL "{\"type\": \"maxpool2d\", \"kernel\": 2, \"stride\": 2}"
#define BLOCK(couplings) "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [" couplings "]}},"
#define OPS(ops) "{\"feedforward\": [" ops "]},"
#define SPLITTING(middle)                                                                                              \
    "{\"input\": [3, 32, 32], \"loss\": \"cross_entropy\", \"recipe\": {\"nudging\": \"linear\"}, \"stages\": [" OPS(  \
        CONV(128) "," POOL ", {\"type\": \"batchnorm2d\"}") middle                                                     \
        "{\"feedforward\": [{\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 10}]}]}"

typedef struct row {
    const char *json;
    double digital, couplings; /* multiply-adds, in millions */
    double adc, dac;           /* thousands */
    double conversions;        /* uJ; these and what follows */
    double fp32, unrolled, crossbar, most;
} row;

static const row rows[] = {
    {SPLITTING(BLOCK(POOLED(256) "," POOLED(256) "," POOLED(512) "," CONV(512) "," DENSE(256))), 3.5, 142, 66, 33, 0.12,
     49, 2.1, 5700, 22700},
    {SPLITTING(BLOCK(POOLED(256) "," POOLED(256)) OPS(CONV(512) "," POOL) BLOCK(CONV(512) "," DENSE(256))), 22, 123, 74,
     39, 0.15, 309, 1.8, 4900, 19700},
    {SPLITTING(BLOCK(POOLED(256)) OPS(CONV(256) "," POOL) BLOCK(POOLED(512)) OPS(CONV(512)) BLOCK(DENSE(256))), 51, 95,
     97, 58, 0.18, 700, 1.4, 3800, 15200}};

/* To the digits that a row has. */
static void check_row(const char *what, double value, double expected, double digit)
{
    ck_assert_msg(fabs(value - expected) <= digit / 2, "%s is %g, expected %g", what, value, expected);
}

START_TEST(three_ways_of_splitting)
{
    const row *r = &rows[_i];
    fixture f = fixture_of(r->json, FFEBM_FLOAT32, 1, 0);
    ffebm_ledger_config c = defaults();
    ffebm_ledger up, all;

    c.free_sweeps = 60;
    c.nudged_sweeps = 20;
    c.crossbar_mac_most = 0.8;
    up = ledger_of(&f, FFEBM_ALL, FFEBM_LEDGER_FREE, &c);
    all = ledger_of(&f, FFEBM_ALL, FFEBM_LEDGER_ALL, &c);
    check_row("digital", up.digital_macs / 1e6, r->digital, r->digital < 10 ? 0.1 : 1);
    check_row("couplings", (up.backprop_macs - up.digital_macs) / 1e6, r->couplings, 1);
    check_row("ADC", all.adc / 1e3, r->adc, 1);
    check_row("DAC", all.dac / 1e3, r->dac, 1);
    check_row("conversions", all.conversion_joules * 1e6, r->conversions, 0.02);
    check_row("fp32", all.digital_joules * 1e6, r->fp32, 1);
    check_row("unrolled", all.unrolled_joules * 1e6, r->unrolled, 0.1);
    check_row("crossbar", all.crossbar_joules * 1e6, r->crossbar, 100);
    check_row("crossbar, most", all.crossbar_joules_most * 1e6, r->most, 100);
    check_row("backpropagation", all.backprop_joules * 1e6, 2010, 10);
    fixture_end(&f);
}
END_TEST

/* --------------------------------------------------------------------------------------------------------------- power */

/* Of two resistive networks: one of ideal diodes, one of real ones and of single sources. */
static const char *const circuits[] = {
    "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\"," RECIPE(
        "\"beta\": 0.1") ", \"stages\": [{\"energy\": "
                         "{\"type\": \"resistive\", \"input_gain\": 20, \"couplings\": [" DENSE(6) ", " DENSE(
                             3) "]}}]}",
    "{\"dtype\": \"float64\", \"input\": [5], \"loss\": \"mse\"," RECIPE(
        "\"beta\": 0.1") ", \"stages\": [{\"energy\": "
                         "{\"type\": \"resistive\", \"input_gain\": 20, \"paired_input\": false, \"diode\": "
                         "{\"threshold\": 0.2, "
                         "\"conductance\": 0.5}, \"couplings\": [" DENSE(6) ", " DENSE(3) "]}}]}"};

/* <b, s>, on average over the samples. */
static double bias_power(const fixture *f)
{
    double sum = 0;

    for (size_t l = 0; l < 2; l++) {
        ffebm_parameter_info info = {.size = sizeof info};
        ffebm_tensor *state = layer_state(f, l, ROWS, FFEBM_PHASE_FREE);

        assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, 2 * l + 1));
        for (size_t i = 0; i < ffebm_tensor_count(state); i++)
            sum += element(info.value, i % info.count) * element(state, i) / ROWS;
        ffebm_tensor_destroy(state);
    }
    return sum;
}

/* What elements turn into heat is what sources of voltages and currents deliver; and with ideal diodes 2 (E + <b, s>). */
START_TEST(power_of_circuits)
{
    problem p = problem_of(circuits[_i], 0, 1, ROWS);
    ffebm_equilibrium_config equilibrium = converged();
    ffebm_ledger_config c = defaults();
    ffebm_ledger l;
    ffebm_tensor *slopes, *energies;
    double biases, sources = 0, energy = 0;

    for (size_t i = 1; i < 4; i += 2) { /* biases that matter */
        ffebm_parameter_info info = {.size = sizeof info};

        assert_ok(p.f.context, ffebm_model_inspect_parameter(p.f.model, &info, i));
        for (size_t k = 0; k < info.count; k++)
            set_element(info.value, k, 0.3 * (double)(k + i) - 0.5);
    }
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &equilibrium));
    assert_ok(p.f.context, ffebm_engine_gradient(p.f.engine, NULL, p.x, p.y, NULL));
    slopes = copy_of(p.f.context, p.x);
    assert_ok(p.f.context, ffebm_engine_energy_gradient(p.f.engine, slopes, 0, FFEBM_PHASE_FREE));
    energies = energies_of(&p.f, p.x, ROWS);
    biases = bias_power(&p.f);
    for (size_t i = 0; i < ffebm_tensor_count(slopes); i++)
        sources += element(slopes, i) * element(p.x, i) / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        energy += element(energies, i) / ROWS;
    c.unrolled_siemens = 1e-6;
    c.unrolled_volts = 0.1;
    l = ledger_of(&p.f, 0, FFEBM_LEDGER_ALL, &c);
    ck_assert(l.measured == 1 && l.settlings == 3 && biases != 0);
    ck_assert_double_eq_tol(l.unrolled_joules / (3 * 100e-9 * 1e-6 * 0.01) / (sources + biases), 1, 1e-9);
    if (_i == 0)
        ck_assert_double_eq_tol(l.unrolled_joules / (3 * 100e-9 * 1e-6 * 0.01) / (2 * (energy + biases)), 1, 1e-9);
    destroy_all((ffebm_tensor *[]){slopes, energies}, 2);
    problem_end(&p);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- refusals */

START_TEST(refusals)
{
    fixture f = fixture_of(TWO_BLOCKS("\"nudging\": \"linear\"", ""), 0, 1, 0);
    ffebm_ledger l = {.size = sizeof l, .adc = 11};
    ffebm_equilibrium_config equilibrium = converged();
    ffebm_ledger_config c = defaults();

#define REFUSED(status, says, call)                                                                                    \
    ck_assert_int_eq(call, status);                                                                                    \
    ck_assert_msg(strstr(ffebm_context_error(f.context), says) != NULL, "%s", ffebm_context_error(f.context));         \
    ck_assert_double_eq(l.adc, 11)
    REFUSED(FFEBM_ERR_STATE, "stage 1 has no free sweeps yet", ffebm_engine_ledger(f.engine, &l, FFEBM_ALL, 0, NULL));
    c.free_sweeps = 5;
    REFUSED(FFEBM_ERR_STATE, "stage 1 has no nudged sweeps yet", ffebm_engine_ledger(f.engine, &l, FFEBM_ALL, 0, &c));
    c.nudged_sweeps = 5;
    REFUSED(FFEBM_ERR_ARGUMENT, "stage 5 of 5", ffebm_engine_ledger(f.engine, &l, 5, 0, &c));
    REFUSED(FFEBM_ERR_ARGUMENT, "part 4", ffebm_engine_ledger(f.engine, &l, 0, 4, &c));
    c.adc_8 = -1;
    REFUSED(FFEBM_ERR_ARGUMENT, "adc_8 is -1, expected 0 or more", ffebm_engine_ledger(f.engine, &l, 0, 0, &c));
    c = defaults();
    equilibrium.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    assert_ok(f.context, ffebm_engine_configure(f.engine, 1, &equilibrium));
    REFUSED(FFEBM_ERR_UNSUPPORTED, "stage 1 is set to IMPLICIT",
            ffebm_engine_ledger(f.engine, &l, 1, FFEBM_LEDGER_NUDGED, &c));
    ck_assert_int_eq(ffebm_engine_ledger(NULL, &l, 0, 0, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_ledger(f.engine, NULL, 0, 0, NULL), FFEBM_ERR_ARGUMENT);
    fixture_end(&f);
}
END_TEST

Suite *test_ledger_suite(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tests = tcase_create("ledger");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, two_blocks_by_hand);
    tcase_add_test(tests, nudging_by_the_loss_converts_in_every_sweep);
    tcase_add_test(tests, what_nobody_wants_is_not_counted);
    tcase_add_test(tests, one_sided_estimates_read_the_free_state);
    tcase_add_test(tests, readings_of_all_layers);
    tcase_add_test(tests, pulses_are_those_of_the_device);
    tcase_add_test(tests, constants_multiply_counts);
    tcase_add_loop_test(tests, three_ways_of_splitting, 0, 3);
    tcase_add_loop_test(tests, power_of_circuits, 0, 2);
    tcase_add_test(tests, refusals);
    suite_add_tcase(suite, tests);
    return suite;
}

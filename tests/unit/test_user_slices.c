/* How blocks of the user's are called: which samples, on which thread, with which seeds and versions; and what they tell of
 * their settling. */
#include <string.h>

#include "user_blocks.h"

enum { ROWS = 7 };

typedef struct run {
    energy_block blocks[2];
    fixture f;
    ffebm_tensor *x, *y;
} run;

static void run_begin(run *r, size_t max_batch, int32_t concurrent, int32_t dtype, int32_t threads)
{
    for (int i = 0; i < 2; i++) {
        network_init(&r->blocks[i]);
        r->blocks[i].table.max_batch = max_batch;
        r->blocks[i].table.concurrent = r->blocks[i].inner.concurrent = concurrent;
    }
    r->f = chain_of_networks(r->blocks, dtype, threads);
    r->x = random_input(&r->f, ROWS, 5);
    r->y = random_labels(&r->f, ROWS, 6);
}

static void run_end(run *r)
{
    destroy_all((ffebm_tensor *[]){r->x, r->y}, 2);
    fixture_end(&r->f);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(r->blocks[i].watch.dirty, 0);
        ck_assert_uint_eq(r->blocks[i].watch.destroyed, 1);
    }
}

typedef struct results {
    ffebm_tensor *output, *cotangent, *state, *gradient;
} results;

static results compute(run *r)
{
    static const int64_t nodes[] = {NETWORK_NODES};
    ffebm_tensor *v = random_batch(r->f.context, r->f.info.dtype, ROWS, r->f.info.output_shape, 1, -1, 1, 9);
    results of = {.output = copy_of(r->f.context, v), .cotangent = copy_of(r->f.context, r->x)};

    of.state = random_batch(r->f.context, r->f.info.dtype, ROWS, nodes, 1, 0, 0, 0);
    assert_ok(r->f.context, ffebm_engine_forward(r->f.engine, of.output, &ticket, r->x));
    assert_ok(r->f.context, ffebm_engine_vjp(r->f.engine, of.cotangent, ticket, v, 0));
    assert_ok(r->f.context, ffebm_engine_get_state(r->f.engine, of.state, 3, 0, FFEBM_PHASE_FREE));
    of.gradient = copy_of(r->f.context, ffebm_engine_flat_gradient(r->f.engine));
    ffebm_tensor_destroy(v);
    return of;
}

static void results_end(results *of)
{
    destroy_all((ffebm_tensor *[]){of->output, of->cotangent, of->state, of->gradient}, 4);
}

/* Slices cover the batch in order, each as large as max_batch allows, in every slot. */
static void check_slices(const watch *w, int slot, size_t max_batch)
{
    size_t most = max_batch == 0 ? ROWS : max_batch, expected = 0;

    for (size_t i = 0; i < w->logged; i++) {
        if (w->log[i].slot != slot || w->log[i].nudged)
            continue;
        if (w->log[i].first == 0)
            expected = 0; /* a new phase */
        if (slot == SLOT_PARAMETER_GRADIENT ||
            slot == SLOT_INPUT_GRADIENT) /* all states of a slice follow each other */
            expected = w->log[i].first;
        ck_assert_uint_eq(w->log[i].first % most, 0);
        ck_assert_uint_eq(w->log[i].first, expected);
        ck_assert_uint_eq(w->log[i].batch, ROWS - expected < most ? ROWS - expected : most);
        expected += w->log[i].batch;
    }
}

/* States, outputs and cotangents are the same bits however the batch is cut; a sum over samples is cut, too. */
START_TEST(slices_do_not_change_results)
{
    static const size_t cuts[] = {1, 3, 100};
    int32_t dtype = _i < 3 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    run whole, cut;
    results expected, found;

    run_begin(&whole, 0, 0, dtype, 1);
    run_begin(&cut, cuts[_i % 3], 0, dtype, 1);
    expected = compute(&whole);
    found = compute(&cut);
    ck_assert(same_bits(found.output, expected.output));
    ck_assert(same_bits(found.cotangent, expected.cotangent));
    ck_assert(same_bits(found.state, expected.state));
    ck_assert_double_lt(relative_error(found.gradient, expected.gradient), dtype == FFEBM_FLOAT64 ? 1e-13 : 1e-6);
    for (int slot = SLOT_SETTLE; slot <= SLOT_INPUT_GRADIENT; slot++)
        check_slices(&cut.blocks[1].watch, slot, cuts[_i % 3]);
    ck_assert_uint_eq(cut.blocks[0].watch.elsewhere, 0);
    results_end(&expected);
    results_end(&found);
    run_end(&whole);
    run_end(&cut);
}
END_TEST

/* A batch is its samples, one by one. */
START_TEST(a_batch_is_its_samples)
{
    run r;
    results together;
    ffebm_tensor *one, *output;
    size_t outputs;

    run_begin(&r, 3, 0, FFEBM_FLOAT64, 1);
    together = compute(&r);
    outputs = r.f.outputs;
    one = random_input(&r.f, 1, 1);
    output = random_batch(r.f.context, FFEBM_FLOAT64, 1, r.f.info.output_shape, 1, 0, 0, 0);
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t i = 0; i < CHAIN_IN; i++)
            set_element(one, i, element(r.x, n * CHAIN_IN + i));
        assert_ok(r.f.context, ffebm_engine_forward(r.f.engine, output, &ticket, one));
        for (size_t i = 0; i < outputs; i++)
            ck_assert_double_eq_tol(element(output, i), element(together.output, n * outputs + i), 1e-15);
    }
    destroy_all((ffebm_tensor *[]){one, output}, 2);
    results_end(&together);
    run_end(&r);
}
END_TEST

/* With `concurrent`, settle and output may be called on any thread, and everything is as if they were not. */
START_TEST(concurrent_changes_nothing)
{
    run serial, parallel;
    results expected, found;

    run_begin(&serial, 1, 0, FFEBM_FLOAT64, 1);
    run_begin(&parallel, 1, 1, FFEBM_FLOAT64, 3);
    expected = compute(&serial);
    found = compute(&parallel);
    ck_assert(same_bits(found.output, expected.output));
    ck_assert(same_bits(found.cotangent, expected.cotangent));
    ck_assert(same_bits(found.state, expected.state));
    ck_assert(same_bits(found.gradient, expected.gradient));
    results_end(&expected);
    results_end(&found);
    run_end(&serial);
    run_end(&parallel);
}
END_TEST

START_TEST(slots_are_called_on_the_callers_thread)
{
    run r;
    results of;

    run_begin(&r, 1, 0, FFEBM_FLOAT32, 3);
    of = compute(&r);
    ck_assert_uint_eq(r.blocks[0].watch.elsewhere, 0);
    ck_assert_uint_eq(r.blocks[1].watch.elsewhere, 0);
    results_end(&of);
    run_end(&r);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- seeds and versions */

static size_t log_of_gradient(run *r, told *to)
{
    size_t count;

    watch_forget(&r->blocks[0].watch);
    assert_ok(r->f.context, ffebm_engine_gradient(r->f.engine, NULL, r->x, r->y, NULL));
    count = r->blocks[0].watch.logged;
    memcpy(to, r->blocks[0].watch.log, count * sizeof *to);
    return count;
}

/* Every call has a seed of its own; the step's number brings them all back. */
START_TEST(seeds_differ_and_come_back)
{
    static told first[LOG], second[LOG], again[LOG];
    ffebm_equilibrium_config config;
    size_t count;
    run r;

    run_begin(&r, 3, 0, FFEBM_FLOAT64, 1);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.repeats = 2;
    assert_ok(r.f.context, ffebm_engine_configure(r.f.engine, FFEBM_ALL, &config));
    assert_ok(r.f.context, ffebm_engine_set_step(r.f.engine, 40));
    count = log_of_gradient(&r, first);
    ck_assert_uint_eq(log_of_gradient(&r, second), count);
    assert_ok(r.f.context, ffebm_engine_set_step(r.f.engine, 40));
    ck_assert_uint_eq(log_of_gradient(&r, again), count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(again[i].seed, first[i].seed);
        for (size_t j = 0; j < count; j++) {
            ck_assert_msg(j >= i || first[i].seed != first[j].seed, "%s and %s have one seed",
                          slot_names[first[j].slot], slot_names[first[i].slot]);
            ck_assert_uint_ne(first[i].seed, second[j].seed);
        }
    }
    run_end(&r);
}
END_TEST

/* The seed of every slice, by the number of its sample in the whole batch and its place among the calls about that sample. */
typedef struct seeds {
    uint64_t of[ROWS][LOG];
    size_t counts[ROWS];
} seeds;

static void note_seeds(run *r, uint64_t first_sample, seeds *to)
{
    const watch *w = &r->blocks[0].watch;

    for (size_t i = 0; i < w->logged; i++) {
        size_t sample = first_sample + w->log[i].first;

        to->of[sample][to->counts[sample]++] = w->log[i].seed;
    }
}

/* Sample by sample, a batch that is cut over calls is drawn for as if it were not. */
START_TEST(seeds_do_not_show_how_a_batch_is_cut)
{
    static const int64_t cuts[] = {0, 2, 3, ROWS};
    static seeds whole, parts;
    run r;

    memset(&whole, 0, sizeof whole);
    memset(&parts, 0, sizeof parts);
    run_begin(&r, 1, 0, FFEBM_FLOAT64, 1);
    for (size_t c = 0; c < 4; c++) {
        int64_t first = c == 3 ? 0 : cuts[c], rows = c == 3 ? ROWS : cuts[c + 1] - first;
        ffebm_tensor *x = random_input(&r.f, rows, 5), *y = random_labels(&r.f, rows, 6);

        watch_forget(&r.blocks[0].watch);
        assert_ok(r.f.context, ffebm_engine_set_step(r.f.engine, 40));
        assert_ok(r.f.context, ffebm_engine_set_first_sample(r.f.engine, (uint64_t)first));
        assert_ok(r.f.context, ffebm_engine_gradient(r.f.engine, NULL, x, y, NULL));
        note_seeds(&r, (uint64_t)first, c == 3 ? &whole : &parts);
        destroy_all((ffebm_tensor *[]){x, y}, 2);
    }
    for (size_t s = 0; s < ROWS; s++) {
        ck_assert_uint_gt(whole.counts[s], 2);
        ck_assert_uint_eq(whole.counts[s], parts.counts[s]);
        ck_assert_mem_eq(whole.of[s], parts.of[s], whole.counts[s] * sizeof whole.of[s][0]);
        ck_assert_uint_ne(whole.of[s][0], whole.of[(s + 1) % ROWS][0]);
    }
    run_end(&r);
}
END_TEST

static uint64_t version_now(run *r)
{
    assert_ok(r->f.context, ffebm_engine_forward(r->f.engine, NULL, &ticket, r->x));
    return r->blocks[0].watch.log[r->blocks[0].watch.logged - 1].version;
}

/* Another exactly when values differ, whoever has changed them. */
START_TEST(version_follows_the_values)
{
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_optimizer *sgd;
    uint64_t version, other;
    run r;

    run_begin(&r, 0, 0, _i == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, 1);
    assert_ok(r.f.context, ffebm_optimizer_create_sgd(&sgd, r.f.model, NULL));
    assert_ok(r.f.context,
              ffebm_model_inspect_parameter(r.f.model, &info, ffebm_model_find_parameter(r.f.model, "stage1.0.theta")));
    version = version_now(&r);
    ck_assert_uint_ne(version, 0);
    ck_assert_uint_eq(version_now(&r), version);
    assert_ok(r.f.context, ffebm_engine_gradient(r.f.engine, NULL, r.x, r.y, NULL));
    ck_assert_uint_eq(version_now(&r), version);
    set_element(info.value, 4, element(info.value, 4) + 0.5);
    other = version_now(&r);
    ck_assert_uint_ne(other, version);
    set_element(info.value, 4, element(info.value, 4));
    ck_assert_uint_eq(version_now(&r), other);
    assert_ok(r.f.context, ffebm_engine_gradient(r.f.engine, NULL, r.x, r.y, NULL));
    assert_ok(r.f.context, ffebm_optimizer_step(sgd, r.f.engine));
    ck_assert_uint_ne(version_now(&r), other);
    ffebm_optimizer_destroy(sgd);
    run_end(&r);
}
END_TEST

/* Two engines of one model call the same block in turn. */
START_TEST(engines_share_a_block)
{
    ffebm_engine *second;
    ffebm_tensor *output, *expected;
    run r;

    run_begin(&r, 0, 0, FFEBM_FLOAT64, 1);
    assert_ok(r.f.context, ffebm_engine_create(&second, r.f.model, NULL));
    expected = random_batch(r.f.context, FFEBM_FLOAT64, ROWS, r.f.info.output_shape, 1, 0, 0, 0);
    output = copy_of(r.f.context, expected);
    assert_ok(r.f.context, ffebm_engine_forward(r.f.engine, expected, &ticket, r.x));
    assert_ok(r.f.context, ffebm_engine_forward(second, output, &ticket, r.x));
    ck_assert(same_bits(output, expected));
    destroy_all((ffebm_tensor *[]){output, expected}, 2);
    ffebm_engine_destroy(second);
    run_end(&r);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ reports */

/* The network says that sample n took n + 1 sweeps, has a residual of (n + 1) 1e-12, and cost 1/4 joule. */
START_TEST(reports_have_what_blocks_tell)
{
    ffebm_phase_report free_phase = {.size = sizeof free_phase}, nudged = {.size = sizeof nudged};
    ffebm_equilibrium_config config;
    run r;

    run_begin(&r, 3, _i, FFEBM_FLOAT64, 2);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_tolerance = 4.5e-12;
    assert_ok(r.f.context, ffebm_engine_configure(r.f.engine, FFEBM_ALL, &config));
    watch_fault(&r.blocks[0].watch, SLOT_SETTLE, FAULT_RETRIES, 2); /* the third slice, and all nudged ones */
    assert_ok(r.f.context, ffebm_engine_gradient(r.f.engine, NULL, r.x, r.y, NULL));
    assert_ok(r.f.context, ffebm_engine_inspect_phase(r.f.engine, &free_phase, 1, FFEBM_PHASE_FREE));
    assert_ok(r.f.context, ffebm_engine_inspect_phase(r.f.engine, &nudged, 1, FFEBM_PHASE_NUDGED));
    ck_assert_uint_eq(free_phase.samples, ROWS);
    ck_assert_int_eq(free_phase.sweeps_min, 1);
    ck_assert_int_eq(free_phase.sweeps_max, ROWS);
    ck_assert_double_eq_tol(free_phase.sweeps_mean, (ROWS + 1) / 2.0, 1e-12);
    ck_assert_double_eq_tol(free_phase.residual_max, ROWS * 1e-12, 1e-20);
    ck_assert_uint_eq(free_phase.unconverged, 3); /* of 5, 6 and 7 */
    ck_assert_double_eq(free_phase.joules, ROWS * 0.25);
    ck_assert_int_eq(free_phase.retries, 2);
    ck_assert_uint_eq(nudged.samples, 2 * ROWS);
    ck_assert_double_eq(nudged.joules, 2 * ROWS * 0.25);
    ck_assert_int_eq(nudged.retries, 2 * 3 * 2);
    run_end(&r);
}
END_TEST

START_TEST(what_is_not_converged_is_refused_on_request)
{
    ffebm_equilibrium_config config;
    run r;

    run_begin(&r, 3, 0, FFEBM_FLOAT64, 1);
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_tolerance = 4.5e-12;
    config.require_convergence = 1;
    assert_ok(r.f.context, ffebm_engine_configure(r.f.engine, FFEBM_ALL, &config));
    ck_assert_int_eq(ffebm_engine_forward(r.f.engine, NULL, &ticket, r.x), FFEBM_ERR_CONVERGENCE);
    ck_assert_msg(strstr(ffebm_context_error(r.f.context), "stage 1") != NULL, "%s", ffebm_context_error(r.f.context));
    run_end(&r);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------ images */

enum { CHANNELS = 2, HEIGHT = 3, WIDTH = 2, PIXELS = CHANNELS * HEIGHT * WIDTH };
static double seen[2][PIXELS]; /* input and force */

/* E = |s|^2 / 2 - <s, x>. */
static int32_t image_settle(void *self, ffebm_energy_call *call)
{
    (void)self;
    memcpy(seen[0], call->input, sizeof seen[0]);
    if (call->force != NULL)
        memcpy(seen[1], call->force, sizeof seen[1]);
    for (size_t i = 0; i < call->batch * PIXELS; i++)
        call->state[i] = call->input[i] + (call->force == NULL ? 0 : call->force[i]);
    return 0;
}

START_TEST(images_come_channels_first)
{
    static const int64_t image[] = {CHANNELS, HEIGHT, WIDTH};
    ffebm_user_energy table = {.name = "image",
                               .input_shape = image,
                               .input_rank = 3,
                               .output_shape = image,
                               .output_rank = 3,
                               .state_count = PIXELS,
                               .settle = image_settle};
    energy_block b;
    fixture f = chain_begin(_i == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32, 1, image, 3, FFEBM_LOSS_NONE);
    ffebm_tensor *x, *force, *output, *dx;

    energy_block_init(&b, &table);
    chain_energy(&f, &b);
    chain_ready(&f, 1);
    x = random_input(&f, 2, 3);
    force = random_input(&f, 2, 4);
    output = copy_of(f.context, x);
    dx = copy_of(f.context, x);
    assert_ok(f.context, ffebm_engine_forward(f.engine, output, &ticket, x));
    ck_assert(same_bits(output, x));
    assert_ok(f.context, ffebm_engine_vjp(f.engine, dx, ticket, force, 0)); /* the identity's */
    ck_assert_double_lt(relative_error(dx, force), 1e-4);
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, NULL));
    assert_ok(f.context, ffebm_engine_settle(f.engine, 0, x, force));
    for (size_t i = 0; i < PIXELS; i++) {
        ck_assert_double_eq(seen[0][i], element(x, i));
        ck_assert_double_eq(seen[1][i], element(force, i));
    }
    destroy_all((ffebm_tensor *[]){x, force, output, dx}, 4);
    fixture_end(&f);
}
END_TEST

Suite *test_user_slices_suite(void)
{
    Suite *suite = suite_create("user_slices");
    TCase *tests = tcase_create("user_slices");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, slices_do_not_change_results, 0, 6);
    tcase_add_test(tests, a_batch_is_its_samples);
    tcase_add_test(tests, concurrent_changes_nothing);
    tcase_add_test(tests, slots_are_called_on_the_callers_thread);
    tcase_add_test(tests, seeds_differ_and_come_back);
    tcase_add_test(tests, seeds_do_not_show_how_a_batch_is_cut);
    tcase_add_loop_test(tests, version_follows_the_values, 0, 2);
    tcase_add_test(tests, engines_share_a_block);
    tcase_add_loop_test(tests, reports_have_what_blocks_tell, 0, 2);
    tcase_add_test(tests, what_is_not_converged_is_refused_on_request);
    tcase_add_loop_test(tests, images_come_channels_first, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

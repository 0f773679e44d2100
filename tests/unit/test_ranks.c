/* Data parallelism: a batch that is cut over ranks is one batch; a call that fails on one rank fails on all and changes nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { ROWS = 7, STEPS = 5, VALUES = 8192, QUESTIONS = 400 };

/* Batch normalisation before and between energy blocks and in a tap, a pool, signs that are drawn; and batch normalisation in a readout. */
static const char with_signs[] =
    "{\"dtype\": \"float64\", \"input\": [2, 6, 6], \"loss\": \"cross_entropy\", \"recipe\": {\"estimator\": "
    "\"random_sign\", "
    "\"free_tolerance\": 1e-10, \"nudged_tolerance\": 0, \"nudged_sweeps\": 12, \"free_sweeps\": 300}, \"stages\": ["
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1, \"bias\": false}, "
    "{\"type\": \"batchnorm2d\"}], \"taps\": [{\"to\": 1, \"ops\": [{\"type\": \"conv2d\", \"out_channels\": 4, "
    "\"kernel\": 2, \"stride\": 2}, {\"type\": \"batchnorm2d\"}]}]}, "
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 4, "
    "\"kernel\": 3, \"padding\": 1, \"pool\": {\"type\": \"max\", \"kernel\": 2}}]}}, {\"feedforward\": [{\"type\": "
    "\"batchnorm2d\"}]}, {\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": "
    "6}]}}, "
    "{\"feedforward\": [{\"type\": \"layernorm\"}, {\"type\": \"linear\", \"out_features\": 5}]}]}";
static const char with_readout[] =
    "{\"dtype\": \"float64\", \"input\": [2, 4, 4], \"loss\": \"cross_entropy\", \"recipe\": {\"free_tolerance\": "
    "1e-10, "
    "\"nudged_tolerance\": 0, \"free_sweeps\": 300}, \"stages\": [{\"energy\": {\"type\": \"hopfield\", \"couplings\": "
    "[{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 3, \"padding\": 1}]}}, {\"feedforward\": [{\"type\": "
    "\"batchnorm2d\"}, {\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 5}]}]}";
static const char *const models[] = {with_signs, with_readout};

static const size_t cuts[][RANKS] = {{ROWS}, {3, 4}, {6, 1}, {2, 0, 5}, {0, 0, 7}, {1, 2, 3, 1}};
enum { CUTS = sizeof cuts / sizeof cuts[0] };

static size_t ranks_of(size_t cut)
{
    static const size_t counts[] = {1, 2, 2, 3, 3, 4};

    return counts[cut];
}

/* ------------------------------------------------------------------------------------------------- a rank's objects */

typedef struct scene {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *all_x, *all_y, *all_v; /* of the whole batch */
    ffebm_tensor *x, *y, *v;             /* of this rank; NULL: it has none */
} scene;

static ffebm_tensor *part_of(ffebm_tensor *all, const rank *r)
{
    ffebm_tensor *part = NULL;

    if (r->rows > 0)
        ck_assert_int_eq(ffebm_tensor_rows(all, &part, (int64_t)r->first, (int64_t)r->rows), FFEBM_OK);
    return part;
}

static void begin(scene *s, const ffebm_context_config *config, const rank *r, const char *json)
{
    fixture f = {.info = {.size = sizeof f.info}};
    int64_t classes = 5;

    memset(s, 0, sizeof *s);
    ck_assert_int_eq(ffebm_context_create(&s->context, config), FFEBM_OK);
    assert_ok(s->context, ffebm_model_parse(s->context, &s->model, json, strlen(json), NULL));
    assert_ok(s->context, ffebm_model_initialize(s->model, 1));
    assert_ok(s->context, ffebm_engine_create(&s->engine, s->model, NULL));
    assert_ok(s->context, ffebm_engine_set_first_sample(s->engine, r->first));
    assert_ok(s->context, ffebm_optimizer_create_adam(&s->optimizer, s->model, NULL));
    f.context = s->context;
    assert_ok(s->context, ffebm_model_inspect(s->model, &f.info));
    s->all_x = random_batch(s->context, f.info.dtype, ROWS, f.info.input_shape, f.info.input_rank, -1, 1, 2);
    f.outputs = (size_t)classes;
    s->all_y = random_labels(&f, ROWS, 3);
    s->all_v = random_batch(s->context, f.info.dtype, ROWS, &classes, 1, -1, 1, 4);
    s->x = part_of(s->all_x, r);
    s->y = part_of(s->all_y, r);
    s->v = part_of(s->all_v, r);
}

static void end(scene *s)
{
    destroy_all((ffebm_tensor *[]){s->x, s->y, s->v, s->all_x, s->all_y, s->all_v}, 6);
    ffebm_optimizer_destroy(s->optimizer);
    ffebm_engine_destroy(s->engine);
    ffebm_model_destroy(s->model);
    ffebm_context_destroy(s->context);
}

/* What a rank has come to, number by number. */
typedef struct notes {
    double at[VALUES];
    size_t count;
} notes;

static void note(notes *n, double value)
{
    ck_assert_uint_lt(n->count, VALUES);
    n->at[n->count++] = value;
}

static void note_tensor(notes *n, const ffebm_tensor *tensor)
{
    for (size_t i = 0; i < ffebm_tensor_count(tensor); i++)
        note(n, element(tensor, i));
}

/* All parameters and running statistics. */
static void note_values(notes *n, ffebm_model *model)
{
    ffebm_parameter_info info = {.size = sizeof info};

    for (size_t i = 0; ffebm_model_inspect_parameter(model, &info, i) == FFEBM_OK; i++)
        note_tensor(n, info.value);
}

static void note_report(notes *n, const ffebm_report *report)
{
    note(n, (double)report->batch);
    note(n, (double)report->correct);
    note(n, (double)report->correct_top5);
    note(n, (double)report->unconverged);
    note(n, (double)report->region_changes);
    note(n, report->loss);
    note(n, report->gradient_norm);
}

static void assert_close(const notes *a, const notes *b, double tolerance)
{
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_uint_gt(a->count, 0);
    for (size_t i = 0; i < a->count; i++)
        ck_assert_msg(fabs(a->at[i] - b->at[i]) <= tolerance * fmax(fabs(b->at[i]), 1e-2),
                      "number %zu: %.17g and %.17g", i, a->at[i], b->at[i]);
}

/* ---------------------------------------------------------------------------------------------------- the same results */

/* What each rank does, and what came of it. */
typedef struct play {
    const char *json;
    void (*act)(scene *s, notes *n);
    int32_t threads;
    notes notes[RANKS];
} play;

static void act(rank *r)
{
    play *p = r->user;
    ffebm_context_config config = rank_config(r, p->threads);
    scene s;

    begin(&s, &config, r, p->json);
    p->act(&s, &p->notes[r->number]);
    end(&s);
}

/* Without ranks. */
static void act_alone(play *p)
{
    rank r = {.rows = ROWS};
    ffebm_context_config config;
    scene s;

    ffebm_context_config_init(&config, sizeof config);
    begin(&s, &config, &r, p->json);
    p->act(&s, &p->notes[0]);
    end(&s);
}

static void train(scene *s, notes *n)
{
    for (int i = 0; i < STEPS; i++) {
        ffebm_report report = {.size = sizeof report};

        assert_ok(s->context, ffebm_engine_gradient(s->engine, &report, s->x, s->y, NULL));
        note_report(n, &report);
        assert_ok(s->context, ffebm_optimizer_step(s->optimizer, s->engine));
        note_values(n, s->model);
    }
}

static void evaluate(scene *s, notes *n)
{
    ffebm_report report = {.size = sizeof report};

    assert_ok(s->context, ffebm_engine_evaluate(s->engine, &report, NULL, s->x, s->y, NULL));
    note_report(n, &report);
}

/* The plain VJP, whose sum is over all ranks, too; the mode's statistics are the batch's. */
static void pull(scene *s, notes *n)
{
    assert_ok(s->context, ffebm_engine_forward(s->engine, NULL, &ticket, s->x));
    note_values(n, s->model);
    assert_ok(s->context, ffebm_engine_vjp(s->engine, NULL, ticket, s->v, 0));
    note_tensor(n, ffebm_engine_flat_gradient(s->engine));
}

static void certify(scene *s, notes *n)
{
    ffebm_certificate certificate = {.size = sizeof certificate};
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 2;
    assert_ok(s->context, ffebm_engine_certify(s->engine, NULL, s->x, s->y, NULL, &config));
    for (size_t i = 0; ffebm_engine_inspect_certificate(s->engine, &certificate, i) == FFEBM_OK; i++) {
        note(n, certificate.cosine);
        note(n, certificate.norm);
        note(n, isnan(certificate.difference_cosine) ? 2 : certificate.difference_cosine);
        note(n, certificate.passed);
    }
}

static int32_t visit(void *user, const ffebm_trace_point *point)
{
    note(user, point->estimate_norm);
    note(user, point->estimate_norm > 1e-10 ? point->cosine : 0); /* in front of batch normalisation biases have none */
    return 0;
}

static void trace(scene *s, notes *n)
{
    assert_ok(s->context, ffebm_engine_set_sweeps(s->engine, FFEBM_ALL, 300, 6));
    assert_ok(s->context, ffebm_engine_trace(s->engine, s->x, s->y, NULL, visit, n));
}

static const struct {
    const char *name;
    void (*act)(scene *s, notes *n);
    double tolerance;
} acts[] = {{"train", train, 1e-7},
            {"evaluate", evaluate, 1e-10},
            {"pull", pull, 1e-8},
            {"certify", certify, 1e-5},
            {"trace", trace, 1e-7}};
enum { ACTS = sizeof acts / sizeof acts[0], MODELS = sizeof models / sizeof models[0] };

/* Of every cut the numbers are those of one process, to rounding, the same on all ranks to the bit, and once more the same. */
START_TEST(ranks_are_one)
{
    static play alone, cut, again;
    const char *json = models[_i / ACTS];

    alone = (play){.json = json, .act = acts[_i % ACTS].act, .threads = 1};
    act_alone(&alone);
    for (size_t c = 0; c < CUTS; c++) {
        cut = again = (play){.json = json, .act = alone.act, .threads = 1};
        world_run(cuts[c], ranks_of(c), 0, act, &cut);
        assert_close(&cut.notes[0], &alone.notes[0], c == 0 ? 1e-14 : acts[_i % ACTS].tolerance);
        again.threads = 2;
        world_run(cuts[c], ranks_of(c), 0, act, &again);
        for (size_t r = 0; r < ranks_of(c); r++) {
            assert_close(&cut.notes[r], &cut.notes[0], 0);
            assert_close(&again.notes[r], &cut.notes[r], 0);
        }
    }
}
END_TEST

START_TEST(float32_ranks_are_one)
{
    static play alone, cut;
    char json[sizeof with_signs];

    strcpy(json, with_signs);
    memcpy(strstr(json, "64"), "32", 2);
    memcpy(strstr(json, "e-10"), "e-05", 4);
    alone = (play){.json = json, .act = pull, .threads = 1};
    cut = alone;
    act_alone(&alone);
    world_run(cuts[3], ranks_of(3), 0, act, &cut);
    assert_close(&cut.notes[0], &alone.notes[0], 1e-3);
    assert_close(&cut.notes[2], &cut.notes[0], 0);
}
END_TEST

/* -------------------------------------------------------------------------------------------------------- failures */

static ffebm_status call_gradient(scene *s)
{
    return ffebm_engine_gradient(s->engine, NULL, s->x, s->y, NULL);
}

static ffebm_status call_evaluate(scene *s)
{
    return ffebm_engine_evaluate(s->engine, NULL, NULL, s->x, s->y, NULL);
}

static ffebm_status call_forward(scene *s)
{
    return ffebm_engine_forward(s->engine, NULL, &ticket, s->x);
}

static ffebm_status call_certify(scene *s)
{
    ffebm_certify_config config;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 1;
    return ffebm_engine_certify(s->engine, NULL, s->x, s->y, NULL, &config);
}

static int32_t pass_by(void *user, const ffebm_trace_point *point)
{
    (void)user;
    return point->sweep < 1;
}

static ffebm_status call_trace(scene *s)
{
    return ffebm_engine_trace(s->engine, s->x, s->y, NULL, pass_by, NULL);
}

typedef ffebm_status (*call_fn)(scene *s);
static const call_fn calls[] = {call_gradient, call_evaluate, call_forward, call_certify, call_trace};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* One rank is told to stop at a question; all ranks then fail. */
typedef struct stop {
    call_fn call;
    size_t rank;
    size_t at;
    size_t asked;  /* on that rank, */
    int32_t armed; /* while so */
    ffebm_status statuses[RANKS];
} stop;

static int32_t cancel(void *user)
{
    stop *s = user;

    return s->armed && ++s->asked == s->at;
}

/* The call that was stopped has left everything as it was: the next gradient, with its step, gives what the first one would
 * have given, and the optimizer refuses what there is until then. */
static void assert_unchanged(scene *s, const notes *values)
{
    notes *now = calloc(1, sizeof *now);

    note_values(now, s->model);
    assert_close(now, values, 0);
    free(now);
    ck_assert_int_eq(ffebm_optimizer_step(s->optimizer, s->engine), FFEBM_ERR_STATE);
}

static void stop_one(rank *r)
{
    stop *p = r->user;
    ffebm_context_config config = rank_config(r, 1);
    notes *before = calloc(1, sizeof *before);
    scene s;

    if (r->number == p->rank) {
        config.cancel = cancel;
        config.cancel_user = p;
    }
    begin(&s, &config, r, with_signs);
    assert_ok(s.context, ffebm_engine_set_sweeps(s.engine, FFEBM_ALL, 300, 4));
    note_values(before, s.model);
    if (r->number == p->rank)
        p->armed = 1;
    p->statuses[r->number] = p->call(&s);
    if (r->number == p->rank)
        p->armed = 0;
    if (p->statuses[r->number] == FFEBM_ERR_RANK)
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(s.context), "another rank"));
    if (p->statuses[r->number] != FFEBM_OK)
        assert_unchanged(&s, before);
    assert_ok(s.context, call_gradient(&s)); /* they are still together */
    assert_ok(s.context, ffebm_optimizer_step(s.optimizer, s.engine));
    free(before);
    end(&s);
}

START_TEST(one_stops_all)
{
    size_t at = 1;

    for (;; at += 1 + at / 8) { /* the first ones one by one */
        stop p = {.call = calls[_i], .rank = at % RANKS, .at = at};

        ck_assert_uint_lt(at, QUESTIONS);
        world_run(cuts[CUTS - 1], RANKS, 0, stop_one, &p);
        if (p.asked < at)
            break;
        for (size_t r = 0; r < RANKS; r++)
            ck_assert_int_eq(p.statuses[r], r == p.rank ? FFEBM_ERR_CANCELLED : FFEBM_ERR_RANK);
    }
    ck_assert_uint_gt(at, 2);
}
END_TEST

/* reduce fails on all ranks, at any of its calls. */
static void fail_together(rank *r)
{
    stop *p = r->user;
    ffebm_context_config config = rank_config(r, 1);
    notes *before = calloc(1, sizeof *before);
    scene s;

    begin(&s, &config, r, with_signs);
    assert_ok(s.context, ffebm_engine_set_sweeps(s.engine, FFEBM_ALL, 300, 4));
    note_values(before, s.model);
    p->statuses[r->number] = p->call(&s);
    if (p->statuses[r->number] != FFEBM_OK) {
        ck_assert_ptr_nonnull(strstr(ffebm_context_error(s.context), "reduce answered 7"));
        assert_unchanged(&s, before);
        assert_ok(s.context, p->call(&s));
    }
    free(before);
    end(&s);
}

START_TEST(reduce_fails_anywhere)
{
    stop p = {.call = calls[_i]};
    size_t at = 1;

    do {
        world_run(cuts[1], 2, at, fail_together, &p);
        at += 1 + at / 8;
        ck_assert_int_eq(p.statuses[0], p.statuses[1]);
        ck_assert(p.statuses[0] == FFEBM_OK || p.statuses[0] == FFEBM_ERR_RANK);
    } while (p.statuses[0] != FFEBM_OK);
    ck_assert_uint_gt(at, 3);
}
END_TEST

/* What one rank gets wrong: all come to know it. */
static ffebm_status wrong_label(scene *s)
{
    const int64_t label = ((int64_t *)ffebm_tensor_data(s->y))[0];
    ffebm_status status;

    ((int64_t *)ffebm_tensor_data(s->y))[0] = 77;
    status = call_gradient(s);
    ((int64_t *)ffebm_tensor_data(s->y))[0] = label;
    return status;
}

static ffebm_status wrong_number(scene *s)
{
    const double x = element(s->x, 0);
    ffebm_status status;

    set_element(s->x, 0, NAN);
    status = call_gradient(s);
    set_element(s->x, 0, x);
    return status;
}

static ffebm_status wrong_report(scene *s)
{
    return ffebm_engine_gradient(s->engine, &(ffebm_report){.size = 1}, s->x, s->y, NULL);
}

static ffebm_status wrong_target(scene *s)
{
    return ffebm_engine_evaluate(s->engine, NULL, NULL, s->x, NULL, NULL);
}

static const struct {
    call_fn wrong, right;
    ffebm_status status;
} mistakes[] = {{wrong_label, call_gradient, FFEBM_ERR_ARGUMENT},
                {wrong_number, call_gradient, FFEBM_ERR_NUMERIC},
                {wrong_report, call_gradient, FFEBM_ERR_ARGUMENT},
                {wrong_target, call_evaluate, FFEBM_ERR_ARGUMENT}};

static void make_mistake(rank *r)
{
    const size_t *which = r->user;
    const call_fn call = r->number == 0 ? mistakes[*which].wrong : mistakes[*which].right;
    ffebm_context_config config = rank_config(r, 1);
    scene s;

    begin(&s, &config, r, with_signs);
    ck_assert_int_eq(call(&s), r->number == 0 ? mistakes[*which].status : FFEBM_ERR_RANK);
    assert_ok(s.context, call_gradient(&s));
    end(&s);
}

START_TEST(a_mistake_is_shared)
{
    world_run(cuts[1], 2, 0, make_mistake, &(size_t){(size_t)_i});
}
END_TEST

static void have_nothing(rank *r)
{
    ffebm_context_config config = rank_config(r, 1);
    scene s;

    begin(&s, &config, r, with_signs);
    ck_assert_int_eq(call_gradient(&s), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(call_forward(&s), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(call_evaluate(&s), FFEBM_ERR_SHAPE);
    end(&s);
}

START_TEST(somebody_needs_samples)
{
    world_run((size_t[]){0, 0}, 2, 0, have_nothing, NULL);
}
END_TEST

/* Alone, a missing input is a mistake. */
START_TEST(alone_an_input_is_needed)
{
    fixture f = fixture_of(with_readout, 0, 1, 1);

    ck_assert_int_eq(ffebm_engine_gradient(f.engine, NULL, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_engine_forward(f.engine, NULL, NULL, NULL), FFEBM_ERR_ARGUMENT);
    fixture_end(&f);
}
END_TEST

Suite *test_ranks_suite(void)
{
    Suite *suite = suite_create("ranks");
    TCase *tests = tcase_create("ranks");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, ranks_are_one, 0, ACTS * MODELS);
    tcase_add_test(tests, float32_ranks_are_one);
    tcase_add_loop_test(tests, one_stops_all, 0, CALLS);
    tcase_add_loop_test(tests, reduce_fails_anywhere, 0, CALLS);
    tcase_add_loop_test(tests, a_mistake_is_shared, 0, sizeof mistakes / sizeof mistakes[0]);
    tcase_add_test(tests, somebody_needs_samples);
    tcase_add_test(tests, alone_an_input_is_needed);
    suite_add_tcase(suite, tests);
    return suite;
}

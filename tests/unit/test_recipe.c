/* What a recipe asks for: that the configuration, the optimizer and the learning rate made of it are those. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "refusal.h"

#define RECIPE(keys)                                                                                                   \
    "{\"dtype\": \"float64\", \"input\": [4], \"loss\": \"mse\", \"recipe\": {" keys                                   \
    "}, \"stages\": [" LINEAR("6") ", " BLOCK ", " LINEAR("3") "]}"

static const char settled[] =
    RECIPE("\"beta\": 0.5, \"free_tolerance\": 1e-3, \"nudged_tolerance\": 1e-1, \"free_sweeps\": 7, "
           "\"nudged_sweeps\": 3, \"estimator\": \"random_sign\", \"switches\": \"hold\", \"relaxation\": 1.5, "
           "\"precision\": \"mixed\", \"nudging\": "
           "\"linear\"");

START_TEST(equilibrium_of_a_recipe)
{
    fixture own = fixture_of(settled, 0, 1, 1);
    ffebm_equilibrium_config config = {.size = sizeof config}, wanted;

    ffebm_equilibrium_config_init(&wanted, sizeof wanted);
    wanted.beta = 0.5;
    wanted.free_tolerance = 1e-3;
    wanted.nudged_tolerance = 1e-1;
    wanted.free_sweeps = 7;
    wanted.nudged_sweeps = 3;
    wanted.estimator = FFEBM_ESTIMATOR_RANDOM_SIGN;
    wanted.switches = FFEBM_SWITCHES_HOLD;
    wanted.nudging = FFEBM_NUDGING_LINEAR;
    wanted.relaxation = 1.5;
    wanted.precision = FFEBM_PRECISION_MIXED;
    assert_ok(own.context, ffebm_model_equilibrium(own.model, &config));
    ck_assert(memcmp(&config, &wanted, sizeof config) == 0);

    /* What a program sets has the last word. */
    wanted.beta = 0.25;
    assert_ok(own.context, ffebm_model_set_equilibrium(own.model, &wanted));
    assert_ok(own.context, ffebm_model_equilibrium(own.model, &config));
    ck_assert(memcmp(&config, &wanted, sizeof config) == 0);
    assert_ok(own.context, ffebm_engine_configure(own.engine, FFEBM_ALL, NULL));
    config = (ffebm_equilibrium_config){.size = sizeof config};
    assert_ok(own.context, ffebm_engine_equilibrium(own.engine, &config, 1));
    ck_assert(memcmp(&config, &wanted, sizeof config) == 0);
    fixture_end(&own);
}
END_TEST

START_TEST(recipe_of_an_older_program)
{
    fixture own = fixture_of(settled, 0, 1, 1);
    ffebm_equilibrium_config config = {.size = offsetof(ffebm_equilibrium_config, free_tolerance)}, untouched = config;
    ffebm_equilibrium_config old = {.size = config.size, .beta = 0.125, .free_tolerance = 77}, whole, defaults;

    assert_ok(own.context, ffebm_model_equilibrium(own.model, &config));
    ck_assert(config.beta == 0.5 && config.free_tolerance == untouched.free_tolerance);
    assert_ok(own.context, ffebm_model_set_equilibrium(own.model, &old));
    whole.size = sizeof whole;
    assert_ok(own.context, ffebm_model_equilibrium(own.model, &whole));
    ffebm_equilibrium_config_init(&defaults, sizeof defaults);
    ck_assert(whole.beta == 0.125 && whole.free_tolerance == defaults.free_tolerance);
    fixture_end(&own);
}
END_TEST

/* ----------------------------------------------------------------------------------------- engines settle as it says */

/* Two blocks, the first with a pool; LAST stands behind the second. */
#define POOLED(keys, last)                                                                                             \
    "{\"dtype\": \"float64\", \"input\": [1, 6, 6], \"loss\": \"cross_entropy\", \"recipe\": {" keys                   \
    "}, \"stages\": ["                                                                                                 \
    "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": "   \
    "3, "                                                                                                              \
    "\"pool\": {\"type\": \"max\", \"kernel\": 2}}]}}, {\"energy\": {\"type\": \"hopfield\", \"couplings\": ["         \
    "{\"type\": \"conv2d\", \"out_channels\": 3, \"kernel\": 1}]}}, {\"feedforward\": [" last                          \
    "{\"type\": \"flatten\"}, "                                                                                        \
    "{\"type\": \"linear\", \"out_features\": 3}]}]}"
#define ALL_KEYS                                                                                                       \
    "\"beta\": 0.5, \"free_tolerance\": 1e-3, \"nudged_tolerance\": 1e-1, \"free_sweeps\": 7, \"nudged_sweeps\": 3, "  \
    "\"estimator\": \"four_point\", \"switches\": \"follow\", \"relaxation\": 1.5"

static const char *const chains[] = {POOLED(ALL_KEYS, ""), POOLED(ALL_KEYS ", \"nudging\": \"linear\"", ""),
                                     POOLED(ALL_KEYS ", \"nudging\": \"loss\"", ""),
                                     POOLED("\"switches\": \"follow\"", ""), POOLED("", "")};

/* What a recipe means, said by hand: loss nudging is for the last block. */
static void configure_by_hand(const fixture *own)
{
    ffebm_equilibrium_config config = {.size = sizeof config};

    assert_ok(own->context, ffebm_model_equilibrium(own->model, &config));
    if (config.nudging == FFEBM_NUDGING_LOSS) {
        assert_ok(own->context, ffebm_engine_configure(own->engine, 1, &config));
        config.nudging = FFEBM_NUDGING_LINEAR;
        assert_ok(own->context, ffebm_engine_configure(own->engine, 0, &config));
    } else
        assert_ok(own->context, ffebm_engine_configure(own->engine, FFEBM_ALL, &config));
}

static bool same_bits(const ffebm_tensor *a, const ffebm_tensor *b)
{
    return memcmp(ffebm_tensor_const_data(a), ffebm_tensor_const_data(b), ffebm_tensor_count(a) * sizeof(double)) == 0;
}

/* As created; as set by hand; with the library's defaults, another gradient; and with NULL, for all or one by one. */
START_TEST(engine_of_a_recipe)
{
    problem p = problem_of(chains[_i], 0, 1, 5);
    ffebm_tensor *gradients[5];
    ffebm_equilibrium_config defaults;
    ffebm_report report;

    gradients[0] = gradient_of(&p, &report);
    configure_by_hand(&p.f);
    gradients[1] = gradient_of(&p, &report);
    ffebm_equilibrium_config_init(&defaults, sizeof defaults);
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &defaults));
    gradients[2] = gradient_of(&p, &report);
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, NULL));
    gradients[3] = gradient_of(&p, &report);
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, FFEBM_ALL, &defaults));
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, 0, NULL));
    assert_ok(p.f.context, ffebm_engine_configure(p.f.engine, 1, NULL));
    gradients[4] = gradient_of(&p, &report);
    ck_assert(same_bits(gradients[0], gradients[1]) && same_bits(gradients[0], gradients[3]) &&
              same_bits(gradients[0], gradients[4]));
    ck_assert(same_bits(gradients[0], gradients[2]) == (_i == COUNT(chains) - 1));
    destroy_all(gradients, 5);
    problem_end(&p);
}
END_TEST

/* What no block can do is refused at the engine's creation, as the training program refuses it. */
START_TEST(engine_of_an_impossible_recipe)
{
    fixture own = fixture_of(POOLED("", "{\"type\": \"batchnorm2d\"}, "), 0, 1, 1);
    static const char json[] = POOLED("\"nudging\": \"loss\"", "{\"type\": \"batchnorm2d\"}, ");
    ffebm_model *model;
    ffebm_engine *engine;

    assert_ok(own.context, ffebm_model_parse(own.context, &model, json, strlen(json), NULL));
    assert_ok(own.context, ffebm_model_initialize(model, 1));
    ck_assert_int_eq(ffebm_engine_create(&engine, model, NULL), FFEBM_ERR_UNSUPPORTED);
    ck_assert_ptr_null(engine);
    ck_assert(strstr(ffebm_context_error(own.context), "stage 1: FFEBM_NUDGING_LOSS") != NULL);
    ffebm_model_destroy(model);
    fixture_end(&own);
}
END_TEST

/* The same steps as an optimizer made by hand takes, to the bit. */
static void same_steps(const char *json, ffebm_status (*by_hand)(ffebm_optimizer **, ffebm_model *))
{
    fixture own[2];
    ffebm_tensor *flat[2];

    for (int i = 0; i < 2; i++) {
        ffebm_tensor *input, *labels;
        ffebm_optimizer *made;

        own[i] = fixture_of(json, 0, 1, 1);
        input = random_input(&own[i], 5, 1);
        labels = random_labels(&own[i], 5, 2);
        assert_ok(own[i].context,
                  i == 0 ? ffebm_recipe_optimizer(&made, own[i].model, NULL) : by_hand(&made, own[i].model));
        for (int step = 0; step < 3; step++) {
            assert_ok(own[i].context, ffebm_engine_gradient(own[i].engine, NULL, input, labels, NULL));
            assert_ok(own[i].context, ffebm_optimizer_step(made, own[i].engine));
        }
        flat[i] = ffebm_model_flat_parameters(own[i].model);
        ffebm_optimizer_destroy(made);
        destroy_all((ffebm_tensor *[]){input, labels}, 2);
    }
    ck_assert(memcmp(ffebm_tensor_data(flat[0]), ffebm_tensor_data(flat[1]),
                     ffebm_tensor_count(flat[0]) * sizeof(double)) == 0);
    fixture_end(&own[0]);
    fixture_end(&own[1]);
}

static ffebm_status sgd_by_hand(ffebm_optimizer **made, ffebm_model *model)
{
    ffebm_sgd_config config;

    ffebm_sgd_config_init(&config, sizeof config);
    config.learning_rate = 0.05;
    config.momentum = 0.25;
    config.nesterov = 1;
    config.weight_decay = 0.125;
    config.clip_norm = 0.01;
    return ffebm_optimizer_create_sgd(made, model, &config);
}

static ffebm_status adam_by_hand(ffebm_optimizer **made, ffebm_model *model)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    config.learning_rate = 0.05;
    config.weight_decay = 0.125;
    config.clip_norm = 0.01;
    return ffebm_optimizer_create_adam(made, model, &config);
}

static ffebm_status adamw_by_hand(ffebm_optimizer **made, ffebm_model *model)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    config.learning_rate = 0.05;
    config.weight_decay = 0.125;
    config.decoupled_decay = 1;
    return ffebm_optimizer_create_adam(made, model, &config);
}

START_TEST(optimizer_of_a_recipe)
{
    same_steps(RECIPE("\"optimizer\": \"sgd\", \"lr\": 0.05, \"momentum\": 0.25, \"nesterov\": true, "
                      "\"weight_decay\": 0.125, \"clip_norm\": 0.01"),
               sgd_by_hand);
    same_steps(RECIPE("\"optimizer\": \"adam\", \"lr\": 0.05, \"weight_decay\": 0.125, \"clip_norm\": 0.01"),
               adam_by_hand);
    same_steps(RECIPE("\"optimizer\": \"adamw\", \"lr\": 0.05, \"weight_decay\": 0.125"), adamw_by_hand);
}
END_TEST

START_TEST(refuse)
{
    struct {
        ffebm_recipe recipe;
        double newer;
    } beyond = {{.size = sizeof beyond}, 1};
    ffebm_equilibrium_config config = {.size = sizeof config};
    ffebm_recipe recipe = {.size = sizeof recipe};
    ffebm_optimizer *made = optimizer;

    NO_HANDLE(ffebm_model_equilibrium(NULL, &config));
    NO_HANDLE(ffebm_model_set_equilibrium(NULL, &config));
    NO_HANDLE(ffebm_engine_equilibrium(NULL, &config, 1));
    NO_HANDLE(ffebm_recipe_optimizer(&made, NULL, NULL));
    ck_assert_ptr_null(made);
    REFUSED(ffebm_model_equilibrium(f.model, NULL), FFEBM_ERR_ARGUMENT, "equilibrium configuration: NULL");
    REFUSED(ffebm_engine_equilibrium(f.engine, NULL, 1), FFEBM_ERR_ARGUMENT, "equilibrium configuration: NULL");
    REFUSED(ffebm_engine_equilibrium(f.engine, &config, 0), FFEBM_ERR_ARGUMENT, "stage 0 is feedforward");
    REFUSED(ffebm_recipe_optimizer(&made, f.model, &beyond.recipe), FFEBM_ERR_UNSUPPORTED, "recipe: byte");
    assert_ok(f.context, ffebm_model_recipe(f.model, &recipe));
    recipe.optimizer = 9;
    REFUSED(ffebm_recipe_optimizer(&made, f.model, &recipe), FFEBM_ERR_ARGUMENT, "optimizer 9");
    recipe.optimizer = FFEBM_OPTIMIZER_SGD;
    recipe.momentum = 1;
    REFUSED(ffebm_recipe_optimizer(&made, f.model, &recipe), FFEBM_ERR_ARGUMENT, "momentum is 1");
    REFUSED(ffebm_recipe_optimizer(NULL, f.model, NULL), FFEBM_ERR_ARGUMENT, "NULL");
    NO_HANDLE(ffebm_model_set_recipe(NULL, NULL));
    REFUSED(ffebm_model_set_recipe(f.model, &beyond.recipe), FFEBM_ERR_UNSUPPORTED, "recipe: byte");
}
END_TEST

/* What a model is told stands in its description, from which another model reads it; what a description could not say is
 * refused and changes nothing. */
START_TEST(set_recipe)
{
    ffebm_recipe recipe = {.size = sizeof recipe}, read = {.size = sizeof read}, kept;
    ffebm_equilibrium_config equilibrium, settles = {.size = sizeof settles};
    ffebm_model *second = NULL;
    const char *text;
    size_t length;

    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    assert_ok(f.context, ffebm_model_recipe(f.model, &recipe));
    recipe.epochs = 3;
    recipe.lr = 0.375;
    equilibrium.estimator = FFEBM_ESTIMATOR_POSITIVE;
    recipe.nesterov = 1;
    assert_ok(f.context, ffebm_model_set_recipe(f.model, &recipe));
    assert_ok(f.context, ffebm_model_set_equilibrium(f.model, &equilibrium));
    assert_ok(f.context, ffebm_model_description(f.model, &text, &length));
    assert_ok(f.context, ffebm_model_parse(f.context, &second, text, length, NULL));
    assert_ok(f.context, ffebm_model_recipe(second, &read));
    ck_assert(memcmp(&read, &recipe, sizeof recipe) == 0);
    assert_ok(f.context, ffebm_model_equilibrium(second, &settles));
    ck_assert(memcmp(&settles, &equilibrium, sizeof settles) == 0);
    ffebm_model_destroy(second);

#define BAD(field, value, words)                                                                                       \
    kept = recipe;                                                                                                     \
    kept.field = (value);                                                                                              \
    REFUSED(ffebm_model_set_recipe(f.model, &kept), FFEBM_ERR_ARGUMENT, words)
    BAD(epochs, 0, "epochs is 0");
    BAD(lr, NAN, "lr is nan");
    BAD(lr, -1, "lr is -1");
    BAD(label_smoothing, 1, "label_smoothing is 1");
    BAD(nesterov, 2, "nesterov is 2");
    BAD(schedule, 77, "schedule is 77");
#undef BAD
    assert_ok(f.context, ffebm_model_recipe(f.model, &read));
    ck_assert(memcmp(&read, &recipe, sizeof recipe) == 0);
    assert_ok(f.context, ffebm_model_set_recipe(f.model, NULL));
    assert_ok(f.context, ffebm_model_recipe(f.model, &read));
    ck_assert(read.epochs == 10);
    equilibrium.relaxation = 2;
    REFUSED(ffebm_model_set_equilibrium(f.model, &equilibrium), FFEBM_ERR_ARGUMENT, "relaxation is 2");
    assert_ok(f.context, ffebm_model_equilibrium(f.model, &settles));
    ck_assert(settles.estimator == FFEBM_ESTIMATOR_POSITIVE && settles.relaxation == 0);
    assert_ok(f.context, ffebm_model_set_equilibrium(f.model, NULL));
    assert_ok(f.context, ffebm_model_equilibrium(f.model, &settles));
    ck_assert(settles.estimator == FFEBM_ESTIMATOR_CENTERED);
}
END_TEST

static const struct {
    int32_t schedule, per;
    int64_t step, steps_per_epoch;
    double expected; /* from 1 to 0.5 in 4 epochs */
} rates[] = {
    {FFEBM_SCHEDULE_CONSTANT, FFEBM_PER_STEP, 39, 10, 1},   {FFEBM_SCHEDULE_COSINE, FFEBM_PER_EPOCH, 0, 10, 1},
    {FFEBM_SCHEDULE_COSINE, FFEBM_PER_EPOCH, 20, 10, 0.75}, {FFEBM_SCHEDULE_COSINE, FFEBM_PER_EPOCH, 29, 10, 0.75},
    {FFEBM_SCHEDULE_COSINE, FFEBM_PER_EPOCH, 400, 10, 0.5}, {FFEBM_SCHEDULE_COSINE, FFEBM_PER_STEP, 20, 10, 0.75},
    {FFEBM_SCHEDULE_COSINE, FFEBM_PER_STEP, 40, 10, 0.5},   {FFEBM_SCHEDULE_COSINE, FFEBM_PER_STEP, 2, 0, 0.75},
    {FFEBM_SCHEDULE_COSINE, FFEBM_PER_STEP, -5, 10, 1},     {FFEBM_SCHEDULE_COSINE, FFEBM_PER_STEP, 1, INT64_MAX, 1}};

START_TEST(learning_rate)
{
    ffebm_recipe recipe = {.size = sizeof recipe,
                           .epochs = 4,
                           .lr = 1,
                           .lr_min = 0.5,
                           .schedule = rates[_i].schedule,
                           .schedule_per = rates[_i].per};

    ck_assert_double_eq_tol(ffebm_recipe_learning_rate(&recipe, rates[_i].step, rates[_i].steps_per_epoch),
                            rates[_i].expected, 1e-15);
    ck_assert(ffebm_recipe_learning_rate(NULL, 0, 1) == 0);
}
END_TEST

/* From 0.5, in epochs of 10 steps. */
static const struct {
    ffebm_recipe recipe;
    int64_t step;
    double expected;
} courses[] = {
#define STAIRS(per, period)                                                                                            \
    {                                                                                                                  \
        .lr_factor = 0.25, .lr_period = period, .schedule = FFEBM_SCHEDULE_STEP, .schedule_per = FFEBM_PER_##per       \
    }
    {STAIRS(STEP, 15), 14, 0.5},
    {STAIRS(STEP, 15), 15, 0.125},
    {STAIRS(EPOCH, 1), 23, 0.03125},
    {STAIRS(EPOCH, 0), 23, 0.5},
    {{.warmup = 20, .schedule = FFEBM_SCHEDULE_CONSTANT, .schedule_per = FFEBM_PER_STEP}, 0, 0.025},
    {{.warmup = 20, .schedule = FFEBM_SCHEDULE_CONSTANT, .schedule_per = FFEBM_PER_STEP}, 14, 0.375},
    {{.warmup = 20, .schedule = FFEBM_SCHEDULE_CONSTANT, .schedule_per = FFEBM_PER_STEP}, 19, 0.5},
    {{.warmup = 4, .schedule = FFEBM_SCHEDULE_COSINE, .schedule_per = FFEBM_PER_EPOCH}, 27, 0.225}};

START_TEST(course_of_the_learning_rate)
{
    ffebm_recipe recipe = courses[_i].recipe;

    recipe.size = sizeof recipe;
    recipe.epochs = 4;
    recipe.lr = 0.5;
    recipe.lr_min = 0.1;
    ck_assert_double_eq_tol(ffebm_recipe_learning_rate(&recipe, courses[_i].step, 10), courses[_i].expected, 1e-15);
    recipe.size = offsetof(ffebm_recipe, warmup); /* of a program that does not know it */
    if (recipe.schedule == FFEBM_SCHEDULE_CONSTANT)
        ck_assert(ffebm_recipe_learning_rate(&recipe, courses[_i].step, 10) == 0.5);
}
END_TEST

Suite *test_recipe_suite(void)
{
    TCase *tests;
    Suite *suite = refusal_suite("recipe", &tests);

    tcase_add_test(tests, equilibrium_of_a_recipe);
    tcase_add_test(tests, recipe_of_an_older_program);
    tcase_add_loop_test(tests, engine_of_a_recipe, 0, COUNT(chains));
    tcase_add_test(tests, engine_of_an_impossible_recipe);
    tcase_add_test(tests, optimizer_of_a_recipe);
    tcase_add_test(tests, refuse);
    tcase_add_test(tests, set_recipe);
    tcase_add_loop_test(tests, learning_rate, 0, COUNT(rates));
    tcase_add_loop_test(tests, course_of_the_learning_rate, 0, COUNT(courses));
    return suite;
}

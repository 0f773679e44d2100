/* The reference files, through the public API: their free states are reproduced, and damage to a weight is seen, so that
 * the comparison of examples/verify_reference can fail. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

enum { NAME = 128 };

static const double bound = 1e-8; /* that of verify_reference */

static const char *const files[] = {"tests/reference/conv_2block.safetensors",
                                    "tests/reference/conv_3block_clamped.safetensors",
                                    "tests/reference/conv_pool_fc_1block.safetensors",
                                    "tests/reference/dense_1block_mse.safetensors",
                                    "tests/reference/nonsquare_eval.safetensors",
                                    "tests/reference/resnet_basicblock.safetensors",
                                    "tests/reference/avgpool_slopes.safetensors",
                                    "tests/reference/graph_skip_relu6.safetensors",
                                    "tests/reference/smooth.safetensors"};

static char *metadata(ffebm_context *context, const char *path, const char *key)
{
    size_t length;
    char *text;

    assert_ok(context, ffebm_checkpoint_metadata(context, NULL, 0, &length, path, key));
    text = malloc(length + 1);
    ck_assert_ptr_nonnull(text);
    assert_ok(context, ffebm_checkpoint_metadata(context, text, length + 1, NULL, path, key));
    return text;
}

static ffebm_tensor *read_tensor(const fixture *f, const char *path, const char *name)
{
    ffebm_tensor *tensor;

    assert_ok(f->context, ffebm_checkpoint_tensor(f->context, &tensor, path, name));
    return tensor;
}

static ffebm_parameter_info parameter_at(const fixture *f, size_t index)
{
    ffebm_parameter_info info = {.size = sizeof info};

    assert_ok(f->context, ffebm_model_inspect_parameter(f->model, &info, index));
    return info;
}

static void load_values(const fixture *f, const char *path)
{
    for (size_t i = 0; i < f->info.parameter_count + f->info.buffer_count; i++) {
        ffebm_parameter_info info = parameter_at(f, i);
        char name[NAME];
        ffebm_tensor *value;
        ffebm_status status;

        snprintf(name, sizeof name, "%s.%s", info.role == FFEBM_ROLE_BUFFER ? "buffer" : "param", info.name);
        status = ffebm_checkpoint_tensor(f->context, &value, path, name);
        if (status == FFEBM_ERR_NOT_FOUND && info.role == FFEBM_ROLE_BUFFER)
            continue; /* in training mode there are none */
        ck_assert_msg(status == FFEBM_OK, "%s", ffebm_context_error(f->context));
        assert_ok(f->context, ffebm_tensor_copy(info.value, value));
        ffebm_tensor_destroy(value);
    }
}

/* Model, values, mode and sweeps of a file. */
static fixture fixture_of_file(const char *path)
{
    ffebm_context *context;
    ffebm_equilibrium_config config;
    char *json, *sweeps, *mode;
    fixture f;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    json = metadata(context, path, "model");
    sweeps = metadata(context, path, "free_sweeps");
    mode = metadata(context, path, "batchnorm");
    f = fixture_of(json, FFEBM_FLOAT64, 1, 0);
    load_values(&f, path);
    if (strncmp(mode, "evaluation", strlen("evaluation")) == 0)
        assert_ok(f.context, ffebm_engine_set_mode(f.engine, FFEBM_MODE_EVALUATION));
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_tolerance = 0;
    config.free_sweeps = strtoll(sweeps, NULL, 10);
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &config));
    free(json);
    free(sweeps);
    free(mode);
    ffebm_context_destroy(context);
    return f;
}

/* max |a - b| / max |b| */
static double deviation(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double difference = 0, size = 0;

    ck_assert_uint_eq(ffebm_tensor_count(a), ffebm_tensor_count(b));
    for (size_t i = 0; i < ffebm_tensor_count(b); i++) {
        difference = fmax(difference, fabs(element(a, i) - element(b, i)));
        size = fmax(size, fabs(element(b, i)));
    }
    return difference == 0 ? 0 : difference / size;
}

/* The largest deviation of a layer of one stage from the file's. */
static double stage_deviation(const fixture *f, const char *path, size_t stage)
{
    ffebm_stage_info info = {.size = sizeof info};
    double worst = 0;

    assert_ok(f->context, ffebm_model_inspect_stage(f->model, &info, stage));
    for (size_t l = 0; l < info.layer_count; l++) {
        char name[NAME];
        ffebm_tensor *expected, *found;

        snprintf(name, sizeof name, "free.stage%zu.layer%zu", stage, l);
        expected = read_tensor(f, path, name);
        found = copy_of(f->context, expected);
        assert_ok(f->context, ffebm_engine_get_state(f->engine, found, stage, l, FFEBM_PHASE_FREE));
        worst = fmax(worst, deviation(found, expected));
        ffebm_tensor_destroy(expected);
        ffebm_tensor_destroy(found);
    }
    return worst;
}

static bool is_energy(const fixture *f, size_t stage)
{
    ffebm_stage_info info = {.size = sizeof info};

    assert_ok(f->context, ffebm_model_inspect_stage(f->model, &info, stage));
    return info.kind == FFEBM_STAGE_ENERGY;
}

static void check_all_states(const fixture *f, const char *path)
{
    size_t compared = 0;

    for (size_t s = 0; s < f->info.stage_count; s++)
        if (is_energy(f, s)) {
            ck_assert_msg(stage_deviation(f, path, s) <= bound, "%s stage %zu: %g", path, s,
                          stage_deviation(f, path, s));
            compared++;
        }
    ck_assert_uint_gt(compared, 0);
}

/* Move some of a coupling's weights by 1e-3, one at a time, and count how many moves its stage's free state shows. Not
 * all do: a weight between units that are saturated has no effect. */
static void check_damage(fixture *f, const char *path, const ffebm_tensor *input, const ffebm_parameter_info *weight)
{
    enum { TRIED = 12 };
    size_t seen = 0;

    for (size_t i = 0; i < TRIED; i++) {
        size_t at = i * (weight->count - 1) / (TRIED - 1);
        double value = element(weight->value, at), error;

        set_element(weight->value, at, value + 1e-3);
        assert_ok(f->context, ffebm_engine_forward(f->engine, NULL, &ticket, input));
        error = stage_deviation(f, path, weight->stage);
        seen += error > bound;
        ck_assert_msg(error == 0 || error <= bound || error > 1e-6, "%s: %s[%zu]: %g", path, weight->name, at, error);
        set_element(weight->value, at, value);
    }
    ck_assert_msg(4 * seen >= TRIED, "%s: %s: %zu of %d moves are seen", path, weight->name, seen, TRIED);
}

START_TEST(damage_to_a_weight_is_seen)
{
    const char *path = files[_i];
    fixture f = fixture_of_file(path);
    ffebm_tensor *input = read_tensor(&f, path, "input");
    size_t couplings = 0;

    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, input));
    check_all_states(&f, path);
    for (size_t i = 0; i < f.info.parameter_count; i++) {
        ffebm_parameter_info info = parameter_at(&f, i);

        if (is_energy(&f, info.stage) && info.rank > 1) {
            check_damage(&f, path, input, &info);
            couplings++;
        }
    }
    ck_assert_uint_gt(couplings, 0);
    assert_ok(f.context, ffebm_engine_forward(f.engine, NULL, &ticket, input)); /* undamaged again */
    check_all_states(&f, path);
    ffebm_tensor_destroy(input);
    fixture_end(&f);
}
END_TEST

Suite *test_reference_suite(void)
{
    Suite *suite = suite_create("reference");
    TCase *tests = tcase_create("reference");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, damage_to_a_weight_is_seen, 0, sizeof files / sizeof files[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

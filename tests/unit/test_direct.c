/* Direct products in float32 against the portable ones, for every instruction set that this processor has. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convolution/convolution.h"
#include "convolution/method.h"
#include "core/random.h"
#include "fixture.h"

enum { GEOMETRIES = 60, MOST_ROWS = 5 };

static const int32_t sets[] = {FFEBM_ISA_AVX2, FFEBM_ISA_AVX512};

enum { SETS = sizeof sets / sizeof sets[0] };

/* From `least` to `most`. */
static size_t draw(uint64_t seed, uint64_t counter, size_t least, size_t most)
{
    return least + (size_t)((double)(most - least + 1) * ffebm_random_uniform(seed, counter));
}

typedef struct geometry {
    ffebmi_windows windows;
    size_t out_channels;
} geometry;

/* Windows of all sorts, larger than the image and not square among them; channels that fill panels and that do not. Every
 * second is 3 x 3, which large images do by cells; every third has strides, which leave rests and skip places. */
static geometry random_geometry(uint64_t seed)
{
    bool deep = seed % 5 == 0; /* more than a group of a list */
    geometry c = {.out_channels = draw(seed, 0, 1, 70),
                  .windows = {.channels = deep ? draw(seed, 1, 130, 300) : draw(seed, 1, 1, 40)}};

    for (size_t i = 0; i < 2; i++) {
        size_t kernel = seed % 2 == 0 ? 3 : draw(seed, 2 + i, 1, 6), padding = draw(seed, 4 + i, 0, kernel - 1);
        size_t least = kernel > 2 * padding ? kernel - 2 * padding : 1;

        c.windows.kernel[i] = kernel;
        c.windows.padding[i] = padding;
        c.windows.stride[i] = seed % 3 == 0 ? draw(seed, 8 + i, 1, 4) : 1;
        c.windows.in[i] = draw(seed, 6 + i, least, least + (deep ? 1 : 12));
        c.windows.out[i] = (c.windows.in[i] + 2 * padding - kernel) / c.windows.stride[i] + 1;
    }
    if (seed % 8 == 0) /* the image that is a cell of its own */
        for (size_t i = 0; i < 2; i++) {
            c.windows.padding[i] = c.windows.stride[i] = 1;
            c.windows.in[i] = c.windows.out[i] = 2;
        }
    return c;
}

/* How many images: sometimes so many that they are done in more than one block. */
static size_t draw_rows(uint64_t seed)
{
    return seed % 20 == 0 ? draw(seed, 20, 65, 70) : draw(seed, 20, 1, MOST_ROWS);
}

static size_t below(const geometry *c)
{
    return c->windows.in[0] * c->windows.in[1] * c->windows.channels;
}

static size_t above(const geometry *c)
{
    return c->windows.out[0] * c->windows.out[1] * c->out_channels;
}

static size_t weight_count(const geometry *c)
{
    return c->windows.kernel[0] * c->windows.kernel[1] * c->windows.channels * c->out_channels;
}

static float *numbers(size_t count, uint64_t seed)
{
    float *x = malloc((count + 1) * sizeof *x);

    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)ffebm_random_normal(seed, i);
    return x;
}

/* Zeros but for a share of the numbers: 1 every third time, else so few that they are worth listing. */
static float *sparse(size_t count, uint64_t seed)
{
    float *x = numbers(count, seed);
    double share = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 0.2 : 0.01;

    for (size_t i = 0; i < count; i++)
        if (ffebm_random_uniform(seed + 1000, i) >= share)
            x[i] = 0;
    return x;
}

static ffebmi_convolution plan_of(const geometry *g, const ffebmi_arithmetic *arithmetic, bool in_turn)
{
    ffebmi_convolution c;

    ffebmi_convolution_plan(&c, arithmetic, &g->windows, g->out_channels, in_turn);
    return c;
}

/* One pass of some rows: up from below to above, or down, and on top of what is there where `add` says so. Weights are packed
 * for it alone, or for both. */
static float *pass_of(const geometry *g, const ffebmi_arithmetic *k, const float *weights, size_t rows, const float *x,
                      bool up, bool add)
{
    bool in_turn = rows % 2 == 1;
    unsigned passes = !in_turn ? FFEBMI_BOTH : up ? FFEBMI_UP : FFEBMI_DOWN;
    ffebmi_convolution c = plan_of(g, k, in_turn);
    float *memory = numbers(c.packed, 0), *scratch = numbers(c.scratch, 0);
    float *z = numbers(rows * (up ? above(g) : below(g)), 9);
    ffebmi_packed packed = {.full = c.packed > 0 ? memory : weights};

    if (c.packed > 0)
        ffebmi_convolution_pack(&c, passes, weights, memory, 0, ffebmi_convolution_pack_units(&c, passes));
    if (up)
        ffebmi_convolution_up(&c, &packed, rows, x, z, scratch);
    else
        ffebmi_convolution_down(&c, &packed, rows, x, add, z, scratch);
    free(memory);
    free(scratch);
    return z;
}

static float *passed(const geometry *g, const ffebmi_arithmetic *k, const float *weights, size_t rows, const float *x,
                     bool up)
{
    return pass_of(g, k, weights, rows, x, up, rows % 3 != 0);
}

static void assert_close(const float *a, const float *b, size_t count, uint64_t seed)
{
    double error = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        error = fmax(error, fabs((double)a[i] - (double)b[i]));
        size = fmax(size, fabs((double)b[i]));
    }
    ck_assert_msg(error <= 1e-5 * size, "seed %d: error %g of %g", (int)seed, error, size);
}

static ffebmi_arithmetic portable(void)
{
    return ffebmi_arithmetic_for(FFEBM_FLOAT32, FFEBM_ISA_PORTABLE);
}

/* The arithmetic of a set of instructions, with minimal algorithms or without; false where the processor lacks it. */
static bool arithmetic_of(ffebmi_arithmetic *k, int set)
{
    *k = ffebmi_arithmetic_for(FFEBM_FLOAT32, sets[set / 2]);
    k->winograd = set % 2 == 0;
    return ffebmi_isa(sets[set / 2]) == sets[set / 2];
}

START_TEST(passes_equal_portable_ones)
{
    ffebmi_arithmetic k, plain = portable();
    bool have = arithmetic_of(&k, _i);

    for (uint64_t seed = 1; have && seed <= GEOMETRIES; seed++) {
        geometry c = random_geometry(seed);
        size_t rows = draw_rows(seed);
        float *w = numbers(weight_count(&c), 100 + seed);

        for (int up = 0; up < 2; up++) {
            size_t from = rows * (up ? below(&c) : above(&c)), to = rows * (up ? above(&c) : below(&c));
            float *x = sparse(from, 200 + seed);
            float *a = passed(&c, &k, w, rows, x, up), *b = passed(&c, &plain, w, rows, x, up);

            ck_assert_str_eq(plan_of(&c, &k, false).method->name, "direct");
            ck_assert_str_ne(plan_of(&c, &plain, false).method->name, "direct");
            assert_close(a, b, to, seed);
            free(x);
            free(a);
            free(b);
        }
        free(w);
    }
}
END_TEST

static float *weights_of(const geometry *g, const ffebmi_arithmetic *k, size_t rows, const float *v, const float *s)
{
    ffebmi_convolution c = plan_of(g, k, false);
    float *gradient = numbers(c.patch * c.out_channels, 5), *scratch = numbers(c.scratch, 0);
    const ffebmi_pairs pairs = {.count = 2, .v = {v, v + above(g)}, .s = {s, s + below(g)}};

    ffebmi_convolution_gradient(&c, rows, &pairs, -0.5, gradient, 0,
                                ffebmi_convolution_units(&c.windows, c.out_channels), scratch);
    free(scratch);
    return gradient;
}

START_TEST(gradients_equal_portable_ones)
{
    ffebmi_arithmetic k, plain = portable();
    bool have = arithmetic_of(&k, _i);

    for (uint64_t seed = 1; have && seed <= GEOMETRIES; seed++) {
        geometry c = random_geometry(seed);
        size_t rows = draw_rows(seed);
        float *s = numbers((rows + 1) * below(&c), 300 + seed), *v = numbers((rows + 1) * above(&c), 400 + seed);
        float *a = weights_of(&c, &k, rows, v, s), *b = weights_of(&c, &plain, rows, v, s);

        assert_close(a, b, weight_count(&c), seed);
        free(s);
        free(v);
        free(a);
        free(b);
    }
}
END_TEST

/* Units of some output channels, from cotangents that have no others: the bits of those that have all. */
START_TEST(cotangents_of_a_unit_suffice)
{
    ffebmi_arithmetic k;
    bool have = arithmetic_of(&k, _i);

    for (uint64_t seed = 1; have && seed <= GEOMETRIES; seed++) {
        geometry g = random_geometry(seed);
        ffebmi_convolution c = plan_of(&g, &k, false);
        size_t rows = draw_rows(seed), pixels = rows * c.out_pixels, units, outs;
        float *s = numbers((rows + 1) * below(&g), 300 + seed), *v = numbers((rows + 1) * above(&g), 400 + seed);
        float *all = weights_of(&g, &k, rows, v, s), *parts = numbers(c.patch * c.out_channels, 5);
        float *scratch = numbers(c.scratch, 0),
              *some[2] = {numbers(pixels * c.unit[0], 0), numbers(pixels * c.unit[0], 0)};

        units = ffebmi_convolution_units(&c.windows, c.out_channels);
        for (size_t unit = 0; unit < units; unit++) {
            size_t from = ffebmi_convolution_unit(&c, unit, &outs);
            const ffebmi_pairs pairs = {
                .count = 2, .v = {some[0], some[1]}, .s = {s, s + below(&g)}, .from = from, .channels = outs};

            for (size_t i = 0; i < pixels * outs; i++)
                for (size_t pair = 0; pair < 2; pair++)
                    some[pair][i] = v[pair * above(&g) + i / outs * c.out_channels + from + i % outs];
            ffebmi_convolution_gradient(&c, rows, &pairs, -0.5, parts, unit, 1, scratch);
        }
        ck_assert_msg(memcmp(all, parts, weight_count(&g) * sizeof *all) == 0, "seed %d", (int)seed);
        free(s), free(v), free(all), free(parts), free(scratch), free(some[0]), free(some[1]);
    }
}
END_TEST

/* A register tile takes positions of several images: which ones must not matter, so that no cut of a batch does. */
START_TEST(rows_alone_give_the_same_bits)
{
    ffebmi_arithmetic k;
    bool have = arithmetic_of(&k, _i);

    for (uint64_t seed = 1; have && seed <= GEOMETRIES; seed++) {
        geometry c = random_geometry(seed);
        float *w = numbers(weight_count(&c), 3);

        for (int up = 0; up < 2; up++) {
            size_t from = up ? below(&c) : above(&c), to = up ? above(&c) : below(&c);
            float *x = numbers(MOST_ROWS * from, 4), *all = pass_of(&c, &k, w, MOST_ROWS, x, up, false);

            for (size_t r = 0; r < MOST_ROWS; r++) {
                float *one = pass_of(&c, &k, w, 1, x + r * from, up, false);

                ck_assert_msg(memcmp(one, all + r * to, to * sizeof *one) == 0, "seed %d row %zu", (int)seed, r);
                free(one);
            }
            free(x);
            free(all);
        }
        free(w);
    }
}
END_TEST

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* <v, W s> = <W^T v, s> = <v s^T, W>: up, down and the gradient are one bilinear form. */
START_TEST(passes_are_adjoint)
{
    ffebmi_arithmetic k;
    bool have = arithmetic_of(&k, _i);
    const size_t rows = 2;

    for (uint64_t seed = 1; have && seed <= GEOMETRIES / 2; seed++) {
        geometry c = random_geometry(seed);
        ffebmi_convolution plan = plan_of(&c, &k, false);
        float *w = numbers(weight_count(&c), 3), *s = sparse(rows * below(&c), 300 + seed);
        float *v = sparse(rows * above(&c), 400 + seed), *scratch = numbers(plan.scratch, 0);
        float *gradient = calloc(weight_count(&c), sizeof *gradient);
        float *up = pass_of(&c, &k, w, rows, s, true, false);
        float *down = pass_of(&c, &k, w, rows, v, false, false);
        double form = dot(v, up, rows * above(&c)), size;

        ck_assert_ptr_nonnull(gradient);
        ffebmi_convolution_gradient(&plan, rows, &(ffebmi_pairs){.count = 1, .v = {v}, .s = {s}}, 1, gradient, 0,
                                    ffebmi_convolution_units(&c.windows, c.out_channels), scratch);
        size = sqrt(dot(v, v, rows * above(&c)) * dot(up, up, rows * above(&c)));
        ck_assert_double_le(fabs(form - dot(down, s, rows * below(&c))), 1e-5 * size);
        ck_assert_double_le(fabs(form - dot(gradient, w, weight_count(&c))), 1e-5 * size);
        free(w);
        free(s);
        free(v);
        free(scratch);
        free(gradient);
        free(up);
        free(down);
    }
}
END_TEST

/* Which method a plan takes: square windows over square images. */
static const struct {
    size_t channels, outs, in, kernel, stride, padding;
    const char *method; /* with products for it, */
    const char *walk;   /* and by which walk */
    const char *gradient;
    const char *portable;
} choices[] = {{32, 32, 16, 3, 1, 1, "direct", "winograd", "winograd", "gathered"},
               {32, 32, 2, 3, 1, 1, "direct", "winograd", "winograd", "gathered"},
               {32, 32, 3, 3, 1, 0, "direct", "sums", "outer", "matrix"},
               {3, 32, 16, 3, 1, 1, "direct", "sums", "outer", "gathered"},
               {32, 32, 16, 5, 1, 2, "direct", "sums", "outer", "gathered"},
               {32, 32, 16, 4, 2, 1, "direct", "sums", "outer", "gathered"},
               {32, 32, 16, 3, 2, 1, "direct", "sums", "outer", "gathered"},
               {32, 32, 16, 1, 2, 0, "direct", "sums", "outer", "gathered"},
               {32, 32, 12, 9, 1, 4, "gathered", NULL, "shifted", "gathered"},
               {32, 32, 9, 9, 1, 0, "matrix", NULL, "shifted", "matrix"},
               {512, 32, 1, 1, 1, 0, "direct", "sums", "outer", "matrix"}};

START_TEST(plans_choose)
{
    geometry g = {.out_channels = choices[_i].outs, .windows = {.channels = choices[_i].channels}};
    ffebmi_arithmetic best = ffebmi_arithmetic_for(FFEBM_FLOAT32, 0), plain = portable();
    ffebmi_convolution c;

    for (size_t i = 0; i < 2; i++) {
        g.windows.in[i] = choices[_i].in;
        g.windows.kernel[i] = choices[_i].kernel;
        g.windows.stride[i] = choices[_i].stride;
        g.windows.padding[i] = choices[_i].padding;
        g.windows.out[i] = (choices[_i].in + 2 * choices[_i].padding - choices[_i].kernel) / choices[_i].stride + 1;
    }
    c = plan_of(&g, &plain, false);
    ck_assert_str_eq(c.method->name, choices[_i].portable);
    ck_assert_str_eq(c.gradient->name, "shifted");
    c = plan_of(&g, &best, false);
    if (best.products == NULL)
        return;
    ck_assert_str_eq(c.method->name, choices[_i].method);
    ck_assert_str_eq(c.gradient->name, choices[_i].gradient);
    if (choices[_i].walk != NULL)
        ck_assert_str_eq(c.up.method->name, choices[_i].walk);
    best.winograd = false;
    c = plan_of(&g, &best, false);
    ck_assert(c.up.scheme == NULL && c.int16 == 0);
}
END_TEST

static const char pooled[] =
    "{\"input\": [3, 8, 8], \"loss\": \"cross_entropy\", \"stages\": ["
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 12, \"kernel\": 3, \"padding\": 1}]},"
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, "
    "\"couplings\": ["
    "{\"type\": \"conv2d\", \"out_channels\": 20, \"kernel\": 3, \"padding\": 1, \"pool\": {\"type\": \"max\", "
    "\"kernel\": 2}}, {\"type\": \"dense\", \"out_features\": 34}]}},"
    "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": 4}]}]}";

/* The gradient of a whole model with the instructions up to a set. */
static ffebm_tensor *gradient_with(int32_t max_isa, ffebm_context **context)
{
    ffebm_context_config config;
    fixture f = {0};
    ffebm_equilibrium_config equilibrium;
    ffebm_tensor *x, *y, *result;

    ffebm_context_config_init(&config, sizeof config);
    config.max_isa = max_isa;
    ck_assert_int_eq(ffebm_context_create(&f.context, &config), FFEBM_OK);
    assert_ok(f.context, ffebm_model_parse(f.context, &f.model, pooled, sizeof pooled - 1, NULL));
    assert_ok(f.context, ffebm_model_initialize(f.model, 1));
    assert_ok(f.context, ffebm_engine_create(&f.engine, f.model, NULL));
    f.info.size = sizeof f.info;
    assert_ok(f.context, ffebm_model_inspect(f.model, &f.info));
    ffebm_equilibrium_config_init(&equilibrium, sizeof equilibrium);
    equilibrium.free_tolerance = 0;
    equilibrium.nudged_tolerance = 0;
    equilibrium.switches = FFEBM_SWITCHES_HOLD;
    assert_ok(f.context, ffebm_engine_configure(f.engine, FFEBM_ALL, &equilibrium));
    x = random_input(&f, 3, 2);
    y = random_labels(&f, 3, 3);
    assert_ok(f.context, ffebm_engine_gradient(f.engine, NULL, x, y, NULL));
    result = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
    ffebm_tensor_destroy(x);
    ffebm_tensor_destroy(y);
    ffebm_engine_destroy(f.engine);
    ffebm_model_destroy(f.model);
    *context = f.context;
    return result;
}

START_TEST(max_isa_changes_rounding_alone)
{
    ffebm_context *contexts[2];
    ffebm_tensor *some = gradient_with(sets[_i], &contexts[0]), *none = gradient_with(FFEBM_ISA_PORTABLE, &contexts[1]);

    ck_assert_double_lt(relative_error(some, none), 1e-4);
    ffebm_tensor_destroy(some);
    ffebm_tensor_destroy(none);
    ffebm_context_destroy(contexts[0]);
    ffebm_context_destroy(contexts[1]);
}
END_TEST

Suite *test_direct_suite(void)
{
    Suite *suite = suite_create("direct");
    TCase *tests = tcase_create("direct");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, passes_equal_portable_ones, 0, 2 * SETS);
    tcase_add_loop_test(tests, gradients_equal_portable_ones, 0, 2 * SETS);
    tcase_add_loop_test(tests, cotangents_of_a_unit_suffice, 0, 2 * SETS);
    tcase_add_loop_test(tests, rows_alone_give_the_same_bits, 0, 2 * SETS);
    tcase_add_loop_test(tests, passes_are_adjoint, 0, 2 * SETS);
    tcase_add_loop_test(tests, plans_choose, 0, sizeof choices / sizeof choices[0]);
    tcase_add_loop_test(tests, max_isa_changes_rounding_alone, 0, SETS);
    suite_add_tcase(suite, tests);
    return suite;
}

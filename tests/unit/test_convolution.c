/* Ops on images against loops over channel, row and column, on random geometries; their VJPs against differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convolution/convolution.h"
#include "fixture.h"

enum { GEOMETRIES = 30, ROWS = 3 };

static const char *const ops[] = {"conv2d", "maxpool2d", "avgpool2d", "flatten"};

typedef struct geometry {
    const char *op;
    int64_t in[3]; /* channels, height, width */
    int64_t out[3];
    int64_t kernel[2];
    int64_t stride[2];
    int64_t padding[2];
} geometry;

static int64_t draw(uint64_t seed, uint64_t *counter, int64_t low, int64_t high)
{
    return low + (int64_t)(ffebm_random_uniform(seed, (*counter)++) * (double)(high - low + 1));
}

/* Every fifth has a 1 x 1 kernel, another fifth a stride beyond the kernel, another one channel. */
static geometry geometry_of(const char *op, uint64_t seed)
{
    geometry g = {.op = op};
    uint64_t at = 0;

    g.in[0] = seed % 5 == 2 ? 1 : draw(seed, &at, 1, 4);
    g.out[0] = strcmp(op, "conv2d") == 0 ? draw(seed, &at, 1, 4) : g.in[0];
    for (int i = 0; i < 2; i++) {
        int64_t least;

        g.kernel[i] = seed % 5 == 0 ? 1 : draw(seed, &at, 1, 4);
        g.stride[i] = seed % 5 == 1 ? g.kernel[i] + draw(seed, &at, 1, 2) : draw(seed, &at, 1, 3);
        g.padding[i] = draw(seed, &at, 0, g.kernel[i] - 1);
        least = g.kernel[i] - 2 * g.padding[i];
        g.in[1 + i] = draw(seed, &at, least < 1 ? 1 : least, 7);
        g.out[1 + i] = (g.in[1 + i] + 2 * g.padding[i] - g.kernel[i]) / g.stride[i] + 1;
    }
    return g;
}

static void print_geometry(char *text, size_t size, const geometry *g, uint64_t seed)
{
    snprintf(text, size, "%s seed %d: %dx%dx%d to %d, kernel %dx%d stride %dx%d padding %dx%d", g->op, (int)seed,
             (int)g->in[0], (int)g->in[1], (int)g->in[2], (int)g->out[0], (int)g->kernel[0], (int)g->kernel[1],
             (int)g->stride[0], (int)g->stride[1], (int)g->padding[0], (int)g->padding[1]);
}

static fixture fixture_of_geometry(const geometry *g, int32_t dtype, uint64_t seed)
{
    char json[512], out[32] = "", window[160] = "";

    if (strcmp(g->op, "conv2d") == 0)
        snprintf(out, sizeof out, ", \"out_channels\": %d", (int)g->out[0]);
    if (strcmp(g->op, "flatten") != 0)
        snprintf(window, sizeof window, ", \"kernel\": [%d, %d], \"stride\": [%d, %d], \"padding\": [%d, %d]",
                 (int)g->kernel[0], (int)g->kernel[1], (int)g->stride[0], (int)g->stride[1], (int)g->padding[0],
                 (int)g->padding[1]);
    snprintf(json, sizeof json,
             "{\"dtype\": \"float64\", \"input\": [%d, %d, %d], \"loss\": \"none\", \"stages\": [{\"feedforward\": "
             "[{\"type\": \"%s\"%s%s}]}]}",
             (int)g->in[0], (int)g->in[1], (int)g->in[2], g->op, out, window);
    return fixture_of(json, dtype, 1, seed);
}

/* Distinct values, 1 / count apart, in random order: no two of them change places under a step of a quarter of that. */
static ffebm_tensor *shuffled_input(const fixture *f, int64_t rows, uint64_t seed)
{
    ffebm_tensor *x = random_input(f, rows, seed);
    size_t count = ffebm_tensor_count(x);

    for (size_t i = 0; i < count; i++)
        set_element(x, i, ((double)i - (double)count / 2) / (double)count);
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = (size_t)(ffebm_random_uniform(seed, i) * (double)(i + 1));
        double value = element(x, i);

        set_element(x, i, element(x, j));
        set_element(x, j, value);
    }
    return x;
}

static ffebm_tensor *like_output(const fixture *f, int64_t rows, uint64_t seed)
{
    return random_batch(f->context, f->info.dtype, rows, f->info.output_shape, f->info.output_rank, -1, 1, seed);
}

static ffebm_tensor *forward(const fixture *f, const ffebm_tensor *x)
{
    ffebm_tensor *y = like_output(f, ffebm_tensor_shape(x, NULL)[0], 0);

    assert_ok(f->context, ffebm_engine_forward(f->engine, y, &ticket, x));
    return y;
}

static double dot(const ffebm_tensor *a, const ffebm_tensor *b)
{
    double sum = 0;

    ck_assert_uint_eq(ffebm_tensor_count(a), ffebm_tensor_count(b));
    for (size_t i = 0; i < ffebm_tensor_count(a); i++)
        sum += element(a, i) * element(b, i);
    return sum;
}

/* ------------------------------------------------------------------------------------------------- naive reference */

/* One output of a window: sample n, output channel o, place (i, j). `weight` is read by conv2d only. */
static double naive_window(const geometry *g, const ffebm_tensor *x, const ffebm_tensor *weight, int64_t n, int64_t o,
                           int64_t i, int64_t j)
{
    bool conv = strcmp(g->op, "conv2d") == 0;
    double sum = 0, most = -INFINITY;

    for (int64_t c = conv ? 0 : o; c <= (conv ? g->in[0] - 1 : o); c++)
        for (int64_t a = 0; a < g->kernel[0]; a++)
            for (int64_t b = 0; b < g->kernel[1]; b++) {
                int64_t h = i * g->stride[0] + a - g->padding[0], w = j * g->stride[1] + b - g->padding[1];
                double value;

                if (h < 0 || h >= g->in[1] || w < 0 || w >= g->in[2])
                    continue;
                value = element(x, (size_t)(((n * g->in[0] + c) * g->in[1] + h) * g->in[2] + w));
                most = fmax(most, value);
                sum += value *
                       (conv ? element(weight, (size_t)(((o * g->in[0] + c) * g->kernel[0] + a) * g->kernel[1] + b))
                             : 1.0 / (double)(g->kernel[0] * g->kernel[1]));
            }
    return strcmp(g->op, "maxpool2d") == 0 ? most : sum;
}

/* weight and bias are one after the other in the flat parameters. */
static void naive_forward(const geometry *g, const ffebm_tensor *x, const ffebm_tensor *parameters, ffebm_tensor *y)
{
    size_t at = 0, biases = (size_t)(g->out[0] * g->in[0] * g->kernel[0] * g->kernel[1]);

    if (strcmp(g->op, "flatten") == 0) {
        for (; at < ffebm_tensor_count(y); at++)
            set_element(y, at, element(x, at));
        return;
    }
    for (int64_t n = 0; n < ROWS; n++)
        for (int64_t o = 0; o < g->out[0]; o++)
            for (int64_t i = 0; i < g->out[1]; i++)
                for (int64_t j = 0; j < g->out[2]; j++, at++)
                    set_element(y, at,
                                naive_window(g, x, parameters, n, o, i, j) +
                                    (parameters == NULL ? 0 : element(parameters, biases + (size_t)o)));
    ck_assert_uint_eq(at, ffebm_tensor_count(y));
}

START_TEST(forward_equals_naive_loops)
{
    for (uint64_t seed = 0; seed < GEOMETRIES; seed++)
        for (int dtype = FFEBM_FLOAT32; dtype <= FFEBM_FLOAT64; dtype++) {
            geometry g = geometry_of(ops[_i], seed);
            fixture f = fixture_of_geometry(&g, dtype, seed);
            ffebm_tensor *x = shuffled_input(&f, ROWS, seed + 100), *y = forward(&f, x),
                         *expected = copy_of(f.context, y);
            char text[160];

            print_geometry(text, sizeof text, &g, seed);
            naive_forward(&g, x, ffebm_model_flat_parameters(f.model), expected);
            ck_assert_msg(relative_error(y, expected) < (dtype == FFEBM_FLOAT64 ? 1e-14 : 1e-6), "%s: %g", text,
                          relative_error(y, expected));
            ffebm_tensor_destroy(x);
            ffebm_tensor_destroy(y);
            ffebm_tensor_destroy(expected);
            fixture_end(&f);
        }
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------- VJPs */

/* <v, F> after moving `moved` by step * direction (NULL: its element i alone); moved is as before afterwards. */
static double shifted(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v, ffebm_tensor *moved,
                      const ffebm_tensor *direction, size_t i, double step)
{
    ffebm_tensor *before = copy_of(f->context, moved), *y;
    double value;

    for (size_t k = 0; direction != NULL && k < ffebm_tensor_count(moved); k++)
        set_element(moved, k, element(moved, k) + step * element(direction, k));
    if (direction == NULL)
        set_element(moved, i, element(moved, i) + step);
    y = forward(f, x);
    value = dot(v, y);
    assert_ok(f->context, ffebm_tensor_copy(moved, before));
    ffebm_tensor_destroy(before);
    ffebm_tensor_destroy(y);
    return value;
}

/* These ops are piecewise linear in each argument: central differences are exact. */
static void check_vjp(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v, ffebm_tensor *moved,
                      const ffebm_tensor *found, double step, const char *text)
{
    ffebm_tensor *u = copy_of(f->context, moved), *y = forward(f, x);
    double along, scale = sqrt(dot(v, v) * dot(y, y));

    for (size_t i = 0; i < ffebm_tensor_count(u); i++)
        set_element(u, i, 2 * ffebm_random_uniform(99, i) - 1);
    along = (shifted(f, x, v, moved, u, 0, step) - shifted(f, x, v, moved, u, 0, -step)) / (2 * step);
    scale = fmax(scale, sqrt(dot(found, found) * dot(u, u)));
    ck_assert_msg(fabs(along - dot(found, u)) <= 1e-12 * scale, "%s: <v, J u> %.17g, <J^T v, u> %.17g", text, along,
                  dot(found, u));
    for (size_t i = 0; i < ffebm_tensor_count(moved); i++) {
        double slope = shifted(f, x, v, moved, NULL, i, step) - shifted(f, x, v, moved, NULL, i, -step);

        ck_assert_msg(fabs(slope / (2 * step) - element(found, i)) <= 1e-8 * fmax(1, fabs(element(found, i))),
                      "%s: element %zu: %g, by differences %g", text, i, element(found, i), slope / (2 * step));
    }
    ffebm_tensor_destroy(u);
    ffebm_tensor_destroy(y);
}

START_TEST(vjp_equals_differences)
{
    for (uint64_t seed = 0; seed < GEOMETRIES; seed++) {
        geometry g = geometry_of(ops[_i], seed);
        fixture f = fixture_of_geometry(&g, 0, seed);
        ffebm_tensor *x = shuffled_input(&f, ROWS, seed + 200), *v = like_output(&f, ROWS, seed + 300);
        ffebm_tensor *dx = copy_of(f.context, x), *y = forward(&f, x), *dw = NULL;
        char text[160];

        print_geometry(text, sizeof text, &g, seed);
        assert_ok(f.context, ffebm_engine_vjp(f.engine, dx, ticket, v, 0));
        if (f.info.element_count > 0)
            dw = copy_of(f.context, ffebm_engine_flat_gradient(f.engine));
        check_vjp(&f, x, v, x, dx, 0.25 / (double)ffebm_tensor_count(x), text);
        if (dw != NULL)
            check_vjp(&f, x, v, ffebm_model_flat_parameters(f.model), dw, 0.5, text);
        ffebm_tensor_destroy(x);
        ffebm_tensor_destroy(v);
        ffebm_tensor_destroy(dx);
        ffebm_tensor_destroy(dw);
        ffebm_tensor_destroy(y);
        fixture_end(&f);
    }
}
END_TEST

/* ---------------------------------------------------------------------------------------------- a stack of all ops */

/* More than 64 output channels, so that the gradient's units are several; images larger than a block of pixels. */
static const char stack[] =
    "{\"dtype\": \"float64\", \"input\": [3, 13, 11], \"loss\": \"none\", \"stages\": [{\"feedforward\": ["
    "{\"type\": \"conv2d\", \"out_channels\": 70, \"kernel\": [3, 2], \"padding\": [1, 0]}, {\"type\": \"maxpool2d\", "
    "\"kernel\": 3, \"stride\": 2, \"padding\": 1}, {\"type\": \"conv2d\", \"out_channels\": 5, \"kernel\": 3, "
    "\"padding\": 2, \"bias\": false}, {\"type\": \"avgpool2d\", \"kernel\": [2, 3], \"stride\": [2, 1], "
    "\"padding\": [1, 2]}, {\"type\": \"tanh\"}, {\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": "
    "4}]}]}";

/* y, dx and the gradient of one run. */
static void run_stack(const fixture *f, const ffebm_tensor *x, const ffebm_tensor *v, ffebm_tensor *results[3])
{
    results[0] = forward(f, x);
    results[1] = copy_of(f->context, x);
    assert_ok(f->context, ffebm_engine_vjp(f->engine, results[1], ticket, v, 0));
    results[2] = copy_of(f->context, ffebm_engine_flat_gradient(f->engine));
}

static ffebm_tensor *row_of(const fixture *f, const ffebm_tensor *batch, size_t row)
{
    size_t rank, units = ffebm_tensor_count(batch) / (size_t)ffebm_tensor_shape(batch, NULL)[0];
    const int64_t *shape = ffebm_tensor_shape(batch, &rank);
    ffebm_tensor *one = random_batch(f->context, ffebm_tensor_dtype(batch), 1, shape + 1, rank - 1, 0, 0, 0);

    for (size_t i = 0; i < units; i++)
        set_element(one, i, element(batch, row * units + i));
    return one;
}

START_TEST(a_batch_is_its_samples)
{
    enum { MANY = 7 };
    fixture f = fixture_of(stack, 0, 1, 4);
    ffebm_tensor *x = random_input(&f, MANY, 1), *v = like_output(&f, MANY, 2), *together[3], *sum;

    run_stack(&f, x, v, together);
    sum = copy_of(f.context, together[2]);
    for (size_t i = 0; i < f.info.element_count; i++)
        set_element(sum, i, 0);
    for (size_t r = 0; r < MANY; r++) {
        ffebm_tensor *one[4] = {row_of(&f, x, r), row_of(&f, v, r), row_of(&f, together[0], r),
                                row_of(&f, together[1], r)};
        ffebm_tensor *alone[3];

        run_stack(&f, one[0], one[1], alone);
        ck_assert_double_lt(relative_error(alone[0], one[2]), 1e-13);
        ck_assert_double_lt(relative_error(alone[1], one[3]), 1e-13);
        for (size_t i = 0; i < f.info.element_count; i++)
            set_element(sum, i, element(sum, i) + element(alone[2], i));
        destroy_all(one, 4);
        destroy_all(alone, 3);
    }
    ck_assert_double_lt(relative_error(sum, together[2]), 1e-13);
    destroy_all(together, 3);
    destroy_all((ffebm_tensor *[]){x, v, sum}, 3);
    fixture_end(&f);
}
END_TEST

START_TEST(threads_do_not_change_bits)
{
    int32_t dtype = _i == 0 ? FFEBM_FLOAT32 : FFEBM_FLOAT64;
    ffebm_tensor *results[3][3];
    fixture f[3];

    for (int32_t t = 0; t < 3; t++) {
        ffebm_tensor *x, *v;

        f[t] = fixture_of(stack, dtype, t + 1, 4);
        x = random_input(&f[t], 37, 1);
        v = like_output(&f[t], 37, 2);
        run_stack(&f[t], x, v, results[t]);
        destroy_all((ffebm_tensor *[]){x, v}, 2);
        for (int i = 0; i < 3; i++)
            ck_assert_mem_eq(ffebm_tensor_data(results[t][i]), ffebm_tensor_data(results[0][i]),
                             ffebm_tensor_count(results[0][i]) * (dtype == FFEBM_FLOAT32 ? 4 : 8));
    }
    for (int t = 0; t < 3; t++) {
        destroy_all(results[t], 3);
        fixture_end(&f[t]);
    }
}
END_TEST

START_TEST(float32_is_close_to_float64)
{
    fixture wide = fixture_of(stack, FFEBM_FLOAT64, 1, 4), narrow = fixture_of(stack, FFEBM_FLOAT32, 1, 4);
    ffebm_tensor *x = random_input(&wide, 5, 1), *v = like_output(&wide, 5, 2), *expected[3], *found[3];
    ffebm_tensor *x32 = random_input(&narrow, 5, 1), *v32 = like_output(&narrow, 5, 2);

    run_stack(&wide, x, v, expected);
    run_stack(&narrow, x32, v32, found);
    for (int i = 0; i < 3; i++)
        ck_assert_double_lt(relative_error(found[i], expected[i]), 1e-5);
    destroy_all(expected, 3);
    destroy_all(found, 3);
    destroy_all((ffebm_tensor *[]){x, v, x32, v32}, 4);
    fixture_end(&wide);
    fixture_end(&narrow);
}
END_TEST

/* ----------------------------------------------------------------------------------------------------- the passes */

static double *numbers(size_t count, uint64_t seed)
{
    double *x = calloc(count + 1, sizeof *x);

    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < count; i++)
        x[i] = 2 * ffebm_random_uniform(seed, i) - 1;
    return x;
}

static ffebmi_convolution plan_of(uint64_t seed)
{
    const ffebmi_arithmetic arithmetic = ffebmi_arithmetic_for(FFEBM_FLOAT64, 0);
    geometry g = geometry_of("conv2d", seed);
    ffebmi_windows w = {0};
    ffebmi_convolution c;

    /* many channels: patches so large that even a small image is several blocks of pixels */
    w.channels = seed % 4 == 2 ? 900 : (size_t)g.in[0];
    for (int i = 0; i < 2; i++) {
        w.in[i] = (size_t)g.in[1 + i];
        w.out[i] = (size_t)g.out[1 + i];
        w.kernel[i] = (size_t)g.kernel[i];
        w.stride[i] = (size_t)g.stride[i];
        w.padding[i] = (size_t)g.padding[i];
    }
    ffebmi_convolution_plan(&c, &arithmetic, &w, seed % 4 == 3 ? 130 : (size_t)g.out[0], false);
    return c;
}

/* <v, W s> = <W^T v, s> = <v s^T, W>, up, down and gradient; the gradient unit by unit; down on top of what is there. */
START_TEST(passes_are_adjoint)
{
    uint64_t seed = (uint64_t)_i;
    ffebmi_convolution c = plan_of(seed);
    const ffebmi_arrays *k = c.arrays;
    size_t below = ROWS * c.in_pixels * c.windows.channels, above = ROWS * c.out_pixels * c.out_channels;
    size_t weights = c.out_channels * c.patch;
    double *s = numbers(below, seed), *v = numbers(above, seed + 1), *w = numbers(weights, seed + 2);
    double *z = numbers(above, 0), *u = numbers(below, 0), *gradient = numbers(weights, seed + 3);
    double *memory = numbers(c.packed, 0), *scratch = numbers(c.scratch, 0), up, down, start, scale;
    const ffebmi_packed packed = {.full = c.packed > 0 ? memory : w};
    const ffebmi_pairs pairs = {.count = 1, .v = {v}, .s = {s}};

    if (c.packed > 0)
        ffebmi_convolution_pack(&c, FFEBMI_BOTH, w, memory, 0, ffebmi_convolution_pack_units(&c, FFEBMI_BOTH));
    ffebmi_convolution_up(&c, &packed, ROWS, s, z, scratch);
    up = k->dot(above, v, z);
    scale = 1e-12 * (k->norm(above, v) * k->norm(above, z) + 1);
    ffebmi_convolution_down(&c, &packed, ROWS, v, false, u, scratch);
    down = k->dot(below, u, s);
    ck_assert_msg(fabs(up - down) < scale, "seed %d: <v, W s> %.17g, <W^T v, s> %.17g", _i, up, down);
    ffebmi_convolution_down(&c, &packed, ROWS, v, true, u, scratch);
    ck_assert_msg(fabs(2 * down - k->dot(below, u, s)) < scale, "seed %d: down does not accumulate", _i);
    start = k->dot(weights, gradient, w);
    for (size_t unit = 0; unit < ffebmi_convolution_units(&c.windows, c.out_channels); unit++)
        ffebmi_convolution_gradient(&c, ROWS, &pairs, 0.5, gradient, unit, 1, scratch);
    ck_assert_msg(fabs(start + up / 2 - k->dot(weights, gradient, w)) < scale, "seed %d: gradient", _i);

    free(s), free(v), free(w), free(z), free(u), free(gradient), free(memory), free(scratch);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- errors */

#define MODEL(shape, stages) "{\"input\": " shape ", \"loss\": \"none\", \"stages\": [" stages "]}"
#define DIGITAL(ops) "{\"feedforward\": [" ops "]}"
#define ANALOG(couplings) "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [" couplings "]}}"
#define WINDOW(type, rest) "{\"type\": \"" type "\", " rest "}"
#define CONV(rest) WINDOW("conv2d", "\"out_channels\": 2, " rest)
#define RELU "{\"type\": \"relu\"}"

static const struct {
    const char *json;
    const char *text;
} misfits[] = {
    {MODEL("[1, 4, 9]", DIGITAL(CONV("\"kernel\": 5"))), "stage 0 op 0 (conv2d): kernel 5 larger than padded input 4"},
    {MODEL("[1, 9, 2]", DIGITAL(RELU ", " CONV("\"kernel\": [5, 7], \"padding\": [0, 2]"))),
     "stage 0 op 1 (conv2d): kernel 7 larger than padded input 6"},
    {MODEL("[7]", DIGITAL(CONV("\"kernel\": 1"))), "stage 0 op 0 (conv2d): input is [7], expected"},
    {MODEL("[7, 2]", DIGITAL(WINDOW("maxpool2d", "\"kernel\": 2"))), "stage 0 op 0 (maxpool2d): input is [7, 2]"},
    {MODEL("[2, 3, 3]", DIGITAL(WINDOW("avgpool2d", "\"kernel\": [2, 4]"))),
     "stage 0 op 0 (avgpool2d): kernel 4 larger than padded input 3"},
    {MODEL("[2, 3, 3]", DIGITAL("{\"type\": \"flatten\"}, {\"type\": \"batchnorm2d\"}")),
     "stage 0 op 1 (batchnorm2d): input is [18]"},
    {MODEL("[2, 6, 6]", DIGITAL(RELU) ", " ANALOG(CONV("\"kernel\": 3") ", " CONV("\"kernel\": 5"))),
     "stage 1 coupling 1 (conv2d): kernel 5 larger than padded input 4"},
    {MODEL("[2, 6, 7]", ANALOG(CONV("\"kernel\": 1, \"pool\": {\"type\": \"max\", \"kernel\": 2}"))),
     "stage 0 coupling 0 (conv2d): kernel 2 with stride 2 does not tile padded input 7: 1 left over"},
    {MODEL("[9]", ANALOG(CONV("\"kernel\": 1"))), "stage 0 coupling 0 (conv2d): input is [9]"},
    {MODEL("[2, 32, 32]", DIGITAL(RELU ", " WINDOW("maxpool2d", "\"kernel\": 16"))),
     "stage 0 op 1: maxpool2d: a pool of 16 x 16, expected at most 255 places"},
    {MODEL("[2, 32, 32]", ANALOG(CONV("\"kernel\": 1, \"pool\": {\"type\": \"max\", \"kernel\": 16}"))),
     "stage 0 coupling 0: conv2d coupling, its pool: a pool of 16 x 16, expected at most 255 places"}};

START_TEST(misfits_are_named)
{
    ffebm_context *context;
    ffebm_model *model;
    ffebm_status status;
    bool too_many = strstr(misfits[_i].text, "places") != NULL;

    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
    status = ffebm_model_parse(context, &model, misfits[_i].json, strlen(misfits[_i].json), NULL);
    ck_assert_msg(strstr(ffebm_context_error(context), misfits[_i].text) != NULL, "expected \"%s\", found \"%s\"",
                  misfits[_i].text, ffebm_context_error(context));
    ck_assert_msg(status == (too_many ? FFEBM_ERR_PARSE : FFEBM_ERR_SHAPE), "%s", ffebm_status_text(status));
    ck_assert_ptr_null(model);
    ffebm_context_destroy(context);
}
END_TEST

/* 255 places are allowed, and the last of them can be the one. */
START_TEST(the_largest_pool_finds_its_last_place)
{
    fixture f =
        fixture_of(MODEL("[1, 17, 15]", DIGITAL(WINDOW("maxpool2d", "\"kernel\": [17, 15]"))), FFEBM_FLOAT64, 1, 0);
    ffebm_tensor *x = random_input(&f, 1, 1), *v, *y;

    set_element(x, 254, 2);
    y = forward(&f, x);
    ck_assert_double_eq(element(y, 0), 2);
    v = copy_of(f.context, y);
    assert_ok(f.context, ffebm_engine_vjp(f.engine, x, ticket, v, 0));
    for (size_t i = 0; i < 255; i++)
        ck_assert_double_eq(element(x, i), i == 254 ? 2 : 0);
    destroy_all((ffebm_tensor *[]){x, v, y}, 3);
    fixture_end(&f);
}
END_TEST

Suite *test_convolution_suite(void)
{
    Suite *suite = suite_create("convolution");
    TCase *tests = tcase_create("convolution");

    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, forward_equals_naive_loops, 0, 4);
    tcase_add_loop_test(tests, vjp_equals_differences, 0, 4);
    tcase_add_test(tests, a_batch_is_its_samples);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 2);
    tcase_add_test(tests, float32_is_close_to_float64);
    tcase_add_loop_test(tests, passes_are_adjoint, 0, 40);
    tcase_add_loop_test(tests, misfits_are_named, 0, sizeof misfits / sizeof misfits[0]);
    tcase_add_test(tests, the_largest_pool_finds_its_last_place);
    suite_add_tcase(suite, tests);
    return suite;
}

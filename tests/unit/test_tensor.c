/* Tensors: what they hold, what they refuse, whose memory it is. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fixture.h"

static ffebm_context *context;

static void setup(void)
{
    ck_assert_int_eq(ffebm_context_create(&context, NULL), FFEBM_OK);
}

static void teardown(void)
{
    ffebm_context_destroy(context);
}

static ffebm_tensor *made(int32_t dtype, const int64_t *shape, size_t rank)
{
    ffebm_tensor *tensor;

    assert_ok(context, ffebm_tensor_create(context, &tensor, dtype, shape, rank));
    return tensor;
}

static const struct {
    int32_t dtype;
    size_t size;
} types[] = {{FFEBM_FLOAT32, sizeof(float)}, {FFEBM_FLOAT64, sizeof(double)}, {FFEBM_INT64, sizeof(int64_t)}};

START_TEST(create_every_rank)
{
    static const int64_t dims[FFEBM_MAX_RANK] = {3, 1, 2, 4, 1, 2, 3, 2};
    size_t count = 1;

    for (size_t rank = 1; rank <= FFEBM_MAX_RANK; rank++) {
        ffebm_tensor *tensor = made(types[_i].dtype, dims, rank);
        const unsigned char *bytes = ffebm_tensor_const_data(tensor);
        size_t found;

        count *= (size_t)dims[rank - 1];
        ck_assert_int_eq(ffebm_tensor_dtype(tensor), types[_i].dtype);
        ck_assert(memcmp(ffebm_tensor_shape(tensor, &found), dims, rank * sizeof dims[0]) == 0);
        ck_assert_uint_eq(found, rank);
        ck_assert_ptr_nonnull(ffebm_tensor_shape(tensor, NULL));
        ck_assert_uint_eq(ffebm_tensor_count(tensor), count);
        ck_assert_ptr_eq(ffebm_tensor_data(tensor), bytes);
        ck_assert_uint_eq((uintptr_t)bytes % types[_i].size, 0);
        for (size_t i = 0; i < count * types[_i].size; i++)
            ck_assert_msg(bytes[i] == 0, "rank %zu: byte %zu is not zero", rank, i);
        memset(ffebm_tensor_data(tensor), 1, count * types[_i].size);
        ffebm_tensor_destroy(tensor);
    }
}
END_TEST

#define HALF ((int64_t)1 << 30)

static const struct {
    const char *says;
    int64_t shape[9];
    size_t rank;
    int32_t dtype;
    ffebm_status status;
} refused[] = {
    {"rank 0", {1}, 0, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"rank 9", {1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"dimension 1 is 0", {4, 0}, 2, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"dimension 0 is -1", {-1, 2}, 2, FFEBM_FLOAT64, FFEBM_ERR_SHAPE},
    {"dimension 2 is -9223372036854775808", {1, 1, INT64_MIN}, 3, FFEBM_FLOAT64, FFEBM_ERR_SHAPE},
    {"9223372036854775807", {INT64_MAX}, 1, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"9223372036854775807", {1, INT64_MAX}, 2, FFEBM_INT64, FFEBM_ERR_SHAPE},
    {"overflow", {HALF, HALF}, 2, FFEBM_FLOAT64, FFEBM_ERR_SHAPE},
    {"overflow", {HALF, HALF, 16}, 3, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"overflow", {HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF}, 8, FFEBM_FLOAT32, FFEBM_ERR_SHAPE},
    {"dtype 0", {2}, 1, 0, FFEBM_ERR_ARGUMENT},
    {"dtype 4", {2}, 1, 4, FFEBM_ERR_ARGUMENT},
    {"dtype -1", {2}, 1, -1, FFEBM_ERR_ARGUMENT},
};

START_TEST(refuse_shapes_and_types)
{
    double memory[2];
    ffebm_tensor *tensor = (ffebm_tensor *)memory;

    ck_assert_int_eq(ffebm_tensor_create(context, &tensor, refused[_i].dtype, refused[_i].shape, refused[_i].rank),
                     refused[_i].status);
    ck_assert_ptr_null(tensor);
    ck_assert_msg(strstr(ffebm_context_error(context), refused[_i].says) != NULL, "\"%s\" lacks \"%s\"",
                  ffebm_context_error(context), refused[_i].says);
    tensor = (ffebm_tensor *)memory;
    ck_assert_int_eq(
        ffebm_tensor_wrap(context, &tensor, memory, refused[_i].dtype, refused[_i].shape, refused[_i].rank),
        refused[_i].status);
    ck_assert_ptr_null(tensor);
}
END_TEST

START_TEST(refuse_nulls)
{
    static const int64_t shape[] = {2};
    double memory[2];
    ffebm_tensor *tensor = (ffebm_tensor *)memory;

    ck_assert_int_eq(ffebm_tensor_create(context, NULL, FFEBM_FLOAT64, shape, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_tensor_create(context, &tensor, FFEBM_FLOAT64, NULL, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_null(tensor);
    ck_assert_int_eq(ffebm_tensor_wrap(context, NULL, memory, FFEBM_FLOAT64, shape, 1), FFEBM_ERR_ARGUMENT);
    tensor = (ffebm_tensor *)memory;
    ck_assert_int_eq(ffebm_tensor_wrap(context, &tensor, NULL, FFEBM_FLOAT64, shape, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_null(tensor);
    ck_assert_int_eq(ffebm_tensor_rewrap(NULL, memory, 1), FFEBM_ERR_ARGUMENT);
    ffebm_tensor_destroy(NULL);
    ck_assert_ptr_null(ffebm_tensor_data(NULL));
    ck_assert_ptr_null(ffebm_tensor_const_data(NULL));
    ck_assert_int_eq(ffebm_tensor_dtype(NULL), 0);
    ck_assert_ptr_null(ffebm_tensor_shape(NULL, NULL));
    ck_assert_uint_eq(ffebm_tensor_count(NULL), 0);
}
END_TEST

START_TEST(wrap_misaligned)
{
    static const int64_t shape[] = {2};
    double memory[4] = {1, 2, 3, 4};
    ffebm_tensor *tensor;

    for (size_t off = 0; off < sizeof(double); off++) {
        ffebm_status expected = off % types[_i].size == 0 ? FFEBM_OK : FFEBM_ERR_ARGUMENT;

        ck_assert_int_eq(ffebm_tensor_wrap(context, &tensor, (char *)memory + off, types[_i].dtype, shape, 1),
                         expected);
        ck_assert((tensor != NULL) == (expected == FFEBM_OK));
        ffebm_tensor_destroy(tensor);
    }
    assert_ok(context, ffebm_tensor_wrap(context, &tensor, memory, types[_i].dtype, shape, 1));
    ck_assert_int_eq(ffebm_tensor_rewrap(tensor, (char *)memory + 1, 1), FFEBM_ERR_ARGUMENT);
    ck_assert(strstr(ffebm_context_error(context), "aligned") != NULL);
    ck_assert_ptr_eq(ffebm_tensor_data(tensor), memory);
    ck_assert_uint_eq(ffebm_tensor_count(tensor), 2);
    ffebm_tensor_destroy(tensor);
}
END_TEST

START_TEST(wrap_and_rewrap)
{
    static const int64_t shape[] = {2, 3};
    double first[6] = {1, 2, 3, 4, 5, 6}, second[12] = {7};
    ffebm_tensor *tensor, *owned = made(FFEBM_FLOAT64, shape, 2);
    size_t rank;

    assert_ok(context, ffebm_tensor_wrap(context, &tensor, first, FFEBM_FLOAT64, shape, 2));
    ck_assert_ptr_eq(ffebm_tensor_data(tensor), first);
    assert_ok(context, ffebm_tensor_rewrap(tensor, second, 4));
    ck_assert_ptr_eq(ffebm_tensor_data(tensor), second);
    ck_assert_uint_eq(ffebm_tensor_count(tensor), 12);
    ck_assert_int_eq(ffebm_tensor_shape(tensor, &rank)[0], 4);
    ck_assert_int_eq(ffebm_tensor_shape(tensor, NULL)[1], 3);
    ck_assert_uint_eq(rank, 2);

    ck_assert_int_eq(ffebm_tensor_rewrap(tensor, first, 0), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(ffebm_tensor_rewrap(tensor, first, -3), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(ffebm_tensor_rewrap(tensor, first, INT64_MAX), FFEBM_ERR_SHAPE);
    ck_assert_int_eq(ffebm_tensor_rewrap(tensor, NULL, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_ptr_eq(ffebm_tensor_data(tensor), second);
    ck_assert_uint_eq(ffebm_tensor_count(tensor), 12);
    ck_assert_int_eq(ffebm_tensor_rewrap(owned, first, 2), FFEBM_ERR_STATE);

    ffebm_tensor_destroy(tensor);
    ck_assert(first[5] == 6 && second[0] == 7);
    ffebm_tensor_destroy(owned);
}
END_TEST

START_TEST(copy_same_type)
{
    static const int64_t shape[] = {2, 2}, labels[] = {4};
    int64_t numbers[] = {INT64_MIN, -1, 0, INT64_MAX};
    double values[] = {0.1, -INFINITY, NAN, 0x1p-1074};
    ffebm_tensor *from, *to = made(FFEBM_FLOAT64, shape, 2), *from_labels, *to_labels = made(FFEBM_INT64, labels, 1);

    assert_ok(context, ffebm_tensor_wrap(context, &from, values, FFEBM_FLOAT64, shape, 2));
    assert_ok(context, ffebm_tensor_copy(to, from));
    ck_assert(memcmp(ffebm_tensor_data(to), values, sizeof values) == 0);
    assert_ok(context, ffebm_tensor_copy(to, to));
    ck_assert(memcmp(ffebm_tensor_data(to), values, sizeof values) == 0);
    assert_ok(context, ffebm_tensor_wrap(context, &from_labels, numbers, FFEBM_INT64, labels, 1));
    assert_ok(context, ffebm_tensor_copy(to_labels, from_labels));
    ck_assert(memcmp(ffebm_tensor_data(to_labels), numbers, sizeof numbers) == 0);

    ck_assert_int_eq(ffebm_tensor_copy(to_labels, from), FFEBM_ERR_SHAPE);
    ck_assert(memcmp(ffebm_tensor_data(to_labels), numbers, sizeof numbers) == 0);
    ck_assert(strstr(ffebm_context_error(context), "[2, 2]") != NULL);
    ck_assert_int_eq(ffebm_tensor_copy(NULL, from), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_tensor_copy(to, NULL), FFEBM_ERR_ARGUMENT);
    ffebm_tensor_destroy(from);
    ffebm_tensor_destroy(to);
    ffebm_tensor_destroy(from_labels);
    ffebm_tensor_destroy(to_labels);
}
END_TEST

START_TEST(copy_converts)
{
    static const int64_t shape[] = {6};
    double values[] = {0.1, -2, 1e300, -1e300, 1e-60, 16777217};
    ffebm_tensor *wide, *narrow = made(FFEBM_FLOAT32, shape, 1), *labels = made(FFEBM_INT64, shape, 1);
    const float *singles = ffebm_tensor_data(narrow);

    assert_ok(context, ffebm_tensor_wrap(context, &wide, values, FFEBM_FLOAT64, shape, 1));
    assert_ok(context, ffebm_tensor_copy(narrow, wide));
    ck_assert(singles[0] == 0.1f && singles[1] == -2 && singles[4] == 0 && singles[5] == 16777216);
    ck_assert(isinf(singles[2]) && singles[2] > 0 && isinf(singles[3]) && singles[3] < 0);
    assert_ok(context, ffebm_tensor_copy(wide, narrow));
    ck_assert(values[0] == (double)0.1f && values[5] == 16777216);

    ck_assert_int_eq(ffebm_tensor_copy(labels, wide), FFEBM_ERR_DTYPE);
    ck_assert_int_eq(ffebm_tensor_copy(narrow, labels), FFEBM_ERR_DTYPE);
    ck_assert(singles[1] == -2);
    ffebm_tensor_destroy(wide);
    ffebm_tensor_destroy(narrow);
    ffebm_tensor_destroy(labels);
}
END_TEST

START_TEST(copy_across_contexts)
{
    static const int64_t shape[] = {3};
    ffebm_context *another;
    ffebm_tensor *from, *to = made(FFEBM_FLOAT32, shape, 1);

    ck_assert_int_eq(ffebm_context_create(&another, NULL), FFEBM_OK);
    assert_ok(another, ffebm_tensor_create(another, &from, FFEBM_FLOAT64, shape, 1));
    ffebm_context_destroy(another);
    set_element(from, 2, 5);
    assert_ok(context, ffebm_tensor_copy(to, from));
    ck_assert(element(to, 2) == 5);
    ffebm_tensor_destroy(from);
    ffebm_tensor_destroy(to);
}
END_TEST

/* Destroying what is borrowed does nothing: it still holds its values and its owner still works. */
START_TEST(destroy_borrowed)
{
    fixture f = fixture_of("{\"input\": [2], \"loss\": \"mse\", \"stages\": [{\"feedforward\": [{\"type\": \"linear\", "
                           "\"out_features\": 2}]}]}",
                           FFEBM_FLOAT64, 1, 4);
    ffebm_parameter_info info = {.size = sizeof info};
    ffebm_tensor *borrowed[3];

    assert_ok(f.context, ffebm_model_inspect_parameter(f.model, &info, 0));
    borrowed[0] = ffebm_model_flat_parameters(f.model);
    borrowed[1] = ffebm_engine_flat_gradient(f.engine);
    borrowed[2] = info.value;
    for (size_t i = 0; i < 3; i++) {
        const void *data = ffebm_tensor_const_data(borrowed[i]);

        ffebm_tensor_destroy(borrowed[i]);
        ffebm_tensor_destroy(borrowed[i]);
        ck_assert_ptr_eq(ffebm_tensor_const_data(borrowed[i]), data);
        ck_assert_int_eq(ffebm_tensor_rewrap(borrowed[i], &f, 1), FFEBM_ERR_STATE);
    }
    ck_assert(element(borrowed[0], 0) != 0 && element(borrowed[0], 0) == element(info.value, 0));
    fixture_end(&f);
}
END_TEST

/* Rows of an owned, a wrapping and a borrowed tensor: the same memory, and the handle moves on. */
START_TEST(rows_of_a_tensor)
{
    const int64_t shape[] = {5, 2, 3};
    ffebm_tensor *whole, *rows = NULL;
    size_t rank;

    assert_ok(context, ffebm_tensor_create(context, &whole, types[_i].dtype, shape, 3));
    assert_ok(context, ffebm_tensor_rows(whole, &rows, 1, 3));
    ck_assert_ptr_eq(ffebm_tensor_data(rows), (char *)ffebm_tensor_data(whole) + 6 * types[_i].size);
    ck_assert_int_eq(ffebm_tensor_shape(rows, &rank)[0], 3);
    ck_assert_uint_eq(rank, 3);
    ck_assert_uint_eq(ffebm_tensor_count(rows), 18);
    ck_assert_int_eq(ffebm_tensor_dtype(rows), types[_i].dtype);
    assert_ok(context, ffebm_tensor_rewrap(rows, ffebm_tensor_data(whole), 5));
    ck_assert_uint_eq(ffebm_tensor_count(rows), 30);
    ffebm_tensor_destroy(rows);
    for (int64_t n = -1; n <= 6; n++) {
        ffebm_status status = ffebm_tensor_rows(whole, &rows, n, 6 - n); /* one too many, or none */

        ck_assert_int_eq(status, FFEBM_ERR_ARGUMENT);
        ck_assert_ptr_null(rows);
    }
    ck_assert_int_eq(ffebm_tensor_rows(whole, &rows, 2, INT64_MAX), FFEBM_ERR_ARGUMENT);
    ck_assert_str_eq(ffebm_context_error(context),
                     "FFEBM_ERR_ARGUMENT: ffebm_tensor_rows: 9223372036854775807 from row "
                     "2 on, of a tensor of 5");
    ck_assert_int_eq(ffebm_tensor_rows(whole, &rows, 0, 0), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_tensor_rows(whole, NULL, 0, 1), FFEBM_ERR_ARGUMENT);
    ck_assert_int_eq(ffebm_tensor_rows(NULL, &rows, 0, 1), FFEBM_ERR_ARGUMENT);
    ffebm_tensor_destroy(whole);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *test_tensor_suite(void)
{
    Suite *suite = suite_create("tensor");
    TCase *tests = tcase_create("tensor");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, create_every_rank, 0, COUNT(types));
    tcase_add_loop_test(tests, refuse_shapes_and_types, 0, COUNT(refused));
    tcase_add_test(tests, refuse_nulls);
    tcase_add_loop_test(tests, wrap_misaligned, 0, COUNT(types));
    tcase_add_test(tests, wrap_and_rewrap);
    tcase_add_loop_test(tests, rows_of_a_tensor, 0, COUNT(types));
    tcase_add_test(tests, copy_same_type);
    tcase_add_test(tests, copy_converts);
    tcase_add_test(tests, copy_across_contexts);
    tcase_add_test(tests, destroy_borrowed);
    suite_add_tcase(suite, tests);
    return suite;
}

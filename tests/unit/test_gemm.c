/* Matrix products: that of this build, and that of builds without CBLAS, against sums in double. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arrays/gemm.h"
#include "fixture.h"
#include "own_gemm.h"

enum { TRIALS = 120, MOST = 40, DEEP = 700 };

static const struct {
    void (*gemm)(const ffebmi_matrix_product *product);
    size_t element;
    double rounding;
} ways[] = {{own_gemm_f32, sizeof(float), FLT_EPSILON},
            {own_gemm_f64, sizeof(double), DBL_EPSILON},
            {ffebmi_gemm_f32, sizeof(float), FLT_EPSILON},
            {ffebmi_gemm_f64, sizeof(double), DBL_EPSILON}};
enum { WAYS = sizeof ways / sizeof ways[0], OWN = 2 };

static double at(const void *array, size_t element, size_t i)
{
    return element == sizeof(float) ? ((const float *)array)[i] : ((const double *)array)[i];
}

static void put(void *array, size_t element, size_t i, double value)
{
    if (element == sizeof(float))
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* rows x columns in rows of `stride`; what lies between them is NaN. */
static void *matrix(size_t rows, size_t columns, size_t stride, size_t element, uint64_t seed)
{
    void *created = calloc(rows * stride + 1, element);

    ck_assert_ptr_nonnull(created);
    for (size_t i = 0; i < rows * stride; i++)
        put(created, element, i, i % stride < columns ? ffebm_random_normal(seed, i) : (double)NAN);
    return created;
}

static size_t draw(uint64_t seed, uint64_t number, size_t most)
{
    return 1 + (size_t)((double)most * ffebm_random_uniform(seed, number));
}

static ffebmi_matrix_product random_product(uint64_t seed, size_t element)
{
    ffebmi_matrix_product p = {.m = draw(seed, 0, MOST),
                               .n = draw(seed, 1, MOST),
                               .k = draw(seed, 2, seed % 8 == 0 ? DEEP : MOST),
                               .alpha = seed % 2 == 0 ? 1 : -0.25,
                               .beta = seed % 4 < 2    ? 0
                                       : seed % 4 == 2 ? 1
                                                       : 0.5,
                               .transpose_a = seed % 5 < 2,
                               .transpose_b = seed % 7 < 3};
    size_t rows_a = p.transpose_a ? p.k : p.m, columns_a = p.transpose_a ? p.m : p.k;
    size_t rows_b = p.transpose_b ? p.n : p.k, columns_b = p.transpose_b ? p.k : p.n;

    p.a_stride = columns_a + draw(seed, 3, 5) - 1;
    p.b_stride = columns_b + draw(seed, 4, 5) - 1;
    p.c_stride = p.n + draw(seed, 5, 5) - 1;
    p.a = matrix(rows_a, columns_a, p.a_stride, element, 3 * seed);
    p.b = matrix(rows_b, columns_b, p.b_stride, element, 3 * seed + 1);
    p.c = matrix(p.m, p.n, p.c_stride, element, 3 * seed + 2);
    if (p.beta == 0) /* then what is there does not count, whatever it is */
        for (size_t i = 0; i < p.m * p.c_stride; i++)
            put(p.c, element, i, (double)NAN);
    return p;
}

static void free_product(ffebmi_matrix_product *p)
{
    free((void *)(uintptr_t)p->a);
    free((void *)(uintptr_t)p->b);
    free(p->c);
}

/* Element (i, j) in double, and the sum of what it is the sum of. */
static double expected(const ffebmi_matrix_product *p, size_t element, const void *before, size_t i, size_t j,
                       double *size)
{
    double sum = p->beta == 0 ? 0 : p->beta * at(before, element, i * p->c_stride + j);

    *size = fabs(sum);
    for (size_t k = 0; k < p->k; k++) {
        double a = at(p->a, element, p->transpose_a ? k * p->a_stride + i : i * p->a_stride + k);
        double b = at(p->b, element, p->transpose_b ? j * p->b_stride + k : k * p->b_stride + j);

        sum += p->alpha * a * b;
        *size += fabs(p->alpha * a * b);
    }
    return sum;
}

START_TEST(products_are_sums)
{
    const size_t element = ways[_i].element;

    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        ffebmi_matrix_product p = random_product(seed, element);
        void *before = malloc(p.m * p.c_stride * element);

        ck_assert_ptr_nonnull(before);
        memcpy(before, p.c, p.m * p.c_stride * element);
        ways[_i].gemm(&p);
        for (size_t i = 0; i < p.m * p.c_stride; i++) {
            double size, found = at(p.c, element, i), right;

            if (i % p.c_stride >= p.n) { /* between the rows */
                ck_assert(isnan(found));
                continue;
            }
            right = expected(&p, element, before, i / p.c_stride, i % p.c_stride, &size);
            ck_assert_double_le(fabs(found - right), ways[_i].rounding * (double)(p.k + 3) * size);
        }
        free(before);
        free_product(&p);
    }
}
END_TEST

/* An element has its bits whatever else is multiplied with it: a row alone, a column alone. */
START_TEST(own_products_have_the_bits_of_their_parts)
{
    const size_t element = ways[_i].element;

    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        ffebmi_matrix_product p = random_product(seed, element), part;
        const size_t i = seed % p.m, j = (seed / 2) % p.n, a = p.transpose_a ? i : i * p.a_stride;
        double one;

        p.beta = 0;
        ways[_i].gemm(&p);
        part = p;
        part.m = part.n = part.c_stride = 1;
        part.a = (const char *)p.a + a * element;
        part.b = (const char *)p.b + (p.transpose_b ? j * p.b_stride : j) * element;
        part.c = &one;
        ways[_i].gemm(&part);
        ck_assert_mem_eq(&one, (char *)p.c + (i * p.c_stride + j) * element, element);
        free_product(&p);
    }
}
END_TEST

START_TEST(nothing_is_summed_where_k_is_zero)
{
    double c[6] = {1, 2, NAN, 4, 5, NAN};
    ffebmi_matrix_product p = {.m = 2, .n = 2, .alpha = 1, .beta = 0.5, .c = c, .c_stride = 3};
    const double a = NAN, b = NAN;

    p.a = &a, p.b = &b;
    p.a_stride = p.b_stride = 2;
    own_gemm_f64(&p);
    ck_assert(c[0] == 0.5 && c[1] == 1 && isnan(c[2]) && c[3] == 2 && c[4] == 2.5 && isnan(c[5]));
}
END_TEST

Suite *test_gemm_suite(void)
{
    Suite *suite = suite_create("gemm");
    TCase *tests = tcase_create("gemm");

    tcase_add_loop_test(tests, products_are_sums, 0, WAYS);
    tcase_add_loop_test(tests, own_products_have_the_bits_of_their_parts, 0, OWN);
    tcase_add_test(tests, nothing_is_summed_where_k_is_zero);
    suite_add_tcase(suite, tests);
    return suite;
}

/* AVX2 with FMA: sixteen registers of eight numbers. */
#include "products/sets.h"

#ifdef FFEBMI_X86

#include <string.h>

#include "products/simd_avx2.h"
#include "products/unroll.h"

enum {
    POSITIONS = 6, /* all that stay in registers beside weights and value, */
    INT16_ROWS = 5 /* and one less beside the products of integers */
};

#include "products/float32.inc"

TARGET static size_t nonzero(size_t n, const float *x)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += x[i] != 0;
    return count;
}

TARGET static size_t compact(size_t n, const float *x, float *values, uint32_t *offsets)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        values[count] = x[i];
        offsets[count] = (uint32_t)i * PANEL;
        count += x[i] != 0;
    }
    pad(values, offsets, count, n);
    return count;
}

#define NAME(stem) stem##_avx2_4x4
#include "products/winograd_4x4.inc"

#include "products/winograd.inc"

#define NAME(stem) stem##_avx2_2x2
#include "products/winograd_2x2.inc"

#include "products/winograd.inc"

#include "products/int16.inc"

static const ffebmi_int16 int16 = {.product = run_int16,
                                   .round = ffebmi_int16_round_avx2,
                                   .largest = ffebmi_int16_largest_avx2,
                                   .join = ffebmi_int16_join_avx2};

const ffebmi_products ffebmi_products_avx2 = {.panel = PANEL,
                                              .positions = POSITIONS,
                                              .sparse_share = 4,
                                              .tile = run_tile,
                                              .rows = run_rows,
                                              .outer = run_outer,
                                              .list = run_list,
                                              .nonzero = nonzero,
                                              .compact = compact,
                                              .schemes = {&scheme_avx2_4x4, &scheme_avx2_2x2},
                                              .int16 = &int16};

#endif

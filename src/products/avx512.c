/* AVX-512: thirty-two registers of sixteen numbers. */
#include "products/sets.h"

#ifdef FFEBMI_X86

#include "products/simd_avx512.h"
#include "products/unroll.h"

enum { POSITIONS = 8 };

#include "products/float32.inc"

TARGET static size_t nonzero(size_t n, const float *x)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i += LANES) {
        vector v = load_some(x + i, mask_of(n - i));

        count += (size_t)__builtin_popcount(_mm512_cmp_ps_mask(v, zero(), _CMP_NEQ_UQ));
    }
    return count;
}

TARGET static size_t compact(size_t n, const float *x, float *values, uint32_t *offsets)
{
    __m512i channel = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), offset;
    size_t count = 0;

    for (size_t i = 0; i < n; i += LANES) {
        vector v = load_some(x + i, mask_of(n - i));
        lanes_mask set = _mm512_cmp_ps_mask(v, zero(), _CMP_NEQ_UQ);

        store(values + count, _mm512_maskz_compress_ps(set, v));
        offset = _mm512_slli_epi32(channel, 5); /* 32 numbers a panel */
        _mm512_storeu_si512(offsets + count, _mm512_maskz_compress_epi32(set, offset));
        channel = _mm512_add_epi32(channel, _mm512_set1_epi32(LANES));
        count += (size_t)__builtin_popcount(set);
    }
    pad(values, offsets, count, n);
    return count;
}

#define NAME(stem) stem##_avx512_4x4
#include "products/winograd_4x4.inc"

#include "products/winograd.inc"

#define NAME(stem) stem##_avx512_2x2
#include "products/winograd_2x2.inc"

#include "products/winograd.inc"

#define TABLE(products_of_integers)                                                                                    \
    {                                                                                                                  \
        .panel = PANEL, .positions = POSITIONS, .sparse_share = 2, .tile = run_tile, .rows = run_rows,                 \
        .outer = run_outer, .list = run_list, .nonzero = nonzero, .compact = compact,                                  \
        .schemes = {&scheme_avx512_4x4, &scheme_avx512_2x2}, .int16 = products_of_integers                             \
    }

const ffebmi_products ffebmi_products_avx512 = TABLE(NULL);
const ffebmi_products ffebmi_products_vnni = TABLE(&ffebmi_int16_vnni);

#endif

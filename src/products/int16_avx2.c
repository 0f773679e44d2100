/* Rounding to 16-bit integers, by AVX2; it serves wider instruction sets as well. */
#include "products/sets.h"

#ifdef FFEBMI_X86

#include <math.h>

#include "products/simd_avx2.h"

/* The largest of rows of x over their gains. */
TARGET static float largest_of(size_t rows, size_t n, const float *x, size_t stride, const float *gains)
{
    const vector sign = set1(-0.0f);
    vector most = zero();
    float lanes[LANES], largest = 0;

    for (size_t r = 0; r < rows; r++, x += stride) {
        const vector share = set1(1 / gains[r]);
        size_t i = 0;

        for (; i + LANES <= n; i += LANES)
            most = _mm256_max_ps(mul(share, _mm256_andnot_ps(sign, load(x + i))), most);
        for (; i < n; i++)
            largest = fabsf(x[i]) / gains[r] > largest ? fabsf(x[i]) / gains[r] : largest;
    }
    store(lanes, most);
    for (size_t l = 0; l < LANES; l++)
        largest = lanes[l] > largest ? lanes[l] : largest;
    return largest;
}

INLINE integers rounded(const float *x, vector unit)
{
    integers first = _mm256_cvtps_epi32(mul(unit, load(x)));
    integers second = _mm256_cvtps_epi32(mul(unit, load(x + LANES)));

    return _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xd8); /* packs works on each half */
}

TARGET float ffebmi_int16_round_avx2(size_t rows, size_t n, const float *x, size_t x_stride, const float *gains,
                                     float levels, int16_t *v, size_t v_stride)
{
    float largest = largest_of(rows, n, x, x_stride, gains);

    if (largest < FFEBMI_INT16_NOTHING)
        largest = 0;
    for (size_t r = 0; r < rows; r++, x += x_stride, v += v_stride) {
        float unit = largest > 0 ? levels / (largest * gains[r]) : 0;
        size_t i = 0;

        for (; i + 2 * LANES <= n; i += 2 * LANES)
            _mm256_storeu_si256((void *)(v + i), rounded(x + i, set1(unit)));
        for (; i < n; i++)
            v[i] = (int16_t)_mm_cvtss_si32(_mm_set_ss(unit * x[i]));
    }
    return largest / levels;
}

TARGET void ffebmi_int16_largest_avx2(size_t rows, size_t n, const float *x, float *largest)
{
    const vector sign = set1(-0.0f);

    for (size_t i = 0; i < n; i += LANES) {
        vector most = zero();

        for (size_t r = 0; r < rows; r++)
            most = _mm256_max_ps(_mm256_andnot_ps(sign, load(x + r * n + i)), most);
        store(largest + i, most);
    }
}

TARGET void ffebmi_int16_join_avx2(size_t n, const float *first, const float *second, const float *factors, int16_t *to)
{
    const integers low = _mm256_set1_epi32(0xffff);

    for (size_t i = 0; i < n; i += LANES) {
        vector f = load(factors + i);
        integers a = _mm256_cvtps_epi32(mul(f, load(first + i)));
        integers b = _mm256_cvtps_epi32(mul(f, load(second + i)));

        _mm256_storeu_si256((void *)(to + 2 * i), _mm256_or_si256(_mm256_and_si256(a, low), _mm256_slli_epi32(b, 16)));
    }
}

#endif

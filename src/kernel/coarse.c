#include "kernel/coarse.h"

#include <math.h>

#include "kernel/unroll.h"

int32_t ffebmi_coarse_levels(size_t products)
{
    double most = floor(sqrt((double)INT32_MAX / (double)products));

    return most < INT16_MAX ? (int32_t)most : INT16_MAX;
}

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

enum { MOST_ROWS = 8 };

/* The body of all products: `count` is a constant where it is inlined, so that the sums stay in registers. */
#define ROWS_BODY(vector, lanes, zero, broadcast, load, add_products)                                                  \
    vector sum[MOST_ROWS][2];                                                                                          \
    const int16_t *w = product->weights, *x[MOST_ROWS];                                                                \
                                                                                                                       \
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                                   \
    {                                                                                                                  \
        sum[p][0] = sum[p][1] = zero();                                                                                \
        x[p] = product->x + (row + p) * product->x_stride;                                                             \
    }                                                                                                                  \
    for (size_t c = 0; c < product->pairs; c++, w += 4 * (lanes)) {                                                    \
        vector first = load((const void *)w), second = load((const void *)(w + 2 * (lanes)));                          \
                                                                                                                       \
        _mm_prefetch((const char *)(w + product->ahead), _MM_HINT_T1);                                                 \
        FFEBMI_UNROLL for (size_t p = 0; p < count; p++)                                                               \
        {                                                                                                              \
            vector value = broadcast(pair_at(x[p], c));                                                                \
                                                                                                                       \
            add_products(sum[p][0], value, first);                                                                     \
            add_products(sum[p][1], value, second);                                                                    \
        }                                                                                                              \
    }

/* All rows, `most` or fewer at a time, in groups of about the same size: small ones cost as much. */
#define ROWS_WALK(body, most)                                                                                          \
    size_t groups = (product->rows + (most)-1) / (most), row = 0;                                                      \
                                                                                                                       \
    for (; groups > 0; groups--) {                                                                                     \
        size_t count = (product->rows - row + groups - 1) / groups;                                                    \
                                                                                                                       \
        FFEBMI_COUNT_CASES(body, count, product, row)                                                                  \
        row += count;                                                                                                  \
    }

/* Two integers side by side, as one. */
static inline int32_t pair_at(const int16_t *x, size_t pair)
{
    int32_t both;

    memcpy(&both, x + 2 * pair, sizeof both);
    return both;
}

/* ------------------------------------------------------------------------------------------------------------- AVX2 */

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

/* Written out, since gcc would otherwise keep several broadcast values and no longer all sums in registers. */
#define AVX2_ADD(sum, value, weights)                                                                                  \
    do {                                                                                                               \
        __m256i products;                                                                                              \
                                                                                                                       \
        __asm__("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(weights), "x"(value));   \
    } while (0)

AVX2_INLINE void avx2_put(const ffebmi_coarse_product *product, size_t row, size_t from, __m256i sum)
{
    __m256 scale = _mm256_set1_ps(product->gain * product->scales[row]), numbers;
    float *z = product->z + row * product->z_stride + from, some[8];

    numbers =
        _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_mul_ps(scale, _mm256_loadu_ps(product->weight_scales + from)));
    if (from + 8 <= product->width) {
        _mm256_storeu_ps(z, numbers);
        return;
    }
    _mm256_storeu_ps(some, numbers);
    for (size_t i = 0; from + i < product->width; i++)
        z[i] = some[i];
}

AVX2_INLINE void avx2_rows(const ffebmi_coarse_product *product, size_t row, size_t count)
{
    ROWS_BODY(__m256i, 8, _mm256_setzero_si256, _mm256_set1_epi32, _mm256_loadu_si256, AVX2_ADD)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)
    {
        avx2_put(product, row + p, 0, sum[p][0]);
        avx2_put(product, row + p, 8, sum[p][1]);
    }
}

AVX2 static void avx2_product(const ffebmi_coarse_product *product){ROWS_WALK(avx2_rows, 5)}

/* The largest of rows of x over their gains. */
AVX2 static float largest_of(size_t rows, size_t n, const float *x, size_t stride, const float *gains)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 most = _mm256_setzero_ps();
    float lanes[8], largest = 0;

    for (size_t r = 0; r < rows; r++, x += stride) {
        const __m256 share = _mm256_set1_ps(1 / gains[r]);
        size_t i = 0;

        for (; i + 8 <= n; i += 8)
            most = _mm256_max_ps(_mm256_mul_ps(share, _mm256_andnot_ps(sign, _mm256_loadu_ps(x + i))), most);
        for (; i < n; i++)
            largest = fabsf(x[i]) / gains[r] > largest ? fabsf(x[i]) / gains[r] : largest;
    }
    _mm256_storeu_ps(lanes, most);
    for (size_t l = 0; l < 8; l++)
        largest = lanes[l] > largest ? lanes[l] : largest;
    return largest;
}

AVX2_INLINE __m256i avx2_rounded(const float *x, __m256 unit)
{
    __m256i first = _mm256_cvtps_epi32(_mm256_mul_ps(unit, _mm256_loadu_ps(x)));
    __m256i second = _mm256_cvtps_epi32(_mm256_mul_ps(unit, _mm256_loadu_ps(x + 8)));

    return _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xd8); /* packs works on each half */
}

AVX2 static float avx2_round(size_t rows, size_t n, const float *x, size_t x_stride, const float *gains, float levels,
                             int16_t *v, size_t v_stride)
{
    float largest = largest_of(rows, n, x, x_stride, gains);

    if (largest < FFEBMI_COARSE_NOTHING)
        largest = 0;
    for (size_t r = 0; r < rows; r++, x += x_stride, v += v_stride) {
        float unit = largest > 0 ? levels / (largest * gains[r]) : 0;
        size_t i = 0;

        for (; i + 16 <= n; i += 16)
            _mm256_storeu_si256((void *)(v + i), avx2_rounded(x + i, _mm256_set1_ps(unit)));
        for (; i < n; i++)
            v[i] = (int16_t)_mm_cvtss_si32(_mm_set_ss(unit * x[i]));
    }
    return largest / levels;
}

AVX2 static void avx2_largest(size_t rows, size_t n, const float *x, float *largest)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);

    for (size_t i = 0; i < n; i += 8) {
        __m256 most = _mm256_setzero_ps();

        for (size_t r = 0; r < rows; r++)
            most = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + r * n + i)), most);
        _mm256_storeu_ps(largest + i, most);
    }
}

AVX2 static void avx2_join(size_t n, const float *first, const float *second, const float *factors, int16_t *to)
{
    const __m256i low = _mm256_set1_epi32(0xffff);

    for (size_t i = 0; i < n; i += 8) {
        __m256 f = _mm256_loadu_ps(factors + i);
        __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(f, _mm256_loadu_ps(first + i)));
        __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(f, _mm256_loadu_ps(second + i)));

        _mm256_storeu_si256((void *)(to + 2 * i), _mm256_or_si256(_mm256_and_si256(a, low), _mm256_slli_epi32(b, 16)));
    }
}

const ffebmi_coarse ffebmi_coarse_avx2 = {avx2_product, avx2_round, avx2_largest, avx2_join};

/* ----------------------------------------------------------------------------------------------------- AVX-512 VNNI */

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define VNNI_INLINE VNNI static inline __attribute__((always_inline))
#define VNNI_ADD(sum, value, weights) sum = _mm512_dpwssd_epi32(sum, value, weights)

VNNI_INLINE void vnni_put(const ffebmi_coarse_product *product, size_t row, size_t from, __m512i sum)
{
    size_t left = product->width > from ? product->width - from : 0;
    __mmask16 lanes = (__mmask16)(left >= 16 ? 0xffff : (1u << left) - 1);
    __m512 scale = _mm512_set1_ps(product->gain * product->scales[row]);

    scale = _mm512_mul_ps(scale, _mm512_loadu_ps(product->weight_scales + from));
    _mm512_mask_storeu_ps(product->z + row * product->z_stride + from, lanes,
                          _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale));
}

VNNI_INLINE void vnni_rows(const ffebmi_coarse_product *product, size_t row, size_t count)
{
    ROWS_BODY(__m512i, 16, _mm512_setzero_si512, _mm512_set1_epi32, _mm512_loadu_si512, VNNI_ADD)
    FFEBMI_UNROLL for (size_t p = 0; p < count; p++)
    {
        vnni_put(product, row + p, 0, sum[p][0]);
        vnni_put(product, row + p, 16, sum[p][1]);
    }
}

VNNI static void vnni_product(const ffebmi_coarse_product *product)
{
    ROWS_WALK(vnni_rows, 8)
}

const ffebmi_coarse ffebmi_coarse_vnni = {vnni_product, avx2_round, avx2_largest, avx2_join};

bool ffebmi_coarse_has_vnni(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

#else

const ffebmi_coarse ffebmi_coarse_avx2 = {0};
const ffebmi_coarse ffebmi_coarse_vnni = {0};

bool ffebmi_coarse_has_vnni(void)
{
    return false;
}

#endif

#include "kernel/direct.h"

#include <ffebm/core.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* The body of all tiles: `count` is a constant where it is inlined, so that the sums stay in registers. */
#define TILE_BODY(vector, lanes, zero, broadcast, load, fma)                                                           \
    vector sum[FFEBMI_DIRECT_TILE][2];                                                                                 \
                                                                                                                       \
    UNROLL for (size_t p = 0; p < count; p++) sum[p][0] = sum[p][1] = zero();                                          \
    for (size_t t = 0; t < tile->taps; t++) {                                                                          \
        const float *w = tile->weights[t];                                                                             \
        const float *x[FFEBMI_DIRECT_TILE];                                                                            \
                                                                                                                       \
        UNROLL for (size_t p = 0; p < count; p++) x[p] = tile->x[p] + tile->offsets[t];                                \
        for (size_t c = 0; c < tile->channels; c++, w += 2 * (lanes)) {                                                \
            vector first = load(w), second = load(w + (lanes));                                                        \
                                                                                                                       \
            UNROLL for (size_t p = 0; p < count; p++)                                                                  \
            {                                                                                                          \
                vector value = broadcast(x[p][c]);                                                                     \
                                                                                                                       \
                sum[p][0] = fma(value, first, sum[p][0]);                                                              \
                sum[p][1] = fma(value, second, sum[p][1]);                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }

/* The same for outer products: x is broadcast, y loaded. */
#define OUTER_BODY(vector, lanes, zero, broadcast, load_low, load_high, fma)                                           \
    vector sum[FFEBMI_DIRECT_TILE][2];                                                                                 \
                                                                                                                       \
    UNROLL for (size_t p = 0; p < count; p++) sum[p][0] = sum[p][1] = zero();                                          \
    for (size_t i = 0; i < o->extents[0]; i++)                                                                         \
        for (size_t j = 0; j < o->extents[1]; j++) {                                                                   \
            const float *x = o->x + i * o->x_strides[0] + j * o->x_strides[1];                                         \
            const float *y = o->y + i * o->y_strides[0] + j * o->y_strides[1];                                         \
                                                                                                                       \
            for (size_t k = 0; k < o->extents[2]; k++, x += o->x_strides[2], y += o->y_strides[2]) {                   \
                vector first = load_low(y), second = load_high(y + (lanes));                                           \
                                                                                                                       \
                UNROLL for (size_t p = 0; p < count; p++)                                                              \
                {                                                                                                      \
                    vector value = broadcast(x[p]);                                                                    \
                                                                                                                       \
                    sum[p][0] = fma(value, first, sum[p][0]);                                                          \
                    sum[p][1] = fma(value, second, sum[p][1]);                                                         \
                }                                                                                                      \
            }                                                                                                          \
        }

/* One case for each count of positions, so that each is compiled with its own. */
#define TILE_CASES(body, work)                                                                                         \
    switch (count) {                                                                                                   \
    case 8:                                                                                                            \
        body(work, 8);                                                                                                 \
        break;                                                                                                         \
    case 7:                                                                                                            \
        body(work, 7);                                                                                                 \
        break;                                                                                                         \
    case 6:                                                                                                            \
        body(work, 6);                                                                                                 \
        break;                                                                                                         \
    case 5:                                                                                                            \
        body(work, 5);                                                                                                 \
        break;                                                                                                         \
    case 4:                                                                                                            \
        body(work, 4);                                                                                                 \
        break;                                                                                                         \
    case 3:                                                                                                            \
        body(work, 3);                                                                                                 \
        break;                                                                                                         \
    case 2:                                                                                                            \
        body(work, 2);                                                                                                 \
        break;                                                                                                         \
    default:                                                                                                           \
        body(work, 1);                                                                                                 \
    }

/* ---------------------------------------------------------------------------------------------------------- AVX-512 */

#define AVX512 __attribute__((target("avx512f")))

static __mmask16 low_lanes(size_t count)
{
    return (__mmask16)(count >= 16 ? 0xffff : (1u << count) - 1);
}

AVX512 static inline __attribute__((always_inline)) void avx512_body(const ffebmi_direct_tile *tile, size_t count)
{
    __mmask16 low = low_lanes(tile->width), high = low_lanes(tile->width > 16 ? tile->width - 16 : 0);

    TILE_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = tile->z[p];

        if (tile->accumulate) {
            sum[p][0] = _mm512_add_ps(sum[p][0], _mm512_maskz_loadu_ps(low, z));
            sum[p][1] = _mm512_add_ps(sum[p][1], _mm512_maskz_loadu_ps(high, z + 16));
        }
        _mm512_mask_storeu_ps(z, low, sum[p][0]);
        _mm512_mask_storeu_ps(z + 16, high, sum[p][1]);
    }
}

AVX512 static void avx512_tile(const ffebmi_direct_tile *tile, size_t count){TILE_CASES(avx512_body, tile)}

#define AVX512_LOW(y) _mm512_maskz_loadu_ps(low, y)
#define AVX512_HIGH(y) _mm512_maskz_loadu_ps(high, y)

AVX512 static inline __attribute__((always_inline)) void avx512_outer_body(const ffebmi_direct_outer *o, size_t count)
{
    __mmask16 low = low_lanes(o->width), high = low_lanes(o->width > 16 ? o->width - 16 : 0);

    OUTER_BODY(__m512, 16, _mm512_setzero_ps, _mm512_set1_ps, AVX512_LOW, AVX512_HIGH, _mm512_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = o->z + p * o->z_stride;

        _mm512_mask_storeu_ps(z, low, _mm512_add_ps(sum[p][0], _mm512_maskz_loadu_ps(low, z)));
        _mm512_mask_storeu_ps(z + 16, high, _mm512_add_ps(sum[p][1], _mm512_maskz_loadu_ps(high, z + 16)));
    }
}

AVX512 static void avx512_outer(const ffebmi_direct_outer *outer, size_t count){TILE_CASES(avx512_outer_body, outer)}

/* ------------------------------------------------------------------------------------------------------------- AVX2 */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline __attribute__((always_inline)) void avx2_body(const ffebmi_direct_tile *tile, size_t count)
{
    TILE_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float numbers[16];

        _mm256_storeu_ps(numbers, sum[p][0]);
        _mm256_storeu_ps(numbers + 8, sum[p][1]);
        for (size_t i = 0; i < tile->width; i++)
            tile->z[p][i] = numbers[i] + (tile->accumulate ? tile->z[p][i] : 0);
    }
}

/* Lanes below `count`; of what is beyond nothing is read. */
AVX2 static inline __m256i avx2_lanes(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define AVX2_LOW(y) _mm256_maskload_ps(y, low)
#define AVX2_HIGH(y) _mm256_maskload_ps(y, high)

AVX2 static inline __attribute__((always_inline)) void avx2_outer_body(const ffebmi_direct_outer *o, size_t count)
{
    __m256i low = avx2_lanes(o->width), high = avx2_lanes(o->width > 8 ? o->width - 8 : 0);

    OUTER_BODY(__m256, 8, _mm256_setzero_ps, _mm256_set1_ps, AVX2_LOW, AVX2_HIGH, _mm256_fmadd_ps)
    for (size_t p = 0; p < count; p++) {
        float *z = o->z + p * o->z_stride;

        _mm256_maskstore_ps(z, low, _mm256_add_ps(sum[p][0], AVX2_LOW(z)));
        _mm256_maskstore_ps(z + 8, high, _mm256_add_ps(sum[p][1], AVX2_HIGH(z + 8)));
    }
}

AVX2 static void avx2_outer(const ffebmi_direct_outer *outer, size_t count){TILE_CASES(avx2_outer_body, outer)}

/* Sixteen registers: six positions are all that stay in them beside weights and value. */
AVX2 static void avx2_tile(const ffebmi_direct_tile *tile, size_t count)
{
    TILE_CASES(avx2_body, tile)
}

const ffebmi_direct ffebmi_direct_avx2 = {16, 6, avx2_tile, avx2_outer};
const ffebmi_direct ffebmi_direct_avx512 = {32, 8, avx512_tile, avx512_outer};

int32_t ffebmi_direct_isa(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return FFEBM_ISA_AVX512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? FFEBM_ISA_AVX2 : FFEBM_ISA_PORTABLE;
}

#else

const ffebmi_direct ffebmi_direct_avx2 = {0, 0, NULL, NULL};
const ffebmi_direct ffebmi_direct_avx512 = {0, 0, NULL, NULL};

int32_t ffebmi_direct_isa(void)
{
    return FFEBM_ISA_PORTABLE;
}

#endif

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

/* One case for each count of positions, so that each is compiled with its own. */
#define TILE_CASES(body)                                                                                               \
    switch (count) {                                                                                                   \
    case 8:                                                                                                            \
        body(tile, 8);                                                                                                 \
        break;                                                                                                         \
    case 7:                                                                                                            \
        body(tile, 7);                                                                                                 \
        break;                                                                                                         \
    case 6:                                                                                                            \
        body(tile, 6);                                                                                                 \
        break;                                                                                                         \
    case 5:                                                                                                            \
        body(tile, 5);                                                                                                 \
        break;                                                                                                         \
    case 4:                                                                                                            \
        body(tile, 4);                                                                                                 \
        break;                                                                                                         \
    case 3:                                                                                                            \
        body(tile, 3);                                                                                                 \
        break;                                                                                                         \
    case 2:                                                                                                            \
        body(tile, 2);                                                                                                 \
        break;                                                                                                         \
    default:                                                                                                           \
        body(tile, 1);                                                                                                 \
    }

/* ---------------------------------------------------------------------------------------------------------- AVX-512 */

#define AVX512 __attribute__((target("avx512f")))

AVX512 static inline __attribute__((always_inline)) void avx512_body(const ffebmi_direct_tile *tile, size_t count)
{
    __mmask16 low = (__mmask16)(tile->width >= 16 ? 0xffff : (1u << tile->width) - 1);
    __mmask16 high = (__mmask16)(tile->width >= 32 ? 0xffff : tile->width > 16 ? (1u << (tile->width - 16)) - 1 : 0);

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

AVX512 static void avx512_tile(const ffebmi_direct_tile *tile, size_t count){TILE_CASES(avx512_body)}

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

/* Sixteen registers: six positions are all that stay in them beside weights and value. */
AVX2 static void avx2_tile(const ffebmi_direct_tile *tile, size_t count)
{
    TILE_CASES(avx2_body)
}

const ffebmi_direct ffebmi_direct_avx2 = {16, avx2_tile};
const ffebmi_direct ffebmi_direct_avx512 = {32, avx512_tile};

int32_t ffebmi_direct_isa(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return FFEBM_ISA_AVX512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? FFEBM_ISA_AVX2 : FFEBM_ISA_PORTABLE;
}

#else

const ffebmi_direct ffebmi_direct_avx2 = {0, NULL};
const ffebmi_direct ffebmi_direct_avx512 = {0, NULL};

int32_t ffebmi_direct_isa(void)
{
    return FFEBM_ISA_PORTABLE;
}

#endif

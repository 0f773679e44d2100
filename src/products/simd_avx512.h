/* The words for vectors of 16 floats, of AVX-512: what the .inc files are written in. Those for pairs of integers need VNNI,
 * and TARGET to say so. */
#ifndef FFEBMI_PRODUCTS_SIMD_AVX512_H
#define FFEBMI_PRODUCTS_SIMD_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#ifndef TARGET
#define TARGET __attribute__((target("avx512f")))
#endif
/* Not every file says every word. */
#define INLINE TARGET static inline __attribute__((always_inline, unused))
#define LANES 16
#define zero _mm512_setzero_ps
#define set1 _mm512_set1_ps
#define add _mm512_add_ps
#define sub _mm512_sub_ps
#define mul _mm512_mul_ps
#define fma _mm512_fmadd_ps
#define load _mm512_loadu_ps
#define store _mm512_storeu_ps
#define load_some(from, mask) _mm512_maskz_loadu_ps(mask, from)
#define store_some(to, mask, value) _mm512_mask_storeu_ps(to, mask, value)
#define prefetch(at) _mm_prefetch((const char *)(at), _MM_HINT_T1)

typedef __m512 vector;
typedef __mmask16 lanes_mask;

enum { PANEL = 2 * LANES };

/* The first `count` lanes: of what is beyond nothing is read or written. */
static inline __attribute__((unused)) lanes_mask mask_of(size_t count)
{
    return (lanes_mask)(0xffffu >> (LANES - (count < LANES ? count : LANES)));
}

/* Up to a whole vector. Masks are free here, while branches hold up sums whose weights come from memory. */
INLINE vector get(const float *from, size_t count)
{
    return load_some(from, mask_of(count));
}

INLINE void put(float *to, size_t count, vector value)
{
    store_some(to, mask_of(count), value);
}

/* Integers of 32 bits, and of 16 bits in pairs. */
typedef __m512i integers;

#define zero_integers _mm512_setzero_si512
#define set1_pair _mm512_set1_epi32
#define load_pairs(from) _mm512_loadu_si512((const void *)(from))
#define floats_of _mm512_cvtepi32_ps

/* sum += the sum of the two products of each pair. */
#define add_pair_products(sum, value, weights) sum = _mm512_dpwssd_epi32(sum, value, weights)

#endif

/* The words for vectors of 8 floats, of AVX2 and FMA: what the .inc files are written in. */
#ifndef FFEBMI_PRODUCTS_SIMD_AVX2_H
#define FFEBMI_PRODUCTS_SIMD_AVX2_H

#include <immintrin.h>
#include <stddef.h>

#define TARGET __attribute__((target("avx2,fma")))
/* Not every file says every word. */
#define INLINE TARGET static inline __attribute__((always_inline, unused))
#define LANES 8
#define zero _mm256_setzero_ps
#define set1 _mm256_set1_ps
#define add _mm256_add_ps
#define sub _mm256_sub_ps
#define mul _mm256_mul_ps
#define fma _mm256_fmadd_ps
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define load_some(from, mask) _mm256_maskload_ps(from, mask)
#define store_some(to, mask, value) _mm256_maskstore_ps(to, mask, value)
#define prefetch(at) _mm_prefetch((const char *)(at), _MM_HINT_T1)

typedef __m256 vector;
typedef __m256i lanes_mask;

enum { PANEL = 2 * LANES };

/* The first `count` lanes: of what is beyond nothing is read or written. */
TARGET static inline __attribute__((unused)) lanes_mask mask_of(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count > LANES ? LANES : count)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Up to a whole vector, which needs no mask: those cost more than a branch. */
INLINE vector get(const float *from, size_t count)
{
    return count >= LANES ? load(from) : load_some(from, mask_of(count));
}

INLINE void put(float *to, size_t count, vector value)
{
    if (count >= LANES)
        store(to, value);
    else
        store_some(to, mask_of(count), value);
}

/* Integers of 32 bits, and of 16 bits in pairs. */
typedef __m256i integers;

#define zero_integers _mm256_setzero_si256
#define set1_pair _mm256_set1_epi32
#define load_pairs(from) _mm256_loadu_si256((const void *)(from))
#define floats_of _mm256_cvtepi32_ps

/* sum += the sum of the two products of each pair. Written out, since gcc would otherwise keep several broadcast values and no
 * longer all sums in registers. */
#define add_pair_products(sum, value, weights)                                                                         \
    do {                                                                                                               \
        integers products;                                                                                             \
                                                                                                                       \
        __asm__("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(weights), "x"(value));   \
    } while (0)

#endif

#include "kernel/winograd.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LANES 8
#define set1 _mm256_set1_ps
#define add _mm256_add_ps
#define sub _mm256_sub_ps
#define mul _mm256_mul_ps
#define fma _mm256_fmadd_ps
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define load_some(from, mask) _mm256_maskload_ps(from, mask)
#define store_some(to, mask, value) _mm256_maskstore_ps(to, mask, value)

typedef __m256 vector;
typedef __m256i lanes_mask;

TARGET static inline lanes_mask mask_of(size_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count > LANES ? LANES : count)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define NAME(stem) stem##_avx2_4x4
#include "kernel/winograd_4x4.inc"

#include "kernel/winograd.inc"

#undef NAME
#undef TILE
#undef SIDE
#undef POINTS
#undef INSET
#undef GAINS
#undef ALL_GAINS
#define NAME(stem) stem##_avx2_2x2
#include "kernel/winograd_2x2.inc"

#include "kernel/winograd.inc"

#else

const ffebmi_winograd ffebmi_winograd_avx2_4x4 = {0};
const ffebmi_winograd ffebmi_winograd_avx2_2x2 = {0};

#endif

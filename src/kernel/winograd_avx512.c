#include "kernel/winograd.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LANES 16
#define set1 _mm512_set1_ps
#define add _mm512_add_ps
#define sub _mm512_sub_ps
#define mul _mm512_mul_ps
#define fma _mm512_fmadd_ps
#define load _mm512_loadu_ps
#define store _mm512_storeu_ps
#define load_some(from, mask) _mm512_maskz_loadu_ps(mask, from)
#define store_some(to, mask, value) _mm512_mask_storeu_ps(to, mask, value)

typedef __m512 vector;
typedef __mmask16 lanes_mask;

static lanes_mask mask_of(size_t count)
{
    return (lanes_mask)(count >= LANES ? 0xffff : (1u << count) - 1);
}

#define NAME(stem) stem##_avx512_4x4
#include "kernel/winograd_4x4.inc"

#include "kernel/winograd.inc"

#undef NAME
#undef TILE
#undef SIDE
#undef POINTS
#undef INSET
#undef GAINS
#undef ALL_GAINS
#define NAME(stem) stem##_avx512_2x2
#include "kernel/winograd_2x2.inc"

#include "kernel/winograd.inc"

#else

const ffebmi_winograd ffebmi_winograd_avx512_4x4 = {0};
const ffebmi_winograd ffebmi_winograd_avx512_2x2 = {0};

#endif

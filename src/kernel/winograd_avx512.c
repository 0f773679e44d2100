#include "kernel/winograd.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define NAME ffebmi_winograd_avx512
#define TARGET __attribute__((target("avx512f")))
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

#include "kernel/winograd.inc"

#else

const ffebmi_winograd ffebmi_winograd_avx512 = {0};

#endif

/* AVX-512 VNNI: products of pairs of 16-bit integers, summed in one instruction. */
#include "products/sets.h"

#ifdef FFEBMI_X86

#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#include "products/simd_avx512.h"
#include "products/unroll.h"

enum { INT16_ROWS = 8 };

#include "products/int16.inc"

const ffebmi_int16 ffebmi_int16_vnni = {.product = run_int16,
                                        .round = ffebmi_int16_round_avx2,
                                        .largest = ffebmi_int16_largest_avx2,
                                        .join = ffebmi_int16_join_avx2};

#endif

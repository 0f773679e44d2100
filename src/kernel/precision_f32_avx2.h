/* What an .inc file is written in, for float32 on processors with AVX2: the same loops in wider vectors, to the same bits. */
#ifndef FFEBMI_KERNEL_PRECISION_F32_AVX2_H
#define FFEBMI_KERNEL_PRECISION_F32_AVX2_H

#include "kernel/precision_f32.h"

#undef NAME
#define NAME(stem) ffebmi_##stem##_f32_avx2
#if defined(__x86_64__) && defined(__GNUC__)
#undef TARGET
#define TARGET __attribute__((target("avx2")))
#endif

#endif

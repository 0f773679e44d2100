#include "own_gemm.h"

#include "core/precision_f32.h"
#undef NAME
#define NAME(stem) own_##stem##_f32

#include "arrays/gemm.inc"

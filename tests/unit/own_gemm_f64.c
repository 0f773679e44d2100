#include "own_gemm.h"

#include "core/precision_f64.h"
#undef NAME
#define NAME(stem) own_##stem##_f64

#include "arrays/gemm.inc"

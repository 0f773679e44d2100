#include "kernel/precision_f32_avx2.h"

#include "kernel/settle.inc"

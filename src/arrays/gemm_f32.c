#include "core/parts.h"
#include "core/precision_f32.h"
#include "core/strict.h"

#ifndef FFEBMI_WITH_CBLAS
#include "arrays/gemm.inc"
#endif

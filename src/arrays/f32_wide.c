/* Arrays of float32, on processors with wider vectors: the same loops to the same bits. */
#include "arrays/arrays.h"
#include "arrays/gemm.h"
#include "core/parts.h"
#include "core/precision_f32.h"
#include "products/wide.h"

#undef NAME
#define NAME(stem) ffebmi_##stem##_f32_wide
#undef TARGET
#define TARGET FFEBMI_WIDE
#define GEMM ffebmi_gemm_f32

#ifdef FFEBMI_X86

#include "arrays/elementwise.inc"

#include "arrays/neurons.inc"

#include "arrays/settle.inc"

#include "arrays/nodes.inc"

#include "arrays/windows.inc"

#include "arrays/normalize.inc"

#include "arrays/table.inc"

#endif

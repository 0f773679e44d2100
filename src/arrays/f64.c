/* Arrays of float64. */
#include "arrays/arrays.h"
#include "arrays/gemm.h"
#include "core/precision_f64.h"

#define GEMM ffebmi_gemm_f64

#include "arrays/elementwise.inc"

#include "arrays/neurons.inc"

#include "arrays/settle.inc"

#include "arrays/nodes.inc"

#include "arrays/windows.inc"

#include "arrays/normalize.inc"

#include "arrays/table.inc"

#include "arrays/arrays.h"

#include <ffebm/tensor.h>

#include "core/parts.h"
#include "products/products.h"

const ffebmi_arrays *ffebmi_arrays_for(int32_t dtype, int32_t max_isa)
{
    if (dtype != FFEBM_FLOAT32)
        return &ffebmi_arrays_f64;
#ifdef FFEBMI_X86
    if (ffebmi_isa(max_isa) != FFEBM_ISA_PORTABLE)
        return &ffebmi_arrays_f32_wide;
#else
    (void)max_isa;
#endif
    return &ffebmi_arrays_f32;
}

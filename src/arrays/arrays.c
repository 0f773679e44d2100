#include "arrays/arrays.h"

#include <ffebm/tensor.h>

#include "products/products.h"

const ffebmi_arrays *ffebmi_arrays_for(int32_t dtype, int32_t max_isa)
{
    if (dtype != FFEBM_FLOAT32)
        return &ffebmi_arrays_f64;
    return ffebmi_isa(max_isa) == FFEBM_ISA_PORTABLE ? &ffebmi_arrays_f32 : &ffebmi_arrays_f32_wide;
}

#include "convolution/arithmetic.h"

#include <ffebm/tensor.h>

ffebmi_arithmetic ffebmi_arithmetic_for(int32_t dtype, int32_t max_isa)
{
    ffebmi_arithmetic a = {.arrays = ffebmi_arrays_for(dtype, max_isa), .winograd = true};

    if (dtype == FFEBM_FLOAT32)
        a.products = ffebmi_products_for(max_isa);
    return a;
}

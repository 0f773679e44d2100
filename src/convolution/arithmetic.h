/* What a model computes with, as far as plans have a choice. */
#ifndef FFEBMI_CONVOLUTION_ARITHMETIC_H
#define FFEBMI_CONVOLUTION_ARITHMETIC_H

#include "arrays/arrays.h"
#include "products/products.h"

typedef struct ffebmi_arithmetic {
    const ffebmi_arrays *arrays;
    const ffebmi_products *products; /* NULL: convolutions are products of matrices */
    bool winograd;                   /* minimal algorithms where they save, which leave float32 some rounding more */
} ffebmi_arithmetic;

/* The best for FFEBM_FLOAT32 or FFEBM_FLOAT64, with instructions up to max_isa (0: any). */
ffebmi_arithmetic ffebmi_arithmetic_for(int32_t dtype, int32_t max_isa);

#endif

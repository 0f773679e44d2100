/* The matrix product, by CBLAS (gemm.c), or where a build has none by our own loops (gemm.inc). */
#ifndef FFEBMI_ARRAYS_GEMM_H
#define FFEBMI_ARRAYS_GEMM_H

#include "arrays/arrays.h"

void ffebmi_gemm_f32(const ffebmi_matrix_product *product);
void ffebmi_gemm_f64(const ffebmi_matrix_product *product);

#endif

/* The matrix product of builds without CBLAS, whatever this build has. */
#ifndef OWN_GEMM_H
#define OWN_GEMM_H

#include "arrays/gemm.h"

void own_gemm_f32(const ffebmi_matrix_product *product);
void own_gemm_f64(const ffebmi_matrix_product *product);

#endif

/* The matrix product, by CBLAS. */
#ifndef FFEBMI_KERNEL_GEMM_H
#define FFEBMI_KERNEL_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strict.h"

void ffebmi_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *a,
                     size_t lda, const void *b, size_t ldb, double beta, void *c, size_t ldc);
void ffebmi_gemm_f64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *a,
                     size_t lda, const void *b, size_t ldb, double beta, void *c, size_t ldc);

#endif

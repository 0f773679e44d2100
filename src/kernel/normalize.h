/* Declarations of normalize.inc; kernel.h says what each does. */
#ifndef FFEBMI_KERNEL_NORMALIZE_H
#define FFEBMI_KERNEL_NORMALIZE_H

#include "kernel/kernel.h"

void ffebmi_column_moments_f32(size_t rows, size_t n, size_t first, size_t count, const void *x, double *mean,
                               double *variance);
void ffebmi_column_moments_f64(size_t rows, size_t n, size_t first, size_t count, const void *x, double *mean,
                               double *variance);
void ffebmi_column_products_f32(size_t rows, size_t n, size_t first, size_t count, const void *x, const void *v,
                                const double *mean, const double *rescale, double *sum, double *product);
void ffebmi_column_products_f64(size_t rows, size_t n, size_t first, size_t count, const void *x, const void *v,
                                const double *mean, const double *rescale, double *sum, double *product);
void ffebmi_normalize_columns_f32(size_t rows, size_t n, const void *x, const double *mean, const double *rescale,
                                  const void *weight, const void *bias, void *y);
void ffebmi_normalize_columns_f64(size_t rows, size_t n, const void *x, const double *mean, const double *rescale,
                                  const void *weight, const void *bias, void *y);
void ffebmi_normalize_columns_vjp_f32(size_t rows, size_t n, const void *x, const void *v, const double *mean,
                                      const double *rescale, const void *weight, const double *sum,
                                      const double *product, double count, void *u);
void ffebmi_normalize_columns_vjp_f64(size_t rows, size_t n, const void *x, const void *v, const double *mean,
                                      const double *rescale, const void *weight, const double *sum,
                                      const double *product, double count, void *u);
void ffebmi_normalize_row_f32(size_t n, const void *x, double epsilon, const void *weight, const void *bias, void *y);
void ffebmi_normalize_row_f64(size_t n, const void *x, double epsilon, const void *weight, const void *bias, void *y);
void ffebmi_normalize_row_vjp_f32(size_t n, const void *x, double epsilon, const void *weight, const void *v, void *u);
void ffebmi_normalize_row_vjp_f64(size_t n, const void *x, double epsilon, const void *weight, const void *v, void *u);
void ffebmi_normalize_row_gradient_f32(size_t n, const void *x, double epsilon, const void *v, double factor,
                                       void *weight, void *bias);
void ffebmi_normalize_row_gradient_f64(size_t n, const void *x, double epsilon, const void *v, double factor,
                                       void *weight, void *bias);

#endif

/* Declarations of elementwise.inc; kernel.h says what each does. */
#ifndef FFEBMI_KERNEL_ELEMENTWISE_H
#define FFEBMI_KERNEL_ELEMENTWISE_H

#include "kernel/kernel.h"

void ffebmi_add_f32(size_t n, const void *x, void *y);
void ffebmi_add_f32_avx2(size_t n, const void *x, void *y);
void ffebmi_add_f64(size_t n, const void *x, void *y);
void ffebmi_add_scaled_f32(size_t n, double a, const void *x, void *y);
void ffebmi_add_scaled_f32_avx2(size_t n, double a, const void *x, void *y);
void ffebmi_add_scaled_f64(size_t n, double a, const void *x, void *y);
void ffebmi_scale_f32(size_t n, double a, const void *x, void *y);
void ffebmi_scale_f32_avx2(size_t n, double a, const void *x, void *y);
void ffebmi_scale_f64(size_t n, double a, const void *x, void *y);
void ffebmi_add_row_f32(size_t rows, size_t n, const void *row, void *y);
void ffebmi_add_row_f32_avx2(size_t rows, size_t n, const void *row, void *y);
void ffebmi_add_row_f64(size_t rows, size_t n, const void *row, void *y);
void ffebmi_add_column_sums_f32(size_t rows, size_t n, size_t ldx, double a, const void *x, void *y);
void ffebmi_add_column_sums_f32_avx2(size_t rows, size_t n, size_t ldx, double a, const void *x, void *y);
void ffebmi_add_column_sums_f64(size_t rows, size_t n, size_t ldx, double a, const void *x, void *y);
void ffebmi_difference_and_mean_f32(size_t n, const void *a, const void *b, void *difference, void *mean);
void ffebmi_difference_and_mean_f32_avx2(size_t n, const void *a, const void *b, void *difference, void *mean);
void ffebmi_difference_and_mean_f64(size_t n, const void *a, const void *b, void *difference, void *mean);
void ffebmi_transpose_f32(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_transpose_f32_avx2(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_transpose_f64(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_add_transposed_f32(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_add_transposed_f32_avx2(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_add_transposed_f64(size_t rows, size_t columns, const void *x, void *y);
void ffebmi_add_strided_f32(size_t n, const void *x, void *y, size_t stride);
void ffebmi_add_strided_f32_avx2(size_t n, const void *x, void *y, size_t stride);
void ffebmi_add_strided_f64(size_t n, const void *x, void *y, size_t stride);
double ffebmi_dot_f32(size_t n, const void *x, const void *y);
double ffebmi_dot_f32_avx2(size_t n, const void *x, const void *y);
double ffebmi_dot_f64(size_t n, const void *x, const void *y);
double ffebmi_norm_f32(size_t n, const void *x);
double ffebmi_norm_f32_avx2(size_t n, const void *x);
double ffebmi_norm_f64(size_t n, const void *x);
bool ffebmi_finite_f32(size_t n, const void *x);
bool ffebmi_finite_f32_avx2(size_t n, const void *x);
bool ffebmi_finite_f64(size_t n, const void *x);
void ffebmi_relu_f32(size_t n, const void *x, void *y);
void ffebmi_relu_f32_avx2(size_t n, const void *x, void *y);
void ffebmi_relu_f64(size_t n, const void *x, void *y);
void ffebmi_relu_vjp_f32(size_t n, const void *y, const void *v, void *u);
void ffebmi_relu_vjp_f32_avx2(size_t n, const void *y, const void *v, void *u);
void ffebmi_relu_vjp_f64(size_t n, const void *y, const void *v, void *u);
void ffebmi_tanh_f32(size_t n, const void *x, void *y);
void ffebmi_tanh_f32_avx2(size_t n, const void *x, void *y);
void ffebmi_tanh_f64(size_t n, const void *x, void *y);
void ffebmi_tanh_vjp_f32(size_t n, const void *y, const void *v, void *u);
void ffebmi_tanh_vjp_f32_avx2(size_t n, const void *y, const void *v, void *u);
void ffebmi_tanh_vjp_f64(size_t n, const void *y, const void *v, void *u);
void ffebmi_sigmoid_f32(size_t n, const void *x, void *y);
void ffebmi_sigmoid_f32_avx2(size_t n, const void *x, void *y);
void ffebmi_sigmoid_f64(size_t n, const void *x, void *y);
void ffebmi_sigmoid_vjp_f32(size_t n, const void *y, const void *v, void *u);
void ffebmi_sigmoid_vjp_f32_avx2(size_t n, const void *y, const void *v, void *u);
void ffebmi_sigmoid_vjp_f64(size_t n, const void *y, const void *v, void *u);

#endif

/* Declarations of window.inc; kernel.h says what each does. */
#ifndef FFEBMI_KERNEL_WINDOW_H
#define FFEBMI_KERNEL_WINDOW_H

#include "kernel/kernel.h"

void ffebmi_max_pool_f32(const ffebmi_windows *w, size_t rows, const void *x, void *y, uint8_t *switches);
void ffebmi_max_pool_f32_avx2(const ffebmi_windows *w, size_t rows, const void *x, void *y, uint8_t *switches);
void ffebmi_max_pool_f64(const ffebmi_windows *w, size_t rows, const void *x, void *y, uint8_t *switches);
void ffebmi_pick_f32(const ffebmi_windows *w, size_t rows, const void *x, const uint8_t *switches, void *y);
void ffebmi_pick_f32_avx2(const ffebmi_windows *w, size_t rows, const void *x, const uint8_t *switches, void *y);
void ffebmi_pick_f64(const ffebmi_windows *w, size_t rows, const void *x, const uint8_t *switches, void *y);
void ffebmi_unpool_f32(const ffebmi_windows *w, size_t rows, const void *v, const uint8_t *switches, void *u);
void ffebmi_unpool_f32_avx2(const ffebmi_windows *w, size_t rows, const void *v, const uint8_t *switches, void *u);
void ffebmi_unpool_f64(const ffebmi_windows *w, size_t rows, const void *v, const uint8_t *switches, void *u);
void ffebmi_unpool_contrast_f32(const ffebmi_windows *w, const void *difference, const void *mean, const uint8_t *a,
                                const uint8_t *b, void *image_difference, void *image_mean);
void ffebmi_unpool_contrast_f32_avx2(const ffebmi_windows *w, const void *difference, const void *mean,
                                     const uint8_t *a, const uint8_t *b, void *image_difference, void *image_mean);
void ffebmi_unpool_contrast_f64(const ffebmi_windows *w, const void *difference, const void *mean, const uint8_t *a,
                                const uint8_t *b, void *image_difference, void *image_mean);
void ffebmi_average_pool_f32(const ffebmi_windows *w, size_t rows, const void *x, void *y);
void ffebmi_average_pool_f32_avx2(const ffebmi_windows *w, size_t rows, const void *x, void *y);
void ffebmi_average_pool_f64(const ffebmi_windows *w, size_t rows, const void *x, void *y);
void ffebmi_average_unpool_f32(const ffebmi_windows *w, size_t rows, const void *v, void *u);
void ffebmi_average_unpool_f32_avx2(const ffebmi_windows *w, size_t rows, const void *v, void *u);
void ffebmi_average_unpool_f64(const ffebmi_windows *w, size_t rows, const void *v, void *u);

#endif

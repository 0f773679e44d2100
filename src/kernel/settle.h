/* Declarations of settle.inc; kernel.h says what each does. */
#ifndef FFEBMI_KERNEL_SETTLE_H
#define FFEBMI_KERNEL_SETTLE_H

#include "kernel/kernel.h"

void ffebmi_settle_f32(size_t rows, size_t n, void *z, const void *input, const void *force, ffebmi_sigma sigma,
                       void *s, const void *free, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_settle_f32_avx2(size_t rows, size_t n, void *z, const void *input, const void *force, ffebmi_sigma sigma,
                            void *s, const void *free, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_settle_f64(size_t rows, size_t n, void *z, const void *input, const void *force, ffebmi_sigma sigma,
                       void *s, const void *free, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_linearize_f32(size_t rows, size_t n, void *z, const void *input, ffebmi_sigma sigma, void *gain);
void ffebmi_linearize_f32_avx2(size_t rows, size_t n, void *z, const void *input, ffebmi_sigma sigma, void *gain);
void ffebmi_linearize_f64(size_t rows, size_t n, void *z, const void *input, ffebmi_sigma sigma, void *gain);
void ffebmi_displace_f32(size_t rows, size_t n, void *z, const void *force, const void *gain, double relaxation,
                         void *d, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_displace_f32_avx2(size_t rows, size_t n, void *z, const void *force, const void *gain, double relaxation,
                              void *d, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_displace_f64(size_t rows, size_t n, void *z, const void *force, const void *gain, double relaxation,
                         void *d, ffebmi_norms *norms, size_t norm_stride);
void ffebmi_settle_displaced_f32(size_t rows, size_t n, void *z, const void *force, const void *base,
                                 ffebmi_sigma sigma, const void *free, void *d, ffebmi_norms *norms,
                                 size_t norm_stride);
void ffebmi_settle_displaced_f32_avx2(size_t rows, size_t n, void *z, const void *force, const void *base,
                                      ffebmi_sigma sigma, const void *free, void *d, ffebmi_norms *norms,
                                      size_t norm_stride);
void ffebmi_settle_displaced_f64(size_t rows, size_t n, void *z, const void *force, const void *base,
                                 ffebmi_sigma sigma, const void *free, void *d, ffebmi_norms *norms,
                                 size_t norm_stride);
size_t ffebmi_displaced_changes_f32(size_t n, const void *d, const void *free);
size_t ffebmi_displaced_changes_f32_avx2(size_t n, const void *d, const void *free);
size_t ffebmi_displaced_changes_f64(size_t n, const void *d, const void *free);
size_t ffebmi_region_changes_f32(size_t n, const void *s, const void *free);
size_t ffebmi_region_changes_f32_avx2(size_t n, const void *s, const void *free);
size_t ffebmi_region_changes_f64(size_t n, const void *s, const void *free);
size_t ffebmi_switch_changes_f32(size_t n, const void *s, const void *free, const uint8_t *at, const uint8_t *at_free);
size_t ffebmi_switch_changes_f32_avx2(size_t n, const void *s, const void *free, const uint8_t *at,
                                      const uint8_t *at_free);
size_t ffebmi_switch_changes_f64(size_t n, const void *s, const void *free, const uint8_t *at, const uint8_t *at_free);

#endif

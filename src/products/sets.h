/* The tables that cpu.c chooses from, and what one instruction set's file has for another's. */
#ifndef FFEBMI_PRODUCTS_SETS_H
#define FFEBMI_PRODUCTS_SETS_H

#include "core/parts.h"
#include "products/products.h"

extern const ffebmi_products ffebmi_products_avx2;
extern const ffebmi_products ffebmi_products_avx512;
extern const ffebmi_products ffebmi_products_vnni; /* AVX-512 with products of integers */

extern const ffebmi_int16 ffebmi_int16_vnni;

/* Slots of ffebmi_int16 that serve wider vectors as well. */
float ffebmi_int16_round_avx2(size_t rows, size_t n, const float *x, size_t x_stride, const float *gains, float levels,
                              int16_t *v, size_t v_stride);
void ffebmi_int16_largest_avx2(size_t rows, size_t n, const float *x, float *largest);
void ffebmi_int16_join_avx2(size_t n, const float *first, const float *second, const float *factors, int16_t *to);

#endif

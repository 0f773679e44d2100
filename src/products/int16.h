/* Products of numbers that are rounded to 16-bit integers first: twice as many at a time as in float32. They serve where a
 * relative error of a hundredth does no harm: for displacements, and for states that are settled further afterwards.
 * Integers are scaled so that no sum of products overflows. */
#ifndef FFEBMI_PRODUCTS_INT16_H
#define FFEBMI_PRODUCTS_INT16_H

#include <stddef.h>
#include <stdint.h>

#include "core/strict.h"

/* Numbers this small are nothing: the reciprocal of their scale would overflow. */
#define FFEBMI_INT16_NOTHING 1e-30f

/* z, [rows][panel], of which `width` are written, = scale of the row * scale of the number * x, [rows][pairs][2], times
 * weights, [pair][panel][2]. */
typedef struct ffebmi_int16_product {
    const int16_t *x;
    size_t x_stride;
    float *z;
    size_t z_stride;
    size_t rows;
    const float *scales; /* [row] */
    float gain;          /* a factor of all of them */
    const int16_t *weights;
    const float *weight_scales; /* [panel] */
    size_t pairs;
    size_t width;
    size_t ahead; /* weights so many integers on are the next to be wanted */
} ffebmi_int16_product;

typedef struct ffebmi_int16 {
    void (*product)(const ffebmi_int16_product *product);
    /* v = x / (scale * the row's gain), rounded: `rows` of n numbers. The scale, which is returned, makes the largest of them
     * `levels`; 0 where all are nothing. */
    float (*round)(size_t rows, size_t n, const float *x, size_t x_stride, const float *gains, float levels, int16_t *v,
                   size_t v_stride);
    /* The largest |x| of each column of [rows][n]; n numbers are whole vectors. */
    void (*largest)(size_t rows, size_t n, const float *x, float *largest);
    /* to, [n][2], = factors * first and second, rounded; n likewise. */
    void (*join)(size_t n, const float *first, const float *second, const float *factors, int16_t *to);
} ffebmi_int16;

/* The largest integer that numbers may be rounded to where so many products are summed. */
int32_t ffebmi_int16_levels(size_t products);

#endif

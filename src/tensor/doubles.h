/* Rows of samples between the library (numbers of its dtype, images h x w x c) and blocks of the user's (doubles, images
 * c x h x w). */
#ifndef FFEBMI_TENSOR_DOUBLES_H
#define FFEBMI_TENSOR_DOUBLES_H

#include "tensor/shape.h"

/* The i-th of numbers of `element` bytes. */
static inline double ffebmi_number_at(size_t element, const void *array, size_t i)
{
    return element == sizeof(float) ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static inline void ffebmi_put_number(size_t element, void *array, size_t i, double number)
{
    if (element == sizeof(float))
        ((float *)array)[i] = (float)number;
    else
        ((double *)array)[i] = number;
}

/* As they lie, to numbers of `element` bytes and back. */
void ffebmi_put_numbers(size_t element, size_t n, const double *from, void *to);
void ffebmi_get_numbers(size_t element, size_t n, const void *from, double *to);

void ffebmi_to_doubles(size_t element, const ffebmi_shape *sample, size_t rows, const void *from, double *to);
void ffebmi_from_doubles(size_t element, const ffebmi_shape *sample, size_t rows, const double *from, void *to);

/* The first of n numbers that is NaN or infinite, or would be as a number of `element` bytes; or n. */
size_t ffebmi_first_not_finite(size_t element, size_t n, const double *x);

#endif

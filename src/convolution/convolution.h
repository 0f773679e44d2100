/* Convolution of images stored h x w x c. It is planned once, when memory is laid out: the plan has chosen the method for the
 * geometry, the numbers and the processor, and knows all sizes; what runs in a sweep only looks them up. Plans are const while
 * they are used, by any number of threads. */
#ifndef FFEBMI_CONVOLUTION_CONVOLUTION_H
#define FFEBMI_CONVOLUTION_CONVOLUTION_H

#include "convolution/arithmetic.h"
#include "convolution/pass.h"
#include "core/windows.h"

/* Cotangents of the output and the inputs they belong to. A contrast of two states is two pairs. */
enum { FFEBMI_PAIRS = 2 };
typedef struct ffebmi_pairs {
    size_t count;
    const void *v[FFEBMI_PAIRS];
    const void *s[FFEBMI_PAIRS];
    size_t from;     /* v has output channels from this one on, */
    size_t channels; /* as many; 0: all */
} ffebmi_pairs;

/* Weights as passes want them. */
typedef struct ffebmi_packed {
    const void *full;
    const void
        *int16; /* the same for products of 16-bit integers, where the plan has any; NULL: all is in full precision */
} ffebmi_packed;

typedef struct ffebmi_convolution_method ffebmi_convolution_method;
typedef struct ffebmi_gradient_method ffebmi_gradient_method;
typedef struct ffebmi_gradient_job ffebmi_gradient_job;

typedef struct ffebmi_convolution {
    ffebmi_windows windows; /* its channels are those of the input */
    size_t out_channels;
    size_t taps;  /* places of the window */
    size_t patch; /* numbers under it */
    size_t in_pixels;
    size_t out_pixels;
    const ffebmi_arrays *arrays;
    const ffebmi_products *products; /* NULL: none */
    const ffebmi_convolution_method *method;
    const ffebmi_gradient_method *gradient;
    void (*outer)(const ffebmi_gradient_job *job, void *sum);
    size_t unit[2]; /* output and input channels that make a unit of the gradient */
    size_t block;   /* of gathered patches: pixels at a time */
    ffebmi_pass up; /* of a direct one */
    ffebmi_pass down;
    size_t packed;     /* elements of the packed weights; 0: they are used as they are, */
    size_t down_start; /* and where those for down begin */
    size_t int16;      /* elements of those for products of integers; 0: no pass has any */
    size_t int16_down_start;
    size_t scratch; /* elements that each pass and each unit of the gradient needs; one piece for each thread */
} ffebmi_convolution;

/* Which passes weights are packed for. */
enum { FFEBMI_UP = 1, FFEBMI_DOWN = 2, FFEBMI_BOTH = FFEBMI_UP | FFEBMI_DOWN };

/* Plan. `in_turn`: weights are packed for one pass at a time, in the same memory; else for both. */
void ffebmi_convolution_plan(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, const ffebmi_windows *windows,
                             size_t out_channels, bool in_turn);

/* Pack weights, [out][in][kh][kw], cut into units for threads to share. */
size_t ffebmi_convolution_pack_units(const ffebmi_convolution *c, unsigned passes);
void ffebmi_convolution_pack(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed,
                             size_t first, size_t count);

/* Make the weights for products of integers of those that are packed for both passes; in the same units. */
void ffebmi_convolution_pack_int16(const ffebmi_convolution *c, const void *packed, void *int16, size_t first,
                                   size_t count);

/* z = W s, rows of output images from rows of input images. */
void ffebmi_convolution_up(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s,
                           void *z, void *scratch);

/* z = W^T v, or z += it: rows of input images from rows of output images. */
void ffebmi_convolution_down(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v,
                             bool accumulate, void *z, void *scratch);

/* The gradient of W is cut into units, each a range of output channels by one of input channels. */
size_t ffebmi_convolution_units(const ffebmi_windows *windows, size_t out_channels);

/* The output channels of a unit: the first, and how many. */
size_t ffebmi_convolution_unit(const ffebmi_convolution *c, size_t unit, size_t *outs);

/* Add factor * the sum over rows and pairs of v s^T to units first .. first + count - 1 of the gradient, [out][in][kh][kw];
 * v has at least the output channels of these. */
void ffebmi_convolution_gradient(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                                 void *gradient, size_t first, size_t count, void *scratch);

/* The same of a window as large as the image, for any range of output channels: sum, [outs][kh][kw][in], += it. */
void ffebmi_convolution_outer(const ffebmi_convolution *c, size_t rows, const ffebmi_pairs *pairs, double factor,
                              size_t from, size_t outs, void *sum);

#endif

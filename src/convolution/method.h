/* The tables that ways to convolve fill, and what they share. A plan takes the first of its lists (plan.c) that serves. */
#ifndef FFEBMI_CONVOLUTION_METHOD_H
#define FFEBMI_CONVOLUTION_METHOD_H

#include "convolution/convolution.h"

/* A way up and down. */
struct ffebmi_convolution_method {
    const char *name;
    bool (*serves)(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic);
    /* The geometry is there: fill in what the method looks up, packed, int16 and scratch among it. */
    void (*plan)(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, bool in_turn);
    size_t (*pack_units)(const ffebmi_convolution *c, unsigned passes);
    void (*pack)(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed, size_t first,
                 size_t count);
    /* NULL: there are no products of integers. */
    void (*pack_int16)(const ffebmi_convolution *c, const void *packed, void *int16, size_t first, size_t count);
    void (*up)(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s, void *z,
               void *scratch);
    void (*down)(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v, bool accumulate,
                 void *z, void *scratch);
};

extern const ffebmi_convolution_method ffebmi_method_direct;
extern const ffebmi_convolution_method ffebmi_method_matrix;
extern const ffebmi_convolution_method ffebmi_method_gathered;

/* Some output channels of a gradient by some input channels. */
struct ffebmi_gradient_job {
    const ffebmi_convolution *convolution;
    const ffebmi_pairs *pairs;
    size_t rows;
    double factor;
    size_t from;    /* the first output channel, as the pairs have them, */
    size_t outs;    /* and how many */
    size_t pitch;   /* output channels that the pairs have */
    size_t below;   /* the first input channel, */
    size_t sources; /* and how many */
};

/* A way to the gradient of the weights. */
struct ffebmi_gradient_method {
    const char *name;
    bool (*serves)(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic);
    size_t (*scratch)(const ffebmi_convolution *c);
    /* Add to the gradient of the job's channels, which begins with them. */
    void (*add)(const ffebmi_gradient_job *job, void *gradient, void *scratch);
};

extern const ffebmi_gradient_method ffebmi_gradient_winograd;
extern const ffebmi_gradient_method ffebmi_gradient_outer;
extern const ffebmi_gradient_method ffebmi_gradient_shifted;

/* ffebmi_convolution_outer by products of the processor's, and by one of matrices. */
void ffebmi_outer_vectors(const ffebmi_gradient_job *job, void *sum);
void ffebmi_matrix_outer(const ffebmi_gradient_job *job, void *sum);

/* Place by place of the window: `add` adds what the place `at` contributes to sum, [outs][sources]. Scratch: `sum`, and behind
 * it what `add` needs. */
typedef void (*ffebmi_place_fn)(const ffebmi_gradient_job *job, size_t at, void *sum, void *scratch);
void ffebmi_gradient_by_places(const ffebmi_gradient_job *job, ffebmi_place_fn add, void *gradient, void *scratch);

/* Weights in the order of a patch, [out][kh][kw][in]; one output channel is a unit. */
size_t ffebmi_patches_packed(const ffebmi_convolution *c);
size_t ffebmi_patches_units(const ffebmi_convolution *c, unsigned passes);
void ffebmi_patches_pack(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed, size_t first,
                         size_t count);

#endif

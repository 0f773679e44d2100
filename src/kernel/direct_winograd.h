/* Walks of 3 x 3 windows by tiles of 4 x 4 target pixels (winograd.h): transform the tiles' sources, one product of channels
 * for each of the 36 points, and transform back. */
#ifndef FFEBMI_KERNEL_DIRECT_WINOGRAD_H
#define FFEBMI_KERNEL_DIRECT_WINOGRAD_H

#include "kernel/conv.h"
#include "kernel/direct_walk.h"

/* Products of channels that a target image costs. */
size_t ffebmi_winograd_products(const size_t target[2]);

/* Elements of the transformed weights, [point][panel][source][target in the panel], and of scratch. */
size_t ffebmi_winograd_packed(const ffebmi_walk *walk);
size_t ffebmi_winograd_scratch(const ffebmi_walk *walk);

/* One panel. The weight of a target, source and tap is at target * target_stride + source * source_stride + tap; walks of
 * sign -1 see the window turned round. */
void ffebmi_winograd_pack(const ffebmi_walk *walk, const float *weights, size_t target_stride, size_t source_stride,
                          float *packed, size_t panel);

/* The walk's panels are transformed weights. */
void ffebmi_winograd_run(const ffebmi_walk *walk, size_t rows, float *scratch);

/* Some images of `channels`, and what is read in place of pixels that are not on them. */
typedef struct ffebmi_winograd_image {
    const float *pixels;
    size_t size[2];
    size_t channels;
    const float *outside;
} ffebmi_winograd_image;

/* The pixels of a square of an image, from `at` on; coordinates before the image have wrapped. */
void ffebmi_winograd_pixels(const ffebmi_winograd_image *image, size_t row, const size_t at[2], size_t side,
                            const float **pixels);

/* Where a tile is, counted over images: its image, and its first pixels there. */
void ffebmi_winograd_locate(const ffebmi_walk *walk, size_t tile, size_t *row, size_t target[2], size_t source[2]);

/* The gradient of the weights: w, [outs][tap][sources], = factor * the sum over pairs and rows of cotangents v at the walk's
 * target images times its source images x, for `outs` of the target channels; v points at the first of them. */
typedef struct ffebmi_winograd_pairs {
    size_t count;
    const float *v[FFEBMI_CONV_PAIRS];
    const float *x[FFEBMI_CONV_PAIRS];
} ffebmi_winograd_pairs;

size_t ffebmi_winograd_gradient_scratch(size_t outs, size_t sources);
void ffebmi_winograd_gradient(const ffebmi_walk *walk, const ffebmi_winograd_pairs *pairs, size_t rows, size_t outs,
                              double factor, float *w, float *scratch);

#endif

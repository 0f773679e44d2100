/* Walks of 3 x 3 windows by tiles of target pixels (winograd.h): transform the tiles' sources, one product of channels for
 * each point, and transform back. */
#ifndef FFEBMI_KERNEL_DIRECT_WINOGRAD_H
#define FFEBMI_KERNEL_DIRECT_WINOGRAD_H

#include "kernel/conv.h"
#include "kernel/direct_walk.h"

/* Products of channels that a target image costs. */
size_t ffebmi_winograd_count(const ffebmi_winograd *scheme, const size_t target[2]);

/* Elements of the transformed weights, [point][panel][source][target in the panel], and of scratch. */
size_t ffebmi_winograd_packed(const ffebmi_walk *walk);
size_t ffebmi_winograd_scratch(const ffebmi_walk *walk);

/* One panel. The weight of a target, source and tap is at target * target_stride + source * source_stride + tap; walks of
 * sign -1 see the window turned round. */
void ffebmi_winograd_pack(const ffebmi_walk *walk, const float *weights, size_t target_stride, size_t source_stride,
                          float *packed, size_t panel);

/* Transformed weights of a point and panel, [source][target in the panel]. */
const float *ffebmi_winograd_weights(const ffebmi_walk *walk, const float *packed, size_t point, size_t panel);

/* The walk's panels are transformed weights; where its products are coarse, rounded ones. */
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

enum {
    FFEBMI_WINOGRAD_TILES = 32, /* transformed at a time */
    FFEBMI_WINOGRAD_BLOCK = 64  /* targets that are transformed back at a time, whole panels */
};

/* What is at work, and where it is transformed to. */
typedef struct ffebmi_winograd_tiles {
    size_t first; /* tiles are counted over images */
    size_t count;
    size_t panel; /* the first of the block, */
    size_t panels;
    float *source;                       /* [point][tile][sources]; lines between points */
    float *target;                       /* [point][tile][FFEBMI_WINOGRAD_BLOCK]; likewise */
    float *zeros;                        /* what lies outside of the source image, [sources] */
    float *beyond;                       /* and of the target image */
    float scales[FFEBMI_WINOGRAD_TILES]; /* coarse: of each tile's source */
} ffebmi_winograd_tiles;

/* Transform the source of the tile at a place to v. */
void ffebmi_winograd_transform_source(const ffebmi_walk *walk, const ffebmi_winograd_tiles *tiles, size_t place,
                                      float *v, size_t stride);

/* For the product of one point and one panel of the block: where it goes, [tile][FFEBMI_WINOGRAD_BLOCK]; how many targets the
 * panel has; and how far behind its weights the next ones are, given the sizes of a panel and of a point. */
float *ffebmi_winograd_products(const ffebmi_walk *walk, const ffebmi_winograd_tiles *tiles, size_t point,
                                size_t panel);
size_t ffebmi_winograd_width(const ffebmi_walk *walk, size_t panel);
size_t ffebmi_winograd_ahead(const ffebmi_winograd_tiles *tiles, size_t panel, size_t panel_size, size_t point_size);

/* Where a tile is, counted over images: its image, and its first pixels there. */
void ffebmi_winograd_locate(const ffebmi_walk *walk, size_t tile, size_t *row, size_t target[2], size_t source[2]);

/* The gradient of the weights: to, [outs][tap][sources], = factor * the sum over pairs and rows of cotangents v at the walk's
 * target images times its source images x, for `outs` of the target channels; v points at the first of them. */
typedef struct ffebmi_winograd_pairs {
    size_t count;
    const float *v[FFEBMI_CONV_PAIRS];
    const float *x[FFEBMI_CONV_PAIRS];
} ffebmi_winograd_pairs;

size_t ffebmi_winograd_gradient_scratch(const ffebmi_walk *w, size_t outs);
void ffebmi_winograd_gradient(const ffebmi_walk *w, const ffebmi_winograd_pairs *pairs, size_t rows, size_t outs,
                              double factor, float *to, float *scratch);

#endif

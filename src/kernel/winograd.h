/* Convolution with 3 x 3 windows by the minimal filtering algorithm F(4 x 4, 3 x 3) (Winograd 1980; Lavin and Gray 2016,
 * arXiv:1509.09308): an output tile of 4 x 4 pixels costs 36 products of channels instead of 144. Interpolation is at 0,
 * +-2/3, +-3/2 and infinity, where in float32 it rounds no worse than a direct sum does. */
#ifndef FFEBMI_KERNEL_WINOGRAD_H
#define FFEBMI_KERNEL_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

enum { FFEBMI_WINOGRAD_TILE = 4, FFEBMI_WINOGRAD_SIDE = 6, FFEBMI_WINOGRAD_POINTS = 36 };

/* The transforms of one tile, channel by channel. `stride` lies between the points of a transformed tile. */
typedef struct ffebmi_winograd {
    /* v = B^T x B, x the 6 x 6 pixels under a tile. */
    void (*source)(size_t channels, const float *const *x, float *v, size_t stride);
    /* z, the 4 x 4 pixels of the tile, = or += A^T m A. */
    void (*target)(size_t channels, const float *m, size_t stride, bool accumulate, float *const *z);
    /* u = G w G^T, w the 3 x 3 weights. */
    void (*weights)(size_t channels, const float *const *w, float *u, size_t stride);
    /* The transposes of the last two, for gradients of weights: m = A z A^T and w = factor G^T u G. */
    void (*cotangent)(size_t channels, const float *const *z, float *m, size_t stride);
    void (*gradient)(size_t channels, const float *u, size_t stride, float factor, float *const *w);
} ffebmi_winograd;

extern const ffebmi_winograd ffebmi_winograd_avx2;
extern const ffebmi_winograd ffebmi_winograd_avx512;

#endif

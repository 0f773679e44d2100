/* Convolution with 3 x 3 windows by minimal algorithms, cell by cell of the target image: sources and weights are transformed
 * to some points, each point is one product of channels, and these are transformed back. */
#ifndef FFEBMI_PRODUCTS_WINOGRAD_H
#define FFEBMI_PRODUCTS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strict.h"

enum { FFEBMI_WINOGRAD_SIDE = 6, FFEBMI_WINOGRAD_POINTS = 36 }; /* the most of a scheme */

/* One scheme for one instruction set. Its transforms work channel by channel on one cell; `stride` lies between the points of
 * a transformed cell. */
typedef struct ffebmi_winograd {
    size_t cell;  /* target pixels along an axis, */
    size_t side;  /* source pixels, */
    size_t inset; /* and of those that a target pixel sees, how many before the first are left out */
    size_t points;
    const float *gains; /* [point]: by how much `source` enlarges numbers without pattern */
    /* v = B^T x B, x the source pixels. */
    void (*source)(size_t channels, const float *const *x, float *v, size_t stride);
    /* z, the target pixels, = or += A^T m A. */
    void (*target)(size_t channels, const float *m, size_t stride, bool accumulate, float *const *z);
    /* u = G w G^T, w the 3 x 3 weights. */
    void (*weights)(size_t channels, const float *const *w, float *u, size_t stride);
    /* The transposes of the last two, for gradients of weights: m = A z A^T and w = factor G^T u G. */
    void (*cotangent)(size_t channels, const float *const *z, float *m, size_t stride);
    void (*gradient)(size_t channels, const float *u, size_t stride, float factor, float *const *w);
} ffebmi_winograd;

#endif

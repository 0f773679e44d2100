/* Convolution without gathering, for float32 on processors with vector registers: a tile of outputs, some positions by one
 * panel of channels, stays in registers while the taps of the window and the channels below them go by. Weights are packed
 * in panels once, and only taps that lie on the image are visited. */
#ifndef FFEBMI_KERNEL_DIRECT_H
#define FFEBMI_KERNEL_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strict.h"
#include "kernel/coarse.h"
#include "kernel/winograd.h"

enum {
    FFEBMI_DIRECT_TILE = 8,   /* the most positions of a tile */
    FFEBMI_DIRECT_PANEL = 32, /* the most channels */
    FFEBMI_DIRECT_LANES = 16  /* compact writes lists in so many numbers at a time */
};

/* z, `panel` numbers at each of `count` positions, of which `width` are written, = (or +=) the sum over taps and channels:
 * tap t reads channels [0, channels) at x[position] + offsets[t], times weights + t * tap_stride, [channel][panel]. */
typedef struct ffebmi_direct_tile {
    const float *x[FFEBMI_DIRECT_TILE];
    float *z[FFEBMI_DIRECT_TILE];
    const ptrdiff_t *offsets;    /* [tap] */
    const float *const *weights; /* [tap] */
    size_t taps;
    size_t channels;
    size_t width;
    size_t ahead; /* weights so many numbers on are the next to be wanted */
    bool accumulate;
} ffebmi_direct_tile;

/* The same for rows at equal distances, any number of them: z, [rows][panel], = (or +=) x, [rows][channels], times weights,
 * [channel][panel]. */
typedef struct ffebmi_direct_product {
    const float *x;
    size_t x_stride;
    float *z;
    size_t z_stride;
    size_t rows;
    const float *weights;
    size_t channels;
    size_t width;
    size_t ahead;
    bool accumulate;
} ffebmi_direct_product;

/* z, [tile's count][panel] of which `width` are written, += factor * the sum over `count` places of x (x) y, an outer product
 * of as many numbers and a panel. */
typedef struct ffebmi_direct_outer {
    const float *x;
    const float *y;
    size_t x_stride; /* from one place to the next */
    size_t y_stride;
    size_t count;
    float factor;
    float *z;
    size_t z_stride;
    size_t width;
} ffebmi_direct_outer;

/* z, two panels of which `width` numbers are written, += the sum over a list of values times weights at an offset, at
 * positions on three nested axes. Behind a list there are zeros for as long as any list may be. */
typedef struct ffebmi_direct_sparse {
    const float *values;     /* [list][room] */
    const uint32_t *offsets; /* [list][room] */
    const uint32_t *counts;  /* [list] */
    const float *weights[2]; /* of each panel */
    size_t ahead;            /* as many numbers, behind as many, are the next to be wanted of each */
    float *z;
    size_t room;
    size_t extents[3];
    size_t list_strides[3]; /* in lists */
    size_t z_strides[3];
    size_t width;
} ffebmi_direct_sparse;

typedef struct ffebmi_direct {
    size_t panel;        /* channels of a tile */
    size_t positions;    /* of a full tile: as many as stay in registers */
    size_t sparse_share; /* lists pay where less than one number in so many is set */
    void (*tile)(const ffebmi_direct_tile *tile, size_t count);
    void (*product)(const ffebmi_direct_product *product);
    void (*outer)(const ffebmi_direct_outer *outer, size_t count);
    void (*sparse)(const ffebmi_direct_sparse *sparse);
    /* How many numbers are not zero; and a list of these with the offsets of their weights. Returns its length. */
    size_t (*nonzero)(size_t n, const float *x);
    size_t (*compact)(size_t n, const float *x, float *values, uint32_t *offsets);
    const ffebmi_winograd *tiles[2]; /* of 4 x 4 pixels, and images of 2 x 2; NULL: no tiles */
    const ffebmi_coarse *coarse;     /* not NULL: by tiles in rounded numbers */
} ffebmi_direct;

extern const ffebmi_direct ffebmi_direct_avx2;
extern const ffebmi_direct ffebmi_direct_avx512;
extern const ffebmi_direct ffebmi_direct_avx2_exact; /* without tiles */
extern const ffebmi_direct ffebmi_direct_avx512_exact;
extern const ffebmi_direct ffebmi_direct_avx2_coarse; /* by tiles in rounded numbers */
extern const ffebmi_direct ffebmi_direct_avx512_coarse;

/* The best of them that this processor runs, as FFEBM_ISA_. */
int32_t ffebmi_direct_isa(void);

#endif

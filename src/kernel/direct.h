/* Convolution without gathering, for float32 on processors with vector registers: a tile of outputs, some positions by one
 * panel of channels, stays in registers while the taps of the window and the channels below them go by. Weights are packed
 * in panels once, and only taps that lie on the image are visited. */
#ifndef FFEBMI_KERNEL_DIRECT_H
#define FFEBMI_KERNEL_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FFEBMI_DIRECT_TILE = 8 }; /* the most positions of a tile */

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
    bool accumulate;
} ffebmi_direct_tile;

/* z, [count][panel] of which `width` are written, += the sum over positions of x (x) y, an outer product of `count` numbers
 * and a panel: positions lie on three nested axes, the innermost last. */
typedef struct ffebmi_direct_outer {
    const float *x;
    const float *y;
    float *z;
    size_t z_stride;
    size_t extents[3];
    size_t x_strides[3];
    size_t y_strides[3];
    size_t width;
} ffebmi_direct_outer;

typedef struct ffebmi_direct {
    size_t panel;     /* channels of a tile */
    size_t positions; /* of a full tile: as many as stay in registers */
    void (*tile)(const ffebmi_direct_tile *tile, size_t count);
    void (*outer)(const ffebmi_direct_outer *outer, size_t count);
} ffebmi_direct;

extern const ffebmi_direct ffebmi_direct_avx2;
extern const ffebmi_direct ffebmi_direct_avx512;

/* The best of them that this processor runs, as FFEBM_ISA_. */
int32_t ffebmi_direct_isa(void);

#endif

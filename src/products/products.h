/* Products of float32 numbers in vector registers, the innermost loops of convolutions: one table for each instruction set,
 * which has the products and the sizes of the blocks that they work on. A set's table is made in one file (avx2.c,
 * avx512.c). This folder is the only one that uses intrinsics. */
#ifndef FFEBMI_PRODUCTS_PRODUCTS_H
#define FFEBMI_PRODUCTS_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "products/int16.h"
#include "products/winograd.h"

enum {
    FFEBMI_POSITIONS = 8,   /* the most positions of a register tile */
    FFEBMI_PANEL = 32,      /* the most channels of one, */
    FFEBMI_LIST_LANES = 16, /* compact writes lists in so many numbers at a time */
    FFEBMI_SCHEMES = 2      /* of Winograd's: cells of 4 x 4 pixels, images of 2 x 2 */
};

/* A register tile: z, `panel` numbers at each of `count` positions, of which `width` are written, = (or +=) the sum over taps
 * and channels: tap t reads channels [0, channels) at x[position] + offsets[t], times weights + t * tap_stride,
 * [channel][panel]. */
typedef struct ffebmi_tile_product {
    const float *x[FFEBMI_POSITIONS];
    float *z[FFEBMI_POSITIONS];
    const ptrdiff_t *offsets;    /* [tap] */
    const float *const *weights; /* [tap] */
    size_t taps;
    size_t channels;
    size_t width;
    size_t ahead; /* weights so many numbers on are the next to be wanted */
    bool accumulate;
} ffebmi_tile_product;

/* The same for rows at equal distances, any number of them: z, [rows][panel], = (or +=) x, [rows][channels], times weights,
 * [channel][panel]. */
typedef struct ffebmi_row_product {
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
} ffebmi_row_product;

/* z, [tile's count][panel] of which `width` are written, += factor * the sum over `count` places of x (x) y, an outer product
 * of as many numbers and a panel. */
typedef struct ffebmi_outer_product {
    const float *x;
    const float *y;
    size_t x_stride; /* from one place to the next */
    size_t y_stride;
    size_t count;
    float factor;
    float *z;
    size_t z_stride;
    size_t width;
} ffebmi_outer_product;

/* z, two panels of which `width` numbers are written, += the sum over a list of values times weights at an offset, at
 * positions on three nested axes. Behind a list there are zeros for as long as any list may be. */
typedef struct ffebmi_list_product {
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
} ffebmi_list_product;

typedef struct ffebmi_products {
    size_t panel;        /* channels of a register tile */
    size_t positions;    /* of a full one: as many as stay in registers */
    size_t sparse_share; /* lists pay where less than one number in so many is set */
    void (*tile)(const ffebmi_tile_product *tile, size_t count);
    void (*rows)(const ffebmi_row_product *rows);
    void (*outer)(const ffebmi_outer_product *outer, size_t count);
    void (*list)(const ffebmi_list_product *list);
    /* How many numbers are not zero; and a list of these with the offsets of their weights. Returns its length. */
    size_t (*nonzero)(size_t n, const float *x);
    size_t (*compact)(size_t n, const float *x, float *values, uint32_t *offsets);
    const ffebmi_winograd *schemes[FFEBMI_SCHEMES];
    const ffebmi_int16 *int16; /* NULL: none that pay */
} ffebmi_products;

/* The instructions to be used: the best of FFEBM_ISA_ that this processor has, but none beyond max_isa (0: any). */
int32_t ffebmi_isa(int32_t max_isa);

/* Their products; NULL: there are none, and convolutions are made of matrix products. */
const ffebmi_products *ffebmi_products_for(int32_t max_isa);

#endif

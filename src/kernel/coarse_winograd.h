/* Walks by tiles in rounded numbers (coarse.h): the transformed source and the transformed weights are rounded, the products
 * of a point scaled back to float32, and transformed back as ever. */
#ifndef FFEBMI_KERNEL_COARSE_WINOGRAD_H
#define FFEBMI_KERNEL_COARSE_WINOGRAD_H

#include "kernel/direct_winograd.h"

/* Elements of the rounded weights, and one panel of them, made of transformed ones: scales, [point][target], and behind them integers, [point][panel]
 * [pair of sources][target in the panel][2]. */
size_t ffebmi_coarse_winograd_packed(const ffebmi_walk *walk);
void ffebmi_coarse_winograd_round(const ffebmi_walk *walk, const float *packed, float *rounded, size_t panel);

/* The two steps that differ: the source of the tile at a place, and the product of one point and panel. */
void ffebmi_coarse_winograd_source(const ffebmi_walk *walk, ffebmi_winograd_tiles *tiles, size_t place);
void ffebmi_coarse_winograd_multiply(const ffebmi_walk *walk, const ffebmi_winograd_tiles *tiles, size_t point,
                                     size_t panel);

#endif

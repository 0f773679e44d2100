/* Walks of 3 x 3 windows by tiles of 4 x 4 target pixels (winograd.h): transform the tiles' sources, one product of channels
 * for each of the 36 points, and transform back. */
#ifndef FFEBMI_KERNEL_DIRECT_WINOGRAD_H
#define FFEBMI_KERNEL_DIRECT_WINOGRAD_H

#include "kernel/direct_walk.h"

/* Products of channels that a target image costs. */
size_t ffebmi_winograd_products(const size_t target[2]);

/* Elements of the transformed weights, [point][panel][source][target in the panel], and of scratch. */
size_t ffebmi_winograd_packed(const ffebmi_direct *direct, size_t targets, size_t sources);
size_t ffebmi_winograd_scratch(size_t targets, size_t sources);

/* The weight of a target, source and tap is at target * target_stride + source * source_stride + tap; walks of sign -1 see
 * the window turned round. */
void ffebmi_winograd_pack(const ffebmi_direct *direct, const float *weights, int sign, size_t targets,
                          size_t target_stride, size_t sources, size_t source_stride, float *packed);

/* The walk's panels are transformed weights. */
void ffebmi_winograd_block(const ffebmi_walk *walk, size_t first_row, size_t rows, float *scratch);

#endif

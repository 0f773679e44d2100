/* Direct products with those channels of the source that are not zero: an unpooled image has at most one of a window's
 * places set, a state has units at the lower bound, a displacement is zero where units stay at a bound. */
#ifndef FFEBMI_KERNEL_DIRECT_SPARSE_H
#define FFEBMI_KERNEL_DIRECT_SPARSE_H

#include "kernel/direct_walk.h"

/* Elements of scratch for blocks of `pixels` source pixels. */
size_t ffebmi_sparse_scratch(size_t pixels, size_t sources);

/* Are so few numbers of some images set that the sparse block is the faster one? */
bool ffebmi_sparse_pays(const ffebmi_walk *walk, size_t first_row, size_t rows);

/* Is every number of some images zero? */
bool ffebmi_sparse_is_empty(const ffebmi_walk *walk, size_t rows);

/* As ffebmi_dense_block. */
void ffebmi_sparse_block(const ffebmi_walk *walk, size_t first_row, size_t rows, float *scratch);

#endif

/* Direct products with all channels of the source. */
#ifndef FFEBMI_KERNEL_DIRECT_DENSE_H
#define FFEBMI_KERNEL_DIRECT_DENSE_H

#include "kernel/direct_walk.h"

/* Some images: every panel goes over each of their regions, whose source stays in cache. */
void ffebmi_dense_block(const ffebmi_walk *walk, size_t first_row, size_t rows);

#endif

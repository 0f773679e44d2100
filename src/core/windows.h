/* The geometry of a window that slides over an image, as numbers for kernels. */
#ifndef FFEBMI_CORE_WINDOWS_H
#define FFEBMI_CORE_WINDOWS_H

#include <stddef.h>

#include "core/strict.h"

/* in and out are heights and widths; padding is of nothing (pools) or of zeros (convolutions). */
typedef struct ffebmi_windows {
    size_t channels;
    size_t in[2];
    size_t out[2];
    size_t kernel[2];
    size_t stride[2];
    size_t padding[2];
} ffebmi_windows;

#endif

/* What pools the image that a convolution gives, and how each kind of pool goes up, down and into a gradient. */
#ifndef FFEBMI_ENERGY_POOL_H
#define FFEBMI_ENERGY_POOL_H

#include "arrays/arrays.h"

/* Two states of a row, as their difference and mean. */
typedef struct ffebmi_pool_contrast {
    const void *difference;
    const void *mean;
    const uint8_t *switches[2]; /* of each state */
} ffebmi_pool_contrast;

typedef struct ffebmi_pool_kind {
    int32_t pool;      /* FFEBM_POOL_ */
    bool has_switches; /* it picks a place of each window: a byte for each of its units */

    /* to = the pooled rows of images, and unless they are held the switches. */
    void (*up)(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *images, bool held,
               uint8_t *switches, void *to);
    /* images = the transpose of that, by the switches that are there. */
    void (*down)(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *from,
                 const uint8_t *switches, void *images);
    /* Both images of one row's contrast, each state by its own switches. Of some channels, from those of the pointers on: the
     * images have no others. */
    void (*down_contrast)(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t channels,
                          const ffebmi_pool_contrast *from, void *difference, void *mean);
} ffebmi_pool_kind;

/* NULL of FFEBM_POOL_NONE. */
const ffebmi_pool_kind *ffebmi_pool_kind_of(int32_t pool);

#endif

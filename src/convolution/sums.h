/* Walks by direct sums, with all channels of the source or with those that are not zero: an unpooled image has at most one of a
 * window's places set, a state has units at the lower bound, a displacement is zero where units stay at a bound. */
#ifndef FFEBMI_CONVOLUTION_SUMS_H
#define FFEBMI_CONVOLUTION_SUMS_H

#include "convolution/pass.h"

/* Some images: every panel goes over each of their regions, whose source stays in cache. */
void ffebmi_sums_dense(const ffebmi_walk *walk, size_t first_row, size_t rows);

/* Are so few numbers of some images set that the sparse walk is the faster one? */
bool ffebmi_sums_sparse_pays(const ffebmi_walk *walk, size_t first_row, size_t rows);
size_t ffebmi_sums_sparse_scratch(const ffebmi_pass *pass); /* elements */
void ffebmi_sums_sparse(const ffebmi_walk *walk, size_t first_row, size_t rows, float *scratch);

/* A panel's weights of a tap, [source][target in the panel]. */
static inline const float *ffebmi_sums_weights(const ffebmi_walk *w, size_t panel, size_t y_tap, size_t x_tap)
{
    const ffebmi_pass *p = w->pass;
    size_t tap = y_tap * p->kernel[1] + x_tap;

    return w->weights + (panel * p->kernel[0] * p->kernel[1] + tap) * p->sources * p->products->panel;
}

#endif

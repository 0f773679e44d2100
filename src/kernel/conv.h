/* Convolution of images stored h x w x c. Where the kernel has direct products and the stride is 1, by these; elsewhere as
 * products of matrices over blocks of pixels that fit in cache: memory does not grow with the window. */
#ifndef FFEBMI_KERNEL_CONV_H
#define FFEBMI_KERNEL_CONV_H

#include "kernel/kernel.h"

typedef struct ffebmi_conv {
    ffebmi_windows windows; /* its channels are those of the input */
    size_t out_channels;
} ffebmi_conv;

/* Is it done by direct products? */
bool ffebmi_conv_is_direct(const ffebmi_conv *conv, const ffebmi_kernel *kernel);

/* Which passes weights are packed for. */
enum { FFEBMI_CONV_UP = 1, FFEBMI_CONV_DOWN = 2, FFEBMI_CONV_BOTH = 3 };

/* Elements of the packed weights, which are made of [out][in][kh][kw] once a phase: [out][kh][kw][in] for both passes, or
 * the panels of direct products, first those for up. */
size_t ffebmi_conv_packed(const ffebmi_conv *conv, const ffebmi_kernel *kernel, unsigned passes);
/* Packing is cut into units, for threads to share. */
size_t ffebmi_conv_pack_units(const ffebmi_conv *conv, const ffebmi_kernel *kernel, unsigned passes);
void ffebmi_conv_pack(const ffebmi_conv *conv, const ffebmi_kernel *kernel, unsigned passes, const void *weights,
                      void *packed, size_t first, size_t count);

/* Does a kernel of rounded numbers (ffebmi_kernel_coarse) do any of the passes otherwise than the one it belongs to? If so
 * its weights, as many as ffebmi_conv_packed says, are made of those that were packed for the other one, for both passes,
 * in the same units. If not, they are the same. */
bool ffebmi_conv_rounds(const ffebmi_conv *conv, const ffebmi_kernel *kernel);
void ffebmi_conv_round(const ffebmi_conv *conv, const ffebmi_kernel *kernel, const void *packed, void *rounded,
                       size_t first, size_t count);

/* Elements of scratch that each call below needs; one for each thread. */
size_t ffebmi_conv_scratch(const ffebmi_conv *conv, const ffebmi_kernel *kernel);

/* z = W s, rows of output images from rows of input images. */
void ffebmi_conv_up(const ffebmi_conv *conv, const ffebmi_kernel *kernel, const void *packed, size_t rows,
                    const void *s, void *z, void *scratch);

/* z = W^T v, or z += it: rows of input images from rows of output images. `passes` are those of the packing. */
void ffebmi_conv_down(const ffebmi_conv *conv, const ffebmi_kernel *kernel, unsigned passes, const void *packed,
                      size_t rows, const void *v, bool accumulate, void *z, void *scratch);

/* Cotangents of the output and the inputs they belong to. A contrast of two states is two pairs. */
enum { FFEBMI_CONV_PAIRS = 2 };
typedef struct ffebmi_conv_pairs {
    size_t count;
    const void *v[FFEBMI_CONV_PAIRS];
    const void *s[FFEBMI_CONV_PAIRS];
} ffebmi_conv_pairs;

/* sum, [outs][channels], += factor * the sum over rows and pairs of v_o s^T, o from `from` on: of a window of one place, over
 * one pixel. */
void ffebmi_conv_outer(const ffebmi_conv *conv, const ffebmi_kernel *kernel, size_t rows,
                       const ffebmi_conv_pairs *pairs, double factor, size_t from, size_t outs, void *sum);

/* The gradient of W is cut into units, each a range of output channels. */
size_t ffebmi_conv_units(const ffebmi_conv *conv);

/* Add factor * the sum over rows and pairs of v s^T to units first .. first + count - 1 of the gradient, [out][in][kh][kw]. */
void ffebmi_conv_gradient(const ffebmi_conv *conv, const ffebmi_kernel *kernel, size_t rows,
                          const ffebmi_conv_pairs *pairs, double factor, void *gradient, size_t first, size_t count,
                          void *scratch);

#endif

/* Convolutions of stride 1 in float32 by direct products. Up and down are the same walk: each pixel of the target image is
 * a sum over taps of the source image, whose weights are packed in panels for either direction. */
#ifndef FFEBMI_KERNEL_DIRECT_CONV_H
#define FFEBMI_KERNEL_DIRECT_CONV_H

#include "kernel/conv.h"

/* As the functions of the same names in conv.h. */
size_t ffebmi_direct_conv_packed(const ffebmi_conv *conv, const ffebmi_direct *direct, unsigned passes);
void ffebmi_direct_conv_pack(const ffebmi_conv *conv, const ffebmi_direct *direct, unsigned passes,
                             const float *weights, float *packed, size_t first, size_t count);
size_t ffebmi_direct_conv_pack_units(const ffebmi_conv *conv, const ffebmi_direct *direct, unsigned passes);
bool ffebmi_direct_conv_rounds(const ffebmi_conv *conv, const ffebmi_direct *direct);
void ffebmi_direct_conv_round(const ffebmi_conv *conv, const ffebmi_direct *direct, const float *packed, float *rounded,
                              size_t first, size_t count);
size_t ffebmi_direct_conv_scratch(const ffebmi_conv *conv, const ffebmi_direct *direct);
/* sum, [outs][channels], += factor * the sum over pairs, rows and pixels of v_o s, s as the window's position sees it and o
 * from `from` on. */
void ffebmi_direct_conv_outer(const ffebmi_conv *conv, const ffebmi_direct *direct, size_t rows,
                              const ffebmi_conv_pairs *pairs, double factor, size_t position, size_t from, size_t outs,
                              float *sum);
/* Is the gradient taken by tiles? If so sum, [outs][position][channels], = the same for all positions. */
bool ffebmi_direct_conv_is_tiled(const ffebmi_conv *conv, const ffebmi_direct *direct);
size_t ffebmi_direct_conv_gradient_scratch(const ffebmi_conv *conv, const ffebmi_direct *direct, size_t outs);
void ffebmi_direct_conv_gradient(const ffebmi_conv *conv, const ffebmi_direct *direct, size_t rows,
                                 const ffebmi_conv_pairs *pairs, double factor, size_t from, size_t outs, float *sum,
                                 float *scratch);
void ffebmi_direct_conv_up(const ffebmi_conv *conv, const ffebmi_direct *direct, const float *packed, size_t rows,
                           const float *s, float *z, float *scratch);
void ffebmi_direct_conv_down(const ffebmi_conv *conv, const ffebmi_direct *direct, unsigned passes, const float *packed,
                             size_t rows, const float *v, bool accumulate, float *z, float *scratch);

#endif

/* One window, as large as the image: the image is the patch, and a pass one product of matrices. */
#include "convolution/method.h"

size_t ffebmi_patches_packed(const ffebmi_convolution *c)
{
    return c->taps == 1 ? 0 : c->out_channels * c->patch;
}

size_t ffebmi_patches_units(const ffebmi_convolution *c, unsigned passes)
{
    (void)passes;
    return c->out_channels;
}

void ffebmi_patches_pack(const ffebmi_convolution *c, unsigned passes, const void *weights, void *packed, size_t first,
                         size_t count)
{
    (void)passes;
    for (size_t o = first; o < first + count; o++)
        c->arrays->transpose(c->windows.channels, c->taps, ffebmi_at(c->arrays, weights, o * c->patch),
                             ffebmi_at(c->arrays, packed, o * c->patch));
}

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    (void)arithmetic;
    return c->out_pixels == 1 && c->taps == c->in_pixels && c->windows.padding[0] == 0 && c->windows.padding[1] == 0;
}

static void plan(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, bool in_turn)
{
    (void)arithmetic;
    (void)in_turn; /* both passes have the same weights */
    c->packed = ffebmi_patches_packed(c);
}

static void up(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s, void *z,
               void *scratch)
{
    (void)scratch;
    c->arrays->gemm(&(ffebmi_matrix_product){.m = rows,
                                             .n = c->out_channels,
                                             .k = c->patch,
                                             .alpha = 1,
                                             .a = s,
                                             .a_stride = c->patch,
                                             .b = packed->full,
                                             .b_stride = c->patch,
                                             .transpose_b = true,
                                             .c = z,
                                             .c_stride = c->out_channels});
}

static void down(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v, bool accumulate,
                 void *z, void *scratch)
{
    (void)scratch;
    c->arrays->gemm(&(ffebmi_matrix_product){.m = rows,
                                             .n = c->patch,
                                             .k = c->out_channels,
                                             .alpha = 1,
                                             .a = v,
                                             .a_stride = c->out_channels,
                                             .b = packed->full,
                                             .b_stride = c->patch,
                                             .beta = accumulate ? 1 : 0,
                                             .c = z,
                                             .c_stride = c->patch});
}

void ffebmi_matrix_outer(const ffebmi_gradient_job *job, void *sum)
{
    const ffebmi_convolution *c = job->convolution;

    for (size_t pair = 0; pair < job->pairs->count; pair++)
        c->arrays->gemm(&(ffebmi_matrix_product){.m = job->outs,
                                                 .n = c->patch,
                                                 .k = job->rows,
                                                 .alpha = job->factor,
                                                 .a = ffebmi_at(c->arrays, job->pairs->v[pair], job->from),
                                                 .a_stride = c->out_channels,
                                                 .transpose_a = true,
                                                 .b = job->pairs->s[pair],
                                                 .b_stride = c->patch,
                                                 .beta = 1,
                                                 .c = sum,
                                                 .c_stride = c->patch});
}

const ffebmi_convolution_method ffebmi_method_matrix = {.name = "matrix",
                                                        .serves = serves,
                                                        .plan = plan,
                                                        .pack_units = ffebmi_patches_units,
                                                        .pack = ffebmi_patches_pack,
                                                        .up = up,
                                                        .down = down};

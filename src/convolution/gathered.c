/* Convolution as products of matrices, for all geometries and numbers: patches of the image are gathered over blocks of pixels
 * that fit in cache, so that memory does not grow with the window. */
#include "convolution/method.h"

#include <string.h>

enum {
    BLOCK_ELEMENTS = 65536, /* of gathered patches: they stay in the second-level cache, */
    BLOCK_PIXELS = 128      /* but a product over fewer rows would spend its time on packing the weights */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    (void)c;
    (void)arithmetic;
    return true;
}

static void plan(ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic, bool in_turn)
{
    size_t fit = BLOCK_ELEMENTS / c->patch;

    (void)arithmetic;
    (void)in_turn; /* both passes have the same weights */
    c->block = fit < BLOCK_PIXELS ? BLOCK_PIXELS : fit;
    c->packed = ffebmi_patches_packed(c);
    c->scratch = c->block * c->patch;
}

/* ---------------------------------------------------------------------------------------------- patches of an image */

/* The part of a window's row `a` that lies on the image, for the output pixel (i, j): window columns begin .. end - 1
 * and the pixel of the image under the first of them; an empty part has begin = end. */
typedef struct strip {
    size_t begin;
    size_t end;
    size_t pixel;
} strip;

static strip strip_of(const ffebmi_windows *w, size_t i, size_t j, size_t a)
{
    size_t y = i * w->stride[0] + a, x = j * w->stride[1]; /* on the padded image */
    strip s = {0};

    if (y < w->padding[0] || y >= w->in[0] + w->padding[0] || x >= w->in[1] + w->padding[1])
        return s;
    s.begin = smaller(x < w->padding[1] ? w->padding[1] - x : 0, w->kernel[1]);
    s.end = smaller(w->kernel[1], w->in[1] + w->padding[1] - x);
    s.pixel = (y - w->padding[0]) * w->in[1] + x + s.begin - w->padding[1];
    return s;
}

/* Patches of output pixels first .. first + count - 1, pixels counted over all rows. */
static void gather(const ffebmi_convolution *c, const void *s, size_t first, size_t count, char *patches)
{
    const ffebmi_windows *w = &c->windows;
    const ffebmi_arrays *k = c->arrays;
    size_t bytes = w->channels * k->element, row = w->kernel[1] * bytes;

    for (size_t p = first; p < first + count; p++) {
        size_t in_image = p % c->out_pixels, i = in_image / w->out[1], j = in_image % w->out[1];
        const char *image = ffebmi_at(k, s, p / c->out_pixels * c->in_pixels * w->channels);

        for (size_t a = 0; a < w->kernel[0]; a++, patches += row) {
            strip t = strip_of(w, i, j, a);

            memset(patches, 0, t.begin * bytes);
            memcpy(patches + t.begin * bytes, image + t.pixel * bytes, (t.end - t.begin) * bytes);
            memset(patches + t.end * bytes, 0, row - t.end * bytes);
        }
    }
}

static void scatter(const ffebmi_convolution *c, void *z, size_t first, size_t count, const char *patches)
{
    const ffebmi_windows *w = &c->windows;
    const ffebmi_arrays *k = c->arrays;
    size_t bytes = w->channels * k->element, row = w->kernel[1] * bytes;

    for (size_t p = first; p < first + count; p++) {
        size_t in_image = p % c->out_pixels, i = in_image / w->out[1], j = in_image % w->out[1];
        char *image = ffebmi_at(k, z, p / c->out_pixels * c->in_pixels * w->channels);

        for (size_t a = 0; a < w->kernel[0]; a++, patches += row) {
            strip t = strip_of(w, i, j, a);

            k->add((t.end - t.begin) * w->channels, patches + t.begin * bytes, image + t.pixel * bytes);
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- passes */

static void up(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *s, void *z,
               void *scratch)
{
    size_t total = rows * c->out_pixels;
    ffebmi_matrix_product product = {.n = c->out_channels,
                                     .k = c->patch,
                                     .alpha = 1,
                                     .a = scratch,
                                     .a_stride = c->patch,
                                     .b = packed->full,
                                     .b_stride = c->patch,
                                     .transpose_b = true,
                                     .c_stride = c->out_channels};

    for (size_t first = 0; first < total; first += product.m) {
        product.m = smaller(c->block, total - first);
        product.c = ffebmi_at(c->arrays, z, first * c->out_channels);
        gather(c, s, first, product.m, scratch);
        c->arrays->gemm(&product);
    }
}

static void down(const ffebmi_convolution *c, const ffebmi_packed *packed, size_t rows, const void *v, bool accumulate,
                 void *z, void *scratch)
{
    size_t total = rows * c->out_pixels;
    ffebmi_matrix_product product = {.n = c->patch,
                                     .k = c->out_channels,
                                     .alpha = 1,
                                     .a_stride = c->out_channels,
                                     .b = packed->full,
                                     .b_stride = c->patch,
                                     .c = scratch,
                                     .c_stride = c->patch};

    if (!accumulate)
        memset(z, 0, rows * c->in_pixels * c->windows.channels * c->arrays->element);
    for (size_t first = 0; first < total; first += product.m) {
        product.m = smaller(c->block, total - first);
        product.a = ffebmi_at(c->arrays, v, first * c->out_channels);
        c->arrays->gemm(&product);
        scatter(c, z, first, product.m, scratch);
    }
}

const ffebmi_convolution_method ffebmi_method_gathered = {.name = "gathered",
                                                          .serves = serves,
                                                          .plan = plan,
                                                          .pack_units = ffebmi_patches_units,
                                                          .pack = ffebmi_patches_pack,
                                                          .up = up,
                                                          .down = down};

/* --------------------------------------------------------------------------------------------------------- gradient */

static size_t gradient_scratch(const ffebmi_convolution *c)
{
    return (c->unit[0] + c->out_pixels) * c->unit[1];
}

/* Some channels of one image as the window's position (a, b) sees it: the pixel under it for each output pixel, zero outside. */
static void shift(const ffebmi_convolution *c, const void *image, size_t channels, size_t a, size_t b, char *to)
{
    const ffebmi_windows *w = &c->windows;
    size_t bytes = channels * c->arrays->element, pitch = w->channels * c->arrays->element;

    for (size_t i = 0; i < w->out[0]; i++)
        for (size_t j = 0; j < w->out[1]; j++, to += bytes) {
            strip t = strip_of(w, i, j, a);

            if (b < t.begin || b >= t.end)
                memset(to, 0, bytes);
            else
                memcpy(to, (const char *)image + (t.pixel + b - t.begin) * pitch, bytes);
        }
}

static void add_place(const ffebmi_gradient_job *job, size_t at, void *sum, void *shifted)
{
    const ffebmi_convolution *c = job->convolution;
    const ffebmi_arrays *k = c->arrays;
    size_t channels = c->windows.channels;

    for (size_t i = 0; i < job->rows * job->pairs->count; i++) {
        size_t pair = i / job->rows, row = i % job->rows;
        const void *v = ffebmi_at(k, job->pairs->v[pair], row * c->out_pixels * job->pitch + job->from);

        shift(c, ffebmi_at(k, job->pairs->s[pair], row * c->in_pixels * channels + job->below), job->sources,
              at / c->windows.kernel[1], at % c->windows.kernel[1], shifted);
        k->gemm(&(ffebmi_matrix_product){.m = job->outs,
                                         .n = job->sources,
                                         .k = c->out_pixels,
                                         .alpha = job->factor,
                                         .a = v,
                                         .a_stride = job->pitch,
                                         .transpose_a = true,
                                         .b = shifted,
                                         .b_stride = job->sources,
                                         .beta = 1,
                                         .c = sum,
                                         .c_stride = job->sources});
    }
}

static void add(const ffebmi_gradient_job *job, void *gradient, void *scratch)
{
    ffebmi_gradient_by_places(job, add_place, gradient, scratch);
}

const ffebmi_gradient_method ffebmi_gradient_shifted = {
    .name = "shifted", .serves = serves, .scratch = gradient_scratch, .add = add};

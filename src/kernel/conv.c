#include "kernel/conv.h"
#include "kernel/direct_conv.h"

#include <string.h>

enum {
    BLOCK_ELEMENTS = 65536, /* of gathered patches: they stay in the second-level cache, */
    BLOCK_PIXELS = 128,     /* but a product over fewer rows would spend its time on packing the weights */
    LEAST_UNIT = 8,         /* output channels of one unit of the gradient: */
    MOST_UNIT = 64,         /* a fourth of all between these, so that small layers too are for several threads */
    UNITS = 4
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t positions(const ffebmi_conv *c)
{
    return c->windows.kernel[0] * c->windows.kernel[1];
}

static size_t patch_size(const ffebmi_conv *c)
{
    return positions(c) * c->windows.channels;
}

static size_t in_pixels(const ffebmi_conv *c)
{
    return c->windows.in[0] * c->windows.in[1];
}

static size_t out_pixels(const ffebmi_conv *c)
{
    return c->windows.out[0] * c->windows.out[1];
}

static size_t block_pixels(const ffebmi_conv *c)
{
    size_t fit = BLOCK_ELEMENTS / patch_size(c);

    return fit < BLOCK_PIXELS ? BLOCK_PIXELS : fit;
}

size_t ffebmi_conv_packed(const ffebmi_conv *c, const ffebmi_kernel *k, unsigned passes)
{
    return ffebmi_conv_is_direct(c, k) ? ffebmi_direct_conv_packed(c, k->direct, passes)
                                       : c->out_channels * patch_size(c);
}

size_t ffebmi_conv_pack_units(const ffebmi_conv *c, const ffebmi_kernel *k, unsigned passes)
{
    return ffebmi_conv_is_direct(c, k) ? ffebmi_direct_conv_pack_units(c, k->direct, passes) : c->out_channels;
}

void ffebmi_conv_pack(const ffebmi_conv *c, const ffebmi_kernel *k, unsigned passes, const void *weights, void *packed,
                      size_t first, size_t count)
{
    if (ffebmi_conv_is_direct(c, k)) {
        ffebmi_direct_conv_pack(c, k->direct, passes, weights, packed, first, count);
        return;
    }
    for (size_t o = first; o < first + count; o++)
        k->transpose(c->windows.channels, positions(c), ffebmi_at(k, weights, o * patch_size(c)),
                     ffebmi_at(k, packed, o * patch_size(c)));
}

bool ffebmi_conv_rounds(const ffebmi_conv *c, const ffebmi_kernel *k)
{
    return ffebmi_conv_is_direct(c, k) && ffebmi_direct_conv_rounds(c, k->direct);
}

void ffebmi_conv_round(const ffebmi_conv *c, const ffebmi_kernel *k, const void *packed, void *rounded, size_t first,
                       size_t count)
{
    ffebmi_direct_conv_round(c, k->direct, packed, rounded, first, count);
}

static size_t unit_channels(const ffebmi_conv *c)
{
    size_t share = (c->out_channels / UNITS + LEAST_UNIT - 1) / LEAST_UNIT * LEAST_UNIT;

    return share < LEAST_UNIT ? LEAST_UNIT : smaller(share, MOST_UNIT);
}

size_t ffebmi_conv_scratch(const ffebmi_conv *c, const ffebmi_kernel *k)
{
    size_t pass = block_pixels(c) * patch_size(c);
    size_t unit = (unit_channels(c) + out_pixels(c)) * c->windows.channels;

    if (ffebmi_conv_is_direct(c, k)) {
        pass = ffebmi_direct_conv_scratch(c, k->direct);
        unit = unit_channels(c) * patch_size(c) + ffebmi_direct_conv_gradient_scratch(c, k->direct, unit_channels(c));
    }
    return pass > unit ? pass : unit;
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
static void gather(const ffebmi_conv *c, const ffebmi_kernel *k, const void *s, size_t first, size_t count,
                   char *patches)
{
    const ffebmi_windows *w = &c->windows;
    size_t bytes = w->channels * k->element, row = w->kernel[1] * bytes;

    for (size_t p = first; p < first + count; p++) {
        size_t in_image = p % out_pixels(c), i = in_image / w->out[1], j = in_image % w->out[1];
        const char *image = ffebmi_at(k, s, p / out_pixels(c) * in_pixels(c) * w->channels);

        for (size_t a = 0; a < w->kernel[0]; a++, patches += row) {
            strip t = strip_of(w, i, j, a);

            memset(patches, 0, t.begin * bytes);
            memcpy(patches + t.begin * bytes, image + t.pixel * bytes, (t.end - t.begin) * bytes);
            memset(patches + t.end * bytes, 0, row - t.end * bytes);
        }
    }
}

static void scatter(const ffebmi_conv *c, const ffebmi_kernel *k, void *z, size_t first, size_t count,
                    const char *patches)
{
    const ffebmi_windows *w = &c->windows;
    size_t bytes = w->channels * k->element, row = w->kernel[1] * bytes;

    for (size_t p = first; p < first + count; p++) {
        size_t in_image = p % out_pixels(c), i = in_image / w->out[1], j = in_image % w->out[1];
        char *image = ffebmi_at(k, z, p / out_pixels(c) * in_pixels(c) * w->channels);

        for (size_t a = 0; a < w->kernel[0]; a++, patches += row) {
            strip t = strip_of(w, i, j, a);

            k->add((t.end - t.begin) * w->channels, patches + t.begin * bytes, image + t.pixel * bytes);
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- passes */

void ffebmi_conv_up(const ffebmi_conv *c, const ffebmi_kernel *k, const void *packed, size_t rows, const void *s,
                    void *z, void *scratch)
{
    size_t total = rows * out_pixels(c), out = c->out_channels, patch = patch_size(c);

    if (ffebmi_conv_is_direct(c, k)) {
        ffebmi_direct_conv_up(c, k->direct, packed, rows, s, z, scratch);
        return;
    }
    for (size_t first = 0, count; first < total; first += count) {
        count = smaller(block_pixels(c), total - first);
        gather(c, k, s, first, count, scratch);
        k->gemm(false, true, count, out, patch, 1, scratch, patch, packed, patch, 0, ffebmi_at(k, z, first * out), out);
    }
}

void ffebmi_conv_down(const ffebmi_conv *c, const ffebmi_kernel *k, unsigned passes, const void *packed, size_t rows,
                      const void *v, bool accumulate, void *z, void *scratch)
{
    size_t total = rows * out_pixels(c), out = c->out_channels, patch = patch_size(c);

    if (ffebmi_conv_is_direct(c, k)) {
        ffebmi_direct_conv_down(c, k->direct, passes, packed, rows, v, accumulate, z, scratch);
        return;
    }
    if (!accumulate)
        memset(z, 0, rows * in_pixels(c) * c->windows.channels * k->element);
    for (size_t first = 0, count; first < total; first += count) {
        count = smaller(block_pixels(c), total - first);
        k->gemm(false, false, count, patch, out, 1, ffebmi_at(k, v, first * out), out, packed, patch, 0, scratch,
                patch);
        scatter(c, k, z, first, count, scratch);
    }
}

/* --------------------------------------------------------------------------------------------------------- gradient */

size_t ffebmi_conv_units(const ffebmi_conv *c)
{
    return (c->out_channels + unit_channels(c) - 1) / unit_channels(c);
}

/* One image as the window's position (a, b) sees it: the pixel under it for each output pixel, zero outside. */
static void shift(const ffebmi_conv *c, const ffebmi_kernel *k, const void *image, size_t a, size_t b, char *to)
{
    const ffebmi_windows *w = &c->windows;
    size_t bytes = w->channels * k->element;

    for (size_t i = 0; i < w->out[0]; i++)
        for (size_t j = 0; j < w->out[1]; j++, to += bytes) {
            strip t = strip_of(w, i, j, a);

            if (b < t.begin || b >= t.end)
                memset(to, 0, bytes);
            else
                memcpy(to, (const char *)image + (t.pixel + b - t.begin) * bytes, bytes);
        }
}

/* sum, [outs][channels], = factor * what the window's position `at` adds to outputs `from` on. */
static void position_gradient(const ffebmi_conv *c, const ffebmi_kernel *k, size_t rows, const ffebmi_conv_pairs *pairs,
                              double factor, size_t at, size_t from, size_t outs, void *sum)
{
    size_t channels = c->windows.channels;
    void *shifted = ffebmi_at(k, sum, unit_channels(c) * channels);

    memset(sum, 0, outs * channels * k->element);
    if (ffebmi_conv_is_direct(c, k)) {
        ffebmi_direct_conv_outer(c, k->direct, rows, pairs, factor, at, from, outs, sum);
        return;
    }
    for (size_t i = 0; i < rows * pairs->count; i++) {
        size_t pair = i / rows, row = i % rows;

        shift(c, k, ffebmi_at(k, pairs->s[pair], row * in_pixels(c) * channels), at / c->windows.kernel[1],
              at % c->windows.kernel[1], shifted);
        k->gemm(true, false, outs, channels, out_pixels(c), factor,
                ffebmi_at(k, pairs->v[pair], row * out_pixels(c) * c->out_channels + from), c->out_channels, shifted,
                channels, 1, sum, channels);
    }
}

static void unit_gradient(const ffebmi_conv *c, const ffebmi_kernel *k, size_t rows, const ffebmi_conv_pairs *pairs,
                          double factor, void *gradient, size_t unit, void *scratch)
{
    size_t from = unit * unit_channels(c), outs = smaller(unit_channels(c), c->out_channels - from);
    size_t channels = c->windows.channels;

    for (size_t at = 0; at < positions(c); at++) {
        position_gradient(c, k, rows, pairs, factor, at, from, outs, scratch);
        for (size_t o = 0; o < outs; o++)
            k->add_strided(channels, ffebmi_at(k, scratch, o * channels),
                           ffebmi_at(k, gradient, (from + o) * patch_size(c) + at), positions(c));
    }
}

/* The same by tiles, all positions at once. */
static void tiled_gradient(const ffebmi_conv *c, const ffebmi_kernel *k, size_t rows, const ffebmi_conv_pairs *pairs,
                           double factor, void *gradient, size_t unit, void *scratch)
{
    size_t from = unit * unit_channels(c), outs = smaller(unit_channels(c), c->out_channels - from);
    float *sums = scratch;

    ffebmi_direct_conv_gradient(c, k->direct, rows, pairs, factor, from, outs, sums, sums + outs * patch_size(c));
    for (size_t o = 0; o < outs; o++)
        k->add_transposed(positions(c), c->windows.channels, sums + o * patch_size(c),
                          ffebmi_at(k, gradient, (from + o) * patch_size(c)));
}

void ffebmi_conv_gradient(const ffebmi_conv *c, const ffebmi_kernel *k, size_t rows, const ffebmi_conv_pairs *pairs,
                          double factor, void *gradient, size_t first, size_t count, void *scratch)
{
    bool tiled = ffebmi_conv_is_direct(c, k) && ffebmi_direct_conv_is_tiled(c, k->direct);

    for (size_t unit = first; unit < first + count; unit++)
        (tiled ? tiled_gradient : unit_gradient)(c, k, rows, pairs, factor, gradient, unit, scratch);
}

void ffebmi_conv_outer(const ffebmi_conv *c, const ffebmi_kernel *k, size_t rows, const ffebmi_conv_pairs *pairs,
                       double factor, size_t from, size_t outs, void *sum)
{
    size_t channels = c->windows.channels;

    if (ffebmi_conv_is_direct(c, k)) {
        ffebmi_direct_conv_outer(c, k->direct, rows, pairs, factor, 0, from, outs, sum);
        return;
    }
    for (size_t pair = 0; pair < pairs->count; pair++)
        k->gemm(true, false, outs, channels, rows, factor, ffebmi_at(k, pairs->v[pair], from), c->out_channels,
                pairs->s[pair], channels, 1, sum, channels);
}

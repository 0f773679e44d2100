/* The dense coupling, <W s + b, s_above>. The columns of W follow channel, row, column; an image is stored h x w x c, so
 * over one W is packed in that order. */
#include <string.h>

#include "core/context.h"
#include "energy/coupling.h"
#include "kernel/conv.h"

static ffebm_status fit(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    FFEBMI_TRY(ffebmi_dense_parameters(context, coupling->parameters, what, coupling->out, coupling->below.count));
    coupling->parameter_count = coupling->learnable.bias ? 2 : 1;
    coupling->units[0] = coupling->units[1] = (size_t)coupling->out;
    coupling->above = ffebmi_shape_vector(coupling->out);
    return FFEBM_OK;
}

static size_t channels_of(const ffebmi_coupling *coupling)
{
    return (size_t)coupling->below.dims[0];
}

/* The same map as a convolution: over an image by a window as large as it, over a vector by one place of it. */
static ffebmi_conv conv_of(const ffebmi_coupling *coupling)
{
    const ffebmi_shape *below = &coupling->below;
    bool image = ffebmi_shape_is_image(below);
    size_t height = image ? (size_t)below->dims[1] : 1, width = image ? (size_t)below->dims[2] : 1;
    ffebmi_conv conv = {.windows = {.channels = below->count / (height * width),
                                    .in = {height, width},
                                    .out = {1, 1},
                                    .kernel = {height, width},
                                    .stride = {1, 1}},
                        .out_channels = coupling->above.count};

    return conv;
}

static size_t packed(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);

    if (ffebmi_conv_is_direct(&conv, k))
        return ffebmi_conv_packed(&conv, k, FFEBMI_CONV_BOTH);
    return ffebmi_shape_is_image(&coupling->below) ? coupling->parameters[0].shape.count : 0;
}

static size_t pack_units(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);

    return ffebmi_conv_pack_units(&conv, k, FFEBMI_CONV_BOTH);
}

static void pack(const ffebmi_coupling *coupling, const ffebmi_kernel *k, const void *weight, void *to, size_t first,
                 size_t count)
{
    ffebmi_conv conv = conv_of(coupling);

    ffebmi_conv_pack(&conv, k, FFEBMI_CONV_BOTH, weight, to, first, count);
}

static size_t scratch(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);
    size_t gradient = ffebmi_coupling_dense.grain * coupling->below.count;
    size_t pass = ffebmi_conv_is_direct(&conv, k) ? ffebmi_conv_scratch(&conv, k) : 0;

    return pass > gradient ? pass : gradient;
}

static void up(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z)
{
    const ffebmi_kernel *k = call->kernel;
    size_t in = coupling->below.count, out = coupling->above.count;

    ffebmi_conv conv = conv_of(coupling);

    if (ffebmi_conv_is_direct(&conv, k))
        ffebmi_conv_up(&conv, k, call->packed, call->rows, s, z, call->scratch);
    else
        k->gemm(false, true, call->rows, out, in, 1, s, in, call->packed, in, 0, z, out);
    if (coupling->learnable.bias && !call->displacement)
        k->add_row(call->rows, out, call->parameters[1], z);
}

static void down(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z)
{
    size_t in = coupling->below.count, out = coupling->above.count;

    ffebmi_conv conv = conv_of(coupling);

    if (ffebmi_conv_is_direct(&conv, call->kernel))
        ffebmi_conv_down(&conv, call->kernel, FFEBMI_CONV_BOTH, call->packed, call->rows, v, accumulate, z,
                         call->scratch);
    else
        call->kernel->gemm(false, false, call->rows, in, out, 1, v, out, call->packed, in, accumulate ? 1 : 0, z, in);
}

/* dE/dW = - s_above s^T and dE/db = - s_above, each contrasted: with D the difference and M the mean of the two states,
 * D(s_above s^T) = D s_above M s^T + M s_above D s^T, the same number with less rounding than the two products. */
static void weight_gradient(const ffebmi_coupling *coupling, const ffebmi_contrast *c, size_t layer, void *to,
                            size_t first, size_t count, void *sum)
{
    const ffebmi_kernel *k = c->kernel;
    size_t in = coupling->below.count, out = coupling->above.count;
    ffebmi_conv vector = {.windows = {.channels = in, .in = {1, 1}, .out = {1, 1}, .kernel = {1, 1}, .stride = {1, 1}},
                          .out_channels = out};

    ffebmi_conv_pairs pairs = {
        2, {c->difference[layer + 1], c->mean[layer + 1]}, {c->mean[layer], c->difference[layer]}};

    if (!ffebmi_shape_is_image(&coupling->below)) {
        ffebmi_conv_outer(&vector, k, c->batch, &pairs, -c->weight, first, count, ffebmi_at(k, to, first * in));
        return;
    }
    memset(sum, 0, count * in * k->element);
    ffebmi_conv_outer(&vector, k, c->batch, &pairs, -c->weight, first, count, sum);
    for (size_t o = 0; o < count; o++)
        k->add_transposed(in / channels_of(coupling), channels_of(coupling), ffebmi_at(k, sum, o * in),
                          ffebmi_at(k, to, (first + o) * in));
}

static void gradient(const ffebmi_coupling *coupling, const ffebmi_contrast *c, size_t layer, size_t parameter,
                     void *to, size_t first, size_t count, void *work)
{
    const ffebmi_kernel *k = c->kernel;

    if (parameter == 0)
        weight_gradient(coupling, c, layer, to, first, count, work);
    else
        k->add_column_sums(c->batch, count, coupling->above.count, -c->weight,
                           ffebmi_at(k, c->difference[layer + 1], first), ffebmi_at(k, to, first));
}

const ffebmi_coupling_kind ffebmi_coupling_dense = {.type = FFEBM_COUPLING_DENSE,
                                                    .name = "dense",
                                                    .out_key = "out_features",
                                                    .reads = FFEBMI_READS_OUT | FFEBMI_READS_BIAS | FFEBMI_READS_FROZEN,
                                                    .grain = 64,
                                                    .fit = fit,
                                                    .packed = packed,
                                                    .pack_units = pack_units,
                                                    .pack = pack,
                                                    .scratch = scratch,
                                                    .up = up,
                                                    .down = down,
                                                    .gradient = gradient};

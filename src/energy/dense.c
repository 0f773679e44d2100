/* The dense coupling, <W s + b, s_above>. The columns of W follow channel, row, column; an image is stored h x w x c, so
 * over one W is packed in that order. */
#include <string.h>

#include "core/context.h"
#include "energy/coupling.h"
#include "energy/fields.h"

static ffebm_status fit(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    FFEBMI_TRY(ffebmi_dense_parameters(context, coupling->parameters, what, coupling->out, coupling->below.count));
    coupling->parameter_count = coupling->learnable.bias ? 2 : 1;
    coupling->units[0] = coupling->units[1] = (size_t)coupling->out;
    coupling->above = coupling->convolved = ffebmi_shape_vector(coupling->out);
    return FFEBM_OK;
}

/* The same map as a convolution: over an image by a window as large as it, over a vector by one place of it. Scratch is also
 * a piece of the gradient in the order inside. */
static void plan(const ffebmi_coupling *coupling, const ffebmi_arithmetic *arithmetic, ffebmi_coupling_plan *to)
{
    const ffebmi_shape *below = &coupling->below;
    bool image = ffebmi_shape_is_image(below);
    size_t height = image ? (size_t)below->dims[1] : 1, width = image ? (size_t)below->dims[2] : 1;
    size_t gradient = ffebmi_coupling_dense.grain * below->count;
    const ffebmi_windows windows = {.channels = below->count / (height * width),
                                    .in = {height, width},
                                    .out = {1, 1},
                                    .kernel = {height, width},
                                    .stride = {1, 1}};

    *to = (ffebmi_coupling_plan){0};
    ffebmi_convolution_plan(&to->convolution, arithmetic, &windows, coupling->above.count, false);
    to->scratch = to->convolution.scratch > gradient ? to->convolution.scratch : gradient;
}

static void up(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z)
{
    const ffebmi_convolution *c = &call->plan->convolution;

    ffebmi_convolution_up(c, &call->packed, call->rows, s, z, call->scratch);
    if (coupling->learnable.bias && !call->displacement)
        c->arrays->add_row(call->rows, c->out_channels, call->parameters[1], z);
}

static void down(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z)
{
    (void)coupling;
    ffebmi_convolution_down(&call->plan->convolution, &call->packed, call->rows, v, accumulate, z, call->scratch);
}

/* dE/dW = - s_above s^T and dE/db = - s_above, each contrasted: with D the difference and M the mean of the two states,
 * D(s_above s^T) = D s_above M s^T + M s_above D s^T, the same number with less rounding than the two products. */
static void weight_gradient(const ffebmi_coupling_contrast *contrast, void *to, size_t first, size_t count)
{
    const ffebmi_convolution *c = &contrast->plan->convolution;
    const ffebmi_arrays *a = c->arrays;
    bool turned = c->taps > 1;
    void *sum = turned ? contrast->scratch : ffebmi_at(a, to, first * c->patch);

    if (turned)
        memset(sum, 0, count * c->patch * a->element);
    ffebmi_convolution_outer(c, contrast->batch, &contrast->pairs, -contrast->weight, first, count, sum);
    for (size_t o = 0; turned && o < count; o++)
        a->add_transposed(c->taps, c->windows.channels, ffebmi_at(a, sum, o * c->patch),
                          ffebmi_at(a, to, (first + o) * c->patch));
}

static void gradient(const ffebmi_coupling *coupling, const ffebmi_coupling_contrast *contrast, size_t parameter,
                     void *to, size_t first, size_t count)
{
    const ffebmi_arrays *a = contrast->plan->convolution.arrays;

    if (parameter == 0)
        weight_gradient(contrast, to, first, count);
    else
        a->add_column_sums(contrast->batch, count, coupling->above.count, -contrast->weight,
                           ffebmi_at(a, contrast->pairs.v[0], first), ffebmi_at(a, to, first));
}

#define FFEBMI_CONFIG ffebm_coupling_config
static const ffebmi_setting list[] = {
    FFEBMI_FIELD_INITIALIZATION,      FFEBMI_FIELD_ACTIVATION, FFEBMI_FIELD_FROM,  FFEBMI_FIELD_TO,
    FFEBMI_FIELD_OUT("out_features"), FFEBMI_FIELD_BIAS,       FFEBMI_FIELD_FROZEN};
static const ffebmi_settings settings = FFEBMI_SETTINGS("dense coupling", 0, list);

const ffebmi_coupling_kind ffebmi_coupling_dense = {.type = FFEBM_COUPLING_DENSE,
                                                    .name = "dense",
                                                    .settings = &settings,
                                                    .grain = 64,
                                                    .fit = fit,
                                                    .plan = plan,
                                                    .up = up,
                                                    .down = down,
                                                    .gradient = gradient};

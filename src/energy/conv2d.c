/* The convolutional coupling, <P(W * s + b), s_above> with a pool P or none. The switches that a bottom-up pass leaves, which place of its
 * window each pooled unit comes from, serve the top-down pass and the gradient. */
#include "core/context.h"
#include "energy/coupling.h"
#include "energy/fields.h"

enum { CHUNK_PIXELS = 1024 }; /* convolved at a time before they are pooled */

static ffebm_status fit_pool(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {coupling->out};

    FFEBMI_TRY(ffebmi_window_fit(context, &coupling->pool_window, &coupling->convolved, true, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &coupling->above, dims, 3, what));
    coupling->switch_count = coupling->pool->has_switches ? coupling->above.count : 0;
    return FFEBM_OK;
}

static ffebm_status fit(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {coupling->out};
    ffebmi_windows windows;

    FFEBMI_TRY(ffebmi_window_fit(context, &coupling->window, &coupling->below, false, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &coupling->convolved, dims, 3, what));
    FFEBMI_TRY(ffebmi_conv_parameters(context, coupling->parameters, what, coupling->out, coupling->below.dims[0],
                                      coupling->window.kernel));
    coupling->parameter_count = coupling->learnable.bias ? 2 : 1;
    coupling->above = coupling->convolved;
    coupling->switch_count = 0;
    if (coupling->pool != NULL)
        FFEBMI_TRY(fit_pool(coupling, context, what));
    windows = ffebmi_windows_of(&coupling->window, &coupling->below, &coupling->convolved);
    coupling->units[0] = ffebmi_convolution_units(&windows, (size_t)coupling->out);
    coupling->units[1] = 1;
    return FFEBM_OK;
}

/* The convolution's own scratch, and behind it images before the pool: of a pass a chunk of all channels, of a contrast two of a
 * unit's. */
static void plan(const ffebmi_coupling *coupling, const ffebmi_arithmetic *arithmetic, ffebmi_coupling_plan *to)
{
    ffebmi_windows windows = ffebmi_windows_of(&coupling->window, &coupling->below, &coupling->convolved);
    size_t pixels = coupling->convolved.count / (size_t)coupling->out, images[2], unit;

    *to = (ffebmi_coupling_plan){.chunk = pixels < CHUNK_PIXELS ? CHUNK_PIXELS / pixels : 1};
    ffebmi_convolution_plan(&to->convolution, arithmetic, &windows, (size_t)coupling->out, false);
    to->scratch = to->convolution.scratch;
    if (coupling->pool == NULL)
        return;
    to->pool = ffebmi_windows_of(&coupling->pool_window, &coupling->convolved, &coupling->above);
    unit = pixels * to->convolution.unit[0];
    to->contrast_chunk = to->chunk * coupling->convolved.count / (2 * unit);
    if (to->contrast_chunk == 0)
        to->contrast_chunk = 1;
    images[0] = to->chunk * coupling->convolved.count;
    images[1] = 2 * to->contrast_chunk * unit;
    to->scratch += images[0] > images[1] ? images[0] : images[1];
}

/* ---------------------------------------------------------------------------------------------------------- passes */

static void *images_in(const ffebmi_coupling_plan *p, void *scratch)
{
    return ffebmi_at(p->convolution.arrays, scratch, p->convolution.scratch);
}

static void convolve(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, size_t rows, const void *s,
                     void *z)
{
    const ffebmi_convolution *c = &call->plan->convolution;

    ffebmi_convolution_up(c, &call->packed, rows, s, z, call->scratch);
    if (coupling->learnable.bias && !call->displacement)
        c->arrays->add_row(rows * c->out_pixels, c->out_channels, call->parameters[1], z);
}

typedef struct chunk {
    size_t first;
    size_t rows;
} chunk;

static bool next_chunk(size_t most, size_t rows, chunk *c)
{
    c->first += c->rows;
    c->rows = rows - c->first < most ? rows - c->first : most;
    return c->rows > 0;
}

static void up(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z)
{
    const ffebmi_coupling_plan *p = call->plan;
    const ffebmi_arrays *a = p->convolution.arrays;
    void *images;

    if (coupling->pool == NULL) {
        convolve(coupling, call, call->rows, s, z);
        return;
    }
    images = images_in(p, call->scratch);
    for (chunk c = {0}; next_chunk(p->chunk, call->rows, &c);) {
        convolve(coupling, call, c.rows, ffebmi_at(a, s, c.first * coupling->below.count), images);
        coupling->pool->up(a, &p->pool, c.rows, images, call->held, call->switches + c.first * coupling->switch_count,
                           ffebmi_at(a, z, c.first * coupling->above.count));
    }
}

static void down(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z)
{
    const ffebmi_coupling_plan *p = call->plan;
    const ffebmi_arrays *a = p->convolution.arrays;
    void *images;

    if (coupling->pool == NULL) {
        ffebmi_convolution_down(&p->convolution, &call->packed, call->rows, v, accumulate, z, call->scratch);
        return;
    }
    images = images_in(p, call->scratch);
    for (chunk c = {0}; next_chunk(p->chunk, call->rows, &c);) {
        coupling->pool->down(a, &p->pool, c.rows, ffebmi_at(a, v, c.first * coupling->above.count),
                             call->switches + c.first * coupling->switch_count, images);
        ffebmi_convolution_down(&p->convolution, &call->packed, c.rows, images, accumulate,
                                ffebmi_at(a, z, c.first * coupling->below.count), call->scratch);
    }
}

/* -------------------------------------------------------------------------------------------------------- gradient */

/* The contrast of a chunk in some output channels, each state unpooled to its own places. */
static ffebmi_pairs unpool(const ffebmi_coupling *coupling, const ffebmi_coupling_contrast *c, chunk part, size_t from,
                           size_t channels)
{
    const ffebmi_coupling_plan *p = c->plan;
    const ffebmi_arrays *a = p->convolution.arrays;
    size_t image = p->convolution.out_pixels * channels, below = part.first * coupling->below.count;
    void *difference = images_in(p, c->scratch), *mean = ffebmi_at(a, difference, part.rows * image);

    for (size_t r = 0; r < part.rows; r++) {
        size_t above = (part.first + r) * coupling->above.count + from;
        size_t switches = (part.first + r) * coupling->switch_count + from;
        ffebmi_pool_contrast pooled = {.difference = ffebmi_at(a, c->pairs.v[0], above),
                                       .mean = ffebmi_at(a, c->pairs.v[1], above)};

        for (size_t i = 0; i < 2 && coupling->switch_count > 0; i++)
            pooled.switches[i] = c->switches[i] + switches;
        coupling->pool->down_contrast(a, &p->pool, channels, &pooled, ffebmi_at(a, difference, r * image),
                                      ffebmi_at(a, mean, r * image));
    }
    return (ffebmi_pairs){.count = 2,
                          .v = {difference, mean},
                          .s = {ffebmi_at(a, c->pairs.s[0], below), ffebmi_at(a, c->pairs.s[1], below)},
                          .from = from,
                          .channels = channels};
}

/* dE/dW = - unpool(s_above) (x) s, unit by unit, contrasted a chunk at a time. */
static void pooled_gradient(const ffebmi_coupling *coupling, const ffebmi_coupling_contrast *c, void *to, size_t first,
                            size_t count)
{
    const ffebmi_convolution *convolution = &c->plan->convolution;

    for (size_t unit = first; unit < first + count; unit++) {
        size_t channels, from = ffebmi_convolution_unit(convolution, unit, &channels);

        for (chunk part = {0}; next_chunk(c->plan->contrast_chunk, c->batch, &part);) {
            ffebmi_pairs pairs = unpool(coupling, c, part, from, channels);

            ffebmi_convolution_gradient(convolution, part.rows, &pairs, -c->weight, to, unit, 1, c->scratch);
        }
    }
}

static void gradient(const ffebmi_coupling *coupling, const ffebmi_coupling_contrast *c, size_t parameter, void *to,
                     size_t first, size_t count)
{
    const ffebmi_convolution *convolution = &c->plan->convolution;
    size_t out = convolution->out_channels;

    if (parameter == 1) /* the pool passes a bias through */
        convolution->arrays->add_column_sums(c->batch * coupling->above.count / out, out, out, -c->weight,
                                             c->pairs.v[0], to);
    else if (coupling->pool != NULL)
        pooled_gradient(coupling, c, to, first, count);
    else
        ffebmi_convolution_gradient(convolution, c->batch, &c->pairs, -c->weight, to, first, count, c->scratch);
}

FFEBMI_CHOICES(pools, FFEBMI_POOLS);

#define FFEBMI_CONFIG ffebm_coupling_config
static const ffebmi_setting list[] = {FFEBMI_FIELD_INITIALIZATION,
                                      FFEBMI_FIELD_ACTIVATION,
                                      FFEBMI_FIELD_FROM,
                                      FFEBMI_FIELD_TO,
                                      FFEBMI_FIELD_OUT("out_channels"),
                                      FFEBMI_FIELD_KERNEL,
                                      FFEBMI_FIELD_STRIDE("1", 1, 1),
                                      FFEBMI_FIELD_PADDING,
                                      FFEBMI_FIELD_POOL_KERNEL,
                                      FFEBMI_FIELD_POOL_STRIDE,
                                      FFEBMI_FIELD_POOL(pools),
                                      FFEBMI_FIELD_BIAS,
                                      FFEBMI_FIELD_FROZEN};
static const ffebmi_settings settings = FFEBMI_SETTINGS("conv2d coupling", 0, list);

const ffebmi_coupling_kind ffebmi_coupling_conv2d = {.type = FFEBM_COUPLING_CONV2D,
                                                     .name = "conv2d",
                                                     .settings = &settings,
                                                     .grain = 1,
                                                     .fit = fit,
                                                     .plan = plan,
                                                     .up = up,
                                                     .down = down,
                                                     .gradient = gradient};

/* The convolutional coupling, <pool(W * s + b), s_above>. The switches that a bottom-up pass leaves, which place of its
 * window each pooled unit comes from, serve the top-down pass and the gradient. */
#include "core/context.h"
#include "energy/coupling.h"
#include "kernel/conv.h"

enum { CHUNK_PIXELS = 1024 }; /* convolved at a time before they are pooled */

static ffebmi_conv conv_of(const ffebmi_coupling *coupling)
{
    ffebmi_conv conv = {.out_channels = (size_t)coupling->out};

    conv.windows = ffebmi_windows_of(&coupling->window, &coupling->below, &coupling->convolved);
    return conv;
}

static ffebmi_windows pool_of(const ffebmi_coupling *coupling)
{
    return ffebmi_windows_of(&coupling->pool, &coupling->convolved, &coupling->above);
}

static ffebm_status fit_pool(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {coupling->out};

    FFEBMI_TRY(ffebmi_window_fit(context, &coupling->pool, &coupling->convolved, true, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &coupling->above, dims, 3, what));
    coupling->switch_count = coupling->above.count;
    return FFEBM_OK;
}

static ffebm_status fit(ffebmi_coupling *coupling, ffebm_context *context, const char *what)
{
    int64_t dims[3] = {coupling->out};
    ffebmi_conv conv;

    FFEBMI_TRY(ffebmi_window_fit(context, &coupling->window, &coupling->below, true, what, dims + 1));
    FFEBMI_TRY(ffebmi_shape_set(context, &coupling->convolved, dims, 3, what));
    FFEBMI_TRY(ffebmi_conv_parameters(context, coupling->parameters, what, coupling->out, coupling->below.dims[0],
                                      coupling->window.kernel));
    coupling->parameter_count = coupling->learnable.bias ? 2 : 1;
    coupling->above = coupling->convolved;
    coupling->switch_count = 0;
    if (coupling->pooled)
        FFEBMI_TRY(fit_pool(coupling, context, what));
    conv = conv_of(coupling);
    coupling->units[0] = ffebmi_conv_units(&conv);
    coupling->units[1] = 1;
    return FFEBM_OK;
}

static size_t packed(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);

    return ffebmi_conv_packed(&conv, k, FFEBMI_CONV_BOTH);
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

static bool rounds(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);

    return ffebmi_conv_rounds(&conv, k);
}

static void round_packed(const ffebmi_coupling *coupling, const ffebmi_kernel *k, const void *from, void *to,
                         size_t first, size_t count)
{
    ffebmi_conv conv = conv_of(coupling);

    ffebmi_conv_round(&conv, k, from, to, first, count);
}

/* ---------------------------------------------------------------------------------------------------------- passes */

static size_t chunk_rows(const ffebmi_coupling *coupling)
{
    size_t pixels = coupling->convolved.count / (size_t)coupling->out;

    return pixels < CHUNK_PIXELS ? CHUNK_PIXELS / pixels : 1;
}

/* The convolution's own scratch, and behind it images before the pool: of a contrast two chunks. */
static size_t scratch(const ffebmi_coupling *coupling, const ffebmi_kernel *k)
{
    ffebmi_conv conv = conv_of(coupling);
    size_t images = coupling->pooled ? 2 * chunk_rows(coupling) * coupling->convolved.count : 0;

    return ffebmi_conv_scratch(&conv, k) + images;
}

static void *images_in(const ffebmi_coupling *coupling, const ffebmi_kernel *k, void *work)
{
    ffebmi_conv conv = conv_of(coupling);

    return ffebmi_at(k, work, ffebmi_conv_scratch(&conv, k));
}

static void convolve(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, size_t rows, const void *s,
                     void *z)
{
    ffebmi_conv conv = conv_of(coupling);

    ffebmi_conv_up(&conv, call->kernel, call->packed, rows, s, z, call->scratch);
    if (coupling->learnable.bias && !call->displacement)
        call->kernel->add_row(rows * coupling->convolved.count / conv.out_channels, conv.out_channels,
                              call->parameters[1], z);
}

typedef struct chunk {
    size_t first;
    size_t rows;
} chunk;

static bool next_chunk(const ffebmi_coupling *coupling, size_t rows, chunk *c)
{
    c->first += c->rows;
    c->rows = rows - c->first < chunk_rows(coupling) ? rows - c->first : chunk_rows(coupling);
    return c->rows > 0;
}

static void up(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z)
{
    const ffebmi_kernel *k = call->kernel;
    ffebmi_windows pool;
    void *images;

    if (!coupling->pooled) {
        convolve(coupling, call, call->rows, s, z);
        return;
    }
    pool = pool_of(coupling);
    images = images_in(coupling, k, call->scratch);
    for (chunk c = {0}; next_chunk(coupling, call->rows, &c);) {
        void *to = ffebmi_at(k, z, c.first * coupling->above.count);
        uint8_t *switches = call->switches + c.first * coupling->switch_count;

        convolve(coupling, call, c.rows, ffebmi_at(k, s, c.first * coupling->below.count), images);
        if (call->held)
            k->pick(&pool, c.rows, images, switches, to);
        else
            k->max_pool(&pool, c.rows, images, to, switches);
    }
}

static void down(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z)
{
    const ffebmi_kernel *k = call->kernel;
    ffebmi_conv conv = conv_of(coupling);
    ffebmi_windows pool;
    void *images;

    if (!coupling->pooled) {
        ffebmi_conv_down(&conv, k, FFEBMI_CONV_BOTH, call->packed, call->rows, v, accumulate, z, call->scratch);
        return;
    }
    pool = pool_of(coupling);
    images = images_in(coupling, k, call->scratch);
    for (chunk c = {0}; next_chunk(coupling, call->rows, &c);) {
        k->unpool(&pool, c.rows, ffebmi_at(k, v, c.first * coupling->above.count),
                  call->switches + c.first * coupling->switch_count, images);
        ffebmi_conv_down(&conv, k, FFEBMI_CONV_BOTH, call->packed, c.rows, images, accumulate,
                         ffebmi_at(k, z, c.first * coupling->below.count), call->scratch);
    }
}

/* -------------------------------------------------------------------------------------------------------- gradient */

/* dE/dW = - unpool(s_above) (x) s, contrasted a chunk at a time: each state is unpooled to its own places. */
static void pooled_gradient(const ffebmi_coupling *coupling, const ffebmi_contrast *c, size_t layer, void *to,
                            size_t first, size_t count, void *work)
{
    const ffebmi_kernel *k = c->kernel;
    ffebmi_conv conv = conv_of(coupling);
    ffebmi_windows pool = pool_of(coupling);
    size_t image = coupling->convolved.count;
    void *difference = images_in(coupling, k, work), *mean = ffebmi_at(k, difference, chunk_rows(coupling) * image);

    for (chunk part = {0}; next_chunk(coupling, c->batch, &part);) {
        size_t below = part.first * coupling->below.count;
        ffebmi_conv_pairs pairs;

        for (size_t r = 0; r < part.rows; r++) {
            size_t above = (part.first + r) * coupling->above.count;
            size_t switches = (part.first + r) * coupling->switch_count;

            k->unpool_contrast(&pool, ffebmi_at(k, c->difference[layer + 1], above),
                               ffebmi_at(k, c->mean[layer + 1], above), c->switches[0][layer] + switches,
                               c->switches[1][layer] + switches, ffebmi_at(k, difference, r * image),
                               ffebmi_at(k, mean, r * image));
        }
        pairs = (ffebmi_conv_pairs){
            2, {difference, mean}, {ffebmi_at(k, c->mean[layer], below), ffebmi_at(k, c->difference[layer], below)}};
        ffebmi_conv_gradient(&conv, k, part.rows, &pairs, -c->weight, to, first, count, work);
    }
}

static void gradient(const ffebmi_coupling *coupling, const ffebmi_contrast *c, size_t layer, size_t parameter,
                     void *to, size_t first, size_t count, void *work)
{
    const ffebmi_kernel *k = c->kernel;
    ffebmi_conv conv = conv_of(coupling);
    ffebmi_conv_pairs pairs = {
        2, {c->difference[layer + 1], c->mean[layer + 1]}, {c->mean[layer], c->difference[layer]}};
    size_t out = conv.out_channels;

    if (parameter == 1) { /* the pool passes a bias through */
        k->add_column_sums(c->batch * coupling->above.count / out, out, out, -c->weight, c->difference[layer + 1], to);
    } else if (coupling->pooled) {
        pooled_gradient(coupling, c, layer, to, first, count, work);
    } else {
        ffebmi_conv_gradient(&conv, k, c->batch, &pairs, -c->weight, to, first, count, work);
    }
}

const ffebmi_coupling_kind ffebmi_coupling_conv2d = {
    .type = FFEBM_COUPLING_CONV2D,
    .name = "conv2d",
    .out_key = "out_channels",
    .reads = FFEBMI_READS_OUT | FFEBMI_READS_BIAS | FFEBMI_READS_FROZEN | FFEBMI_READS_WINDOW | FFEBMI_READS_POOL,
    .grain = 1,
    .fit = fit,
    .packed = packed,
    .pack_units = pack_units,
    .pack = pack,
    .rounds = rounds,
    .round = round_packed,
    .scratch = scratch,
    .up = up,
    .down = down,
    .gradient = gradient};

#include "convolution/sums.h"

enum {
    CACHED_WEIGHTS = 4096, /* half of the first-level cache */
    LEAST_CHANNELS = 32
};

/* Pixels with the same taps, in some images: what a panel goes over. */
typedef struct region {
    ffebmi_segment y;
    ffebmi_segment x;
    size_t first_row;
    size_t rows;
    ptrdiff_t offsets[FFEBMI_PASS_TAPS]; /* of the taps' source pixels, from the first tap's */
} region;

static void lay_taps(const ffebmi_pass *p, region *r)
{
    size_t t = 0;

    for (size_t a = r->y.begin; a < r->y.stop; a++)
        for (size_t b = r->x.begin; b < r->x.stop; b++)
            r->offsets[t++] =
                p->sign * ((ptrdiff_t)((a - r->y.begin) * p->source[1] + b - r->x.begin)) * (ptrdiff_t)p->sources;
}

/* Position i of a region: images in turn, in each the rows of pixels. */
static void lay_position(const ffebmi_walk *w, const region *r, size_t i, size_t channel, const float **x, float **z)
{
    const ffebmi_pass *p = w->pass;
    size_t width = r->x.end - r->x.first, pixels = width * (r->y.end - r->y.first);
    size_t row = r->first_row + i / pixels, y = r->y.first + i % pixels / width, column = r->x.first + i % width;
    size_t source = (row * p->source[0] + ffebmi_pass_source(p, 0, y, r->y.begin)) * p->source[1] +
                    ffebmi_pass_source(p, 1, column, r->x.begin);

    *x = w->x + source * p->sources;
    *z = w->z + ((row * p->target[0] + y) * p->target[1] + column) * p->targets + channel;
}

/* Channels of the source that are summed at a time: with all taps as many weights as stay in the first-level cache while
 * all positions go over them. */
static size_t channels_at_once(const ffebmi_pass *p, size_t taps)
{
    size_t channels = CACHED_WEIGHTS / (taps * p->products->panel);

    return channels < LEAST_CHANNELS ? LEAST_CHANNELS : channels;
}

/* Add channels from `channel` on. */
static void run_channels(const ffebmi_walk *w, const region *r, size_t panel, size_t channel, ffebmi_tile_product *tile)
{
    const ffebmi_pass *p = w->pass;
    size_t positions = r->rows * (r->y.end - r->y.first) * (r->x.end - r->x.first);

    for (size_t i = 0, count; i < positions; i += count) {
        count = ffebmi_pass_share(positions - i, p->products->positions);
        for (size_t k = 0; k < count; k++) {
            lay_position(w, r, i + k, panel * p->products->panel, &tile->x[k], &tile->z[k]);
            tile->x[k] += channel;
        }
        p->products->tile(tile, count);
    }
}

static void run_panel(const ffebmi_walk *w, const region *r, size_t panel)
{
    const ffebmi_pass *p = w->pass;
    size_t width = p->products->panel, taps = (r->y.stop - r->y.begin) * (r->x.stop - r->x.begin);
    size_t most = channels_at_once(p, taps), left = p->targets - panel * width;
    const float *weights[FFEBMI_PASS_TAPS];
    ffebmi_tile_product tile = {.offsets = r->offsets,
                                .weights = weights,
                                .taps = taps,
                                .width = left < width ? left : width,
                                .accumulate = w->accumulate};

    for (size_t channel = 0; channel < p->sources; channel += most) {
        size_t t = 0;

        for (size_t a = r->y.begin; a < r->y.stop; a++)
            for (size_t b = r->x.begin; b < r->x.stop; b++)
                weights[t++] = ffebmi_sums_weights(w, panel, a, b) + channel * width;
        tile.channels = p->sources - channel < most ? p->sources - channel : most;
        tile.ahead = tile.channels * width;
        run_channels(w, r, panel, channel, &tile);
        tile.accumulate = true;
    }
}

void ffebmi_sums_dense(const ffebmi_walk *w, size_t first_row, size_t rows)
{
    region r = {.first_row = first_row, .rows = rows};

    while (ffebmi_pass_next(w->pass, 0, &r.y)) {
        r.x = (ffebmi_segment){0};
        while (ffebmi_pass_next(w->pass, 1, &r.x)) {
            lay_taps(w->pass, &r);
            for (size_t panel = 0; panel < w->pass->panels; panel++)
                run_panel(w, &r, panel);
        }
    }
}

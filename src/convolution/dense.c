#include "convolution/sums.h"

#include <string.h>

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
    size_t source[2];                    /* the first pixel that the first one sees */
    ptrdiff_t offsets[FFEBMI_PASS_TAPS]; /* of the taps' source pixels, from the first tap's */
} region;

static void lay_taps(const ffebmi_pass *p, region *r)
{
    size_t t = 0;

    r->source[0] = ffebmi_pass_source(p, 0, r->y.first, r->y.begin);
    r->source[1] = ffebmi_pass_source(p, 1, r->x.first, r->x.begin);
    for (size_t a = 0; a < r->y.taps; a++)
        for (size_t b = 0; b < r->x.taps; b++)
            r->offsets[t++] = p->sign * ((ptrdiff_t)(a * p->source[1] + b)) * (ptrdiff_t)p->sources;
}

static size_t positions_of(const region *r)
{
    return r->rows * r->y.pixels * r->x.pixels;
}

/* A position of a region: images in turn, in each the rows of pixels. */
typedef struct position {
    size_t row;
    size_t y;
    size_t x;
} position;

static void advance(const region *r, position *at)
{
    if (++at->x < r->x.pixels)
        return;
    at->x = 0;
    if (++at->y < r->y.pixels)
        return;
    at->y = 0;
    at->row++;
}

static const float *source_at(const ffebmi_walk *w, const region *r, position at)
{
    const ffebmi_pass *p = w->pass;
    size_t y = r->source[0] + at.y * p->source_step[0], x = r->source[1] + at.x * p->source_step[1];

    return w->x + ((at.row * p->source[0] + y) * p->source[1] + x) * p->sources;
}

static float *target_at(const ffebmi_walk *w, const region *r, position at)
{
    const ffebmi_pass *p = w->pass;
    size_t y = r->y.first + at.y * p->target_step[0], x = r->x.first + at.x * p->target_step[1];

    return w->z + ((at.row * p->target[0] + y) * p->target[1] + x) * p->targets;
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
    size_t positions = positions_of(r);
    position at = {.row = r->first_row};

    for (size_t i = 0, count; i < positions; i += count) {
        count = ffebmi_pass_share(positions - i, p->products->positions);
        for (size_t k = 0; k < count; k++, advance(r, &at)) {
            tile->x[k] = source_at(w, r, at) + channel;
            tile->z[k] = target_at(w, r, at) + panel * p->products->panel;
        }
        p->products->tile(tile, count);
    }
}

static void run_panel(const ffebmi_walk *w, const region *r, size_t panel)
{
    const ffebmi_pass *p = w->pass;
    size_t width = p->products->panel, taps = r->y.taps * r->x.taps;
    size_t most = channels_at_once(p, taps), left = p->targets - panel * width;
    const float *weights[FFEBMI_PASS_TAPS];
    ffebmi_tile_product tile = {.offsets = r->offsets,
                                .weights = weights,
                                .taps = taps,
                                .width = left < width ? left : width,
                                .accumulate = w->accumulate};

    for (size_t channel = 0; channel < p->sources; channel += most) {
        size_t t = 0;

        for (size_t a = 0; a < r->y.taps; a++)
            for (size_t b = 0; b < r->x.taps; b++)
                weights[t++] = ffebmi_sums_weights(w, panel, r->y.begin + a * p->target_step[0],
                                                   r->x.begin + b * p->target_step[1]) +
                               channel * width;
        tile.channels = p->sources - channel < most ? p->sources - channel : most;
        tile.ahead = tile.channels * width;
        run_channels(w, r, panel, channel, &tile);
        tile.accumulate = true;
    }
}

/* Pixels that no window reaches. */
static void clear(const ffebmi_walk *w, const region *r)
{
    position at = {.row = r->first_row};

    for (size_t i = 0; !w->accumulate && i < positions_of(r); i++, advance(r, &at))
        memset(target_at(w, r, at), 0, w->pass->targets * sizeof *w->z);
}

static void run_region(const ffebmi_walk *w, region *r)
{
    if (r->y.taps == 0 || r->x.taps == 0) {
        clear(w, r);
        return;
    }
    lay_taps(w->pass, r);
    for (size_t panel = 0; panel < w->pass->panels; panel++)
        run_panel(w, r, panel);
}

void ffebmi_sums_dense(const ffebmi_walk *w, size_t first_row, size_t rows)
{
    region r = {.first_row = first_row, .rows = rows};

    while (ffebmi_pass_next(w->pass, 0, &r.y)) {
        r.x = (ffebmi_segment){0};
        while (ffebmi_pass_next(w->pass, 1, &r.x))
            run_region(w, &r);
    }
}

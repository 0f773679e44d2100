#include "convolution/sums.h"

#include <string.h>

enum {
    CHANNELS = 128,     /* of a group: two panels of one tap's weights of so many stay in the first-level cache */
    LEAST_CHANNELS = 16 /* that are worth a list */
};

/* The numbers of some source pixels that are not zero, in lists of one pixel and one group of channels each. */
typedef struct lists {
    float *values;     /* [pixel][group][room] */
    uint32_t *offsets; /* likewise: of their weights in a panel */
    uint32_t *counts;  /* [pixel][group] */
    size_t groups;
    size_t room;
} lists;

static size_t groups_of(size_t sources)
{
    return (sources + CHANNELS - 1) / CHANNELS;
}

static size_t room_of(size_t sources)
{
    size_t most = sources < CHANNELS ? sources : CHANNELS;

    return (most + FFEBMI_LIST_LANES - 1) / FFEBMI_LIST_LANES * FFEBMI_LIST_LANES;
}

static size_t source_pixels(const ffebmi_pass *p)
{
    return p->source[0] * p->source[1];
}

size_t ffebmi_sums_sparse_scratch(const ffebmi_pass *p)
{
    size_t pixels = p->block * source_pixels(p);

    return p->sources < LEAST_CHANNELS ? 0 : pixels * groups_of(p->sources) * (2 * room_of(p->sources) + 1);
}

/* Along an axis where the window has one place, from one source pixel that is seen to the next. */
static size_t step_of(const ffebmi_pass *p, int axis)
{
    return p->kernel[axis] == 1 ? p->source_step[axis] : 1;
}

/* Of the pixels that are seen, how many numbers there are, and how many are not zero. */
static size_t nonzero(const ffebmi_pass *p, const float *x, size_t rows, size_t *numbers)
{
    size_t line = p->source[1] * p->sources, down = step_of(p, 0), across = step_of(p, 1), set = 0;

    *numbers = rows * line * p->source[0];
    if (down == 1 && across == 1)
        return p->products->nonzero(*numbers, x);
    *numbers = 0;
    for (size_t row = 0; row < rows; row++, x += p->source[0] * line)
        for (size_t i = 0; i < p->source[0]; i += down)
            for (size_t j = 0; j < p->source[1]; j += across, *numbers += p->sources)
                set += p->products->nonzero(p->sources, x + i * line + j * p->sources);
    return set;
}

bool ffebmi_sums_sparse_pays(const ffebmi_walk *w, size_t first_row, size_t rows)
{
    const ffebmi_pass *p = w->pass;
    size_t numbers;

    return p->sources >= LEAST_CHANNELS &&
           nonzero(p, w->x + first_row * source_pixels(p) * p->sources, rows, &numbers) * p->products->sparse_share <
               numbers;
}

static lists list(const ffebmi_walk *w, size_t first_row, size_t rows, float *scratch)
{
    const ffebmi_pass *p = w->pass;
    size_t pixels = rows * source_pixels(p), groups = groups_of(p->sources), room = room_of(p->sources);
    lists l = {.values = scratch,
               .offsets = (uint32_t *)(void *)(scratch + pixels * groups * room),
               .counts = (uint32_t *)(void *)(scratch + 2 * pixels * groups * room),
               .groups = groups,
               .room = room};
    const float *x = w->x + first_row * source_pixels(p) * p->sources;

    for (size_t pixel = 0; pixel < pixels; pixel++, x += p->sources)
        for (size_t g = 0; g < groups; g++) {
            size_t at = pixel * groups + g, count = p->sources - g * CHANNELS;

            l.counts[at] = (uint32_t)p->products->compact(count < CHANNELS ? count : CHANNELS, x + g * CHANNELS,
                                                          l.values + at * room, l.offsets + at * room);
        }
    return l;
}

/* Small images: go along the images instead, so that there are positions to take side by side. */
static void turn(ffebmi_list_product *work)
{
    size_t extent = work->extents[0], list = work->list_strides[0], z = work->z_strides[0];

    work->extents[0] = work->extents[2];
    work->list_strides[0] = work->list_strides[2];
    work->z_strides[0] = work->z_strides[2];
    work->extents[2] = extent;
    work->list_strides[2] = list;
    work->z_strides[2] = z;
}

/* One tap, one group of channels and two panels, over all target pixels that see the tap. */
static void run_tap(const ffebmi_walk *w, const lists *l, const size_t tap[2], size_t panel, size_t group,
                    ffebmi_list_product work)
{
    const ffebmi_pass *p = w->pass;
    const ffebmi_segment at[2] = {ffebmi_pass_seeing(p, 0, tap[0]), ffebmi_pass_seeing(p, 1, tap[1])};
    size_t width = p->products->panel, left = p->targets - panel * width;
    size_t pixel;
    const float *weights;

    if (at[0].pixels == 0 || at[1].pixels == 0)
        return;
    pixel =
        ffebmi_pass_source(p, 0, at[0].first, tap[0]) * p->source[1] + ffebmi_pass_source(p, 1, at[1].first, tap[1]);
    weights = ffebmi_sums_weights(w, panel, tap[0], tap[1]) + group * CHANNELS * width;
    work.weights[0] = work.weights[1] = weights;
    if (left > width)
        work.weights[1] = ffebmi_sums_weights(w, panel + 1, tap[0], tap[1]) + group * CHANNELS * width;
    work.ahead = CHANNELS * width;
    work.values = l->values + (pixel * l->groups + group) * l->room;
    work.offsets = l->offsets + (pixel * l->groups + group) * l->room;
    work.counts = l->counts + pixel * l->groups + group;
    work.z += (at[0].first * p->target[1] + at[1].first) * p->targets + panel * width;
    work.extents[1] = at[0].pixels;
    work.extents[2] = at[1].pixels;
    work.width = left < 2 * width ? left : 2 * width;
    if (work.extents[2] < work.extents[0])
        turn(&work);
    p->products->list(&work);
}

void ffebmi_sums_sparse(const ffebmi_walk *w, size_t first_row, size_t rows, float *scratch)
{
    const ffebmi_pass *p = w->pass;
    size_t pixels = p->target[0] * p->target[1];
    lists l = list(w, first_row, rows, scratch);
    ffebmi_list_product work = {.z = w->z + first_row * pixels * p->targets,
                                .extents = {rows},
                                .list_strides = {source_pixels(p) * l.groups,
                                                 p->source_step[0] * p->source[1] * l.groups,
                                                 p->source_step[1] * l.groups},
                                .room = l.room,
                                .z_strides = {pixels * p->targets, p->target_step[0] * p->target[1] * p->targets,
                                              p->target_step[1] * p->targets}};

    if (!w->accumulate)
        memset(work.z, 0, rows * pixels * p->targets * sizeof *work.z);
    for (size_t panel = 0; panel < p->panels; panel += 2)
        for (size_t a = 0; a < p->kernel[0]; a++)
            for (size_t b = 0; b < p->kernel[1]; b++)
                for (size_t group = 0; group < l.groups; group++)
                    run_tap(w, &l, (size_t[]){a, b}, panel, group, work);
}

/* The walk by direct sums: [panel][tap][source][target in the panel] are its weights. */
#include "convolution/sums.h"

#include <string.h>

enum { PACKED_SOURCES = 16 }; /* at a time: as many lines of the cache are written in turn */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t panel_size(const ffebmi_pass *p)
{
    return p->products->panel * p->kernel[0] * p->kernel[1] * p->sources;
}

static size_t packed(const ffebmi_pass *p)
{
    return p->panels * panel_size(p);
}

/* One tap's weights of a panel, [source][width], of which `count` are targets. What lies closest together is read in the
 * innermost loop. */
static void pack_tap(const ffebmi_pass *p, const float *weights, size_t count, float *to)
{
    size_t width = p->products->panel;

    if (p->target_stride < p->source_stride) {
        for (size_t source = 0; source < p->sources; source++)
            for (size_t i = 0; i < count; i++)
                to[source * width + i] = weights[i * p->target_stride + source * p->source_stride];
        return;
    }
    for (size_t first = 0; first < p->sources; first += PACKED_SOURCES) {
        size_t end = smaller(first + PACKED_SOURCES, p->sources);

        for (size_t i = 0; i < count; i++)
            for (size_t source = first; source < end; source++)
                to[source * width + i] = weights[i * p->target_stride + source * p->source_stride];
    }
}

/* What is beyond the last target is zero. */
static void pack(const ffebmi_pass *p, const float *weights, float *to, size_t panel)
{
    size_t taps = p->kernel[0] * p->kernel[1], width = p->products->panel;
    size_t count = smaller(width, p->targets - panel * width);

    to += panel * panel_size(p);
    memset(to, 0, panel_size(p) * sizeof *to);
    for (size_t tap = 0; tap < taps; tap++)
        pack_tap(p, weights + panel * width * p->target_stride + tap, count, to + tap * p->sources * width);
}

static void run(const ffebmi_walk *w, size_t rows, float *scratch)
{
    for (size_t first = 0; first < rows; first += w->pass->block) {
        size_t count = smaller(w->pass->block, rows - first);

        if (ffebmi_sums_sparse_pays(w, first, count))
            ffebmi_sums_sparse(w, first, count, scratch);
        else
            ffebmi_sums_dense(w, first, count);
    }
}

const ffebmi_walk_method ffebmi_walk_sums = {
    .name = "sums", .packed = packed, .pack = pack, .scratch = ffebmi_sums_sparse_scratch, .run = run};

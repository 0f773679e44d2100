/* The gradient of 3 x 3 weights by cells: the transposed algorithm, a product of cells for each point. The pairs of a contrast
 * are summed at the points, and transformed back once. What a unit works on, some cells and its products, stays in the
 * second-level cache. */
#include "convolution/cells.h"
#include "convolution/method.h"

#include <string.h>

enum {
    TAPS = FFEBMI_CELL_TAPS,
    CELLS = 32, /* transformed at a time */
    LINE = 16   /* numbers of a line of the cache */
};

/* What is at work. Rows of transformed cells are a line longer than they need to be, and so are points, or all
 * cells of a channel, or all points of a cell, would meet in one set of the cache. */
typedef struct sums {
    const ffebmi_gradient_job *job;
    const ffebmi_pass *pass;
    size_t cells;         /* of a pair */
    size_t source_row;    /* numbers of a row */
    size_t cotangent_row; /* likewise */
    size_t source_point;  /* numbers of a point, below */
    size_t cotangent_point;
    size_t product_point;
    float *source;    /* [point][cell][source_row] */
    float *cotangent; /* [point][cell][cotangent_row] */
    float *products;  /* [point][out][source_row] */
    float *zeros;     /* what lies outside of an image */
} sums;

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    (void)arithmetic;
    return c->method == &ffebmi_method_direct && c->up.scheme != NULL;
}

/* The gradient of a unit in the order of a patch, and behind it what is transformed. */
static size_t scratch(const ffebmi_convolution *c)
{
    size_t outs = c->unit[0], sources = c->unit[1], row = sources + LINE;

    return outs * TAPS * sources + c->up.scheme->points * (CELLS * (row + outs + LINE) + outs * row + 3 * LINE) +
           (sources > outs ? sources : outs);
}

static sums lay_out(const ffebmi_gradient_job *job, float *memory)
{
    const ffebmi_pass *p = &job->convolution->up;
    sums s = {.job = job,
              .pass = p,
              .cells = job->rows * ffebmi_cells_of(p->scheme, p->target),
              .source_row = job->sources + LINE,
              .cotangent_row = job->outs + LINE,
              .source = memory};

    s.source_point = CELLS * s.source_row + LINE;
    s.cotangent_point = CELLS * s.cotangent_row + LINE;
    s.product_point = job->outs * s.source_row + LINE;
    s.cotangent = memory + p->scheme->points * s.source_point;
    s.products = s.cotangent + p->scheme->points * s.cotangent_point;
    s.zeros = s.products + p->scheme->points * s.product_point;
    memset(s.zeros, 0, (job->sources > job->outs ? job->sources : job->outs) * sizeof *s.zeros);
    memset(s.products, 0, p->scheme->points * s.product_point * sizeof *s.products);
    return s;
}

/* Cells are counted over images, and those of a second pair follow the first's. */
static void transform(const sums *s, size_t cell, size_t place)
{
    const ffebmi_pass *p = s->pass;
    const ffebmi_pairs *pairs = s->job->pairs;
    size_t pair = cell / s->cells, row, target[2], source[2];
    const ffebmi_cell_image below = {
        (const float *)pairs->s[pair] + s->job->below, {p->source[0], p->source[1]}, p->sources, s->zeros};
    const ffebmi_cell_image above = {
        (const float *)pairs->v[pair] + s->job->from, {p->target[0], p->target[1]}, s->job->pitch, s->zeros};
    const float *x[FFEBMI_CELL_PIXELS], *z[FFEBMI_CELL_PIXELS];

    ffebmi_cell_locate(p, cell % s->cells, &row, target, source);
    ffebmi_cell_pixels(&below, row, source, p->scheme->side, x);
    ffebmi_cell_pixels(&above, row, target, p->scheme->cell, z);
    p->scheme->source(s->job->sources, x, s->source + place * s->source_row, s->source_point);
    p->scheme->cotangent(s->job->outs, z, s->cotangent + place * s->cotangent_row, s->cotangent_point);
}

static void multiply(const sums *s, size_t point, size_t cells)
{
    const ffebmi_products *d = s->pass->products;
    const float *source = s->source + point * s->source_point;
    const float *cotangent = s->cotangent + point * s->cotangent_point;
    size_t outs = s->job->outs, sources = s->job->sources;
    ffebmi_outer_product outer = {.x_stride = s->cotangent_row,
                                  .y_stride = s->source_row,
                                  .count = cells,
                                  .factor = 1,
                                  .z_stride = s->source_row};

    for (size_t c = 0; c < sources; c += d->panel)
        for (size_t o = 0, count; o < outs; o += count) {
            count = ffebmi_pass_share(outs - o, d->positions);
            outer.x = cotangent + o;
            outer.y = source + c;
            outer.z = s->products + point * s->product_point + o * s->source_row + c;
            outer.width = sources - c < d->panel ? sources - c : d->panel;
            d->outer(&outer, count);
        }
}

static void transform_back(const sums *s, float *to)
{
    float *rows[TAPS];

    for (size_t o = 0; o < s->job->outs; o++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = to + (o * TAPS + tap) * s->job->sources;
        s->pass->scheme->gradient(s->job->sources, s->products + o * s->source_row, s->product_point,
                                  (float)s->job->factor, rows);
    }
}

/* to, [outs][tap][sources], = the sum over pairs and rows. */
static void sum(const ffebmi_gradient_job *job, float *to, float *memory)
{
    sums s = lay_out(job, memory);
    size_t total = job->pairs->count * s.cells;

    for (size_t first = 0, count; first < total; first += count) {
        count = total - first < CELLS ? total - first : CELLS;
        for (size_t i = 0; i < count; i++)
            transform(&s, first + i, i);
        for (size_t point = 0; point < s.pass->scheme->points; point++)
            multiply(&s, point, count);
    }
    transform_back(&s, to);
}

static void add(const ffebmi_gradient_job *job, void *gradient, void *memory)
{
    const ffebmi_convolution *c = job->convolution;
    float *turned = memory;
    size_t block = TAPS * job->sources;

    sum(job, turned, turned + job->outs * block);
    for (size_t o = 0; o < job->outs; o++)
        c->arrays->add_transposed(TAPS, job->sources, turned + o * block, (float *)gradient + o * c->patch);
}

const ffebmi_gradient_method ffebmi_gradient_winograd = {
    .name = "winograd", .serves = serves, .scratch = scratch, .add = add};

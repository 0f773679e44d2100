/* The gradient of 3 x 3 weights by cells: the transposed algorithm, a product of cells for each point. The pairs of a contrast
 * are summed at the points, and transformed back once. Channels of the source are taken a block at a time, so that the products
 * of a block stay in cache over all cells. */
#include "convolution/cells.h"
#include "convolution/method.h"

#include <string.h>

enum {
    TAPS = FFEBMI_CELL_TAPS,
    CELLS = 64,  /* transformed at a time */
    BLOCK = 128, /* channels of the source */
    LINE = 16    /* numbers of a line of the cache */
};

/* The block and the cells at work. Rows of transformed cells are a line longer than they need to be, or all cells of a
 * channel would meet in one set of the cache. */
typedef struct sums {
    const ffebmi_gradient_job *job;
    const ffebmi_pass *pass;
    size_t cells;   /* of a pair */
    size_t channel; /* the first of the block */
    size_t channels;
    size_t source_row;    /* numbers of a row */
    size_t cotangent_row; /* likewise */
    float *source;        /* [point][cell][source_row] */
    float *cotangent;     /* [point][cell][cotangent_row] */
    float *products;      /* [point][out][source_row] */
    float *zeros;         /* what lies outside of an image */
} sums;

static size_t source_row_of(size_t sources)
{
    return (sources < BLOCK ? sources : BLOCK) + LINE;
}

static bool serves(const ffebmi_convolution *c, const ffebmi_arithmetic *arithmetic)
{
    (void)arithmetic;
    return c->method == &ffebmi_method_direct && c->up.scheme != NULL;
}

/* The gradient of a unit in the order of a patch, and behind it what is transformed. */
static size_t scratch(const ffebmi_convolution *c)
{
    size_t sources = c->up.sources, row = source_row_of(sources), outs = c->unit;

    return outs * c->patch + c->up.scheme->points * (CELLS * (row + outs + LINE) + outs * row) +
           (sources > outs ? sources : outs);
}

static sums lay_out(const ffebmi_gradient_job *job, float *memory)
{
    const ffebmi_pass *p = &job->convolution->up;
    sums s = {.job = job,
              .pass = p,
              .cells = job->rows * ffebmi_cells_of(p->scheme, p->target),
              .source_row = source_row_of(p->sources),
              .cotangent_row = job->outs + LINE,
              .source = memory};

    s.cotangent = memory + p->scheme->points * CELLS * s.source_row;
    s.products = s.cotangent + p->scheme->points * CELLS * s.cotangent_row;
    s.zeros = s.products + p->scheme->points * job->outs * s.source_row;
    memset(s.zeros, 0, (p->sources > job->outs ? p->sources : job->outs) * sizeof *s.zeros);
    return s;
}

/* Cells are counted over images, and those of a second pair follow the first's. */
static void transform(const sums *s, size_t cell, size_t place)
{
    const ffebmi_pass *p = s->pass;
    const ffebmi_pairs *pairs = s->job->pairs;
    size_t pair = cell / s->cells, row, target[2], source[2];
    const ffebmi_cell_image below = {
        (const float *)pairs->s[pair] + s->channel, {p->source[0], p->source[1]}, p->sources, s->zeros};
    const ffebmi_cell_image above = {
        (const float *)pairs->v[pair] + s->job->from, {p->target[0], p->target[1]}, p->targets, s->zeros};
    const float *x[FFEBMI_CELL_PIXELS], *z[FFEBMI_CELL_PIXELS];

    ffebmi_cell_locate(p, cell % s->cells, &row, target, source);
    ffebmi_cell_pixels(&below, row, source, p->scheme->side, x);
    ffebmi_cell_pixels(&above, row, target, p->scheme->cell, z);
    p->scheme->source(s->channels, x, s->source + place * s->source_row, CELLS * s->source_row);
    p->scheme->cotangent(s->job->outs, z, s->cotangent + place * s->cotangent_row, CELLS * s->cotangent_row);
}

static void multiply(const sums *s, size_t point, size_t cells)
{
    const ffebmi_products *d = s->pass->products;
    const float *source = s->source + point * CELLS * s->source_row;
    const float *cotangent = s->cotangent + point * CELLS * s->cotangent_row;
    size_t outs = s->job->outs;
    ffebmi_outer_product outer = {.x_stride = s->cotangent_row,
                                  .y_stride = s->source_row,
                                  .count = cells,
                                  .factor = 1,
                                  .z_stride = s->source_row};

    for (size_t c = 0; c < s->channels; c += d->panel)
        for (size_t o = 0, count; o < outs; o += count) {
            count = ffebmi_pass_share(outs - o, d->positions);
            outer.x = cotangent + o;
            outer.y = source + c;
            outer.z = s->products + (point * outs + o) * s->source_row + c;
            outer.width = s->channels - c < d->panel ? s->channels - c : d->panel;
            d->outer(&outer, count);
        }
}

static void transform_back(const sums *s, float *to)
{
    float *rows[TAPS];

    for (size_t o = 0; o < s->job->outs; o++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            rows[tap] = to + (o * TAPS + tap) * s->pass->sources + s->channel;
        s->pass->scheme->gradient(s->channels, s->products + o * s->source_row, s->job->outs * s->source_row,
                                  (float)s->job->factor, rows);
    }
}

/* to, [outs][tap][sources], = the sum over pairs and rows. */
static void sum(const ffebmi_gradient_job *job, float *to, float *memory)
{
    sums s = lay_out(job, memory);
    size_t total = job->pairs->count * s.cells, points = s.pass->scheme->points;

    for (; s.channel < s.pass->sources; s.channel += s.channels) {
        s.channels = s.pass->sources - s.channel < BLOCK ? s.pass->sources - s.channel : BLOCK;
        memset(s.products, 0, points * job->outs * s.source_row * sizeof *s.products);
        for (size_t first = 0, count; first < total; first += count) {
            count = total - first < CELLS ? total - first : CELLS;
            for (size_t i = 0; i < count; i++)
                transform(&s, first + i, i);
            for (size_t point = 0; point < points; point++)
                multiply(&s, point, count);
        }
        transform_back(&s, to);
    }
}

static void add(const ffebmi_gradient_job *job, void *gradient, void *memory)
{
    const ffebmi_convolution *c = job->convolution;
    float *turned = memory;

    sum(job, turned, turned + job->outs * c->patch);
    for (size_t o = 0; o < job->outs; o++)
        c->arrays->add_transposed(TAPS, c->windows.channels, turned + o * c->patch, (float *)gradient + o * c->patch);
}

const ffebmi_gradient_method ffebmi_gradient_winograd = {
    .name = "winograd", .serves = serves, .scratch = scratch, .add = add};

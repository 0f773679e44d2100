#include "convolution/cells.h"

#include <string.h>

enum { LINE = 16 }; /* numbers of a line of the cache */

size_t ffebmi_cells_of(const ffebmi_winograd *s, const size_t target[2])
{
    return (target[0] + s->cell - 1) / s->cell * ((target[1] + s->cell - 1) / s->cell);
}

size_t ffebmi_cells_products(const ffebmi_winograd *s, const size_t target[2])
{
    return ffebmi_cells_of(s, target) * s->points;
}

void ffebmi_cell_locate(const ffebmi_pass *p, size_t cell, size_t *row, size_t target[2], size_t source[2])
{
    size_t side = p->scheme->cell, down = (p->target[0] + side - 1) / side, across = (p->target[1] + side - 1) / side;

    *row = cell / (down * across);
    target[0] = cell / across % down * side;
    target[1] = cell % across * side;
    for (int axis = 0; axis < 2; axis++)
        source[axis] = target[axis] - (p->sign > 0 ? p->padding[axis] : 2 - p->padding[axis]) + p->scheme->inset;
}

void ffebmi_cell_pixels(const ffebmi_cell_image *image, size_t row, const size_t at[2], size_t side,
                        const float **pixels)
{
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            size_t y = at[0] + i, x = at[1] + j; /* wraps where it is before the image */
            bool inside = y < image->size[0] && x < image->size[1];
            size_t pixel = (row * image->size[0] + y) * image->size[1] + x;

            *pixels++ = inside ? image->pixels + pixel * image->channels : image->outside;
        }
}

/* A line more than the cells, or all points of a channel would meet in one set of the cache. */
size_t ffebmi_cells_source_stride(size_t channels)
{
    return FFEBMI_CELLS * channels + LINE;
}

static size_t target_stride(void)
{
    return ffebmi_cells_source_stride(FFEBMI_CELL_BLOCK);
}

size_t ffebmi_cells_scratch(const ffebmi_pass *p)
{
    return p->scheme->points * (ffebmi_cells_source_stride(p->sources) + target_stride()) + p->sources +
           FFEBMI_CELL_BLOCK;
}

/* ------------------------------------------------------------------------------------------------------------- steps */

void ffebmi_cells_source(const ffebmi_walk *w, const ffebmi_cells *c, size_t place, float *v, size_t stride)
{
    const ffebmi_pass *p = w->pass;
    const ffebmi_cell_image image = {w->x, {p->source[0], p->source[1]}, p->sources, c->zeros};
    const float *x[FFEBMI_CELL_PIXELS];
    size_t row, target[2], source[2];

    ffebmi_cell_locate(p, c->first + place, &row, target, source);
    ffebmi_cell_pixels(&image, row, source, p->scheme->side, x);
    p->scheme->source(p->sources, x, v, stride);
}

float *ffebmi_cells_products_at(const ffebmi_walk *w, const ffebmi_cells *c, size_t point, size_t panel)
{
    return c->target + point * target_stride() + (panel - c->panel) * w->pass->products->panel;
}

size_t ffebmi_cells_width(const ffebmi_pass *p, size_t panel)
{
    size_t left = p->targets - panel * p->products->panel;

    return left < p->products->panel ? left : p->products->panel;
}

size_t ffebmi_cells_ahead(const ffebmi_cells *c, size_t panel, size_t panel_size, size_t point_size)
{
    return panel + 1 < c->panel + c->panels ? panel_size : point_size - (c->panels - 1) * panel_size;
}

static void transform_target(const ffebmi_walk *w, const ffebmi_cells *c, size_t place)
{
    const ffebmi_pass *p = w->pass;
    size_t first = c->panel * p->products->panel, left = p->targets - first;
    const ffebmi_cell_image image = {w->z + first, {p->target[0], p->target[1]}, p->targets, c->beyond};
    const float *pixels[FFEBMI_CELL_PIXELS];
    float *z[FFEBMI_CELL_PIXELS];
    size_t row, target[2], source[2];

    ffebmi_cell_locate(p, c->first + place, &row, target, source);
    ffebmi_cell_pixels(&image, row, target, p->scheme->cell, pixels);
    for (size_t i = 0; i < p->scheme->cell * p->scheme->cell; i++)
        z[i] = (float *)(uintptr_t)pixels[i];
    p->scheme->target(left < FFEBMI_CELL_BLOCK ? left : FFEBMI_CELL_BLOCK, c->target + place * FFEBMI_CELL_BLOCK,
                      target_stride(), w->accumulate, z);
}

/* The targets of a block of panels, of all cells. */
static void run_block(const ffebmi_walk *w, const ffebmi_cell_steps *steps, const ffebmi_cells *c)
{
    for (size_t point = 0; point < w->pass->scheme->points; point++)
        for (size_t panel = c->panel; panel < c->panel + c->panels; panel++)
            steps->multiply(w, c, point, panel);
    for (size_t i = 0; i < c->count; i++)
        transform_target(w, c, i);
}

void ffebmi_cells_run(const ffebmi_walk *w, const ffebmi_cell_steps *steps, size_t rows, float *scratch)
{
    const ffebmi_pass *p = w->pass;
    size_t points = p->scheme->points, most = FFEBMI_CELL_BLOCK / p->products->panel;
    size_t end = rows * ffebmi_cells_of(p->scheme, p->target);
    ffebmi_cells c = {.source = scratch, .target = scratch + points * ffebmi_cells_source_stride(p->sources)};

    c.zeros = c.target + points * target_stride();
    c.beyond = c.zeros + p->sources;
    memset(c.zeros, 0, (p->sources + FFEBMI_CELL_BLOCK) * sizeof *c.zeros);
    for (; c.first < end; c.first += c.count) {
        c.count = end - c.first < FFEBMI_CELLS ? end - c.first : FFEBMI_CELLS;
        for (size_t i = 0; i < c.count; i++)
            steps->source(w, &c, i);
        for (c.panel = 0; c.panel < p->panels; c.panel += c.panels) {
            c.panels = p->panels - c.panel < most ? p->panels - c.panel : most;
            run_block(w, steps, &c);
        }
    }
}

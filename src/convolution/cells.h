/* Walks of 3 x 3 windows by cells, squares of target pixels (products/winograd.h): where cells lie, and the walk's steps.
 * Some cells at a time have their sources transformed; each point is then one product of channels; and a block of target
 * channels is transformed back before the next, so that products stay in the second-level cache. */
#ifndef FFEBMI_CONVOLUTION_CELLS_H
#define FFEBMI_CONVOLUTION_CELLS_H

#include "convolution/pass.h"

enum {
    FFEBMI_CELL_PIXELS = FFEBMI_WINOGRAD_SIDE * FFEBMI_WINOGRAD_SIDE, /* the most that one sees */
    FFEBMI_CELL_TAPS = 9,
    FFEBMI_CELLS = 32,     /* transformed at a time */
    FFEBMI_CELL_BLOCK = 64 /* targets that are transformed back at a time, whole panels */
};

/* Cells of a target image; and products of channels that it costs. */
size_t ffebmi_cells_of(const ffebmi_winograd *scheme, const size_t target[2]);
size_t ffebmi_cells_products(const ffebmi_winograd *scheme, const size_t target[2]);

/* Where a cell is, counted over images: its image, and its first pixels there. */
void ffebmi_cell_locate(const ffebmi_pass *pass, size_t cell, size_t *row, size_t target[2], size_t source[2]);

/* Some images of `channels`, and what is read in place of pixels that are not on them. */
typedef struct ffebmi_cell_image {
    const float *pixels;
    size_t size[2];
    size_t channels;
    const float *outside;
} ffebmi_cell_image;

/* The pixels of a square of an image, from `at` on; coordinates before the image have wrapped. */
void ffebmi_cell_pixels(const ffebmi_cell_image *image, size_t row, const size_t at[2], size_t side,
                        const float **pixels);

/* What is at work, and where it is transformed to. */
typedef struct ffebmi_cells {
    size_t first; /* cells are counted over images */
    size_t count;
    size_t panel; /* the first of the block, */
    size_t panels;
    float *source;              /* [point][cell][sources]; lines between points */
    float *target;              /* [point][cell][FFEBMI_CELL_BLOCK]; likewise */
    float *zeros;               /* what lies outside of the source image, [sources] */
    float *beyond;              /* and of the target image */
    float scales[FFEBMI_CELLS]; /* in integers: of each cell's source */
} ffebmi_cells;

/* The two steps in which full precision and integers differ: the source of the cell at a place, and the product of one point
 * and one panel of the block. */
typedef struct ffebmi_cell_steps {
    void (*source)(const ffebmi_walk *walk, ffebmi_cells *cells, size_t place);
    void (*multiply)(const ffebmi_walk *walk, const ffebmi_cells *cells, size_t point, size_t panel);
} ffebmi_cell_steps;

size_t ffebmi_cells_scratch(const ffebmi_pass *pass); /* elements, by whichever steps */
void ffebmi_cells_run(const ffebmi_walk *walk, const ffebmi_cell_steps *steps, size_t rows, float *scratch);

/* Transform the source of the cell at a place to v. */
void ffebmi_cells_source(const ffebmi_walk *walk, const ffebmi_cells *cells, size_t place, float *v, size_t stride);

/* From one point of the transformed source to the next. */
size_t ffebmi_cells_source_stride(size_t channels);

/* For the product of one point and one panel of the block: where it goes, [cell][FFEBMI_CELL_BLOCK]; how many targets the
 * panel has; and how far behind its weights the next ones are, given the sizes of a panel and of a point. */
float *ffebmi_cells_products_at(const ffebmi_walk *walk, const ffebmi_cells *cells, size_t point, size_t panel);
size_t ffebmi_cells_width(const ffebmi_pass *pass, size_t panel);
size_t ffebmi_cells_ahead(const ffebmi_cells *cells, size_t panel, size_t panel_size, size_t point_size);

#endif

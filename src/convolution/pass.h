/* One direction of a convolution: up and down are the same, in opposite directions. How the pixels of a target image see those
 * of a source image, and the table that ways to walk over them fill. */
#ifndef FFEBMI_CONVOLUTION_PASS_H
#define FFEBMI_CONVOLUTION_PASS_H

#include "products/products.h"

enum { FFEBMI_PASS_TAPS = 64 }; /* of a window; larger ones are not direct */

typedef struct ffebmi_walk_method ffebmi_walk_method;

/* Along each axis, with a window's stride s: up, target pixel i takes tap a from source pixel s i + a - padding; down, from the
 * source pixel j with s j + a - padding = i, so that pixels of s phases see different taps, every s-th one. All is planned. */
typedef struct ffebmi_pass {
    const ffebmi_products *products;
    size_t source[2]; /* height and width */
    size_t target[2];
    size_t kernel[2];
    size_t padding[2];
    size_t target_step[2]; /* between target pixels of a phase, and between the taps they see: up 1, down the stride */
    size_t source_step[2]; /* between their source pixels: up the stride, down 1 */
    size_t sources;        /* channels */
    size_t targets;
    int sign;
    size_t source_stride; /* the weight of a target, source and tap, as the API has it, is at */
    size_t target_stride; /* target * target_stride + source * source_stride + tap */
    size_t panels;
    size_t block;                      /* images at a time that all panels go over */
    const ffebmi_winograd *scheme;     /* NULL: no cells */
    const ffebmi_walk_method *method;  /* in full precision, */
    const ffebmi_walk_method *rounded; /* and in 16-bit integers; NULL: there is none */
} ffebmi_pass;

/* A pass over some images. */
typedef struct ffebmi_walk {
    const ffebmi_pass *pass;
    const float *weights; /* packed by the walk's method */
    const float *x;
    float *z;
    bool accumulate;
} ffebmi_walk;

/* A way to walk. Weights are packed by panels of target channels. */
struct ffebmi_walk_method {
    const char *name;
    size_t (*packed)(const ffebmi_pass *pass); /* elements */
    /* One panel, from the weights as the API has them, or, of integers, from those packed in full precision. */
    void (*pack)(const ffebmi_pass *pass, const float *from, float *packed, size_t panel);
    size_t (*scratch)(const ffebmi_pass *pass); /* elements */
    void (*run)(const ffebmi_walk *walk, size_t rows, float *scratch);
};

extern const ffebmi_walk_method ffebmi_walk_sums;     /* direct sums, dense or sparse */
extern const ffebmi_walk_method ffebmi_walk_winograd; /* 3 x 3 windows by cells */
extern const ffebmi_walk_method ffebmi_walk_int16;    /* the same in 16-bit integers */

/* Some target pixels along an axis, all of which see the same taps; each a target_step apart. */
typedef struct ffebmi_segment {
    size_t first; /* pixel, */
    size_t pixels;
    size_t begin; /* the first tap, */
    size_t taps;  /* and how many: none where no window reaches */
} ffebmi_segment;

/* The next segment along an axis, 0 or 1, phase by phase; begin with zeros. */
bool ffebmi_pass_next(const ffebmi_pass *pass, int axis, ffebmi_segment *segment);

/* The target pixels along an axis that see a tap. */
ffebmi_segment ffebmi_pass_seeing(const ffebmi_pass *pass, int axis, size_t tap);

/* The source pixel along an axis that a target pixel sees through a tap. */
size_t ffebmi_pass_source(const ffebmi_pass *pass, int axis, size_t target, size_t tap);

/* How many of `left` positions to take at once, `most` or fewer: all groups of about the same size, since small ones cost
 * as much. */
size_t ffebmi_pass_share(size_t left, size_t most);

#endif

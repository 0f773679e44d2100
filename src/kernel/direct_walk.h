/* How the pixels of a target image see those of a source image through a window of stride 1: up and down are the same walk,
 * in opposite directions. Shared by the dense and the sparse products. */
#ifndef FFEBMI_KERNEL_DIRECT_WALK_H
#define FFEBMI_KERNEL_DIRECT_WALK_H

#include "kernel/direct.h"

enum { FFEBMI_WALK_TAPS = 64 }; /* of a window; larger ones are not direct */

/* One direction. Along each axis, target pixel i takes tap a from source pixel i + sign * (a - padding). */
typedef struct ffebmi_walk {
    const ffebmi_direct *direct;
    const float
        *panels; /* [panel][tap][source channel][target channel in the panel]; by tiles: see direct_winograd.h */
    const float *x;
    float *z;
    size_t source[2]; /* height and width */
    size_t target[2];
    size_t kernel[2];
    size_t padding[2];
    size_t sources; /* channels */
    size_t targets;
    int sign;
    const ffebmi_winograd *tiles; /* 3 x 3 windows by tiles (direct_winograd.h), or NULL */
    bool rounded;                 /* these in rounded numbers: coarse_winograd.h */
    bool accumulate;
} ffebmi_walk;

/* Target pixels first .. end - 1 along an axis, all of which see taps begin .. stop - 1. */
typedef struct ffebmi_segment {
    size_t first;
    size_t end;
    size_t begin;
    size_t stop;
} ffebmi_segment;

/* The next segment along an axis, 0 or 1; begin with an end of 0. */
bool ffebmi_walk_next(const ffebmi_walk *walk, int axis, ffebmi_segment *segment);

/* The source pixel along an axis that a target pixel sees through a tap. */
size_t ffebmi_walk_source(const ffebmi_walk *walk, int axis, size_t target, size_t tap);

/* How many of `left` positions to take at once, `most` or fewer: all groups of about the same size, since small ones cost
 * as much. */
size_t ffebmi_walk_share(size_t left, size_t most);

size_t ffebmi_walk_panels(const ffebmi_walk *walk);
const float *ffebmi_walk_weights(const ffebmi_walk *walk, size_t panel, size_t y_tap, size_t x_tap);

#endif

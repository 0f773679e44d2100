/* Draws that do not depend on who asks, when, or in which order: each number is a function of a key and of a counter with a place
 * for all that it may depend on. Philox 4x32-10, four numbers a call: its counter's words are element / 4, the sample, the step,
 * and effect (8 bits), block (12), phase (4) and repetition (8). */
#ifndef FFEBMI_CORE_DRAW_H
#define FFEBMI_CORE_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strict.h"

typedef struct ffebmi_draw {
    uint64_t key;
    uint32_t sample;
    uint32_t step;
    unsigned effect; /* what is drawn */
    unsigned block;
    unsigned phase;
    unsigned repetition;
} ffebmi_draw;

/* A computing call, and what of it draws: what differs from one settling to the next is a function of these. */
typedef struct ffebmi_occasion {
    uint64_t seed;
    uint64_t step;
    uint64_t first_sample; /* the number of the first sample of the batch */
    unsigned repetition;
    bool quiet; /* nothing is drawn */
} ffebmi_occasion;

/* Elements first .. first + count - 1: of mean 0 and variance 1 (Box and Muller 1958), or uniform between 0 and 1. */
void ffebmi_draw_normal(const ffebmi_draw *draw, size_t first, size_t count, double *to);
void ffebmi_draw_uniform(const ffebmi_draw *draw, size_t first, size_t count, double *to);

#endif

/* film.h - what watch_settling has seen of a block: a frame for each step of a sweep. */
#ifndef EXAMPLES_WATCH_FILM_H
#define EXAMPLES_WATCH_FILM_H

#include <stdio.h>

#include <ffebm.h>

enum { FILM_UNITS = 24 }; /* of a layer, at most so many are shown, evenly chosen */

struct frame {
    int32_t phase;
    int64_t sweep;
    size_t step;
    double energy;
    float *units; /* layer by layer, those that are shown */
};

struct film {
    size_t layers;
    size_t *sizes; /* [layer]: units */
    size_t *shown; /* [layer]: of them */
    size_t width;  /* shown, of all layers */
    size_t steps;  /* of a sweep */
    struct frame *frames;
    size_t count;
    double low, high; /* the states' extremes */
    int no_memory;
};

/* A ffebm_watch_fn; user is a film that begins as zeros. It keeps the first sample, and stops where memory ends. */
int32_t film_take(void *film, const ffebm_watch_point *point);

void film_free(struct film *film);

/* Where in a layer's row the unit lies that is shown in place i. */
size_t film_unit(const struct film *film, size_t layer, size_t i);

/* The first frame of the nudged phase; count if there is none. */
size_t film_nudged(const struct film *film);

/* A line a frame: sweep and step, the energy, what it fell by, and the units as characters from dark to bright. */
void film_print(FILE *file, const struct film *film);

/* A picture, SVG: some units of each layer over the frames, and how far the energy is above its phase's end, on a logarithmic
 * scale. */
void film_draw(FILE *file, const struct film *film);

#endif

#include "film.h"

#include <stdlib.h>
#include <string.h>

static double number_at(const ffebm_tensor *tensor, size_t i)
{
    if (ffebm_tensor_dtype(tensor) == FFEBM_FLOAT32)
        return (double)((const float *)ffebm_tensor_const_data(tensor))[i];
    return ((const double *)ffebm_tensor_const_data(tensor))[i];
}

static int open_film(struct film *film, const ffebm_watch_point *point)
{
    film->layers = point->layer_count;
    film->steps = point->steps;
    film->sizes = calloc(film->layers, sizeof *film->sizes);
    film->shown = calloc(film->layers, sizeof *film->shown);
    if (film->sizes == NULL || film->shown == NULL)
        return -1;
    for (size_t l = 0; l < film->layers; l++) {
        size_t rank;
        int64_t rows = ffebm_tensor_shape(point->states[l], &rank)[0];

        film->sizes[l] = ffebm_tensor_count(point->states[l]) / (size_t)rows;
        film->shown[l] = film->sizes[l] < FILM_UNITS ? film->sizes[l] : FILM_UNITS;
        film->width += film->shown[l];
    }
    return 0;
}

/* Room for one frame more. */
static struct frame *next(struct film *film)
{
    struct frame *frames = realloc(film->frames, (film->count + 1) * sizeof *frames);

    if (frames == NULL)
        return NULL;
    film->frames = frames;
    frames[film->count].units = malloc(film->width * sizeof(float));
    return frames[film->count].units == NULL ? NULL : &frames[film->count++];
}

size_t film_unit(const struct film *film, size_t layer, size_t i)
{
    return i * film->sizes[layer] / film->shown[layer];
}

int32_t film_take(void *user, const ffebm_watch_point *point)
{
    struct film *film = user;
    struct frame *frame = film->sizes == NULL && open_film(film, point) != 0 ? NULL : next(film);
    size_t at = 0;

    if (frame == NULL) {
        film->no_memory = 1;
        return 1;
    }
    frame->phase = point->phase;
    frame->sweep = point->sweep;
    frame->step = point->step;
    frame->energy = number_at(point->energy, 0);
    for (size_t l = 0; l < film->layers; l++)
        for (size_t i = 0; i < film->shown[l]; i++, at++) {
            double value = number_at(point->states[l], film_unit(film, l, i));

            frame->units[at] = (float)value;
            film->low = value < film->low ? value : film->low;
            film->high = value > film->high ? value : film->high;
        }
    return 0;
}

size_t film_nudged(const struct film *film)
{
    size_t first = 0;

    while (first < film->count && film->frames[first].phase == FFEBM_PHASE_FREE)
        first++;
    return first;
}

void film_free(struct film *film)
{
    for (size_t i = 0; i < film->count; i++)
        free(film->frames[i].units);
    free(film->frames);
    free(film->sizes);
    free(film->shown);
    memset(film, 0, sizeof *film);
}

#include "tensor/doubles.h"

#include <float.h>
#include <math.h>

#include "tensor/window.h"

/* Channels and pixels of a sample; one channel where it is no image: then both sides are laid out alike. */
static size_t channels_of(const ffebmi_shape *sample)
{
    return ffebmi_shape_is_image(sample) ? (size_t)sample->dims[0] : 1;
}

void ffebmi_to_doubles(size_t element, const ffebmi_shape *sample, size_t rows, const void *from, double *to)
{
    size_t channels = channels_of(sample), pixels = sample->count / channels;

    for (size_t at = 0; at < rows * sample->count; at += sample->count)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                to[at + c * pixels + p] = ffebmi_number_at(element, from, at + p * channels + c);
}

void ffebmi_from_doubles(size_t element, const ffebmi_shape *sample, size_t rows, const double *from, void *to)
{
    size_t channels = channels_of(sample), pixels = sample->count / channels;

    for (size_t at = 0; at < rows * sample->count; at += sample->count)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                ffebmi_put_number(element, to, at + p * channels + c, from[at + c * pixels + p]);
}

size_t ffebmi_first_not_finite(size_t element, size_t n, const double *x)
{
    double most = element == sizeof(float) ? FLT_MAX : DBL_MAX;
    size_t i = 0;

    while (i < n && fabs(x[i]) <= most)
        i++;
    return i;
}

void ffebmi_put_numbers(size_t element, size_t n, const double *from, void *to)
{
    for (size_t i = 0; i < n; i++)
        ffebmi_put_number(element, to, i, from[i]);
}

void ffebmi_get_numbers(size_t element, size_t n, const void *from, double *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = ffebmi_number_at(element, from, i);
}

#include "gradient/layout.h"

#include <string.h>

#include "tensor/window.h"

/* Turn each row, a matrix of rows_of x columns_of, over. */
static void turn(const ffebmi_arrays *k, size_t rows, size_t rows_of, size_t columns_of, const void *from, void *to)
{
    for (size_t r = 0; r < rows; r++)
        k->transpose(rows_of, columns_of, ffebmi_at(k, from, r * rows_of * columns_of),
                     ffebmi_at(k, to, r * rows_of * columns_of));
}

void ffebmi_layout_inward(const ffebmi_arrays *k, const ffebmi_shape *sample, size_t rows, const void *from, void *to)
{
    size_t channels = (size_t)sample->dims[0];

    if (ffebmi_shape_is_image(sample))
        turn(k, rows, channels, sample->count / channels, from, to);
    else
        memcpy(to, from, rows * sample->count * k->element);
}

void ffebmi_layout_outward(const ffebmi_arrays *k, const ffebmi_shape *sample, size_t rows, const void *from, void *to)
{
    size_t channels = (size_t)sample->dims[0];

    if (ffebmi_shape_is_image(sample))
        turn(k, rows, sample->count / channels, channels, from, to);
    else
        memcpy(to, from, rows * sample->count * k->element);
}

#include <string.h>

#include <ffebm.h>

#include "augment.h"

enum { PADDING = 4, DRAWS = 3 };

/* A shift of -PADDING .. PADDING, each as likely. */
static int random_shift(uint64_t stream, uint64_t counter)
{
    return (int)(ffebm_random_uniform(stream, counter) * (2 * PADDING + 1)) - PADDING;
}

/* Where padding by edge values looks: the nearest place inside. */
static size_t inside(size_t place, int shift, size_t count)
{
    if (shift < 0 && place < (size_t)-shift)
        return 0;
    place = shift < 0 ? place - (size_t)-shift : place + (size_t)shift;
    return place < count ? place : count - 1;
}

void augment(unsigned char *variant, const unsigned char *image, const struct dataset *data, int32_t kind,
             uint64_t stream, uint64_t draw)
{
    const size_t rows = data->channels * data->height;
    int flip, down = 0, right = 0;

    if (kind == FFEBM_AUGMENT_NONE) {
        memcpy(variant, image, data->sample_size);
        return;
    }
    flip = ffebm_random_uniform(stream, DRAWS * draw) < 0.5;
    if (kind == FFEBM_AUGMENT_FLIP_CROP) {
        down = random_shift(stream, DRAWS * draw + 1);
        right = random_shift(stream, DRAWS * draw + 2);
    }
    for (size_t row = 0; row < rows; row++) {
        size_t channel = row / data->height;
        size_t from = channel * data->height + inside(row % data->height, down, data->height);

        for (size_t column = 0; column < data->width; column++) {
            size_t at = inside(column, right, data->width);

            variant[row * data->width + column] = image[from * data->width + (flip ? data->width - 1 - at : at)];
        }
    }
}

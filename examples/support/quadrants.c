#include "quadrants.h"

#include <string.h>

static const char description[] =
    "{\"dtype\": \"float64\", \"input\": [1, 6, 6], \"loss\": \"cross_entropy\", \"recipe\": {\"estimator\": "
    "\"random_sign\"}, \"stages\": ["
    "{\"feedforward\": [{\"type\": \"conv2d\", \"out_channels\": 8, \"kernel\": 3, \"padding\": 1, \"bias\": false}, "
    "{\"type\": "
    "\"batchnorm2d\"}, {\"type\": \"flatten\"}, {\"type\": \"linear\", \"out_features\": 64}]}, {\"energy\": "
    "{\"type\": "
    "\"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 32}]}}, {\"feedforward\": [{\"type\": "
    "\"linear\", "
    "\"out_features\": 4}]}]}";

ffebm_status quadrants_model(ffebm_context *context, ffebm_model **model)
{
    ffebm_status status = ffebm_model_parse(context, model, description, strlen(description), NULL);

    return status == FFEBM_OK ? ffebm_model_initialize(*model, 1) : status;
}

static int is_bright(size_t pixel, int64_t quadrant)
{
    const size_t row = pixel / QUADRANTS_SIDE, column = pixel % QUADRANTS_SIDE;

    return (row >= QUADRANTS_SIDE / 2) == (quadrant / 2 == 1) && (column >= QUADRANTS_SIDE / 2) == (quadrant % 2 == 1);
}

void quadrants_fill(ffebm_tensor *images, ffebm_tensor *labels, uint64_t first)
{
    double *image = ffebm_tensor_data(images);
    int64_t *label = ffebm_tensor_data(labels);

    for (size_t n = 0; n < ffebm_tensor_count(labels); n++) {
        const uint64_t sample = first + n;

        label[n] = (int64_t)(4 * ffebm_random_uniform(1, sample));
        for (size_t i = 0; i < QUADRANTS_PIXELS; i++)
            image[n * QUADRANTS_PIXELS + i] =
                is_bright(i, label[n]) + 1.5 * ffebm_random_normal(2, sample * QUADRANTS_PIXELS + i);
    }
}

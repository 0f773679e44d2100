/* dataset.h - labelled images in memory, and the table of data sets known by name.
 *
 * Pixels are floats, normalised: (pixel / brightest - mean) / deviation, with constants of the data set's own training
 * samples for each channel; those of CIFAR are the paper's (arXiv:2409.03306), 3 standard deviations:
 *
 *   name            image    brightest  mean    deviation  files in the directory
 *   digits          1x8x8     16        0.3053  0.3760     digits.csv.gz
 *   fashion-mnist   1x28x28  255        0.2860  0.3530     {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]
 *   mnist           1x28x28  255        0.1307  0.3081     likewise
 *   cifar10         3x32x32  255        .4914 .4822 .4465  3 x (.2023 .1994 .2010)  data_batch_{1..5}, test_batch.bin
 *   cifar100        3x32x32  255        likewise           train.bin, test.bin
 */
#ifndef EXAMPLES_DATASET_H
#define EXAMPLES_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* Samples one after the other: inputs [count, channels, height, width], labels [count]. */
struct dataset_part {
    float *inputs;
    int64_t *labels;
    size_t count;
};

struct dataset {
    struct dataset_part train;
    struct dataset_part test;
    size_t channels;
    size_t height;
    size_t width;
    size_t sample_size; /* channels * height * width */
    int64_t classes;
};

/* How a data set that comes in one piece is divided. */
enum {
    DATASET_SPLIT_DEFAULT = 0, /* mixed where the data set is in one piece, else its own */
    DATASET_SPLIT_MIXED = 1,   /* sample i, from 0, is a test sample when i % 5 == 0 */
    DATASET_SPLIT_LAST = 2     /* the last 360 are the test samples: other writers than those trained on */
};

struct dataset_source {
    const char *name;
    const char *directory; /* where it is if the user does not say; NULL: the user must */
    int (*load)(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure);
    double brightest; /* the largest pixel of the files */
    double mean[3];   /* of pixels / brightest, by channel */
    double deviation[3];
    int64_t classes;
    size_t largest_side; /* of an image: what a file may claim */
    int32_t divisible;   /* 1: in one piece, to be split as asked; 0: has its own test samples */
};

/* Find a data set. Returns NULL, with a failure that lists what there is, if there is none of that name. */
const struct dataset_source *dataset_find(const char *name, struct failure *failure);

/* Read a data set. `directory` NULL: its own. Returns 0, or -1 with the failure filled and *data empty. Free it with
 * dataset_free in both cases. */
int dataset_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure);

/* Keep only the first `limit` samples; 0 keeps all. */
void dataset_limit(struct dataset_part *part, size_t limit);

void dataset_free(struct dataset *data);

/* What the loaders share. */
int dataset_part_allocate(struct dataset_part *part, size_t count, size_t sample_size, struct failure *failure);
void dataset_part_free(struct dataset_part *part);
float dataset_normalise(const struct dataset_source *source, size_t channel, unsigned pixel);
int dataset_join_path(char *path, size_t capacity, const char *directory, const char *name, struct failure *failure);

int digits_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure);
int idx_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
             struct failure *failure);
int cifar10_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure);
int cifar100_load(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                  struct failure *failure);

#endif

/* dataset.h - labelled images in files, and the table of data sets known by name.
 *
 * Pixels stay in their files, as bytes, and are read a sample at a time, so that a data set may be larger than memory:
 * of every sample only the label is held. Opening reads and checks all headers and labels. What reaches a model is
 * (pixel / brightest - mean) / deviation, by channel. The constants are those of the data set's own training samples; for
 * CIFAR and ImageNet32 they are the paper's (arXiv:2409.03306), 3 and 1.5 standard deviations:
 *
 *   name            image    brightest  mean             deviation              files in the directory
 *   digits          1x8x8     16        .3053            .3760                  digits.csv[.gz]
 *   fashion-mnist   1x28x28  255        .2860            .3530                  {train,t10k}-images-idx3-ubyte[.gz],
 *   mnist           1x28x28  255        .1307            .3081                  {train,t10k}-labels-idx1-ubyte[.gz]
 *   cifar10         3x32x32  255        .4914 .4822 .4465  3 x .2023 .1994 .2010  {data_batch_{1..5},test_batch}.bin
 *   cifar100        3x32x32  255        likewise                                {train,test}.bin
 *   imagenet32      3x32x32  255        .485 .456 .406   1.5 x .229 .224 .225   {train_data_batch_{1..10},val_data}.npz
 */
#ifndef EXAMPLES_DATASET_H
#define EXAMPLES_DATASET_H

#include "data_file.h"

enum { DATASET_MOST_CHANNELS = 3, DATASET_MOST_PIXELS = 3 * 32 * 32, DATASET_LEVELS = 256 };

/* Samples whose pixels lie in one file, `stride` bytes from one to the next. */
struct dataset_shard {
    struct data_file file;
    uint64_t first_byte; /* of the first sample's pixels */
    size_t stride;
    size_t count;
};

struct dataset_part {
    struct dataset_shard *shards;
    size_t shard_count; /* 0: the shards are another part's */
    int64_t *labels;    /* [count], from 0 */
    size_t *members;    /* [count]: which samples of the shards these are; NULL: the first ones */
    size_t count;
};

struct dataset {
    struct dataset_part train;
    struct dataset_part validation; /* empty until dataset_hold_out */
    struct dataset_part test;
    size_t channels;
    size_t height;
    size_t width;
    size_t sample_size; /* channels * height * width: so many bytes */
    int64_t classes;
    int64_t fingerprint; /* of labels, and of some samples: other data has another one */
    float levels[DATASET_MOST_CHANNELS][DATASET_LEVELS]; /* what a pixel's byte becomes, by channel */
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
    int (*open)(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure);
    double brightest;                   /* the largest pixel of the files */
    double mean[DATASET_MOST_CHANNELS]; /* of pixels / brightest, by channel */
    double deviation[DATASET_MOST_CHANNELS];
    int64_t classes;
    size_t largest_side; /* of an image: what a file may claim */
    int32_t divisible;   /* 1: in one piece, to be split as asked; 0: has its own test samples */
    const char *advice;  /* where the files are to be had, said where one is missing; NULL: nothing */
};

/* Find a data set. Returns NULL, with a failure that lists what there is, if there is none of that name. */
const struct dataset_source *dataset_find(const char *name, struct failure *failure);

/* Open a data set. `directory` NULL: its own. Returns 0, or -1 with the failure filled and *data empty. Free it with
 * dataset_free in both cases. */
int dataset_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure);

/* Keep only the first `limit` samples; 0 keeps all. */
void dataset_limit(struct dataset_part *part, size_t limit);

/* Take samples out of the training samples, to validate with: which, is drawn from a stream of random numbers. Returns 0, or
 * -1 with the failure filled, also if none would be left. 0 samples: none. */
int dataset_hold_out(struct dataset *data, size_t count, uint64_t stream, struct failure *failure);

/* Read the bytes of one sample of a part. Any number of threads may. Returns 0, or -1 with the failure filled. */
int dataset_read(const struct dataset *data, const struct dataset_part *part, size_t sample, unsigned char *pixels,
                 struct failure *failure);

void dataset_free(struct dataset *data);

/* ------------------------------------------------------------------------------------- for the readers of formats */

/* Append samples to a part. Takes the shard's file, which is closed here on failure. Returns where their labels go, or NULL
 * with the failure filled. */
int64_t *dataset_add(struct dataset_part *part, struct dataset_shard *shard, struct failure *failure);

/* Check a label that stands at a byte of a file: from `least` on, as many as there are classes. Returns 0, or -1 with the
 * failure filled. */
int dataset_check_label(const struct dataset *data, const struct data_file *file, uint64_t offset, size_t sample,
                        int64_t label, int64_t least, struct failure *failure);

int digits_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                struct failure *failure);
int idx_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
             struct failure *failure);
int cifar10_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                 struct failure *failure);
int cifar100_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                  struct failure *failure);
int imagenet32_open(struct dataset *data, const struct dataset_source *source, const char *directory, int32_t split,
                    struct failure *failure);

#endif

/* files.h - small data sets in every format, written into a directory of the test's own, and what is in them. */
#ifndef FFEBM_TESTS_SUPPORT_FILES_H
#define FFEBM_TESTS_SUPPORT_FILES_H

#include <check.h>

#include "support/dataset.h"

/* The bytes of a file, to be spoilt. */
struct bytes {
    unsigned char *data;
    size_t size;
};

/* One way in which a data set can lie in its files. */
struct format {
    const char *name;
    const char *dataset;
    const char *const *files; /* the first of each kind and the last; ends with NULL */
    void (*write)(void);      /* into `directory` */
    size_t train;
    size_t test;
    size_t header; /* bytes at a file's beginning none of whose bits may be wrong; SIZE_MAX: a checksum covers it all */
    size_t record; /* files may have any number of records of this size; 0: their size is known */
};

extern const struct format formats[];
enum { FORMATS = 7, IDX = 0, IDX_GZIP, DIGITS, NPZ, NPZ_STORED, CIFAR10, CIFAR100 };

/* Of the present test: created by files_begin, removed with what is in it by files_end. */
extern char directory[64];
extern struct dataset data;
extern struct failure failure;
void files_begin(void);
void files_end(void);

struct bytes file_read(const char *name);
void file_write(const char *name, const void *bytes, size_t size);
void file_write_gzip(const char *name, const void *bytes, size_t size);
void file_path(char path[DATA_FILE_NAME], const char *name);

/* A zip archive of up to three members; the names that are NULL are left out. */
struct member {
    const char *name;
    struct bytes content;
};
void file_write_zip(const char *name, const struct member members[3], int stored);

/* A .npy array of `count` elements; `dictionary` is its header's text. */
struct bytes npy(const char *dictionary, const void *elements, size_t size);

/* Open the data set; 0 or -1 as dataset_open. */
int open_format(const struct format *format);

/* Are the samples of the open data set those that were written? */
int holds_samples(const struct format *format);

/* What the `number`-th sample of a data set has. Training samples are numbered from 0, test samples from 100; those of the
 * digits all from 0, and divided. */
unsigned char pixel_of(size_t number, size_t pixel, int brightest);
int label_of(size_t number, int classes);

#endif

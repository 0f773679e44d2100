/* Files of data sets, written into a directory. */
#ifndef FFEBM_TESTS_DATA_FILES_H
#define FFEBM_TESTS_DATA_FILES_H

#include <stddef.h>

/* A sequence of bytes, with room for what is appended. */
typedef struct data_bytes {
    unsigned char *bytes;
    size_t count;
} data_bytes;

void data_append(data_bytes *b, const void *bytes, size_t count);
void data_fill(data_bytes *b, unsigned char byte, size_t count);

/* Append a .npy array: its header, with such a type ("|u1") and shape ("(2, 3)"), padded as NumPy does, then elements. */
void data_append_npy(data_bytes *b, const char *type, const char *shape, const void *elements, size_t count);

/* Write a file, as it is or packed by gzip. */
void data_write(const char *directory, const char *name, const void *bytes, size_t count);
void data_write_gzip(const char *directory, const char *name, const void *bytes, size_t count);

/* Write an archive of data.npy and labels.npy. */
void data_write_npz(const char *directory, const char *name, const data_bytes *pixels, const data_bytes *labels);

/* Write whole small data sets of a few samples: "mnist", "cifar10" or "imagenet32". */
void data_write_set(const char *directory, const char *name);

#endif

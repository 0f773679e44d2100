/* npy.h - arrays of integers in NumPy's .npy format: a header of text, then the elements. */
#ifndef EXAMPLES_NPY_H
#define EXAMPLES_NPY_H

#include "data_file.h"

enum { NPY_MOST_RANK = 2, NPY_WORDS = 64 };

/* What the header says. */
struct npy {
    uint64_t shape[NPY_MOST_RANK];
    size_t rank;
    size_t item_size; /* 1, 2, 4 or 8 bytes */
    int32_t is_signed;
    int32_t is_big_endian;
    uint64_t first_byte; /* of the elements */
};

/* Read and check the header of an array of integers in C order, and that the file holds exactly its elements. Returns 0,
 * or -1 with the failure filled. */
int npy_open(struct npy *npy, const struct data_file *file, struct failure *failure);

/* What the header says that the file has: a data_file_limit. */
int npy_limit(uint64_t *most, const struct data_file *beginning, struct failure *failure);

/* Take an integer from its bytes. */
int64_t npy_integer(const struct npy *npy, const unsigned char *bytes);

/* Say type and shape in words, such as "uint8 [10000, 3072]". */
void npy_describe(const struct npy *npy, char words[NPY_WORDS]);

#endif

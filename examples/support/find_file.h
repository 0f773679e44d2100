/* find_file.h - a data file under one of the names it has, or what is said of one that is not where it should be: where it
 * lies, or what lies there instead. */
#ifndef EXAMPLES_FIND_FILE_H
#define EXAMPLES_FIND_FILE_H

#include "data_file.h"

/* A file that people have instead of the one that is wanted, and what to do about it. */
struct substitute {
    const char *name; /* NULL ends a list */
    const char *what;
};

/* Find a file in `directory` under the first of the names that is there; NULL ends the names. Returns 0 with the path, or -1
 * with the failure filled: the first name is told; if one of them is found in a folder in `directory`, or above it, that is
 * said; else whether a substitute is; else the advice, unless that is NULL. */
int find_file(char path[DATA_FILE_NAME], const char *directory, const char *const *names,
              const struct substitute *substitutes, const char *advice, struct failure *failure);

#endif

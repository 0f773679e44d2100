/* missing.h - what is said of a data file that is not where it should be: where it lies, or what lies there instead. */
#ifndef EXAMPLES_MISSING_H
#define EXAMPLES_MISSING_H

#include "failure.h"

/* A file that people have instead of the one that is wanted, and what to do about it. */
struct substitute {
    const char *name; /* NULL ends a list */
    const char *what;
};

/* Refuse a file that is not in `directory` under any of the names, of which the first is told. If one of them is found in a
 * folder in it, or above it, that is said; else whether a substitute is; else the advice, unless that is NULL. Returns -1
 * always. */
int missing_refuse(const char *directory, const char *const *names, const struct substitute *substitutes,
                   const char *advice, struct failure *failure);

#endif

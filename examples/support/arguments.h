/* arguments.h - a command line that can be kept in a file and continued. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <stddef.h>

#include "failure.h"

struct arguments {
    char **items; /* as argv: the program's name first, NULL last */
    int count;
};

/* Begin with the program's name alone. Returns 0, or -1 with the failure filled; destroy it in both cases. */
int arguments_create(struct arguments *arguments, const char *program, struct failure *failure);
void arguments_destroy(struct arguments *arguments);

/* Add those of a file, one a line. Returns as above. */
int arguments_read(struct arguments *arguments, const char *path, struct failure *failure);

/* Add argv[1] .., but not the option --<without> with its value. Returns as above. */
int arguments_add(struct arguments *arguments, int argc, char **argv, const char *without, struct failure *failure);

/* Keep all but the program's name in a file, one a line. Returns as above; an argument with a line break is refused. */
int arguments_write(const struct arguments *arguments, const char *path, struct failure *failure);

#endif

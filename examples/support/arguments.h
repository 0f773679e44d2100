/* arguments.h - a command line put together from several places. */
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

/* Add "--name=value", or "--name" where value is NULL. Returns as above. */
int arguments_add_option(struct arguments *arguments, const char *name, const char *value, struct failure *failure);

/* Add argv[1] .. Returns as above. */
int arguments_add(struct arguments *arguments, int argc, char **argv, struct failure *failure);

#endif

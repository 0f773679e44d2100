#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add(struct arguments *arguments, const char *item, size_t length, struct failure *failure)
{
    char **items = realloc(arguments->items, ((size_t)arguments->count + 2) * sizeof *items);
    char *copy = malloc(length + 1);

    if (items != NULL)
        arguments->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        return failure_set(failure, "out of memory for the command line");
    }
    memcpy(copy, item, length);
    copy[length] = '\0';
    items[arguments->count++] = copy;
    items[arguments->count] = NULL;
    return 0;
}

int arguments_create(struct arguments *arguments, const char *program, struct failure *failure)
{
    *arguments = (struct arguments){.items = NULL};
    return add(arguments, program, strlen(program), failure);
}

void arguments_destroy(struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    *arguments = (struct arguments){.items = NULL};
}

int arguments_add_option(struct arguments *arguments, const char *name, const char *value, struct failure *failure)
{
    const size_t capacity = sizeof "--=" + strlen(name) + (value != NULL ? strlen(value) : 0);
    char *item = malloc(capacity);
    int result;

    if (item == NULL)
        return failure_set(failure, "out of memory for the command line");
    snprintf(item, capacity, "--%s%s%s", name, value != NULL ? "=" : "", value != NULL ? value : "");
    result = add(arguments, item, strlen(item), failure);
    free(item);
    return result;
}

int arguments_add(struct arguments *arguments, int argc, char **argv, struct failure *failure)
{
    int result = 0;

    for (int at = 1; result == 0 && at < argc; at++)
        result = add(arguments, argv[at], strlen(argv[at]), failure);
    return result;
}

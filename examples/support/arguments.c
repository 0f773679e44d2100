#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text_file.h"

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

int arguments_read(struct arguments *arguments, const char *path, struct failure *failure)
{
    const char *line, *end;
    char *text;
    size_t length;
    int result = text_file_read(path, &text, &length, failure);

    if (result != 0)
        return result;
    for (line = text; result == 0 && line < text + length; line = end + 1) {
        end = memchr(line, '\n', length - (size_t)(line - text));
        if (end == NULL)
            end = text + length;
        result = add(arguments, line, (size_t)(end - line), failure);
    }
    free(text);
    return result;
}

/* How many arguments an option takes from argv[at] on, if it is this one: 1 for --name=value, 2 for --name value. */
static int matches(const char *argument, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(argument, "--", 2) != 0 || strncmp(argument + 2, name, length) != 0)
        return 0;
    return argument[2 + length] == '=' ? 1 : argument[2 + length] == '\0' ? 2 : 0;
}

int arguments_add(struct arguments *arguments, int argc, char **argv, const char *without, struct failure *failure)
{
    for (int at = 1; at < argc;) {
        int left_out = matches(argv[at], without);

        if (left_out == 0 && add(arguments, argv[at], strlen(argv[at]), failure) != 0)
            return -1;
        at += left_out > 0 ? left_out : 1;
    }
    return 0;
}

int arguments_write(const struct arguments *arguments, const char *path, struct failure *failure)
{
    size_t length = 0;
    char *text, *at;
    int result;

    for (int i = 1; i < arguments->count; i++) {
        if (strchr(arguments->items[i], '\n') != NULL)
            return failure_set(failure, "%s: an argument with a line break cannot be kept: %s", path,
                               arguments->items[i]);
        length += strlen(arguments->items[i]) + 1;
    }
    text = at = malloc(length + 1);
    if (text == NULL)
        return failure_set(failure, "%s: out of memory", path);
    for (int i = 1; i < arguments->count; i++)
        at += sprintf(at, "%s\n", arguments->items[i]);
    result = text_file_write(path, text, length, failure);
    free(text);
    return result;
}

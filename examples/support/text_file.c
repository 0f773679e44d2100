#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text_file.h"

enum { CHUNK = 1 << 16, MOST = 1 << 24 };

/* The size is not asked for beforehand: a pipe has none, and a file may grow while it is read. */
static int read_all(FILE *file, const char *path, char **text, size_t *length, struct failure *failure)
{
    size_t count;

    do {
        char *larger = *length > MOST ? NULL : realloc(*text, *length + CHUNK);

        if (larger == NULL)
            return failure_set(failure, "%s: %s", path,
                               *length > MOST ? "larger than 16 MiB, expected a small text" : "out of memory");
        *text = larger;
        count = fread(*text + *length, 1, CHUNK, file);
        *length += count;
    } while (count == CHUNK);
    return ferror(file) ? failure_set(failure, "%s: %s", path, strerror(errno)) : 0;
}

int text_file_read(const char *path, char **text, size_t *length, struct failure *failure)
{
    FILE *file = fopen(path, "rb");
    int result;

    *text = NULL;
    *length = 0;
    if (file == NULL)
        return failure_set(failure, "%s: %s", path, strerror(errno));
    result = read_all(file, path, text, length, failure);
    fclose(file);
    if (result != 0) {
        free(*text);
        *text = NULL;
    }
    return result;
}

static int write_all(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    int written;

    if (file == NULL)
        return -1;
    written = fwrite(text, 1, length, file) == length && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && written ? 0 : -1;
}

int text_file_write(const char *path, const char *text, size_t length, struct failure *failure)
{
    size_t capacity = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(capacity);
    int result = 0;

    if (temporary == NULL)
        return failure_set(failure, "%s: out of memory", path);
    snprintf(temporary, capacity, "%s.tmp", path);
    if (write_all(temporary, text, length) != 0 || rename(temporary, path) != 0)
        result = failure_set(failure, "%s: %s", path, strerror(errno));
    free(temporary);
    return result;
}

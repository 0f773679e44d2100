#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
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

/* Returns 0, or -1 with errno set. */
static int write_all(FILE *file, const char *text, size_t length)
{
    return fwrite(text, 1, length, file) == length && fflush(file) == 0 ? 0 : -1;
}

/* What is no regular file cannot be replaced. */
static int write_through(const char *path, const char *text, size_t length, struct failure *failure)
{
    FILE *file = fopen(path, "wb");
    int result =
        file != NULL && write_all(file, text, length) == 0 ? 0 : failure_set(failure, "%s: %s", path, strerror(errno));

    if (file != NULL)
        fclose(file);
    return result;
}

/* Of a killed process there may be a longer one: it is cut, once it is ours. */
static int replace(const char *path, const char *temporary, const char *text, size_t length, struct failure *failure)
{
    const int descriptor = lock_open(temporary, path, failure);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    int result = 0;

    if (descriptor < 0)
        return -1;
    if (file == NULL || ftruncate(descriptor, 0) != 0 || write_all(file, text, length) != 0 || fsync(descriptor) != 0 ||
        rename(temporary, path) != 0) {
        result = failure_set(failure, "%s: %s", path, strerror(errno));
        unlink(temporary);
    }
    if (file != NULL)
        fclose(file);
    else
        close(descriptor);
    return result;
}

static int write_beside(const char *path, const char *text, size_t length, struct failure *failure)
{
    const size_t capacity = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(capacity);
    int result;

    if (temporary == NULL)
        return failure_set(failure, "%s: out of memory", path);
    snprintf(temporary, capacity, "%s.tmp", path);
    result = replace(path, temporary, text, length, failure);
    free(temporary);
    return result;
}

int text_file_write(const char *path, const char *text, size_t length, struct failure *failure)
{
    struct stat about;
    char *followed;
    int result;

    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
        return write_through(path, text, length, failure);
    followed = realpath(path, NULL);
    result = write_beside(followed != NULL ? followed : path, text, length, failure);
    free(followed);
    return result;
}

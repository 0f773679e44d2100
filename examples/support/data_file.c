#define _FILE_OFFSET_BITS 64
#include "data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int data_file_path(char path[DATA_FILE_NAME], const char *directory, const char *name, struct failure *failure)
{
    int length = snprintf(path, DATA_FILE_NAME, "%s/%s", directory, name);

    if (length < 0 || length >= DATA_FILE_NAME)
        return failure_set(failure, "%.40s..: a path of %d characters, expected at most %d", directory, length,
                           DATA_FILE_NAME - 1);
    return 0;
}

int data_file_exists(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

int data_file_refuse(const struct data_file *file, uint64_t offset, struct failure *failure, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return failure_set(failure, "%s: byte %" PRIu64 ": %s", file->name, offset, text);
}

int data_file_open(struct data_file *file, const char *path, struct failure *failure)
{
    struct stat about;
    int error = 0;

    snprintf(file->name, sizeof file->name, "%s", path);
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0)
        return failure_set(failure, "%s: %s", path, strerror(errno));
    if (fstat(file->descriptor, &about) != 0)
        error = errno;
    if (error != 0 || !S_ISREG(about.st_mode)) {
        data_file_close(file);
        return failure_set(failure, "%s: %s", path, error != 0 ? strerror(error) : "not a regular file");
    }
    file->size = (uint64_t)about.st_size;
    return 0;
}

/* Returns a descriptor, or -1. */
static int create_in(const char *directory)
{
    char path[DATA_FILE_NAME];
    struct failure failure;
    int descriptor;

    if (data_file_path(path, directory, "ffebm-XXXXXX", &failure) != 0)
        return -1;
    descriptor = mkstemp(path);
    if (descriptor >= 0)
        unlink(path);
    return descriptor;
}

int data_file_create(struct data_file *file, const char *name, struct failure *failure)
{
    const char *wished = getenv("TMPDIR");

    snprintf(file->name, sizeof file->name, "%s", name);
    file->size = 0;
    file->descriptor = wished != NULL ? create_in(wished) : -1;
    if (file->descriptor < 0)
        file->descriptor = create_in("/var/tmp");
    if (file->descriptor < 0)
        file->descriptor = create_in("/tmp");
    if (file->descriptor < 0)
        return failure_set(failure, "%s: temporary file: %s; TMPDIR can name a directory", name, strerror(errno));
    return 0;
}

int data_file_append(struct data_file *file, const void *bytes, size_t count, struct failure *failure)
{
    while (count > 0) {
        ssize_t written = pwrite(file->descriptor, bytes, count, (off_t)file->size);

        if (written < 0)
            return data_file_refuse(file, file->size, failure, "temporary file: %s; TMPDIR can name another directory",
                                    strerror(errno));
        bytes = (const char *)bytes + written;
        count -= (size_t)written;
        file->size += (uint64_t)written;
    }
    return 0;
}

int data_file_read(const struct data_file *file, void *bytes, size_t count, uint64_t offset, struct failure *failure)
{
    while (count > 0) {
        ssize_t got = pread(file->descriptor, bytes, count, (off_t)offset);

        if (got < 0)
            return data_file_refuse(file, offset, failure, "%s", strerror(errno));
        if (got == 0)
            return data_file_refuse(file, offset, failure, "the file ends, expected %zu bytes more", count);
        bytes = (char *)bytes + got;
        count -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

void data_file_close(struct data_file *file)
{
    close(file->descriptor);
    file->descriptor = -1;
}

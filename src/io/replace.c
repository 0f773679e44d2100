#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/context.h"
#include "io/source.h"

enum { SUFFIX = 48, ATTEMPTS = 1000 };

/* Temporary files of a process that died are left alone and stepped over. */
static int create_temporary(ffebmi_replacement *replacement, mode_t mode)
{
    size_t length = strlen(replacement->path);
    int file = -1;

    for (int i = 0; file < 0 && i < ATTEMPTS; i++) {
        snprintf(replacement->temporary, length + SUFFIX, "%s.%ld-%d.tmp", replacement->path, (long)getpid(), i);
        file = open(replacement->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (file < 0 && errno != EEXIST)
            break;
    }
    return file;
}

ffebm_status ffebmi_replacement_begin(ffebm_context *context, ffebmi_replacement *replacement, const char *path)
{
    struct stat old;
    bool exists = stat(path, &old) == 0;

    *replacement = (ffebmi_replacement){.context = context, .path = path, .file = -1};
    FFEBMI_CHECK(context, !exists || S_ISREG(old.st_mode), FFEBM_ERR_IO, "%.200s: is not a regular file", path);
    replacement->temporary = ffebmi_allocate(context, strlen(path) + SUFFIX, 1);
    if (replacement->temporary == NULL)
        return ffebmi_fail_memory(context, "the name of a temporary file");
    replacement->file = create_temporary(replacement, exists ? old.st_mode & 0777 : 0666);
    if (replacement->file < 0) {
        ffebm_status status = ffebmi_fail_system(context, path, "a temporary file beside it cannot be created", errno);

        ffebmi_release(context, replacement->temporary);
        replacement->temporary = NULL;
        return status;
    }
    /* The mode of open is cut by the umask; that of the old file was not meant to be. */
    if (exists)
        (void)fchmod(replacement->file, old.st_mode & 0777);
    return FFEBM_OK;
}

int32_t ffebmi_replacement_write(void *user, const void *bytes, size_t count)
{
    ffebmi_replacement *replacement = user;
    const char *from = bytes;

    while (count > 0) {
        ssize_t done = write(replacement->file, from, count);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            replacement->error = errno;
            return -1;
        }
        from += done;
        count -= (size_t)done;
    }
    return 0;
}

static int sync_file(int file)
{
    int result;

    do
        result = fsync(file);
    while (result != 0 && errno == EINTR);
    return result;
}

/* Open the directory that `path` is in; -1 if that cannot be done. */
static int open_directory(ffebmi_replacement *replacement)
{
    char *slash = strrchr(replacement->temporary, '/'), kept;
    int directory;

    if (slash == NULL)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kept = slash[1];
    slash[1] = '\0';
    directory = open(replacement->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    slash[1] = kept;
    return directory;
}

static void close_file(ffebmi_replacement *replacement)
{
    if (replacement->file >= 0)
        close(replacement->file);
    replacement->file = -1;
}

void ffebmi_replacement_abandon(ffebmi_replacement *replacement)
{
    close_file(replacement);
    unlink(replacement->temporary);
    ffebmi_release(replacement->context, replacement->temporary);
    replacement->temporary = NULL;
}

ffebm_status ffebmi_replacement_commit(ffebmi_replacement *replacement)
{
    int directory = open_directory(replacement), error = 0;
    const char *what = "the temporary file beside it cannot be synced";

    if (sync_file(replacement->file) != 0) {
        error = errno;
    } else if (close_file(replacement), rename(replacement->temporary, replacement->path) != 0) {
        error = errno;
        what = "the temporary file beside it cannot be renamed";
    }
    if (error != 0) {
        if (directory >= 0)
            close(directory);
        ffebmi_replacement_abandon(replacement);
        return ffebmi_fail_system(replacement->context, replacement->path, what, error);
    }

    ffebmi_release(replacement->context, replacement->temporary);
    replacement->temporary = NULL;
    /* Some file systems cannot sync a directory, and some directories may not be opened: then rename has to do. */
    if (directory >= 0) {
        if (sync_file(directory) != 0 && errno == EIO)
            error = errno;
        close(directory);
    }
    return error == 0 ? FFEBM_OK
                      : ffebmi_fail_system(replacement->context, replacement->path,
                                           "is written, but its directory cannot be synced", error);
}

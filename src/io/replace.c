#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/context.h"
#include "io/system.h"
#include "io/target.h"
#include "io/temporary.h"

static void end(ffebmi_replacement *replacement)
{
    if (replacement->file >= 0)
        close(replacement->file);
    if (replacement->directory >= 0)
        close(replacement->directory);
    ffebmi_release(replacement->context, replacement->temporary);
    ffebmi_release(replacement->context, replacement->target);
}

static int open_directory(char *target)
{
    char *slash = strrchr(target, '/'), kept;
    int directory;

    if (slash == NULL)
        return ffebmi_system_open(".", O_RDONLY | O_DIRECTORY, 0);
    kept = slash[1];
    slash[1] = '\0';
    directory = ffebmi_system_open(target, O_RDONLY | O_DIRECTORY, 0);
    slash[1] = kept;
    return directory;
}

/* In a directory that may be written and not read files can be made all the same. */
static ffebm_status create(ffebmi_replacement *replacement, mode_t mode)
{
    replacement->temporary = ffebmi_allocate(replacement->context, ffebmi_temporary_capacity(replacement->target), 1);
    if (replacement->temporary == NULL)
        return ffebmi_fail_memory(replacement->context, "the name of a temporary file");
    replacement->directory = open_directory(replacement->target);
    if (replacement->directory >= 0)
        ffebmi_temporary_sweep(replacement->directory, replacement->target);
    if (replacement->directory >= 0 || errno == EACCES)
        replacement->file = ffebmi_temporary_create(replacement->temporary, replacement->target, mode);
    return replacement->file >= 0 ? FFEBM_OK
                                  : ffebmi_fail_system(replacement->context, replacement->path,
                                                       "a temporary file beside it cannot be created", errno);
}

ffebm_status ffebmi_replacement_begin(ffebm_context *context, ffebmi_replacement *replacement, const char *path)
{
    struct stat old;
    bool exists = stat(path, &old) == 0;
    ffebm_status status;

    *replacement = (ffebmi_replacement){.context = context, .path = path, .directory = -1, .file = -1};
    if (!exists && errno != ENOENT)
        return ffebmi_fail_system(context, path, "cannot be followed", errno);
    FFEBMI_CHECK(context, !exists || S_ISREG(old.st_mode), FFEBM_ERR_IO, "%.200s: is not a regular file", path);
    FFEBMI_CHECK(context, path[0] != '\0' && path[strlen(path) - 1] != '/', FFEBM_ERR_IO, "\"%.200s\": names no file",
                 path);
    FFEBMI_TRY(ffebmi_target_find(context, &replacement->target, path));
    status = create(replacement, exists ? old.st_mode & 0777 : 0666);
    if (status != FFEBM_OK)
        end(replacement);
    else if (exists) /* the mode of open is cut by the umask; that of the old file was not meant to be */
        (void)fchmod(replacement->file, old.st_mode & 0777);
    return status;
}

int32_t ffebmi_replacement_write(void *user, const void *bytes, size_t count)
{
    ffebmi_replacement *replacement = user;

    if (ffebmi_system_write(replacement->file, bytes, count) == 0)
        return 0;
    replacement->error = errno;
    return -1;
}

void ffebmi_replacement_abandon(ffebmi_replacement *replacement)
{
    unlink(replacement->temporary);
    end(replacement);
}

/* Where directories cannot be synced renaming has to do. One that cannot be opened is synced by way of the file: file
 * systems with a journal write its new name down before they call it synced. */
static int sync_name(const ffebmi_replacement *replacement)
{
    int result = ffebmi_system_sync(replacement->directory >= 0 ? replacement->directory : replacement->file);

    return result != 0 && (errno == EINVAL || errno == EBADF || errno == ENOTSUP || errno == ENOSYS) ? 0 : result;
}

/* The temporary file stays locked, and so open, until it has its new name. */
ffebm_status ffebmi_replacement_commit(ffebmi_replacement *replacement)
{
    ffebm_context *context = replacement->context;
    const char *path = replacement->path, *what = NULL;
    int error;

    if (ffebmi_system_sync(replacement->file) != 0)
        what = "the temporary file beside it cannot be synced";
    else if (rename(replacement->temporary, replacement->target) != 0)
        what = "the temporary file beside it cannot be renamed";
    error = errno;
    if (what != NULL) {
        ffebmi_replacement_abandon(replacement);
        return ffebmi_fail_system(context, path, what, error);
    }
    if (sync_name(replacement) != 0) {
        what = "is written, but a power cut may bring the old one back: its directory cannot be synced";
        error = errno;
    }
    end(replacement);
    return what == NULL ? FFEBM_OK : ffebmi_fail_system(context, path, what, error);
}

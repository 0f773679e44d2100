#include "io/target.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "core/context.h"
#include "io/system.h"

enum { MOST_LINKS = 40 };

/* What a link holds, seen from the directory that it is in. */
static char *beside(ffebm_context *context, const char *path, const char *content, size_t length)
{
    const char *slash = strrchr(path, '/');
    size_t directory = slash == NULL || content[0] == '/' ? 0 : (size_t)(slash + 1 - path);
    char *joined = ffebmi_allocate(context, directory + length + 1, 1);

    if (joined != NULL) {
        memcpy(joined, path, directory);
        memcpy(joined + directory, content, length);
    }
    return joined;
}

/* Put what the link at *target leads to in its place; *more is false, and it is as before, where there is no link. */
static ffebm_status follow(ffebm_context *context, char **target, const char *path, bool *more)
{
    char content[PATH_MAX], *next;
    ssize_t length = readlink(*target, content, sizeof content);

    *more = length >= 0;
    if (length < 0)
        return errno == EINVAL || errno == ENOENT ? FFEBM_OK
                                                  : ffebmi_fail_system(context, path, "cannot be followed", errno);
    if (length == 0 || length == (ssize_t)sizeof content)
        return ffebmi_fail_system(context, path, "cannot be followed", length == 0 ? ENOENT : ENAMETOOLONG);
    next = beside(context, *target, content, (size_t)length);
    if (next == NULL)
        return ffebmi_fail_memory(context, "the path of a file");
    ffebmi_release(context, *target);
    *target = next;
    return FFEBM_OK;
}

ffebm_status ffebmi_target_find(ffebm_context *context, char **target, const char *path)
{
    ffebm_status status = FFEBM_OK;
    bool more = true;

    *target = ffebmi_copy_text(context, path, strlen(path));
    if (*target == NULL)
        return ffebmi_fail_memory(context, "the path of a file");
    for (int i = 0; status == FFEBM_OK && more; i++)
        status = i <= MOST_LINKS ? follow(context, target, path, &more)
                                 : ffebmi_fail_system(context, path, "cannot be followed", ELOOP);
    if (status != FFEBM_OK) {
        ffebmi_release(context, *target);
        *target = NULL;
    }
    return status;
}

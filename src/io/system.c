#include "io/system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/context.h"

int ffebmi_system_open(const char *path, int flags, mode_t mode)
{
    int file;

    do
        file = open(path, flags | O_CLOEXEC, mode);
    while (file < 0 && errno == EINTR);
    return file;
}

int ffebmi_system_sync(int file)
{
    int result;

    do
        result = fsync(file);
    while (result != 0 && errno == EINTR);
    return result;
}

int ffebmi_system_write(int file, const void *bytes, size_t count)
{
    const char *from = bytes;

    while (count > 0) {
        ssize_t done = write(file, from, count);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        from += done;
        count -= (size_t)done;
    }
    return 0;
}

ffebm_status ffebmi_fail_system(ffebm_context *context, const char *path, const char *what, int error)
{
    char reason[128] = "";

    if (strerror_r(error, reason, sizeof reason) != 0)
        return ffebmi_fail(context, FFEBM_ERR_IO, "%.200s: %s: system error %d", path, what, error);
    return ffebmi_fail(context, FFEBM_ERR_IO, "%.200s: %s: %s", path, what, reason);
}

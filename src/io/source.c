#include "io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/context.h"
#include "io/system.h"

ffebmi_source ffebmi_source_memory(const void *bytes, size_t length)
{
    ffebmi_source source = {.name = "checkpoint in memory", .bytes = bytes, .length = length, .file = -1};

    return source;
}

/* O_NONBLOCK: do not wait for the other end of what turns out to be a pipe. */
ffebm_status ffebmi_source_open(ffebm_context *context, ffebmi_source *source, const char *path)
{
    struct stat facts;

    *source = (ffebmi_source){.name = path};
    source->file = ffebmi_system_open(path, O_RDONLY | O_NONBLOCK, 0);
    if (source->file < 0)
        return ffebmi_fail_system(context, path, "cannot be opened", errno);
    if (fstat(source->file, &facts) != 0) {
        int error = errno;

        ffebmi_source_close(source);
        return ffebmi_fail_system(context, path, "cannot be read", error);
    }
    if (!S_ISREG(facts.st_mode)) {
        ffebmi_source_close(source);
        return ffebmi_fail(context, FFEBM_ERR_IO, "%.200s: is not a regular file", path);
    }
    source->length = (uint64_t)facts.st_size;
    return FFEBM_OK;
}

void ffebmi_source_close(ffebmi_source *source)
{
    if (source->file >= 0)
        close(source->file);
    source->file = -1;
}

ffebm_status ffebmi_source_read(ffebm_context *context, const ffebmi_source *source, void *to, uint64_t offset,
                                size_t count)
{
    size_t done = 0;

    if (source->bytes != NULL) {
        memcpy(to, source->bytes + offset, count);
        return FFEBM_OK;
    }
    while (done < count) {
        ssize_t got = pread(source->file, (char *)to + done, count - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ffebmi_fail_system(context, source->name, "cannot be read", errno);
        FFEBMI_CHECK(context, got > 0, FFEBM_ERR_IO, "%.200s: has become shorter while it was read", source->name);
        done += (size_t)got;
    }
    return FFEBM_OK;
}

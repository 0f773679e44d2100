/* Where a safetensors file is read from: the file system, or memory. */
#ifndef FFEBMI_IO_SOURCE_H
#define FFEBMI_IO_SOURCE_H

#include <ffebm/core.h>

typedef struct ffebmi_source {
    const char *name;           /* for error texts: the path */
    const unsigned char *bytes; /* NULL: a file */
    uint64_t length;
    int file;
} ffebmi_source;

ffebmi_source ffebmi_source_memory(const void *bytes, size_t length);

/* Open a regular file; FFEBM_ERR_IO. On success close it. `path` lives as long as the source. */
ffebm_status ffebmi_source_open(ffebm_context *context, ffebmi_source *source, const char *path);
void ffebmi_source_close(ffebmi_source *source);

/* Copy `count` bytes from `offset` on, which are below the length. FFEBM_ERR_IO. */
ffebm_status ffebmi_source_read(ffebm_context *context, const ffebmi_source *source, void *to, uint64_t offset,
                                size_t count);

#endif

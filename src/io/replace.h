/* Replace a file whole or not at all: a temporary file beside it, written, synced, renamed. */
#ifndef FFEBMI_IO_REPLACE_H
#define FFEBMI_IO_REPLACE_H

#include <ffebm/core.h>

typedef struct ffebmi_replacement {
    ffebm_context *context;
    const char *path;
    char *target; /* where the path leads */
    char *temporary;
    int directory; /* of both; -1 where it may not be read */
    int file;
    int error; /* errno of the write that failed, or 0 */
} ffebmi_replacement;

/* Create the temporary file, and remove those of writers that died. On success call exactly one of commit and abandon,
 * which remove it. FFEBM_ERR_IO, FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_replacement_begin(ffebm_context *context, ffebmi_replacement *replacement, const char *path);

/* Append to it: an ffebm_write_fn whose user is the replacement. */
int32_t ffebmi_replacement_write(void *replacement, const void *bytes, size_t count);

/* Put it in the place of the file. FFEBM_ERR_IO. */
ffebm_status ffebmi_replacement_commit(ffebmi_replacement *replacement);
void ffebmi_replacement_abandon(ffebmi_replacement *replacement);

#endif

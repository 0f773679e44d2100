/* Write a checkpoint through a function. */
#ifndef FFEBMI_IO_WRITE_H
#define FFEBMI_IO_WRITE_H

#include <ffebm/io.h>

#include "io/contents.h"

typedef struct ffebmi_writing {
    ffebm_context *context;
    ffebmi_contents contents;
    char *start; /* the length of the header and the header */
    size_t start_length;
    uint64_t length; /* of the whole file */
} ffebmi_writing;

/* Check everything and make the header. On success end the writing.
 * FFEBM_ERR_STATE, FFEBM_ERR_ARGUMENT, FFEBM_ERR_NUMERIC, FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_writing_begin(ffebmi_writing *writing, ffebm_model *model, const ffebm_optimizer *optimizer,
                                  const char *note);
void ffebmi_writing_end(ffebmi_writing *writing);

/* FFEBM_ERR_IO where `write` returns other than 0. */
ffebm_status ffebmi_writing_run(const ffebmi_writing *writing, ffebm_write_fn write, void *user);

#endif

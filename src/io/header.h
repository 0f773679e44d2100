/* The JSON header of a safetensors file, from its bytes to a tree. */
#ifndef FFEBMI_IO_HEADER_H
#define FFEBMI_IO_HEADER_H

#include "io/source.h"
#include "json/json.h"

/* Bytes before the header, which hold its length; the format's own limit of that. */
enum { FFEBMI_HEADER_START = 8, FFEBMI_HEADER_MOST = 100000000 };

/* FFEBM_ERR_FORMAT: "name of the file: ...". The format takes one argument at least. */
#define FFEBMI_CHECK_FORMAT(context, source, condition, format, ...)                                                   \
    FFEBMI_CHECK(context, condition, FFEBM_ERR_FORMAT, "%.200s: " format, (source)->name, __VA_ARGS__)

/* Read and parse the header. *root is to be deleted with cJSON_Delete, and NULL on failure: an object of at most three
 * levels, UTF-8 without NUL, in which neither it nor its "__metadata__" has a key twice. *data is where it ends.
 * FFEBM_ERR_FORMAT, FFEBM_ERR_IO, FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_header_read(ffebm_context *context, const ffebmi_source *source, cJSON **root, uint64_t *data);

/* Would this header of a file that is to be written be read? FFEBM_ERR_UNSUPPORTED. */
ffebm_status ffebmi_header_check(ffebm_context *context, const char *json, size_t length);

#endif

/* Sized structs: the first field is their size in bytes, as the program that fills them was compiled. */
#ifndef FFEBMI_CORE_SIZED_H
#define FFEBMI_CORE_SIZED_H

#include <ffebm/core.h>

#include "core/strict.h"

/* Give a configuration of `size` bytes its defaults; `known` is what this library has of it. Bytes beyond are zero. */
void ffebmi_sized_init(void *config, size_t size, const void *defaults, size_t known);

/* Read a configuration over `to`, which holds the defaults and is of `known` bytes. `from` may be NULL. What a newer
 * program has beyond `known` must be zero: FFEBM_ERR_UNSUPPORTED; a size too small to be one: FFEBM_ERR_ARGUMENT. */
ffebm_status ffebmi_sized_read(ffebm_context *context, const char *what, void *to, size_t known, const void *from);

/* Write facts into a caller's struct, whose size field stays as it is. NULL or a size too small to be one:
 * FFEBM_ERR_ARGUMENT. */
ffebm_status ffebmi_sized_write(ffebm_context *context, const char *what, void *to, const void *from, size_t known);

#endif

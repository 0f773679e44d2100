/* Temporary files beside a file that is to be replaced, "<name>.ffebm-<16 digits>.tmp".
 *
 * Each is locked for as long as it is written, and a lock goes with its process, however that ends. So a file that can
 * be locked is one whose writer died, and whoever comes next removes it. Where a file system has no locks nothing is
 * removed; names are drawn, so that what is left is in nobody's way. */
#ifndef FFEBMI_IO_TEMPORARY_H
#define FFEBMI_IO_TEMPORARY_H

#include <sys/types.h>

#include <ffebm/core.h>

/* The length that the name of a temporary file beside `target` may have, with its directory and a NUL. */
size_t ffebmi_temporary_capacity(const char *target);

/* Remove what dead writers of `target` have left in its directory, which is open as `directory`. */
void ffebmi_temporary_sweep(int directory, const char *target);

/* Create and lock a file that is there for nobody else, and write down its name. Returns -1 and errno on failure. Rename
 * or remove it before it is closed. */
int ffebmi_temporary_create(char *name, const char *target, mode_t mode);

#endif

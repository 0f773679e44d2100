/* System calls on files that a signal may interrupt, and what is said when one fails. */
#ifndef FFEBMI_IO_SYSTEM_H
#define FFEBMI_IO_SYSTEM_H

#include <sys/types.h>

#include <ffebm/core.h>

/* open and fsync, made again when a signal has interrupted them: -1 and errno on failure. */
int ffebmi_system_open(const char *path, int flags, mode_t mode);
int ffebmi_system_sync(int file);

/* Write all bytes: 0, or -1 and errno. */
int ffebmi_system_write(int file, const void *bytes, size_t count);

/* FFEBM_ERR_IO: "path: what: the system's reason". */
ffebm_status ffebmi_fail_system(ffebm_context *context, const char *path, const char *what, int error);

#endif

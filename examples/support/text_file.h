/* text_file.h - whole small text files, between disk and memory. */
#ifndef EXAMPLES_TEXT_FILE_H
#define EXAMPLES_TEXT_FILE_H

#include <stddef.h>

#include "failure.h"

/* Read a file of at most 16 MiB. Returns 0, or -1 with the failure filled. *text is yours to free, NULL on failure. */
int text_file_read(const char *path, char **text, size_t *length, struct failure *failure);

/* Write a file so that at every moment the old or the new one is there whole: beside it ("<path>.tmp", which one process at
 * a time has), synced, renamed. Links are followed; a device or a pipe is written to. Returns 0, or -1 with the failure
 * filled and the old file as it was. */
int text_file_write(const char *path, const char *text, size_t length, struct failure *failure);

#endif

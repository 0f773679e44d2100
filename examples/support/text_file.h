/* text_file.h - a whole small text file in memory. */
#ifndef EXAMPLES_TEXT_FILE_H
#define EXAMPLES_TEXT_FILE_H

#include <stddef.h>

#include "failure.h"

/* Read a file of at most 16 MiB. Returns 0, or -1 with the failure filled. *text is yours to free, NULL on failure. */
int text_file_read(const char *path, char **text, size_t *length, struct failure *failure);

#endif

/* Text that came from a file: is it good, and how does it stand in an error text? */
#ifndef FFEBMI_IO_TEXT_H
#define FFEBMI_IO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/strict.h"

enum { FFEBMI_SHOWN = 96 };

/* Where UTF-8 without NUL ends: `length` if all of it is good, else the index of the first bad byte. */
size_t ffebmi_text_good(const char *text, size_t length);

/* A name as it may stand in an error text: cut if long, control characters replaced. Returns shown. */
const char *ffebmi_text_shown(char shown[FFEBMI_SHOWN], const char *name);

#endif

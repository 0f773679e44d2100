/* Text that came from outside: is it good, and how does it stand in an error text? */
#ifndef FFEBMI_CORE_TEXT_H
#define FFEBMI_CORE_TEXT_H

#include <stddef.h>

#include "core/strict.h"

/* Where UTF-8 without NUL ends: `length` if all of it is good, else the index of the first bad byte. */
size_t ffebmi_text_good(const char *text, size_t length);

/* Copy a text of any bytes as one that a terminal shows and UTF-8 allows: what is no UTF-8, and control characters, become
 * "\x1b". Cut between characters where it does not fit. */
void ffebmi_text_show(char *to, size_t capacity, const char *text);

/* Give the numbers of a text that printf has made a decimal point, whatever the locale has in its place. */
void ffebmi_text_point(char *text);

/* Names with commas between them, as an error text lists what there is: `name` gives them from 0 on, then NULL. Returns
 * text. */
enum { FFEBMI_LISTED = 384 };
const char *ffebmi_text_list(char text[FFEBMI_LISTED], const char *(*name)(size_t index));

/* Append a name to such a list of `used` characters; returns how many there are then. */
size_t ffebmi_text_list_add(char text[FFEBMI_LISTED], size_t used, const char *name);

#endif

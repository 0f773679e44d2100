/* Numbers as JSON has them, the same in every locale, and to the bit. */
#ifndef FFEBMI_JSON_NUMBER_H
#define FFEBMI_JSON_NUMBER_H

#include <stddef.h>

#include "core/strict.h"

enum { FFEBMI_NUMBER_TEXT = 32, FFEBMI_NUMBER_MOST = 256 };

/* The double next to a number of JSON, of at most FFEBMI_NUMBER_MOST characters; infinite beyond all doubles. */
double ffebmi_number_read(const char *text, size_t length);

/* The shortest text that is read as this finite number. Returns text. */
const char *ffebmi_number_write(char text[FFEBMI_NUMBER_TEXT], double number);

#endif

/* Is a text JSON? Looks at each byte once, and allocates nothing. */
#ifndef FFEBMI_JSON_SCAN_H
#define FFEBMI_JSON_SCAN_H

#include <stddef.h>

#include "core/strict.h"

typedef struct ffebmi_scan {
    const char *json;
    size_t length;
    size_t most_values;
    size_t most_texts; /* keys among them; 0: any number */
    size_t most_levels;
    size_t at;      /* afterwards: the byte at which it failed */
    size_t values;  /* found */
    size_t numbers; /* among them */
    size_t texts;
    size_t level;
    const char *fault; /* what is wrong there, in words; NULL: it is JSON, whole */
} ffebmi_scan;

/* Give the first five; returns fault. Numbers have at most FFEBMI_NUMBER_MOST characters, texts are UTF-8 without NUL. */
const char *ffebmi_scan_json(ffebmi_scan *scan);

#endif

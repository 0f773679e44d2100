#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

void must(int holds, const char *format, ...)
{
    va_list arguments;

    if (holds)
        return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

#include "line.h"

#include <math.h>
#include <stdio.h>

void line_begin(const char *bench)
{
    printf("{\"bench\":\"%s\"", bench);
}

void line_text(const char *key, const char *text)
{
    printf(",\"%s\":\"%s\"", key, text);
}

void line_number(const char *key, double number)
{
    if (isfinite(number))
        printf(",\"%s\":%.4g", key, number);
    else
        printf(",\"%s\":null", key); /* JSON has no other word for it */
}

void line_count(const char *key, size_t count)
{
    printf(",\"%s\":%zu", key, count);
}

void line_flag(const char *key, bool flag)
{
    printf(",\"%s\":%s", key, flag ? "true" : "false");
}

void line_shape(const char *key, const size_t *dims, size_t rank)
{
    printf(",\"%s\":[", key);
    for (size_t i = 0; i < rank; i++)
        printf("%s%zu", i == 0 ? "" : ",", dims[i]);
    putchar(']');
}

void line_end(void)
{
    puts("}");
    fflush(stdout);
}

void line_skip(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s skipped: %s\n", what, why);
}

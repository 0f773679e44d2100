/* One result: a JSON object on a line of standard output. Begin, any number of keys, end. */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

#include <stdbool.h>
#include <stddef.h>

void line_begin(const char *bench);
void line_text(const char *key, const char *text); /* text that needs no escapes */
void line_number(const char *key, double number);
void line_count(const char *key, size_t count);
void line_flag(const char *key, bool flag);
void line_shape(const char *key, const size_t *dims, size_t rank);
void line_end(void);

/* What was left out and why: a line on standard error. */
void line_skip(const char *what, const char *why);

#endif

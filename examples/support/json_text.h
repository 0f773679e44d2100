/* json_text.h - texts and numbers as JSON has them. */
#ifndef EXAMPLES_JSON_TEXT_H
#define EXAMPLES_JSON_TEXT_H

#include <locale.h>
#include <stdio.h>

/* In between, printf and strtod of this thread have numbers with a point, whatever locale the program is in. End it with
 * what the beginning returns. */
locale_t json_numbers_begin(void);
void json_numbers_end(locale_t before);

/* Write a text in quotes. Control characters become \u00XX; bytes above 127 stay as they are. */
void json_text_write(FILE *file, const char *text);

/* Write a path so that it is the same place from any directory: what is relative goes behind the working directory. */
void json_text_write_path(FILE *file, const char *path);

/* Write a number that reads back to the same bits, with a point: in 15 digits where these do, else in 17. */
void json_number_write(FILE *file, double number);

/* Decode the text in quotes at `at`, in place, its end marked by NUL; what json_text_write writes, and no other \u. Returns
 * what stands behind the closing quote, or NULL if it is no such text. */
char *json_text_read(char *at, char **text);

#endif

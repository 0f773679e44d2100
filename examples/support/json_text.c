#include "json_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEX = 4 }; /* digits behind \u */

static void write_inside(FILE *file, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(file, "\\%c", *at);
        else if (*at < ' ')
            fprintf(file, "\\u%04x", *at);
        else
            fputc(*at, file);
    }
}

void json_text_write(FILE *file, const char *text)
{
    fputc('"', file);
    write_inside(file, text);
    fputc('"', file);
}

void json_text_write_path(FILE *file, const char *path)
{
    char *here = path[0] != '/' ? getcwd(NULL, 0) : NULL;

    fputc('"', file);
    if (here != NULL) {
        write_inside(file, here);
        fputc('/', file);
    }
    write_inside(file, path);
    fputc('"', file);
    free(here);
}

/* This locale is always there, and need not be freed. */
locale_t json_numbers_begin(void)
{
    return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

void json_numbers_end(locale_t before)
{
    uselocale(before);
}

void json_number_write(FILE *file, double number)
{
    const locale_t before = json_numbers_begin();
    char digits[32];

    snprintf(digits, sizeof digits, "%.15g", number);
    if (strtod(digits, NULL) != number)
        snprintf(digits, sizeof digits, "%.17g", number);
    json_numbers_end(before);
    fputs(digits, file);
}

/* Decode the one escape behind a backslash. Returns what stands behind it, or NULL. */
static char *read_escape(char *at, char *decoded)
{
    char digits[HEX + 1] = "", *end;
    long code;

    if (*at == '"' || *at == '\\') {
        *decoded = *at;
        return at + 1;
    }
    if (*at != 'u' || strlen(at) <= HEX)
        return NULL;
    memcpy(digits, at + 1, HEX);
    code = strtol(digits, &end, 16);
    if (*end != '\0' || code <= 0 || code >= ' ')
        return NULL;
    *decoded = (char)code;
    return at + 1 + HEX;
}

char *json_text_read(char *at, char **text)
{
    char *to;

    if (*at != '"')
        return NULL;
    *text = to = ++at;
    while (at != NULL && *at != '"') {
        if (*at == '\0')
            return NULL;
        if (*at == '\\')
            at = read_escape(at + 1, to++);
        else
            *to++ = *at++;
    }
    if (at == NULL)
        return NULL;
    *to = '\0';
    return at + 1;
}

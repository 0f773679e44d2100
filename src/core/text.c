#include "core/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The length of the UTF-8 sequence at s, of at most `left` bytes; 0 if it is none, or a NUL. RFC 3629: no surrogates,
 * none longer than needed, none beyond U+10FFFF. */
static size_t sequence(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (s[0] == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

size_t ffebmi_text_good(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t step = sequence((const unsigned char *)text + at, length - at);

        if (step == 0)
            break;
        at += step;
    }
    return at;
}

/* The characters below U+0020, U+007F, and those from U+0080 to U+009F. */
static bool is_control(const unsigned char *s)
{
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

void ffebmi_text_show(char *to, size_t capacity, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = (const unsigned char *)text;
    size_t left = strlen(text), used = 0;

    while (left > 0) {
        size_t step = sequence(from, left);
        bool shown = step > 0 && !is_control(from);

        step = step > 0 ? step : 1;
        if (used + (shown ? step : 4 * step) >= capacity)
            break;
        for (size_t i = 0; i < step; i++) {
            if (shown) {
                to[used++] = (char)from[i];
                continue;
            }
            to[used++] = '\\';
            to[used++] = 'x';
            to[used++] = digits[from[i] >> 4];
            to[used++] = digits[from[i] & 15];
        }
        from += step;
        left -= step;
    }
    to[used] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The locale's mark is asked of printf: localeconv is not safe beside other threads. */
void ffebmi_text_point(char *text)
{
    char mark[16];
    size_t length = (size_t)snprintf(mark, sizeof mark, "%.1f", 1.5) - 2;

    memmove(mark, mark + 1, length);
    mark[length] = '\0';
    if (strcmp(mark, ".") == 0)
        return;
    for (char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark))
        if (at > text && is_digit(at[-1]) && is_digit(at[length])) {
            *at = '.';
            memmove(at + 1, at + length, strlen(at + length) + 1);
        }
}

size_t ffebmi_text_list_add(char text[FFEBMI_LISTED], size_t used, const char *name)
{
    int more = snprintf(text + used, FFEBMI_LISTED - used, used == 0 ? "%s" : ", %s", name);

    return used + (size_t)more < FFEBMI_LISTED ? used + (size_t)more : used;
}

const char *ffebmi_text_list(char text[FFEBMI_LISTED], const char *(*name)(size_t index))
{
    size_t used = 0;

    for (size_t i = 0; name(i) != NULL; i++)
        used = ffebmi_text_list_add(text, used, name(i));
    return text;
}

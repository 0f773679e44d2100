#include "io/text.h"

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

const char *ffebmi_text_shown(char shown[FFEBMI_SHOWN], const char *name)
{
    size_t i = 0;

    for (; i < FFEBMI_SHOWN - 1 && name[i] != '\0'; i++)
        shown[i] = (unsigned char)name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
    shown[i] = '\0';
    return shown;
}

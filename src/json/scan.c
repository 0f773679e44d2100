#include "json/scan.h"

#include <stdbool.h>
#include <string.h>

#include "core/text.h"
#include "json/number.h"

/* Each of these takes what it stands for, or says what is wrong and returns false. */
static bool value(ffebmi_scan *s);

static bool wrong(ffebmi_scan *s, const char *fault)
{
    s->fault = fault;
    return false;
}

/* The next byte; NUL at the end, which is allowed nowhere. */
static char next(const ffebmi_scan *s)
{
    return s->at < s->length ? s->json[s->at] : '\0';
}

static bool take(ffebmi_scan *s, char c)
{
    if (s->at >= s->length || s->json[s->at] != c)
        return false;
    s->at++;
    return true;
}

static void space(ffebmi_scan *s)
{
    while (take(s, ' ') || take(s, '\n') || take(s, '\t') || take(s, '\r'))
        ;
}

/* ------------------------------------------------------------------------------------------------------------ texts */

/* Four hexadecimal digits; -1: none. */
static long hexadecimal(ffebmi_scan *s)
{
    long code = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        char c = next(s);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        code = 16 * code + digit;
    }
    return code;
}

/* Behind a backslash. A character beyond U+FFFF is two escapes, which stand together. */
static bool escape(ffebmi_scan *s)
{
    char c = next(s);
    long code;

    if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) {
        s->at++;
        return true;
    }
    if (!take(s, 'u'))
        return wrong(s, "no such escape");
    code = hexadecimal(s);
    if (code < 0)
        return wrong(s, "expected four hexadecimal digits");
    if (code == 0)
        return wrong(s, "a NUL character in a text");
    if (code >= 0xd800 && code < 0xe000) {
        bool low = code < 0xdc00 && take(s, '\\') && take(s, 'u') && (code = hexadecimal(s)) >= 0xdc00 && code < 0xe000;

        return low ? true : wrong(s, "half of a surrogate pair");
    }
    return true;
}

static bool text(ffebmi_scan *s)
{
    size_t start = ++s->at, good;

    if (++s->texts > s->most_texts && s->most_texts > 0)
        return wrong(s, "too many texts");
    for (;;) {
        char c = next(s);

        if (s->at >= s->length)
            return wrong(s, "a text without end");
        if (c == '"')
            break;
        if ((unsigned char)c < 0x20)
            return wrong(s, c == '\0' ? "a NUL character in a text" : "a control character or line's end in a text");
        s->at++;
        if (c == '\\' && !escape(s))
            return false;
    }
    good = ffebmi_text_good(s->json + start, s->at - start);
    if (good < s->at - start) {
        s->at = start + good;
        return wrong(s, "not UTF-8");
    }
    s->at++;
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static bool digits(ffebmi_scan *s)
{
    size_t start = s->at;

    while (next(s) >= '0' && next(s) <= '9')
        s->at++;
    return s->at > start;
}

static bool number(ffebmi_scan *s)
{
    size_t start = s->at;
    bool good, zero;

    s->numbers++;
    take(s, '-');
    zero = next(s) == '0';
    good = zero ? take(s, '0') : digits(s);
    if (good && zero && next(s) >= '0' && next(s) <= '9')
        return wrong(s, "a number does not begin with 0 and a digit");
    if (good && take(s, '.'))
        good = digits(s);
    if (good && (take(s, 'e') || take(s, 'E'))) {
        if (!take(s, '+'))
            take(s, '-');
        good = digits(s);
    }
    if (!good)
        return wrong(s, "expected a digit");
    return s->at - start <= FFEBMI_NUMBER_MOST ? true : wrong(s, "a number of more than 256 characters");
}

/* ------------------------------------------------------------------------------------------------------- the others */

static bool word(ffebmi_scan *s, const char *expected)
{
    size_t length = strlen(expected);

    if (s->length - s->at < length || memcmp(s->json + s->at, expected, length) != 0)
        return wrong(s, "expected a value");
    s->at += length;
    return true;
}

static bool key(ffebmi_scan *s)
{
    space(s);
    if (next(s) != '"')
        return wrong(s, "expected a key in \"\"");
    if (!text(s))
        return false;
    space(s);
    return take(s, ':') ? true : wrong(s, "expected : behind a key");
}

/* Behind the opening bracket. */
static bool items(ffebmi_scan *s, bool keys, char close)
{
    if (++s->level > s->most_levels)
        return wrong(s, "too many levels");
    space(s);
    if (!take(s, close)) {
        do {
            if (keys && !key(s))
                return false;
            if (!value(s))
                return false;
            space(s);
        } while (take(s, ','));
        if (!take(s, close))
            return wrong(s, keys ? "expected , or }" : "expected , or ]");
    }
    s->level--;
    return true;
}

static bool value(ffebmi_scan *s)
{
    space(s);
    if (++s->values > s->most_values)
        return wrong(s, "too many values");
    switch (next(s)) {
    case '{':
        s->at++;
        return items(s, true, '}');
    case '[':
        s->at++;
        return items(s, false, ']');
    case '"':
        return text(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        return next(s) == '-' || (next(s) >= '0' && next(s) <= '9') ? number(s) : wrong(s, "expected a value");
    }
}

const char *ffebmi_scan_json(ffebmi_scan *scan)
{
    scan->at = scan->values = scan->numbers = scan->texts = scan->level = 0;
    scan->fault = NULL;
    if (value(scan)) {
        space(scan);
        if (scan->at < scan->length)
            wrong(scan, "text behind its end");
    }
    return scan->fault;
}

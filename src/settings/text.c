#include "settings/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/number.h"
#include "json/scan.h"

/* ----------------------------------------------------------------------------------------------------------- writing */

/* Number i of an integer setting, as it is: beyond 2^53 a double could not have it. */
static void show_integer(const ffebmi_setting *s, char *text, size_t capacity, const void *config, size_t i)
{
    const char *at = (const char *)config + s->info.offset + i * s->info.bytes;
    int64_t wide = 0;

    if (isnan(ffebmi_setting_number(s, config, i))) {
        snprintf(text, capacity, "%s", s->info.initial);
        return;
    }
    if (s->info.bytes == sizeof wide)
        memcpy(&wide, at, sizeof wide);
    else
        wide = (int64_t)ffebmi_setting_number(s, config, i);
    if (s->is_unsigned)
        snprintf(text, capacity, "%" PRIu64, (uint64_t)wide);
    else
        snprintf(text, capacity, "%" PRId64, wide);
}

static void show_window(const ffebmi_setting *s, char text[FFEBMI_VALUE_TEXT], const void *config)
{
    char sides[2][FFEBMI_VALUE_TEXT / 2 - 4];

    for (size_t i = 0; i < 2; i++)
        show_integer(s, sides[i], sizeof sides[i], config, i);
    if (strcmp(sides[0], sides[1]) == 0)
        snprintf(text, FFEBMI_VALUE_TEXT, "%s", sides[0]);
    else
        snprintf(text, FFEBMI_VALUE_TEXT, "[%s, %s]", sides[0], sides[1]);
}

static void show_number(char text[FFEBMI_VALUE_TEXT], double number)
{
    if (isfinite(number))
        ffebmi_number_write(text, number);
    else
        snprintf(text, FFEBMI_VALUE_TEXT, "%s", isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
}

/* A name; the constant itself where it is none of the choices. */
static void show_choice(const ffebmi_setting *s, char text[FFEBMI_VALUE_TEXT], double number)
{
    snprintf(text, FFEBMI_VALUE_TEXT, "%d", (int)number);
    for (size_t i = 0; i < s->info.choice_count; i++)
        if (s->info.values[i] == number)
            snprintf(text, FFEBMI_VALUE_TEXT, "%s", s->info.choices[i]);
}

const char *ffebmi_setting_show(const ffebmi_setting *setting, char text[FFEBMI_VALUE_TEXT], const void *config)
{
    const double number = ffebmi_setting_number(setting, config, 0);

    switch (setting->info.type) {
    case FFEBM_SETTING_FLAG:
        snprintf(text, FFEBMI_VALUE_TEXT, "%s", number != 0 ? "true" : "false");
        break;
    case FFEBM_SETTING_CHOICE:
        show_choice(setting, text, number);
        break;
    case FFEBM_SETTING_WINDOW:
        show_window(setting, text, config);
        break;
    case FFEBM_SETTING_INTEGER:
        show_integer(setting, text, FFEBMI_VALUE_TEXT, config, 0);
        break;
    default:
        show_number(text, number);
    }
    return text;
}

/* ----------------------------------------------------------------------------------------------------------- reading */

/* A number as JSON has it, or ".5", "inf", "-inf". */
static bool read_number(const char *text, double *number)
{
    char whole[FFEBMI_NUMBER_MOST];
    ffebmi_scan scan = {.json = whole, .most_values = 1, .most_levels = 1};

    if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *number = text[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (strlen(text) + 1 >= sizeof whole || strpbrk(text, " \t\r\n") != NULL)
        return false;
    snprintf(whole, sizeof whole, "%s%s", text[0] == '.' ? "0" : "", text);
    scan.length = strlen(whole);
    if (ffebmi_scan_json(&scan) != NULL || scan.numbers != 1)
        return false;
    *number = ffebmi_number_read(whole, scan.length);
    return true;
}

/* Where an integer of the setting's kind ends, NULL if there is none; all its bits go to *bits. */
static const char *read_integer(const ffebmi_setting *s, const char *text, int64_t *bits)
{
    int before = errno;
    bool far;
    char *end;

    if ((text[0] < '0' || text[0] > '9') && (text[0] != '-' || s->is_unsigned))
        return NULL;
    errno = 0;
    *bits = s->is_unsigned ? (int64_t)strtoull(text, &end, 10) : (int64_t)strtoll(text, &end, 10);
    far = errno != 0;
    errno = before;
    return far || end == text ? NULL : end;
}

static bool allows(const ffebmi_setting *s, int64_t bits)
{
    return ffebmi_setting_allows(s, s->is_unsigned ? (double)(uint64_t)bits : (double)bits);
}

static bool take_integer(const ffebmi_setting *s, void *config, const char *text)
{
    int64_t bits = 0;
    int32_t narrow;
    const char *end = read_integer(s, text, &bits);

    if (s->unset != 0 && strcmp(text, s->info.initial) == 0) {
        ffebmi_setting_set(s, config, NAN);
        return true;
    }
    if (end == NULL || *end != '\0' || !allows(s, bits))
        return false;
    narrow = (int32_t)bits;
    memcpy((char *)config + s->info.offset, s->info.bytes == sizeof bits ? (void *)&bits : (void *)&narrow,
           s->info.bytes);
    return true;
}

/* "3" or "[3, 5]". */
static bool take_window(const ffebmi_setting *s, void *config, const char *text)
{
    const bool pair = text[0] == '[';
    const char *at = text + pair;
    int64_t sides[2] = {0};

    at = read_integer(s, at, &sides[0]);
    sides[1] = sides[0];
    if (pair) {
        if (at == NULL || *at != ',')
            return false;
        at = read_integer(s, at + 1 + strspn(at + 1, " "), &sides[1]);
        if (at == NULL || *at != ']')
            return false;
        at++;
    }
    if (at == NULL || *at != '\0' || !allows(s, sides[0]) || !allows(s, sides[1]))
        return false;
    memcpy((char *)config + s->info.offset, sides, sizeof sides);
    return true;
}

static bool take_number(const ffebmi_setting *s, void *config, double number)
{
    if (!ffebmi_setting_allows(s, number))
        return false;
    ffebmi_setting_set(s, config, number);
    return true;
}

static bool take_choice(const ffebmi_setting *s, void *config, const char *text)
{
    double number;

    for (size_t i = 0; i < s->info.choice_count; i++)
        if (strcmp(s->info.choices[i], text) == 0)
            return take_number(s, config, s->info.values[i]);
    return read_number(text, &number) && take_number(s, config, number);
}

static bool take_flag(const ffebmi_setting *s, void *config, const char *text)
{
    const bool yes = strcmp(text, "true") == 0;

    return (yes || strcmp(text, "false") == 0) && take_number(s, config, yes);
}

bool ffebmi_setting_take(const ffebmi_setting *setting, void *config, const char *text)
{
    double number;

    switch (setting->info.type) {
    case FFEBM_SETTING_FLAG:
        return take_flag(setting, config, text);
    case FFEBM_SETTING_CHOICE:
        return take_choice(setting, config, text);
    case FFEBM_SETTING_WINDOW:
        return take_window(setting, config, text);
    case FFEBM_SETTING_INTEGER:
        return take_integer(setting, config, text);
    default:
        return read_number(text, &number) && take_number(setting, config, number);
    }
}

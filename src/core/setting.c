#include "core/setting.h"

#include <stdio.h>
#include <string.h>

static const void *number_at(const ffebmi_setting *setting, const void *config, size_t i)
{
    return (const char *)config + setting->info.offset + i * setting->info.bytes;
}

static double integer_at(const ffebmi_setting *setting, const void *at)
{
    int32_t narrow;
    int64_t wide;

    if (setting->unset != 0 && memcmp(at, &setting->unset, sizeof setting->unset) == 0)
        return NAN;
    if (setting->info.bytes == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return setting->is_unsigned ? (double)(uint32_t)narrow : (double)narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return setting->is_unsigned ? (double)(uint64_t)wide : (double)wide;
}

double ffebmi_setting_number(const ffebmi_setting *setting, const void *config, size_t i)
{
    const void *at = number_at(setting, config, i);
    double number;

    if (setting->info.type != FFEBM_SETTING_NUMBER)
        return integer_at(setting, at);
    memcpy(&number, at, sizeof number);
    return number;
}

static void set_integer(const ffebmi_setting *setting, void *at, double number)
{
    int32_t narrow;
    int64_t wide;

    if (isnan(number)) {
        memcpy(at, &setting->unset, setting->info.bytes);
        return;
    }
    narrow = setting->is_unsigned ? (int32_t)(uint32_t)number : (int32_t)number;
    wide = setting->is_unsigned ? (int64_t)(uint64_t)number : (int64_t)number;
    memcpy(at, setting->info.bytes == sizeof narrow ? (void *)&narrow : (void *)&wide, setting->info.bytes);
}

void ffebmi_setting_set(const ffebmi_setting *setting, void *config, double number)
{
    for (size_t i = 0; i < setting->info.count; i++) {
        void *at = (char *)config + setting->info.offset + i * setting->info.bytes;

        if (setting->info.type == FFEBM_SETTING_NUMBER)
            memcpy(at, &number, sizeof number);
        else
            set_integer(setting, at, number);
    }
}

void *ffebmi_setting_object(const ffebmi_setting *setting, const void *config)
{
    void *object;

    memcpy(&object, number_at(setting, config, 0), sizeof object);
    return object;
}

void ffebmi_setting_set_object(const ffebmi_setting *setting, void *config, void *object)
{
    memcpy((char *)config + setting->info.offset, &object, sizeof object);
}

const ffebmi_setting *ffebmi_setting_named(const ffebmi_settings *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->list[i].info.key, key) == 0)
            return &table->list[i];
    return NULL;
}

static bool is_chosen(const ffebm_setting_info *info, double number)
{
    for (size_t i = 0; i < info->choice_count; i++)
        if (info->values[i] == number)
            return true;
    return info->choice_count == 0;
}

/* Is it an integer where it has to be, of the field's size? Those of 64 bits are what the field holds, or at most 2^53. */
static bool fits(const ffebmi_setting *setting, double number)
{
    if (setting->info.type == FFEBM_SETTING_NUMBER)
        return true;
    return number == floor(number) && (setting->info.bytes > sizeof(int32_t) || fabs(number) <= INT32_MAX);
}

bool ffebmi_setting_is_initial(const ffebmi_setting *setting, const void *config)
{
    for (size_t i = 0; i < setting->info.count; i++) {
        double number = ffebmi_setting_number(setting, config, i);

        if (isnan(number) ? !isnan(setting->initial) : number != setting->initial)
            return false;
    }
    return true;
}

bool ffebmi_setting_allows(const ffebmi_setting *setting, double number)
{
    const ffebm_setting_info *info = &setting->info;

    if (isnan(number))
        return setting->unset != 0;
    return (info->lower_open ? number > info->lower : number >= info->lower) &&
           (info->upper_open ? number < info->upper : number <= info->upper) && is_chosen(info, number) &&
           fits(setting, number);
}

static size_t append(char words[FFEBMI_SETTING_WORDS], size_t used, const char *text)
{
    int more = snprintf(words + used, FFEBMI_SETTING_WORDS - used, "%s", text);

    return used + (size_t)more < FFEBMI_SETTING_WORDS ? used + (size_t)more : used;
}

static size_t append_number(char words[FFEBMI_SETTING_WORDS], size_t used, double number)
{
    char text[FFEBMI_SETTING_WORDS];

    snprintf(text, sizeof text, "%g", number);
    return append(words, used, text);
}

static size_t say_lower(const ffebm_setting_info *info, char words[FFEBMI_SETTING_WORDS], size_t used)
{
    if (!info->lower_open)
        return append(words, append_number(words, used, info->lower), " or more");
    return append_number(words, append(words, used, "more than "), info->lower);
}

static void say_bounds(const ffebm_setting_info *info, char words[FFEBMI_SETTING_WORDS])
{
    size_t used = append(words, 0, info->type == FFEBM_SETTING_NUMBER ? "" : "an integer, ");

    if (!isfinite(info->lower) && !isfinite(info->upper)) {
        append(words, used, "a finite number");
        return;
    }
    if (isfinite(info->lower))
        used = say_lower(info, words, used);
    if (isfinite(info->lower) && isfinite(info->upper))
        used = append(words, used, " and ");
    if (isfinite(info->upper))
        append_number(words, append(words, used, info->upper_open ? "less than " : "at most "), info->upper);
}

static void say_choices(const ffebm_setting_info *info, char words[FFEBMI_SETTING_WORDS])
{
    size_t used = 0;

    for (size_t i = 0; i < info->choice_count && used < FFEBMI_SETTING_WORDS; i++) {
        int more = snprintf(words + used, FFEBMI_SETTING_WORDS - used, "%s%s (%d)", i == 0 ? "one of " : ", ",
                            info->choices[i], (int)info->values[i]);

        used += (size_t)more;
    }
}

const char *ffebmi_setting_expected(const ffebmi_setting *setting, char words[FFEBMI_SETTING_WORDS])
{
    if (setting->info.choice_count > 0)
        say_choices(&setting->info, words);
    else if (setting->info.type == FFEBM_SETTING_FLAG)
        snprintf(words, FFEBMI_SETTING_WORDS, "0 or 1");
    else
        say_bounds(&setting->info, words);
    return words;
}

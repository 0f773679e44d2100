/* The settings of a configuration in one table: by it a configuration gets its defaults, is checked, goes to JSON and back
 * (json/settings.h), and is listed, read and written by key (settings/). A new setting is a field of the public struct and
 * a line of its table.
 *
 * A setting may be an object: a pointer to a configuration that has a table of its own. The caller's stays the caller's;
 * who reads it gets a copy, and lets go of it by ffebmi_settings_release. */
#ifndef FFEBMI_CORE_SETTING_H
#define FFEBMI_CORE_SETTING_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include <ffebm/settings.h>

#include "core/strict.h"

/* How a setting stands in JSON, beyond what its type says. */
enum {
    FFEBMI_JSON_REQUIRED = 1, /* it must be there, though the struct has a default; as must be what has none */
    FFEBMI_JSON_SPARSE = 2,   /* it is not written where it has its default; nor is an object of which nothing is */
    FFEBMI_JSON_NONE = 4      /* not at all */
};

typedef struct ffebmi_settings ffebmi_settings;

typedef struct ffebmi_setting {
    ffebm_setting_info info;
    double initial;
    bool is_unsigned;  /* an integer that is */
    size_t unset;      /* of an integer whose default is no number: what the field has then; as a double it is NaN */
    unsigned json;     /* FFEBMI_JSON_ */
    const char *group; /* "pool" of "pool.kernel", the object that it stands in; NULL: the configuration's own */
    size_t given;      /* offset of a flag in the struct that says whether JSON has it; 0: none */
    const ffebmi_settings *object; /* the table of what an OBJECT points to */
} ffebmi_setting;

struct ffebmi_settings {
    const char *name; /* begins error texts: "equilibrium" */
    size_t bytes;     /* of the struct */
    size_t reserved;  /* offset of its reserved_, which must be 0; 0: it has none */
    size_t count;
    const ffebmi_setting *list; /* in the order of the struct */
    /* Where fields depend on a type: the table of those that this one reads, NULL if there is no such type. The others
     * must be zero, and are no keys. It may have a name of its own. NULL: everything is read. */
    const ffebmi_settings *(*of_type)(int32_t type);
    size_t type; /* offset of the int32_t that is the type; "type" in JSON */
};

/* Names and constants of a choice, LIST(X) being a row of X("name", CONSTANT): for FFEBMI_CHOICE. */
#define FFEBMI_CHOICE_NAME(name, value) name,
#define FFEBMI_CHOICE_VALUE(name, value) value,
#define FFEBMI_CHOICES(id, LIST)                                                                                       \
    static const char *const id##_names[] = {LIST(FFEBMI_CHOICE_NAME)};                                                \
    static const int32_t id##_values[] = {LIST(FFEBMI_CHOICE_VALUE)}

/* Bounds of a NUMBER or INTEGER. */
#define FFEBMI_WITHIN(least, most) .lower = (least), .upper = (most)
#define FFEBMI_FROM(least) .lower = (least), .upper = INFINITY, .upper_open = 1
#define FFEBMI_ABOVE(bound) .lower = (bound), .lower_open = 1, .upper = INFINITY, .upper_open = 1
#define FFEBMI_ABOVE_TO(bound, most) .lower = (bound), .lower_open = 1, .upper = (most)
#define FFEBMI_BETWEEN(below, above) .lower = (below), .lower_open = 1, .upper = (above), .upper_open = 1
#define FFEBMI_FROM_BELOW(least, above) .lower = (least), .upper = (above), .upper_open = 1
/* In a macro around a line FFEBMI_ABOVE(-INFINITY) says the same: cppcheck counts the commas of a bare word there. */
#define FFEBMI_FINITE .lower = -INFINITY, .lower_open = 1, .upper = INFINITY, .upper_open = 1

/* Lines of a table, of the struct FFEBMI_CONFIG that the file has defined. `start` is the default as a literal. The _AS
 * ones have a key that is not the field's name, and `more`: FFEBMI_JSON, or other fields of ffebmi_setting. */
#define FFEBMI_JSON(group_, flags) .group = group_, .json = flags
#define FFEBMI_MEMBER(member) (((FFEBMI_CONFIG *)0)->member)
#define FFEBMI_AT(key_, member) .key = key_, .field = #member, .offset = offsetof(FFEBMI_CONFIG, member)
#define FFEBMI_NUMBER_AT(key, member, initial_, unit_, text_)                                                          \
    FFEBMI_AT(key, member), .type = FFEBM_SETTING_NUMBER, .bytes = sizeof(double), .count = 1, .initial = initial_,    \
                            .unit = unit_, .text = text_
#define FFEBMI_NUMBER(member, start, bounds, unit, text)                                                               \
    {                                                                                                                  \
        .info = {FFEBMI_NUMBER_AT(#member, member, #start, unit, text), bounds}, .initial = start                      \
    }
#define FFEBMI_NUMBER_AS(key, member, start, bounds, unit, text, more)                                                 \
    {                                                                                                                  \
        .info = {FFEBMI_NUMBER_AT(key, member, #start, unit, text), bounds}, .initial = start, more                    \
    }
#define FFEBMI_INTEGER_AT(key, member, initial_, unit_, text_)                                                         \
    FFEBMI_AT(key, member), .type = FFEBM_SETTING_INTEGER, .bytes = sizeof FFEBMI_MEMBER(member), .count = 1,          \
                            .initial = initial_, .unit = unit_, .text = text_
#define FFEBMI_UNSIGNED(member) __extension__ _Generic(FFEBMI_MEMBER(member), int32_t : 0, int64_t : 0, default : 1)
#define FFEBMI_INTEGER(member, start, bounds, unit, text)                                                              \
    {                                                                                                                  \
        .info = {FFEBMI_INTEGER_AT(#member, member, #start, unit, text), bounds}, .initial = start,                    \
        .is_unsigned = FFEBMI_UNSIGNED(member)                                                                         \
    }
#define FFEBMI_INTEGER_AS(key, member, start, bounds, unit, text, more)                                                \
    {                                                                                                                  \
        .info = {FFEBMI_INTEGER_AT(key, member, #start, unit, text), bounds}, .initial = start,                        \
        .is_unsigned = FFEBMI_UNSIGNED(member), more                                                                   \
    }
/* An integer that must be set: it has no default. */
#define FFEBMI_INTEGER_SET(key, member, bounds, unit, text, more)                                                      \
    {                                                                                                                  \
        .info = {FFEBMI_INTEGER_AT(key, member, "", unit, text), bounds}, .is_unsigned = FFEBMI_UNSIGNED(member), more \
    }
/* A size_t whose default is no number: the field is `start` then, and `word` its text. */
#define FFEBMI_SIZE_OR(member, word, start, text)                                                                      \
    {                                                                                                                  \
        .info = {FFEBMI_INTEGER_AT(#member, member, word, "", text), FFEBMI_FROM(0)}, .initial = NAN,                  \
        .is_unsigned = true, .unset = start, FFEBMI_JSON(NULL, FFEBMI_JSON_SPARSE)                                     \
    }
#define FFEBMI_FLAG_AS(key, member, start, text_, more)                                                                \
    {                                                                                                                  \
        .info = {FFEBMI_AT(key, member),                                                                               \
                 .type = FFEBM_SETTING_FLAG,                                                                           \
                 .bytes = sizeof(int32_t),                                                                             \
                 .count = 1,                                                                                           \
                 .initial = (start) ? "true" : "false",                                                                \
                 .unit = "",                                                                                           \
                 .text = text_,                                                                                        \
                 FFEBMI_WITHIN(0, 1)},                                                                                 \
        .initial = start, more                                                                                         \
    }
#define FFEBMI_FLAG(member, start, text) FFEBMI_FLAG_AS(#member, member, start, text, .group = NULL)
#define FFEBMI_CHOICE_AS(key, member, initial_, start, list, text_, more)                                              \
    {                                                                                                                  \
        .info = {FFEBMI_AT(key, member),                                                                               \
                 .type = FFEBM_SETTING_CHOICE,                                                                         \
                 .bytes = sizeof(int32_t),                                                                             \
                 .count = 1,                                                                                           \
                 .initial = initial_,                                                                                  \
                 .unit = "",                                                                                           \
                 .text = text_,                                                                                        \
                 .choices = list##_names,                                                                              \
                 .values = list##_values,                                                                              \
                 .choice_count = sizeof list##_values / sizeof list##_values[0],                                       \
                 FFEBMI_FINITE},                                                                                       \
        .initial = start, more                                                                                         \
    }
#define FFEBMI_CHOICE(member, initial, start, list, text)                                                              \
    FFEBMI_CHOICE_AS(#member, member, initial, start, list, text, .group = NULL)
#define FFEBMI_WINDOW(key, member, initial_, start, least, text_, more)                                                \
    {                                                                                                                  \
        .info = {FFEBMI_AT(key, member),                                                                               \
                 .type = FFEBM_SETTING_WINDOW,                                                                         \
                 .bytes = sizeof(int64_t),                                                                             \
                 .count = 2,                                                                                           \
                 .initial = initial_,                                                                                  \
                 .unit = "units",                                                                                      \
                 .text = text_,                                                                                        \
                 FFEBMI_WITHIN(least, INT32_MAX)},                                                                     \
        .initial = start, more                                                                                         \
    }
/* `start` is what NULL becomes in a copy. */
enum { FFEBMI_ABSENT = 0, FFEBMI_DEFAULTS = 1 };
#define FFEBMI_OBJECT(member, object, start, text) FFEBMI_OBJECT_AS(#member, member, object, start, text, .group = NULL)
#define FFEBMI_OBJECT_AS(key, member, object_, start, text_, more)                                                     \
    {                                                                                                                  \
        .info = {FFEBMI_AT(key, member),  .type = FFEBM_SETTING_OBJECT,                                                \
                 .bytes = sizeof(void *), .count = 1,                                                                  \
                 .initial = "",           .unit = "",                                                                  \
                 .text = text_,           FFEBMI_FINITE},                                                              \
        .initial = start, .object = object_, more                                                                      \
    }

#define FFEBMI_SETTINGS_IN(name_, reserved_, list_)                                                                    \
    .name = name_, .bytes = sizeof(FFEBMI_CONFIG), .reserved = reserved_, .list = list_,                               \
    .count = sizeof(list_) / sizeof(list_)[0]
#define FFEBMI_SETTINGS(name, reserved, list)                                                                          \
    {                                                                                                                  \
        FFEBMI_SETTINGS_IN(name, reserved, list)                                                                       \
    }

/* Of the context. */
extern const ffebmi_settings ffebmi_context_settings;

/* Fill a configuration of `size` bytes with the defaults, or those of a type; objects are NULL. A type that there is not
 * stands in it alone, for a check to refuse. */
void ffebmi_settings_init(const ffebmi_settings *table, void *config, size_t size);
void ffebmi_settings_init_type(const ffebmi_settings *table, void *config, size_t size, int32_t type);

/* Read a caller's sized struct, NULL for the defaults, and check it: FFEBM_ERR_UNSUPPORTED, FFEBM_ERR_ARGUMENT. Its objects
 * are copied, read in the same way: FFEBM_ERR_NOMEM. *to is written on FFEBM_OK alone. The context may be NULL if the table
 * has no objects. Error texts begin with `what`, or with the table's name. */
ffebm_status ffebmi_settings_read(ffebm_context *context, const ffebmi_settings *table, void *to, const void *from);
ffebm_status ffebmi_settings_read_as(ffebm_context *context, const ffebmi_settings *table, const char *what, void *to,
                                     const void *from);

/* Let go of the copies of objects: they are NULL then. */
void ffebmi_settings_release(ffebm_context *context, const ffebmi_settings *table, void *config);

/* The table of what a configuration of this type reads: `table` itself where types make no difference; NULL. */
const ffebmi_settings *ffebmi_settings_of(const ffebmi_settings *table, const void *config);

/* The setting with this key; NULL. */
const ffebmi_setting *ffebmi_setting_named(const ffebmi_settings *table, const char *key);

/* What an OBJECT points to. */
void *ffebmi_setting_object(const ffebmi_setting *setting, const void *config);
void ffebmi_setting_set_object(const ffebmi_setting *setting, void *config, void *object);

/* Number `i` of a setting; integers beyond 2^53 are rounded. And set all of its numbers. */
double ffebmi_setting_number(const ffebmi_setting *setting, const void *config, size_t i);
void ffebmi_setting_set(const ffebmi_setting *setting, void *config, double number);

/* Has it its default? */
bool ffebmi_setting_is_initial(const ffebmi_setting *setting, const void *config);

/* May the setting have this number? And what may it have, in words: "more than 0 and less than 2". */
bool ffebmi_setting_allows(const ffebmi_setting *setting, double number);
enum { FFEBMI_SETTING_WORDS = 320 };
const char *ffebmi_setting_expected(const ffebmi_setting *setting, char words[FFEBMI_SETTING_WORDS]);

#endif

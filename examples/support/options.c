#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "options.h"

enum { EXPECTED = 256, LEFT = 30, RIGHT = 84 }; /* the columns of the help */

static int kind_of(const struct option *option)
{
    return option->kind & OPTION_KIND;
}

/* Say in words what an option takes. */
static void describe(char *words, size_t capacity, const struct option *option)
{
    switch (kind_of(option)) {
    case OPTION_INTEGER:
        snprintf(words, capacity, "a whole number from %" PRId64 " to %" PRId64, option->least, option->most);
        break;
    case OPTION_NUMBER:
        snprintf(words, capacity, "a number of 0 or more");
        break;
    case OPTION_POSITIVE:
        snprintf(words, capacity, "a number above 0");
        break;
    case OPTION_CHOICE:
        snprintf(words, capacity, "one of");
        for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
            size_t used = strlen(words);

            snprintf(words + used, capacity - used, "%s %s", choice == option->choices ? "" : ",", choice->name);
        }
        break;
    default:
        snprintf(words, capacity, "%s", option->value != NULL ? option->value : "no value");
        break;
    }
}

static int store_integer(int64_t *field, const struct option *option, const char *value)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < option->least || number > option->most)
        return -1;
    *field = number;
    return 0;
}

static int store_number(double *field, const struct option *option, const char *value)
{
    char *end;
    double number = strtod(value, &end);

    if (end == value || *end != '\0' || !isfinite(number) || number < 0)
        return -1;
    if (kind_of(option) == OPTION_POSITIVE && number <= 0)
        return -1;
    *field = number;
    return 0;
}

static int store_choice(int32_t *field, const struct option *option, const char *value)
{
    for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, value) == 0) {
            *field = choice->value;
            return 0;
        }
    }
    return -1;
}

static int store_text(const char **field, const char *value)
{
    if (*value == '\0')
        return -1;
    *field = value;
    return 0;
}

static int store(void *record, const struct option *option, const char *value)
{
    void *field = (char *)record + option->offset;

    switch (kind_of(option)) {
    case OPTION_TEXT:
    case OPTION_PATH:
        return store_text(field, value);
    case OPTION_INTEGER:
        return store_integer(field, option, value);
    case OPTION_CHOICE:
        return store_choice(field, option, value);
    default:
        return store_number(field, option, value);
    }
}

/* Find the option that an argument names: --name, --name=value, -letter. */
static const struct option *find(const struct option *table, const char *argument)
{
    const size_t length = strcspn(argument, "=");

    for (; table->name != NULL; table++) {
        if (strncmp(argument, "--", 2) == 0 && strlen(table->name) + 2 == length &&
            strncmp(argument + 2, table->name, length - 2) == 0)
            return table;
        if ((table->kind & OPTION_LETTER) && argument[0] == '-' && argument[1] == table->name[0] && argument[2] == '\0')
            return table;
    }
    return NULL;
}

/* Read the option at argv[at]; returns how many arguments it took, or -1. */
static int parse_one(void *record, const struct option *table, int at, int argc, char **argv, struct failure *failure)
{
    const struct option *option = find(table, argv[at]);
    const char *equals = strchr(argv[at], '='), *value = equals != NULL ? equals + 1 : NULL;
    char expected[EXPECTED];
    int taken = 1;

    if (option == NULL)
        return failure_set(failure, "%s: no such option; --help lists them", argv[at]);
    describe(expected, sizeof expected, option);
    if (kind_of(option) == OPTION_FLAG) {
        if (value != NULL)
            return failure_set(failure, "--%s %s: expected no value", option->name, value);
        *(int32_t *)(void *)((char *)record + option->offset) = 1;
        return taken;
    }
    if (value == NULL && at + 1 < argc && strncmp(argv[at + 1], "--", 2) != 0) {
        value = argv[at + 1];
        taken = 2;
    }
    if (value == NULL)
        return failure_set(failure, "--%s: no value, expected %s", option->name, expected);
    if (store(record, option, value) != 0)
        return failure_set(failure, "--%s %s: expected %s", option->name, value, expected);
    return taken;
}

int options_parse(void *record, const struct option *table, int argc, char **argv, struct failure *failure)
{
    for (int at = 1; at < argc;) {
        int taken = parse_one(record, table, at, argc, argv, failure);

        if (taken < 0)
            return -1;
        at += taken;
    }
    return 0;
}

static const char *choice_name(const struct option *option, int32_t value)
{
    for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
        if (choice->value == value)
            return choice->name;
    }
    return NULL;
}

/* Is the option to be written, and does it say anything? */
static int is_wanted(const struct option *option, const void *field, const char *const *only)
{
    if ((kind_of(option) == OPTION_TEXT || kind_of(option) == OPTION_PATH) && *(const char *const *)field == NULL)
        return 0;
    if (kind_of(option) == OPTION_CHOICE && choice_name(option, *(const int32_t *)field) == NULL)
        return 0;
    if (only == NULL)
        return !(option->kind & OPTION_ONCE);
    for (; *only != NULL; only++) {
        if (strcmp(*only, option->name) == 0)
            return 1;
    }
    return 0;
}

static void write_value(FILE *file, const struct option *option, const void *field)
{
    switch (kind_of(option)) {
    case OPTION_TEXT:
        json_text_write(file, *(const char *const *)field);
        break;
    case OPTION_PATH:
        json_text_write_path(file, *(const char *const *)field);
        break;
    case OPTION_INTEGER:
        fprintf(file, "%" PRId64, *(const int64_t *)field);
        break;
    case OPTION_CHOICE:
        json_text_write(file, choice_name(option, *(const int32_t *)field));
        break;
    case OPTION_FLAG:
        fputs(*(const int32_t *)field ? "true" : "false", file);
        break;
    default:
        json_number_write(file, *(const double *)field);
        break;
    }
}

void options_write(FILE *file, const struct option *table, const void *record, const char *const *only,
                   const char *between)
{
    const char *before = "";

    for (; table->name != NULL; table++) {
        const void *field = (const char *)record + table->offset;

        if (!is_wanted(table, field, only))
            continue;
        fprintf(file, "%s\"%s\": ", before, table->name);
        write_value(file, table, field);
        before = between;
    }
}

/* "a|b|c", or what the table calls the value. */
static void name_value(char *words, size_t capacity, const struct option *option)
{
    words[0] = '\0';
    if (option->choices == NULL) {
        snprintf(words, capacity, "%s", option->value != NULL ? option->value : "");
        return;
    }
    for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
        size_t used = strlen(words);

        snprintf(words + used, capacity - used, "%s%s", used == 0 ? "" : "|", choice->name);
    }
}

/* " (default ..)", or nothing where there is none. */
static void name_default(char *words, size_t capacity, const struct option *option, const void *record)
{
    const void *field = (const char *)record + option->offset;
    const char *const *text = field;

    words[0] = '\0';
    if (record == NULL || kind_of(option) == OPTION_FLAG)
        return;
    if (kind_of(option) == OPTION_INTEGER) {
        snprintf(words, capacity, " (default %" PRId64 ")", *(const int64_t *)field);
    } else if (kind_of(option) == OPTION_TEXT || kind_of(option) == OPTION_PATH) {
        if (*text != NULL)
            snprintf(words, capacity, " (default %s)", *text);
    } else if (kind_of(option) == OPTION_CHOICE) {
        const char *name = choice_name(option, *(const int32_t *)field);

        if (name != NULL)
            snprintf(words, capacity, " (default %s)", name);
    } else {
        snprintf(words, capacity, " (default %g)", *(const double *)field);
    }
}

/* Print words, the first of them `column` to the right of the margin, in as many lines as they need. */
static void print_wrapped(FILE *file, const char *words, size_t column)
{
    size_t used = 0;

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        if (used > 0 && used + 1 + length > RIGHT) {
            fprintf(file, "\n%*s", (int)column, "");
            used = 0;
        }
        used += (size_t)fprintf(file, "%s%.*s", used > 0 ? " " : "", (int)length, words);
        words += length + strspn(words + length, " ");
    }
    fputc('\n', file);
}

void options_print(FILE *file, const struct option *table, const void *record)
{
    for (; table->name != NULL; table++) {
        char left[EXPECTED], value[EXPECTED / 2], unless[EXPECTED], right[4 * EXPECTED];

        name_value(value, sizeof value, table);
        name_default(unless, sizeof unless, table, record);
        snprintf(left, sizeof left, "--%s %s", table->name, value);
        if (table->kind & OPTION_LETTER)
            snprintf(left, sizeof left, "--%s, -%c", table->name, table->name[0]);
        snprintf(right, sizeof right, "%s%s", table->text, unless);
        if (strlen(left) > LEFT)
            fprintf(file, "  %s\n  %-*s  ", left, LEFT, "");
        else
            fprintf(file, "  %-*s  ", LEFT, left);
        print_wrapped(file, right, LEFT + 4);
    }
}

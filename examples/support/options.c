#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum { EXPECTED = 256, LEFT = 30, RIGHT = 84 }; /* the columns of the help */

/* Say in words what an option takes. */
static void describe(char *words, size_t capacity, const struct option *option)
{
    switch (option->kind) {
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
    if (option->kind == OPTION_POSITIVE && number <= 0)
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

    switch (option->kind) {
    case OPTION_TEXT:
        return store_text(field, value);
    case OPTION_INTEGER:
        return store_integer(field, option, value);
    case OPTION_CHOICE:
        return store_choice(field, option, value);
    default:
        return store_number(field, option, value);
    }
}

/* Find the option that `name`, of `length` characters, names. */
static const struct option *find(const struct option *table, const char *name, size_t length)
{
    for (; table->name != NULL; table++) {
        if (strlen(table->name) == length && strncmp(table->name, name, length) == 0)
            return table;
    }
    return NULL;
}

/* Read the option at argv[at]; returns how many arguments it took, or -1. */
static int parse_one(void *record, const struct option *table, int at, int argc, char **argv, struct failure *failure)
{
    const char *name = argv[at] + 2;
    const size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const struct option *option = strncmp(argv[at], "--", 2) == 0 ? find(table, name, length) : NULL;
    char expected[EXPECTED];
    int taken = 1;

    if (option == NULL)
        return failure_set(failure, "%s: no such option; --help lists them", argv[at]);
    describe(expected, sizeof expected, option);
    if (option->kind == OPTION_FLAG) {
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
    if (record == NULL || option->kind == OPTION_FLAG)
        return;
    if (option->kind == OPTION_INTEGER) {
        snprintf(words, capacity, " (default %" PRId64 ")", *(const int64_t *)field);
    } else if (option->kind == OPTION_TEXT) {
        if (*text != NULL)
            snprintf(words, capacity, " (default %s)", *text);
    } else if (option->kind == OPTION_CHOICE) {
        for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
            if (choice->value == *(const int32_t *)field)
                snprintf(words, capacity, " (default %s)", choice->name);
        }
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
        snprintf(right, sizeof right, "%s%s", table->text, unless);
        if (strlen(left) > LEFT)
            fprintf(file, "  %s\n  %-*s  ", left, LEFT, "");
        else
            fprintf(file, "  %-*s  ", LEFT, left);
        print_wrapped(file, right, LEFT + 4);
    }
}

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "json_text.h"
#include "options.h"

enum { EXPECTED = 256, LEFT = 30, RIGHT = 84 /* the columns of the help */, NAME = 48, VALUE = 64 };

/* One option after the other of a table whose rows may stand for many. */
struct walk {
    const struct option *table;
    const struct option *row;
    size_t index; /* of the next setting of a row of settings */
    struct option now;
    ffebm_setting_info info; /* of a setting */
    char name[NAME];
};

static struct walk walk_through(const struct option *table)
{
    return (struct walk){.table = table, .row = table, .info = {.size = sizeof(ffebm_setting_info)}};
}

static int kind_of(const struct option *option)
{
    return option->kind & OPTION_KIND;
}

/* "free-sweeps" and "free_sweeps", either way. */
static const char *replace(char name[NAME], const char *from, char old, char new)
{
    snprintf(name, NAME, "%s", from);
    for (char *at = name; *at != '\0'; at++)
        if (*at == old)
            *at = new;
    return name;
}

static int is_named(const struct option *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (kind_of(table) != OPTION_SETTINGS && strcmp(table->name, name) == 0)
            return 1;
    return 0;
}

/* The next setting of a row of settings that has no option of its own. */
static int next_setting(struct walk *walk)
{
    while (ffebm_setting_inspect(&walk->info, (int32_t)walk->row->least, walk->index++) == FFEBM_OK)
        if (!is_named(walk->table, replace(walk->name, walk->info.key, '_', '-'))) {
            walk->now = *walk->row;
            walk->now.name = walk->name;
            walk->now.text = walk->info.text;
            walk->now.kind = OPTION_SETTING;
            return 1;
        }
    walk->index = 0;
    return 0;
}

static void look_up(struct walk *walk)
{
    char key[NAME];
    const int32_t kind = (int32_t)walk->now.least;

    ffebm_setting_inspect(&walk->info, kind, ffebm_setting_find(kind, replace(key, walk->now.name, '-', '_')));
    if (walk->now.text == NULL)
        walk->now.text = walk->info.text;
}

static const struct option *walk_on(struct walk *walk)
{
    for (; walk->row->name != NULL; walk->row++) {
        if (kind_of(walk->row) == OPTION_SETTINGS) {
            if (next_setting(walk))
                return &walk->now;
            continue;
        }
        walk->now = *walk->row++;
        if (kind_of(&walk->now) == OPTION_SETTING)
            look_up(walk);
        return &walk->now;
    }
    return NULL;
}

static int is_flag(const struct walk *walk)
{
    return kind_of(&walk->now) == OPTION_FLAG ||
           (kind_of(&walk->now) == OPTION_SETTING && walk->info.type == FFEBM_SETTING_FLAG);
}

/* What a setting takes. */
static void describe_setting(char *words, size_t capacity, const ffebm_setting_info *info)
{
    const char *number = info->type == FFEBM_SETTING_INTEGER ? "a whole number" : "a number";

    if (info->type == FFEBM_SETTING_FLAG)
        snprintf(words, capacity, "no value, true or false");
    else if (info->choice_count > 0)
        snprintf(words, capacity, "one of");
    else if (isfinite(info->upper))
        snprintf(words, capacity, "%s %s %g and %s %g", number, info->lower_open ? "above" : "of at least", info->lower,
                 info->upper_open ? "below" : "of at most", info->upper);
    else
        snprintf(words, capacity, info->lower_open ? "%s above %g" : "%s of %g or more", number, info->lower);
    for (size_t i = 0; i < info->choice_count; i++) {
        size_t used = strlen(words);

        snprintf(words + used, capacity - used, "%s %s", i == 0 ? "" : ",", info->choices[i]);
    }
}

/* Say in words what an option takes. */
static void describe(char *words, size_t capacity, const struct walk *walk)
{
    const struct option *option = &walk->now;

    switch (kind_of(option)) {
    case OPTION_SETTING:
        describe_setting(words, capacity, &walk->info);
        break;
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

static int store(void *record, const struct walk *walk, const char *value)
{
    const struct option *option = &walk->now;
    void *field = (char *)record + option->offset;

    switch (kind_of(option)) {
    case OPTION_TEXT:
    case OPTION_PATH:
        return store_text(field, value);
    case OPTION_INTEGER:
        return store_integer(field, option, value);
    case OPTION_CHOICE:
        return store_choice(field, option, value);
    case OPTION_SETTING:
        return ffebm_setting_write(NULL, field, (int32_t)option->least, walk->info.key, value) == FFEBM_OK ? 0 : -1;
    default:
        return store_number(field, option, value);
    }
}

/* Find the option that an argument names: --name, --name=value, -letter. */
static const struct option *find(struct walk *walk, const char *argument)
{
    const size_t length = strcspn(argument, "=");
    const struct option *option;

    while ((option = walk_on(walk)) != NULL) {
        if (strncmp(argument, "--", 2) == 0 && strlen(option->name) + 2 == length &&
            strncmp(argument + 2, option->name, length - 2) == 0)
            break;
        if ((option->kind & OPTION_LETTER) && argument[0] == '-' && argument[1] == option->name[0] &&
            argument[2] == '\0')
            break;
    }
    return option;
}

/* A flag of the program's own takes no value; one that is a setting may have one behind "=". */
static int set_flag(void *record, const struct walk *walk, const char *value, struct failure *failure)
{
    const struct option *option = &walk->now;

    if (kind_of(option) == OPTION_SETTING) {
        if (store(record, walk, value == NULL ? "true" : value) != 0)
            return failure_set(failure, "--%s %s: expected no value, true or false", option->name, value);
        return 0;
    }
    if (value != NULL)
        return failure_set(failure, "--%s %s: expected no value", option->name, value);
    *(int32_t *)(void *)((char *)record + option->offset) = 1;
    return 0;
}

/* Read the option at argv[at]; returns how many arguments it took, or -1. */
static int parse_one(void *record, const struct option *table, int at, int argc, char **argv, struct failure *failure)
{
    struct walk walk = walk_through(table);
    const struct option *option = find(&walk, argv[at]);
    const char *equals = strchr(argv[at], '='), *value = equals != NULL ? equals + 1 : NULL;
    char expected[EXPECTED];
    int taken = 1;

    if (option == NULL)
        return failure_set(failure, "%s: no such option; --help lists them", argv[at]);
    if (is_flag(&walk))
        return set_flag(record, &walk, value, failure) == 0 ? taken : -1;
    describe(expected, sizeof expected, &walk);
    if (value == NULL && at + 1 < argc && strncmp(argv[at + 1], "--", 2) != 0) {
        value = argv[at + 1];
        taken = 2;
    }
    if (value == NULL)
        return failure_set(failure, "--%s: no value, expected %s", option->name, expected);
    if (store(record, &walk, value) != 0)
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

/* A setting's text is JSON but for the quotes of a choice. */
static void write_setting(FILE *file, const struct walk *walk, const void *field)
{
    char text[VALUE];

    ffebm_setting_read(NULL, text, sizeof text, NULL, (int32_t)walk->now.least, walk->info.key, field);
    if (walk->info.choice_count > 0)
        json_text_write(file, text);
    else
        fputs(text, file);
}

static void write_value(FILE *file, const struct walk *walk, const void *field)
{
    const struct option *option = &walk->now;

    switch (kind_of(option)) {
    case OPTION_SETTING:
        write_setting(file, walk, field);
        break;
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
    struct walk walk = walk_through(table);
    const struct option *option;
    const char *before = "";

    while ((option = walk_on(&walk)) != NULL) {
        const void *field = (const char *)record + option->offset;

        if (!is_wanted(option, field, only))
            continue;
        fprintf(file, "%s\"%s\": ", before, option->name);
        write_value(file, &walk, field);
        before = between;
    }
}

/* "a|b|c", or what the table calls the value. */
static void name_value(char *words, size_t capacity, const struct walk *walk)
{
    const struct option *option = &walk->now;
    const size_t settings = kind_of(option) == OPTION_SETTING ? walk->info.choice_count : 0;

    words[0] = '\0';
    if (is_flag(walk))
        return;
    if (kind_of(option) == OPTION_SETTING && settings == 0)
        snprintf(words, capacity, "%s", walk->info.type == FFEBM_SETTING_INTEGER ? "N" : "X");
    else if (option->choices == NULL)
        snprintf(words, capacity, "%s", option->value != NULL ? option->value : "");
    for (size_t i = 0; settings > 0 ? i < settings : option->choices != NULL && option->choices[i].name != NULL; i++) {
        size_t used = strlen(words);

        snprintf(words + used, capacity - used, "%s%s", used == 0 ? "" : "|",
                 settings > 0 ? walk->info.choices[i] : option->choices[i].name);
    }
}

/* The value in the record as words, "" where it says nothing. */
static void name_present(char *words, size_t capacity, const struct walk *walk, const void *field)
{
    const struct option *option = &walk->now;
    const char *name = NULL;

    words[0] = '\0';
    switch (kind_of(option)) {
    case OPTION_SETTING:
        ffebm_setting_read(NULL, words, capacity, NULL, (int32_t)option->least, walk->info.key, field);
        return;
    case OPTION_INTEGER:
        snprintf(words, capacity, "%" PRId64, *(const int64_t *)field);
        return;
    case OPTION_TEXT:
    case OPTION_PATH:
        name = *(const char *const *)field;
        break;
    case OPTION_CHOICE:
        name = choice_name(option, *(const int32_t *)field);
        break;
    default:
        snprintf(words, capacity, "%g", *(const double *)field);
        return;
    }
    if (name != NULL)
        snprintf(words, capacity, "%s", name);
}

/* " (default ..)", or nothing where there is none. */
static void name_default(char *words, size_t capacity, const struct walk *walk, const void *record)
{
    char present[EXPECTED / 2] = "";

    if (record != NULL && !is_flag(walk))
        name_present(present, sizeof present, walk, (const char *)record + walk->now.offset);
    words[0] = '\0';
    if (present[0] != '\0')
        snprintf(words, capacity, " (default %s)", present);
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
    struct walk walk = walk_through(table);
    const struct option *option;

    while ((option = walk_on(&walk)) != NULL) {
        char left[EXPECTED], value[EXPECTED / 2], unless[EXPECTED], right[4 * EXPECTED];

        name_value(value, sizeof value, &walk);
        name_default(unless, sizeof unless, &walk, record);
        snprintf(left, sizeof left, "--%s %s", option->name, value);
        if (option->kind & OPTION_LETTER)
            snprintf(left, sizeof left, "--%s, -%c", option->name, option->name[0]);
        snprintf(right, sizeof right, "%s%s", option->text, unless);
        if (strlen(left) > LEFT)
            fprintf(file, "  %s\n  %-*s  ", left, LEFT, "");
        else
            fprintf(file, "  %-*s  ", LEFT, left);
        print_wrapped(file, right, LEFT + 4);
    }
}

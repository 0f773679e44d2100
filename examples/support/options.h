/* options.h - a command line read by a table: --name value, --name=value, --flag, -f. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "failure.h"

/* What an option's value is, and the type of the field that it fills. */
enum {
    OPTION_TEXT = 1,   /* const char *: not empty */
    OPTION_PATH,       /* likewise, of a file or directory */
    OPTION_INTEGER,    /* int64_t: from least to most */
    OPTION_NUMBER,     /* double: 0 or more */
    OPTION_POSITIVE,   /* double: above 0 */
    OPTION_CHOICE,     /* int32_t: one of the choices */
    OPTION_FLAG,       /* int32_t: no value; set to 1 */
    OPTION_SETTING,    /* a configuration: its setting of this name, "-" for "_"; the library says all of it */
    OPTION_SETTINGS,   /* a configuration: all of its settings that no other option is named like */
    OPTION_KIND = 15,  /* the bits of the above; these can be added: */
    OPTION_ONCE = 16,  /* for this process alone, not to be kept with a run */
    OPTION_LETTER = 32 /* -x names it too, its first letter */
};

struct option_choice {
    const char *name; /* NULL ends the list */
    int32_t value;
};

struct option {
    const char *name;  /* without its dashes; NULL ends the table */
    const char *value; /* what the help calls the value */
    const char *text;  /* what it does */
    const struct option_choice *choices;
    size_t offset; /* of the field */
    int64_t least; /* OPTION_SETTING: FFEBM_CONFIG_ */
    int64_t most;
    int32_t kind;
};

/* Read argv[1] .. into the fields of `record`; those of options that are not given stay as they are. Of an option given
 * twice the last counts. Returns 0, or -1 with a failure that names option, value and what was expected. */
int options_parse(void *record, const struct option *table, int argc, char **argv, struct failure *failure);

/* Write what a record holds as members of a JSON object, each behind `between` but for the first: those that are to be kept,
 * but for texts that are NULL; or, where `only` is given, those of these names alone (NULL ends them). Numbers have all their
 * digits. */
void options_write(FILE *file, const struct option *table, const void *record, const char *const *only,
                   const char *between);

/* Print the table for people, each with its default: what its field in `record` holds. NULL: without defaults. */
void options_print(FILE *file, const struct option *table, const void *record);

#endif

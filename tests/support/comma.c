#include "comma.h"

#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/ffebm_locale_XXXXXX";

/* What localedef makes of a decimal comma and nothing else; it warns of all that is missing, and says so with its status. */
static void make(void)
{
    static const char source[] = "comment_char %\nescape_char /\nLC_NUMERIC\ndecimal_point \"<U002C>\"\n"
                                 "thousands_sep \"<U002E>\"\ngrouping 3;3\nEND LC_NUMERIC\n";
    char path[64], command[256];
    FILE *file;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/source", folder);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(source, file);
    fclose(file);
    snprintf(command, sizeof command, "localedef -c -i %s/source %s/comma >/dev/null 2>&1", folder, folder);
    (void)!system(command);
}

void comma_begin(void)
{
    char text[16];

    make();
    setenv("LOCPATH", folder, 1);
    ck_assert_msg(setlocale(LC_NUMERIC, "comma") != NULL, "localedef made no locale in %s", folder);
    snprintf(text, sizeof text, "%.1f", 1.5);
    ck_assert_str_eq(text, "1,5");
}

void comma_end(void)
{
    char command[64];

    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    memset(folder + strlen(folder) - 6, 'X', 6);
}

/* settings_file.h - what a run was trained with, in the settings.json of its directory:
 *
 *   options      every option of train that is kept, with the value in force; train reads them back when it resumes
 *   commands     the command lines, one for every process that has been at the run
 *   library      which library, built by which compiler, on what kind of processor
 *   data         what the data set was
 *
 * Each member of `options` has a line of its own.
 */
#ifndef EXAMPLES_SETTINGS_FILE_H
#define EXAMPLES_SETTINGS_FILE_H

#include "arguments.h"
#include "dataset.h"
#include "failure.h"
#include "settings.h"

struct settings_file {
    const struct settings *settings;
    const struct dataset *data;
    const char *commands; /* of processes before this one, as settings_file_read has found them; NULL: none */
    char **argv;          /* of this one; ends with NULL */
};

/* Add the options of a file to a command line, and get its list of commands, yours to free. Returns 0, or -1 with the
 * failure filled. */
int settings_file_read(struct arguments *arguments, char **commands, const char *path, struct failure *failure);

/* Write a file. Returns as above. */
int settings_file_write(const struct settings_file *file, const char *path, struct failure *failure);

#endif

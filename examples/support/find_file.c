#include "find_file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* So deep, and at so many entries in all, is looked: enough for data/MNIST/raw, and not for a whole disk. */
enum { DEPTH = 2, ENTRIES = 4096 };

struct search {
    const char *name;
    char *found; /* [DATA_FILE_NAME]: the folder that it is in */
    int left;    /* entries that may still be looked at */
};

static int is_in(const struct search *search, const char *directory)
{
    char path[DATA_FILE_NAME];
    struct failure ignored;

    if (data_file_path(path, directory, search->name, &ignored) != 0 || !data_file_exists(path))
        return 0;
    snprintf(search->found, DATA_FILE_NAME, "%s", directory);
    return 1;
}

/* Look into a folder, and so many levels of folders in it. */
static int look(struct search *search, const char *directory, int depth)
{
    DIR *listing = depth > 0 && !is_in(search, directory) ? opendir(directory) : NULL;
    const struct dirent *entry;
    char inner[DATA_FILE_NAME];
    struct failure ignored;
    int found = 0;

    if (listing == NULL)
        return is_in(search, directory);
    while (!found && search->left-- > 0 && (entry = readdir(listing)) != NULL)
        found = entry->d_name[0] != '.' && data_file_path(inner, directory, entry->d_name, &ignored) == 0 &&
                look(search, inner, depth - 1);
    closedir(listing);
    return found;
}

static int find_near(char found[DATA_FILE_NAME], const char *directory, const char *name)
{
    struct search search = {.name = name, .found = found, .left = ENTRIES};
    char above[DATA_FILE_NAME];
    struct failure ignored;

    return look(&search, directory, DEPTH) ||
           (data_file_path(above, directory, "..", &ignored) == 0 && is_in(&search, above));
}

static int refuse(const char *directory, const char *const *names, const struct substitute *substitutes,
                  const char *advice, struct failure *failure)
{
    static const char reason[] = "No such file or directory";
    char found[DATA_FILE_NAME];

    for (const char *const *name = names; *name != NULL; name++)
        if (find_near(found, directory, *name))
            return failure_set(failure, "%s/%s: %s, but %s/%s is there: --data %s", directory, names[0], reason, found,
                               *name, found);
    for (; substitutes != NULL && substitutes->name != NULL; substitutes++)
        if (find_near(found, directory, substitutes->name))
            return failure_set(failure, "%s/%s: %s; %s/%s is %s", directory, names[0], reason, found, substitutes->name,
                               substitutes->what);
    return failure_set(failure, "%s/%s: %s%s%s", directory, names[0], reason, advice != NULL ? "; " : "",
                       advice != NULL ? advice : "");
}

int find_file(char path[DATA_FILE_NAME], const char *directory, const char *const *names,
              const struct substitute *substitutes, const char *advice, struct failure *failure)
{
    for (const char *const *name = names; *name != NULL; name++) {
        if (data_file_path(path, directory, *name, failure) != 0)
            return -1;
        if (data_file_exists(path))
            return 0;
    }
    return refuse(directory, names, substitutes, advice, failure);
}

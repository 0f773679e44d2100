#define _XOPEN_SOURCE 700
#include "directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

const char *directory_make(void)
{
    static char path[256];
    const char *temporary = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/ffebm-attack-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        exit(2);
    }
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void directory_remove(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

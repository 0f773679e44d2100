#include "io/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/random.h"
#include "io/system.h"

/* Of a name so many bytes are kept, that there is room for the rest on any file system. */
enum { KEPT = 96, DIGITS = 16, ATTEMPTS = 100 };

static const char mark[] = ".ffebm-", ending[] = ".tmp";

size_t ffebmi_temporary_capacity(const char *target)
{
    return strlen(target) + sizeof mark + DIGITS + sizeof ending;
}

static const char *name_of(const char *target)
{
    const char *slash = strrchr(target, '/');

    return slash == NULL ? target : slash + 1;
}

/* What is kept of a name, not cut within a character: some file systems take UTF-8 alone. */
static size_t kept_of(const char *name)
{
    size_t length = strlen(name), kept = length < KEPT ? length : KEPT;

    while (kept > 0 && kept < length && ((unsigned char)name[kept] & 0xc0) == 0x80)
        kept--;
    return kept;
}

/* ------------------------------------------------------------------------------------------------- of dead writers */

static bool is_temporary_of(const char *entry, const char *name)
{
    size_t kept = kept_of(name), start = kept + strlen(mark);

    return strlen(entry) == start + DIGITS + strlen(ending) && memcmp(entry, name, kept) == 0 &&
           memcmp(entry + kept, mark, strlen(mark)) == 0 && strspn(entry + start, "0123456789abcdef") == DIGITS &&
           strcmp(entry + start + DIGITS, ending) == 0;
}

/* For a lock some file systems want a file that may be written; a read-only one is locked on the others. */
static void remove_dead(int directory, const char *entry)
{
    const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int file = openat(directory, entry, O_WRONLY | flags);

    if (file < 0)
        file = openat(directory, entry, O_RDONLY | flags);
    if (file < 0)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory, entry, 0);
    close(file);
}

void ffebmi_temporary_sweep(int directory, const char *target)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = own < 0 ? NULL : fdopendir(own);
    const struct dirent *entry;

    if (listing == NULL) {
        if (own >= 0)
            close(own);
        return;
    }
    while ((entry = readdir(listing)) != NULL)
        if (is_temporary_of(entry->d_name, name_of(target)))
            remove_dead(directory, entry->d_name);
    closedir(listing);
}

/* -------------------------------------------------------------------------------------------------------- creation */

static uint64_t draw(int attempt)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return ffebmi_random_stream((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
                                (uint64_t)getpid() << 32 | (uint32_t)attempt);
}

/* Between its creation and its lock a file looks like one of a dead writer, and may have been removed. */
static bool lock(int file, const char *name)
{
    struct stat facts;

    if (flock(file, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK;
    return lstat(name, &facts) == 0 || errno != ENOENT;
}

int ffebmi_temporary_create(char *name, const char *target, mode_t mode)
{
    const char *last = name_of(target);
    size_t kept = kept_of(last), stem = (size_t)(last - target) + kept;
    int file, error = EEXIST;

    for (int i = 0; i < ATTEMPTS; i++) {
        snprintf(name, ffebmi_temporary_capacity(target), "%.*s%s%016" PRIx64 "%s", (int)stem, target, mark, draw(i),
                 ending);
        file = ffebmi_system_open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (file < 0 && errno != EEXIST)
            return -1;
        if (file >= 0 && lock(file, name))
            return file;
        error = errno;
        if (file >= 0) {
            unlink(name);
            close(file);
        }
    }
    errno = error;
    return -1;
}

#define _GNU_SOURCE /* flock */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int lock_open_file(int descriptor)
{
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK ? -1 : 0;
}

/* Whoever is done with a file beside another removes or renames it: what has been opened and locked may be a file that has no name any more. */
static int still_there(int descriptor, const char *name)
{
    struct stat opened, named;

    return fstat(descriptor, &opened) == 0 && stat(name, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

int lock_open(const char *name, const char *path, struct failure *failure)
{
    for (;;) {
        int descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

        if (descriptor < 0)
            return failure_set(failure, "%s: %s", path, strerror(errno));
        if (lock_open_file(descriptor) != 0) {
            close(descriptor);
            return failure_set(failure, "%s: another process writes to it", path);
        }
        if (still_there(descriptor, name))
            return descriptor;
        close(descriptor);
    }
}

int lock_take(struct lock *lock, const char *path, struct failure *failure)
{
    struct stat status;
    const int there = stat(path, &status) == 0;

    lock->path[0] = '\0';
    if (there && S_ISDIR(status.st_mode))
        return failure_set(failure, "%s: is a directory, expected a file", path);
    if (there && !S_ISREG(status.st_mode))
        return 0;
    if (strlen(path) + sizeof ".lock" > sizeof lock->path)
        return failure_set(failure, "%s: %s", path, strerror(ENAMETOOLONG));
    snprintf(lock->path, sizeof lock->path, "%s.lock", path);
    lock->descriptor = lock_open(lock->path, path, failure);
    if (lock->descriptor < 0)
        lock->path[0] = '\0';
    return lock->descriptor < 0 ? -1 : 0;
}

void lock_release(struct lock *lock)
{
    if (lock->path[0] == '\0')
        return;
    unlink(lock->path);
    close(lock->descriptor);
    lock->path[0] = '\0';
}

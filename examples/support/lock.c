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

/* Whoever releases a lock removes its file: what has been opened and locked may be a file that has no name any more. */
static int still_there(const struct lock *lock)
{
    struct stat opened, named;

    return fstat(lock->descriptor, &opened) == 0 && stat(lock->path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static int refuse(struct lock *lock, const char *path, const char *why, struct failure *failure)
{
    lock->path[0] = '\0';
    return failure_set(failure, "%s: %s", path, why);
}

int lock_take(struct lock *lock, const char *path, struct failure *failure)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return refuse(lock, path, "is a directory, expected a file", failure);
    if (snprintf(lock->path, sizeof lock->path, "%s.lock", path) >= (int)sizeof lock->path)
        return refuse(lock, path, strerror(ENAMETOOLONG), failure);
    for (;;) {
        lock->descriptor = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock->descriptor < 0)
            return refuse(lock, path, strerror(errno), failure);
        if (lock_open_file(lock->descriptor) != 0) {
            close(lock->descriptor);
            return refuse(lock, path, "another process writes to it", failure);
        }
        if (still_there(lock))
            return 0;
        close(lock->descriptor);
    }
}

void lock_release(struct lock *lock)
{
    if (lock->path[0] == '\0')
        return;
    unlink(lock->path);
    close(lock->descriptor);
    lock->path[0] = '\0';
}
